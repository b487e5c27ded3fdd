"""A split over a night: shares, cost, result, and the stop, whatever the broker made of it (EX-25).

The expected figures are computed here from ten shares at 100 USD with a stop at 90.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal

import pytest

from core.facts import (
    ActionEvidence,
    AlertRang,
    CorporateActionApplied,
    Halted,
    NotificationDue,
    PositionCorrected,
    ProposalStaged,
    ReconciliationFailed,
    SignalRaised,
    TradeClosed,
)
from core.messages.commands import OpenTicket
from core.messages.desk_commands import CompareActivities, KeepAlert
from core.messages.inputs import CorporateActionsArrived, PastArrived
from core.model.alert import AlertKind, AlertTerms
from core.model.codes import CancelCode, OwedReason, ReadOnlyCode
from core.model.notice import NoticeKind, Severity
from core.model.order import OrderStatus, TimeInForce
from core.model.reference_data import ActionKind, CorporateAction, PastDay, PastDays
from core.model.values import Price, plain
from core.settings.settings import Settings
from tests.kit.splits import Fate, lists_the_split, splits
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.scenarios.receivers import Receivers, settings, with_receivers
from tests.scenarios.test_account_activities import TABLE
from tests.scenarios.test_owed_stops import waiting
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, at
from tests.unit.core.strategies.test_warming import SHORT

FRIDAY, MONDAY = THURSDAY + timedelta(days=1), THURSDAY + timedelta(days=4)
SHARES, COST, STOP = Decimal(10), Decimal(1000), Decimal(90)
SHOWN_AT = at("09:20", FRIDAY)
"""The broker's books show it."""


@dataclass(frozen=True)
class Split:
    """So many new shares for so many old ones."""

    new: int
    old: int

    @property
    def shares(self) -> Decimal:
        return (SHARES * self.new / self.old).to_integral_value(ROUND_DOWN)

    @property
    def cost(self) -> Decimal:
        """Without that of a fraction which was paid in cash."""
        return COST * self.shares * self.old / self.new / SHARES

    @property
    def stop(self) -> Decimal:
        return (STOP * self.old / self.new).quantize(Decimal("0.01"))

    @property
    def price(self) -> str:
        return str((Decimal(100) * self.old / self.new).quantize(Decimal("0.01")))


DOUBLED, THREE_FOR_TWO, REVERSED, WITH_CASH = Split(2, 1), Split(3, 2), Split(1, 10), Split(1, 4)
ALL = pytest.mark.parametrize(
    "split", [DOUBLED, THREE_FOR_TWO, REVERSED, WITH_CASH], ids=lambda each: f"{each.new} for {each.old}"
)


def terms(**strategies: dict[str, object]) -> Settings:
    table = settings().model_dump(mode="json", exclude_unset=True)
    strategies = {**TABLE["strategies"], **strategies}
    return Settings.model_validate(
        {**TABLE, **table, "strategies": strategies, "reconciliation": {"every_seconds": 60}}
    )


def a_house(split: Split, target: str | None = None, **strategies: dict[str, object]) -> House:
    """Ten were bought on Thursday afternoon; it is 16:02, and their day's stop has ended, or their legs rest."""
    bars = [
        *minutes("15:40", "15:59", "100"),
        *minutes("09:30", "09:45", split.price, day=FRIDAY),
        *minutes("09:30", "09:35", split.price, day=MONDAY),
    ]
    house = with_receivers(House(bars, terms(**strategies), cash=Decimal(5000)), Receivers()).opens().until("15:50")
    typed = a_typed_buy(str(SHARES), limit=None, stop=str(STOP))
    if target is not None:
        typed = replace(typed, target_price=Price(Decimal(target)), time_in_force=TimeInForce.GTC)
    house.presses(typed)
    confirms_now(house)
    return house.until("16:02")


def sleeps_until_it_is_shown(house: House, split: Split, fate: Fate) -> Decimal:
    """The desk is off over the night; it is up again when the books show it. The shares that came are returned."""
    house.is_off_until(SHOWN_AT - timedelta(minutes=2))
    house.restarted().until_moment(SHOWN_AT)
    return splits(house.exchange, SHOWN_AT, SPY, split.new, split.old, fate)


