"""Shares whose ticket named a stop and that have none in force: one place says since when and why, and calls people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from console.bell import Bell
from core.facts import OrderFilled, ProposalStaged, StopInForce, StopOwed
from core.messages.commands import OpenTicket, RequestCancel
from core.messages.effects import SubmitOrder
from core.model.codes import OwedReason
from core.model.notice import Severity
from core.model.values import Price
from core.views import DeskView, PositionRow
from core.views.builders.desk import ViewBuilder
from tests.scenarios.changes import ROOMY, confirms_now, passes
from tests.scenarios.house import (
    STEADY,
    House,
    a_house_in_a_position,
    a_house_with_a_proposal,
    a_typed_buy,
    assert_can_be_rebuilt,
    minutes,
)
from tests.scenarios.receivers import Receivers, settings, with_receivers
from tests.scenarios.test_orders_in_doubt import loses
from tests.unit.core.brokers.trading_floor import a_bar

LONG = ("10:06", "10:30", STEADY)
FIVE = timedelta(seconds=5)


def filled(before: Callable[[House], None]) -> tuple[House, Receivers]:
    """0.502 shares are bought, and `before` that something happens to the line."""
    receivers = Receivers()
    house = with_receivers(a_house_with_a_proposal(LONG, settings=settings()), receivers)
    before(house)
    house.confirms_at("10:06:02")
    return house.until("10:06:20"), receivers


def loses_stops(house: House) -> None:
    loses(house, "stop")


def refuses_stops(house: House) -> None:
    """The broker takes the entry, and refuses what follows."""
    ask = house.line.ask

    def refuse(effect: object) -> object:
        if isinstance(effect, SubmitOrder) and effect.order.type.is_stop:
            house.line.refuses_the_next_order("no")
        return ask(effect)  # type: ignore[arg-type]

    house.line.ask = refuse  # type: ignore[method-assign, assignment]


def the_view(house: House) -> DeskView:
    return ViewBuilder(house.engine).draw(house.line.at)


def row_of(house: House) -> PositionRow:
    (row,) = the_view(house).positions
    return row


@pytest.mark.parametrize(
    ("happens", "why"), [(loses_stops, OwedReason.IN_DOUBT), (refuses_stops, OwedReason.WAITS_FOR_KEY)]
)
def test_an_urgent_notice_comes_within_five_seconds(happens: Callable[[House], None], why: OwedReason) -> None:
    """EX-22, SY-03: of a stop that nobody knows to be there, and of one that needs a key"""
    house, receivers = filled(happens)
    bought = house.last(OrderFilled).fill.at

    assert [(fact.why, fact.quantity) for fact in house.facts(StopOwed)] == [(why, Decimal("0.502"))]
    (urgent,) = [sent for sent in receivers.heard if sent.is_urgent]
    notice = house.desk.notifications.state.matters["stop vwap SPY"].notice
    assert (notice.severity, notice.number) == (Severity.URGENT, *urgent.numbers)
    assert notice.at - bought <= FIVE


def test_the_place_says_since_when_and_why() -> None:
    """EX-22, EX-13: and by which order the shares are covered"""
    house, _ = filled(loses_stops)
    (position,) = house.desk.ledger.positions()
    owing = house.desk.owed_stops.of(position)
    assert owing is not None
    said = owing.quantity, owing.why, owing.since
    del house.line.ask  # type: ignore[attr-defined]
    passes(house, 150)

    assert said == (Decimal("0.502"), OwedReason.IN_DOUBT, house.facts(StopOwed)[0].since)
    (covering,) = house.desk.owed_stops.covered_by(position)
    assert (covering.order, covering.quantity) == (house.stops[0].id, Decimal("0.502"))
    assert house.desk.owed_stops.of(position) is None
    assert_can_be_rebuilt(house)


def test_the_seconds_without_a_stop_are_recorded_once() -> None:
    """EX-22: from the fill to the broker's word on the stop; the matter of its notice is over with it"""
    house, _ = filled(loses_stops)
    since = house.facts(StopOwed)[0].since
    del house.line.ask  # type: ignore[attr-defined]
    passes(house, 150)

    (over,) = house.facts(StopInForce)
    assert (over.since, over.until) == (since, house.stops[0].submitted_at)
    assert over.until - over.since > timedelta(seconds=60)
    assert "stop vwap SPY" not in house.desk.notifications.state.matters


