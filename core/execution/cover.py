"""The cover of a position now and at a past time: how many shares are covered, and by which orders.

Compute how many shares of a position are covered, and by which orders (EX-13, EX-22).
No other module computes these figures. An order in doubt covers nothing and is named separately; so is one that the
broker holds but does not trade now. The slice `core.trading_state.owed_stops` derives from them which shares are owed a
stop, since when and why.

Compute the cover at a past time from the records of orders, by the ledger's own rules.
It serves reports. An order that the records do not have is skipped. Nothing is forgotten, and nothing is decided.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from core import facts
from core.execution.ledger import Ledger
from core.execution.ledger_state import ExitClaims, LedgerIndex, Legs, ReplacementChains
from core.execution.order import Order
from core.execution.order_folds import OrderFolds
from core.execution.position_book import count_fill
from core.model.codes import UnprotectedKind
from core.model.order import OrderStatus, Side
from core.model.position import Position
from core.model.values import NO_SHARES, ZERO, ClientOrderId, Quantity, Symbol, plain


@dataclass(frozen=True, slots=True)
class Cover:
    """Covered shares of one position.

    Attributes
    ----------
    covered
        Shares closed by stops that the broker has, and by market exits.
    in_doubt
        Shares of orders that were sent and not answered, or that the broker does not know any more.
    doubt
        The kind of those orders: `stop`, `exit`, `exit and stop`; empty if none is in doubt.
    at_limit
        Shares of exits that rest at their limit: no stop protects them.
    idle, idle_words
        Shares of exits that the broker does not trade now, and its status for them: they count as not covered.
    """

    covered: Quantity
    in_doubt: Quantity
    doubt: str
    at_limit: Quantity
    idle: Quantity = NO_SHARES
    idle_words: str = ""


def cover_of(ledger: Ledger, position: Position, is_held_up: Callable[[Order], bool] = lambda _order: False) -> Cover:
    """Return the cover. Orders held up or kept in our own queue cover nothing: the broker never received them."""
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
    """Return the text: `stop suspended`, `exit unfilled`."""
    kind = "stop" if order.is_protective else "exit"
    return f"{kind} {order.idle_word or 'unfilled'}"


@dataclass(frozen=True, slots=True)
class CoveredBy:
    """An order that the broker has, and the shares of the position that it closes."""

    order: ClientOrderId
    quantity: Quantity


def in_force(ledger: Ledger, position: Position) -> tuple[CoveredBy, ...]:
    """Return the orders that protect the position now: acknowledged stops and market exits that can trade."""
    exits = ledger.exits.working(position.symbol, position.strategy)
    known = [o for o in exits if o.status is not OrderStatus.PENDING and not ledger.chains.is_in_doubt(o)]
    taken = [order for order in known if not order.waits_at_limit and order.idle is None]
    claims = [CoveredBy(order.id, ledger.exits.claim(order)) for order in taken]
    return tuple(each for each in claims if each.quantity > 0)


def unreserved(ledger: Ledger, symbol: Symbol, strategy: str, side: Side) -> Decimal:
    """Return the held shares that this side would close and no working exit does; zero for a flipped position."""
    position = ledger.position(symbol, strategy)
    if position is None or (position.quantity > 0) is not (side is Side.SELL):
        return ZERO
    return abs(position.quantity) - ledger.exits.reserved(symbol, strategy)


def unreserved_of(ledger: Ledger, position: Position) -> Decimal:
    """Return the unreserved shares of a position."""
    return abs(position.quantity) - ledger.exits.reserved(position.symbol, position.strategy)


def unprotected_in_words(ledger: Ledger) -> tuple[tuple[UnprotectedKind, str], ...]:
    """List positions with uncovered shares and the reason: `SPY 2.5 no stop`, `SPY 0.5 stop in doubt`."""
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


FOLDED: tuple[type[facts.Fact], ...] = (
    facts.ContingentOrdersMissing,
    facts.KeptOrderReleased,
    facts.LegResized,
    facts.OrderCreated,
    facts.OrderFilled,
    facts.OrderIdled,
    facts.OrderKept,
    facts.OrderRestated,
    facts.OrderRevived,
    facts.OrderStateChanged,
    facts.OrderStateUnknown,
    facts.OrderTradesAgain,
)


class PastCover:
    """The cover at a past time; `exits` answers as the ledger's does."""

    def __init__(self) -> None:
        self._index = LedgerIndex()
        self._chains = ReplacementChains(self._index)
        self.exits = ExitClaims(self._index, self._chains, Legs(self._index))
        self._folds = OrderFolds(self._index, self._chains, lambda _order_id: None).folds

    def take(self, at: datetime, fact: facts.Fact) -> None:
        if isinstance(fact, facts.OrderFilled):
            if (order := self._index.orders.get(fact.fill.client_order_id)) is not None:
                count_fill(order, fact)
        elif isinstance(fact, facts.OrderCreated) or (
            isinstance(fact, FOLDED) and getattr(fact, "client_order_id", None) in self._index.orders
        ):
            self._folds[type(fact)](at, fact)

    def guards(self, symbol: Symbol, strategy: str) -> tuple[Order, ...]:
        """Return stops that count as cover."""
        return tuple(
            order
            for order in self.exits.working(symbol, strategy)
            if order.is_protective
            and order.idle is None
            and order.kept is None
            and not self._chains.is_in_doubt(order)
            and self.exits.claim(order) > 0
        )
