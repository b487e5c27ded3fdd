"""Seconds without a stop that a ticket named, by why: of the facts that the desk recorded of them."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from core.facts import EngineStarted, Fact, StopInForce, StopOwed
from core.model.codes import OwedReason
from core.model.values import Quantity
from core.ports import Recorded
from core.reports.quality import Unprotected, unprotected_of
from tests.unit.core.brokers.trading_floor import SPY, NewYorkHours, at

TEN = Quantity(Decimal(10))


def recorded(*facts: tuple[datetime, Fact]) -> list[Recorded]:
    """Behind the record with which the day begins."""
    opened = (at("09:30"), EngineStarted())
    return [Recorded(number, moment, fact) for number, (moment, fact) in enumerate((opened, *facts), start=1)]


def over(since: datetime, seconds: float, why: OwedReason) -> tuple[datetime, StopInForce]:
    until = since + timedelta(seconds=seconds)
    return until, StopInForce(SPY, "vwap", TEN, since, until, why)


def owed(since: datetime, why: OwedReason) -> tuple[datetime, StopOwed]:
    return since + timedelta(seconds=3), StopOwed(SPY, "vwap", TEN, since, why)


def spent(*facts: tuple[datetime, Fact]) -> dict[OwedReason, tuple[int, float, float, int]]:
    found: tuple[Unprotected, ...] = unprotected_of(recorded(*facts), NewYorkHours().session_at)
    return {
        each.why: (each.times, each.spent.total_seconds(), each.longest.total_seconds(), each.open) for each in found
    }


def test_stretches_are_summed_by_why() -> None:
    """EX-22, AN-06"""
    doubt, key = OwedReason.IN_DOUBT, OwedReason.WAITS_FOR_KEY
    facts = [over(at("10:00"), 2, doubt), over(at("10:10"), 60.5, doubt), over(at("11:00"), 10, key)]

    assert spent(*facts) == {doubt: (2, 62.5, 60.5, 0), key: (1, 10, 10, 0)}


def test_a_stretch_that_goes_on_counts_to_the_last_record() -> None:
    """EX-22"""
    why = OwedReason.WAITS_FOR_KEY

    found = spent(owed(at("10:00"), OwedReason.IN_DOUBT), owed(at("10:00"), why), over(at("10:30"), 60, OwedReason.DUE))

    assert found[why] == (1, 31 * 60, 31 * 60, 1)


def test_a_closed_market_costs_no_seconds() -> None:
    """EX-22: from a minute before the close to an hour after it"""
    assert spent(over(at("15:59"), 3660, OwedReason.WAITS_FOR_KEY))[OwedReason.WAITS_FOR_KEY][1] == 60


def test_of_an_earlier_day_only_the_rest_counts() -> None:
    """EX-22, AN-06: it began before the first record of these days"""
    why = OwedReason.WAITS_FOR_KEY
    since = at("15:00") - timedelta(days=30)
    until = at("09:31")

    assert spent((until, StopInForce(SPY, "vwap", TEN, since, until, why)))[why][1] == 60
