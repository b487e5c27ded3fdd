"""What only reduces, and cancels, while other requests hang: the real composition on the loopback exchange."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from core.execution.gateway import Lane, LaneKind
from core.facts import (
    OrderCreated,
    OrderKept,
    OrderStateChanged,
    OrderStateUnknown,
    PermissionReturned,
    SubmissionBlocked,
)
from core.messages.commands import Kill, ProposeClose, ProposeOrder, RequestCancel
from core.model.order import Effect, OrderRequest, OrderStatus, OrderType, Side, StopHolder, TimeInForce
from core.model.values import ClientOrderId, Price, Quantity
from tests.kit.timeline import timeline
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import (
    IBM,
    KO,
    SPY,
    SYMBOLS,
    TIMEOUT,
    Open,
    a_buy,
    a_desk,
    a_market,
    eventually,
    is_held,
    posts,
    started,
    status_of,
    turn,
    waits,
    written,
)

ELSEWHERE, LITTLE = ClientOrderId("elsewhere"), Quantity(Decimal("0.05"))
HANGS = {"KEYTURN_ALPACA__READ_SECONDS": "60"}
"""Longer than any permission lasts."""
SHORTLY = {"KEYTURN_ALPACA__READ_SECONDS": "7"}
"""A little longer than the permission of a key."""


@pytest.fixture
def market() -> Iterator[LoopbackExchange]:
    with a_market(symbols=SYMBOLS) as exchange:
        yield exchange


def test_an_exit_is_sent_while_an_entry_hangs(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-22, OP-02"""
    with a_desk(market, tmp_path, **HANGS) as desk:
        turn(desk, a_buy(SPY, "2"))
        waits(desk, is_held(SPY), "two shares")
        market.make("hang", of="submit")
        entry = turn(desk, a_buy(IBM, "2"))
        eventually(lambda: posts(market) == 2, "the entry is on the wire")

        turn(desk, ProposeClose(SPY))
        waits(desk, lambda view: not is_held(SPY)(view), "the close")
        assert status_of(desk, entry) is OrderStatus.PENDING
    assert market.positions() == ()


