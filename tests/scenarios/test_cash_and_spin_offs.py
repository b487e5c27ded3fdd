"""Mergers for shares and cash, spin-offs and special dividends (EX-25, MD-09).

The expected figures are computed here from ten shares at 100 USD with a stop at 90.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from core.facts import CorporateActionApplied, NotificationDue, PositionCorrected, TradeClosed
from core.messages.commands import ProposeClose
from core.messages.desk_commands import KeepAlert
from core.messages.inputs import CorporateActionsArrived
from core.model.alert import AlertKind, AlertTerms
from core.model.codes import OwedReason
from core.model.reference_data import ActionKind, CorporateAction
from core.model.values import Price, Symbol
from tests.kit.splits import Fate, becomes
from tests.scenarios import test_splits
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt
from tests.scenarios.test_announced_moves import announced, is_left_to_a_person
from tests.scenarios.test_owed_stops import waiting
from tests.scenarios.test_renames import NEW, RENAMED, a_house, stops
from tests.scenarios.test_splits import FRIDAY, MONDAY, SHOWN_AT, Split, is_signed_for_days, urgent
from tests.unit.core.brokers.trading_floor import SPY, at

CASH = Decimal(10)
HALVED = Split(1, 2)
BOTH = CorporateAction(SPY, ActionKind.MERGER, FRIDAY, CASH, Decimal(2), Decimal(1), to=NEW)
"""Half a share and 10 USD for each: five at 180, and a stop at 160."""
SPIN_OFF = CorporateAction(SPY, ActionKind.SPIN_OFF, FRIDAY, None, Decimal(4), Decimal(1), to=NEW)
"""A quarter of a share beside each: two, and half a one in cash."""
SPECIAL = CorporateAction(SPY, ActionKind.SPECIAL_DIVIDEND, FRIDAY, Decimal(6))
LATER = SHOWN_AT + timedelta(minutes=3)


def merges(house: House, fate: Fate) -> None:
    """Half a share and the cash for each share, at a cost that is less by the cash."""
    becomes(house.exchange, SHOWN_AT, SPY, NEW, fate, 1, 2)
    holding = house.exchange._ledger._holdings[NEW]
    house.exchange._ledger.cash += CASH * 10
    holding.cost -= CASH * 10


def spins_off(house: House, shares: str, cost: str) -> None:
    """The new shares take so much of the cost."""
    ledger = house.exchange._ledger
    ledger._receive(SHOWN_AT, NEW, Decimal(shares), Decimal(cost) / abs(Decimal(shares)))
    ledger._holdings[SPY].cost -= Decimal(cost)


def sleeps(house: House, *, is_up: bool) -> None:
    is_signed_for_days(house)
    house.is_off_until(SHOWN_AT - timedelta(minutes=2) if is_up else SHOWN_AT)
    if is_up:
        house.restarted().until_moment(SHOWN_AT)


@pytest.mark.parametrize("fate", [Fate.SURVIVE, Fate.CANCELLED])
@pytest.mark.parametrize("is_up", [True, False], ids=["up", "down"])
def test_shares_and_cash_for_shares(fate: Fate, is_up: bool) -> None:
    """Five at 180 are held; the stop of the same value waits."""
    house = a_house(HALVED)
    sleeps(house, is_up=is_up)
    merges(house, fate)
    if not is_up:
        house.restarted()
    announced(house, BOTH)
    house.until_moment(LATER)

    (held,) = house.desk.ledger.positions()
    assert (held.symbol, held.quantity, held.average_price) == (NEW, 5, 180)
    assert (stops(house, SPY), stops(house, NEW), waiting(house)) == ([], [], ["5 at 160"])
    assert [o.why for o in house.desk.owed_stops.all()] == [OwedReason.WAITS_FOR_KEY]
    assert (house.facts(TradeClosed), house.desk.control.state.is_reconciled) == ([], True)
    assert urgent(house)
    assert_can_be_rebuilt(house)

    confirms_now(house)
    house.until("09:44", FRIDAY)
    assert (stops(house, NEW), house.desk.owed_stops.all()) == (["5 at 160"], ())


def test_more_cash_than_the_shares_cost_is_left_to_a_person() -> None:
    """The gain is real, and nobody has a stop for it."""
    house = a_house(RENAMED)
    sleeps(house, is_up=True)
    becomes(house.exchange, SHOWN_AT, SPY, NEW, Fate.SURVIVE, 1, 2)
    house.exchange._ledger._holdings[NEW].cost = Decimal(1)
    announced(house, CorporateAction(SPY, ActionKind.MERGER, FRIDAY, Decimal(100), Decimal(2), Decimal(1), to=NEW))
    house.until_moment(LATER)

    assert is_left_to_a_person(house)
    assert stops(house, SPY) == ["10 at 90"]


@pytest.mark.parametrize("is_up", [True, False], ids=["up", "down"])
def test_shares_of_a_spin_off_belong_to_the_owner(is_up: bool) -> None:
    """Two at 60 beside ten at 88: 1,000 USD in all. They have no stop, and that is told."""
    house = a_house(RENAMED)
    sleeps(house, is_up=is_up)
    spins_off(house, "2", "120")
    if not is_up:
        house.restarted()
    announced(house, SPIN_OFF)
    house.until_moment(LATER)

    held = {(p.symbol, p.strategy): (p.quantity, p.average_price) for p in house.desk.ledger.positions()}
    assert held == {(SPY, "manual"): (10, 88), (NEW, "manual"): (2, 60)}
    assert sum(p.cost for p in house.desk.ledger.positions()) == 1000
    assert stops(house, SPY) == ["10 at 90"]
    assert [words for words in urgent(house) if "2 came by the spin-off from SPY" in words]
    assert house.desk.control.state.is_reconciled
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize("moved", ["120", "0"])
def test_a_spin_off_from_a_symbol_that_is_renamed_on_its_day(moved: str) -> None:
    """Ten SPY are ten NEWCO, and two SPUN came beside them: as of the same owner, and told without a stop."""
    spun = Symbol("SPUN")
    house = a_house(RENAMED)
    sleeps(house, is_up=True)
    becomes(house.exchange, SHOWN_AT, SPY, NEW, Fate.CANCELLED, 1, 1)
    house.exchange._ledger._receive(SHOWN_AT, spun, Decimal(2), Decimal(60))
    house.exchange._ledger._holdings[NEW].cost -= Decimal(moved)
    house.line.take(
        house.line.at,
        CorporateActionsArrived(
            (SPY,), (CorporateAction(SPY, ActionKind.RENAME, FRIDAY, to=NEW), replace(SPIN_OFF, to=spun))
        ),
    )
    house.until_moment(LATER)

    held = {(p.symbol, p.strategy): (p.quantity, p.average_price) for p in house.desk.ledger.positions()}
    assert held == {(NEW, "manual"): (10, 100 - Decimal(moved) / 10), (spun, "manual"): (2, 60)}
    assert waiting(house) == ["10 at 90"]
    assert [words for words in urgent(house) if "2 came by the spin-off from NEWCO" in words]
    assert house.desk.control.state.is_reconciled
    assert_can_be_rebuilt(house)


def test_a_spin_off_whose_cost_stays_leaves_the_source_alone() -> None:
    """The broker lists the new shares at a price and leaves the source's average."""
    house = a_house(RENAMED)
    sleeps(house, is_up=True)
    spins_off(house, "2", "120")
    house.exchange._ledger._holdings[SPY].cost += Decimal(120)
    announced(house, SPIN_OFF)
    house.until_moment(LATER)

    held = {p.symbol: (p.quantity, p.average_price) for p in house.desk.ledger.positions()}
    assert held == {SPY: (10, 100), NEW: (2, 60)}
    assert [fact.symbol for fact in house.facts(PositionCorrected)] == [NEW]