def test_a_stop_in_its_usual_time_is_no_matter() -> None:
    """EX-22: a fill and its stop some milliseconds later"""
    house = a_house_in_a_position(LONG)

    assert (house.facts(StopOwed), house.facts(StopInForce)) == ([], [])
    assert row_of(house).owed_why is None


def test_a_stop_that_a_person_took_back_is_owed_no_more() -> None:
    """EX-22, EX-13"""
    house = a_house_in_a_position(LONG)
    house.presses(RequestCancel(house.stops[0].id))
    passes(house, 20)

    assert house.desk.owed_stops.all() == ()
    assert house.facts(StopOwed) == []


def test_a_stop_cancelled_at_the_broker_calls_a_person() -> None:
    """EX-22, EX-13: nothing is sent behind that person's back"""
    receivers = Receivers()
    house = with_receivers(a_house_in_a_position(LONG, settings=settings()), receivers)
    house.exchange.cancel(house.line.at, house.stops[0].id)
    passes(house, 60)

    assert [fact.why for fact in house.facts(StopOwed)] == [OwedReason.TAKEN_ELSEWHERE]
    assert len([sent for sent in receivers.heard if sent.is_urgent]) == 1
    assert len(house.stops) == 1


def test_an_owed_stop_is_first_and_rings() -> None:
    """EX-22, OP-06: in proposals and positions; the bell again after half a minute"""
    house, _ = filled(refuses_stops)
    view, bell = the_view(house), Bell()

    assert (view.proposals[0].is_owed, view.proposals[0].is_urgent) == (True, True)
    assert (view.positions[0].owed, view.positions[0].calls_a_person) == (Decimal("0.502"), True)
    assert [bell.rings(view, now) for now in (0.0, 1.0, 31.0)] == [True, False, True]


def test_what_the_desk_goes_on_with_is_told_once() -> None:
    """EX-22, SY-03: lost, sent again and lost: one notice, until a person is needed otherwise"""
    house, receivers = filled(loses_stops)
    house.until("10:12")

    assert len(house.facts(StopOwed)) == 1
    assert len([sent for sent in receivers.heard if sent.is_urgent]) == 1


def test_an_owed_stop_is_not_hidden_by_a_half_filled_bracket() -> None:
    """EX-22, SY-03: the bracket's shares wait for their legs, and nobody is needed; the others wait for a key"""
    down = "100.05 100.05 99.95 100"
    bars = [
        *minutes("09:55", "10:09", "101"),
        a_bar("10:10", down, volume=30),
        *minutes("10:11", "10:19", "100.5"),
        a_bar("10:20", down),
        *minutes("10:21", "10:30", "100.5"),
    ]
    terms = ROOMY.model_copy(update={"notify": settings().notify})
    house = with_receivers(House(bars, terms, cash=Decimal(10_000)).opens(), Receivers()).until("10:05")
    refuses_stops(house)
    house.presses(a_typed_buy("0.5", limit="101.10", stop="99"))
    confirms_now(house)
    passes(house, 60)
    house.presses(replace(a_typed_buy("6", limit="100", stop="98"), target_price=Price(Decimal(103))))
    house.presses(OpenTicket(house.last(ProposalStaged).proposal.id))
    passes(house, 1)
    house.confirms()
    told = []
    for clock in ("10:08", "10:15", "10:25"):
        house.until(clock)
        (owing,) = house.desk.owed_stops.all()
        told.append((house.held(), owing.why, "stop manual SPY" in house.desk.notifications.state.matters))

    assert told == [(held, OwedReason.WAITS_FOR_KEY, True) for held in ("0.5", "3.5", "6.5")]
    assert_can_be_rebuilt(house)


def test_an_owed_stop_outlives_a_restart() -> None:
    """EX-22, EX-20: its time goes on from where it began, and nobody is told twice"""
    house, _ = filled(loses_stops)
    since = house.facts(StopOwed)[0].since
    house.restarted()
    passes(house, 5)

    assert [owing.since for owing in house.desk.owed_stops.all()] == [since]
    assert len(house.facts(StopOwed)) == 1
