"""Shares that become shares of another symbol over a night: a rename, and a merger for shares (EX-25).

The expected figures are computed here from ten shares at 100 USD with a stop at 90.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.execution.ledger_state import UNKNOWN_OWNER
from core.facts import (
    ActionEvidence,
    AlertRang,
    CorporateActionApplied,
    PositionCorrected,
    ReconciliationFailed,
    SignalRaised,
    TradeClosed,
)
from core.messages.commands import ListSymbol, OpenTicket, ProposeClose, RefuseSymbol
from core.messages.desk_commands import KeepAlert, KeepWatchlist
from core.messages.inputs import CorporateActionsArrived
from core.model.alert import AlertKind, AlertTerms
from core.model.codes import OwedReason, ReadOnlyCode
from core.model.instrument import ListKind
from core.model.order import Side, TimeInForce
from core.model.reference_data import ActionKind, CorporateAction
from core.model.values import Price, Quantity, Symbol, plain
from core.post_mortem.trade_attribution import Stories
from core.views.builders.desk import ViewBuilder
from tests.kit.splits import Fate, becomes, splits
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.elsewhere import trades_elsewhere
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.scenarios.receivers import Receivers, with_receivers
from tests.scenarios.test_owed_stops import waiting
from tests.scenarios.test_splits import (
    DOUBLED,
    FRIDAY,
    MONDAY,
    REVERSED,
    SHARES,
    SHOWN_AT,
    STOP,
    WITH_CASH,
    Split,
    is_signed_for_days,
    terms,
    told_of_it,
    urgent,
)
from tests.unit.core.brokers.trading_floor import SPY, at

NEW, THIRD = Symbol("NEWCO"), Symbol("OTHER")
RENAMED = Split(1, 1)
ALL = pytest.mark.parametrize(
    "ratio", [RENAMED, DOUBLED, REVERSED, WITH_CASH], ids=lambda each: f"{each.new} for {each.old}"
)
FATES = [Fate.SURVIVE, Fate.CANCELLED, None]


def a_house(ratio: Split) -> House:
    """Ten were bought on Thursday afternoon; it is 16:02, and their day's stop has ended, or their legs rest."""
    bars = [
        *minutes("15:40", "15:59", "100"),
        *minutes("09:30", "09:45", ratio.price, day=FRIDAY, symbol=NEW),
        *minutes("09:30", "09:35", ratio.price, day=MONDAY, symbol=NEW),
    ]
    house = with_receivers(House(bars, terms(), cash=Decimal(5000)), Receivers()).opens().until("15:50")
    house.presses(a_typed_buy(str(SHARES), limit=None, stop=str(STOP)))
    confirms_now(house)
    return house.until("16:02")


def sleeps_until_it_is_shown(house: House, ratio: Split, fate: Fate) -> None:
    house.is_off_until(SHOWN_AT - timedelta(minutes=2))
    house.restarted().until_moment(SHOWN_AT)
    becomes(house.exchange, SHOWN_AT, SPY, NEW, fate, ratio.new, ratio.old)


def stops(house: House, symbol: Symbol) -> list[str]:
    found = [order.request for order in house.exchange._book.working.get(symbol, []) if order.request.stop_price]
    return [f"{plain(each.quantity)} at {plain(each.stop_price or Decimal(0))}" for each in found]


def assert_moved(house: House, ratio: Split) -> None:
    (position,) = house.desk.ledger.positions()
    assert (position.symbol, position.strategy) == (NEW, "manual")
    assert (position.quantity, position.cost.quantize(Decimal("0.01"))) == (ratio.shares, ratio.cost)
    assert house.desk.control.state.is_reconciled
    assert house.facts(TradeClosed) == []
    assert house.facts(PositionCorrected) == []


