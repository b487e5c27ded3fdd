"""What may shrink a position that no order at the broker contradicts (EX-09)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core import facts
from core.messages.commands import OpenTicket, ProposeOrder
from core.messages.effects import Effect as Request
from core.messages.inputs import BooksFetched, Input
from core.model.broker import BrokerBooks
from core.model.codes import ReadOnlyCode
from core.model.order import Effect, OrderType, StopHolder
from core.model.values import Price, Quantity
from tests.scenarios.changes import passes
from tests.scenarios.house import House, minutes
from tests.scenarios.receivers import Receivers, settings, with_receivers
from tests.scenarios.test_exit_rules import FLAT, with_rules
from tests.unit.core.brokers.trading_floor import SPY


def a_house(holder: StopHolder, *, unattended: bool = False) -> House:
    """It is 10:02: 0.1 is held, and no order of ours works at the broker."""
    terms = with_rules().model_copy(update={"notify": settings().notify})
    house = with_receivers(House(minutes("09:55", "10:40", FLAT), terms), Receivers()).opens().until("10:00:30")
    its, limit = Quantity(Decimal("0.1")), Price(Decimal("99.60"))
    house.presses(ProposeOrder(SPY, Effect.OPEN, its, OrderType.LIMIT, limit, Price(Decimal("97.00")), holder))
    house.presses(OpenTicket(house.proposal.id, unattended=unattended))
    passes(house, 1)
    house.confirms()
    house.until("10:02:30")
    assert house.held() == "0.1"
    return house


def empty(told: Input) -> Input:
    is_books = isinstance(told, BooksFetched) and isinstance(told.answer, BrokerBooks)
    return replace(told, answer=replace(told.answer, positions=())) if is_books else told  # type: ignore[type-var]


def lists_nothing(house: House) -> None:
    """From here on the broker lists no position."""
    ask = house.line.ask

    def lie(effect: Request) -> Input:
        return empty(ask(effect))

    house.line.ask = lie  # type: ignore[method-assign]


def urgent(house: House) -> list[str]:
    return [f.notice.words for f in house.facts(facts.NotificationDue) if f.notice.is_urgent]


@pytest.mark.parametrize(("holder", "unattended"), [(StopHolder.DESK, False), (StopHolder.DESK, True)])
def test_shares_that_this_desk_guards_wait_for_a_person(holder: StopHolder, unattended: bool) -> None:
    """EX-09, OP-06: a correction would end the stop that the operator signed"""
    house = a_house(holder, unattended=unattended)
    lists_nothing(house)
    house.until("10:12")

    assert house.held() == "0.1"
    assert house.last(facts.ReconciliationFailed).code is ReadOnlyCode.UNPROVEN
    assert len(urgent(house)) >= 1
    del house.line.ask  # type: ignore[attr-defined]
    house.until("10:15")
    assert house.desk.control.state.is_reconciled


def test_two_agreeing_readings_are_believed_and_told() -> None:
    """EX-09: nothing guards them; nothing explains it"""
    house = a_house(StopHolder.YOU)
    lists_nothing(house)
    house.until("10:05")

    (corrected,) = house.facts(facts.PositionCorrected)
    assert (house.held(), corrected.unexplained) == ("0", Decimal("0.1"))
    assert any(corrected.reason in words for words in urgent(house))
