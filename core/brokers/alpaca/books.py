"""Alpaca's books and account activities, all pages (EX-09).

Pages go forward in the time of submission. The next one begins some time before the last orders of the one before,
since rows may change places. Orders that come again are recognised by their id. An instant with more orders than a page
has is read from its other end too. What is not listed then is named, and the rest is used.

A row that cannot be read is named or counted, and the others are used (EX-26).

The books are positions, open orders and orders of the last days, all or nothing. They come in several answers, and a
fill between two of them would make them disagree. So the positions are read before and after the orders, and the result
is valid only if they are equal.

Open orders are listed twice: nested, a working leg is not shown once its parent is filled; not nested, a held leg is in
no list. Closed orders are nested: a filled parent shows its legs.

Activities are parsed one by one. Each page continues after the last id of the one before. An unreadable activity is
reported with its id and left out; nothing is dropped silently. Cash is read before and after, so that the list and the
figures are of the same moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from core.brokers.alpaca.contract import ACTIVITY, FILL
from core.brokers.alpaca.fields import LONGEST_TEXT, Fields, UnreadableFieldError, rows
from core.brokers.alpaca.http_client import NoAnswerError, Questions
from core.brokers.alpaca.order_format import a_foreign_order, has_our_id
from core.brokers.alpaca.parsing import (
    a_position,
    an_activity,
    an_order,
    an_unreadable_position,
    submitted_at,
    what_can_be_read,
)
from core.model.account import Account
from core.model.broker import (
    NO_ID,
    BrokerBooks,
    BrokerPosition,
    ForeignOrder,
    ForeignPosition,
    NoAnswer,
    OrderReport,
    UnreadableOrder,
    UnreadablePosition,
)
from core.model.order import Side
from core.model.reconciliation import (
    Activity,
    ActivityId,
    ActivityKind,
    BrokerFill,
    DropCopy,
    UnreadableActivity,
    harmless,
)
from core.model.values import NO_MONEY, Money, Price, Quantity, Symbol

ORDERS_ON_A_PAGE = 500
AN_INSTANT = timedelta(microseconds=1)
OUT_OF_PLACE = timedelta(seconds=1)
"""By how much a row's time may be before that of the row above it: Alpaca does not always sort exactly."""
EDGE = 3
"""Rows at a page's end by which the next page begins: a single odd time skips nothing."""
MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"
NO_TIME = datetime.min.replace(tzinfo=UTC)
UNSORTED = "the orders do not come in the order of their submission; sorted here"

Page = Callable[[Mapping[str, object]], list[object]]


class OrderPages:
    """Every order of a status (`open` or `closed`), page by page. Nested, legs are under their parent alone.

    Attributes
    ----------
    unlisted
        What the pages may lack, in words; empty if they are complete.
    is_unsorted
        Whether rows did not come in the order of their submission.
    """

    def __init__(self, page_of: Page, status: str, *, nested: bool) -> None:
        self._page_of = page_of
        self._query: dict[str, object] = {"status": status, "limit": ORDERS_ON_A_PAGE, "nested": str(nested).lower()}
        self._found: dict[str, object] = {}
        self.unlisted = ""
        self.is_unsorted = False

    def after(self, after: datetime | None) -> list[object]:
        """Return the orders submitted after this time, oldest first, as raw JSON; `after` moves forward until all are
        read.
        """
        while True:
            page = self._read(after, "asc")
            times = [at for row in page if (at := _when(row)) is not None]
            self.is_unsorted = self.is_unsorted or times != sorted(times)
            if len(page) < ORDERS_ON_A_PAGE:
                break
            if not times:
                self.unlisted = f"no order of a page of {ORDERS_ON_A_PAGE} says when it was submitted"
                break
            oldest, newest = min(times[-EDGE:]), max(times[-EDGE:])
            nearer = (oldest - OUT_OF_PLACE, oldest - AN_INSTANT, newest - AN_INSTANT)
            further = next((at for at in nearer if _is_later(at, after)), None)
            if further is None and _is_later(newest + AN_INSTANT, after):
                self._read_from_the_end(newest)
                further = newest + AN_INSTANT
            if further is None:
                self.unlisted = f"pages of {ORDERS_ON_A_PAGE} orders come again and again"
                break
            after = further
        return sorted(self._found.values(), key=lambda row: _when(row) or NO_TIME)

    def _read_from_the_end(self, at: datetime) -> None:
        """Read the last orders of an instant, of which a page has the first ones."""
        known = len(self._found)
        page = self._read(at - AN_INSTANT, "desc", at + 2 * AN_INSTANT)
        if len(page) == ORDERS_ON_A_PAGE and len(self._found) == known + len(page):
            self.unlisted = f"more than {2 * ORDERS_ON_A_PAGE} orders were submitted at {at}"

    def _read(self, after: datetime | None, direction: str, until: datetime | None = None) -> list[object]:
        limits = {name: at.strftime(MOMENT) for name, at in (("after", after), ("until", until)) if at is not None}
        page = self._page_of({**self._query, "direction": direction, **limits})
        for row in page:
            self._found.setdefault(_id_of(row) or repr(row), row)
        return page


