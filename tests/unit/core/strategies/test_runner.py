"""What a start shows a strategy of a long journal."""

from __future__ import annotations

from datetime import timedelta

from core.facts import BarClosed
from core.strategies.runner import SHOWN, Begins, Hole, ShownBar
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, a_bar
from tests.unit.core.test_orchestrator import Stand


def test_a_start_shows_thirty_days_of_bars() -> None:
    """ST-01, SP-03: memory has a bound, whatever the journal is."""
    stand = Stand()
    days = [THURSDAY + timedelta(days=number) for number in range(-1, 69, 7)]
    bars = [a_bar(clock, "100", day=day) for day in days for clock in ("09:30", "09:31")]

    stand.orchestrator.begin_rebuild(bars[-1].end)
    for bar in bars:
        stand.orchestrator.folds[BarClosed](bar.end, BarClosed(bar))  # type: ignore[arg-type]

    (runner,) = stand.orchestrator.runners[SPY]
    shown = [step for step in runner.steps if isinstance(step, ShownBar)]
    assert [step.bar for step in shown] == [bar for bar in bars if bar.start >= bars[-1].end - SHOWN] != bars
    assert shown[0].begins is Begins.NEXT
    assert runner.steps[0] == Hole(is_forgotten=True)
    stand.orchestrator.end_rebuild()
    assert stand.orchestrator.memories["vwap/SPY"].state.day == days[-1]
