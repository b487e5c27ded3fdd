"""Compute how many shares of a position are covered, by which orders, and which exits ask for too much (EX-13, EX-22).

No other module computes these figures. An order in doubt covers nothing and is named separately; so is one that the
broker holds but does not trade now. The slice `core.trading_state.owed_stops` derives from them which shares are owed a
stop, since when and why.

For reports, the cover at a past time follows from the records of orders, by the ledger's own rules. An order that the
records do not have is skipped. Nothing is forgotten, and nothing is decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from core import facts
from core.execution.corporate_actions import count_split
from core.execution.ledger import Ledger, OrderFolds
from core.execution.ledger_state import ExitClaims, LedgerIndex, Legs, ReplacementChains
from core.execution.order import Order, nearest_first
from core.execution.position_book import count_fill, count_reversal
from core.model.codes import UnprotectedKind
from core.model.lazy_dataclass import dataclass
from core.model.order import Effect, OrderRequest, OrderStatus, Side
from core.model.position import Position
from core.model.values import NO_SHARES, ZERO, ClientOrderId, Quantity, Symbol, plain

# ── exits over the position ──────────────────────────────────────────────────────────────────────────────────────────
# Exits that ask for more than is held, and the effect of a working order if it filled now.
#
# The held shares are allocated to the owner's working exits in turn: first to exits at any price, then to stops, the
# nearest first, then to exits at a limit. A stop and a target of one pair share the same shares: a fill of one reduces
# the other, and no exit of other shares. An exit could open the quantity beyond its allocation (EX-13, OP-07).
#
# The position is that of our books, or a smaller one that the broker's books show while a person has yet to accept it.

Told = Mapping[Symbol, Quantity]
"""The broker's quantity of each symbol of which our books have more, until a person decides."""
NOTHING_TOLD: Told = {}


def exits_beyond(ledger: Ledger, told: Told = NOTHING_TOLD) -> list[tuple[Order, Quantity]]:
    """Return each working exit that asks for more than its allocation, with the allocation."""
    owners = dict.fromkeys((o.request.symbol, o.strategy) for o in ledger.working_exits())
    return [pair for symbol, strategy in owners for pair in _beyond(ledger, symbol, strategy, told)]


def beyond(ledger: Ledger, order: Order, told: Told = NOTHING_TOLD) -> Quantity:
    """Return the shares of a working exit beyond its allocation; none for an entry."""
    if not order.only_reduces or not order.is_working:
        return NO_SHARES
    found = (left for exit_, left in _beyond(ledger, order.request.symbol, order.strategy, told) if exit_ is order)
    return next((Quantity(order.remaining - left) for left in found), NO_SHARES)


def only_opens(ledger: Ledger, order: Order, told: Told = NOTHING_TOLD) -> bool:
    """Whether nothing is left for a working exit: any fill opens."""
    over = beyond(ledger, order, told)
    return over > 0 and over == order.remaining


def free_of_exits(ledger: Ledger, symbol: Symbol, strategy: str, side: Side, told: Told = NOTHING_TOLD) -> Quantity:
    """Return the held shares that no working exit on this side would close."""
    return _shared_out(ledger, symbol, strategy, side, told)[1]


def refusal_of_less(old: Order | None, order: OrderRequest) -> str | None:
    """Return why this order is not a reduction of the signed one in its place; None if it is (OP-02)."""
    if old is None or not order.effect.only_reduces:
        return "there is no such exit to make less of"
    signed = old.request
    if (order.instrument_legs, order.terms) != (signed.instrument_legs, signed.terms):
        return "it is another order than the one that it would make less of"
    if order.legs and order.legs != signed.legs:
        return "it has other legs than the order that it would make less of"
    if old.is_working is not (order.replaces == old.id):
        return "the order that it would make less of is there, and it would work beside it"
    if order.quantity > (old.remaining if old.owed is None else min(old.remaining, old.owed)):
        return "it asks for more than the order that it would make less of"
    return None


def refusal_of_again(old: Order | None, order: OrderRequest) -> str | None:
    """Return why this order is not the same exit under another id; None if it is (OP-02, EX-24).

    The broker never accepts the old one, because another order has its id.
    """
    if old is None or old.status is not OrderStatus.PENDING or not old.only_reduces or old.again_of is not None:
        return "there is no such exit to send again"
    if order.replaces is not None or replace(order, client_order_id=old.id) != old.request:
        return "it is another order than the one that it would be sent again for"
    return None


def _beyond(ledger: Ledger, symbol: Symbol, strategy: str, told: Told) -> Iterable[tuple[Order, Quantity]]:
    for side in Side:
        given, _ = _shared_out(ledger, symbol, strategy, side, told)
        yield from ((order, left) for order, left in given if order.remaining > left)


def _shared_out(
    ledger: Ledger, symbol: Symbol, strategy: str, side: Side, told: Told
) -> tuple[list[tuple[Order, Quantity]], Quantity]:
    """Return the allocation of each exit on this side, and the shares left after all of them."""
    exits = [o for o in ledger.exits.working(symbol, strategy) if o.request.side is side and _may_fill(ledger, o)]
    held = _held(ledger, symbol, strategy, told)
    left = Quantity(max(held if side is Side.SELL else -held, NO_SHARES))
    given: list[tuple[Order, Quantity]] = []
    for pair in _in_turn(exits) if len(exits) > 1 else [exits] if exits else ():
        share = min(left, _asked_by(ledger, pair))
        left = Quantity(left - share)
        given += [(order, share) for order in pair]
    return given, left


