"""A desk that starts at 10:05 on the loopback exchange: its windows are full by the days before (ST-01, MD-02)."""

from __future__ import annotations

from pathlib import Path

from console.commands.assembly.host import Host
from core.facts import BarClosed, HistoryLoaded, ProposalStaged
from core.strategies.builtin import HOUSE
from core.strategies.questions import shown
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import environ, opened, says, written


def test_a_long_average_is_warmed_up(market_with_a_past: LoopbackExchange, tmp_path: Path) -> None:
    """ST-01, ST-05, EX-17: by a question or two, and nothing is proposed on what is past."""
    keyturn = Host.of(environ(market_with_a_past, tmp_path, KEYTURN_STRATEGIES__SMA__ENABLED="true"))
    with opened(keyturn) as desk:
        desk.waits(lambda view: says(view, "bars of history taken in"), "the history")
        engine = desk.runtime.engine.state
        desk.waits(lambda _: engine.normaliser.state.complete, "the morning's bars")
        orchestrator = engine.orchestrator
        assert orchestrator.wanting_history() == ()

    facts = written(desk)
    (taken,) = [fact for fact in facts if isinstance(fact, HistoryLoaded)]
    heard = [fact.bar for fact in facts if isinstance(fact, BarClosed)]
    assert len(taken.bars) >= 200
    assert heard
    assert taken.bars[-1].start <= heard[-1].start
    terms = desk.runtime.engine.state.control.settings.strategies.sma
    running = HOUSE["sma"].make(terms, None)
    calendar = desk.runtime.engine.state.calendar
    every = {bar.start: bar for bar in (*taken.bars, *heard)}
    shown(running, [every[start] for start in sorted(every)], calendar)
    runner = desk.runtime.engine.state.orchestrator.roster.runner("sma", taken.symbol)
    assert runner is not None
    assert runner.strategy.state.regime == running.state.regime
    assert not [f for f in facts if isinstance(f, ProposalStaged) and f.proposal.signal_time < taken.bars[-1].end]
