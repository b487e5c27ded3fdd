"""What is announced of shares, by Alpaca's own client and by the desk's adapter, over HTTP at the loopback exchange."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import SecretStr

from core.market.alpaca.data import AlpacaData
from core.market.port import MarketDataError
from core.messages.inputs import CorporateActionsArrived, MarketDataBroken
from core.model.reference_data import ActionKind, CorporateAction
from core.model.values import Symbol
from core.runtime.reference_data import Announcements
from core.settings.orders import AlpacaSettings
from tests.kit.rows import cases
from tests.wire.exchange.hours import Hours
from tests.wire.exchange.server import LoopbackExchange

SPY, IBM, XOM, GE, HPE = map(Symbol, ("SPY", "IBM", "XOM", "GE", "HPE"))
TODAY = date(2026, 11, 19)
DIVIDEND = {
    "id": "7bd1a0f2-3c0e-4d6e-9a41-000000000001", "symbol": "XOM", "cusip": "30231G102", "rate": 0.99,
    "special": False, "foreign": False, "process_date": "2026-12-10", "ex_date": "2026-11-20",
    "record_date": "2026-11-20", "payable_date": "2026-12-10",
}  # fmt: skip
SPLIT = {
    "id": "7bd1a0f2-3c0e-4d6e-9a41-000000000002", "symbol": "IBM", "cusip": "459200101", "new_rate": 4, "old_rate": 1,
    "process_date": "2026-11-23", "ex_date": "2026-11-23",
}  # fmt: skip
SPIN_OFF = {
    "id": "7bd1a0f2-3c0e-4d6e-9a41-000000000003", "source_symbol": "GE", "source_cusip": "369604301",
    "source_rate": 4, "new_symbol": "GEV", "new_cusip": "36828A101", "new_rate": 1, "process_date": "2026-11-30",
    "ex_date": "2026-11-30",
}  # fmt: skip
MERGER = {
    "id": "7bd1a0f2-3c0e-4d6e-9a41-000000000004", "acquirer_symbol": "IBM", "acquirer_cusip": "459200101",
    "acquiree_symbol": "HPE", "acquiree_cusip": "42824C109", "rate": 24.5, "process_date": "2026-12-01",
    "effective_date": "2026-12-01",
}  # fmt: skip

RENAME = {"old_symbol": "GE", "old_cusip": "369604301", "new_symbol": "GEX", "process_date": "2026-12-04"}
FOR_SHARES = {"acquirer_rate": 3, "acquiree_rate": 4}


def announce(exchange: LoopbackExchange, *rows: tuple[str, Any]) -> None:
    exchange.floor.announced += rows


def the_source(exchange: LoopbackExchange) -> AlpacaData:
    settings = AlpacaSettings(data_url=exchange.data_url, data_stream_url=exchange.data_stream_url)
    id, secret = SecretStr(exchange.keys.id), SecretStr(exchange.keys.secret)
    return AlpacaData(settings, id, secret, [SPY], Hours(), now=exchange.clock.now)


def test_the_adapter_reads_each_kind_in_order(exchange: LoopbackExchange) -> None:
    announce(
        exchange,
        ("cash_mergers", MERGER),
        ("spin_offs", SPIN_OFF),
        ("forward_splits", SPLIT),
        ("cash_dividends", DIVIDEND),
        ("cash_dividends", {**DIVIDEND, "symbol": "KO"}),
        ("cash_dividends", {**DIVIDEND, "ex_date": "2026-11-08"}),
        ("reverse_splits", {**SPLIT, "symbol": "SPY", "new_rate": 1, "old_rate": 10, "ex_date": "2026-12-02"}),
        ("stock_dividends", {**DIVIDEND, "symbol": "SPY", "rate": 0.05, "ex_date": "2026-12-03"}),
        ("name_changes", RENAME),
        ("stock_mergers", {**MERGER, **FOR_SHARES}),
        ("stock_and_cash_mergers", {**MERGER, **FOR_SHARES, "acquiree_symbol": "SPY", "cash_rate": 2.5}),
        ("worthless_removals", {"symbol": "XOM", "process_date": "2026-12-04"}),
        ("partial_calls", {**DIVIDEND, "symbol": "SPY"}),
    )
    assert the_source(exchange).corporate_actions([SPY, IBM, XOM, GE, HPE], TODAY) == [
        CorporateAction(XOM, ActionKind.CASH_DIVIDEND, date(2026, 11, 20), Decimal("0.99"), payable=date(2026, 12, 10)),
        CorporateAction(IBM, ActionKind.SPLIT, date(2026, 11, 23), None, Decimal(1), Decimal(4)),
        CorporateAction(GE, ActionKind.SPIN_OFF, date(2026, 11, 30), None, Decimal(4), Decimal(1), to=Symbol("GEV")),
        CorporateAction(HPE, ActionKind.MERGER, date(2026, 12, 1), Decimal("24.5")),
        CorporateAction(HPE, ActionKind.MERGER, date(2026, 12, 1), None, Decimal(4), Decimal(3), to=IBM),
        CorporateAction(SPY, ActionKind.MERGER, date(2026, 12, 1), Decimal("2.5"), Decimal(4), Decimal(3), to=IBM),
        CorporateAction(SPY, ActionKind.REVERSE_SPLIT, date(2026, 12, 2), None, Decimal(10), Decimal(1)),
        CorporateAction(SPY, ActionKind.STOCK_DIVIDEND, date(2026, 12, 3), payable=date(2026, 12, 10)),
        CorporateAction(XOM, ActionKind.REMOVAL, date(2026, 12, 4)),
        CorporateAction(GE, ActionKind.RENAME, date(2026, 12, 4), to=Symbol("GEX")),
    ]


def test_what_our_books_may_have_to_follow_yet_is_told_for_days(exchange: LoopbackExchange) -> None:
    """EX-25: the broker's books show it later, or the desk was off on its day"""
    announce(
        exchange,
        ("name_changes", {**RENAME, "process_date": "2026-11-16"}),
        ("cash_mergers", {**MERGER, "process_date": "2026-11-13", "effective_date": "2026-11-13"}),
        ("forward_splits", {**SPLIT, "process_date": "2026-11-08", "ex_date": "2026-11-08"}),
        ("cash_dividends", {**DIVIDEND, "process_date": "2026-11-18", "ex_date": "2026-11-18"}),
    )
    found = the_source(exchange).corporate_actions([GE, HPE, IBM, XOM], TODAY)

    assert [(each.symbol, each.kind) for each in found] == [(HPE, ActionKind.MERGER), (GE, ActionKind.RENAME)]


