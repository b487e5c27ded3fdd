"""One field of one row with a value that cannot be: the others are used, the odd one is counted or named (EX-26)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from typing import Any

from core.brokers.alpaca import contract
from core.brokers.alpaca.broker import AlpacaBroker
from core.brokers.alpaca.fields import Fields, UnreadableFieldError
from core.brokers.alpaca.refusal_codes import decoded
from core.brokers.alpaca.retries import Timeouts
from core.brokers.alpaca.stream import AlpacaOrderStream
from core.io.http_requests import Reply
from core.model.account import Account, ConnectionStatus, Mode
from core.model.api_contract import ApiField, ApiFieldKind, ApiRecord
from core.model.broker import BrokerBooks, NoAnswer, OrderReport, OrderUpdate, UnreadUpdate
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.reconciliation import DropCopy
from core.model.session import Session
from core.model.values import Symbol
from core.settings.orders import AlpacaSettings
from tests.unit.core.brokers.alpaca_door import (
    KEYS,
    NOON,
    OURS,
    a_position_json,
    an_account_json,
    an_asset_json,
    an_order_json,
    an_update_json,
)

Json = dict[str, Any]
MISSING, HUGE, BYTE = "<missing>", "<huge>", "<byte>"
ODD: tuple[object, ...] = (
    MISSING, None, "", 7, True, [1], {"a": 1}, "NaN", float("nan"), float("inf"), 10**30, HUGE, "1e400", -3, "-3", "0",
    "something new", "x" * 300, "\x1b[2J", BYTE, "../account", ".", "1990-01-02T15:00:00Z", "2099-01-04T15:00:00Z",
)  # fmt: skip
"""Absent, of another type, not a number, endless, negative, unknown, too long, no text, a path, of another time."""
OTHER_TYPES = (None, 7, "row", [], True)
NOT_READ = frozenset({"order_type", "notional", "position_intent", "created_at", "submitted_at"})
"""Fields of an order that have another one beside them, or of which nothing depends in a list."""

ORDER = an_order_json(filled_qty="4", filled_avg_price="100.25", status="partially_filled")
BY_HAND = an_order_json(id="theirs", client_order_id="by-hand", symbol="IBM")
SPY, IBM = a_position_json(), a_position_json(symbol="IBM", qty="-3", side="short")
A_FEE = {"id": "1::fee", "activity_type": "FEE", "date": "2026-11-20", "net_amount": "-0.02", "status": "executed"}
A_FILL = {
    "id": "2::one", "activity_type": "FILL", "order_id": ORDER["id"], "transaction_time": "2026-11-20T16:59:30Z",
    "qty": "4", "price": "100.25", "symbol": "SPY", "side": "buy",
}  # fmt: skip
ANOTHER_FILL = A_FILL | {"id": "3::two", "order_id": "another", "symbol": "IBM"}
DAYS = [{"date": day, "open": "09:30", "close": "16:00"} for day in ("2026-11-19", "2026-11-20")]
ASSET = an_asset_json()


class Answers:
    """The adapter, and what Alpaca answers on each path."""

    def __init__(self, **answers: object) -> None:
        self.answers: dict[str, object] = {
            "/account": an_account_json(), "/positions": [SPY, IBM], "/orders": [ORDER, BY_HAND],
            "/account/activities": [A_FEE, A_FILL], "/account/activities/FILL": [A_FILL],
            "/clock": {"timestamp": "2026-11-20T12:00:00-05:00"}, "/calendar": DAYS, "/assets": [ASSET],
            "/orders:by_client_order_id": ORDER, "/assets/SPY": ASSET,
        } | answers  # fmt: skip
        self.shown: list[ConnectionStatus] = []
        self.broker = _broker()
        self.broker._assets.clear()
        self.broker._questions.wire.ask = self._ask  # type: ignore[method-assign, assignment]
        self.broker.show_on(self.shown.append)
        self._before = self.broker.unread.count

    def _ask(self, method: str, path: str, _: str, query: Mapping[str, object] | None = None, *_more: object) -> Reply:
        is_closed = path == "/orders" and query is not None and query["status"] == "closed"
        return Reply(200, {}, b"[]" if is_closed else encoded(self.answers[path]))

    @property
    def is_counted(self) -> bool:
        """Whether something was set aside since; the connection's status has it."""
        return self.broker.unread.count > self._before and bool(self.shown[-1].odd)

    def books(self) -> BrokerBooks:
        books = self.broker.books()
        assert isinstance(books, BrokerBooks)
        return books


