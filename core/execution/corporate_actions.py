"""Splits, renames, mergers and spin-offs: how they are recognised, and what they make of positions and orders (EX-25).

A split multiplies each owner's shares at the same cost. The prices of an order from before it are for other shares: the
order protects nothing, whatever its quantity, and is cancelled. An order that the broker restated by the same ratio
stays.

After a rename or a merger for shares the position and its orders have the new symbol, at the same cost. The broker has
an order of before under the old symbol, where it can protect nothing: it is cancelled.

A reverse split leaves fractions, and a broker pays them in cash: the part of the cost that belongs to them leaves with
them, and the cash is an activity of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_DOWN, Decimal
from fractions import Fraction

from core.execution.order import Order
from core.facts import ActionEvidence, CorporateActionApplied, OwnerQuantity, OwnerShare
from core.model.broker import BrokerPosition
from core.model.lazy_dataclass import dataclass
from core.model.order_terms import StatedTerms
from core.model.position import Position
from core.model.reconciliation import Activity, ActivityId, ActivityKind
from core.model.reference_data import CorporateAction
from core.model.rescaling import Rescaling
from core.model.values import NO_SHARES, ZERO, Money, Price, Quantity, Symbol

USUAL = (*(Decimal(n) for n in range(2, 101)), *map(Decimal, ("1.5", "1.25", "150", "200", "250", "500", "1000")))
SPLITS = (*USUAL, *(1 / each for each in USUAL))
"""New shares for one, where a fraction of a share was paid in cash. Announced ratios count beside these."""
DENOMINATORS = 20
"""Of a ratio that whole shares show by themselves: 7 for 5, 21 for 20."""
CLOSE_TO = Decimal("0.1")
"""Tolerance of an average price beside an announced ratio: a wash sale, a fee or a return of capital changes it."""
SAME = Decimal("0.001")
"""Tolerance of an average price under another symbol: that of two purchases for the same money differs by more."""
LEAST = Decimal("0.04")
"""A smaller change of the shares is no split."""
WHOLE = Decimal(1)
ROUNDED = Decimal("0.0001")
"""Part of a share up to which a broker's fraction of one differs from the exact one."""


# ── recognition ──────────────────────────────────────────────────────────────────────────────────────────────────────


def split_ratio(
    before: Quantity,
    after: Quantity,
    price_before: Price,
    price_after: Price,
    tolerance: Decimal,
    announced: Sequence[Decimal] = (),
    *,
    is_spun: bool = False,
) -> Decimal | None:
    """Return the new shares for one old share that explain both quantities and both prices; None if none do.

    Parameters
    ----------
    before, after
        Signed quantities of one position.
    price_before, price_after
        Its average prices, USD a share.
    tolerance
        As a fraction of the ratio.
    announced
        Ratios of announced splits whose day has come: they explain shares whose average price is within a tenth, as a
        broker may adjust it for other reasons too.
    is_spun
        A part is announced to be spun off in these days too: its part of the cost may have left already, and the
        average price beside an announced ratio may be lower.
    """
    if not price_after or before * after <= 0 or before == after:
        return None
    shares, prices = after / before, price_before / price_after
    for ratio in announced:
        is_whole = abs(shares - ratio) <= ROUNDED * ratio or after == _whole(before * ratio)
        is_lower = is_spun and prices > ratio
        if is_whole and (is_lower or abs(prices - ratio) <= CLOSE_TO * ratio):
            return ratio
    exact = _nice(shares)
    if exact is not None and abs(prices - exact) <= tolerance * exact:
        return exact
    nearest = min(SPLITS, key=lambda each: abs(prices / each - 1))
    is_near = abs(prices - nearest) <= tolerance * nearest
    return nearest if is_near and after == _whole(before * nearest) else None


def _nice(shares: Decimal) -> Decimal | None:
    """Return the ratio of small whole numbers that the shares show; None if it is no split."""
    size = max(shares, 1 / shares)
    found = Fraction(size).limit_denominator(DENOMINATORS)
    ratio = Decimal(found.numerator) / found.denominator
    if abs(size - ratio) > ROUNDED * ratio or ratio - 1 < LEAST:
        return None
    return ratio if shares > 1 else 1 / ratio


def _whole(shares: Decimal) -> Decimal:
    return shares.to_integral_value(ROUND_DOWN)


def action_in_books(
    held: Sequence[Position],
    theirs: BrokerPosition,
    day: date,
    tolerance: Decimal,
    announced: Sequence[Decimal] = (),
    *,
    is_spun: bool = False,
) -> CorporateActionApplied | None:
    """Return what made the broker's position of ours, under its symbol or another; None if nothing explains it."""
    ours, price = _net(held), average_of(held)
    if price is None:
        return None
    to = theirs.symbol if theirs.symbol != held[0].symbol else None
    within = tolerance if to is None else SAME
    ratio = split_ratio(ours, theirs.quantity, price, theirs.average_price, within, announced, is_spun=is_spun)
    if to is not None and ours == theirs.quantity and abs(theirs.average_price - price) <= SAME * price:
        ratio = WHOLE
    if ratio is None:
        return None
    owners, books = owners_of_split(held, theirs.quantity, ratio), ActionEvidence.BOOKS
    return CorporateActionApplied((), day, held[0].symbol, ratio, ours, theirs.quantity, owners, ours, books, to=to)