def _is_later(at: datetime, than: datetime | None) -> bool:
    return than is None or at > than


def _when(row: object) -> datetime | None:
    """Return the time of submission; None if unreadable, which the order's parser reports."""
    try:
        return submitted_at(row)
    except UnreadableFieldError:
        return None


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

    def books(self) -> BrokerBooks:
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
                return _books(account, positions, self._as_before(reports))
        raise NoAnswerError(NoAnswer(f"Alpaca: the positions changed {READINGS} times while they were read"))

    def _as_before(self, rows: Mapping[str, Row]) -> tuple[Row, ...]:
        """Reuse the objects of unchanged rows, so that comparisons can skip them.

        Closed orders come first, because they do not change.
        """
        known, self._known = self._known, {}
        for name, row in sorted(rows.items(), key=lambda named: _may_work(named[1])):
            before = known.get(name)
            self._known[name] = before if before is not None and before == row else row
        return tuple(self._known.values())

    def _positions(self) -> Held:
        return self._questions.get("/positions", "GET /positions", self._all_positions)

    def _all_positions(self, raw: object) -> Held:
        """Return one position for each symbol: of two rows that differ, none counts."""
        found: dict[Symbol | None, BrokerPosition | ForeignPosition | UnreadablePosition] = {}
        for row in rows(raw, "the positions"):
            held = self._position(row)
            before = found.setdefault(held.symbol, held)
            if before is not held:
                self._questions.set_aside(f"GET /positions: {held.symbol or 'a position'} is listed twice", row)
            if before != held:
                found[held.symbol] = UnreadablePosition(held.symbol, f"{held.symbol} is listed twice, and differs")
        return tuple(found.values())

    def _position(self, raw: object) -> BrokerPosition | ForeignPosition | UnreadablePosition:
        """Parse a position; an unreadable one is reported, and the others are still read."""
        try:
            return a_position(raw)
        except UnreadableFieldError as error:
            self._questions.set_aside(f"GET /positions: {error}; named, and not counted", raw)
            return an_unreadable_position(raw, str(error))

    def _orders(self, status: str, after: datetime | None, *, nested: bool) -> dict[str, Row]:
        pages = OrderPages(self._pages(), status, nested=nested)
        try:
            listed = pages.after(after)
        except UnreadableFieldError as error:
            self._questions.set_aside(f"GET /orders: {error}", "")
            raise NoAnswerError(NoAnswer(f"Alpaca: an answer that cannot be read, {error}")) from error
        if pages.is_unsorted:
            self._questions.set_aside(f"GET /orders: {UNSORTED}", "")
        found = (row for raw in listed if (row := self._report(raw, status)) is not None)
        named: dict[str, Row] = {row.broker_order_id or row.client_order_id or str(row): row for row in found}
        if pages.unlisted:
            self._questions.set_aside(f"GET /orders: {pages.unlisted}; the others are not listed", "")
            if status == "open":
                named[pages.unlisted] = UnreadableOrder(f"{pages.unlisted}: some are not listed", NO_ID, None, None)
        return named

    def _pages(self) -> Page:
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
        foreign, fault = None, None
        try:
            foreign = a_foreign_order(raw)
        except UnreadableFieldError as error:
            fault = error
        if has_our_id(raw) or (foreign is None and fault is None):
            try:
                return self._read(raw, str(fault or "") if foreign is None else foreign.words)
            except UnreadableFieldError as error:
                fault = error
        if foreign is not None:
            # One with an id of our form may be of a kind that this desk never sends.
            return foreign if status == "open" else None
        found = what_can_be_read(raw, str(fault))
        is_named = status == "open" or has_our_id(raw)
        end = "named and left alone" if is_named else "over, not ours, left out"
        self._questions.set_aside(f"GET /orders: {fault}; {end}", raw)
        return replace(found, is_over=status != "open") if is_named else None

    def _read(self, raw: object, odd: str) -> OrderReport:
        """Parse an order; `odd` is what is strange about it, besides its unknown terms."""
        report = an_order(raw)
        if odd := ", ".join(report.unknown_words) or odd:
            self._questions.set_aside(f"GET /orders: order {report.broker_order_id}: {odd}; kept", raw)
        return report