def is_signed_for_days(house: House) -> None:
    """The ticket of the stop that ended with its day is confirmed: it works until it is cancelled."""
    confirms_now(house)
    passes(house, 3)
    (stop,) = house.desk.ledger.working()
    assert stop.status is OrderStatus.SUBMITTED


def stops(house: House) -> list[str]:
    """The stops that work at the broker: `20 at 45`."""
    working = house.exchange._book.working.get(SPY, [])
    found = [order.request for order in working if order.request.stop_price is not None]
    return [f"{plain(each.quantity)} at {plain(each.stop_price or Decimal(0))}" for each in found]


def urgent(house: House) -> list[str]:
    told = [fact.notice for fact in house.facts(NotificationDue)]
    return [n.words for n in told if n.kind is NoticeKind.STOP and n.severity is Severity.URGENT and n.at >= SHOWN_AT]


def told_of_it(house: House) -> timedelta:
    """How long after the books showed it the notice left."""
    told = [fact.notice for fact in house.facts(NotificationDue) if fact.notice.kind is NoticeKind.FILL]
    (notice,) = [notice for notice in told if notice.at >= SHOWN_AT]
    return notice.at - SHOWN_AT


def assert_figures(house: House, split: Split) -> None:
    (position,) = house.desk.ledger.positions()
    assert (position.quantity, position.cost.quantize(Decimal("0.01"))) == (split.shares, split.cost)
    assert house.held_by_the_broker() == plain(split.shares)
    assert house.desk.control.state.is_reconciled
    assert house.facts(TradeClosed) == []
    assert house.facts(PositionCorrected) == []


@ALL
@pytest.mark.parametrize("fate", [*Fate, None], ids=lambda each: each.value if each else "ended with its day")
@pytest.mark.parametrize("is_up", [True, False], ids=["up", "down"])
def test_a_split_that_the_books_show(split: Split, fate: Fate | None, is_up: bool) -> None:
    """EX-25, EX-13: an adjusted stop stays; else the shares are owed one, which waits at the price of today"""
    house = a_house(split)
    if fate is not None:
        is_signed_for_days(house)
    if is_up:
        sleeps_until_it_is_shown(house, split, fate or Fate.SURVIVE)
    else:
        house.is_off_until(SHOWN_AT)
        splits(house.exchange, SHOWN_AT, SPY, split.new, split.old, fate or Fate.SURVIVE)
        house.restarted()
    house.until_moment(SHOWN_AT + timedelta(minutes=3))
    is_adjusted = fate is Fate.ADJUSTED
    its = f"{plain(split.shares)} at {plain(split.stop)}"

    assert_figures(house, split)
    (applied,) = house.facts(CorporateActionApplied)
    assert applied.evidence is ActionEvidence.BOOKS
    assert (stops(house), waiting(house)) == (([its], []) if is_adjusted else ([], [its]))
    assert [(o.quantity, o.why) for o in house.desk.owed_stops.all()] == (
        [] if is_adjusted else [(split.shares, OwedReason.WAITS_FOR_KEY)]
    )
    assert bool(urgent(house)) is not is_adjusted
    assert told_of_it(house) <= timedelta(seconds=80)
    assert_can_be_rebuilt(house)

    if not is_adjusted:
        confirms_now(house)
    house.until("09:44", FRIDAY)
    assert_figures(house, split)
    assert (stops(house), waiting(house)) == ([its], [])
    assert house.desk.owed_stops.all() == ()


def a_split_house(split: Split, fate: Fate = Fate.SURVIVE) -> tuple[House, Decimal]:
    """It is 09:20 on Friday: the books have just shown it. The shares that came are returned."""
    house = a_house(split)
    is_signed_for_days(house)
    return house, sleeps_until_it_is_shown(house, split, fate)