def test_a_stop_is_sent_while_its_entry_hangs(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-22, OP-06: the stream tells of the fill, and the entry's own answer does not come."""
    market.make("hang-after-accepting", of="submit")
    with a_desk(market, tmp_path, **HANGS) as desk:
        turn(desk, a_buy(SPY, "1.5", StopHolder.BROKER))
        waits(desk, lambda view: view.positions and view.positions[0].covered == Decimal("1.5"), "a covered position")
    assert [order.side for order in market.orders()].count(Side.SELL) == 1


def test_a_queued_order_is_not_in_doubt(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-06, EX-22: an exit waits behind another of its symbol for longer than its key, and than any answer."""
    more = {"KEYTURN_EXECUTION__ANSWER_SECONDS": "1", **SHORTLY}
    with a_desk(market, tmp_path, **more) as desk:
        turn(desk, a_buy(SPY, "3"))
        waits(desk, is_held(SPY), "three shares")
        market.make("hang", of="submit")
        lost = turn(desk, ProposeClose(SPY, quantity=Quantity(Decimal(1))))
        eventually(lambda: posts(market) == 2, "the first exit is on the wire")
        behind = turn(desk, ProposeClose(SPY, quantity=Quantity(Decimal(1))))
        waits(desk, lambda _: status_of(desk, behind) is OrderStatus.FILLED, "the second exit")

    told = written(desk)
    doubted = {fact.client_order_id for fact in told if isinstance(fact, OrderStateUnknown)}
    assert (lost in doubted, behind in doubted) == (True, False)
    assert not [fact for fact in told if isinstance(fact, SubmissionBlocked)]
    asked = [str(request) for request in market.received("GET", "/v2/orders:by_client_order_id")]
    assert any(lost in request for request in asked)
    assert not any(behind in request for request in asked)


def test_a_withdrawn_order_is_never_sent(market: LoopbackExchange, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """EX-22, EX-07: by the operator, or by the kill."""
    with a_desk(market, tmp_path, **HANGS) as desk:
        market.make("hang", of="submit")
        turn(desk, a_buy(SPY, "2"))
        eventually(lambda: posts(market) == 1, "an entry is on the wire")
        by_hand, by_kill = turn(desk, a_buy(IBM, "2")), turn(desk, a_buy(KO, "4"))
        waits(desk, lambda _: status_of(desk, by_kill) is OrderStatus.PENDING, "two more wait behind it")

        desk.sends(RequestCancel(by_hand))
        waits(desk, lambda _: status_of(desk, by_hand) is OrderStatus.CANCELLED, "it is taken back")
        desk.sends(Kill("key"))
        waits(desk, lambda _: status_of(desk, by_kill) is OrderStatus.CANCELLED, "the kill takes the other back")

    assert posts(market) == 1
    ends = [fact for fact in written(desk) if isinstance(fact, OrderStateChanged) and fact.after.is_terminal]
    assert [end.reason for order in (by_hand, by_kill) for end in ends if end.client_order_id == order] == snapshot


def test_a_kill_cancels_while_others_hang(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-22, OP-07: three cancels of the operator hang, and an entry does."""
    with a_desk(market, tmp_path, **HANGS) as desk:
        resting = [turn(desk, a_buy(symbol, "300", limit="2")) for symbol in SYMBOLS]
        waits(desk, lambda view: [r.status for r in view.orders].count(OrderStatus.SUBMITTED) == 4, "four orders rest")
        market.make("hang", of="cancel", times=3)
        for order in resting[:3]:
            desk.sends(RequestCancel(order))
        eventually(lambda: len(market.received("DELETE", "/v2/orders")) == 3, "three cancels hang")
        desk.sends(Kill("key"))
        waits(desk, lambda _: status_of(desk, resting[3]) is OrderStatus.CANCELLED, "the kill's own cancel")


@pytest.mark.parametrize("is_elsewhere", [False, True])
def test_withdrawn_exits_restore_the_stop(market: LoopbackExchange, tmp_path: Path, *, is_elsewhere: bool) -> None:
    """EX-21, EX-13: by the operator, or by somebody elsewhere."""
    with a_desk(market, tmp_path) as desk:
        turn(desk, a_buy(SPY, "2", StopHolder.BROKER))
        waits(desk, lambda view: view.positions and view.positions[0].covered == 2, "a covered position")
        far, near = Price(Decimal(9000)), Price(Decimal(410))
        pair = turn(
            desk, ProposeOrder(SPY, Effect.CLOSE, Quantity(Decimal(2)), OrderType.LIMIT, far, near, StopHolder.BROKER)
        )
        waits(desk, lambda _: prices_of_stops(desk) == [near], "the pair's own stop")
        if is_elsewhere:
            market.call(lambda: market.floor.cancel(pair))
        else:
            desk.sends(RequestCancel(pair))
        waits(desk, lambda _: prices_of_stops(desk) == [Decimal(400)], "the stop before it")
        waits(desk, lambda view: view.positions and view.positions[0].covered == 2, "a covered position again")

    (last,) = [order for order in market.orders() if order.status.is_working]
    assert (last.side, last.type, last.quantity, last.stop_price) == (Side.SELL, OrderType.STOP, 2, Decimal(400))


def prices_of_stops(desk: Open) -> list[Price | None]:
    working = desk.runtime.engine.state.ledger.working()
    return [o.request.stop_price for o in working if o.is_protective and o.status is OrderStatus.SUBMITTED]


# ── leaving ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_fill_while_leaving_is_stopped(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-22, OP-06: left at once after the key; the answer with the fill comes half a second later."""
    market.make("slow-with-news", of="submit", seconds=0.5)
    market.make("mute", of="trades")
    with a_desk(market, tmp_path) as desk:
        turn(desk, a_buy(SPY, "1.5", StopHolder.BROKER))
        eventually(lambda: posts(market) >= 1, "the entry is on the wire")

    created = [fact.order.client_order_id for fact in written(desk) if isinstance(fact, OrderCreated)]
    assert len(created) == 2
    assert sorted(order.client_order_id for order in market.orders()) == sorted(created)


def test_an_unsent_stop_is_sent_by_the_next_start(
    market: LoopbackExchange, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """EX-22: an exit of its symbol hangs; nothing is looked up, no key is asked for, and nothing is sent twice."""
    with a_desk(market, tmp_path) as desk:
        desk.runtime.sending.queue(Lane(LaneKind.EXITS, SPY), lambda: timeline().sleep(TIMEOUT))
        turn(desk, a_buy(SPY, "1.5", StopHolder.BROKER))
        waits(desk, lambda _: stops_of(desk), "the stop of its fill waits")
        (stop,) = stops_of(desk)

    assert [order.client_order_id for order in market.orders()].count(stop) == 0
    assert [fact.client_order_id for fact in written(desk) if isinstance(fact, OrderKept)] == [stop]
    (named,) = desk.runtime.last_words
    assert named == snapshot

    with started(market, tmp_path) as again:
        waits(again, lambda view: view.positions and view.positions[0].covered == Decimal("1.5"), "the stop is sent")
    assert [order.client_order_id for order in market.orders()].count(stop) == 1
    assert not [f for f in written(again) if isinstance(f, OrderStateUnknown) and f.client_order_id == stop]


def stops_of(desk: Open) -> list[ClientOrderId]:
    return [order.id for order in desk.runtime.engine.state.ledger.working() if order.is_protective]


def test_an_unsent_stop_is_sized_to_the_position(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-22, OP-06: somebody else sold a little meanwhile; what was signed and not sent is permitted still."""
    with a_desk(market, tmp_path) as desk:
        desk.runtime.sending.queue(Lane(LaneKind.EXITS, SPY), lambda: timeline().sleep(TIMEOUT))
        turn(desk, a_buy(SPY, "1.5", StopHolder.BROKER))
        waits(desk, lambda _: stops_of(desk), "the stop of its fill waits")
        (stop,) = stops_of(desk)
    little = OrderRequest(ELSEWHERE, SPY, Side.SELL, Effect.REDUCE, LITTLE, OrderType.MARKET, TimeInForce.DAY)
    market.call(lambda: market.floor.submit(little))
    eventually(lambda: market.positions()[0].quantity == Decimal("1.5") - LITTLE, "somebody else sells")

    with started(market, tmp_path) as again:
        waits(again, lambda view: view.positions and view.positions[0].covered == Decimal("1.45"), "its stop is sent")
    assert [fact.client_order_id for fact in written(again) if isinstance(fact, PermissionReturned)] == [stop]
    assert [order.quantity for order in market.orders() if order.type is OrderType.STOP] == [Decimal("1.45")]


def test_an_unsent_exit_gets_a_new_ticket(
    market: LoopbackExchange, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """EX-22, OP-02: its key has lapsed at the next start, and it is the first thing that waits."""
    with a_desk(market, tmp_path, **HANGS) as desk:
        turn(desk, a_buy(SPY, "3"))
        waits(desk, is_held(SPY), "three shares")
        market.make("hang", of="submit")
        turn(desk, ProposeClose(SPY, quantity=Quantity(Decimal(1))))
        eventually(lambda: posts(market) == 2, "an exit is on the wire")
        behind = turn(desk, ProposeClose(SPY, quantity=Quantity(Decimal(1))))
        waits(desk, lambda _: status_of(desk, behind) is OrderStatus.PENDING, "another waits behind it")
    timeline().advance(5)  # the key's five seconds

    with started(market, tmp_path) as again:
        view = waits(again, lambda view: view.proposals, "it is asked for again")
    (proposal,) = view.proposals
    assert (proposal.side, proposal.quantity) == (Side.SELL, Quantity(Decimal(1)))
    assert proposal.reason == snapshot
    assert posts(market) == 2
