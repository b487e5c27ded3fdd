"""What the broker lists, followed from one comparison to the next: what is not the same is all that is looked at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as some

from core.execution.reconciliation import OrderListing
from core.model.broker import OrderReport
from core.model.order import OrderStatus, OrderType, Side, TimeInForce
from core.model.values import BrokerOrderId, ClientOrderId, Price, Quantity, Symbol
from tests.kit.rows import table

ONE = Quantity(Decimal(1))


def a_report(name: str, status: OrderStatus = OrderStatus.FILLED, legs: Iterable[OrderReport] = ()) -> OrderReport:
    return OrderReport(
        ClientOrderId(name), BrokerOrderId(f"b-{name}"), Symbol("SPY"), Side.BUY, OrderType.LIMIT, TimeInForce.DAY, ONE,
        Price(Decimal(100)), None, status, status.value, ONE, Price(Decimal(100)), legs=tuple(legs),
    )  # fmt: skip


def taken(listing: OrderListing) -> set[str]:
    fresh, listing.fresh = listing.fresh, set()
    return set(fresh)


FIRST, SECOND, THIRD = a_report("1"), a_report("2", OrderStatus.SUBMITTED), a_report("3")


def followed(*pictures: tuple[OrderReport, ...]) -> OrderListing:
    listing = OrderListing()
    for picture in pictures:
        taken(listing)
        listing.follow(picture)
    return listing


@table(
    "then fresh",
    ((FIRST, SECOND), set()),
    ((replace(FIRST), replace(SECOND)), set()),
    ((FIRST, replace(SECOND, status=OrderStatus.FILLED)), {"2"}),
    ((FIRST, SECOND, THIRD), {"3"}),
    ((SECOND, THIRD), {"3"}),
    ((SECOND, FIRST), set()),
    ((a_report("1", legs=[a_report("leg")]), SECOND), {"1", "leg"}),
    ((), set()),
)
def test_only_what_came_or_changed_is_fresh(then: tuple[OrderReport, ...], fresh: set[str]) -> None:
    """EX-09"""
    assert taken(followed((FIRST, SECOND), then)) == fresh


def test_what_nobody_has_looked_at_stays_fresh() -> None:
    """EX-09: a comparison may end before it has come to the orders"""
    listing = followed((FIRST,))
    listing.follow((FIRST, SECOND))

    assert taken(listing) == {"1", "2"}


NAMES = some.sampled_from([f"order-{n}" for n in range(6)])
LEGS = some.lists(some.sampled_from(["stop", "target"]), unique=True)
STATUSES = some.sampled_from([OrderStatus.SUBMITTED, OrderStatus.FILLED])
LISTED = some.lists(
    some.tuples(some.one_of(NAMES, some.sampled_from(["order-0-stop", "order-1-target"])), STATUSES, LEGS),
    max_size=6,
    unique_by=lambda row: row[0],
)


@settings(max_examples=24)
@given(some.lists(LISTED, min_size=2, max_size=5))
def test_a_listing_equals_its_last_picture(pictures: list[list[tuple[str, OrderStatus, list[str]]]]) -> None:
    """EX-09"""
    made = [
        tuple(
            a_report(name, status, [a_report(f"{name}-{leg}", status) for leg in legs]) for name, status, legs in rows
        )
        for rows in pictures
    ]
    listing, alone = followed(*made), followed(made[-1])

    assert listing.reports == alone.reports
    assert listing.working == alone.working
