"""A month of an account: each evening the broker's list of activities is compared, and each cent has its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from core.analytics.equity_days import EquityDay, equity_days
from core.facts import (
    ActivitiesCompared,
    ActivityQuarantined,
    CashMoved,
    CorporateActionApplied,
    OrderFilled,
    SharesMoved,
    TradeClosed,
)
from core.messages.commands import CompareActivities, OpenTicket, ProposeClose
from core.messages.effects import Effect, FetchActivities
from core.messages.inputs import ActivitiesFetched, Input
from core.model.activity import Activity, ActivityId, ActivityKind, BrokerFill, DropCopy, UnreadableActivity
from core.model.bar import Bar
from core.model.order import Side
from core.model.reconciliation import DifferenceKind
from core.model.staging import MANUAL
from core.model.values import Money, Price
from core.settings.settings import Settings
from core.trading_state.activities import ActivitiesState
from core.views.event_text import in_words
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.unit.core.brokers.trading_floor import SPY, an_order

DAYS = [date(2026, 11, 2) + timedelta(days=n) for n in range(28)]
SESSIONS = [day for day in DAYS if day.weekday() < 5 and day != date(2026, 11, 26)]
SPLIT_ON = date(2026, 11, 17)
EVENTS = (
    "2026-11-05 dividend SPY 0.333; 2026-11-10 interest 0.12; 2026-11-12 transfer 500; 2026-11-13 fee -0.35; "
    "2026-11-17 split SPY 2:1; 2026-11-19 dividend SPY 0.17; 2026-11-24 transfer -120.50"
)
FEES = {"sec_fee": Decimal("0.0000206"), "taf_fee": Decimal("0.000195")}
TABLE = {
    "symbols": ["SPY"],
    "strategies": {"vwap": {"enabled": False}},
    "exchange": {"events": EVENTS, "sec_fee": "0.0000206", "taf_fee": "0.000195", "cash": "5000"},
    "risk": {
        "max_notional": {"usd": "2000"},
        "per_trade": {"usd": "1000"},
        "daily_loss": {"usd": "5000"},
        "weekly_loss": {"usd": "5000"},
        "max_open_positions": 10,
        "entries_a_day": 10,
        "window_start": "09:30",
        "window_end": "15:59",
        "sizing": {"budget": "1"},
    },
    "reconciliation": {"every_seconds": 600},
}


def price_on(day: date) -> str:
    """It climbs a little each day; from the split on it is half of that."""
    whole = Decimal(100) + SESSIONS.index(day) * Decimal("0.37")
    return str(whole / 2 if day >= SPLIT_ON else whole)


def the_market() -> list[Bar]:
    """A quarter of an hour of each session."""
    bars = [bar for day in SESSIONS for bar in minutes("09:30", "09:50", price_on(day), day=day)]
    return [*bars, *minutes("09:30", "09:31", price_on(SESSIONS[-1]), day=date(2026, 11, 30))]


def a_house(events: str = EVENTS, **rules: object) -> House:
    house = House(the_market(), Settings.model_validate(TABLE), cash=Decimal(5000), events=events, **{**FEES, **rules})
    return house.opens()


def buys(house: House, quantity: str, clock: str, day: date, below: str = "60") -> None:
    house.until(clock, day)
    house.presses(replace(a_typed_buy(quantity, limit=None, stop=str(Decimal(price_on(day)) - Decimal(below)))))
    confirms_now(house)
    passes(house, 1)


def sells_all(house: House, clock: str, day: date) -> None:
    house.until(clock, day)
    house.presses(ProposeClose(symbol=SPY, strategy=MANUAL))
    (close,) = [proposal for proposal in house.desk.stage.proposals() if not proposal.is_guard]
    house.presses(OpenTicket(close.id))
    passes(house, 1)
    house.confirms()
    passes(house, 1)


def plays_the_month(house: House) -> House:
    """Ten shares bought on the second day and sold on the last but three, four bought and sold again between."""
    buys(house, "10", "09:35", SESSIONS[1])
    house.until("09:20", SESSIONS[-3])
    sells_all(house, "09:36", SESSIONS[-3])
    return house.until("21:00", SESSIONS[-1])


def days_of(house: House) -> list[EquityDay]:
    return list(equity_days(((r.at, r.fact) for r in house.journal.records()), house.calendar))


class Teller:
    """Alters what the broker lists."""

    def __init__(self, house: House, alter: Callable[[DropCopy], DropCopy]) -> None:
        self._ask = house.line.ask
        self._alter = alter
        house.line.ask = self.ask  # type: ignore[method-assign]

    def ask(self, effect: Effect) -> Input:
        reply = self._ask(effect)
        if not (isinstance(reply, ActivitiesFetched) and isinstance(reply.answer, DropCopy)):
            return reply
        return ActivitiesFetched(self._alter(reply.answer))


def test_every_cent_of_every_day_of_a_month_is_explained() -> None:
    """AN-06, EX-09: fees of sales, dividends, interest, transfers and a split."""
    house = plays_the_month(a_house())

    days = days_of(house)

    assert [day.day for day in days] == SESSIONS
    assert [day.change.rest for day in days] == [Money(Decimal(0))] * len(SESSIONS)
    assert [day.differences for day in days] == [()] * len(SESSIONS)
    moved = [(f.kind, f.day, f.amount) for f in house.facts(CashMoved)]
    assert (ActivityKind.DIVIDEND, date(2026, 11, 5), Decimal("3.33")) in moved
    assert (ActivityKind.TRANSFER, date(2026, 11, 24), Decimal("-120.50")) in moved
    assert [day for kind, day, _ in moved if kind is ActivityKind.FEE] == [date(2026, 11, 13), *[SESSIONS[-3]] * 2]
    assert len(house.facts(TradeClosed)) == 1
    assert days[-1].change.closing == house.exchange.account(house.line.at).equity.quantize(Decimal("0.01"))
    assert_can_be_rebuilt(house)


def test_a_split_makes_as_many_times_the_shares_at_the_same_cost_and_is_applied_once() -> None:
    """EX-09: also where the desk starts again, and the broker lists it again."""
    house = a_house()
    buys(house, "10", "09:35", SESSIONS[1])
    cost = house.desk.ledger.positions()[0].cost
    house.until("09:40", SPLIT_ON)
    house.restarted().until("21:00", SPLIT_ON)

    (position,) = house.desk.ledger.positions()

    (split,) = house.facts(CorporateActionApplied)
    assert (split.ratio, split.quantity_before, split.quantity_after) == (2, 10, 20)
    assert (position.quantity, position.cost, position.entered) == (20, cost, 20)
    assert house.desk.control.state.is_reconciled
    house.until("21:00", SESSIONS[-1])
    assert len(house.facts(CorporateActionApplied)) == 1
    assert_can_be_rebuilt(house)


def test_a_split_that_was_taken_over_by_hand_is_not_applied_again() -> None:
    """EX-09"""
    house = a_house()
    buys(house, "10", "09:35", SESSIONS[1])
    house.until("21:00", SESSIONS[10])
    house.line.breaks_at(FetchActivities, arrives=False)
    house.until("04:05", SPLIT_ON)
    house.accepts(house.exchange.picture(house.line.at))
    assert house.held() == "20"

    house.until("21:00", SPLIT_ON)

    (split,) = house.facts(CorporateActionApplied)
    assert (split.owners, house.held()) == ((), "20")
    assert [day.change.rest for day in days_of(house)] == [0] * len(days_of(house))


def test_a_split_beyond_which_a_stop_stands_is_left_to_a_person() -> None:
    """EX-09: at 52 USD a stop at 90 would sell at once."""
    house = a_house()
    buys(house, "10", "09:35", SESSIONS[10], below="10")

    house.until("09:45", SPLIT_ON)

    (split,) = house.facts(CorporateActionApplied)
    assert (split.owners, house.held()) == ((), "10")
    assert not house.desk.control.state.is_reconciled


def test_a_cent_that_an_activity_is_off_is_found_with_its_day() -> None:
    """AN-06, EX-09: the broker paid 3.33 USD and lists 3.34."""
    house = a_house()
    Teller(house, lambda copy: replace(copy, activities=tuple(map(a_cent_more, copy.activities))))

    plays_the_month(house)

    (day,) = [day for day in days_of(house) if not day.change.is_explained]
    assert (day.day, day.change.rest) == (date(2026, 11, 5), Decimal("-0.01"))
    figures, cash = day.differences
    assert figures.kind is DifferenceKind.ACTIVITY_DIFFERS
    assert "of 2026-11-05: its 10 shares at 0.333 make 3.33" in figures.note
    assert cash.kind is DifferenceKind.CASH_DIFFERS
    assert f"-0.01 USD is not explained, beside dividend {day.activities[0]} of 2026-11-05: 3.34" in cash.note
    assert "ERROR: the broker's activities differ" in "\n".join(map(in_words, house.facts(ActivitiesCompared)))


def a_cent_more(one: Activity) -> Activity:
    if one.day != date(2026, 11, 5):
        return one
    return replace(one, amount=Money(one.amount + Decimal("0.01")))


def test_a_day_that_was_missed_is_asked_for_at_the_next_start_and_nothing_counts_twice() -> None:
    """EX-09: three days without a desk, and two starts."""
    house = a_house()
    buys(house, "10", "09:35", SESSIONS[1])
    house.line.breaks_at(FetchActivities, arrives=False, times=9999)
    house.until("09:31", SESSIONS[8])
    house.restarted().until("09:45", SESSIONS[8])
    house.restarted().until("21:00", SESSIONS[8])

    moved = house.facts(CashMoved)

    assert len({fact.activity_id for fact in moved}) == len(moved) == 3
    assert [day.change.rest for day in days_of(house)] == [0] * len(days_of(house))


def test_shares_that_came_from_elsewhere_are_told_and_taken_over() -> None:
    """EX-09, AN-06: the transfer is a part of its day, at the price that the broker books it at."""
    house = a_house("2026-11-04 shares SPY 3 at 99.50")

    house.until("21:00", SESSIONS[4])

    (moved,) = house.facts(SharesMoved)
    assert (moved.quantity, moved.price, house.held()) == (3, Decimal("99.50"), "3")
    days = days_of(house)
    assert [day.change.rest for day in days] == [0] * 5
    assert [(p.name, p.amount) for p in days[2].change.parts if "shares" in p.name] == [
        (f"shares SPY {moved.activity_id}", Decimal("298.50"))
    ]


def test_a_fill_that_only_one_side_has_is_named() -> None:
    """EX-09: one that the broker does not list, and one that it lists at another price."""
    house = a_house("2026-11-30 fee -1")
    Teller(house, lambda copy: replace(copy, fills=()))
    buys(house, "10", "09:35", SESSIONS[1])
    house.until("21:00", SESSIONS[1])
    house.line.ask = type(house.line).ask.__get__(house.line)  # type: ignore[method-assign]
    Teller(house, lambda copy: replace(copy, fills=tuple(map(a_cent_dearer, copy.fills))))
    sells_all(house, "09:36", SESSIONS[2])
    house.until("21:00", SESSIONS[3])

    first, second = [fact.differences for fact in house.facts(ActivitiesCompared) if fact.differences]

    assert [d.kind for d in first] == [DifferenceKind.FILL_MISSING_BROKER]
    assert "our books had BUY 10 at 100.37" in first[0].in_words
    assert [d.kind for d in second] == [DifferenceKind.FILL_DIFFERS]
    assert "the broker has SELL 10 at 100.75, our books had SELL 10 at 100.74" in second[0].in_words
    assert "keyturn reconcile" in second[0].note
    assert len(house.facts(OrderFilled)) == 2


def a_cent_dearer(fill: BrokerFill) -> BrokerFill:
    price = Price(fill.execution.price + Decimal("0.01"))
    return replace(fill, execution=replace(fill.execution, price=price))


def test_what_the_desk_did_not_trade_is_named() -> None:
    """EX-09: an execution of somebody else's order."""
    house = a_house("2026-11-30 fee -1")
    stranger = an_order("elsewhere", Side.BUY, "2")
    house.until("09:40", SESSIONS[1])
    house.exchange.submit(house.line.at, stranger)

    house.until("21:00", SESSIONS[1])

    kinds = [d.kind for d in house.last(ActivitiesCompared).differences]
    assert kinds == [DifferenceKind.FILL_MISSING_LOCAL, DifferenceKind.CASH_DIFFERS]