@ALL
def test_its_activity_two_days_later_is_the_same_split(split: Split) -> None:
    """EX-25, EX-09: it counts once, also after a restart between"""
    house, came = a_split_house(split, Fate.CANCELLED)
    house.until("09:40", FRIDAY)
    assert_figures(house, split)
    house.restarted()
    house.until("09:32", MONDAY)
    lists_the_split(house.exchange, house.line.at, SPY, came)
    house.presses(CompareActivities())
    passes(house, 30)

    by_books, by_activity = house.facts(CorporateActionApplied)
    assert (len(by_books.owners), by_activity.owners) == (1, ())
    assert (by_activity.quantity_before, by_activity.quantity_after) == (SHARES, split.shares)
    assert waiting(house) == [f"{plain(split.shares)} at {plain(split.stop)}"]
    assert_figures(house, split)
    assert_can_be_rebuilt(house)


@ALL
def test_its_activity_before_a_second_reading_proves_it(split: Split) -> None:
    """EX-25"""
    house, came = a_split_house(split)
    lists_the_split(house.exchange, house.line.at, SPY, came)
    house.presses(CompareActivities())
    passes(house, 5)

    (applied,) = house.facts(CorporateActionApplied)
    assert (applied.evidence, applied.quantity_after) == (ActionEvidence.ACTIVITY, split.shares)
    house.until_moment(SHOWN_AT + timedelta(minutes=3))
    assert_figures(house, split)
    assert (stops(house), waiting(house)) == ([], [f"{plain(split.shares)} at {plain(split.stop)}"])


def announced(house: House, new: int, old: int, day: date = FRIDAY) -> None:
    kind = ActionKind.SPLIT if new > old else ActionKind.REVERSE_SPLIT
    action = CorporateAction(SPY, kind, day, None, Decimal(old), Decimal(new))
    house.line.take(house.line.at, CorporateActionsArrived((SPY,), (action,)))


@pytest.mark.parametrize("day", [FRIDAY, MONDAY])
def test_an_announced_split_of_another_ratio_is_left_to_a_person(day: date) -> None:
    """EX-25: announced 10 for 1, the books show 2 for 1; nothing moves until the books are accepted"""
    house, _ = a_split_house(DOUBLED)
    announced(house, 10, 1, day)
    house.until_moment(SHOWN_AT + timedelta(minutes=5))

    assert (house.held(), stops(house)) == ("10", ["10 at 90"])
    assert house.last(ReconciliationFailed).code is ReadOnlyCode.UNPROVEN
    assert house.facts(CorporateActionApplied) == []
    house.accepts(house.exchange.books(house.line.at))
    passes(house, 75)

    (applied,) = house.facts(CorporateActionApplied)
    assert applied.evidence is ActionEvidence.OPERATOR
    assert_figures(house, DOUBLED)
    assert (stops(house), waiting(house)) == ([], ["20 at 45"])


def test_a_stop_that_waits_is_asked_for_once_when_the_books_are_accepted() -> None:
    """EX-25, EX-22: its ticket of before is withdrawn, and none has its price for the shares of after"""
    house = a_house(DOUBLED)
    house.until_moment(SHOWN_AT)
    announced(house, 3, 1)
    assert waiting(house) == ["10 at 90"]
    splits(house.exchange, SHOWN_AT, SPY, 2, 1, Fate.CANCELLED)
    house.until_moment(SHOWN_AT + timedelta(minutes=5))
    house.accepts(house.exchange.books(house.line.at))
    passes(house, 75)

    assert_figures(house, DOUBLED)
    guards = [fact.proposal.order for fact in house.facts(ProposalStaged) if fact.proposal.guard is not None]
    assert [f"{plain(each.quantity)} at {plain(each.stop_price)}" for each in guards] == ["10 at 90", "20 at 45"]
    assert (stops(house), waiting(house)) == ([], ["20 at 45"])


def test_an_announced_split_of_the_same_ratio_needs_no_person() -> None:
    """EX-25"""
    house, _ = a_split_house(DOUBLED)
    announced(house, 2, 1)
    house.until("09:40", FRIDAY)

    assert_figures(house, DOUBLED)


