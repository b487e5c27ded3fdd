"""An entry with its exits, half of it filled: what guards the half, and what an edit of it may cost; over the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from console.commands.assembly.host import Host
from core.facts import ContingentOrdersMissing, StopOwed
from core.messages.commands import Confirm, EditOrder, OpenTicket, ProposeOrder, RequestCancel
from core.model.broker import OrderReport
from core.model.codes import OwedReason
from core.model.order import Effect, OrderRequest, OrderStatus, OrderType, Side, StopHolder, TimeInForce
from core.model.values import ClientOrderId, Price, Quantity
from core.views import DeskView, TicketView
from tests.kit.timeline import timeline
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.exchange.words import Json
from tests.wire.open_desk import SPY, Open, environ, opened, posts, says, status_of, waits, written
from widgets.lines import joined
from widgets.ticket_text import ticket_lines

LOOSE = {"KEYTURN_RISK__PER_TRADE__USD": "90000", "KEYTURN_RISK__MAX_NOTIONAL__USD": "90000"}
SOON = {"KEYTURN_EXECUTION__LOOK_UP_FIRST_SECONDS": "0.2"}
A_PART_IS_BARE = "a partial fill has NO STOP until all is filled or d cancels the rest"


@contextmanager
def a_desk(market: LoopbackExchange, home: Path) -> Iterator[Open]:
    with opened(Host.of(environ(market, home, **LOOSE, **SOON))) as desk:
        waits(desk, lambda view: view.status.word == "on", "the books agree")
        yield desk


def a_price(market: LoopbackExchange, away: int) -> Price:
    """So many USD from where the market is."""
    return Price(market.call(lambda: market.floor.price(SPY)).quantize(Decimal(1)) + away)


def an_entry(market: LoopbackExchange, shares: str, *, has_target: bool = False) -> ProposeOrder:
    """A buy that rests 10 USD below the market, its stop 20 USD below that."""
    target = a_price(market, 20) if has_target else None
    quantity, limit, stop = Quantity(Decimal(shares)), a_price(market, -10), a_price(market, -30)
    return ProposeOrder(
        SPY, Effect.OPEN, quantity, OrderType.LIMIT, limit, stop, StopHolder.BROKER, target_price=target
    )


def ticket_of_the_first(desk: Open) -> TicketView:
    (proposal,) = waits(desk, lambda view: view.proposals, "the proposal").proposals
    desk.sends(OpenTicket(proposal.id))
    (ticket,) = waits(desk, lambda view: view.tickets, "the ticket").tickets
    return ticket


def text_of(ticket: TicketView, view: DeskView | None) -> str:
    assert view is not None
    return " ".join(joined(line).strip() for line in ticket_lines(ticket, view.status.at, 100))


def turns_the_key(desk: Open, shown: TicketView) -> ClientOrderId:
    ticket, order = shown.ticket, shown.ticket.order
    desk.sends(Confirm(ticket.id, ticket.digest, order.effect, order.replaces))
    order_id = order.client_order_id
    waits(desk, lambda _: status_of(desk, order_id) is OrderStatus.SUBMITTED, "it works")
    return order_id


def fills(market: LoopbackExchange, order_id: ClientOrderId, shares: int) -> None:
    (order,) = [order for order in market.orders() if order.client_order_id == order_id]
    market.fills(order, shares=shares)


def two_fill(market: LoopbackExchange, desk: Open, order_id: ClientOrderId) -> None:
    fills(market, order_id, 2)
    waits(desk, lambda view: view.positions and view.positions[0].quantity == 2, "two shares")


def are_covered(shares: int) -> Callable[[DeskView], bool]:
    return lambda view: [(row.quantity, row.covered) for row in view.positions] == [(shares, shares)]


def sales(market: LoopbackExchange) -> list[tuple[OrderType, Decimal]]:
    """What works there by now and sells; legs that are held for their entry do not."""
    working = [o for o in market.orders() if o.side is Side.SELL and o.status is not None and o.status.is_working]
    return [(order.type, order.quantity) for order in working if order.raw_status != "held"]


def test_a_partial_bracket_has_no_stop_until_filled(market: LoopbackExchange, tmp_path: Path) -> None:
    """OP-06, EX-13: the broker holds legs back, and a stop of the desk's own beside them would sell twice."""
    with a_desk(market, tmp_path) as desk:
        desk.sends(an_entry(market, "4", has_target=True))
        ticket = ticket_of_the_first(desk)
        said = text_of(ticket, desk.view)
        entry = turns_the_key(desk, ticket)
        two_fill(market, desk, entry)
        view = waits(desk, lambda view: view.kill.uncovered, "the part is named")
        then = sales(market)

        fills(market, entry, 2)
        waits(desk, are_covered(4), "all of it is guarded")

    assert A_PART_IS_BARE in said
    assert [(row.symbol, row.quantity, row.covered) for row in view.kill.uncovered] == [(SPY, 2, 0)]
    assert then == []
    assert sales(market) == [(OrderType.STOP, 4), (OrderType.LIMIT, 4)]
    assert posts(market) == 1