def test_what_cannot_be_read_is_named_once() -> None:
    """EX-09: it is counted nowhere, and the cash that it moved is missed."""
    house = a_house()
    unread = UnreadableActivity(ActivityId("x-1"), "activity x-1: net_amount 'lots' is no number")
    Teller(house, lambda copy: replace(copy, activities=(), unreadable=(unread,)))

    house.until("21:00", date(2026, 11, 10))

    assert [fact.activity_id for fact in house.facts(ActivityQuarantined)] == ["x-1"]
    (day,) = [day for day in days_of(house) if not day.change.is_explained]
    assert (day.day, day.change.rest) == (date(2026, 11, 10), Decimal("0.12"))
    assert "beside no activity at all" in day.differences[0].note


def test_the_list_is_asked_for_when_the_operator_says_so() -> None:
    """EX-09"""
    house = a_house()
    house.until("09:40", SESSIONS[0])
    before = len(house.facts(ActivitiesCompared))

    house.presses(CompareActivities())
    house.until("09:41", SESSIONS[0])

    assert len(house.facts(ActivitiesCompared)) == before + 1


def test_an_exchange_without_a_script_is_asked_for_nothing() -> None:
    """EX-09, SP-07: what was recorded on it stays what it was."""
    table = {name: value for name, value in TABLE.items() if name != "exchange"}
    house = House(the_market()[:60], Settings.model_validate(table), cash=Decimal(5000)).opens()

    house.until("21:00", SESSIONS[2])

    assert house.facts(ActivitiesCompared) == []
    assert house.desk.activities.state == ActivitiesState()
