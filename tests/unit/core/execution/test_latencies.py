"""The latency of stops and legs: from the fill that they are for, also on a later day than their entry's."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from core.execution.latency import Latencies
from core.facts import Fact, OrderCreated, OrderFilled, OrderStateChanged, Source
from core.model.order import LegRole, OrderStatus, Side
from core.model.position import Fill
from core.model.staging import StopPlan
from core.model.values import ClientOrderId, ExecutionId, Price, ProposalId, Quantity
from tests.unit.core.brokers.trading_floor import NewYorkHours, at
from tests.unit.core.execution.books import a_request, a_stop_plan

SECOND, A_DAY = timedelta(seconds=1), timedelta(days=1)
THURSDAY = at("15:00")


class Timed:
    def __init__(self) -> None:
        self.latencies = Latencies(NewYorkHours().trading_day)

    def tell(self, moment: datetime, fact: Fact) -> None:
        self.latencies.folds[type(fact)](moment, fact)  # type: ignore[operator]

    def creates(
        self,
        moment: datetime,
        name: str,
        *,
        stop: StopPlan | None = None,
        parent: str | None = None,
        role: LegRole | None = None,
    ) -> None:
        is_entry = parent is None
        request = a_request(name) if is_entry else a_request(name, Side.SELL, stop="99")
        of = None if parent is None else ClientOrderId(parent)
        self.tell(
            moment,
            OrderCreated(request, ProposalId("entry"), "vwap", THURSDAY, stop, of, None, None, None, None, role),
        )

    def becomes(self, moment: datetime, name: str, after: OrderStatus) -> None:
        fact = OrderStateChanged(ClientOrderId(name), OrderStatus.PENDING, after, Source.STREAM, None, "")
        self.tell(moment, fact)

    def fills(self, moment: datetime, name: str, quantity: str) -> None:
        shares = Quantity(Decimal(quantity))
        fill = Fill(ExecutionId(f"{name} {moment}"), ClientOrderId(name), moment, shares, Price(Decimal(100)))
        self.tell(moment, OrderFilled(fill, shares, Source.STREAM, is_late=False))

    def in_seconds(self) -> dict[str, float]:
        return {span.name: span.percentiles[-1].total_seconds() for span in self.latencies.spans()}


def an_entry_with_legs() -> Timed:
    """Acknowledged with both legs on Thursday; nothing of it has filled."""
    timed = Timed()
    timed.creates(THURSDAY, "entry", stop=a_stop_plan())
    for name, role in (("stop", LegRole.STOP), ("target", LegRole.TARGET)):
        timed.creates(THURSDAY, name, parent="entry", role=role)
        timed.becomes(THURSDAY, name, OrderStatus.SUBMITTED)
    return timed


def test_legs_are_timed_on_the_day_of_their_entrys_fill() -> None:
    """EX-16: a good-till-cancelled entry fills in two parts on the next morning"""
    timed, friday = an_entry_with_legs(), THURSDAY + A_DAY
    before = timed.in_seconds()

    timed.fills(friday, "entry", "4")
    timed.fills(friday + 3 * SECOND, "entry", "6")
    timed.becomes(friday + 3 * SECOND, "entry", OrderStatus.FILLED)

    assert before == {}
    assert timed.in_seconds() == {"fill to stop in force": 3, "fill to target in force": 3}
    assert timed.latencies.state.day == friday.date()


def test_a_leg_that_is_named_later_is_in_force_then() -> None:
    """EX-16, EX-04: the stream names no legs"""
    timed = Timed()
    timed.creates(THURSDAY, "entry", stop=a_stop_plan())
    timed.fills(THURSDAY, "entry", "10")
    timed.becomes(THURSDAY, "entry", OrderStatus.FILLED)

    timed.creates(THURSDAY + 2 * SECOND, "stop", parent="entry", role=LegRole.STOP)
    timed.becomes(THURSDAY + 2 * SECOND, "stop", OrderStatus.SUBMITTED)

    assert timed.in_seconds() == {"fill to stop in force": 2}


def test_the_part_of_an_ended_entry_counts_to_its_own_stop() -> None:
    """EX-16, EX-13: its legs end with it, and a stop is sent for what was filled"""
    timed = an_entry_with_legs()
    timed.fills(THURSDAY, "entry", "4")
    timed.becomes(THURSDAY + 5 * SECOND, "entry", OrderStatus.CANCELLED)

    timed.creates(THURSDAY + 5 * SECOND, "own", parent="entry")
    timed.becomes(THURSDAY + 6 * SECOND, "own", OrderStatus.SUBMITTED)

    assert timed.in_seconds() == {"fill to stop in force": 6}


def test_a_stop_put_back_is_not_measured_from_a_fill() -> None:
    """EX-16, EX-21: hours after the fill, whose own stop was a leg"""
    timed = an_entry_with_legs()
    timed.fills(THURSDAY, "entry", "10")
    timed.becomes(THURSDAY, "entry", OrderStatus.FILLED)

    timed.creates(THURSDAY + timedelta(hours=1), "again", parent="entry")
    timed.becomes(THURSDAY + timedelta(hours=1), "again", OrderStatus.SUBMITTED)

    assert timed.in_seconds()["fill to stop in force"] == 0
