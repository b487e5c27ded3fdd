"""The line of an order in the log, by the real engine and the simulated broker: who holds the stop, and since when."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.event_text import in_words
from core.facts import CancelFailed, PastDaysLoaded
from core.messages.commands import ProposeClose
from core.model.order import OrderStatus
from core.model.reference_data import PastDay, PastDays
from core.model.staging import MANUAL
from core.model.values import Price, Quantity
from core.views import DeskView, RowMark
from core.views.builders.desk import ViewBuilder
from core.views.rows import working_orders
from tests.scenarios.changes import ABOVE, confirms_now, passes
from tests.scenarios.house import House, a_typed_buy
from tests.scenarios.test_bracket_legs import a_house, with_a_bracket
from tests.unit.core.brokers.trading_floor import SPY
from widgets.log import SETTLES, folded


def lines_of(view: DeskView) -> list[str]:
    return [line.row.text for line in folded(view.log, view.orders) if line.order is not None]


def pictures(house: House) -> ViewBuilder:
    return ViewBuilder(house.engine)


def test_an_unfilled_bracket_is_one_waiting_line(snapshot: SnapshotAssertion) -> None:
    """OP-06: a stop that waits guards nothing, and nobody is told that it does"""
    house = a_house(("10:06", "10:08", ABOVE))
    house.until("10:08")
    views = pictures(house)
    typed = replace(a_typed_buy("15"), limit_price=Price(Decimal(95)), stop_price=Price(Decimal(94)))
    house.presses(replace(typed, target_price=Price(Decimal(101))))
    confirms_now(house)
    house.until("10:08:30")
    view = views.draw(house.line.at)

    legs = [row for row in view.orders if row.parent is not None]
    assert [(row.status, row.marks) for row in legs] == [(OrderStatus.SUBMITTED, (RowMark.HELD,))] * 2
    assert lines_of(view) == snapshot
    assert working_orders(view.orders) == 1
    assert [row.working for row in view.watch.rows if row.symbol == SPY] == [1]


def test_a_filled_bracket_shows_its_legs_at_work(snapshot: SnapshotAssertion) -> None:
    """OP-06"""
    house = with_a_bracket()
    view = pictures(house).draw(house.line.at)
    assert lines_of(view) == snapshot
    assert working_orders(view.orders) == 2


def test_a_fill_keeps_its_time_in_the_log() -> None:
    """OP-12: what its legs came to later has a line and a time of its own, and our own cancels are no news"""
    house = with_a_bracket()
    entry = next(o for o in house.desk.ledger.state.orders.values() if o.strategy == MANUAL and not o.only_reduces)
    views = pictures(house)
    passes(house, 60)
    house.presses(ProposeClose(SPY, quantity=Quantity(Decimal(7)), strategy=MANUAL))
    confirms_now(house)
    passes(house, 10)
    assert house.held() == "8"
    assert house.facts(CancelFailed)

    view = views.draw(house.line.at)
    fill, later = (line.row for line in folded(view.log, view.orders) if line.order == entry.id)
    assert entry.ended_at is not None
    assert fill.at - entry.ended_at < SETTLES
    assert later.at - entry.ended_at > timedelta(seconds=60)
    assert fill.sequence != later.sequence
    failed = house.last(CancelFailed)
    assert in_words(failed) not in [row.text for row in view.log]


def test_one_earlier_close_is_singular(snapshot: SnapshotAssertion) -> None:
    house = a_house()
    day = PastDay(house.line.at.date(), Price(Decimal(100)), None)
    said = in_words(PastDaysLoaded(PastDays(SPY, (day,))))
    assert said == snapshot
