"""The activities of an account: each evening the broker's list is compared, and each cent has its name."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from core import facts
from core.analytics.equity import EquityDay, equity_days
from core.event_text import in_words
from core.messages.commands import OpenTicket, ProposeClose
from core.messages.desk_commands import CompareActivities
from core.messages.effects import Effect, FetchActivities
from core.messages.inputs import ActivitiesFetched, Input
from core.model.bar import Bar
from core.model.order import Side
from core.model.reconciliation import (
    Activity,
    ActivityId,
    ActivityKind,
    BrokerFill,
    DifferenceKind,
    DropCopy,
    UnreadableActivity,
)
from core.model.staging import MANUAL
from core.model.values import Money, Price
from core.settings.settings import Settings
from core.trading_state.account_history import ActivitiesState
from state.files import AccountFolder
from state.journal import FileJournal
from tests.scenarios.backtests import Keyturn
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import House, a_typed_buy, minutes
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
    "reconciliation": {"every_seconds": 3600, "again_seconds": 600},
}


def price_on(day: date) -> str:
    """It climbs a little each day; from the split on it is half of that."""
    whole = Decimal(100) + SESSIONS.index(day) * Decimal("0.37")
    return str(whole / 2 if day >= SPLIT_ON else whole)


def the_market() -> list[Bar]:
    """The beginning of each session."""
    bars = [bar for day in SESSIONS for bar in minutes("09:30", "09:42", price_on(day), day=day)]
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


def test_every_cent_of_a_month_is_explained() -> None:
    """AN-06, EX-09: fees of sales, dividends, interest, transfers and a split."""
    house = plays_the_month(a_house())

    days = days_of(house)

    assert [day.day for day in days] == SESSIONS
    assert [day.change.rest for day in days] == [Money(Decimal(0))] * len(SESSIONS)
    assert [day.differences for day in days] == [()] * len(SESSIONS)
    moved = [(f.kind, f.day, f.amount) for f in house.facts(facts.CashMoved)]
    assert (ActivityKind.DIVIDEND, date(2026, 11, 5), Decimal("3.33")) in moved
    assert (ActivityKind.TRANSFER, date(2026, 11, 24), Decimal("-120.50")) in moved
    assert [day for kind, day, _ in moved if kind is ActivityKind.FEE] == [date(2026, 11, 13), *[SESSIONS[-3]] * 2]
    assert len(house.facts(facts.TradeClosed)) == 1
    assert days[-1].change.closing == house.exchange.account(house.line.at).equity.quantize(Decimal("0.01"))


def test_interest_is_listed_without_other_events() -> None:
    """AN-06, AN-04: 500 USD lent over nights by an account that has nothing but its trades"""
    lent = {"multiplier": "2", "margin_interest": "0.12"}
    terms = Settings.model_validate({**TABLE, "exchange": {"cash": "1000", **lent}})
    rules = {name: Decimal(value) for name, value in lent.items()}
    house = House(the_market(), terms, cash=Decimal(1000), **rules).opens()  # type: ignore[arg-type]
    buys(house, "15", "09:35", SESSIONS[0])
    house.until("21:00", SESSIONS[4])

    days = days_of(house)

    paid = [f.amount for f in house.facts(facts.CashMoved) if f.kind is ActivityKind.INTEREST]
    assert sum(paid) == -house.exchange.interest < 0
    assert [day.change.rest for day in days] == [Money(Decimal(0))] * len(days)


def test_split_is_applied_once_at_the_same_cost() -> None:
    """EX-09: also where the desk starts again, and the broker lists it again."""
    house = a_house()
    buys(house, "10", "09:35", SESSIONS[1])
    cost = house.desk.ledger.positions()[0].cost
    house.until("09:40", SPLIT_ON)
    house.restarted().until("21:00", SPLIT_ON)

    (position,) = house.desk.ledger.positions()

    (split,) = house.facts(facts.CorporateActionApplied)
    assert (split.ratio, split.quantity_before, split.quantity_after) == (2, 10, 20)
    assert (position.quantity, position.cost, position.entered) == (20, cost, 20)
    assert house.desk.control.state.is_reconciled
    house.until("21:00", SESSIONS[-1])
    assert len(house.facts(facts.CorporateActionApplied)) == 1


def test_split_accepted_by_hand_is_not_applied_again() -> None:
    """EX-09"""
    house = a_house()
    buys(house, "10", "09:35", SESSIONS[1])
    house.until("21:00", SESSIONS[10])
    house.line.breaks_at(FetchActivities, arrives=False)
    house.until("04:05", SPLIT_ON)
    house.accepts(house.exchange.books(house.line.at))
    assert house.held() == "20"

    house.until("21:00", SPLIT_ON)

    accepted, listed = house.facts(facts.CorporateActionApplied)
    assert (accepted.evidence, accepted.owners[0].quantity) == (facts.ActionEvidence.OPERATOR, 20)
    assert (listed.owners, house.held()) == ((), "20")
    assert [day.change.rest for day in days_of(house)] == [0] * len(days_of(house))


def test_split_past_a_stop_ends_the_stop() -> None:
    """EX-25: at 52 USD a stop at 90 would sell at once; the one for today's shares waits for a key."""
    house = a_house()
    buys(house, "10", "09:35", SESSIONS[10], below="10")

    house.until("09:42", SPLIT_ON)

    (split,) = house.facts(facts.CorporateActionApplied)
    (guard,) = [proposal.order for proposal in house.desk.stage.proposals() if proposal.is_guard]
    before = Decimal(price_on(SESSIONS[10])) - 10
    assert (split.ratio, house.held(), guard.quantity) == (2, "20", 20)
    assert abs(before / 2 - (guard.stop_price or 0)) <= Decimal("0.005")
    assert house.facts(facts.TradeClosed) == []
    assert house.desk.control.state.is_reconciled


