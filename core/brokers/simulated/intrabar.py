"""Fills of limits: at the quote, and in the bar of an entry by the order of extremes that is worse.

Prices, quotes and the account show this path while a bar lasts, and so does an order that comes after the first
extreme. Earlier orders meet the bar in their own worse order, whatever is displayed (`BookedOrder.low_hurts`).

The low is worse for a long position, the high for a short one, and each entry defines its own. Positions count by their
shares, entries by the quantity that this bar can fill, and the larger part decides. Without any, the bar's shape
decides, so that no side has an advantage: one that rises went down first.

A bar has four prices without their order. Shares that a limit bought in a bar, or any order after its first extreme,
are not sold by a limit that waits in that bar, unless its close is beyond that limit (AN-04); shorts are mirrored. Such
a bar raises their trailing stop only by its close, and no bar raises one before it ends. So no bar pays at both ends.

If a stop and a target are inside one bar, the stop is taken.

A stop-limit that a bar elects after its open is filled there at once, or by a close beyond its limit: the bar does not
tell whether another price within its limit came before or after its election. Orders that work with it for the same
shares are not filled in that bar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from core.brokers.simulated.account import ExchangeLedger
from core.brokers.simulated.market import ExchangeMarket, Path, Segment
from core.brokers.simulated.order_book import Book, BookedOrder
from core.model.bar import Bar
from core.model.instrument import STOCK_TICKS
from core.model.lazy_dataclass import dataclass
from core.model.order import Side
from core.model.values import ZERO, Price, Quantity, Symbol


def fill_of_a_limit(
    side: Side, limit: Price, reached: Iterable[Price], passed: Iterable[Price], slipped: Callable[[Price], Price]
) -> Price | None:
    """Return the worst of the quotes that it met, never worse than its limit; None if none of them is within.

    Parameters
    ----------
    reached
        Prices that an order on this side would have paid or received: asks for a buyer, bids for a seller.
    passed
        Such prices from before, where the market came from; they do not fill it now.
    slipped
        Adds slippage to a price.
    """
    quotes = tuple(reached)
    best, worst = (min, max) if side is Side.BUY else (max, min)
    if not is_within(side, best(quotes), limit):
        return None
    return best(limit, slipped(worst((*quotes, *passed))))


def is_within(side: Side, price: Price, limit: Price) -> bool:
    """Return whether an order with this limit may trade at that price."""
    return price <= limit if side is Side.BUY else price >= limit


def worse(price: Price, by: Decimal, side: Side) -> Price:
    """Return `price`, worsened by that much for this side, rounded to the next tick; never below one tick."""
    moved = price + by if side is Side.BUY else price - by
    tick = STOCK_TICKS.at(moved)
    rounded = moved.quantize(tick, ROUND_CEILING if side is Side.BUY else ROUND_FLOOR)
    return max(Price(rounded), Price(tick))


Around = Callable[[Symbol, Price, Side], Price]
"""The price of an order on a side after a last price."""


class PathOrder:
    """Decides by current positions and working orders; all orders together get `participation` of a bar."""

    def __init__(self, ledger: ExchangeLedger, book: Book, around: Around, participation: Decimal) -> None:
        self._ledger = ledger
        self._book = book
        self._around = around
        self._participation = participation

    def low_first(self, bar: Bar) -> bool:
        weight = self._weight(bar)
        if weight != ZERO:
            return weight > ZERO
        if bar.close != bar.open:
            return bar.close > bar.open
        if bar.open - bar.low != bar.high - bar.open:
            return bar.open - bar.low < bar.high - bar.open
        # Decide a symmetrical bar by the oldest working entry.
        entries = [order for order in self._book.working.get(bar.symbol, ()) if order.opens]
        return entries[0].low_hurts if entries else True

    def _weight(self, bar: Bar) -> Decimal:
        """Return the shares for which the low is worse, less those for which the high is."""
        entries = [o for o in self._book.working.get(bar.symbol, ()) if o.opens and self._can_fill(o, bar)]
        room = self._participation * bar.volume
        low, high = (
            min(room, sum((o.remaining for o in entries if o.low_hurts is low_hurts), ZERO))
            for low_hurts in (True, False)
        )
        return self._ledger.quantity(bar.symbol) + low - high

    def _can_fill(self, entry: BookedOrder, bar: Bar) -> bool:
        return entry.is_touched(bar.low, bar.high) and not self._is_out_of_reach(entry, bar)

    def _is_out_of_reach(self, entry: BookedOrder, bar: Bar) -> bool:
        """Return whether the bar cannot fill it: it is not elected, or no quote is within its limit, or none at its
        election.
        """
        stop, limit = entry.stop_price, entry.request.limit_price
        best, worst = (min, max) if entry.side is Side.BUY else (max, min)
        met = best(bar.low, bar.high)
        if stop is not None and not entry.is_elected:
            if not is_within(entry.side, stop, worst(bar.low, bar.high)):
                return True
            met = worst(stop, bar.open)
        if limit is None:
            return False
        return not is_within(entry.side, self._around(entry.symbol, met, entry.side), limit)


@dataclass(slots=True)
class Fresh:
    """Shares that a bar bought, or sold short, and whose closing fills in it are limited.

    Attributes
    ----------
    bar
        When it began.
    by_stop
        Whether a stop was among the entries.
    """

    bar: datetime
    quantity: Decimal = ZERO
    by_stop: bool = False


class SameBar:
    """Called before a closing limit is filled, and after each execution.

    Attributes
    ----------
    decided
        Trades with different results for two orders of one bar's prices: of each, the worse was taken.
    """

    def __init__(self, market: ExchangeMarket, book: Book, ledger: ExchangeLedger) -> None:
        self.decided = 0
        self._market = market
        self._book = book
        self._ledger = ledger
        self._fresh: dict[Symbol, Fresh] = {}
        self._counted: set[Symbol] = set()

    # ── allowed fills ────────────────────────────────────────────────────────────────────────────────────────────

    def sellable(self, order: BookedOrder, segment: Segment) -> Decimal | None:
        """Return the quantity of a waiting limit that may be filled in a segment; None if unlimited."""
        if any(self._is_left_of_its_election(sibling, segment.at) for sibling in order.oco_siblings):
            return ZERO
        if self._is_left_of_its_election(order, segment.at):
            goes_on = segment.number is not None and self._is_within_throughout(order, segment.at)
            if not goes_on and not (segment.is_close and self._is_beyond(order, segment.end)):
                return ZERO
        if order.opens or self._fresh_of(order.symbol, segment.at) is None:
            return None
        if segment.is_close and self._is_beyond(order, segment.end):
            return None
        return self._older(order, segment.at)

    def comes_late(self, order: BookedOrder, segment: Segment) -> bool:
        """Return whether it waited for the close because the bar filled its entry, or elected it: it then gets its
        limit.
        """
        if not segment.is_close:
            return False
        is_left = self._is_left_of_its_election(order, segment.at)
        return self.is_of_its_entry(order, segment) or (is_left and not self._is_within_throughout(order, segment.at))

    def is_of_its_entry(self, order: BookedOrder, segment: Segment) -> bool:
        """Return whether it closes, and the bar filled an entry of its symbol."""
        return not order.opens and self._fresh_of(order.symbol, segment.at) is not None

    def _is_left_of_its_election(self, order: BookedOrder, at: datetime) -> bool:
        path = self._open_path(order.symbol, at)
        return path is not None and order.is_working and order.elected_in == path.bar.start

    def _is_within_throughout(self, order: BookedOrder, at: datetime) -> bool:
        """Return whether no price of the bar is beyond its limit: the rest then fills at the worse end, as a stop's
        does.
        """
        path = self._open_path(order.symbol, at)
        return path is not None and self._is_beyond(order, path.bar.high if order.side is Side.BUY else path.bar.low)

    def _older(self, order: BookedOrder, at: datetime) -> Decimal:
        """Return the shares to close that were held before; a leg is for its parent's alone."""
        fresh = self._fresh_of(order.symbol, at)
        if fresh is None:
            return abs(self._ledger.quantity(order.symbol))
        parent = order.parent
        if parent is not None and parent.opens and any(e.at >= fresh.bar for e in parent.executions):
            return ZERO
        return max(abs(self._ledger.quantity(order.symbol)) - fresh.quantity, ZERO)

    # ── events ───────────────────────────────────────────────────────────────────────────────────────────────────

    def note_execution(self, order: BookedOrder, quantity: Quantity, at: datetime) -> None:
        """Note an execution that the ledger has already."""
        symbol, held = order.symbol, abs(self._ledger.quantity(order.symbol))
        if held == ZERO:
            self._counted.discard(symbol)
            self._fresh.pop(symbol, None)
            return
        path, fresh = self._open_path(symbol, at), self._fresh_of(symbol, at)
        if not order.opens:
            if fresh is not None:
                fresh.quantity = min(fresh.quantity, held)
            return
        if path is None or not (order.rests_at_its_limit or at >= path.turns_at):
            return
        if fresh is None:
            fresh = self._fresh[symbol] = Fresh(path.bar.start)
        fresh.quantity += quantity
        fresh.by_stop = fresh.by_stop or order.request.type.is_stop

    def note_waiting(self, symbol: Symbol, at: datetime) -> None:
        """Count targets that this bar will reach and must not fill because it filled their entry."""
        path = self._open_path(symbol, at)
        if path is None or self._fresh_of(symbol, at) is None:
            return
        for order in self._targets(symbol):
            walked = self._market.path_of(order)
            is_to_come = walked is not None and walked.has_extreme_after(at, self._best_of(order, path))
            if is_to_come and self._older(order, at) < order.remaining and self._is_between_the_ends(order, path):
                self._count(symbol)

    def note_late(self, order: BookedOrder, at: datetime) -> None:
        """Count an order after the first extreme whose displayed path was turned to its good side by a larger stop
        entry.
        """
        path = self._open_path(order.symbol, at)
        if path is None or order.opens or at < path.turns_at or path.is_low_first == order.low_hurts:
            return
        if self._older(order, at) > ZERO:
            self._count(order.symbol)

    def note_election(self, order: BookedOrder, segment: Segment) -> None:
        """Count an elected stop-limit whose rest one order of the bar's prices would have filled.

        It has already filled within its limit. Until :20 all is still to come.
        """
        path = self._open_path(order.symbol, segment.at)
        if path is None or not order.is_working or segment.at < path.turns_at:
            return
        order.elected_in = path.bar.start
        if self._is_reached(order, path) and not self._is_within_throughout(order, segment.at):
            if self._ledger.quantity(order.symbol) == ZERO:
                self._counted.discard(order.symbol)
            self._count(order.symbol)

    def note_trail(self, order: BookedOrder, segment: Segment) -> None:
        """At the end of its entry's bar, count a trailing stop that the better extreme would have raised to
        the close.
        """
        path = self._open_path(order.symbol, segment.at)
        if path is None or order.is_elected or not order.request.type.trails:
            return
        level = order.request.stop_behind(self._best_of(order, path))
        if _is_past(level, order.side, path.bar.close):
            self._count(order.symbol)

    def note_stop(self, stop: BookedOrder, segment: Segment) -> None:
        """Count a stop that is about to fill if another result was possible in this bar."""
        path = self._open_path(stop.symbol, segment.at)
        if path is None or stop.opens or not segment.number:
            return
        fresh = self._fresh_of(stop.symbol, segment.at)
        if fresh is not None and fresh.by_stop and not _has_gone_through(stop, path.bar.close):
            self._count(stop.symbol)
        if any(self._is_reached(order, path) for order in self._targets(stop.symbol) if order.side is stop.side):
            self._count(stop.symbol)

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _count(self, symbol: Symbol) -> None:
        """Count a trade once, from flat to flat."""
        if symbol not in self._counted:
            self._counted.add(symbol)
            self.decided += 1

    def _targets(self, symbol: Symbol) -> list[BookedOrder]:
        return [o for o in self._book.working.get(symbol, ()) if not o.opens and o.rests_at_its_limit]

    def _is_reached(self, order: BookedOrder, path: Path) -> bool:
        return self._is_beyond(order, self._best_of(order, path))

    def _best_of(self, order: BookedOrder, path: Path) -> Price:
        """Return the better extreme for an order on its side."""
        return path.bar.low if order.side is Side.BUY else path.bar.high

    def _is_between_the_ends(self, order: BookedOrder, path: Path) -> bool:
        return self._is_reached(order, path) and not self._is_beyond(order, path.bar.close)

    def _is_beyond(self, order: BookedOrder, price: Price) -> bool:
        """Return whether the quote around a price would fill its limit."""
        limit = order.request.limit_price
        return limit is not None and is_within(order.side, self._market.around(order.symbol, price, order.side), limit)

    def _fresh_of(self, symbol: Symbol, at: datetime) -> Fresh | None:
        fresh, path = self._fresh.get(symbol), self._open_path(symbol, at)
        return fresh if fresh is not None and path is not None and path.bar.start == fresh.bar else None

    def _open_path(self, symbol: Symbol, at: datetime) -> Path | None:
        path = self._market.path(symbol)
        return path if path is not None and path.is_open(at) else None


def _has_gone_through(stop: BookedOrder, price: Price) -> bool:
    level = stop.stop_price
    return level is not None and _is_past(level, stop.side, price)


def _is_past(level: Price, side: Side, price: Price) -> bool:
    """Return whether a price has crossed a stop on that side."""
    return price <= level if side is Side.SELL else price >= level
