"""How many shares of a position are covered, and by which orders: the figures are worked out here alone (EX-13, EX-22).

What is in doubt covers nothing, and is named apart; so is what the broker has and does not trade now. Which shares are
owed a stop, since when and why, says the slice `core.trading_state.owed_stops` by these figures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from core.execution.ledger import Ledger
from core.execution.order import Order
from core.model.codes import UnprotectedKind
from core.model.order import OrderStatus, Side
from core.model.position import Position
from core.model.values import NO_SHARES, ZERO, ClientOrderId, Quantity, Symbol, plain


@dataclass(frozen=True, slots=True)
class Cover:
    """Shares of one position.

    Attributes
    ----------
    covered
        What stops close that the broker has, and exits at the market.
    in_doubt
        What others may close, sent and not answered.
    doubt
        What those are: `stop`, `exit`, `exit and stop`; empty where none is in doubt.
    at_limit
        What exits hold that wait at their limit: no stop guards those shares.
    idle, idle_words
        What exits hold that the broker does not trade now, and its words for them: they count as not covered.
    """

    covered: Quantity
    in_doubt: Quantity
    doubt: str
    at_limit: Quantity
    idle: Quantity = NO_SHARES
    idle_words: str = ""


def cover_of(ledger: Ledger, position: Position, is_held_up: Callable[[Order], bool] = lambda _order: False) -> Cover:
    """What is held up in our own queue, or was kept there, covers nothing: the broker has never heard of it."""
    held = abs(position.quantity)
    exits = ledger.exits.working(position.symbol, position.strategy)
    waiting = sum((ledger.exits.claim(order) for order in exits if is_held_up(order) and order.kept is None), ZERO)
    kept = sum((ledger.exits.claim(order) for order in exits if order.kept is not None), ZERO)
    covered = min(ledger.exits.covered(position.symbol, position.strategy) - waiting, held)
    reserved = min(ledger.exits.reserved(position.symbol, position.strategy) - waiting - kept, held)
    at_limit = min(ledger.exits.at_limit(position.symbol, position.strategy), reserved - covered)
    idle = ledger.exits.idle(position.symbol, position.strategy)
    resting = min(sum((ledger.exits.claim(order) for order in idle), ZERO), reserved - covered - at_limit)
    in_doubt = Quantity(reserved - covered - at_limit - resting)
    doubted = ledger.exits.doubted(position.symbol, position.strategy) if in_doubt else ()
    kinds = {"stop" if order.stands_by else "exit" for order in doubted}
    words = ", ".join(sorted({idle_in_words(order) for order in idle}))
    return Cover(Quantity(covered), in_doubt, " and ".join(sorted(kinds)), Quantity(at_limit), Quantity(resting), words)


def idle_in_words(order: Order) -> str:
    """`stop suspended`, `exit unfilled`"""
    kind = "stop" if order.is_protective else "exit"
    return f"{kind} {order.idle_word or 'unfilled'}"


@dataclass(frozen=True, slots=True)
class CoveredBy:
    """An order that the broker has, and the shares of the position that it closes."""

    order: ClientOrderId
    quantity: Quantity


def in_force(ledger: Ledger, position: Position) -> tuple[CoveredBy, ...]:
    """What guards the position at this moment: stops that the broker has said it has, and exits at the market, each
    only while it can trade.
    """
    exits = ledger.exits.working(position.symbol, position.strategy)
    taken = [o for o in exits if o.status is not OrderStatus.PENDING and not o.waits_at_limit and o.idle is None]
    claims = [CoveredBy(order.id, ledger.exits.claim(order)) for order in taken]
    return tuple(each for each in claims if each.quantity > 0)


def unreserved(ledger: Ledger, symbol: Symbol, strategy: str, side: Side) -> Decimal:
    """Shares held that an order on this side would close and no working exit does: none of a flipped position."""
    position = ledger.position(symbol, strategy)
    if position is None or (position.quantity > 0) is not (side is Side.SELL):
        return ZERO
    return abs(position.quantity) - ledger.exits.reserved(symbol, strategy)


def unreserved_of(ledger: Ledger, position: Position) -> Decimal:
    """The same of a position."""
    return abs(position.quantity) - ledger.exits.reserved(position.symbol, position.strategy)


def unprotected_in_words(ledger: Ledger) -> tuple[tuple[UnprotectedKind, str], ...]:
    """`SPY 2.5 no stop`, `SPY 0.5 stop in doubt`: each position of which shares are not covered, and why."""
    found: list[tuple[UnprotectedKind, str]] = []
    for position in ledger.positions():
        cover = cover_of(ledger, position)
        unprotected = abs(position.quantity) - cover.covered - cover.in_doubt - cover.at_limit - cover.idle
        if unprotected > 0:
            found.append((UnprotectedKind.NO_STOP, f"{position.symbol} {plain(unprotected)} no stop"))
        if cover.idle > 0:
            found.append((UnprotectedKind.IDLE, f"{position.symbol} {plain(cover.idle)} {cover.idle_words}"))
        if cover.at_limit > 0:
            found.append((UnprotectedKind.AT_LIMIT, f"{position.symbol} {plain(cover.at_limit)} at its limit, no stop"))
        if cover.in_doubt > 0:
            found.append(
                (UnprotectedKind.IN_DOUBT, f"{position.symbol} {plain(cover.in_doubt)} {cover.doubt} in doubt")
            )
    return tuple(found)