@ALL
@pytest.mark.parametrize("fate", FATES, ids=lambda each: each.value if each else "ended with its day")
@pytest.mark.parametrize("is_up", [True, False], ids=["up", "down"])
def test_shares_that_have_another_symbol(ratio: Split, fate: Fate | None, is_up: bool) -> None:
    """EX-25, EX-13: they keep owner and cost, nothing of before is left at the broker, and their stop waits"""
    house = a_house(ratio)
    if fate is not None:
        is_signed_for_days(house)
    if is_up:
        sleeps_until_it_is_shown(house, ratio, fate or Fate.SURVIVE)
    else:
        house.is_off_until(SHOWN_AT)
        becomes(house.exchange, SHOWN_AT, SPY, NEW, fate or Fate.SURVIVE, ratio.new, ratio.old)
        house.restarted()
    house.until_moment(SHOWN_AT + timedelta(minutes=3))
    its = f"{plain(ratio.shares)} at {plain(ratio.stop)}"

    assert_moved(house, ratio)
    (applied,) = house.facts(CorporateActionApplied)
    assert (applied.evidence, applied.symbol, applied.to) == (ActionEvidence.BOOKS, SPY, NEW)
    assert (stops(house, SPY), stops(house, NEW), waiting(house)) == ([], [], [its])
    assert [(o.symbol, o.quantity, o.why) for o in house.desk.owed_stops.all()] == [
        (NEW, ratio.shares, OwedReason.WAITS_FOR_KEY)
    ]
    assert urgent(house)
    assert told_of_it(house) <= timedelta(seconds=80)
    assert_can_be_rebuilt(house)

    confirms_now(house)
    house.until("09:44", FRIDAY)
    assert_moved(house, ratio)
    assert (stops(house, NEW), waiting(house)) == ([its], [])
    assert ViewBuilder(house.engine).draw(house.line.at).positions[0].health.days_held == 1
    assert house.desk.owed_stops.all() == ()


def a_moved_house(ratio: Split = RENAMED, fate: Fate = Fate.SURVIVE) -> House:
    house = a_house(ratio)
    is_signed_for_days(house)
    sleeps_until_it_is_shown(house, ratio, fate)
    return house


@pytest.mark.parametrize("after", [3, 65, 72])
def test_a_restart_in_the_middle_changes_nothing(after: int) -> None:
    """EX-25: before the first reading, between two, and between the fact and the cancel"""
    house = a_moved_house()
    house.until_moment(SHOWN_AT + timedelta(seconds=after))
    house.restarted()
    house.until_moment(SHOWN_AT + timedelta(minutes=5))

    assert_moved(house, RENAMED)
    assert len(house.facts(CorporateActionApplied)) == 1
    assert (stops(house, SPY), waiting(house)) == ([], ["10 at 90"])


def test_a_crash_after_the_fact_still_cancels_the_old_stop() -> None:
    """EX-25, EX-14: the fact is on disk, and the cancel never left"""
    house = a_moved_house()
    house.until_moment(SHOWN_AT + timedelta(minutes=2))
    (record,) = [r.sequence for r in house.journal.records() if isinstance(r.fact, CorporateActionApplied)]
    house.loses_the_journal_after(record)
    house.restarted()
    house.until_moment(SHOWN_AT + timedelta(minutes=5))

    assert_moved(house, RENAMED)
    assert (stops(house, SPY), waiting(house)) == ([], ["10 at 90"])


def test_a_close_sells_the_shares_of_the_new_symbol() -> None:
    """its result is from the cost of before"""
    house = a_moved_house()
    house.until("09:32", FRIDAY)
    house.presses(ProposeClose(NEW))
    passes(house, 1)
    (close,) = [
        proposal for proposal in house.desk.stage.proposals() if proposal.only_reduces and not proposal.is_guard
    ]
    house.presses(OpenTicket(close.id))
    passes(house, 1)
    house.confirms()
    house.until("09:36", FRIDAY)

    (closed,) = house.facts(TradeClosed)
    assert (closed.trade.symbol, closed.trade.quantity, closed.trade.entry_price) == (NEW, SHARES, 100)
    assert house.desk.ledger.positions() == ()
    assert waiting(house) == []
    assert_can_be_rebuilt(house)


def test_a_journal_that_begins_with_it_is_read() -> None:
    """EX-25: the purchase is in an earlier part"""
    house = a_moved_house()
    house.until("09:32", FRIDAY)
    records = [*house.journal.records()]
    first = next(at for at, record in enumerate(records) if isinstance(record.fact, CorporateActionApplied))
    stories = Stories()
    for record in records[first:]:
        stories.take(record)

    assert stories.trades == []


