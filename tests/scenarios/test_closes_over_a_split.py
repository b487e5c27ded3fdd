"""A close that a split overtakes: its quantities are of the shares before it (EX-21)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.facts import AuthorizationEnded, CorporateActionApplied, Fact, OwnerQuantity, OwnerShare, PositionCorrected
from core.messages.effects import CancelOrder
from core.model.codes import AuthorizationCode
from core.model.staging import AuthorizationKind
from core.model.values import Price, Quantity
from tests.scenarios.changes import passes
from tests.scenarios.house import House, a_house_in_a_position, assert_can_be_rebuilt
from tests.scenarios.receivers import look
from tests.scenarios.test_held_exits import confirms_a_close, holding, stop_of
from tests.scenarios.test_limited_queries import HOURS, leaving
from tests.scenarios.test_owed_stops import waiting
from tests.scenarios.test_stops_after_a_close import Way, exits, holding_six, working
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY

TWO = Decimal(2)
LONG = Way(is_long=True)


def is_split(house: House, *, in_the_books: bool = False) -> None:
    """Two for one, by the broker's activity or first by its books."""
    (held,) = house.desk.ledger.positions()
    after, average = Quantity(held.quantity * TWO), Price(held.average_price / TWO)
    fact: Fact = CorporateActionApplied(
        (), THURSDAY, SPY, TWO, held.quantity, after, (OwnerQuantity(held.strategy, after, TWO),)
    )
    if in_the_books:
        owner = OwnerShare(held.strategy, after, average, TWO)
        fact = PositionCorrected(SPY, after, average, "a split", (owner,), is_split=True)
    house.engine.state.record(fact)
    look(house)


def ends_of_closes(house: House) -> list[AuthorizationCode]:
    ended = house.facts(AuthorizationEnded)
    return [fact.code for fact in ended if fact.authorization_id.endswith(AuthorizationKind.CLOSE.value)]


@pytest.mark.parametrize("in_the_books", [False, True], ids=["activity", "books"])
def test_a_close_held_over_a_split_ends_with_a_word(in_the_books: bool) -> None:
    """EX-21, RK-24: it waits for room, and would sell half; its stop stays"""
    house = holding()
    is_split(house, in_the_books=in_the_books)
    passes(house, 5)

    assert ends_of_closes(house) == [AuthorizationCode.REFUSED]
    assert stop_of(house) == (True, False)
    assert not [1 for effect in leaving(house) if isinstance(effect, CancelOrder)]


def test_a_close_begun_before_a_split_ends_with_a_word() -> None:
    """EX-21: its stop is being cancelled; nothing is sold, and a stop is put back"""
    house = a_house_in_a_position(HOURS)
    house.line.breaks_at(CancelOrder, arrives=False)
    confirms_a_close(house)
    sold = len([1 for request in house.sent() if request[:3] == ("submit", "sell", "market")])
    is_split(house)
    passes(house, 5)

    assert ends_of_closes(house) == [AuthorizationCode.REFUSED]
    assert sold == len([1 for request in house.sent() if request[:3] == ("submit", "sell", "market")]) == 0


def test_the_stop_beside_a_sale_follows_a_split() -> None:
    """EX-21, OP-02: six are twelve, six of them are for sale; the others' stop waits for a key, at half its price"""
    house = holding_six(LONG)
    exits(house, LONG, "101")
    before = (working(house), waiting(house))
    is_split(house)
    passes(house, 2)

    assert before == (["sell limit 6 101"], [])
    assert (working(house), waiting(house)) == (["sell limit 6 101"], ["6 at 49.5"])
    assert_can_be_rebuilt(house)