@cache
def _broker() -> AlpacaBroker:
    """Made once, since it builds an HTTP session."""
    return AlpacaBroker(KEYS, Mode.PAPER, AlpacaSettings(), now=lambda: NOON, timeout=Timeouts(lambda _: True))


def encoded(answer: object) -> bytes:
    text = json.dumps(answer).encode()
    return text.replace(json.dumps(HUGE).encode(), b"9" * 5000).replace(json.dumps(BYTE).encode(), b'"\xff"')


def mutants(record: ApiRecord, row: Json) -> Iterator[tuple[ApiField, object, Json]]:
    for field in record.fields:
        for value in ODD:
            without = {name: said for name, said in row.items() if name != field.name}
            yield field, value, without if value == MISSING else {**row, field.name: value}


def may_be(record: ApiRecord, field: ApiField, row: Json) -> bool:
    """Whether the field alone has a value that it may have."""
    fields = Fields(decoded(encoded(row)), "it", record)
    try:
        match field.kind:
            case ApiFieldKind.TEXT:
                return fields.word(field.name) is None or not field.words or fields.known_word(field.name) is not None
            case ApiFieldKind.NUMBER:
                return fields.optional_number(field.name) is None or True
            case ApiFieldKind.FLAG:
                return fields.optional_flag(field.name) is None or True
            case ApiFieldKind.MOMENT:
                return fields.value(field.name) is None or bool(fields.moment(field.name))
            case _:
                return fields.value(field.name) is None or isinstance(fields.value(field.name), list)
    except UnreadableFieldError:
        return False


def test_one_odd_order_of_ours_hides_no_other() -> None:
    """EX-26, EX-05: and what it filled is read whatever its terms say"""
    usual = Answers().books()
    for field, value, row in mutants(contract.ORDER, ORDER):
        answers = Answers(**{"/orders": [row, BY_HAND]})
        books, case = answers.books(), (field.name, value)
        read = next((order for order in books.orders if order.broker_order_id == ORDER["id"]), None)

        assert usual.orders[1] in books.orders, case
        assert len(books.orders) + len(books.unreadable) + len(books.foreign_orders) == 2, case
        if field.name in NOT_READ or may_be(contract.ORDER, field, row):
            continue
        assert answers.is_counted or books.foreign_orders or (read is not None and read.status is None), case
        if field.name not in ("id", "client_order_id", "filled_qty", "symbol", "asset_class"):
            assert read is not None, case
            assert (read.filled_quantity, read.symbol) == (4, "SPY"), case


def test_one_odd_order_of_somebody_else_hides_no_other() -> None:
    """EX-26"""
    usual = Answers().books()
    for field, value, row in mutants(contract.ORDER, BY_HAND):
        answers = Answers(**{"/orders": [ORDER, row]})
        books, case = answers.books(), (field.name, value)

        assert usual.orders[0] in books.orders, case
        assert len(books.orders) + len(books.unreadable) + len(books.foreign_orders) == 2, case
        is_named = answers.is_counted and (books.unreadable or any(order.unknown_words for order in books.orders))
        is_named = is_named or any(order.status is None for order in books.orders)
        is_read = field.name in NOT_READ | {"filled_avg_price"} or may_be(contract.ORDER, field, row)
        assert is_read or is_named or books.foreign_orders, case