def test_another_number_of_new_shares_is_no_spin_off() -> None:
    """Three came, and two were due: they belong to nobody."""
    house = a_house(RENAMED)
    sleeps(house, is_up=True)
    spins_off(house, "3", "120")
    announced(house, SPIN_OFF)
    house.until_moment(LATER)

    assert {p.symbol: p.strategy for p in house.desk.ledger.positions()} == {SPY: "manual", NEW: "broker"}


@pytest.mark.parametrize("is_held", [True, False])
def test_a_special_dividend_lowers_what_is_compared_with_today(is_held: bool) -> None:
    """Closes and an alert count less it; the stop at the broker stays, and that is told."""
    house = a_house(RENAMED)
    if is_held:
        sleeps(house, is_up=False)
    else:
        house.exchange._ledger._holdings.pop(SPY)
        house.is_off_until(SHOWN_AT)
    house.restarted()
    house.presses(KeepAlert(AlertTerms(SPY, AlertKind.PRICE, Decimal(95), is_above=False)))
    house.until_moment(SHOWN_AT + timedelta(seconds=90))
    before = [close for _, close in house.desk.price_history.state.closes[SPY]]
    announced(house, SPECIAL)
    announced(house, SPECIAL)
    house.until_moment(LATER)

    (paid,) = house.facts(CorporateActionApplied)
    assert (paid.is_dividend, paid.cash, paid.owners) == (True, 6, ())
    assert [close for _, close in house.desk.price_history.state.closes[SPY]] == [close - 6 for close in before]
    (alert,) = house.desk.alerts.of(SPY)
    assert alert.terms.level == 89
    assert house.held() == ("10" if is_held else "0")
    assert stops(house, SPY) == (["10 at 90"] if is_held else [])
    told = [fact.notice.words for fact in house.facts(NotificationDue) if "special dividend" in fact.notice.words]
    assert len(told) == is_held
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize(("then", "cash", "level"), [("8", [6, 2], 87), ("4", [6, -2], 91), (None, [6, -6], 95)])
def test_a_dividend_that_is_announced_anew_counts_by_the_difference(
    then: str | None, cash: list[int], level: int
) -> None:
    """6 USD were counted on its day; then it is another amount, or withdrawn: closes, the alert and what is signed."""
    house = a_house(RENAMED)
    sleeps(house, is_up=True)
    house.presses(KeepAlert(AlertTerms(SPY, AlertKind.PRICE, Decimal(95), is_above=False)))
    before = [close for _, close in house.desk.price_history.state.closes[SPY]]
    announced(house, SPECIAL)
    passes(house, 60)
    for _ in range(2):
        announced(house, *([] if then is None else [replace(SPECIAL, cash=Decimal(then))]))
        passes(house, 60)
    due = Decimal(then or 0)

    assert [fact.cash for fact in house.facts(CorporateActionApplied)] == cash
    assert [close for _, close in house.desk.price_history.state.closes[SPY]] == [close - due for close in before]
    (alert,), (stop,) = house.desk.alerts.of(SPY), house.desk.ledger.working_exits()
    assert (alert.terms.level, stop.rescaling.cash) == (level, due)
    assert (stops(house, SPY), house.held()) == (["10 at 90"], "10")
    assert_can_be_rebuilt(house)


