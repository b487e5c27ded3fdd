"""Rows and frames that are odd: the exchange's books and updates written as Alpaca's JSON, changed, and read again.

The adapter reads them, as it reads what comes from the broker: what the engine hears of them is what it makes of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.brokers.alpaca.books import AlpacaBooks
from core.brokers.alpaca.fields import UnreadableFieldError
from core.brokers.alpaca.http_client import NoAnswerError
from core.brokers.alpaca.parsing import an_unread_update, an_update
from core.brokers.simulated.order_book import HELD
from core.messages.inputs import BooksFetched, BrokerUpdated, BrokerUpdateUnread, Input
from core.model.broker import BrokerBooks, BrokerPosition, NoAnswer, OrderReport, OrderUpdate
from core.model.order import ORDER_ID
from core.model.values import ZERO, plain

if TYPE_CHECKING:
    from simulation.world import World

Json = dict[str, Any]
A_MILLISECOND = timedelta(milliseconds=1)


@dataclass
class OddRows:
    """The next so many answers for the books, and frames of the stream, are odd in one way each.

    Attributes
    ----------
    kind
        `unsorted`, `case`, `sides`, `null` or `twice`.
    kinds
        All that there were.
    """

    world: World
    kind: str = ""
    kinds: set[str] = field(default_factory=set)
    books_left: int = 0
    frames_left: int = 0

    def end(self) -> None:
        self.books_left = self.frames_left = 0

    def books(self, books: BrokerBooks, at: datetime) -> Input:
        """As the adapter reads them, where they are odd: one row never takes the others with it (EX-26)."""
        if self.books_left <= 0:
            return BooksFetched(books)
        self.books_left -= 1
        self.world.surprises.met[f"books with rows that are odd: {self.kind}"] += 1
        answers = Answers(books, self)
        try:
            read = AlpacaBooks(answers, lambda: books.account, lambda: at).books()  # type: ignore[arg-type]
        except NoAnswerError as error:
            self.world.auditor.require(False, f"one odd row ({self.kind}), and no books: {error.answer.reason}")
            return BooksFetched(error.answer)
        return BooksFetched(replace(read, instruments=books.instruments))

    def frames(self, update: OrderUpdate) -> Iterator[Input]:
        """What is heard of an update."""
        if self.frames_left <= 0:
            yield BrokerUpdated(update)
            return
        self.frames_left -= 1
        self.world.surprises.met[f"a frame that is odd: {self.kind}"] += 1
        data = update_json(update)
        if self.kind == "null":
            yield BrokerUpdateUnread(an_unread_update(None, "data is null"))
        elif self.kind == "case":
            data["order"]["symbol"] = data["order"]["symbol"].lower()
        try:
            yield BrokerUpdated(an_update(data))
        except UnreadableFieldError as error:
            yield BrokerUpdateUnread(an_unread_update(data, str(error)))
        if self.kind == "twice":
            yield BrokerUpdated(an_update(data))

    def order_rows(self, rows: list[Json]) -> list[object]:
        """In the order of their submission, but for what is odd of them."""
        rows.sort(key=lambda row: row["submitted_at"])
        ours = [row for row in rows if ORDER_ID.fullmatch(row["client_order_id"])]
        if self.kind == "unsorted" and len(rows) > 1:
            rows[-2]["submitted_at"] = stamp(_moment(rows[-1]) + A_MILLISECOND)
        elif self.kind == "case" and ours:
            ours[-1]["symbol"] = ours[-1]["symbol"].lower()
        elif self.kind == "twice" and rows:
            return [*rows, dict(rows[-1])]
        return list(rows)

    def position_rows(self, rows: list[Json]) -> list[object]:
        if self.kind == "case" and rows:
            rows[-1]["symbol"] = rows[-1]["symbol"].lower()
        elif self.kind == "sides" and rows:
            rows[-1]["side"] = "short" if rows[-1]["side"] == "long" else "long"
            rows[-1]["qty"] = plain(-Decimal(rows[-1]["qty"]))
        elif self.kind == "twice" and rows:
            return [*rows, dict(rows[-1])]
        return list(rows)


class Answers:
    """What stands for the requests of one reading of the books."""

    def __init__(self, books: BrokerBooks, odd: OddRows) -> None:
        self._books = books
        self._odd = odd

    def count_beyond(self, requests: int = 1) -> None:
        """Nothing is counted here: the engine counts a reading as one."""

    def set_aside(self, reason: str, _raw: object) -> None:
        self._odd.world.surprises.met[f"a row set aside: {self._odd.kind}"] += bool(reason)

    def get(self, path: str, _endpoint: str, read: Any, query: Mapping[str, object] | None = None) -> Any:
        """Raises `NoAnswerError`."""
        rows = self._odd.position_rows(list(map(position_json, self._books.positions)))
        if path == "/orders":
            rows = self._orders(query or {})
        try:
            return read(rows)
        except UnreadableFieldError as error:
            raise NoAnswerError(NoAnswer(f"an answer that cannot be read, {error}")) from error

    def _orders(self, query: Mapping[str, object]) -> list[object]:
        """As Alpaca lists them: open ones nested or not, closed ones nested; a page of those after a time."""
        legs = {leg.client_order_id for report in self._books.orders for leg in report.legs}
        is_open, is_nested = query["status"] == "open", query["nested"] == "true"
        if is_nested:
            roots = [report for report in self._books.orders if report.client_order_id not in legs]
            rows = [order_json(report, is_nested=True) for report in roots if _works(report) is is_open]
        else:
            rows = [order_json(report) for report in self._books.orders if _works(report) and report.raw_status != HELD]
        after = query.get("after")
        return [row for row in self._odd.order_rows(rows) if after is None or row["submitted_at"] > after]  # type: ignore[index]


def _works(report: OrderReport) -> bool:
    return report.status is None or report.status.is_working


def _moment(row: Json) -> datetime:
    return datetime.fromisoformat(row["submitted_at"].replace("000Z", "+00:00"))


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}000Z"


def text(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)


def order_json(report: OrderReport, *, is_nested: bool = False) -> Json:
    assert report.accepted_at is not None
    at = stamp(report.accepted_at)
    return {
        "id": report.broker_order_id, "client_order_id": report.client_order_id, "created_at": at, "submitted_at": at,
        "symbol": report.symbol, "asset_class": "us_equity", "qty": plain(report.quantity),
        "filled_qty": plain(report.filled_quantity), "filled_avg_price": text(report.average_price),
        "order_class": "bracket" if report.legs or report.hides_legs else "", "type": report.type_word,
        "order_type": report.type_word, "side": report.side_word, "time_in_force": report.time_in_force_word,
        "limit_price": text(report.limit_price), "stop_price": text(report.stop_price), "status": report.raw_status,
        "extended_hours": report.extended_hours, "trail_price": text(report.trail_price),
        "trail_percent": text(None if report.trail_fraction is None else report.trail_fraction * 100),
        "legs": [order_json(leg) for leg in report.legs] if is_nested and report.legs else None,
    }  # fmt: skip


def update_json(update: OrderUpdate) -> Json:
    data: Json = {"event": update.event.value, "timestamp": stamp(update.at), "order": order_json(update.report)}
    if (execution := update.execution) is not None:
        figures = {"price": plain(execution.price), "qty": plain(execution.quantity)}
        data |= {"execution_id": execution.id, "position_qty": "0", **figures}
    return data


def position_json(position: BrokerPosition) -> Json:
    quantity, average = position.quantity, position.average_price
    return {
        "symbol": position.symbol, "asset_class": "us_equity", "qty": plain(quantity),
        "side": "long" if quantity > ZERO else "short", "avg_entry_price": plain(average),
        "cost_basis": plain(quantity * average),
    }  # fmt: skip