def test_one_cent_of_difference_is_found(snapshot: SnapshotAssertion) -> None:
    """AN-06, EX-09: the broker paid 3.33 USD and lists 3.34."""
    house = a_house()
    Teller(house, lambda copy: replace(copy, activities=tuple(map(a_cent_more, copy.activities))))

    buys(house, "10", "09:35", SESSIONS[1])
    house.until("21:00", SESSIONS[5])

    (day,) = [day for day in days_of(house) if not day.change.is_explained]
    assert (day.day, day.change.rest) == (date(2026, 11, 5), Decimal("-0.01"))
    figures, cash = day.differences
    assert (figures.kind, cash.kind) == (DifferenceKind.ACTIVITY_DIFFERS, DifferenceKind.CASH_DIFFERS)
    activity = day.activities[0]
    assert [told.note.replace(activity, "ACTIVITY") for told in (figures, cash)] == snapshot
    assert any("ERROR" in in_words(fact) for fact in house.facts(facts.ActivitiesCompared))


def a_cent_more(one: Activity) -> Activity:
    if one.day != date(2026, 11, 5):
        return one
    return replace(one, amount=Money(one.amount + Decimal("0.01")))


def test_missed_days_are_fetched_at_the_next_start() -> None:
    """EX-09: three days without a desk, and two starts."""
    house = a_house()
    buys(house, "10", "09:35", SESSIONS[1])
    house.line.breaks_at(FetchActivities, arrives=False, times=9999)
    house.until("09:31", SESSIONS[8])
    house.restarted().until("09:41", SESSIONS[8])
    house.restarted().until("21:00", SESSIONS[8])

    moved = house.facts(facts.CashMoved)

    assert len({fact.activity_id for fact in moved}) == len(moved) == 3
    assert [day.change.rest for day in days_of(house)] == [0] * len(days_of(house))