def test_an_alert_follows() -> None:
    """MD-09"""
    house = a_house(DOUBLED)
    house.presses(KeepAlert(AlertTerms(SPY, AlertKind.PRICE, STOP, is_above=False)))
    is_signed_for_days(house)
    sleeps_until_it_is_shown(house, DOUBLED, Fate.SURVIVE)
    house.until("09:44", FRIDAY)

    (alert,) = house.desk.alerts.of(NEW)
    assert alert.terms.level == DOUBLED.stop
    assert house.facts(AlertRang) == []
    assert house.facts(SignalRaised) == []


def test_lists_follow() -> None:
    """MD-06, RK-26: a watchlist has the new symbol in its place; what is blocked is blocked under both"""
    house = a_house(RENAMED)
    for command in (
        KeepWatchlist("mine", (THIRD, SPY)),
        ListSymbol(SPY, ListKind.CLOSE_ONLY, "a merger"),
        RefuseSymbol(SPY, "not today"),
    ):
        house.presses(command)
    sleeps_until_it_is_shown(house, RENAMED, Fate.SURVIVE)
    house.presses(RefuseSymbol(SPY, "not today"))
    house.until("09:44", FRIDAY)

    day = house.desk.calendar.trading_day(house.line.at)
    assert house.desk.watchlists.state.lists["mine"] == (THIRD, NEW)
    assert [each.reason for each in house.desk.lists.on(NEW, day)] == ["a merger"]
    assert [house.desk.control.refusal_of(symbol, day) is not None for symbol in (SPY, NEW)] == [True, True]


def test_another_pair_that_fits_is_left_to_a_person() -> None:
    """EX-25: two symbols came with as many shares at the same cost; nothing moves until a person decides"""
    house = a_moved_house()
    house.exchange._ledger._receive(house.line.at, THIRD, SHARES, Decimal(100))
    house.until_moment(SHOWN_AT + timedelta(minutes=5))

    assert house.held() == "10"
    assert house.last(ReconciliationFailed).code is ReadOnlyCode.UNPROVEN
    assert house.facts(CorporateActionApplied) == []
    assert house.facts(PositionCorrected) == []


def test_shares_that_came_at_another_cost_are_left_to_a_person() -> None:
    """EX-25: three new shares and cash for ten; the old stop stays until a person has said what they are"""
    house = a_house(RENAMED)
    is_signed_for_days(house)
    house.is_off_until(SHOWN_AT - timedelta(minutes=2))
    house.restarted().until_moment(SHOWN_AT)
    becomes(house.exchange, SHOWN_AT, SPY, NEW, Fate.SURVIVE, 3, 10)
    house.exchange._ledger._holdings[NEW].cost = Decimal(700)
    house.until_moment(SHOWN_AT + timedelta(minutes=5))

    assert (house.held(), stops(house, SPY)) == ("10", ["10 at 90"])
    assert house.last(ReconciliationFailed).code is ReadOnlyCode.UNPROVEN
    assert house.facts(PositionCorrected) == []
    house.accepts(house.exchange.books(house.line.at))
    passes(house, 75)
    assert [(position.symbol, position.quantity) for position in house.desk.ledger.positions()] == [(NEW, 3)]
    assert stops(house, SPY) == []