def announced_in_books(
    held: Sequence[Position], theirs: BrokerPosition, day: date, announced: CorporateAction
) -> CorporateActionApplied | None:
    """Return what an announced rename or merger made of our shares; None if the broker has not as many as it gives."""
    ratio, ours = announced.moved_ratio, _net(held)
    if ratio is None or announced.to != theirs.symbol or not ours:
        return None
    if announced.cash and (ours < 0 or any(p.cost <= announced.cash * p.quantity for p in held)):
        return None  # the cash is more than the shares cost: a person decides
    exact = ours * ratio
    is_it = abs(theirs.quantity - exact) <= ROUNDED * abs(exact) or theirs.quantity == _whole(exact)
    if not is_it:
        return None
    symbol, owners, books = held[0].symbol, owners_of_split(held, theirs.quantity, ratio), ActionEvidence.BOOKS
    cash = None if announced.cash is None else Price(announced.cash)
    return CorporateActionApplied(
        (), day, symbol, ratio, ours, theirs.quantity, owners, ours, books, to=theirs.symbol, cash=cash
    )


def is_as_announced(
    found: CorporateActionApplied, announced: CorporateAction, splits: Iterable[Decimal], tolerance: Decimal
) -> bool:
    """Return whether shares that have another symbol came by this announced action, or by it and one of these splits.

    A reverse split often changes the symbol, too.
    """
    moved = announced.moved_ratio
    if moved is None or (found.to, found.cash) != (announced.to, announced.cash):
        return False
    return moved == found.ratio or any(abs(moved * each - found.ratio) <= tolerance * found.ratio for each in splits)


@dataclass(frozen=True, slots=True)
class SpinOff:
    """Shares that came beside those of a source.

    Attributes
    ----------
    owners
        Each owner's new shares, at the broker's average.
    left
        The source's shares with the cost that the broker left them; empty where it moved none of it.
    stayed
        The part of the cost that it left them; None where it moved none.
    """

    source: Symbol
    owners: tuple[OwnerShare, ...]
    left: tuple[OwnerShare, ...]
    stayed: Decimal | None = None


def spun_off(
    held: Sequence[Position], came: BrokerPosition, ratio: Decimal, source: BrokerPosition | None
) -> SpinOff | None:
    """Return whose the new shares are, a ratio for each share of the source; None if the broker has another number.

    The new shares and those of the source have the cost of before together, where the broker says so; less that of a
    fraction which it paid in cash.
    """
    exact = _net(held) * ratio
    if not exact or not (abs(came.quantity - exact) <= ROUNDED * abs(exact) or came.quantity == _whole(exact)):
        return None
    average = came.average_price
    its = owners_of_split(held, came.quantity, ratio)
    owners = tuple(OwnerShare(one.strategy, one.quantity, average) for one in its if one.quantity)
    before, theirs = sum((p.cost for p in held), ZERO), ZERO if source is None else source.average_price * _net(held)
    costs = [abs(shares) * average for shares in (came.quantity, exact)]
    moved = next((cost for cost in costs if cost > 0 and abs(abs(theirs) + cost - before) <= SAME * before), None)
    if moved is None or source is None or source.quantity != _net(held):
        return SpinOff(held[0].symbol, owners, ())
    part = 1 - moved / before
    left = tuple(OwnerShare(p.strategy, p.quantity, Price(p.average_price * part)) for p in held)
    return SpinOff(held[0].symbol, owners, left, part)


def paid_out(held: Sequence[Position], day: date, cash: Price) -> CorporateActionApplied:
    """Return that all these shares left for cash, or without value."""
    ours, none, symbol = _net(held), NO_SHARES, held[0].symbol
    return CorporateActionApplied((), day, symbol, ZERO, ours, none, (), ours, ActionEvidence.BOOKS, cash=cash)


def splits_in(
    activities: Iterable[Activity],
    ours: Callable[[Symbol], Sequence[Position]],
    theirs: Mapping[Symbol, BrokerPosition],
    tolerance: Decimal,
) -> tuple[CorporateActionApplied, ...]:
    """Return each split among the activities, with its effect on our books.

    A broker books it as one activity of the shares that come or go, or as one of all that go and one of all that come.

    Parameters
    ----------
    ours
        Our positions in a symbol, one of each owner.
    theirs
        The broker's current positions: if our books have as much, they had the split already.
    """
    entries: dict[Symbol, list[Activity]] = {}
    for one in activities:
        if one.kind is ActivityKind.SPLIT and one.symbol is not None and one.quantity:
            entries.setdefault(one.symbol, []).append(one)
    return tuple(_split(symbol, its, ours(symbol), theirs.get(symbol), tolerance) for symbol, its in entries.items())