@pytest.mark.parametrize("after", [3, 65, 72])
def test_a_restart_in_the_middle_changes_nothing(after: int) -> None:
    """EX-25: before the first reading, between two, and between the fact and the cancel"""
    house, _ = a_split_house(DOUBLED)
    house.until_moment(SHOWN_AT + timedelta(seconds=after))
    house.restarted()
    house.until_moment(SHOWN_AT + timedelta(minutes=5))

    assert_figures(house, DOUBLED)
    assert len(house.facts(CorporateActionApplied)) == 1
    assert (stops(house), waiting(house)) == ([], ["20 at 45"])


def test_a_crash_after_the_fact_still_cancels_the_old_stop() -> None:
    """EX-25, EX-14: the fact is on disk, and the cancel never left"""
    house, _ = a_split_house(DOUBLED)
    house.until_moment(SHOWN_AT + timedelta(minutes=2))
    records = [r.sequence for r in house.journal.records() if isinstance(r.fact, CorporateActionApplied)]
    house.loses_the_journal_after(records[0])
    house.restarted()
    house.until_moment(SHOWN_AT + timedelta(minutes=5))

    assert_figures(house, DOUBLED)
    assert (stops(house), waiting(house)) == ([], ["20 at 45"])


def test_an_entry_from_before_it_is_cancelled() -> None:
    """EX-25: a limit of 80 for two more would buy at once at 50"""
    house = a_house(Split(1, 1))
    house.is_off_until(at("09:28", FRIDAY))
    house.restarted().until("09:32", FRIDAY)
    house.presses(a_typed_buy("2", limit="80", stop="70"))
    (typed,) = [proposal for proposal in house.desk.stage.proposals() if not proposal.is_guard]
    house.presses(OpenTicket(typed.id))
    passes(house, 1)
    house.confirms()
    passes(house, 3)
    (entry,) = [order for order in house.desk.ledger.working() if not order.only_reduces]
    splits(house.exchange, house.line.at, SPY, 2, 1, Fate.SURVIVE)
    house.until("09:35", FRIDAY)

    assert (entry.status, entry.cancel_code) == (OrderStatus.CANCELLED, CancelCode.SPLIT)
    assert_figures(house, DOUBLED)


@pytest.mark.parametrize("fate", Fate)
@pytest.mark.parametrize("split", [DOUBLED, REVERSED], ids=lambda each: f"{each.new} for {each.old}")
def test_a_bracket_over_a_split(split: Split, fate: Fate) -> None:
    """EX-25, EX-13: a stop at 90 and a target at 120, both until cancelled, follow together or not at all"""
    house = a_house(split, target="120")
    legs = [order for order in house.desk.ledger.working() if order.only_reduces]
    sleeps_until_it_is_shown(house, split, fate)
    house.until_moment(SHOWN_AT + timedelta(minutes=3))
    its = f"{plain(split.shares)} at {plain(split.stop)}"

    assert len(legs) == 2
    assert_figures(house, split)
    if fate is Fate.ADJUSTED:
        assert (stops(house), waiting(house)) == ([its], [])
        assert [house.desk.ledger.order(leg.id).is_working for leg in legs] == [True, True]  # type: ignore[union-attr]
        return
    assert (stops(house), waiting(house)) == ([], [its])
    assert house.exchange._book.working.get(SPY, []) == []
    confirms_now(house)
    house.until("09:44", FRIDAY)
    assert_figures(house, split)
    assert stops(house) == [its]


@pytest.mark.parametrize("split", [DOUBLED, REVERSED], ids=lambda each: f"{each.new} for {each.old}")
@pytest.mark.parametrize("name", ["sma", "momentum", "breakout", "mean_reversion"])
def test_strategies_see_no_jump(split: Split, name: str) -> None:
    """MD-09: the price stays where it was but for the split; no signal, and their memory begins again and says so"""
    house = a_house(split, **{name: {"enabled": True, **SHORT[name]}})
    is_signed_for_days(house)
    sleeps_until_it_is_shown(house, split, Fate.SURVIVE)
    house.until("09:44", FRIDAY)
    runner = house.desk.orchestrator.state.runners[f"{name}/{SPY}"]

    assert_figures(house, split)
    assert [fact.signal for fact in house.facts(SignalRaised) if fact.signal.bar_start >= SHOWN_AT] == []
    assert runner.forgot_on == FRIDAY
    assert_can_be_rebuilt(house)


