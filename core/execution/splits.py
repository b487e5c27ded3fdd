"""Apply a split from the broker's activities to positions, unless our books had it already (EX-09)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from core.execution.ledger import Ledger
from core.execution.position_correction import owners_after
from core.facts import CorporateActionApplied, OwnerQuantity
from core.model.activity import Activity, ActivityKind
from core.model.position import Position
from core.model.values import ZERO, Price, Quantity, Symbol

WHOLE = Decimal(1)


def splits_in(
    activities: Iterable[Activity], ledger: Ledger, held: Mapping[Symbol, Quantity], last: Mapping[Symbol, Price]
) -> tuple[CorporateActionApplied, ...]:
    """Return each split among the activities, with its effect on our books.

    A broker books it as one activity of the shares that come or go, or as one of all that go and one of all that come.

    Parameters
    ----------
    held
        The broker's current quantities: if our books have as much, they had the split already.
    last
        The last price of a symbol before the split, USD. If the price after it would trigger a signed stop at once, our
        books stay as they are: a person decides (EX-09).
    """
    entries: dict[Symbol, list[Activity]] = {}
    for one in activities:
        if one.kind is ActivityKind.SPLIT and one.symbol is not None and one.quantity:
            entries.setdefault(one.symbol, []).append(one)
    return tuple(
        _split(symbol, found, ledger, held.get(symbol, Quantity(ZERO)), last.get(symbol))
        for symbol, found in entries.items()
    )


def _split(
    symbol: Symbol, entries: list[Activity], ledger: Ledger, theirs: Quantity, last: Price | None
) -> CorporateActionApplied:
    ours = ledger.net_quantity(symbol)
    came = sum((one.quantity or ZERO for one in entries), ZERO)
    before = theirs - came
    after = theirs
    ratio = after / before if before else WHOLE
    is_new = bool(before) and ours == before and ours != theirs and not _meets_a_stop(ledger, symbol, last, ratio)
    return CorporateActionApplied(
        tuple(one.id for one in entries),
        entries[-1].day,
        symbol,
        ratio,
        Quantity(before),
        Quantity(after),
        _owners(ledger, symbol, ledger.positions_in(symbol), Quantity(after)) if is_new else (),
    )


def _owners(ledger: Ledger, symbol: Symbol, held: tuple[Position, ...], after: Quantity) -> tuple[OwnerQuantity, ...]:
    shares = owners_after(ledger, symbol, after, held[0].average_price, is_split=True)
    return tuple(OwnerQuantity(share.strategy, share.quantity) for share in shares)


def _meets_a_stop(ledger: Ledger, symbol: Symbol, last: Price | None, ratio: Decimal) -> bool:
    """Whether the price after a split is beyond a stop of ours, at the broker or signed with its entry."""
    for position in ledger.positions_in(symbol):
        price = (last or position.average_price) / ratio
        entry, last_stop = ledger.order(position.entry_order), ledger.exits.last_stop(position)
        is_long = position.quantity > ZERO
        stops = [] if entry is None or entry.stop is None else [entry.stop.price]
        stops += [] if last_stop is None or last_stop.request.stop_price is None else [last_stop.request.stop_price]
        if any(price <= stop if is_long else price >= stop for stop in stops):
            return True
    return False
