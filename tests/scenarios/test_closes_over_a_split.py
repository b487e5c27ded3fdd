"""A close that a split overtakes: its quantities are of the shares before it (EX-21)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.execution.corporate_actions import action_in_books
from core.facts import ActionEvidence, AuthorizationEnded
from core.messages.effects import CancelOrder
from core.model.codes import AuthorizationCode
from core.model.staging import AuthorizationKind
from tests.kit.splits import Fate, splits
from tests.scenarios.changes import passes
from tests.scenarios.house import House, a_house_in_a_position, assert_can_be_rebuilt
from tests.scenarios.receivers import look
from tests.scenarios.test_held_exits import confirms_a_close, holding
from tests.scenarios.test_limited_queries import HOURS
from tests.scenarios.test_owed_stops import waiting
from tests.scenarios.test_stops_after_a_close import Way, exits, holding_six, working
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY

LONG = Way(is_long=True)


def is_split(house: House, *, in_the_books: bool = False) -> None:
    """Two for one, by the broker's activity or first by its books; its orders stay as they are."""
    splits(house.exchange, house.line.at, SPY, 2, 1, Fate.SURVIVE)
    (theirs,) = house.exchange.books(house.line.at).positions
    fact = action_in_books(house.desk.ledger.positions_in(SPY), theirs, THURSDAY, Decimal(0))
    assert fact is not None
    house.engine.state.record(fact if in_the_books else replace(fact, evidence=ActionEvidence.ACTIVITY))
    look(house)


def sales(house: House) -> int:
    return len([1 for request in house.sent() if request[:3] == ("submit", "sell", "market")])


def ends_of_closes(house: House) -> list[AuthorizationCode]:
    ended = house.facts(AuthorizationEnded)
    return [fact.code for fact in ended if fact.authorization_id.endswith(AuthorizationKind.CLOSE.value)]


@pytest.mark.parametrize("in_the_books", [False, True], ids=["activity", "books"])
def test_a_close_held_over_a_split_ends_with_a_word(in_the_books: bool) -> None:
    """EX-21, RK-24: it waits for room, and would sell half; the stop for today's shares waits for a key"""
    house = holding()
    is_split(house, in_the_books=in_the_books)
    passes(house, 60)

    assert ends_of_closes(house) == [AuthorizationCode.REFUSED]
    assert sales(house) == 0
    assert (working(house), waiting(house)) == ([], ["1.004 at 49.65"])


def test_a_close_begun_before_a_split_ends_with_a_word() -> None:
    """EX-21: its stop is being cancelled; nothing is sold, and the stop for today's shares waits for a key"""
    house = a_house_in_a_position(HOURS)
    house.line.breaks_at(CancelOrder, arrives=False)
    confirms_a_close(house)
    sold = sales(house)
    is_split(house)
    passes(house, 60)

    assert ends_of_closes(house) == [AuthorizationCode.REFUSED]
    assert sold == sales(house) == 0
    assert (working(house), waiting(house)) == ([], ["1.004 at 49.65"])


def test_the_sale_at_a_limit_and_its_stop_follow_a_split() -> None:
    """EX-21, EX-25: six are twelve; the sale at 101 is cancelled, and a stop for all of them waits at half its price"""
    house = holding_six(LONG)
    exits(house, LONG, "101")
    before = (working(house), waiting(house))
    is_split(house)
    passes(house, 20)

    assert before == (["sell limit 6 101"], [])
    assert (working(house), waiting(house)) == ([], ["12 at 49.5"])
    assert_can_be_rebuilt(house)
