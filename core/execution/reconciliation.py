"""Compare our books with the broker's: find differences, and whether a person must look (EX-09).

It reads a ledger and a snapshot of the broker's books, and changes nothing. The engine's comparison and
`keyturn reconcile` both use it.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from itertools import compress, count
from operator import is_not

from core.execution.corporate_actions import action_in_books, announced_in_books, average_of
from core.execution.ledger import Ledger
from core.execution.order import Order
from core.facts import CorporateActionApplied
from core.model.broker import BrokerBooks, BrokerPosition, ForeignPosition, OrderReport, UnreadableOrder
from core.model.order import ORDER_ID, OrderStatus, Side
from core.model.reconciliation import NO_SYMBOL, Difference, DifferenceKind
from core.model.reference_data import CorporateAction
from core.model.rescaling import ratio_in_words
from core.model.values import (
    NO_SHARES,
    ZERO,
    BrokerOrderId,
    ClientOrderId,
    Quantity,
    Symbol,
    exact_percent,
    plain,
)
from core.settings.orders import ReconciliationSettings

LEFT_ALONE = "this desk does not trade its kind; watch and close it at the broker"


class ReconciliationError(Exception):
    """The books differ by more than may be corrected without a person. One reason per argument."""


class OrderListing:
    """The orders listed in a snapshot, indexed. Of the next snapshot only changed orders are processed.

    Attributes
    ----------
    reports
        Every order by our id, whether the broker lists legs separately or only under their parents.
    fresh
        The ids, legs included, that are new or changed and were not taken out yet.
    trailing
        The orders whose stop trails, by our id.
    """

    def __init__(self) -> None:
        self.orders: tuple[OrderReport, ...] = ()
        self.fresh: set[ClientOrderId] = set()
        self._apart: dict[ClientOrderId, OrderReport] = {}
        self._legs: dict[ClientOrderId, OrderReport] = {}
        self._working: dict[ClientOrderId, OrderReport] = {}
        self.trailing: dict[ClientOrderId, OrderReport] = {}
        self._filled: dict[ClientOrderId, OrderReport] = {}
        """Orders with fills, without those that proved to be ours: an order of ours stays one."""
        self.reports: Mapping[ClientOrderId, OrderReport] = ChainMap(self._apart, self._legs)

    @property
    def working(self) -> tuple[OrderReport, ...]:
        return tuple(self._working.values())

    def filled_by_others(self, is_ours: Callable[[OrderReport], bool]) -> Iterator[OrderReport]:
        """Yield the orders with fills that are not in our books."""
        for order_id, report in tuple(self._filled.items()):
            if is_ours(report):
                del self._filled[order_id]
            else:
                yield report

    def follow(self, orders: tuple[OrderReport, ...]) -> None:
        """Process the next snapshot's orders, from the first changed one on."""
        before, self.orders = self.orders, orders
        shorter = min(len(before), len(orders))
        first = shorter if orders is before else next(compress(count(), map(is_not, before, orders)), shorter)
        over = {report.client_order_id: report for report in before[first:]}
        for report in orders[first:]:
            over.pop(report.client_order_id, None)
        for report in before[first:]:
            self._working.pop(report.client_order_id, None)
            self.trailing.pop(report.client_order_id, None)
            self._filled.pop(report.client_order_id, None)
        for report in over.values():
            self._drop(report)
        for report in orders[first:]:
            self._take(report)

    def _drop(self, report: OrderReport) -> None:
        del self._apart[report.client_order_id]
        if report.client_order_id in self._legs:
            self.fresh.add(report.client_order_id)
        for leg in report.legs:
            self._legs.pop(leg.client_order_id, None)

    def _take(self, report: OrderReport) -> None:
        before = self._apart.get(report.client_order_id)
        if may_work(report):
            self._working[report.client_order_id] = report
        if report.trail_price is not None or report.trail_fraction is not None:
            self.trailing[report.client_order_id] = report
        if report.filled_quantity and report.side is not None:
            self._filled[report.client_order_id] = report
        if before is report:
            return
        for leg in before.legs if before is not None else ():
            if leg not in report.legs:
                del self._legs[leg.client_order_id]
        for leg in report.legs:
            if leg.client_order_id not in self._apart and self._legs.get(leg.client_order_id) != leg:
                self.fresh.add(leg.client_order_id)
            self._legs[leg.client_order_id] = leg
        if self.reports.get(report.client_order_id) != report:
            self.fresh.add(report.client_order_id)
        self._apart[report.client_order_id] = report


