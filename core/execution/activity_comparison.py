"""Compare the broker's activities with the journal: fills one by one, cash to the cent (EX-09, AN-06)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from core.facts import CashMoved
from core.model.activity import Activity, BrokerFill
from core.model.instrument import share
from core.model.order import Side
from core.model.reconciliation import NO_SYMBOL, Difference, DifferenceKind
from core.model.values import (
    CENT,
    ZERO,
    BrokerOrderId,
    ClientOrderId,
    ExecutionId,
    Money,
    Price,
    Quantity,
    Symbol,
    plain,
)

SHOWN = 5
"""Activities that a difference of cash names."""
LOOK = "look at the order at the broker, then run `keyturn reconcile`"
STATEMENT = "compare it with the broker's statement of that day"


@dataclass(frozen=True, slots=True)
class FillOfOurs:
    """A fill of the journal, with the data that both sides have."""

    execution_id: ExecutionId
    client_order_id: ClientOrderId
    broker_order_id: BrokerOrderId | None
    at: datetime
    symbol: Symbol
    side: Side
    quantity: Quantity
    price: Price

    @property
    def in_words(self) -> str:
        return _fill_in_words(self.side, self.quantity, self.price)


def fill_differences(ours: Iterable[FillOfOurs], theirs: Iterable[BrokerFill]) -> Iterator[Difference]:
    """Yield fills that only one side has, and fills that differ.

    They are compared execution by execution. If the journal has an order's fills under other ids (learnt from the order
    itself, not from the stream), equal sums of shares and money are enough.
    """
    left = {fill.execution_id: fill for fill in ours}
    missing: list[BrokerFill] = []
    for fill in theirs:
        known = left.pop(fill.execution.id, None)
        if known is None:
            missing.append(fill)
        elif _of_ours(known) != _of_theirs(fill):
            yield _differs(known, fill)
    names = {f.broker_order_id for f in left.values()} | {f.broker_order_id for f in missing}
    for name in sorted(names, key=str):
        here = [fill for fill in left.values() if fill.broker_order_id == name]
        there = [fill for fill in missing if fill.broker_order_id == name]
        if not _come_to_the_same(here, there):
            yield from map(_missing_local, there)
            yield from map(_missing_broker, here)


def figures_difference(activity: Activity) -> Difference | None:
    """Return a difference if the activity's own shares and rate make another amount than it moved."""
    due = activity.by_its_figures
    if due is None or not activity.amount or abs(due) == abs(activity.amount):
        return None
    note = (
        f"{named(activity)}: its {plain(activity.quantity or ZERO)} shares at {plain(activity.rate or ZERO)} make {due}"
    )
    return Difference(
        DifferenceKind.ACTIVITY_DIFFERS,
        activity.symbol or NO_SYMBOL,
        f"{due} USD",
        f"{activity.amount} USD",
        f"{note}; {STATEMENT}",
    )


def changed_difference(activity: Activity, before: Money) -> Difference:
    """Return the difference of an activity that the broker reported with another amount before."""
    return Difference(
        DifferenceKind.ACTIVITY_DIFFERS,
        activity.symbol or NO_SYMBOL,
        f"{before} USD",
        f"{activity.amount} USD",
        f"{named(activity)}: the broker said otherwise before; {STATEMENT}",
    )


def cash_difference(expected: Decimal, cash: Decimal, moved: Sequence[CashMoved]) -> Difference | None:
    """Return the cash that no fill or activity explains; activities that contradict themselves are named first."""
    ours, theirs = (amount.quantize(CENT, ROUND_HALF_EVEN) for amount in (expected, cash))
    if ours == theirs:
        return None
    suspects = sorted(moved, key=lambda fact: fact.by_its_figures in (None, fact.amount))
    words = ", ".join(f"{f.kind.value} {f.activity_id} of {f.day}: {f.amount}" for f in suspects[:SHOWN])
    more = f" and {len(suspects) - SHOWN} more" if len(suspects) > SHOWN else ""
    note = f"{theirs - ours:+} USD is not explained, beside {words or 'no activity at all'}{more}; {STATEMENT}"
    return Difference(DifferenceKind.CASH_DIFFERS, NO_SYMBOL, f"{ours} USD", f"{theirs} USD", note)


def named(activity: Activity) -> str:
    return f"{activity.kind.value} {activity.id} of {activity.day}"


# ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _of_ours(fill: FillOfOurs) -> tuple[object, ...]:
    return fill.symbol, fill.side, fill.quantity, fill.price


def _of_theirs(fill: BrokerFill) -> tuple[object, ...]:
    return fill.symbol, fill.side, fill.execution.quantity, fill.execution.price


def _come_to_the_same(ours: Sequence[FillOfOurs], theirs: Sequence[BrokerFill]) -> bool:
    if {(f.symbol, f.side) for f in ours} != {(f.symbol, f.side) for f in theirs}:
        return False
    here = [(f.quantity, share(f.symbol).cost(f.quantity, f.price)) for f in ours]
    there = [(f.execution.quantity, share(f.symbol).cost(f.execution.quantity, f.execution.price)) for f in theirs]
    if sum((q for q, _ in here), ZERO) != sum((q for q, _ in there), ZERO):
        return False
    return abs(sum((c for _, c in here), ZERO) - sum((c for _, c in there), ZERO)) < CENT


def _fill_in_words(side: Side, quantity: Quantity, price: Price) -> str:
    return f"{side.value.upper()} {plain(quantity)} at {plain(price)}"


def _theirs_in_words(fill: BrokerFill) -> str:
    return _fill_in_words(fill.side, fill.execution.quantity, fill.execution.price)


def _differs(ours: FillOfOurs, theirs: BrokerFill) -> Difference:
    note = f"execution {ours.execution_id} of order {ours.client_order_id}; {LOOK}"
    return Difference(DifferenceKind.FILL_DIFFERS, ours.symbol, ours.in_words, _theirs_in_words(theirs), note)


def _missing_local(fill: BrokerFill) -> Difference:
    note = f"execution {fill.execution.id} of the broker's order {fill.broker_order_id}; {LOOK}"
    return Difference(DifferenceKind.FILL_MISSING_LOCAL, fill.symbol, None, _theirs_in_words(fill), note)


def _missing_broker(fill: FillOfOurs) -> Difference:
    note = f"execution {fill.execution_id} of order {fill.client_order_id}; {LOOK}"
    return Difference(DifferenceKind.FILL_MISSING_BROKER, fill.symbol, fill.in_words, None, note)
