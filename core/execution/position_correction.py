"""Compare the broker's activities, and correct positions by its books (EX-09, EX-13).

The broker has one position per symbol, our books one per owner. A single owner keeps the position. With several, each
keeps its shares and its stop: missing shares are taken first where no working exit claims them. Shares that nobody here
bought, or that are held in the other direction, get no owner; their price is derived from the broker's average.

If a correction added or removed shares of an order that the broker had lost, it is undone before the order's fill is
counted, so that each share counts once. Those that were sold since are removed again after the fill.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from core.execution.corporate_actions import SAME
from core.execution.ledger import Ledger
from core.execution.ledger_state import UNKNOWN_OWNER, position_key
from core.execution.order import Order
from core.execution.stop_coverage import unreserved_of
from core.facts import CashMoved, OwnerShare, PositionCorrected
from core.model.broker import Execution
from core.model.instrument import share
from core.model.lazy_dataclass import dataclass
from core.model.order import Side, is_payout
from core.model.position import Position
from core.model.reconciliation import NO_SYMBOL, Activity, BrokerFill, Difference, DifferenceKind
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

# ── activities beside the journal ────────────────────────────────────────────────────────────────────────────────────
# Compare the broker's activities with the journal: fills one by one, cash to the cent (EX-09, AN-06).

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


# ── corrections ──────────────────────────────────────────────────────────────────────────────────────────────────────


def owners_after(ledger: Ledger, symbol: Symbol, true: Quantity, average: Price | None) -> tuple[OwnerShare, ...]:
    """Return each owner's part, summing to the `true` quantity; empty if nobody here holds any, or all is gone.

    Parameters
    ----------
    average
        The broker's average price of its whole position, USD: ours, and shares that nobody here bought.
    """
    held = ledger.positions_in(symbol)
    if not held or not true or average is None:
        return ()
    if len(held) == 1 and held[0].quantity * true > 0:
        return (OwnerShare(held[0].strategy, true, average),)
    return _moved(ledger, held, true, average)


def come_late(
    ledger: Ledger, symbol: Symbol, true: Quantity, average: Price
) -> tuple[Symbol, tuple[OwnerShare, ...]] | None:
    """Return whose shares a new symbol's are: all of another symbol were gone today, as many at the same cost (EX-25).

    None where none or several fit.
    """
    found = [
        each.position
        for each in ledger.state.taken_off.values()
        if each.position.symbol != symbol
        and each.quantity == each.position.quantity == true
        and each.position.strategy != UNKNOWN_OWNER
        and not ledger.positions_in(each.position.symbol)
        and abs(each.position.average_price - average) <= SAME * average
    ]
    if len(found) != 1:
        return None
    return found[0].symbol, (OwnerShare(found[0].strategy, true, average),)


def is_back(ledger: Ledger, symbol: Symbol, more: Decimal) -> bool:
    """Return whether so many shares, signed, may be of those that were paid out within a week (EX-25)."""
    return any(True for _ in _payouts(ledger, symbol, more))


def back_from_payout(ledger: Ledger, symbol: Symbol, more: Decimal) -> tuple[tuple[Order, Quantity], ...]:
    """Return the records of the payouts whose shares these are, each with its number of them.

    None where several owners had more: nobody knows whose they are.
    """
    its = tuple(_payouts(ledger, symbol, more))
    if len(its) == 1:
        return ((its[0], min(its[0].filled_quantity, Quantity(abs(more)))),)
    is_whole = sum((order.filled_quantity for order in its), ZERO) <= abs(more)
    return tuple((order, order.filled_quantity) for order in its) if is_whole else ()


def _payouts(ledger: Ledger, symbol: Symbol, more: Decimal) -> Iterator[Order]:
    its = symbol, Side.SELL if more > 0 else Side.BUY
    for order in ledger.state.orders.values():
        if is_payout(order.id) and (order.request.symbol, order.request.side) == its and order.filled_quantity:
            yield order


def given_back(ledger: Ledger, order: Order, execution: Execution, *, is_derived: bool) -> PositionCorrected | None:
    """Return the correction that undoes an earlier one for a lost order, before this fill of it (EX-05, EX-09)."""
    if not order.is_lost or order.ended_at is None:
        return None
    after = _sold(ledger, order, execution) if order.only_reduces else None
    is_taken_off = after is not None
    after = after or _taken_in(ledger, order, execution, is_derived)
    if after is None:
        return None
    what = "taken off" if is_taken_off else "taken in"
    return _for_a_fill(order, after, f"had been {what} before it was told")


def counted_before(
    ledger: Ledger, order: Order, execution: Execution, given: Decimal, *, is_derived: bool
) -> PositionCorrected | None:
    """Return the correction after a fill of a lost entry whose shares the books took in, as those that were sold since.

    `given` is the number of shares that are still held, and were given back before the fill. Shares that the books took
    off again are not counted: an exit sold them whose fill is still to be told.
    """
    symbol, sign = order.request.symbol, 1 if order.request.side is Side.BUY else -1
    keys = (position_key(symbol, owner) for owner in (order.strategy, UNKNOWN_OWNER))
    key = next((key for key in keys if key in ledger.state.taken_in), "")
    taken, own = ledger.state.taken_in.get(key), ledger.position(symbol, order.strategy)
    if taken is None or own is None or order.only_reduces or not order.is_lost or order.ended_at is None:
        return None
    if taken.at < order.ended_at or not (is_derived or execution.at <= taken.at):
        return None
    off = ledger.state.taken_off.get(key)
    left = sign * (taken.quantity - (ZERO if off is None else off.quantity))
    counted = min(execution.quantity - given, left, own.quantity * sign)
    if counted <= 0:
        return None
    after = (
        OwnerShare(p.strategy, Quantity(p.quantity - sign * counted * (p is own)), p.average_price)
        for p in ledger.positions_in(symbol)
    )
    return _for_a_fill(order, tuple(after), "had been taken in before it was told")


def _for_a_fill(order: Order, after: tuple[OwnerShare, ...], what: str) -> PositionCorrected:
    symbol, shares = order.request.symbol, tuple(share for share in after if share.quantity)
    net = Quantity(sum((share.quantity for share in shares), ZERO))
    average = shares[0].average_price if shares else None
    reason = f"{symbol}: a fill of {order.id} {what}"
    return PositionCorrected(symbol, net, average, reason, shares, for_a_fill=True)


def _taken_in(ledger: Ledger, order: Order, execution: Execution, is_derived: bool) -> tuple[OwnerShare, ...] | None:
    """Return the owners without the shares that the books took in after the order was lost.

    A fill without a reported time may be among them; one bought later is not.
    """
    held, ended_at = ledger.positions_in(order.request.symbol), order.ended_at
    sign, left, after = 1 if order.request.side is Side.BUY else -1, execution.quantity, []
    for taken in held:
        is_theirs = taken.strategy in (order.strategy, UNKNOWN_OWNER) and not taken.entry_order
        is_in_time = is_derived or execution.at <= taken.opened_at
        is_since = ended_at is not None and taken.opened_at >= ended_at
        given = min(left, abs(taken.quantity)) if is_theirs and is_in_time and is_since else ZERO
        given = given if taken.quantity * sign > 0 else ZERO
        left = Quantity(left - given)
        after.append(OwnerShare(taken.strategy, Quantity(taken.quantity - sign * given), taken.average_price))
    return None if left == execution.quantity else tuple(after)


def _sold(ledger: Ledger, order: Order, execution: Execution) -> tuple[OwnerShare, ...] | None:
    """Return the owners with the shares that the books removed since the order was recorded: this fill sold them."""
    symbol, strategy = order.request.symbol, order.strategy
    taken = ledger.state.taken_off.get(position_key(symbol, strategy))
    sign = 1 if order.request.side is Side.SELL else -1
    if taken is None or taken.at < order.created_at or taken.quantity * sign <= 0:
        return None
    given = sign * min(execution.quantity, abs(taken.quantity))
    others = [p for p in ledger.positions_in(symbol) if p.strategy != strategy]
    own = ledger.position(symbol, strategy)
    before = own.quantity if own is not None else ZERO
    if before * sign < 0:
        return None
    of, price = taken.position.instrument, taken.position.average_price
    cost = of.cost(abs(given), price) + (own.cost if own is not None else ZERO)
    whole = OwnerShare(strategy, Quantity(before + given), of.price_of(abs(before + given), cost))
    return (*(OwnerShare(p.strategy, p.quantity, p.average_price) for p in others), whole)


def _moved(ledger: Ledger, held: tuple[Position, ...], true: Quantity, average: Price) -> tuple[OwnerShare, ...]:
    """Take the difference from owners who can give it; the rest has no owner."""
    quantities = {position.strategy: position.quantity for position in held}
    rest = true - sum(quantities.values(), ZERO)
    sign = 1 if rest > 0 else -1
    for owner, shares in _to_give(ledger, [p for p in held if p.quantity * rest < 0]):
        given = sign * min(abs(rest), shares)
        quantities[owner] = Quantity(quantities[owner] + given)
        rest -= given
    prices = {position.strategy: position.average_price for position in held}
    if rest:
        before = quantities.get(UNKNOWN_OWNER, ZERO)
        of = held[0].instrument
        cost = of.cost(before, prices.get(UNKNOWN_OWNER, average))
        cost = Money(cost + of.cost(rest, _price_of(rest, held, true, average)))
        quantities[UNKNOWN_OWNER] = Quantity(before + rest)
        prices[UNKNOWN_OWNER] = of.price_of(before + rest, cost)
    return tuple(OwnerShare(owner, quantity, prices[owner]) for owner, quantity in quantities.items() if quantity)


def _price_of(rest: Decimal, held: tuple[Position, ...], true: Quantity, average: Price) -> Decimal:
    """Return the price per share, USD, of shares that nobody here bought, so all costs sum to the broker's total.

    If some are held in the other direction, or nothing would be left to pay for them, only its average is known.
    """
    of = held[0].instrument
    ours = sum((of.cost(abs(position.quantity), position.average_price) for position in held), ZERO)
    left = of.cost(abs(true), average) - ours
    is_one_way = all(position.quantity * true > 0 for position in held)
    return of.price_of(abs(rest), left) if is_one_way and left > ZERO else average


def _to_give(ledger: Ledger, held: list[Position]) -> Iterator[tuple[str, Decimal]]:
    """Yield unowned shares first, then those that no working exit claims, then the others; newest first."""
    newest = sorted(held, key=lambda position: position.opened_at, reverse=True)
    newest.sort(key=lambda position: position.strategy != UNKNOWN_OWNER)
    unprotected = {p.strategy: max(unreserved_of(ledger, p), ZERO) for p in newest}
    for position in newest:
        is_nobodys = position.strategy == UNKNOWN_OWNER
        yield position.strategy, abs(position.quantity) if is_nobodys else unprotected[position.strategy]
    for position in newest:
        if position.strategy != UNKNOWN_OWNER:
            yield position.strategy, abs(position.quantity) - unprotected[position.strategy]
