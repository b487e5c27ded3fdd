"""What a start shows a strategy of a long journal."""

from __future__ import annotations

from datetime import date, timedelta

from core.model.values import Symbol
from core.strategies.memory import RunnerState, StrategyMemory
from core.strategies.runner import SESSIONS, Begins, Hole, Made, Shown, a_runner
from tests.unit.core.brokers.trading_floor import a_bar


def test_of_many_sessions_the_last_twenty_are_kept_and_what_went_before_is_a_hole() -> None:
    """ST-01, SP-03: memory has a bound, whatever the journal is."""
    runner = a_runner("vwap", Symbol("SPY"), RunnerState(), StrategyMemory())
    runner.steps.append(Made(None, is_late=False))

    for number in range(3 * SESSIONS):
        runner.begins = Begins.NEXT
        for clock in ("09:30", "09:31"):
            runner.keep(a_bar(clock, "100", day=date(2026, 1, 5) + timedelta(days=number)), rests=False)

    shown = [step for step in runner.steps if isinstance(step, Shown)]
    assert len(shown) == 2 * SESSIONS
    assert shown[0].begins is Begins.NEXT
    assert [type(step) for step in runner.steps[:2]] == [Made, Hole]
    assert runner.steps.count(Hole(is_forgotten=True)) == 1