def test_a_dividend_that_is_announced_anew_on_a_later_day_counts_by_the_difference() -> None:
    """6 USD were counted on Friday, and 8 are announced on Monday: what was set since is of prices without it."""
    house = a_house(RENAMED)
    sleeps(house, is_up=True)
    house.presses(KeepAlert(AlertTerms(SPY, AlertKind.PRICE, Decimal(95), is_above=False)))
    before = [close for _, close in house.desk.price_history.state.closes[SPY]]
    announced(house, SPECIAL)
    house.until("09:20", MONDAY)
    house.presses(KeepAlert(AlertTerms(SPY, AlertKind.PRICE, Decimal(80), is_above=False)))
    passes(house, 60)
    announced(house, replace(SPECIAL, cash=Decimal(8)))
    announced(house, replace(SPECIAL, cash=Decimal(8)))

    assert [(fact.day, fact.cash) for fact in house.facts(CorporateActionApplied)] == [(FRIDAY, 6), (FRIDAY, 2)]
    closes = [close for start, close in house.desk.price_history.state.closes[SPY] if start < SHOWN_AT]
    assert closes == [close - 8 for close in before]
    assert [alert.terms.level for alert in house.desk.alerts.of(SPY)] == [87, 80]
    assert_can_be_rebuilt(house)


def test_a_list_with_an_unreadable_row_withdraws_no_dividend() -> None:
    """It may be the row of the dividend."""
    house = a_house(RENAMED)
    sleeps(house, is_up=True)
    announced(house, SPECIAL)
    house.line.take(house.line.at, CorporateActionsArrived((SPY,), (), is_whole=False))

    assert [fact.cash for fact in house.facts(CorporateActionApplied)] == [6]


def test_a_dividend_and_a_spin_off_of_one_day_both_count() -> None:
    """MD-09: the cash is known, and the part is not."""
    house = a_house(RENAMED)
    sleeps(house, is_up=True)
    for _ in range(2):
        announced(house, SPECIAL, SPIN_OFF)
        passes(house, 60)

    assert sorted(fact.cash or 0 for fact in house.facts(CorporateActionApplied)) == [0, 6]
    assert_can_be_rebuilt(house)


@pytest.mark.parametrize(("cash", "is_counted"), [("99.99", True), ("100", False), ("1000000000", False)])
def test_a_dividend_of_more_than_the_price_counts_nowhere(cash: str, is_counted: bool) -> None:
    """The last close is 100."""
    house = a_house(RENAMED)
    sleeps(house, is_up=True)
    announced(house, replace(SPECIAL, cash=Decimal(cash)))
    passes(house, 1)

    assert len(house.facts(CorporateActionApplied)) == is_counted


