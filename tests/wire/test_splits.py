"""A split on Alpaca's books, over real sockets, with a kill between its first reading and its proof (EX-25)."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from core.facts import ActionEvidence, CorporateActionApplied, PositionCorrected, StopOwed, TradeClosed
from core.model.codes import OwedReason
from tests.kit.splits import Fate, splits
from tests.kit.timeline import Timeline
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import SPY, a_desk, is_held, started, two_shares_are_bought, waits, written
from tests.wire.test_books_apart import is_guarded, left
from tests.wire.test_contradicting_exchange import as_a_kill_leaves_it


def is_split(market: LoopbackExchange, new: int, old: int, fate: Fate) -> None:
    def split() -> None:
        splits(market.floor._exchange, market.floor.catch_up(), SPY, new, old, fate)

    market.call(split)
    market.call(market.publish)


@pytest.mark.parametrize("fate", [Fate.SURVIVE, Fate.CANCELLED])
@pytest.mark.parametrize(("new", "old", "shares"), [(3, 1, 6), (1, 2, 1)])
def test_a_split_over_a_kill(
    market: LoopbackExchange, tmp_path: Path, timeline: Timeline, new: int, old: int, shares: int, fate: Fate
) -> None:
    """two shares at one cost; the old stop is gone at the broker, and one for today's shares waits for a key"""
    home = tmp_path / "home"
    with a_desk(market, home) as desk:
        two_shares_are_bought(desk)
        waits(desk, is_guarded, "its stop")
        cost = desk.view.positions[0].average_price * 2  # type: ignore[union-attr]
        is_split(market, new, old, fate)
        timeline.advance(62)
        home = as_a_kill_leaves_it(home)
    with started(market, home) as desk:
        waits(desk, is_held(SPY), "the shares")
        timeline.advance(75)
        view = waits(
            desk, lambda view: view.positions[0].quantity == shares and view.proposals, "the ticket of the stop"
        )

    (applied,) = [fact for fact in written(desk) if isinstance(fact, CorporateActionApplied)]
    (row,) = view.positions
    (guard,) = view.proposals
    assert (applied.evidence, applied.ratio) == (ActionEvidence.BOOKS, Decimal(new) / old)
    assert abs(row.average_price * row.quantity - cost) < Decimal("0.01")
    assert (row.covered, row.owed_why, left(market)) == (0, OwedReason.WAITS_FOR_KEY, [])
    assert guard.quantity == shares
    assert [fact for fact in written(desk) if isinstance(fact, PositionCorrected | TradeClosed)] == []
    assert [fact.why for fact in written(desk) if isinstance(fact, StopOwed)][-1] is OwedReason.WAITS_FOR_KEY
