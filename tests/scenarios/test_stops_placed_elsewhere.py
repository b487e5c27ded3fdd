"""A stop of ours is moved, or exchanged for another, with the broker's own app: who holds it is told (EX-13, EX-22)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from core.facts import NotificationDue, StopOwed
from core.model.codes import OwedReason
from core.model.notice import NoticeKind, Severity
from core.model.order import OrderStatus
from core.model.values import ClientOrderId, Price, Quantity
from tests.scenarios.changes import passes
from tests.scenarios.house import House
from tests.scenarios.receivers import Receivers, with_receivers
from tests.scenarios.requests import requested
from tests.scenarios.test_leaving_orders import holding
from tests.scenarios.test_owed_notices import row_of

ELSEWHERE = ClientOrderId("typed-in-the-app")


def moves_it_on_the_phone(house: House, shares: str = "6", *, in_one_step: bool = True) -> None:
    """Ours is replaced there by a lower one, or cancelled before that one is placed."""
    stop = house.stops[0]
    terms = {"client_order_id": ELSEWHERE, "stop_price": Price(Decimal("99.20")), "quantity": Quantity(Decimal(shares))}
    moved = replace(stop.request, **terms, replaces=stop.id if in_one_step else None)
    if in_one_step:
        house.exchange.replace(house.line.at, moved)
    else:
        house.exchange.cancel(house.line.at, stop.id)
        house.exchange.submit(house.line.at, moved)
    passes(house, 30)


def notices(house: House) -> list[Severity]:
    told = [fact.notice for fact in house.facts(NotificationDue)]
    return [notice.severity for notice in told if notice.kind is NoticeKind.STOP]


@pytest.mark.parametrize("in_one_step", [True, False])
def test_a_stop_placed_elsewhere_calls_nobody(in_one_step: bool) -> None:
    """EX-13, EX-22, SY-03: its holder is told, not urgently, and no second stop is sent"""
    house = holding()
    sent = len(requested(house))
    moves_it_on_the_phone(house, in_one_step=in_one_step)
    row = row_of(house)

    assert [fact.why for fact in house.facts(StopOwed)] == [OwedReason.HELD_ELSEWHERE]
    assert notices(house) == [Severity.INFO]
    assert (row.owed_why, row.calls_a_person, row.covered) == (OwedReason.HELD_ELSEWHERE, False, 0)
    assert len(requested(house)) - sent == (1 if in_one_step else 2)
    assert house.desk.stage.proposals() == ()


def test_a_stop_placed_elsewhere_for_a_part_calls_a_person() -> None:
    """EX-13, EX-22: two of the six have none"""
    house = holding()
    moves_it_on_the_phone(house, "4")

    assert [fact.why for fact in house.facts(StopOwed)] == [OwedReason.DUE]
    assert notices(house) == [Severity.URGENT]
    assert row_of(house).calls_a_person


def test_the_end_of_a_stop_placed_elsewhere_calls_a_person() -> None:
    """EX-22, SY-03: as soon as the broker says so"""
    house = holding()
    moves_it_on_the_phone(house)
    house.exchange.cancel(house.line.at, ELSEWHERE)
    passes(house, 60)

    assert [fact.why for fact in house.facts(StopOwed)] == [OwedReason.HELD_ELSEWHERE, OwedReason.DUE]
    assert notices(house) == [Severity.INFO, Severity.URGENT]


def test_a_leaving_stop_placed_elsewhere_calls_a_person() -> None:
    """EX-13, EX-22: its cancel is pending there, so it holds nothing"""
    house = holding(cancel_seconds=Decimal(300))
    moves_it_on_the_phone(house)
    house.exchange.cancel(house.line.at, ELSEWHERE)
    passes(house, 60)

    assert house.desk.sightings.others != ()
    assert notices(house) == [Severity.INFO, Severity.URGENT]


def test_a_restart_tells_of_a_stop_placed_elsewhere_once() -> None:
    """EX-20, EX-22: the first list of the new run has it too"""
    receivers = Receivers()
    house = holding(receivers)
    moves_it_on_the_phone(house)
    house = with_receivers(house.restarted(), receivers)
    passes(house, 60)

    assert notices(house) == [Severity.INFO]
    assert [stop.status for stop in house.stops] == [OrderStatus.CANCELLED]