@pytest.mark.parametrize(("cash", "is_booked"), [("2000", True), ("2000.01", False), ("1000000000", False)])
def test_a_payout_beyond_belief_is_booked_nowhere(cash: str, is_booked: bool) -> None:
    """Ten shares at 100 are gone, and none of their orders is left."""
    house = a_house(RENAMED)
    sleeps(house, is_up=True)
    (booked,) = house.exchange._book.working[SPY]
    house.exchange.cancel(SHOWN_AT, booked.request.client_order_id)
    house.exchange._ledger._holdings.pop(SPY)
    announced(house, CorporateAction(SPY, ActionKind.MERGER, FRIDAY, Decimal(cash)))
    house.until_moment(LATER)

    assert len(house.facts(TradeClosed)) == is_booked


@pytest.mark.parametrize(("average", "owner"), [("100", "manual"), ("101", "broker")])
def test_shares_that_come_minutes_after_others_left(average: str, owner: str) -> None:
    """Nothing is announced; the stop was cancelled, and ten left without a word. Ten of another symbol come later."""
    house = a_house(RENAMED)
    sleeps(house, is_up=True)
    (booked,) = house.exchange._book.working[SPY]
    house.exchange.cancel(SHOWN_AT, booked.request.client_order_id)
    house.exchange._ledger._holdings.pop(SPY)
    house.until_moment(LATER)
    assert house.desk.ledger.positions() == ()
    house.exchange._ledger._receive(LATER, NEW, Decimal(10), Decimal(average))
    house.until("09:34", FRIDAY)

    (held,) = house.desk.ledger.positions()
    assert (held.symbol, held.strategy, held.quantity) == (NEW, owner, 10)
    told = [fact for fact in house.facts(NotificationDue) if "came at the cost of SPY" in fact.notice.words]
    assert len(told) == (owner == "manual")
    assert_can_be_rebuilt(house)


def test_a_special_dividend_withdraws_a_proposal_of_before() -> None:
    """An entry was typed before the desk knew of it; the close of what is held stays."""
    house = test_splits.a_house(RENAMED)
    is_signed_for_days(house)
    house.is_off_until(at("09:31", FRIDAY))
    house.restarted().until("09:33:50", FRIDAY)
    house.presses(a_typed_buy("1", limit="100", stop="90"))
    house.presses(ProposeClose(SPY))
    passes(house, 1)
    staged = [proposal.is_exit for proposal in house.desk.stage.proposals()]
    announced(house, SPECIAL)
    passes(house, 1)

    assert sorted(staged) == [False, True]
    assert [proposal.is_exit for proposal in house.desk.stage.proposals()] == [True]


def test_a_stop_that_the_broker_lowered_is_followed() -> None:
    """90 was made 84 at the broker, as its rule asks."""

    house = a_house(RENAMED)
    sleeps(house, is_up=True)
    announced(house, SPECIAL)
    (booked,) = house.exchange._book.working[SPY]
    booked.request = replace(booked.request, stop_price=Price(Decimal(84)))
    house.exchange._book._has_changed(booked)
    house.until_moment(LATER)

    (stop,) = house.desk.ledger.working_exits()
    assert (stop.request.stop_price, stop.is_before_split, house.desk.owed_stops.all()) == (84, False, ())


def test_the_day_of_a_spin_off_begins_anew() -> None:
    """MD-09: nobody knows what the part is worth: ranges and closes of before count no more, and no entry waits on."""
    house = test_splits.a_house(RENAMED)
    is_signed_for_days(house)
    house.is_off_until(at("09:31", FRIDAY))
    house.restarted().until("09:33:50", FRIDAY)
    house.presses(a_typed_buy("1", limit="100", stop="90"))
    passes(house, 1)
    announced(house, SPIN_OFF)
    announced(house, SPIN_OFF)
    passes(house, 1)
    moves = house.desk.sizing.ranges.state.by_symbol[SPY]

    (begun,) = house.facts(CorporateActionApplied)
    assert (begun.is_spin_off, begun.owners, begun.split_ratio) == (True, (), None)
    assert (moves.began, moves.bars, moves.closes) == (FRIDAY, 0, [])
    assert house.desk.stage.proposals() == ()
    assert (house.held(), stops(house, SPY)) == ("10", ["10 at 90"])
    house.until("09:40", FRIDAY)
    assert house.desk.sizing.ranges.state.by_symbol[SPY].bars > 0
    assert_can_be_rebuilt(house)
