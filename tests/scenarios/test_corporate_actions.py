"""Dividends and splits that come: of what is followed, in the picture and on tickets; nothing is decided by them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core import event_text
from core.facts import ActionEvidence, CorporateActionApplied, OwnerQuantity
from core.messages.inputs import CorporateActionsArrived
from core.model.reference_data import ActionKind, CorporateAction, coming, in_words, near_until
from core.model.values import Quantity, Symbol
from core.views.builders.desk import ViewBuilder
from core.views.builders.symbols import action_rows, said_on_a_ticket
from core.views.rows import near
from tests.scenarios.house import House, a_house_in_a_position, a_house_with_a_proposal
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY

FRIDAY, MONDAY, TUESDAY = (THURSDAY + timedelta(days=days) for days in (1, 4, 5))
PAID = Decimal("1.82")
RATIOS = (Decimal(2), Decimal("1.5"), Decimal("0.1"), Decimal(1) / 3)


def dividend(day: date, symbol: Symbol = SPY) -> CorporateAction:
    return CorporateAction(symbol, ActionKind.CASH_DIVIDEND, day, PAID)


def split(day: date, symbol: Symbol = SPY) -> CorporateAction:
    return CorporateAction(symbol, ActionKind.SPLIT, day, None, Decimal(1), Decimal(4))


def is_told(house: House, *actions: CorporateAction) -> None:
    symbols = tuple(dict.fromkeys(action.symbol for action in actions)) or (SPY,)
    house.line.take(house.line.at, CorporateActionsArrived(symbols, actions))


def test_near_reaches_two_sessions_ahead() -> None:
    house = a_house_in_a_position()
    assert near_until(house.calendar, house.line.at) == MONDAY

    is_told(house, dividend(TUESDAY), split(MONDAY), dividend(THURSDAY), dividend(THURSDAY - timedelta(days=1)))
    rows = action_rows(house.desk, house.line.at)
    assert [(row.action.ex_date, row.is_near) for row in rows] == [(THURSDAY, True), (MONDAY, True), (TUESDAY, False)]
    assert near(rows, SPY) == rows[0]
    assert near(rows, IBM) is None


def test_newer_actions_replace_those_of_the_symbol() -> None:
    house = a_house_in_a_position()
    is_told(house, dividend(FRIDAY), dividend(FRIDAY, IBM))
    is_told(house)
    assert [row.action.symbol for row in action_rows(house.desk, house.line.at)] == [IBM]
    assert ViewBuilder(house.engine).draw(house.line.at).actions == action_rows(house.desk, house.line.at)


def test_ticket_shows_actions_of_two_sessions(snapshot: SnapshotAssertion) -> None:
    """OP-03"""
    house = a_house_with_a_proposal()
    is_told(house, dividend(FRIDAY), split(MONDAY), split(TUESDAY))
    house.opens_ticket()
    house.until("10:06:02")
    order = house.ticket.order
    paid = order.instrument.notional(order.quantity, PAID)  # type: ignore[arg-type]

    (view,) = ViewBuilder(house.engine).draw(house.line.at).tickets
    assert f"{paid:.2f} USD" in view.actions[0]
    assert view.actions == snapshot
    assert said_on_a_ticket(house.desk, order, house.line.at) == view.actions


def test_actions_decide_and_record_nothing() -> None:
    """OP-01: who decides by it is the person who reads it."""
    house = a_house_with_a_proposal()
    before = len([*house.journal.records()])
    is_told(house, dividend(FRIDAY))
    assert len([*house.journal.records()]) == before
    house.opens_ticket()
    house.until("10:06:02").confirms()
    house.until("10:08")
    assert house.held() != "0"


def test_texts_of_actions(snapshot: SnapshotAssertion) -> None:
    merger = CorporateAction(SPY, ActionKind.MERGER, FRIDAY)
    assert [in_words(action) for action in (dividend(FRIDAY), split(FRIDAY), merger)] == snapshot
    assert coming([split(MONDAY), dividend(FRIDAY), split(THURSDAY)], FRIDAY) == [dividend(FRIDAY), split(MONDAY)]


def test_texts_of_splits(snapshot: SnapshotAssertion) -> None:
    """EX-25: followed; had already; left to a person, with our quantity; announced"""
    ten, forty = Quantity(Decimal(10)), Quantity(Decimal(40))
    moved = CorporateActionApplied((), FRIDAY, SPY, Decimal(4), ten, forty, (OwnerQuantity("vwap", forty),), ten)
    facts = (
        moved,
        replace(moved, evidence=ActionEvidence.BOOKS),
        replace(moved, owners=(), ours=forty),
        replace(moved, owners=(), quantity_before=Quantity(Decimal(20)), ours=ten),
        *(replace(moved, owners=(), ratio=ratio, evidence=ActionEvidence.ANNOUNCED) for ratio in RATIOS),
    )
    assert [event_text.in_words(fact) for fact in facts] == snapshot