def test_shares_that_come_with_cash_record_both() -> None:
    """EX-09, AN-06: such as a merger for shares and cash; an activity of neither is recorded as 0 USD"""
    house = a_house("2026-11-04 shares SPY 3 at 99.50")
    nothing = Activity(ActivityId("nothing"), date(2026, 11, 4), ActivityKind.OTHER)
    Teller(house, lambda copy: replace(copy, activities=(*map(with_a_fee, copy.activities), nothing)))

    house.until("21:00", SESSIONS[4])

    (moved,) = house.facts(facts.SharesMoved)
    cash = {fact.activity_id: fact.amount for fact in house.facts(facts.CashMoved)}
    assert (moved.quantity, cash[moved.activity_id], cash["nothing"]) == (3, -5, 0)


def with_a_fee(one: Activity) -> Activity:
    return replace(one, amount=Money(Decimal(-5))) if one.moves_shares else one


def test_transferred_shares_are_taken_over() -> None:
    """EX-09, AN-06: the transfer is a part of its day, at the price that the broker books it at."""
    house = a_house("2026-11-04 shares SPY 3 at 99.50")

    house.until("21:00", SESSIONS[4])

    (moved,) = house.facts(facts.SharesMoved)
    assert (moved.quantity, moved.price, house.held()) == (3, Decimal("99.50"), "3")
    days = days_of(house)
    assert [day.change.rest for day in days] == [0] * 5
    assert [(p.name, p.amount) for p in days[2].change.parts if "shares" in p.name] == [
        (f"shares SPY {moved.activity_id}", Decimal("298.50"))
    ]


def test_fill_on_one_side_only_is_named(snapshot: SnapshotAssertion) -> None:
    """EX-09: one that the broker does not list, and one that it lists at another price."""
    house = a_house("2026-11-30 fee -1")
    Teller(house, lambda copy: replace(copy, fills=()))
    buys(house, "10", "09:35", SESSIONS[1])
    house.until("21:00", SESSIONS[1])
    house.line.ask = type(house.line).ask.__get__(house.line)  # type: ignore[method-assign]
    Teller(house, lambda copy: replace(copy, fills=tuple(map(a_cent_dearer, copy.fills))))
    sells_all(house, "09:36", SESSIONS[2])
    house.until("21:00", SESSIONS[3])

    first, second = [fact.differences for fact in house.facts(facts.ActivitiesCompared) if fact.differences]

    assert [d.kind for d in first] == [DifferenceKind.FILL_MISSING_BROKER]
    assert [d.kind for d in second] == [DifferenceKind.FILL_DIFFERS]
    assert [told.in_words for told in (first[0], second[0])] == snapshot
    assert "keyturn reconcile" in second[0].note
    assert len(house.facts(facts.OrderFilled)) == 2


def a_cent_dearer(fill: BrokerFill) -> BrokerFill:
    price = Price(fill.execution.price + Decimal("0.01"))
    return replace(fill, execution=replace(fill.execution, price=price))


def test_trade_of_another_client_is_named() -> None:
    """EX-09: an execution of somebody else's order."""
    house = a_house("2026-11-30 fee -1")
    stranger = an_order("elsewhere", Side.BUY, "2")
    house.until("09:40", SESSIONS[1])
    house.exchange.submit(house.line.at, stranger)

    house.until("21:00", SESSIONS[1])

    kinds = [d.kind for d in house.last(facts.ActivitiesCompared).differences]
    assert kinds == [DifferenceKind.FILL_MISSING_LOCAL, DifferenceKind.CASH_DIFFERS]


def test_unreadable_activity_is_named_once(snapshot: SnapshotAssertion) -> None:
    """EX-09: it is counted nowhere, and the cash that it moved is missed."""
    house = a_house()
    unread = UnreadableActivity(ActivityId("x-1"), "activity x-1: net_amount 'lots' is no number")
    Teller(house, lambda copy: replace(copy, activities=(), unreadable=(unread,)))

    house.until("21:00", date(2026, 11, 10))

    assert [fact.activity_id for fact in house.facts(facts.ActivityQuarantined)] == ["x-1"]
    (day,) = [day for day in days_of(house) if not day.change.is_explained]
    assert (day.day, day.change.rest) == (date(2026, 11, 10), Decimal("0.12"))
    assert day.differences[0].note == snapshot