def _may_work(row: Row) -> bool:
    return not isinstance(row, OrderReport) or row.status is None or row.status.is_working


def _books(account: Account, positions: Held, orders: tuple[Row, ...]) -> BrokerBooks:
    """Separate holdings and orders of kinds that this desk does not trade."""
    return BrokerBooks(
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


ACTIVITIES_ON_A_PAGE = 100
MOST_PAGES = 500
ACTIVITY_REQUESTS = 4
"""Of one reading, if the list has no second page."""
ENDPOINT = "/account/activities"
CANCELLED = "canceled"
DOLLARS = "USD"
TRADE = "FILL"

KINDS: Mapping[str, ActivityKind] = {
    **dict.fromkeys(("FEE", "CFEE", "DIVFEE", "PTC"), ActivityKind.FEE),
    **dict.fromkeys(
        ("DIV", "DIVCGL", "DIVCGS", "DIVFT", "DIVNRA", "DIVROC", "DIVTW", "DIVTXEX", "CGD"), ActivityKind.DIVIDEND
    ),
    **dict.fromkeys(("INT", "INTNRA", "INTTW"), ActivityKind.INTEREST),
    **dict.fromkeys(("CSD", "CSW", "JNLC", "JNL", "ACATC", "TRANS"), ActivityKind.TRANSFER),
    **dict.fromkeys(("JNLS", "ACATS"), ActivityKind.SHARES),
    "SPLIT": ActivityKind.SPLIT,
}
"""By Alpaca's name; any other is `OTHER`."""


class AlpacaActivities:
    """Reads activities; `account` reads the account's figures."""

    def __init__(self, questions: Questions, account: Callable[[], Account]) -> None:
        self._questions = questions
        self._account = account

    def since(self, day: date) -> DropCopy:
        """Raises the errors of `Questions.get`; `NoAnswerError` also if the cash kept changing."""
        for reading in range(READINGS):
            if reading:
                self._questions.count_beyond(ACTIVITY_REQUESTS)
            before = self._account()
            raw = self._pages(day)
            positions = self._questions.get("/positions", "GET /positions", _positions)
            account = self._account()
            if account.cash == before.cash:
                return self._copy(day, account, positions, raw)
        raise NoAnswerError(NoAnswer(f"Alpaca: the cash changed {READINGS} times while the activities were read"))

    def _pages(self, day: date) -> list[object]:
        """Return all of them, in the order of their ids; duplicates are taken once."""
        found: dict[str, object] = {}
        query: dict[str, object] = {
            "after": f"{day - timedelta(days=1)}T00:00:00Z",
            "direction": "asc",
            "page_size": ACTIVITIES_ON_A_PAGE,
        }
        for pages in range(MOST_PAGES):
            if pages:
                self._questions.count_beyond()
            page = self._questions.get(ENDPOINT, f"GET {ENDPOINT}", lambda raw: rows(raw, "the activities"), query)
            known = len(found)
            for number, row in enumerate(page):
                found.setdefault(_id_of(row) or f"{len(found)} {number}", row)
            last = _id_of(page[-1]) if page else None
            if len(page) < ACTIVITIES_ON_A_PAGE:
                return list(found.values())
            if last is None or len(found) == known:
                break
            query["page_token"] = last
        raise NoAnswerError(NoAnswer("Alpaca: the pages of activities do not end"))

    def _copy(self, day: date, account: Account, positions: tuple[BrokerPosition, ...], raw: list[object]) -> DropCopy:
        fills, activities, unreadable = list[BrokerFill](), list[Activity](), list[UnreadableActivity]()
        for row in raw:
            try:
                if isinstance(row, dict) and row.get("activity_type") == TRADE:
                    fills.append(a_fill(row))
                else:
                    activities.append(a_non_trade(row))
            except UnreadableFieldError as error:
                self._questions.set_aside(f"GET {ENDPOINT}: {error}", row)
                name = _id_of(row)
                unreadable.append(UnreadableActivity(None if name is None else ActivityId(name), str(error)))
        return DropCopy(day, account, positions, tuple(fills), tuple(activities), tuple(unreadable))


def a_fill(raw: object) -> BrokerFill:
    """Parse an execution with its symbol and side. Raises `UnreadableFieldError` alone."""
    order_id, execution = an_activity(raw)
    fill = Fields(raw, "a fill", FILL)
    side = fill.known_word("side")
    return BrokerFill(execution, order_id, fill.symbol(), Side.BUY if side == "buy" else Side.SELL)


def a_non_trade(raw: object) -> Activity:
    """Parse any other activity. A cancelled one moves nothing. Raises `UnreadableFieldError` alone."""
    name = _id_of(raw)
    row = Fields(raw, "an activity" if name is None else f"activity {name}", ACTIVITY)
    word, currency = row.text("activity_type"), row.word("currency")
    if currency is not None and currency != DOLLARS:
        raise row.unreadable("currency", f"{currency} is not {DOLLARS}")
    if word == TRADE:
        raise row.unreadable("activity_type", "is a fill without an order")
    day = row.day("date")
    moves = row.word("status") != CANCELLED
    amount = row.optional_number("net_amount") if moves else None
    quantity, symbol = row.optional_number("qty") if moves else None, row.optional_symbol()
    rate = row.optional_number("per_share_amount")
    words = " ".join(one for one in (word, row.word("activity_sub_type")) if one)
    return Activity(
        ActivityId(row.text("id")),
        day,
        KINDS.get(word, ActivityKind.OTHER),
        NO_MONEY if amount is None else Money(amount),
        symbol,
        None if quantity is None else Quantity(quantity),
        rate=None if rate is None else Price(rate),
        words=harmless(words if moves else f"{words}, cancelled"),
    )


def _id_of(raw: object) -> str | None:
    name = raw.get("id") if isinstance(raw, dict) else None
    return name if isinstance(name, str) and name.isprintable() and 0 < len(name) <= LONGEST_TEXT else None


def _positions(raw: Any) -> tuple[BrokerPosition, ...]:
    """Parse the positions for splits.

    An unreadable one is skipped here, because the comparison of the books reports it.
    """
    held = list[BrokerPosition]()
    for row in rows(raw, "the positions"):
        with suppress(UnreadableFieldError):
            position = a_position(row)
            held += [position] if isinstance(position, BrokerPosition) else []
    return tuple(held)
