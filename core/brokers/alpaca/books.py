"""Alpaca's books, read consistently: positions, open orders and those of the last days, all or nothing (EX-09).

They come in several answers, and a fill between two of them would make them disagree. So the positions are read before
and after the orders, and the result is valid only if they are equal.

Open orders are listed twice: nested, a working leg is not shown once its parent is filled; not nested, a held leg is in
no list. Closed orders are nested: a filled parent shows its legs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from core.brokers.alpaca.fields import UnreadableFieldError, rows
from core.brokers.alpaca.foreign import a_foreign_order
from core.brokers.alpaca.paging import every_order
from core.brokers.alpaca.parsing import a_position, an_order, an_unreadable_position, what_can_be_read
from core.brokers.alpaca.questions import NoAnswerError, Questions
from core.model.account import Account
from core.model.broker import (
    BrokerPicture,
    BrokerPosition,
    ForeignOrder,
    ForeignPosition,
    NoAnswer,
    OrderReport,
    UnreadableOrder,
    UnreadablePosition,
)
from core.model.order import ORDER_ID

READINGS = 3
REQUESTS = 6
"""Of one reading, if no list has a second page."""
DAYS = timedelta(days=7)
"""How far back closed orders are read."""
Row = OrderReport | ForeignOrder | UnreadableOrder
Held = tuple[BrokerPosition | ForeignPosition | UnreadablePosition, ...]


class AlpacaBooks:
    """Reads the books; `account` reads the account's figures."""

    def __init__(self, questions: Questions, account: Callable[[], Account], now: Callable[[], datetime]) -> None:
        self._questions = questions
        self._account = account
        self._now = now
        self._known: dict[str, Row] = {}

    def picture(self) -> BrokerPicture:
        """Raises the errors of `Questions.get`; `NoAnswerError` also if they kept changing."""
        for reading in range(READINGS):
            if reading:
                self._questions.count_beyond(REQUESTS)
            account = self._account()
            before = self._positions()
            reports = self._orders("open", None, nested=False)
            reports |= self._orders("open", None, nested=True)
            reports |= self._orders("closed", self._now() - DAYS, nested=True)
            positions = self._positions()
            if _quantities(before) == _quantities(positions):
                return _picture(account, positions, self._as_before(reports.values()))
        raise NoAnswerError(NoAnswer(f"Alpaca: the positions changed {READINGS} times while they were read"))

    def _as_before(self, rows: Iterable[Row]) -> tuple[Row, ...]:
        """Reuse the objects of unchanged rows, so that comparisons can skip them.

        Closed orders come first, because they do not change.
        """
        known, self._known = self._known, {}
        for row in sorted(rows, key=_may_work):
            before = known.get(row.broker_order_id)
            self._known[row.broker_order_id] = before if before is not None and before == row else row
        return tuple(self._known.values())

    def _positions(self) -> Held:
        return self._questions.get("/positions", "GET /positions", self._all_positions)

    def _all_positions(self, raw: object) -> Held:
        return tuple(map(self._position, rows(raw, "the positions")))

    def _position(self, raw: object) -> BrokerPosition | ForeignPosition | UnreadablePosition:
        """Parse a position; an unreadable one is reported, and the others are still read."""
        try:
            return a_position(raw)
        except UnreadableFieldError as error:
            if not isinstance(raw, dict):
                raise
            self._questions.unread.note(f"GET /positions: {error}; named, and not counted", raw)
            return an_unreadable_position(raw, str(error))

    def _orders(self, status: str, after: datetime | None, *, nested: bool) -> dict[str, Row]:
        try:
            raw = every_order(self._pages(), status, after, nested=nested)
            return {r.broker_order_id: r for row in raw if (r := self._report(row, status)) is not None}
        except UnreadableFieldError as error:
            self._questions.unread.note(f"GET /orders: {error}", "")
            raise NoAnswerError(NoAnswer(f"Alpaca: an answer that cannot be read, {error}")) from error

    def _pages(self) -> Callable[[Mapping[str, object]], list[object]]:
        """Return a function that requests one page after the other."""
        pages = 0

        def page(query: Mapping[str, object]) -> list[object]:
            nonlocal pages
            pages += 1
            if pages > 1:
                self._questions.count_beyond()
            return self._questions.get("/orders", "GET /orders", lambda raw: rows(raw, "the orders"), query)

        return page

    def _report(self, raw: object, status: str) -> Row | None:
        """Parse an order; report an unreadable one that works or may be ours, whose owner the comparison finds."""
        foreign = None
        try:
            foreign = a_foreign_order(raw)
            if foreign is None or ORDER_ID.fullmatch(foreign.client_order_id):
                return an_order(raw)
            return foreign if status == "open" else None
        except UnreadableFieldError as error:
            if foreign is not None and status == "open":
                return foreign  # its id has our form, but it is of a kind that this desk never sends
            found = what_can_be_read(raw, str(error))
            is_named = status == "open" or (foreign is None and ORDER_ID.fullmatch(found.client_order_id or ""))
            end = "named and left alone" if is_named else "over, not ours, left out"
            self._questions.unread.note(f"GET /orders: {error}; {end}", raw)
            return replace(found, is_over=status != "open") if is_named else None


def _may_work(row: Row) -> bool:
    return not isinstance(row, OrderReport) or row.status is None or row.status.is_working


def _picture(account: Account, positions: Held, orders: tuple[Row, ...]) -> BrokerPicture:
    """Separate holdings and orders of kinds that this desk does not trade."""
    return BrokerPicture(
        account,
        tuple(held for held in positions if isinstance(held, BrokerPosition)),
        tuple(order for order in orders if isinstance(order, OrderReport)),
        unreadable=tuple(order for order in orders if isinstance(order, UnreadableOrder)),
        foreign_orders=tuple(order for order in orders if isinstance(order, ForeignOrder)),
        foreign_positions=tuple(held for held in positions if isinstance(held, ForeignPosition)),
        unreadable_positions=tuple(held for held in positions if isinstance(held, UnreadablePosition)),
    )


def _quantities(positions: Held) -> dict[str | None, object]:
    return {p.symbol: p.reason if isinstance(p, UnreadablePosition) else p.quantity for p in positions}