def test_a_partial_fill_without_legs_is_stopped_at_once(market: LoopbackExchange, tmp_path: Path) -> None:
    """OP-06: a stop behind each fill is what the broker allows there."""
    with a_desk(market, tmp_path) as desk:
        desk.sends(an_entry(market, "3.5"))
        ticket = ticket_of_the_first(desk)
        said = text_of(ticket, desk.view)
        entry = turns_the_key(desk, ticket)
        two_fill(market, desk, entry)
        waits(desk, are_covered(2), "the part is guarded")
        still = status_of(desk, entry)

    assert "NO STOP" not in said
    assert still is OrderStatus.PARTIALLY_FILLED
    assert sales(market) == [(OrderType.STOP, 2)]


def test_a_half_filled_bracket_keeps_its_legs(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-13: refused with its reason before anything of it is sent."""
    with a_desk(market, tmp_path) as desk:
        desk.sends(an_entry(market, "4", has_target=True))
        entry = turns_the_key(desk, ticket_of_the_first(desk))
        two_fill(market, desk, entry)
        desk.sends(EditOrder(entry, Quantity(Decimal(5)), None, None))
        view = waits(desk, lambda view: view.proposals or refused(view), "an answer")
        waiting = view.proposals
        fills(market, entry, 2)
        waits(desk, are_covered(4), "all of it is guarded")

    assert waiting == ()
    assert refused(view)
    assert market.received("PATCH", "/v2/orders/") == []
    assert sales(market) == [(OrderType.STOP, 4), (OrderType.LIMIT, 4)]


def refused(view: DeskView) -> bool:
    return says(view, "an order with a target cannot be changed")


def takes_replacements_without_legs(market: LoopbackExchange) -> None:
    """Nothing of the legs is left, and the order says of itself that it is a simple one."""
    replaced = market.floor.replace

    def replace(old: OrderReport, order: OrderRequest) -> Json:
        replaced(old, order)
        book, papers = market.floor._exchange._book, market.floor.papers
        booked, paper = book.find(order.client_order_id), papers.of(order.client_order_id)
        assert booked is not None
        for leg in booked.legs:
            name = leg.request.client_order_id
            del book._orders[name], book._listed[name], book._told[name]
            book._changed.pop(name, None)
        booked.legs.clear()
        book._has_changed(booked)
        paper.order_class, paper.group = "", {}
        return market.floor.order_json(booked.report(), status="pending_new", nested=True)

    market.call(lambda: setattr(market.floor, "replace", replace))


def test_an_edit_of_a_half_filled_entry_keeps_a_stop(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-13, OP-06: one stop for what was filled before, and one for each fill behind it."""
    takes_replacements_without_legs(market)
    with a_desk(market, tmp_path) as desk:
        desk.sends(an_entry(market, "4"))
        entry = turns_the_key(desk, ticket_of_the_first(desk))
        two_fill(market, desk, entry)
        desk.sends(EditOrder(entry, Quantity(Decimal(5)), None, None))
        edited = turns_the_key(desk, ticket_of_the_first(desk))
        waits(desk, are_covered(2), "what was filled before is guarded")
        fills(market, edited, 3)
        waits(desk, are_covered(5), "all of it is guarded")

    assert [fact.client_order_id for fact in written(desk) if isinstance(fact, ContingentOrdersMissing)] == [edited]
    assert sales(market) == [(OrderType.STOP, 2), (OrderType.STOP, 3)]


def test_twenty_fills_ask_the_account_twice(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-17: for the first fill, and once after the last one; the others are merged into it"""
    with a_desk(market, tmp_path) as desk:
        desk.sends(an_entry(market, "20"))
        entry = turns_the_key(desk, ticket_of_the_first(desk))
        timeline().advance(5)
        before = len(market.received("GET", "/v2/account"))
        for _ in range(20):
            fills(market, entry, 1)
            timeline().advance(0.04)
        waits(desk, are_covered(20), "all of it is guarded")
        timeline().advance(2)
        asked = len(market.received("GET", "/v2/account")) - before

    assert asked == 2


def test_legs_that_wait_are_told_after_a_restart(market: LoopbackExchange, tmp_path: Path) -> None:
    """EX-22, EX-20: 29 of 30 filled before it; then a person is told, and a cancel of the rest leads to their stop."""
    with a_desk(market, tmp_path) as desk:
        desk.sends(replace(an_entry(market, "30", has_target=True), time_in_force=TimeInForce.GTC))
        entry = turns_the_key(desk, ticket_of_the_first(desk))
        fills(market, entry, 29)
        (quiet,) = waits(desk, lambda view: view.positions and view.positions[0].owed == 29, "it is owed").positions
    with a_desk(market, tmp_path) as again:
        (told,) = waits(again, lambda view: view.positions[0].calls_a_person, "a person is told").positions
        waited = timeline().now() - (told.owed_since or timeline().now())
        again.sends(RequestCancel(entry))
        before = timeline().now()
        waits(again, are_covered(29), "all that filled is guarded")
        took = timeline().now() - before

    assert (quiet.owed_why, quiet.calls_a_person) == (told.owed_why, False) == (OwedReason.LEGS_WAIT, False)
    assert (told.owed, told.owed_since) == (29, quiet.owed_since)
    assert timedelta(seconds=60) <= waited <= timedelta(seconds=65)
    assert took <= timedelta(seconds=5)
    assert [fact.why for fact in written(again) if isinstance(fact, StopOwed)] == [OwedReason.LEGS_WAIT]
    assert sales(market) == [(OrderType.STOP, 29)]