def test_one_odd_position_hides_no_other() -> None:
    """EX-26"""
    usual = Answers().books()
    for field, value, row in mutants(contract.POSITION, SPY):
        answers = Answers(**{"/positions": [row, IBM]})
        books, case = answers.books(), (field.name, value)
        found = (*books.positions, *books.unreadable_positions, *books.foreign_positions)

        assert usual.positions[1] in books.positions, case
        assert len(found) == 2, case
        assert books.orders == usual.orders, case
        is_named = answers.is_counted and books.unreadable_positions
        assert is_named or books.foreign_positions or may_be(contract.POSITION, field, row), case


def test_a_row_that_is_no_row_hides_no_other() -> None:
    """EX-26: it is named as an order and as a position that nobody can read"""
    usual = Answers().books()
    for value in OTHER_TYPES:
        answers = Answers(**{"/orders": [ORDER, value, BY_HAND], "/positions": [SPY, value, IBM]})
        books = answers.books()

        assert (books.orders, books.positions) == (usual.orders, usual.positions), value
        assert [(row.broker_order_id, row.symbol) for row in books.unreadable] == [("", None)], value
        assert [held.symbol for held in books.unreadable_positions] == [None], value
        assert answers.is_counted, value


def test_a_contradictory_position_is_named() -> None:
    """EX-26: long and below nothing, and two rows of one symbol that differ; the same row twice counts once"""
    contradictory = Answers(**{"/positions": [SPY | {"qty": "-3"}, IBM]}).books()
    twice = Answers(**{"/positions": [SPY, IBM, SPY | {"qty": "4"}]}).books()
    repeated = Answers(**{"/positions": [SPY, SPY, IBM]})

    for books in (contradictory, twice):
        assert [held.symbol for held in books.positions] == ["IBM"]
        assert [held.symbol for held in books.unreadable_positions] == ["SPY"]
    assert [(held.symbol, held.quantity) for held in repeated.books().positions] == [("SPY", 10), ("IBM", -3)]
    assert repeated.is_counted


def test_a_symbol_in_other_letters_is_the_same() -> None:
    """EX-26, EX-05: in orders, positions, activities, assets and updates"""
    small = {"symbol": "spy"}
    answers = Answers(
        **{
            "/orders": [ORDER | small, BY_HAND], "/positions": [SPY | small, IBM], "/assets": [ASSET | small],
            "/account/activities": [A_FILL | small], "/assets/SPY": ASSET | small,
        }
    )  # fmt: skip
    books, copy, heard = answers.books(), answers.broker.activities(NOON.date()), list[OrderUpdate | UnreadUpdate]()
    a_stream()._take(a_frame(an_update_json(order=ORDER | small)), b"", heard.append)
    listed, asset, (update,) = answers.broker.assets(), answers.broker.instrument(Symbol("SPY")), heard

    assert isinstance(copy, DropCopy)
    assert isinstance(update, OrderUpdate)
    assert isinstance(asset, BrokerInstrument)
    assert not isinstance(listed, NoAnswer)
    symbols = [books.orders[0], books.positions[0], copy.fills[0], listed[0], asset, update.report]
    assert [each.symbol for each in symbols] == ["SPY"] * 6  # type: ignore[attr-defined]


def test_rows_in_another_order_are_the_same_books() -> None:
    """EX-26"""
    usual, turned = Answers().books(), Answers(**{"/orders": [BY_HAND, ORDER, BY_HAND], "/positions": [IBM, SPY]})

    books = turned.books()
    assert set(books.orders) == set(usual.orders)
    assert set(books.positions) == set(usual.positions)


def test_an_odd_figure_of_the_account_is_taken_for_missing() -> None:
    """EX-26, MD-07: one that is always there makes the account unreadable, and both are named"""
    for field, value, row in mutants(contract.ACCOUNT, an_account_json(shorting_enabled=True)):
        answers = Answers(**{"/account": row})
        account, case = answers.broker.account(), (field.name, value)

        if may_be(contract.ACCOUNT, field, row):
            assert isinstance(account, Account | NoAnswer), case
        elif field.is_always_there and field.name != "status":
            assert isinstance(account, NoAnswer), case
            assert answers.is_counted, case
        elif field.name != "status":
            assert isinstance(account, Account), case
            assert answers.is_counted, case
        else:
            assert isinstance(account, NoAnswer) or account.is_blocked, case