def test_actions_of_the_days_before_are_read(exchange: LoopbackExchange) -> None:
    """A desk that was off for ten days hears of them; of those before it does not."""
    rows = [{**SPLIT, "process_date": day, "ex_date": day} for day in ("2026-11-08", "2026-11-09", "2026-11-18")]
    announce(exchange, *(("forward_splits", row) for row in rows))

    read = the_source(exchange).corporate_actions([IBM], TODAY)
    assert [each.ex_date for each in read if isinstance(each, CorporateAction)] == [
        date(2026, 11, 9),
        date(2026, 11, 18),
    ]


def test_all_pages_of_actions_are_read(exchange: LoopbackExchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.market.alpaca.requests.MOST", 7)
    announce(exchange, *(("cash_dividends", {**DIVIDEND, "ex_date": f"2026-12-{day:02}"}) for day in range(1, 31)))

    assert len(the_source(exchange).corporate_actions([XOM], TODAY)) == 30


@cases(
    "kind row reason",
    ("cash_dividends", "soon", "cash_dividends, 1: 'soon' is no record"),
    ("cash_dividends", {**DIVIDEND, "rate": 0}, "cash_dividends, 1: its rate 0 is no figure above zero"),
    ("cash_dividends", {**DIVIDEND, "rate": "a lot"}, "its rate 'a lot' is no figure"),
    ("cash_dividends", {**DIVIDEND, "rate": True}, "its rate True is no figure"),
    ("cash_dividends", {**DIVIDEND, "ex_date": "tomorrow"}, "its ex_date 'tomorrow' is no day"),
    ("cash_dividends", {**DIVIDEND, "ex_date": None}, "its ex_date is missing"),
    ("forward_splits", {**SPLIT, "symbol": "XOM", "new_rate": None}, "forward_splits, 1: its new_rate None"),
    ("forward_splits", {**SPLIT, "symbol": "XOM", "new_rate": 1}, "forward_splits, 1: it splits XOM 1 for 1"),
    ("spin_offs", {**SPIN_OFF, "source_symbol": 7, "symbol": "XOM"}, "its source_symbol 7 is no symbol"),
    ("name_changes", {**RENAME, "old_symbol": "XOM", "new_symbol": "\x1b[31mX"}, r"its new_symbol '\x1b[31mX' is no"),
    ("name_changes", {**RENAME, "old_symbol": "XOM", "new_symbol": "X" * 25}, "XXXXX' is no symbol"),
)
def test_an_unreadable_action_is_named(exchange: LoopbackExchange, kind: str, row: Any, reason: str) -> None:
    announce(exchange, (kind, row), ("reverse_splits", {**SPLIT, "symbol": "XOM"}))
    broken, split = the_source(exchange).corporate_actions([XOM], TODAY)

    assert isinstance(broken, MarketDataBroken)
    assert reason in broken.reason
    assert isinstance(split, CorporateAction)


def test_actions_are_asked_for_once_a_day(exchange: LoopbackExchange) -> None:
    announce(exchange, ("cash_dividends", DIVIDEND))
    said: list[str] = []
    source = the_source(exchange)

    def ask(symbols: object, today: date) -> Any:
        said.append(f"{symbols} {today}")
        if len(said) < 3:
            raise MarketDataError("away")
        return source.corporate_actions([XOM], today)

    watch = Announcements(ask, Hours(), exchange.clock.now)
    watch.follow((XOM,))
    assert [type(told) for told in watch.look(watch._lacking())] == [MarketDataBroken]
    assert watch.look(watch._lacking()) == []
    (told,) = watch.look(watch._lacking())
    assert isinstance(told, CorporateActionsArrived)
    assert (told.symbols, [each.symbol for each in told.actions]) == ((XOM,), [XOM])
    assert watch._lacking() == ()
    watch.follow((XOM, IBM))
    assert watch._lacking() == (IBM,)
    exchange.moves_on(24 * 3600)
    assert watch._lacking() == (XOM, IBM)


def test_a_refused_question_raises_an_error(exchange: LoopbackExchange) -> None:
    settings = AlpacaSettings(data_url=exchange.data_url, data_stream_url=exchange.data_stream_url)
    source = AlpacaData(settings, SecretStr("wrong"), SecretStr("wrong"), [SPY], Hours(), now=exchange.clock.now)
    with pytest.raises(MarketDataError, match="check the keys"):
        source.corporate_actions([XOM], TODAY)
