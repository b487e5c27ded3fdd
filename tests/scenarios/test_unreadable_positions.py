"""A position of which the broker's row cannot be read is neither nothing nor known, and stops nothing but entries."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.facts import PositionCorrected, ProposalSkipped, ReconciliationPassed
from core.messages.commands import Kill, ProposeClose
from core.messages.effects import Effect
from core.messages.inputs import BooksFetched, Input
from core.model.broker import BrokerBooks, UnreadablePosition
from core.model.notice import Severity
from core.model.order import Side
from core.model.reconciliation import DifferenceKind
from core.model.values import Symbol
from core.runtime.virtual import VirtualRuntime
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.elsewhere import trades_elsewhere
from tests.scenarios.house import STEADY, House, a_house_in_a_position, a_typed_buy
from tests.scenarios.receivers import Receivers, settings, with_receivers
from tests.scenarios.requests import CANCEL, requested
from tests.scenarios.test_owed_notices import row_of
from tests.unit.core.brokers.trading_floor import SPY

IBM = Symbol("IBM")
LONG = ("10:06", "10:40", STEADY)


def with_unread(house: House, *symbols: Symbol | None) -> None:
    """From the next comparison on the broker's rows of these cannot be read."""
    ask = VirtualRuntime.ask
    unread = tuple(UnreadablePosition(symbol, "a position: side 'sideways' is unknown here") for symbol in symbols)

    def asked(effect: Effect) -> Input:
        reply = ask(house.line, effect)
        if isinstance(reply, BooksFetched) and isinstance(reply.answer, BrokerBooks):
            readable = tuple(
                held for held in reply.answer.positions if held.symbol not in symbols and None not in symbols
            )
            return BooksFetched(replace(reply.answer, positions=readable, unreadable_positions=unread))
        return reply

    house.line.ask = asked  # type: ignore[method-assign]
    house.desk.sightings.books_are_wanted = True


def a_house(receivers: Receivers | None = None) -> House:
    return with_receivers(a_house_in_a_position(LONG, settings=settings()), receivers or Receivers())


@pytest.mark.parametrize("symbol", [SPY, None])
def test_an_unreadable_position_is_not_nothing(symbol: Symbol | None) -> None:
    """EX-09, SY-03: our books and its stop stand, it is marked and told, and nothing opens"""
    receivers = Receivers()
    house = a_house(receivers)
    with_unread(house, symbol)
    house.until("10:10")

    (found,) = house.last(ReconciliationPassed).differences
    assert (found.kind, found.local) == (DifferenceKind.UNREADABLE_POSITION, "0.502" if symbol else None)
    assert (house.held(), house.facts(PositionCorrected), CANCEL in requested(house)) == ("0.502", [], False)
    assert [stop.is_working for stop in house.stops] == [True]
    assert (row_of(house).is_unread, row_of(house).covered) == (True, Decimal("0.502"))
    assert house.desk.notifications.state.matters[f"position {found.symbol}"].notice.severity is Severity.URGENT
    assert len([sent for sent in receivers.heard if sent.is_urgent]) == 1
    house.presses(a_typed_buy())
    assert len(house.facts(ProposalSkipped)) == 1

    with_unread(house)
    house.until("10:12")
    house.presses(a_typed_buy())
    assert (house.last(ReconciliationPassed).differences, row_of(house).is_unread) == ((), False)
    assert len(house.facts(ProposalSkipped)) == 1


@pytest.mark.parametrize("is_killed", [False, True])
@pytest.mark.parametrize("symbol", [IBM, SPY])
def test_exits_go_on_beside_an_unreadable_position(symbol: Symbol, is_killed: bool) -> None:
    """EX-09, EX-21, OP-07: of every other symbol, and of itself by our own books"""
    house = a_house()
    with_unread(house, symbol)
    house.until("10:10")
    if is_killed:
        house.presses(Kill("key"))
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 10)

    assert (house.held(), house.held_by_the_broker()) == ("0", "0")


def test_other_symbols_are_compared_beside_it() -> None:
    """EX-09, EX-13: what differs there is corrected"""
    house = a_house()
    trades_elsewhere(house.exchange, house.line.at, Side.SELL, "0.002", SPY)
    with_unread(house, IBM)
    house.until("10:12")

    assert (house.held(), len(house.facts(PositionCorrected))) == ("0.5", 1)
    assert [found.symbol for found in house.last(ReconciliationPassed).differences if found.is_error] == [IBM]