def an_idle_house(split: Split, **strategies: dict[str, object]) -> House:
    """Nothing is held; a price alert stands at 90. It is 09:20 on Friday, after a night without the desk."""
    bars = [*minutes("15:00", "15:59", "100"), *minutes("09:30", "09:45", split.price, day=FRIDAY)]
    house = with_receivers(House(bars, terms(**strategies), cash=Decimal(5000)), Receivers()).opens().until("15:58")
    house.presses(KeepAlert(AlertTerms(SPY, AlertKind.PRICE, STOP, is_above=False)))
    house.until("16:02").is_off_until(SHOWN_AT)
    return house.restarted()


@pytest.mark.parametrize("split", [DOUBLED, REVERSED], ids=lambda each: f"{each.new} for {each.old}")
@pytest.mark.parametrize("name", ["sma", "momentum", "breakout", "mean_reversion"])
def test_an_announced_split_of_what_nobody_holds(split: Split, name: str) -> None:
    """MD-09: no signal, no range and no alert comes from the jump; told twice and over a restart, it counts once"""
    house = an_idle_house(split, **{name: {"enabled": True, **SHORT[name]}})
    announced(house, split.new, split.old)
    announced(house, split.new, split.old)
    house.restarted()
    announced(house, split.new, split.old)
    house.until("09:44", FRIDAY)
    (applied,) = house.facts(CorporateActionApplied)
    (alert,) = house.desk.alerts.of(SPY)
    average = house.desk.sizing.average_range(SPY)

    assert (applied.evidence, applied.day) == (ActionEvidence.ANNOUNCED, FRIDAY)
    assert house.facts(SignalRaised) == []
    assert alert.terms.level == split.stop
    assert average is None or average < Decimal("0.01")
    assert house.facts(AlertRang) == []
    assert_can_be_rebuilt(house)


def test_a_split_that_one_answer_has_twice_counts_once() -> None:
    """MD-09: 90 is 45, not 22.50"""
    house = an_idle_house(DOUBLED)
    row = CorporateAction(SPY, ActionKind.SPLIT, FRIDAY, None, Decimal(1), Decimal(2))
    house.line.take(house.line.at, CorporateActionsArrived((SPY,), (row, row)))

    assert len(house.facts(CorporateActionApplied)) == 1
    assert [alert.terms.level for alert in house.desk.alerts.of(SPY)] == [45]


@pytest.mark.parametrize(
    ("old", "new"), [("10000000", "1"), ("999999999999", "1e-30"), ("1", "1e-40"), ("1e-9", "999999999999")]
)
def test_an_announced_ratio_beyond_all_measure_counts_nowhere(old: str, new: str) -> None:
    """MD-09, SP-03: a figure that cannot be reckoned with is in no fact: the journal could never be read again"""
    house = an_idle_house(DOUBLED)
    row = CorporateAction(SPY, ActionKind.REVERSE_SPLIT, FRIDAY, None, Decimal(old), Decimal(new))
    house.line.take(house.line.at, CorporateActionsArrived((SPY,), (row,)))
    house.until("09:32", FRIDAY)

    assert house.facts(CorporateActionApplied) == []
    assert house.facts(Halted) == []
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize(("new", "old", "day"), [(2, 1, MONDAY), (2, 1, THURSDAY)])
def test_only_the_day_of_an_announced_split_counts(new: int, old: int, day: date) -> None:
    house = an_idle_house(DOUBLED)
    announced(house, new, old, day)
    house.until("09:32", FRIDAY)

    assert house.facts(CorporateActionApplied) == []