def test_operator_command_compares_activities() -> None:
    """EX-09"""
    house = a_house()
    house.until("09:40", SESSIONS[0])
    before = len(house.facts(facts.ActivitiesCompared))

    house.presses(CompareActivities())
    house.until("09:41", SESSIONS[0])

    assert len(house.facts(facts.ActivitiesCompared)) == before + 1


def test_exchange_without_events_is_not_asked() -> None:
    """EX-09, SP-07: what was recorded on it stays what it was."""
    table = {name: value for name, value in TABLE.items() if name != "exchange"}
    house = House(the_market()[:60], Settings.model_validate(table), cash=Decimal(5000)).opens()

    house.until("21:00", SESSIONS[2])

    assert house.facts(facts.ActivitiesCompared) == []
    assert house.desk.activities.state == ActivitiesState()


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight sessions of an account with a trade, fees, a dividend, interest and a transfer, on the disk."""
    house = a_house()
    buys(house, "10", "09:35", SESSIONS[1])
    sells_all(house, "09:36", SESSIONS[5])
    house.until("21:00", SESSIONS[8])
    folder = AccountFolder(tmp_path_factory.mktemp("activities") / "DEMO")
    with closing(FileJournal(folder)) as kept:
        for record in house.journal.records():
            kept.append(record.at, record.fact)
        kept.sync()
    return folder.journal


def test_range_of_days_has_every_part(keyturn: Keyturn, journal: Path, snapshot: SnapshotAssertion) -> None:
    """AN-06"""
    told = keyturn("activities", "--journal-dir", journal, "--range", "2026-11-04..2026-11-12").out

    assert [line for line in told.split("\n") if line.startswith("2026-")] == [
        f"2026-11-{day:02d}" for day in (4, 5, 6, 9, 10, 11, 12)
    ]
    assert [line.strip() for line in told.split("\n") if "dividend" in line] == snapshot
    assert "NOT EXPLAINED" not in told
    assert told.count("closing equity") == 7


def test_day_as_json(keyturn: Keyturn, journal: Path) -> None:
    """AN-06"""
    (day,) = json.loads(keyturn("activities", "--journal-dir", journal, "--day", "2026-11-09", "--json").out)

    names = [part["name"] for part in day["parts"]]
    assert (day["day"], day["rest"], day["differences"]) == ("2026-11-09", "0.00", [])
    assert names[:3] == ["opening equity", "realised SPY", "open positions"]
    assert [one["words"].partition(" USD")[0] for one in day["activities"]] == ["fee -0.03", "fee -0.01"]


def test_last_day_is_the_default(keyturn: Keyturn, journal: Path) -> None:
    """AN-06"""
    assert keyturn("activities", "--journal-dir", journal).out.startswith(f"{SESSIONS[8]}\n")


def test_invalid_days_are_refused(keyturn: Keyturn, journal: Path, snapshot: SnapshotAssertion) -> None:
    """AN-06"""
    day, days = ("--day", "2026-11-04"), ("--range", "2026-11-04..2026-11-05")
    refused = {}
    for words in (("--day", "monday"), ("--range", "2026-11-04"), ("--range", "2026-11-04..now"), (*day, *days)):
        answer = keyturn("activities", "--journal-dir", journal, *words)

        assert answer.code == 2, words
        refused[" ".join(words)] = answer.err
    assert refused == snapshot


def test_explained_day_names_cash_moved_without_a_fill(keyturn: Keyturn, journal: Path) -> None:
    """AN-06: its rest is nothing."""
    for day, name, usd in (("05", "dividend SPY", "3.33"), ("09", "fee", "-0.03")):
        found = keyturn("explain", f"2026-11-{day}", "--journal-dir", journal, "--json").json

        (told,) = found["days"]
        assert {"name": name, "amount": usd} in told["parts"], day
        assert told["rest"] == "0.00"
