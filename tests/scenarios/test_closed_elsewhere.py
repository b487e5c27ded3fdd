"""A position that somebody else closes at the broker ends with a trade: its reason, its prices, and sums that agree."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.analytics.equity import to_the_cent
from core.facts import OrderCreated, OrderFilled, PositionCorrected, TradeClosed
from core.messages.commands import ProposeClose
from core.messages.inputs import AcceptBroker, BooksFetched
from core.model.order import Elsewhere, OrderStatus, Side
from core.model.session import HOME
from core.model.signal import ExitReason
from core.model.values import Price
from core.post_mortem.post_mortem import Read, post_mortem
from core.settings.settings import Settings
from core.views.builders.history import history_of
from core.workflows.reconciliation import UNPRICED
from tests.scenarios.elsewhere import others_order
from tests.scenarios.house import STEADY, House, a_house_in_a_position, assert_can_be_rebuilt
from tests.scenarios.plans import passes
from tests.scenarios.test_shared_symbol import a_house_of_two
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY

HOURS = ("10:06", "11:00", STEADY)
PARTS = Settings.model_validate({"reconciliation": {"max_drift": 1}})
"""Of the settings alone: a part that is sold elsewhere is taken over without a person."""


def sells_elsewhere(house: House, shares: str, price: str, *, name: str = "elsewhere-1", total: str = "") -> None:
    """Somebody sells at the broker, as its books and its list of orders show; `total` is what the order has filled."""
    before = house.exchange.books
    report = others_order(Side.SELL, total or shares, name=name)
    report = replace(report, average_price=Price(Decimal(price)), accepted_at=house.line.at)
    house.exchange._ledger.execute(SPY, Side.SELL, Decimal(shares), Decimal(price), house.line.at)  # type: ignore[arg-type]

    def books(at: object) -> object:
        found = before(at)  # type: ignore[arg-type]
        others = tuple(order for order in found.orders if order.client_order_id != name)
        return replace(found, orders=(*others, report))

    house.exchange.books = books  # type: ignore[assignment,method-assign]


def cancels_the_stop_elsewhere(house: House) -> None:
    """As the broker wants it before it sells the shares of a stop."""
    house.exchange.cancel(house.line.at, house.stops[-1].id)
    house.exchange.take_updates()


def compares(house: House) -> None:
    house.line.take(house.line.at, BooksFetched(house.exchange.books(house.line.at)))
    passes(house, 15)


def results(house: House) -> tuple[Decimal, Decimal]:
    """The realised profit of the day, by the slice of results and by its closed trades."""
    day = house.calendar.trading_day(house.line.at)
    by_strategy = house.desk.results.state.days[day].closed
    realised = sum((closed.realised for closed in by_strategy.values()), Decimal(0))
    return realised, sum((fact.trade.profit for fact in house.facts(TradeClosed)), Decimal(0))


def _realised_by_history(house: House) -> Decimal:
    _, realised = history_of(house.journal.records())
    return realised


def test_a_position_closed_elsewhere_is_a_closed_trade() -> None:
    """EX-18: 0.502 bought at 99.60 by VWAP, sold by somebody at 100.60"""
    house = a_house_in_a_position(HOURS)
    entry = house.entry
    compares(house)

    sells_elsewhere(house, "0.502", "100.60")
    compares(house)

    (closed,) = house.facts(TradeClosed)
    trade, average = closed.trade, entry.average_price
    assert average is not None
    assert (trade.exit_reason, trade.exit_price, trade.quantity) == (
        ExitReason.MANUAL,
        Decimal("100.60"),
        Decimal("0.502"),
    )
    assert (trade.strategy, trade.entry_order, trade.entry_price) == ("vwap", entry.id, average)
    assert trade.reference == entry.reference is not None
    assert trade.profit == Decimal("0.502") * (Decimal("100.60") - average)
    assert results(house) == (trade.profit, trade.profit)
    exit_order = house.desk.ledger.order(trade.exit_order)
    assert exit_order is not None
    assert (exit_order.role, exit_order.status) == (Elsewhere.CLOSED, OrderStatus.FILLED)
    assert house.last(PositionCorrected).quantity == 0
    assert UNPRICED not in house.last(PositionCorrected).reason


def test_a_trade_closed_elsewhere_is_sent_nowhere() -> None:
    """EX-18, RK-24: it is no message to the broker and no order of ours; our stop for it is cancelled"""
    house = a_house_in_a_position(HOURS)
    compares(house)
    sent, requests = house.line.view().wire.sent, len(house.sent())
    messages = house.desk.messages.sent(house.line.at, house.line.at.date()).day

    sells_elsewhere(house, "0.502", "100.60")
    compares(house)

    assert house.sent()[requests:] == [("cancel",)]
    assert house.line.view().wire.sent == sent
    assert house.desk.messages.sent(house.line.at, house.line.at.date()).day == messages + 1
    assert not any(house.desk.ledger.working())


def test_a_part_sold_elsewhere_belongs_to_its_trade() -> None:
    """EX-18: 0.2 sold by somebody at 100.60 and the rest by its own exit are one trade, of all 0.502"""
    house = a_house_in_a_position(HOURS, settings=PARTS)
    compares(house)
    sells_elsewhere(house, "0.2", "100.60")
    compares(house)
    assert (house.held(), house.facts(TradeClosed)) == ("0.302", [])

    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    passes(house, 1)
    house.confirms()
    passes(house, 10)

    (closed,) = house.facts(TradeClosed)
    sold = [f.fill for f in house.facts(OrderFilled)][-1]
    whole = Decimal("0.2") * Decimal("100.60") + Decimal("0.302") * sold.price
    assert closed.trade.quantity == Decimal("0.502")
    assert closed.trade.exit_price == pytest.approx(whole / Decimal("0.502"))
    assert results(house) == (closed.trade.profit, closed.trade.profit)


def test_two_parts_of_an_order_elsewhere_have_own_prices() -> None:
    """EX-18: an order of somebody fills 0.2 at 100.60, then 0.302 more; its average of both is 100.00"""
    house = a_house_in_a_position(HOURS, settings=PARTS)
    compares(house)
    sells_elsewhere(house, "0.2", "100.60")
    compares(house)

    sells_elsewhere(house, "0.302", "100.00", total="0.502")
    compares(house)

    (closed,) = house.facts(TradeClosed)
    assert closed.trade.exit_price == Decimal("100.00")
    assert [o.order.quantity for o in house.facts(OrderCreated) if o.role is Elsewhere.CLOSED] == [
        Decimal("0.2"),
        Decimal("0.302"),
    ]


def test_a_position_closed_while_the_desk_was_off_is_a_trade() -> None:
    """EX-18, EX-20: the order was accepted after the position was opened, and no run has counted it"""
    house = a_house_in_a_position(HOURS)
    compares(house)
    house.is_off_until(house.line.at + timedelta(minutes=5))
    cancels_the_stop_elsewhere(house)
    sells_elsewhere(house, "0.502", "100.60")

    house = house.restarted()
    passes(house, 60)

    (closed,) = house.facts(TradeClosed)
    assert (closed.trade.exit_reason, closed.trade.exit_price) == (ExitReason.MANUAL, Decimal("100.60"))
    house = house.restarted()
    passes(house, 60)
    assert len(house.facts(TradeClosed)) == 1


def test_a_part_is_not_counted_again_by_the_next_run() -> None:
    """EX-18, EX-20: what one run counted of an order explains no other shares in the next"""
    house = a_house_in_a_position(HOURS, settings=PARTS)
    compares(house)
    sells_elsewhere(house, "0.2", "100.60")
    compares(house)
    house = house.restarted()
    passes(house, 30)
    cancels_the_stop_elsewhere(house)
    sells_elsewhere(house, "0.302", "101.00", name="elsewhere-2")
    house = house.restarted()
    passes(house, 60)

    made = [fact.order.quantity for fact in house.facts(OrderCreated) if fact.role is Elsewhere.CLOSED]
    (closed,) = house.facts(TradeClosed)
    assert made == [Decimal("0.2"), Decimal("0.302")]
    assert closed.trade.exit_price == (Decimal("0.2") * Decimal("100.60") + Decimal("0.302") * 101) / Decimal("0.502")


@pytest.mark.parametrize("kept", range(9))
def test_a_crash_between_the_records_of_a_close_counts_it_once(kept: int) -> None:
    """EX-18, EX-20: of what one comparison recorded, only the first facts reach the disk"""
    house = a_house_in_a_position(HOURS)
    compares(house)
    last = list(house.journal.records())[-1].sequence
    cancels_the_stop_elsewhere(house)
    sells_elsewhere(house, "0.502", "100.60")
    house.line.take(house.line.at, BooksFetched(house.exchange.books(house.line.at)))
    house.loses_the_journal_after(last + kept)

    house = house.restarted()
    passes(house, 120)
    house = house.restarted()
    passes(house, 30)

    records = [order for order in house.desk.ledger.state.orders.values() if order.role is Elsewhere.CLOSED]
    assert (house.held(), sum(order.filled_quantity for order in records)) == ("0", Decimal("0.502"))
    assert not any(house.desk.ledger.working())
    average = house.entry.average_price
    assert average is not None
    assert house.desk.ledger.state.closed_profit == Decimal("0.502") * (Decimal("100.60") - average)
    assert [fact.trade for fact in house.facts(TradeClosed)] == house.desk.ledger.state.trades
    assert results(house) == (house.desk.ledger.state.closed_profit,) * 2
    assert _realised_by_history(house) == house.desk.ledger.state.closed_profit
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize("dies", [False, True], ids=["at once", "over a crash between the two"])
def test_one_order_elsewhere_closes_each_owners_shares(dies: bool) -> None:
    """EX-18, EX-08, EX-20: 0.502 of vwap and 0.4 of the operator are sold by one order at 100.60"""
    house = a_house_of_two()
    compares(house)
    for stop in house.stops:
        house.exchange.cancel(house.line.at, stop.id)
    house.exchange.take_updates()
    sells_elsewhere(house, "0.902", "100.60")
    house.line.take(house.line.at, BooksFetched(house.exchange.books(house.line.at)))
    if dies:
        made = [r.sequence for r in house.journal.records() if getattr(r.fact, "role", None) is Elsewhere.CLOSED]
        house.loses_the_journal_after(made[1] - 1)
        house = house.restarted()
        passes(house, 60)
        compares(house)

    trades = {fact.trade.strategy: fact.trade for fact in house.facts(TradeClosed)}
    found = {owner: (trade.quantity, trade.exit_price, trade.exit_reason) for owner, trade in trades.items()}
    assert found == {
        "vwap": (Decimal("0.502"), Decimal("100.60"), ExitReason.MANUAL),
        "manual": (Decimal("0.4"), Decimal("100.60"), ExitReason.MANUAL),
    }
    assert len(house.facts(TradeClosed)) == 2
    assert house.desk.ledger.positions() == ()


def test_an_order_of_keyturn_closes_nothing_elsewhere() -> None:
    """EX-18, EX-24: an id of our form that the journal does not have is of an older folder, or of another Keyturn"""
    house = a_house_in_a_position(HOURS)
    compares(house)
    sells_elsewhere(house, "0.502", "100.60", name="0123456789abcdef")
    compares(house)

    assert house.facts(TradeClosed) == []
    assert not [fact for fact in house.facts(OrderCreated) if fact.role is Elsewhere.CLOSED]


@pytest.mark.parametrize(("sold", "left"), [("0.1", "0.302"), ("0", "0.402")], ids=["counted", "of before"])
def test_an_order_listed_again_prices_no_other_shares(sold: str, left: str) -> None:
    """EX-18, EX-05: a list without the order comes between, then as many shares are gone without an order"""
    house = a_house_in_a_position(HOURS, settings=PARTS)
    compares(house)
    cancels_the_stop_elsewhere(house)
    sells_elsewhere(house, sold, "100.60", total="0.1")
    compares(house)
    books = house.exchange.books(house.line.at)
    others = tuple(order for order in books.orders if order.client_order_id != "elsewhere-1")
    house.line.take(house.line.at, BooksFetched(replace(books, orders=others)))

    house.exchange._ledger.execute(SPY, Side.SELL, Decimal("0.1"), Decimal(90), house.line.at)  # type: ignore[arg-type]
    compares(house)
    passes(house, 90)

    made = sum(fact.order.quantity for fact in house.facts(OrderCreated) if fact.role is Elsewhere.CLOSED)
    assert (made, house.held()) == (Decimal(sold), left)
    assert house.last(PositionCorrected).reason.endswith(UNPRICED)


def test_a_large_part_is_counted_once_a_person_accepts_it() -> None:
    """EX-18, EX-09: 0.2 of 0.502 are beyond the drift that is corrected by itself"""
    house = a_house_in_a_position(HOURS)
    compares(house)
    cancels_the_stop_elsewhere(house)
    sells_elsewhere(house, "0.2", "100.60")
    compares(house)
    assert house.held() == "0.502"

    house.line.take(house.line.at, AcceptBroker(house.exchange.books(house.line.at)))
    compares(house)

    sold = [fact.fill for fact in house.facts(OrderFilled)][-1]
    assert (house.held(), sold.quantity, sold.price) == ("0.302", Decimal("0.2"), Decimal("100.60"))
    assert UNPRICED not in house.last(PositionCorrected).reason


def test_the_report_of_a_close_elsewhere_adds_up() -> None:
    """EX-18, AN-03: the trade's parts are its profit, the day's part is that of the position, and nothing is assumed"""
    house = a_house_in_a_position(HOURS)
    compares(house)
    sells_elsewhere(house, "0.502", "100.60")
    compares(house)

    found = post_mortem(Read(list(house.journal.records())), [THURSDAY], HOME.day_of, house.calendar.session_at)

    (told,), (day,) = found.trades, found.days
    assert [(fill.signed, fill.price) for fill in told.story.fills][-1] == (Decimal("-0.502"), Decimal("100.60"))
    profit = to_the_cent(told.story.trade.profit)
    assert sum(part.amount for part in told.split.parts) == profit
    assert [part.amount for part in day.parts] == [profit]
    assert not [note for note in day.notes if note.startswith("0.502")]


@pytest.mark.parametrize("shares", ["", "0.7"], ids=["no order", "an order of more"])
def test_shares_gone_at_an_unknown_price_are_in_no_trade(shares: str) -> None:
    """EX-18: no price is invented, and the correction says that it is not known"""
    house = a_house_in_a_position(HOURS)
    compares(house)
    cancels_the_stop_elsewhere(house)
    house.exchange._ledger.execute(SPY, Side.SELL, Decimal("0.502"), Decimal(100), house.line.at)  # type: ignore[arg-type]
    if shares:
        sells_elsewhere(house, "0", "100.60", total=shares)

    passes(house, 90)

    assert house.held() == "0"
    assert house.facts(TradeClosed) == []
    assert house.last(PositionCorrected).reason.endswith(UNPRICED)
    assert results(house)[1] == 0
