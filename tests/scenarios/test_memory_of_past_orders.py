"""What is remembered of orders for a while only is dropped with them, however many days a desk runs (SY-05)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from core.brokers.simulated.order_book import Book
from core.messages.commands import RequestCancel
from core.messages.inputs import LookUpAnswered
from core.model.broker import OrderReport
from core.model.order import OrderStatus
from core.model.values import ClientOrderId, Price
from core.workflows.orders.order_updates import OrderUpdates
from tests.scenarios.changes import ROOMY, confirms_now, passes
from tests.scenarios.house import House, a_typed_buy, minutes
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY

DAYS = tuple(
    day for n in range(1, 25) if (day := THURSDAY + timedelta(days=n)).weekday() < 5 and day != date(2026, 11, 26)
)


def a_house_of_weeks() -> House:
    bars = [bar for day in (THURSDAY, *DAYS) for bar in minutes("09:50", "10:10", day=day)]
    return House(bars, ROOMY, cash=Decimal(10_000)).opens().until("10:05")


def enters_and_takes_back(house: House) -> ClientOrderId:
    """A bracket far below the market, looked up once, and cancelled."""
    typed = replace(a_typed_buy("1", limit="95", stop="94"), target_price=Price(Decimal(99)))
    house.presses(typed)
    confirms_now(house)
    passes(house, 2)
    (entry,) = house.desk.ledger.working_entries()
    house.line.take(house.line.at, LookUpAnswered(entry.id, house.exchange.order(house.line.at, entry.id)))
    house.presses(RequestCancel(entry.id))
    passes(house, 30)
    assert entry.status is OrderStatus.CANCELLED
    return entry.id


def remembered(house: House) -> dict[str, int]:
    """How many entries each memory of single orders has."""
    updates, stage = house.engine.the(OrderUpdates), house.desk.stage
    assert isinstance(updates, OrderUpdates)
    return {
        "legs told whole": len(updates.adopting._told_whole),
        "legs hidden": len(updates.adopting._hidden),
        "authorizations": len(stage._uses),
        "at the exchange": house.exchange._book.kept_whole(),
    }


def test_a_desk_of_weeks_remembers_the_orders_of_one() -> None:
    """SY-05: an order a day; what is remembered of single orders is as much on a Friday as a week before"""
    house, names, counts = a_house_of_weeks(), [], []
    for day in DAYS:
        house.until("10:05", day)
        names.append(enters_and_takes_back(house))
        counts.append(remembered(house))

    assert len(names) == len(DAYS) == 15
    assert counts[-1] == counts[-6]
    assert counts[-1]["at the exchange"] < 3 * len(DAYS)


def test_an_order_that_no_list_has_is_found_with_its_legs() -> None:
    """EX-06: as at the broker, whose look-up by id finds every order"""
    house = a_house_of_weeks()
    name = enters_and_takes_back(house)
    before = house.exchange.order(house.line.at, name)
    book: Book = house.exchange._book
    house.until("10:05", DAYS[10])
    house.exchange.books(house.line.at)
    packed, every = book.kept_whole(), [order.request.client_order_id for order in book.every()]
    after = house.exchange.order(house.line.at, name)

    assert isinstance(before, OrderReport)
    assert (after, packed, len(every), name in every) == (before, 0, 3, True)
    assert len(before.legs) == 2
    assert before.symbol == SPY


def test_a_packed_order_stays_in_the_list() -> None:
    """EX-06, SY-05: packed after a day, listed for a week, and found as it was"""
    house = a_house_of_weeks()
    name = enters_and_takes_back(house)
    book: Book = house.exchange._book
    before = house.exchange.books(house.line.at).orders
    house.until("10:05", DAYS[2])
    house.exchange.books(house.line.at)
    packed, listed = book.kept_whole(), house.exchange.books(house.line.at).orders
    found = house.exchange.order(house.line.at, name)
    whole = book.kept_whole()
    again = house.exchange.books(house.line.at).orders

    assert (packed, whole, book.kept_whole()) == (0, 3, 0)
    assert before == listed == again
    assert found in listed


def test_fills_of_packed_orders_are_told_from_a_day_on() -> None:
    """EX-08: the account's activities of weeks ago have each execution once, in order of time"""
    house = a_house_of_weeks()
    house.presses(a_typed_buy("1", limit="110", stop="94"))
    confirms_now(house)
    passes(house, 30)
    at, book = house.line.at, house.exchange._book
    (before,) = house.exchange.activities(at, THURSDAY).fills
    house.until("10:05", DAYS[10])
    house.exchange.books(house.line.at)
    fills = house.exchange.activities(house.line.at, THURSDAY).fills

    assert book.kept_whole() < 3
    assert before in fills
    assert fills == tuple(sorted(fills, key=lambda fill: fill.execution.at))
    assert len({fill.execution.id for fill in fills}) == len(fills)
    assert not house.exchange.activities(house.line.at, DAYS[9]).fills