def _split(
    symbol: Symbol, entries: list[Activity], held: Sequence[Position], theirs: BrokerPosition | None, tolerance: Decimal
) -> CorporateActionApplied:
    ours, price = _net(held), average_of(held)
    after = NO_SHARES if theirs is None else theirs.quantity
    before = Quantity(after - sum((one.quantity or ZERO for one in entries), ZERO))
    ratio = after / before if before else WHOLE
    is_new = bool(before) and ours == before and ours != after
    if is_new and price is not None and theirs is not None:
        ratio = split_ratio(before, after, price, theirs.average_price, tolerance) or ratio
    names: tuple[ActivityId, ...] = tuple(one.id for one in entries)
    owners = owners_of_split(held, after, ratio) if is_new else ()
    return CorporateActionApplied(names, entries[-1].day, symbol, ratio, before, after, owners, ours)


def average_of(held: Sequence[Position]) -> Price | None:
    """Return the average price of positions in one symbol, USD; None without shares."""
    shares = sum((abs(position.quantity) for position in held), ZERO)
    return held[0].instrument.price_of(shares, sum((p.cost for p in held), ZERO)) if shares else None


def _net(held: Sequence[Position]) -> Quantity:
    return Quantity(sum((position.quantity for position in held), ZERO))


# ── effect ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def owners_of_split(held: Sequence[Position], true: Quantity, ratio: Decimal) -> tuple[OwnerQuantity, ...]:
    """Return each owner's shares after a split, summing to the `true` quantity; the largest takes the rounding rest.

    An owner whose shares were all paid in cash has none.
    """
    if not held or not true:
        return ()
    net = _net(held)
    step = Decimal(1).scaleb(min(_exponent(true), *(_exponent(position.quantity) for position in held)))
    largest, *others = sorted(held, key=lambda position: abs(position.quantity), reverse=True)
    parts = [(p, (p.quantity * true / net).quantize(step, ROUND_DOWN)) for p in others]
    rest = true - sum((quantity for _, quantity in parts), ZERO)
    return tuple(
        OwnerQuantity(position.strategy, Quantity(quantity), quantity / position.quantity if others else ratio)
        for position, quantity in ((largest, rest), *parts)
    )


def _exponent(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return min(exponent, 0) if isinstance(exponent, int) else 0


def split(held: Position, quantity: Quantity, by: Rescaling) -> Position:
    """Return the position as `quantity` shares at the same total cost; opened and closed shares are multiplied too.

    Shares that the ratio gives beyond `quantity` were paid in cash: they leave with their part of the cost. Cash beside
    the new shares is a part of the cost that came back.
    """
    ratio, came_back = by.ratio, by.cash * abs(held.quantity)
    if came_back:
        held = replace(
            held,
            cost=Money(held.cost - came_back),
            entry_cost=Money(held.entry_cost - came_back),
            intended_cost=Money(held.intended_cost - came_back),
        )
    exact = held.quantity * ratio
    paid = exact - quantity if abs(exact - quantity) > ROUNDED * abs(exact) else ZERO
    part = paid / exact if paid else ZERO
    of_cash = held.cost * part
    intended = held.intended_cost * (of_cash / held.entry_cost) if part and held.entry_cost else ZERO
    return replace(
        held,
        quantity=quantity,
        cost=Money(held.cost - of_cash) if part else held.cost,
        entered=Quantity(held.entered * ratio - (abs(exact) - abs(quantity) if part else ZERO)),
        entry_cost=Money(held.entry_cost - of_cash) if part else held.entry_cost,
        intended_cost=Money(held.intended_cost - intended) if part else held.intended_cost,
        left=Quantity(held.left * ratio),
    )


def count_split(orders: Iterable[Order], fact: CorporateActionApplied) -> list[Order]:
    """Mark the orders whose prices or symbol are of shares from before it, and return them.

    An order that the broker restated by its ratio is one of today's; the next split finds no restatement of it.
    """
    marked = []
    for order in orders:
        if order.request.symbol != fact.symbol:
            continue
        if fact.to is not None:
            order.request = replace(order.request, symbol=fact.to)
            order.listed_as = None if order.id in fact.followed else order.listed_as or fact.symbol
        if was_adjusted(order, fact.rescaling, order.restated_from):
            order.restated_from = None
            continue
        order.rescale(fact.rescaling)
        order.is_asked_for = order.is_asked_for and order.is_working  # its ticket had the price of before
        marked.append(order)
    return marked


def was_adjusted(order: Order, by: Rescaling, before: StatedTerms | None) -> bool:
    """Whether the broker restated the prices of the order, from these terms before, to those of today."""
    request = order.request
    if before is None:
        return False
    pairs = (
        (by.known_price(before.stop_price), request.stop_price),
        (by.known_price(before.limit_price), request.limit_price),
        (by.known_distance(before.trail_price), request.trail_price),
    )
    found = [(old, new) for old, new in pairs if old is not None and new is not None]
    return bool(found) and all(abs(old - new) <= request.instrument.ticks.at(new) for old, new in found)
