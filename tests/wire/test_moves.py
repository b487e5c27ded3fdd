"""Shares under another symbol, or paid out, on Alpaca's books over real sockets, with a kill in between (EX-25)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from core.facts import CorporateActionApplied, PositionCorrected, TradeClosed
from core.model.codes import OwedReason
from core.model.values import Symbol
from tests.kit.splits import Fate, becomes
from tests.kit.timeline import Timeline
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SPY, a_desk, is_held, started, two_shares_are_bought, waits, written
from tests.wire.test_books_apart import is_guarded, left
from tests.wire.test_contradicting_exchange import as_a_kill_leaves_it

NEW = Symbol("IBM")
PAID = Decimal("600.25")


@pytest.mark.parametrize("fate", [Fate.SURVIVE, Fate.CANCELLED])
def test_a_rename_over_a_kill(market: LoopbackExchange, tmp_path: Path, timeline: Timeline, fate: Fate) -> None:
    """two shares at one cost; the old stop is gone at the broker, and one under the new symbol waits for a key"""
    home = tmp_path / "home"
    with a_desk(market, home) as desk:
        two_shares_are_bought(desk)
        waits(desk, is_guarded, "its stop")
        cost = desk.view.positions[0].average_price * 2  # type: ignore[union-attr]
        market.call(lambda: becomes(market.floor._exchange, market.floor.catch_up(), SPY, NEW, fate))
        market.call(market.publish)
        timeline.advance(62)
        home = as_a_kill_leaves_it(home)
    with started(market, home) as desk:
        waits(desk, lambda view: view.positions, "the shares")
        timeline.advance(75)
        view = waits(desk, lambda view: is_held(NEW)(view) and view.proposals, "the ticket of the stop")

    (applied,) = [fact for fact in written(desk) if isinstance(fact, CorporateActionApplied)]
    (row,), (guard,) = view.positions, view.proposals
    assert (applied.symbol, applied.to, applied.ratio) == (SPY, NEW, 1)
    assert abs(row.average_price * row.quantity - cost) < Decimal("0.01")
    assert (row.covered, row.owed_why, left(market)) == (0, OwedReason.WAITS_FOR_KEY, [])
    assert (guard.symbol, guard.quantity) == (NEW, 2)
    assert [fact for fact in written(desk) if isinstance(fact, PositionCorrected | TradeClosed)] == []


def test_a_merger_for_cash_over_a_kill(market: LoopbackExchange, tmp_path: Path, timeline: Timeline) -> None:
    """the shares are gone, and the old stop rests; the trade is closed at what was announced"""
    home = tmp_path / "home"
    with a_desk(market, home) as desk:
        two_shares_are_bought(desk)
        waits(desk, is_guarded, "its stop")
        today = market.floor.catch_up().date().isoformat()
        row = {"acquiree_symbol": "SPY", "rate": float(PAID), "effective_date": today, "process_date": today}
        market.floor.announced += (("cash_mergers", row),)
        market.call(lambda: market.floor._exchange._ledger._holdings.pop(SPY))
        market.call(market.publish)
        timeline.advance(5)
        home = as_a_kill_leaves_it(home)
    with started(market, home) as desk:
        timeline.advance(90)
        waits(desk, lambda view: not view.positions, "no position")
        timeline.advance(5)

    facts = list(written(desk))
    (trade,) = [fact.trade for fact in facts if isinstance(fact, TradeClosed)]
    assert (trade.quantity, trade.exit_price) == (2, PAID)
    assert [fact.cash for fact in facts if isinstance(fact, CorporateActionApplied)] == [PAID]
    assert left(market) == []