@pytest.mark.parametrize("bought", [False, True], ids=["an entry waits", "some are held"])
def test_shares_that_became_more_of_what_is_traded_here_are_left_to_a_person(*, bought: bool) -> None:
    """EX-25: one of SPY is gone and one of the other came, which is a twentieth at most; no stop rests under it"""
    bars = [*minutes("15:40", "15:59", "100"), *minutes("09:30", "09:45", "100", day=FRIDAY)]
    bars += minutes("09:30", "09:45", "100", day=FRIDAY, symbol=NEW)
    both = terms().model_copy(update={"symbols": (SPY, NEW)})
    house = House(bars, both, cash=Decimal(5000)).opens().until("16:02")
    house.is_off_until(at("09:29", FRIDAY))
    house.restarted().until("09:31", FRIDAY)
    other = a_typed_buy("20", limit=None, stop="90") if bought else a_typed_buy("2", limit="80", stop="70")
    for typed in (a_typed_buy("1", limit=None, stop="90"), replace(other, symbol=NEW)):
        house.presses(typed)
        confirms_now(house)
        passes(house, 3)
    house.until("09:33:50", FRIDAY)
    (stop,) = [order for order in house.exchange._book.working[SPY] if order.request.stop_price]
    house.exchange.cancel(house.line.at, stop.request.client_order_id)
    house.exchange._ledger._holdings.pop(SPY)
    house.exchange._ledger._receive(house.line.at, NEW, Decimal(1), Decimal(100))
    house.until("09:40", FRIDAY)

    assert house.last(ReconciliationFailed).code is ReadOnlyCode.UNPROVEN
    assert (house.held(), house.held(NEW)) == ("1", "20" if bought else "0")
    assert [owed.symbol for owed in house.desk.owed_stops.all()] == [SPY]
    assert house.facts(PositionCorrected) == []


@pytest.mark.parametrize("more", [1, -4], ids=["more of them", "short by an odd row"])
def test_shares_that_came_and_change_are_left_to_a_person(more: int) -> None:
    """EX-25, EX-09: another quantity of them minutes later explains nothing of those that went"""
    house = a_house(RENAMED)
    house.is_off_until(SHOWN_AT - timedelta(minutes=2))
    house.restarted().until_moment(SHOWN_AT)
    becomes(house.exchange, SHOWN_AT, SPY, NEW, Fate.SURVIVE, 3, 10)
    holding = house.exchange._ledger._holdings[NEW]
    holding.cost = Decimal(700)
    house.until_moment(SHOWN_AT + timedelta(minutes=5))
    before = house.last(ReconciliationFailed).code
    holding.quantity = Quantity(holding.quantity + more)
    house.until_moment(SHOWN_AT + timedelta(minutes=10))

    assert before is ReadOnlyCode.UNPROVEN
    assert not house.desk.control.state.is_reconciled
    assert house.held() == "10"
    assert house.facts(PositionCorrected) == []


@pytest.mark.parametrize("price", ["100", "101"])
def test_a_sale_and_a_purchase_elsewhere_are_no_rename(price: str) -> None:
    """the broker lists their orders"""
    house = a_house(RENAMED)
    is_signed_for_days(house)
    house.is_off_until(at("09:31", FRIDAY))
    house.restarted().until("09:33", FRIDAY)
    trades_elsewhere(house.exchange, house.line.at, Side.SELL, str(SHARES))
    house.exchange._ledger._receive(house.line.at, NEW, SHARES, Decimal(price))
    house.until("09:40", FRIDAY)

    assert house.facts(CorporateActionApplied) == []


def test_a_sale_and_a_purchase_over_a_night_are_no_rename() -> None:
    """the desk was off: both orders are in the broker's list, and no person is asked"""
    house = a_house(RENAMED)
    house.is_off_until(at("09:31", FRIDAY))
    trades_elsewhere(house.exchange, at("09:31", FRIDAY), Side.SELL, str(SHARES))
    trades_elsewhere(house.exchange, at("09:32", FRIDAY), Side.BUY, str(SHARES), NEW)
    house.restarted().until("09:44", FRIDAY)

    assert house.facts(CorporateActionApplied) == []
    assert house.desk.control.state.is_reconciled
    assert [(p.symbol, p.strategy) for p in house.desk.ledger.positions()] == [(NEW, UNKNOWN_OWNER)]


@pytest.mark.parametrize(("days", "is_followed"), [(5, True), (8, False)])
def test_what_no_list_tells_is_left_to_a_person(days: int, is_followed: bool) -> None:
    """EX-25: a folder of a week ago; a sale and a purchase would not be in the broker's list any more

    A start in between that never saw the broker changes nothing.
    """
    house, shown_at = a_house(RENAMED), SHOWN_AT + timedelta(days=days - 1)
    house.is_off_until(shown_at - timedelta(days=2))
    becomes(house.exchange, shown_at - timedelta(days=2), SPY, NEW, Fate.CANCELLED)
    house.restarted().is_off_until(shown_at)
    house.restarted().until_moment(shown_at + timedelta(minutes=2))

    assert bool(house.facts(CorporateActionApplied)) is is_followed
    assert house.desk.control.state.is_reconciled is is_followed