def test_the_change_of_the_day_is_from_the_close_per_share_of_today() -> None:
    """MD-09: 100 on Thursday and 50 on Friday is no loss of a half"""
    house = an_idle_house(DOUBLED)
    past = PastDays(SPY, (PastDay(THURSDAY, Price(Decimal(100)), None),))
    house.line.take(house.line.at, PastArrived(past))
    announced(house, 2, 1)
    shown = house.desk.sightings.closes[SPY]
    house.line.take(house.line.at, PastArrived(past))

    assert shown == house.desk.sightings.closes[SPY] == (THURSDAY, 50)


def test_an_entry_of_the_day_of_an_announced_split_stays() -> None:
    """it was typed at today's price before the announcement came"""
    house = an_idle_house(DOUBLED).until("09:32", FRIDAY)
    house.presses(a_typed_buy("2", limit="45", stop="40"))
    confirms_now(house)
    passes(house, 3)
    announced(house, 2, 1)
    house.until("09:35", FRIDAY)

    assert len(house.facts(CorporateActionApplied)) == 1
    entries = [order for order in house.desk.ledger.working() if not order.only_reduces]
    assert [entry.request.limit_price for entry in entries] == [45]


@pytest.mark.parametrize(("day", "is_followed"), [(FRIDAY, True), (MONDAY, False)])
def test_an_announced_split_may_be_booked_on_the_evening_before(day: date, is_followed: bool) -> None:
    """EX-25: 37 for 30, with a fraction in cash, makes ten twelve: no list of ratios has it; it is Thursday, 16:02"""
    house = a_house(Split(37, 30))
    is_signed_for_days(house)
    announced(house, 37, 30, day)
    splits(house.exchange, house.line.at, SPY, 37, 30, Fate.CANCELLED)
    passes(house, 150)

    assert bool(house.facts(CorporateActionApplied)) is is_followed
    assert house.held() == ("12" if is_followed else "10")


def test_a_split_of_one_for_one_is_none() -> None:
    """MD-09: nobody holds it; nothing begins again, and no order is cancelled"""
    house = a_house(DOUBLED)
    house.exchange._ledger._holdings.pop(SPY)
    house.is_off_until(SHOWN_AT)
    house.restarted().until_moment(SHOWN_AT + timedelta(minutes=3))
    one = CorporateAction(SPY, ActionKind.SPLIT, FRIDAY, None, Decimal(20), Decimal(20))
    house.line.take(house.line.at, CorporateActionsArrived((SPY,), (one,)))
    house.until("09:32", FRIDAY)

    assert (house.held(), house.facts(CorporateActionApplied)) == ("0", [])


@pytest.mark.parametrize("shares", ["30", "17"])
def test_an_announced_ratio_that_the_operator_refused_counts_nowhere(shares: str) -> None:
    """EX-25, MD-09: 2 for 1 is announced, the broker shows other shares, and its books are accepted"""
    house = a_house(Split(3, 1))
    is_signed_for_days(house)
    house.is_off_until(SHOWN_AT - timedelta(minutes=2))
    house.restarted().until_moment(SHOWN_AT)
    two = CorporateAction(SPY, ActionKind.SPLIT, FRIDAY, None, Decimal(1), Decimal(2))
    splits(house.exchange, SHOWN_AT, SPY, 3, 1, Fate.CANCELLED)
    house.exchange._ledger._holdings[SPY].quantity = Decimal(shares)
    house.line.take(house.line.at, CorporateActionsArrived((SPY,), (two,)))
    house.until_moment(SHOWN_AT + timedelta(minutes=3))
    assert not house.desk.control.state.is_reconciled
    house.accepts(house.exchange.books(house.line.at))
    passes(house, 10)
    held = house.held()
    house.exchange._ledger._holdings.pop(SPY)
    house.until("09:33", FRIDAY)
    house.accepts(house.exchange.books(house.line.at))
    passes(house, 10)
    house.line.take(house.line.at, CorporateActionsArrived((SPY,), (two,)))

    assert (held, house.held()) == (shares, "0")
    assert [fact for fact in house.facts(CorporateActionApplied) if fact.ratio == 2] == []
    assert_can_be_rebuilt(house)
