"""One scripted day, and the same day with a crash at each kind of place; all places in `make soak PART=crashes`."""

from __future__ import annotations

from decimal import Decimal

from core.model.order import LegRole, OrderStatus
from core.model.position import Trade
from tests.simulation.crashes import WAYS, WHOLE, a_day, crash_at, places


def test_the_scripted_day_has_what_can_break() -> None:
    """EX-21, EX-12, OP-06: an entry in parts with its stop, the stop's move, a close through it, an edit, a cancel"""
    world = a_day()

    orders = world.engine.state.ledger.state.orders.values()
    trades: list[Trade] = world.engine.state.ledger.state.trades
    entry, *_ = orders
    stops = [order for order in orders if order.is_protective]
    assert entry.status is OrderStatus.FILLED
    leg, moved, *_ = stops
    assert [(stop.request.quantity, stop.role) for stop in (leg, moved)] == [(10, LegRole.STOP)] * 2
    assert (leg.replaced_by, moved.request.stop_price) == (moved.id, Decimal("99.50"))
    assert {stop.status for stop in stops} == {OrderStatus.CANCELLED}
    assert [trade.quantity for trade in trades] == [10]
    typed, edited = [order for order in orders if not order.only_reduces][-2:]
    assert (typed.replaced_by, edited.request.quantity) == (edited.id, 3)
    assert typed.status is edited.status is OrderStatus.CANCELLED
    assert world.auditor.wrong == []
    assert len(places()) > 150


def test_a_crash_at_each_kind_of_place_ends_with_the_brokers_books() -> None:
    """EX-06, EX-09, EX-20: after each kind of journal line, sync and answer, before and after each kind of request"""
    known, wrong = set[str](), list[str]()
    for part in WHOLE:
        kinds = {name: place for place, name in reversed([*enumerate(places((part,)))]) if name not in known}
        known |= kinds.keys()
        apart = (place for name, place in kinds.items() if not name.startswith("before") or name.endswith("leaves"))
        for turn, place in enumerate(sorted(apart)):
            wrong += crash_at(place * WAYS + turn % WAYS, (part,))

    assert wrong == []
    assert known == {*places()}