def test_one_odd_activity_hides_no_other() -> None:
    """EX-26"""
    for record, row, other in ((contract.ACTIVITY, A_FEE, A_FILL), (contract.FILL, A_FILL, A_FEE)):
        for field, value, mutant in mutants(record, row):
            answers = Answers(**{"/account/activities": [mutant, other]})
            copy, case = answers.broker.activities(date(2026, 11, 20)), (field.name, value)

            assert isinstance(copy, DropCopy), case
            assert len(copy.fills) + len(copy.activities) + len(copy.unreadable) == 2, case
            assert copy.fills if other is A_FILL else copy.activities, case
            assert may_be(record, field, mutant) or copy.unreadable or copy.activities, case
            assert not copy.unreadable or answers.is_counted, case


def test_an_odd_fill_of_another_order_hides_no_execution() -> None:
    """EX-26, EX-05"""
    for field, value, mutant in mutants(contract.FILL, ANOTHER_FILL):
        answers = Answers(**{"/account/activities/FILL": [mutant, A_FILL]})
        report = answers.broker.look_up(OURS)

        assert isinstance(report, OrderReport), (field.name, value)
        assert [each.id for each in report.executions] == ["one"], (field.name, value)


def test_an_odd_day_of_the_calendar_hides_no_other() -> None:
    """EX-26: its own times stay as the table has them; a day without a date could be any"""
    for field, value, mutant in mutants(contract.DAY, DAYS[1]):
        answers = Answers(**{"/calendar": [DAYS[0], mutant]})
        days, case = answers.broker.sessions(date(2026, 11, 19), date(2026, 11, 20)), (field.name, value)

        if isinstance(days, NoAnswer):
            assert field.name == "date", case
            assert answers.is_counted, case
            continue
        assert isinstance(days[0], Session), case
        assert isinstance(days[1], Session) or (days[1] == date(2026, 11, 20) and answers.is_counted), case


def test_an_odd_asset_hides_no_other() -> None:
    """EX-26"""
    for field, value, mutant in mutants(contract.LISTED, an_asset_json(symbol="IBM")):
        answers = Answers(**{"/assets": [mutant, ASSET], "/assets/SPY": mutant})
        listed, case = answers.broker.assets(), (field.name, value)

        assert not isinstance(listed, NoAnswer), case
        assert [asset.symbol for asset in listed][-1] == "SPY", case
        is_left_out = mutant.get("tradable") is False or field.name in ("class", "status")
        assert len(listed) == 2 or answers.is_counted or is_left_out, case
        assert isinstance(answers.broker.instrument(Symbol("SPY")), BrokerInstrument | NoInstrument), case


def a_stream() -> AlpacaOrderStream:
    return AlpacaOrderStream(KEYS, Mode.PAPER, AlpacaSettings())


def a_frame(data: object) -> Json:
    return {"stream": "trade_updates", "data": data}


def test_each_odd_update_is_heard_once() -> None:
    """EX-26, EX-05: its fill is read, or it names its order, or it is counted as one that names nothing"""
    good = an_update_json(order=ORDER)
    odd = [(field.name, value, row) for field, value, row in mutants(contract.UPDATE, good)]
    odd += [
        (f"order.{field.name}", value, {**good, "order": row}) for field, value, row in mutants(contract.ORDER, ORDER)
    ]
    odd += [("data", value, value) for value in (*ODD, *OTHER_TYPES)]
    for name, value, data in odd:
        stream, heard = a_stream(), list[OrderUpdate | UnreadUpdate]()
        raw = encoded(a_frame(data))
        stream._take(stream._decoded(raw, heard.append), raw, heard.append)

        assert len(heard) == 1, (name, value)
        (told,) = heard
        assert stream.unread.count == isinstance(told, UnreadUpdate), (name, value)
        is_named = isinstance(told, UnreadUpdate) and (told.client_order_id or told.broker_order_id)
        assert isinstance(told, OrderUpdate) or is_named or name in ("order", "data"), (name, value)