def _asked_by(ledger: Ledger, pair: list[Order]) -> Quantity:
    """Return the shares that a pair still has to close: the fills of one reduce the other.

    The broker may not have reduced the other one yet. Until then the shares are subtracted only from the pair's own.
    """
    asked, one = min(o.remaining for o in pair), pair[0]
    made = (one, *ledger.legs.oco_siblings(one))
    if any(order.status is OrderStatus.FILLED for order in made):
        return NO_SHARES
    entry = ledger.order(one.parent) if one.role is not None and one.parent is not None else None
    if entry is None or entry.only_reduces:
        return asked
    closed = sum((leg.filled_quantity * leg.split for leg in made), ZERO)
    return Quantity(min(asked, max(entry.filled_quantity * entry.split - closed, ZERO)))


def _held(ledger: Ledger, symbol: Symbol, strategy: str, told: Told) -> Quantity:
    """Return our quantity, or the broker's smaller one if the symbol has one owner.

    With several owners it is unknown whose shares are missing, unless all are.
    """
    position = ledger.position(symbol, strategy)
    ours = position.quantity if position is not None else NO_SHARES
    theirs = told.get(symbol)
    if theirs == 0:
        return NO_SHARES
    if theirs is None or theirs * ours <= 0 or len(ledger.positions_in(symbol)) > 1:
        return ours
    return min(ours, theirs, key=abs)


def _may_fill(ledger: Ledger, order: Order) -> bool:
    """Whether it can fill now: not a leg that waits for its entry, nor a replacement of an order that still works."""
    return (
        not ledger.legs.is_held(order)
        and ledger.chains.replaced(order) is None
        and not ledger.chains.is_forestalled(order)
    )


def _in_turn(exits: list[Order]) -> Iterable[list[Order]]:
    """Return the exits by pairs, in the order of allocation."""
    at_any_price = [o for o in exits if takes_any_price(o)]
    stops = nearest_first(o for o in exits if o.is_protective)
    first: dict[ClientOrderId, list[Order]] = {}
    for order in (*at_any_price, *stops, *(o for o in exits if not takes_any_price(o) and not o.is_protective)):
        first.setdefault(_pair_of(order), []).append(order)
    return first.values()


def takes_any_price(order: Order) -> bool:
    """Whether an exit sells as soon as it can: neither a stop nor an exit at a limit."""
    return not (order.is_protective or order.is_target or order.request.limit_price is not None)


def _pair_of(order: Order) -> ClientOrderId:
    return order.parent if order.role is not None and order.parent is not None else order.id


def effect_now(ledger: Ledger, order: Order, told: Told = NOTHING_TOLD) -> Effect:
    """Return the effect by the current positions; for an order that has ended, the one that it was sent with.

    The signed order does not change, only its label. An "add" whose position is gone opens, and the other way round; an
    exit for the whole position closes; one with nothing left to close opens the other side.
    """
    signed = order.request.effect
    if not order.is_working:
        return signed
    held = ledger.position(order.request.symbol, order.strategy)
    if signed in (Effect.OPEN, Effect.ADD):
        return Effect.ADD if held is not None and held.quantity > 0 else Effect.OPEN
    if only_opens(ledger, order, told):
        return Effect.SHORT if order.request.side is Side.SELL else Effect.OPEN
    if signed in (Effect.REDUCE, Effect.CLOSE) and held is not None and held.quantity > 0:
        return Effect.CLOSE if order.remaining >= held.quantity else Effect.REDUCE
    return signed


def working_entries(ledger: Ledger) -> tuple[Order, ...]:
    """Return working entries, including exits with nothing left to close.

    Of an order and its pending replacement, only the order at the broker.
    """
    entries = (order for order in ledger.working_entries() if ledger.chains.replaced(order) is None)
    strays = (order for order, left in exits_beyond(ledger) if left <= 0)
    return (*entries, *strays)


# ── cover ────────────────────────────────────────────────────────────────────────────────────────────────────────────


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
    """Return the text: `stop suspended`, `stop leaving`, `exit unfilled`."""
    kind = "stop" if order.is_protective else "exit"
    if order.is_leaving:
        return f"{kind} leaving"
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
    taken = [o for o in known if not o.waits_at_limit and o.idle is None and not o.is_before_split]
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


def unanswered_exits(ledger: Ledger, beside: Order) -> Decimal:
    """Return the shares of other stops and exits at any price that the broker has still to accept or refuse."""
    exits = ledger.exits.working(beside.request.symbol, beside.strategy)
    its = (o for o in exits if o.request.side is beside.request.side and o is not beside)
    sent = (o for o in its if o.status is OrderStatus.PENDING and o.kept is None and not ledger.chains.is_in_doubt(o))
    return sum((ledger.exits.claim(o) for o in sent if takes_any_price(o) or o.is_protective), ZERO)


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
    facts.CorporateActionApplied,
    facts.FillReversed,
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
        elif isinstance(fact, facts.FillReversed):
            if (order := self._index.orders.get(fact.client_order_id)) is not None:
                count_reversal(order, fact)
        elif isinstance(fact, facts.CorporateActionApplied):
            if fact.owners:
                count_split(self._index.orders.values(), fact)
                self._index.restore(self._index.state)
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
            and not order.is_before_split
            and not self._chains.is_in_doubt(order)
            and self.exits.claim(order) > 0
        )