@pytest.mark.parametrize("cost", ["1002", "998", "990", "1010"])
def test_as_much_money_in_another_symbol_is_no_merger(cost: str) -> None:
    """four at 250 for ten at 100, but for two tenths of a percent: an account that holds equal parts looks so"""
    house = a_house(RENAMED)
    house.is_off_until(SHOWN_AT)
    becomes(house.exchange, SHOWN_AT, SPY, NEW, Fate.SURVIVE, 2, 5)
    house.exchange._ledger._holdings[NEW].cost = Decimal(cost)
    house.restarted().until_moment(SHOWN_AT + timedelta(minutes=5))

    assert house.facts(CorporateActionApplied) == []
    assert house.last(ReconciliationFailed).code is ReadOnlyCode.UNPROVEN


def test_a_bracket_over_a_rename() -> None:
    """EX-25, EX-13: neither leg is left under the old symbol"""
    bars = [*minutes("15:40", "15:59", "100"), *minutes("09:30", "09:45", "100", day=FRIDAY, symbol=NEW)]
    house = with_receivers(House(bars, terms(), cash=Decimal(5000)), Receivers()).opens().until("15:50")
    typed = a_typed_buy(str(SHARES), limit=None, stop=str(STOP))
    house.presses(replace(typed, target_price=Price(Decimal(120)), time_in_force=TimeInForce.GTC))
    confirms_now(house)
    house.until("16:02")
    sleeps_until_it_is_shown(house, RENAMED, Fate.SURVIVE)
    house.until_moment(SHOWN_AT + timedelta(minutes=3))

    assert_moved(house, RENAMED)
    assert house.exchange._book.working.get(SPY, []) == []
    assert waiting(house) == ["10 at 90"]
    assert_can_be_rebuilt(house)


def test_alerts_and_lists_follow_the_announced_name_of_what_nobody_holds() -> None:
    """EX-25: on its day, once; a second name that is announced leaves all as it is"""
    bars = [*minutes("15:40", "15:59", "100"), *minutes("09:30", "09:45", "100", day=FRIDAY, symbol=NEW)]
    house = House(bars, terms(), cash=Decimal(5000)).opens().until("16:02")
    house.is_off_until(SHOWN_AT)
    house.restarted().until_moment(SHOWN_AT + timedelta(minutes=3))
    for command in (
        KeepAlert(AlertTerms(SPY, AlertKind.PRICE, Decimal(95), is_above=False)),
        KeepWatchlist("mine", (THIRD, SPY)),
        ListSymbol(SPY, ListKind.CLOSE_ONLY, "a merger"),
    ):
        house.presses(command)
    rename = CorporateAction(SPY, ActionKind.RENAME, FRIDAY, to=NEW)
    house.line.take(house.line.at, CorporateActionsArrived((SPY,), (rename, replace(rename, to=THIRD))))
    before = house.facts(CorporateActionApplied)
    for _ in range(2):
        house.line.take(house.line.at, CorporateActionsArrived((SPY,), (rename,)))
        passes(house, 5)

    day = house.desk.calendar.trading_day(house.line.at)
    (applied,) = house.facts(CorporateActionApplied)
    assert (before, applied.evidence, applied.to, applied.owners) == ([], ActionEvidence.ANNOUNCED, NEW, ())
    assert [alert.terms.level for alert in house.desk.alerts.of(NEW)] == [95]
    assert house.desk.watchlists.state.lists["mine"] == (THIRD, NEW)
    assert [each.reason for each in house.desk.lists.on(NEW, day)] == ["a merger"]
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize("is_dividend_late", [False, True])
def test_a_special_dividend_on_the_day_of_a_rename(*, is_dividend_late: bool) -> None:
    """EX-25, MD-09: ten SPY less 6 USD are ten NEWCO; the stop at 90 waits at 84, and the alert at 95 is at 89"""
    house = a_house(RENAMED)
    is_signed_for_days(house)
    house.presses(KeepAlert(AlertTerms(SPY, AlertKind.PRICE, Decimal(95), is_above=False)))
    rename = CorporateAction(SPY, ActionKind.RENAME, FRIDAY, to=NEW)
    paid = CorporateAction(SPY, ActionKind.SPECIAL_DIVIDEND, FRIDAY, Decimal(6))
    sleeps_until_it_is_shown(house, RENAMED, Fate.SURVIVE)
    first = (rename,) if is_dividend_late else (paid, rename)
    house.line.take(house.line.at, CorporateActionsArrived((SPY,), first))
    house.until_moment(SHOWN_AT + timedelta(minutes=3))
    house.line.take(house.line.at, CorporateActionsArrived((SPY,), (paid, rename)))
    house.until_moment(SHOWN_AT + timedelta(minutes=5))

    assert_moved(house, RENAMED)
    assert waiting(house) == ["10 at 84"]
    assert [alert.terms.level for alert in house.desk.alerts.of(NEW)] == [89]
    assert_can_be_rebuilt(house)


