"""The orders by which a sale and its replacements sell the same shares, and the shares that stay (EX-21)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal

from core.execution.ledger_state import OrderLines
from core.execution.order import Order
from core.model.codes import BY_A_PERSON
from core.model.order import order_id_of
from core.model.staging import StandingAuthorization, Ticket
from core.model.values import ZERO, ClientOrderId, Symbol
from core.staging.stage_state import AuthorizationUse

PASSED_OVER = 5
"""Names of restored stops that may have been passed over, as they were taken already."""


def restored_stop_id(authorization: StandingAuthorization, index: int) -> ClientOrderId:
    """Return the id of a restored stop: it hashes the order whose ticket signed it, and its authorization (EX-04)."""
    return order_id_of(authorization.parent, authorization.id, authorization.side.value, str(index))


def restored(lines: OrderLines, uses: Iterable[AuthorizationUse]) -> list[Order]:
    """Return the stops that were restored under these authorizations, and their replacements."""
    names = {
        restored_stop_id(use.authorization, index)
        for use in uses
        for index in range(1, use.releases + PASSED_OVER + 1)
        if use.releases
    }
    return lines.grown(names, only_reducing=True)


def sold(lines: OrderLines, ticket: Ticket, uses: Iterable[AuthorizationUse]) -> Decimal:
    """Return the shares that were sold by a ticket's sale, by what it cancelled, and by the stops restored for both.

    Its key counts those from before it with what is held then: the difference is what was sold since.

    Parameters
    ----------
    uses
        The authorizations that restore the stops of its position.
    """
    own = lines.grown({ticket.order.client_order_id, *ticket.cancels}, only_reducing=True)
    each = {order.id: order.filled_quantity for order in (*own, *restored(lines, uses))}
    return sum(each.values(), ZERO)


def staying(
    lines: OrderLines, close: AuthorizationUse, ticket: Ticket, uses: Iterable[AuthorizationUse], now: Decimal
) -> Decimal:
    """Return the shares that a close has left so far of those held at its key.

    `now` are those held now without what was bought later: the answer after a split, and for a record from before it
    was noted what was held.
    """
    held = close.authorization.held
    return max(now if held is None else held - sold(lines, ticket, uses), ZERO)


def bought_later(lines: OrderLines, symbol: Symbol, strategy: str, key: datetime) -> Decimal:
    """Return the shares of entries that were confirmed after a key, less those that their own exits sold."""
    known = lines.owned(symbol, strategy)
    entries = [order for order in known if order.created_at > key and not order.only_reduces]
    if not entries:
        return ZERO
    names = {entry.id for entry in entries}
    own = [order for order in known if order.only_reduces and order.parent in names]
    return sum((o.filled_quantity for o in entries), ZERO) - sum((o.filled_quantity for o in own), ZERO)


def guarded(lines: OrderLines, uses: Iterable[AuthorizationUse], key: datetime) -> Decimal:
    """Return the shares that the stops restored under these authorizations guard.

    Those whose restored stop a person cancelled since the key, here or elsewhere, count too: it stays away (EX-13).
    """
    stops = restored(lines, uses)
    taken = (o for o in stops if o.cancel_code in BY_A_PERSON or o.is_taken_elsewhere)
    away = sum((o.remaining for o in taken if o.ended_at is not None and o.ended_at > key), ZERO)
    return away + sum((stop.remaining for stop in _working(stops)), ZERO)


def _working(stops: Iterable[Order]) -> Iterator[Order]:
    """Yield those that work and that no working replacement stands for."""
    working = [stop for stop in stops if stop.is_working]
    replaced = {stop.request.replaces for stop in working}
    return (stop for stop in working if stop.id not in replaced)