def _is_alone(found: CorporateActionApplied, pairs: Sequence[CorporateActionApplied]) -> bool:
    """Whether neither of its symbols has another partner."""
    return not any(found.symbol == each.symbol or found.to == each.to for each in pairs if each is not found)


def may_work(report: OrderReport) -> bool:
    """Whether it works at the broker, or has an unknown status."""
    return report.status is None or report.status.is_working


class Comparison:
    """One snapshot of the broker's books, compared with the ledger.

    Parameters
    ----------
    listing
        The listing of the previous snapshot; it is updated to this one.
    is_the_same
        Whether a broker's order with an id of ours is our order: another Keyturn on a copy of the folder uses the same.
    announced
        The ratios of a symbol's announced splits whose day has come, and that our books have not followed.
    announced_moves
        A symbol's announced renames and mergers of these days.
    is_spun
        Whether a part of a symbol is announced to be spun off in these days.
    lists_every_trade
        Whether the broker's list of orders goes back to the last agreement.
    """

    def __init__(
        self,
        ledger: Ledger,
        books: BrokerBooks,
        limits: ReconciliationSettings,
        listing: OrderListing | None = None,
        is_the_same: Callable[[Order, OrderReport], bool] = lambda _order, _report: True,
        announced: Callable[[Symbol], Sequence[Decimal]] = lambda _symbol: (),
        lists_every_trade: bool = True,
        announced_moves: Callable[[Symbol], Sequence[CorporateAction]] = lambda _symbol: (),
        is_spun: Callable[[Symbol], bool] = lambda _symbol: False,
    ) -> None:
        self.ledger = ledger
        self.announced = announced
        self.announced_moves = announced_moves
        self.is_spun = is_spun
        self.lists_every_trade = lists_every_trade
        self.is_the_same = is_the_same
        self.books = books
        self.limits = limits
        self.listing = listing or OrderListing()
        self.listing.follow(books.orders)
        self.reports = self.listing.reports
        self._is_any_unnamed = any(held.symbol is None for held in books.unreadable_positions)
        self._unread = {held.symbol for held in books.unreadable_positions if held.symbol is not None}
        self._theirs = {position.symbol: position for position in (*books.positions, *self._taken_over())}
        self.unread = {order.id: row for row in books.unreadable if (order := self._of_ours(row)) is not None}

    def _of_ours(self, row: UnreadableOrder) -> Order | None:
        """Return our order of an unreadable row, or None; an order that ended on both sides needs no reading."""
        named = None if row.client_order_id is None else self.ledger.order(row.client_order_id)
        by_the_broker = (o for o in self.ledger.working() if o.broker_order_id == row.broker_order_id)
        order = named or next(by_the_broker, None)
        return None if order is None or (row.is_over and not order.is_working) else order

    def is_unread(self, order: Order) -> bool:
        """Whether the broker lists the order, or its parent, in a row that cannot be read."""
        return order.id in self.unread or order.parent in self.unread

    def _taken_over(self) -> Iterator[BrokerPosition]:
        """Yield positions of untraded kinds that older books took over: they are compared until they are gone."""
        for held in self.books.foreign_positions:
            if self.ledger.net_quantity(held.symbol):
                yield BrokerPosition(held.symbol, held.quantity, held.average_price)

    # ── positions ────────────────────────────────────────────────────────────────────────────────────────────────

    def theirs(self, symbol: Symbol) -> BrokerPosition | None:
        return self._theirs.get(symbol)

    def differing(self) -> list[Symbol]:
        """Return the symbols whose net quantity differs from the broker's."""
        symbols = sorted({*self._theirs, *(p.symbol for p in self.ledger.positions())})
        unknown = self.unknown()
        return [
            symbol
            for symbol in symbols
            if symbol not in unknown and self.ledger.net_quantity(symbol) != self._broker_quantity(symbol)
        ]

    def unknown(self) -> frozenset[Symbol]:
        """Return the symbols with an unknown quantity at the broker.

        A position without a symbol may be in each of our symbols that the broker does not list. An unreadable order of
        ours may have filled.
        """
        if not (self.unread or self._is_any_unnamed):
            return frozenset(self._unread)
        unlisted = {held.symbol for held in self.ledger.positions() if held.symbol not in self._theirs}
        moved = {order.request.symbol for name in self.unread if (order := self.ledger.order(name)) is not None}
        return frozenset(self._unread | moved | (unlisted if self._is_any_unnamed else set()))

    def positions(self) -> tuple[Difference, ...]:
        """Return a difference for each of those symbols."""
        return tuple(self._position(symbol) for symbol in self.differing())

    def _position(self, symbol: Symbol) -> Difference:
        ours, true = self.ledger.net_quantity(symbol), self._broker_quantity(symbol)
        if not ours:
            return Difference(DifferenceKind.MISSING_LOCAL, symbol, None, plain(true), self._moved_in_words(symbol))
        if not true:
            return Difference(DifferenceKind.MISSING_BROKER, symbol, plain(ours), None, self._moved_in_words(symbol))
        return Difference(
            DifferenceKind.QUANTITY_MISMATCH, symbol, plain(ours), plain(true), self._split_in_words(symbol)
        )

    def _broker_quantity(self, symbol: Symbol) -> Quantity:
        position = self._theirs.get(symbol)
        return position.quantity if position else Quantity(ZERO)

    def may_hide_a_fill(self, order: Order) -> bool:
        """Whether a fill of the order would reduce the difference, or that is unknown."""
        symbol = order.request.symbol
        more = self._broker_quantity(symbol) - self.ledger.net_quantity(symbol)
        return symbol in self.unknown() or (more > 0 if order.request.side is Side.BUY else more < 0)

    def shrinks(self, difference: Difference) -> bool:
        """Whether the broker has less than our books, or the opposite direction; a split is reported separately."""
        ours, true = self.ledger.net_quantity(difference.symbol), self._broker_quantity(difference.symbol)
        is_less = abs(true) < abs(ours) or ours * true < 0
        return bool(ours) and is_less and not difference.note

    def last_uncounted_fill(self, symbol: Symbol) -> datetime | None:
        """Return when our last fill came that a list of positions from before it lacks; None if there was none."""
        more = self._broker_quantity(symbol) - self.ledger.net_quantity(symbol)
        lacking = Side.SELL if more > 0 else Side.BUY
        orders = (o for o in self.ledger.state.orders.values() if o.request.symbol == symbol)
        times = (o.last_filled_at for o in orders if o.request.side is lacking and o.last_filled_at is not None)
        return max(times, default=None)

    def contradicting(self, symbol: Symbol) -> Order | None:
        """Return our largest exit that the broker lists as working for more shares than it holds.

        Stops count together with the other stops.
        """
        true, resting = self._broker_quantity(symbol), dict[Side, Decimal]()
        exits = [order for order in self.ledger.working() if order.only_reduces and order.request.symbol == symbol]
        there = [(self._left_there(order), order) for order in exits]
        for left, order in there:
            resting[order.request.side] = resting.get(order.request.side, ZERO) + (
                left if order.is_protective else ZERO
            )
        for left, order in sorted(there, key=lambda each: each[0], reverse=True):
            closable = max(true if order.request.side is Side.SELL else -true, ZERO)
            if left and max(left, resting[order.request.side] if order.is_protective else ZERO) > closable:
                return order
        return None

    def taken_back(self, symbol: Symbol) -> tuple[tuple[Order, OrderReport], ...]:
        """Return our orders with fewer fills by the broker's list, if these fills are the whole difference (EX-09)."""
        found, moved = self.with_fewer_fills(symbol), ZERO
        for order, report in found:
            less = order.filled_quantity - report.filled_quantity
            moved += less if order.request.side is Side.BUY else -less
        return found if self.ledger.net_quantity(symbol) - self._broker_quantity(symbol) == moved else ()

    def with_fewer_fills(self, symbol: Symbol) -> tuple[tuple[Order, OrderReport], ...]:
        """Return our orders of the symbol that have fewer fills by the broker's list than by our books."""
        its = (order for order in self.ledger.state.orders.values() if order.request.symbol == symbol)
        listed = [(order, report) for order in its if (report := self.reports.get(order.id)) is not None]
        return tuple(
            (order, report)
            for order, report in listed
            if report.filled_quantity < order.filled_quantity
            and report.status is not None
            and report.broker_order_id == order.broker_order_id
        )

    def _left_there(self, order: Order) -> Decimal:
        """Return the shares for which the broker's own list has it working."""
        report = self.reports.get(order.id)
        if report is None or report.status is None or not report.status.is_working or report.is_held:
            return ZERO
        quantity = order.request.quantity if "quantity" in report.unread_terms else report.quantity
        return quantity - report.filled_quantity

    def filled_by_others(self) -> dict[BrokerOrderId, OrderReport]:
        """Return the external orders with fills that the broker lists."""
        return {report.broker_order_id: report for report in self.listing.filled_by_others(self._is_ours)}

    def split(self, symbol: Symbol, day: date) -> CorporateActionApplied | None:
        """Return the split by which the broker's position differs from ours; None if none explains it (EX-25)."""
        theirs = self._theirs.get(symbol)
        if theirs is None:
            return None
        held, tolerance = self.ledger.positions_in(symbol), self.limits.split_tolerance
        is_spun = self.is_spun(symbol)
        return action_in_books(held, theirs, day, tolerance, self.announced(symbol), is_spun=is_spun)

    def move(self, symbol: Symbol, day: date) -> CorporateActionApplied | None:
        """Return how shares of this symbol became another's, or another's these; None if that explains nothing.

        The shares of one symbol are gone and as many of another have come, at the same cost, and no other pair fits.
        A sale and a purchase elsewhere look the same: where the broker's list may lack them, only an announced move is
        one.
        """
        pairs = [found for gone in self._gone for came in self._came if (found := self._move(gone, came, day))]
        fitting = [found for found in pairs if symbol in (found.symbol, found.to)]
        return fitting[0] if len(fitting) == 1 and _is_alone(fitting[0], pairs) else None

    def _move(self, gone: Symbol, came: Symbol, day: date) -> CorporateActionApplied | None:
        held, theirs = self.ledger.positions_in(gone), self._theirs[came]
        if any(position.traded is not None for position in held):
            return None
        announced = (announced_in_books(held, theirs, day, action) for action in self.announced_moves(gone))
        found = next((each for each in announced if each is not None), None)
        if found is None and self.lists_every_trade:
            found = action_in_books(held, theirs, day, self.limits.split_tolerance, self.announced(gone))
        if found is None:
            return None
        its = (order.id for order in self.ledger.working() if order.request.symbol == gone)
        followed = tuple(name for name in its if (r := self.reports.get(name)) is not None and r.symbol == came)
        return replace(found, followed=followed)

    @property
    def _gone(self) -> list[Symbol]:
        """Return the symbols of our positions that the broker does not list at all."""
        unknown, ours = self.unknown(), {position.symbol for position in self.ledger.positions()}
        return sorted(ours - self._theirs.keys() - unknown)

    @property
    def _came(self) -> list[Symbol]:
        """Return the symbols that the broker lists, and that no order of ours or of others may have bought or sold."""
        waited_for = {order.request.symbol for order in self.ledger.working() if not order.only_reduces}
        ours = {position.symbol for position in self.ledger.positions()}
        found = self._theirs.keys() - ours - self.unknown() - waited_for
        return sorted(symbol for symbol in found if not self.is_from_orders_of_others(symbol))

    def is_from_orders_of_others(self, symbol: Symbol) -> bool:
        """Whether listed orders of others opened as much as the broker has beyond ours."""
        more = self._broker_quantity(symbol) - self.ledger.net_quantity(symbol)
        side = Side.BUY if more > 0 else Side.SELL
        its = (r for r in self.listing.filled_by_others(self._is_ours) if (r.symbol, r.side) == (symbol, side))
        return sum((report.filled_quantity for report in its), ZERO) >= abs(more)

    def came_instead(self, symbol: Symbol) -> tuple[Symbol, ...]:
        """Return the symbols that the broker lists anew, or has more of, while all shares of this one are gone.

        They may be its: also where we hold some of them, or an entry of ours waits for more.
        """
        return (*self._came, *self._grown(symbol)) if symbol in self._gone else ()

    def _grown(self, gone: Symbol) -> list[Symbol]:
        """Return the other symbols of which the broker has more than ours, long or short as those that are gone."""
        ours, came = self.ledger.net_quantity(gone), self._came
        more = {each: self._broker_quantity(each) - self.ledger.net_quantity(each) for each in self.differing()}
        grown = (each for each in more if each not in came and more[each] * ours > 0 and each in self._theirs)
        return [each for each in grown if not self.is_from_orders_of_others(each)]

    def action(self, symbol: Symbol, day: date) -> CorporateActionApplied | None:
        """Return the corporate action by which the broker's shares of the symbol differ from ours; else None."""
        return self.split(symbol, day) or self.move(symbol, day)

    def _moved_in_words(self, symbol: Symbol) -> str:
        """Return the text of shares with another symbol; empty if none explain the difference."""
        if (found := self.move(symbol, date.min)) is None:
            return ""
        before, after = f"{plain(found.quantity_before)} {found.symbol}", f"{plain(found.quantity_after)} {found.to}"
        return f"it looks as if {before} became {after} at the same cost"

    def _split_in_words(self, symbol: Symbol) -> str:
        """Return the text of a split; empty if none explains the difference."""
        found, before = self.split(symbol, date.min), average_of(self.ledger.positions_in(symbol))
        if found is None or before is None:
            return ""
        after = self._theirs[symbol].average_price
        return f"it looks like a split {ratio_in_words(found.ratio)}: {before:.2f} a share became {after:.2f}"

    # ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────

    def orders(self) -> tuple[Difference, ...]:
        """Return orders that work on one side only. An unanswered one is in doubt, and no difference."""
        return (
            *self._unknown(),
            *self._foreign(),
            *self._unreadable(),
            *self._unreadable_positions(),
            *self._orphaned(),
        )

    def unknown_of_ours(self) -> tuple[OrderReport, ...]:
        """Return orders with our form of id, ended or not, that the journal never had (EX-24)."""
        return tuple(
            report
            for report in self.books.orders
            if ORDER_ID.fullmatch(report.client_order_id) and not self._is_ours(report)
        )

    def _is_ours(self, report: OrderReport) -> bool:
        """Whether it is an order of our books, in memory or not."""
        order = self.ledger.order(report.client_order_id)
        return self.ledger.has(report.client_order_id) if order is None else self.is_the_same(order, report)

    def others(self) -> tuple[OrderReport, ...]:
        """Return external orders that work at the broker."""
        return tuple(report for report in self.listing.working if not self._is_ours(report))

    def _unknown(self) -> Iterator[Difference]:
        yield from map(unknown_order, self.others())

    def _foreign(self) -> Iterator[Difference]:
        """Yield orders and positions of kinds that this desk never trades."""
        legs = {leg for order in self.books.foreign_orders for leg in order.legs}
        for order in self.books.foreign_orders:
            if order.broker_order_id not in legs:
                note = f"{order.client_order_id} is not this desk's; it is left alone"
                yield Difference(DifferenceKind.FOREIGN_ORDER, order.symbol or NO_SYMBOL, None, order.words, note)
        for held in self.books.foreign_positions:
            if not self.ledger.net_quantity(held.symbol):
                yield Difference(DifferenceKind.FOREIGN_POSITION, held.symbol, None, _held(held), LEFT_ALONE)

    def _unreadable(self) -> Iterator[Difference]:
        for name, row in self.unread.items():
            ours = self.ledger.state.orders[name]
            note = "it stays as our books have it, and nothing opens in its symbol; look at it at the broker"
            yield Difference(DifferenceKind.UNREADABLE_ORDER, ours.request.symbol, _ours(ours), row.reason, note)
        for order in self.unread_of_others():
            symbol = order.symbol or NO_SYMBOL
            where = f"nothing opens in {symbol}" if order.symbol else "nothing opens"
            note = f"it is left alone and {where}; cancel it at the broker, or wait until it is over"
            yield Difference(DifferenceKind.UNREADABLE_ORDER, symbol, None, order.reason, note)

    def _unreadable_positions(self) -> Iterator[Difference]:
        note = "our books keep theirs, and nothing opens; look at it at the broker, and close it there or here"
        for held in self.books.unreadable_positions:
            ours = NO_SHARES if held.symbol is None else self.ledger.net_quantity(held.symbol)
            local = plain(ours) if ours else None
            yield Difference(
                DifferenceKind.UNREADABLE_POSITION,
                held.symbol or NO_SYMBOL,
                local,
                f"it cannot be read: {held.reason}",
                note,
            )

    def unread_of_others(self) -> tuple[UnreadableOrder, ...]:
        """Return the unreadable rows of external orders."""
        if not self.books.unreadable:
            return ()
        ours = set(map(id, self.unread.values()))
        return tuple(row for row in self.books.unreadable if id(row) not in ours and not self._was_ours(row))

    def _was_ours(self, row: UnreadableOrder) -> bool:
        return row.is_over and row.client_order_id is not None and self.ledger.has(row.client_order_id)

    def _orphaned(self) -> Iterator[Difference]:
        for order in self.ledger.working():
            is_there = order.id in self.reports or self.is_unread(order)
            if order.status is not OrderStatus.PENDING and not is_there:
                note = f"{order.id} is looked up"
                yield Difference(DifferenceKind.ORPHANED_ORDER, order.request.symbol, _ours(order), None, note)

    # ── limits ───────────────────────────────────────────────────────────────────────────────────────────────────

    def require_within_limits(self, positions: Sequence[Difference]) -> None:
        """Refuse differences that may not be corrected without a person.

        Raises
        ------
        ReconciliationError
            More positions missing, or a larger drift, than the settings allow; or a split.
        """
        reasons = []
        missing = [d.symbol for d in positions if d.kind is not DifferenceKind.QUANTITY_MISMATCH]
        if len(missing) > self.limits.max_missing:
            reasons.append(f"{len(missing)} positions are on one side only: {', '.join(missing)}")
        for found in positions:
            if found.kind is DifferenceKind.QUANTITY_MISMATCH and self._is_apart(found.symbol):
                apart = found.note or f"over {exact_percent(self.limits.max_drift)} apart"
                reasons.append(f"{found.symbol}: the broker has {found.broker}, our books {found.local}, {apart}")
        if reasons:
            raise ReconciliationError(*reasons)

    def quantities_apart(self, positions: Sequence[Difference]) -> dict[Symbol, Quantity]:
        """Return the broker's excess over our books for each symbol that both hold."""
        mismatched = [d.symbol for d in positions if d.kind is DifferenceKind.QUANTITY_MISMATCH]
        return {
            symbol: Quantity(self._broker_quantity(symbol) - self.ledger.net_quantity(symbol)) for symbol in mismatched
        }

    def gone(self, positions: Sequence[Difference]) -> frozenset[Symbol]:
        """Return symbols that our books hold and the broker does not, or holds in the opposite direction."""
        return frozenset(
            d.symbol
            for d in positions
            if (ours := self.ledger.net_quantity(d.symbol)) and self._broker_quantity(d.symbol) * ours <= 0
        )

    def _is_apart(self, symbol: Symbol) -> bool:
        ours, true = self.ledger.net_quantity(symbol), self._broker_quantity(symbol)
        return abs(ours - true) > self.limits.max_drift * abs(true)


def unknown_order(report: OrderReport) -> Difference:
    """Return the difference of an order that the journal does not have."""
    note = f"{report.client_order_id} is not this desk's; it is left alone"
    return Difference(DifferenceKind.UNKNOWN_ORDER, report.symbol, None, reported(report), note)


def _held(position: ForeignPosition) -> str:
    return f"{plain(position.quantity)} ({position.asset_class})"


def _ours(order: Order) -> str:
    request = order.request
    return f"{request.side.value.upper()} {plain(request.quantity)} {request.type.value}"


def reported(report: OrderReport) -> str:
    return f"{report.side_word.upper()} {plain(report.quantity)} {report.type_word}"