def test_a_split_on_the_day_of_a_spin_off() -> None:
    """EX-25: twenty SPY for ten, and two NEWCO beside them; the stop at 90 waits at 45"""
    house = a_house(RENAMED)
    is_signed_for_days(house)
    house.is_off_until(SHOWN_AT - timedelta(minutes=2))
    house.restarted().until_moment(SHOWN_AT)
    splits(house.exchange, SHOWN_AT, SPY, 2, 1, Fate.SURVIVE)
    house.exchange._ledger._receive(SHOWN_AT, NEW, Decimal(2), Decimal(60))
    house.exchange._ledger._holdings[SPY].cost -= Decimal(120)
    two = CorporateAction(SPY, ActionKind.SPLIT, FRIDAY, None, Decimal(1), Decimal(2))
    spun = CorporateAction(SPY, ActionKind.SPIN_OFF, FRIDAY, None, Decimal(10), Decimal(1), to=NEW)
    house.line.take(house.line.at, CorporateActionsArrived((SPY,), (two, spun)))
    house.until_moment(SHOWN_AT + timedelta(minutes=3))

    held = {(p.symbol, p.strategy): (p.quantity, p.cost) for p in house.desk.ledger.positions()}
    assert held == {(SPY, "manual"): (20, 880), (NEW, "manual"): (2, 120)}
    assert waiting(house) == ["20 at 45"]
    assert house.desk.control.state.is_reconciled
    assert_can_be_rebuilt(house)


def test_an_announced_name_that_the_books_contradict_is_followed_nowhere() -> None:
    """EX-25: OTHER is announced, and NEWCO came; its books are accepted, and the alert stays with the shares"""
    house = a_house(RENAMED)
    is_signed_for_days(house)
    house.presses(KeepAlert(AlertTerms(SPY, AlertKind.PRICE, Decimal(95), is_above=False)))
    other = CorporateAction(SPY, ActionKind.RENAME, FRIDAY, to=THIRD)
    sleeps_until_it_is_shown(house, RENAMED, Fate.CANCELLED)
    house.line.take(house.line.at, CorporateActionsArrived((SPY,), (other,)))
    house.until_moment(SHOWN_AT + timedelta(minutes=3))
    assert not house.desk.control.state.is_reconciled
    house.accepts(house.exchange.books(house.line.at))
    passes(house, 10)
    house.presses(KeepAlert(AlertTerms(SPY, AlertKind.PRICE, Decimal(80), is_above=False)))
    house.line.take(house.line.at, CorporateActionsArrived((SPY,), (other,)))

    assert [fact.to for fact in house.facts(CorporateActionApplied)] == [NEW]
    assert [alert.terms.level for alert in house.desk.alerts.of(NEW)] == [95]
    assert house.desk.alerts.of(THIRD) == ()
    assert_can_be_rebuilt(house)
