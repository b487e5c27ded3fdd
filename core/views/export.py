"""Every pane's rows as plain values, for JSON and CSV: nothing that is shown is available on the screen alone (SY-08).

Amounts are text and keep every digit, times are UTC, an enumeration is its word. A cell of CSV that is a list or has
parts is JSON. Text from outside loses what would do something in a terminal, and what a spreadsheet would reckon with.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

from core.model.harmless_text import harmless
from core.model.values import Symbol, plain
from core.views.desk import DeskView, LogRow, ProtectionRow, StrategyRow
from core.views.history import HistoryRow
from core.views.results import ChartBar, DayRow, ResultRow, ShadowRow, TradeRow
from core.views.rows import OrderRow, PositionRow, ProposalRow
from core.views.watch import WatchRow

Cells = dict[str, Any]
RECKONED = ("=", "+", "-", "@")
"""What a spreadsheet takes for a formula; a number is none."""


@dataclass(frozen=True, slots=True)
class Exported:
    """The export of a pane: the class of its rows, its rows in a view, and the columns to print first."""

    kind: type
    rows: Callable[[DeskView], Iterable[object]]
    first: tuple[str, ...]


PANES: Mapping[str, Exported] = {
    "proposals": Exported(
        ProposalRow,
        lambda view: view.proposals,
        ("symbol", "strategy", "side", "quantity", "type", "limit_price", "stop_price", "expires_at"),
    ),
    "positions": Exported(
        PositionRow,
        lambda view: view.positions,
        ("symbol", "strategy", "quantity", "average_price", "last", "profit", "stop_price", "covered"),
    ),
    "orders": Exported(
        OrderRow,
        lambda view: view.orders,
        ("id", "symbol", "side", "quantity", "type", "limit_price", "stop_price", "status", "filled_quantity"),
    ),
    "trades": Exported(
        TradeRow,
        lambda view: view.trades,
        ("symbol", "strategy", "quantity", "entry_time", "entry_price", "exit_time", "exit_price", "profit"),
    ),
    "protections": Exported(
        ProtectionRow, lambda view: view.protections, ("name", "measure", "is_tripped", "until", "reason")
    ),
    "strategies": Exported(
        StrategyRow, lambda view: view.strategies, ("strategy", "symbol", "last_answer", "times", "is_paused")
    ),
    "log": Exported(LogRow, lambda view: view.log, ("at", "level", "source", "text")),
    "results": Exported(
        ResultRow, lambda view: view.results, ("strategy", "trades", "wins", "realised", "unrealised", "shadow")
    ),
    "shadows": Exported(
        ShadowRow, lambda view: view.shadows, ("symbol", "strategy", "side", "quantity", "end", "state", "result")
    ),
    "days": Exported(DayRow, lambda view: view.days, ("day", "equity")),
    "watch": Exported(
        WatchRow, lambda view: view.watch.rows, ("symbol", "last", "last_at", "before", "volume", "held")
    ),
    "chart": Exported(
        ChartBar,
        lambda view: () if view.chart is None else view.chart.bars,
        ("start", "open", "high", "low", "close", "volume"),
    ),
}
"""By the name of the pane, or of a second table in it."""
HISTORY = Exported(HistoryRow, lambda _view: (), ("at", "symbol", "text", "profit"))
"""Its rows come from the journal; no view has them."""


def cells(row: object) -> Cells:
    """Return each field of a row by its name."""
    return {each.name: value_of(getattr(row, each.name)) for each in fields(row)}  # type: ignore[arg-type]


def value_of(value: object) -> Any:
    """Return the value for JSON."""
    match value:
        case None | bool() | int() | float():
            return value
        case Decimal():
            return plain(value)
        case Enum():
            return value.value
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date() | time():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case str():
            return harmless(value)
        case Mapping():
            return {str(key): value_of(each) for key, each in value.items()}
        case Iterable():
            return [value_of(each) for each in value]
        case _ if is_dataclass(value):
            return cells(value)
        case _:
            return harmless(str(value))


def quote_of(view: DeskView, symbol: Symbol) -> Cells | None:
    """What is known of a symbol that is followed; None of one that is not."""
    row = next((row for row in view.watch.rows if row.symbol == symbol), None)
    known = next((row for row in view.symbols if row.symbol == symbol), None)
    if row is None and known is None:
        return None
    quote = (row.quote if row is not None else None) or (known.quote if known is not None else None)
    last = row if row is not None and row.last is not None else known
    return {
        "symbol": symbol,
        "bid": value_of(quote and quote.bid),
        "bid_size": value_of(quote and quote.bid_size),
        "ask": value_of(quote and quote.ask),
        "ask_size": value_of(quote and quote.ask_size),
        "at": value_of(quote and quote.at),
        "feed": value_of(quote and quote.feed),
        "last": value_of(last and last.last),
        "last_at": value_of(last and last.last_at),
        "close_before": value_of(row and row.before),
        "volume": value_of(row and row.volume),
        "held": value_of(row and row.held),
    }


def as_csv(names: Sequence[str], rows: Iterable[Cells]) -> str:
    """With a line of names, also where there is no row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return text.getvalue()


def tables_of(told: Mapping[str, object], place: str = "") -> Iterator[tuple[str, str]]:
    """Yield the name and the CSV text of each table in what a command prints as JSON.

    A list of objects is a table, and so are objects by their names; other objects are rows of name and value. A table
    within another object has that one's name before its own: `standing-positions`.
    """
    plain_values = {}
    for key, value in told.items():
        name = f"{place}{key}"
        if isinstance(value, Mapping):
            inner = [*value.values()]
            if inner and all(isinstance(each, Mapping) and _is_flat(each) for each in inner):
                yield _table(name, [{"name": str(by), **each} for by, each in value.items()])
            else:
                yield from tables_of(value, f"{name}-")
        elif isinstance(value, Sequence) and value and all(isinstance(each, Mapping) for each in value):
            yield _table(name, value)
        elif not isinstance(value, Sequence) or isinstance(value, str):
            plain_values[key] = value
    if plain_values:
        rows = [{"name": key, "value": value_of(value)} for key, value in plain_values.items()]
        yield f"{place.removesuffix('-') or 'values'}.csv", as_csv(("name", "value"), rows)


def _is_flat(row: Mapping[str, object]) -> bool:
    return not any(isinstance(each, Mapping) for each in row.values())


def _table(name: str, rows: Iterable[Mapping[str, object]]) -> tuple[str, str]:
    names = [*dict.fromkeys(key for row in rows for key in row)]
    return f"{name}.csv", as_csv(names, ({key: value_of(each) for key, each in row.items()} for row in rows))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    text = str(value).replace("\n", " ")
    return f"'{text}" if text.startswith(RECKONED) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    return text.lstrip("+-").replace(".", "", 1).isdecimal()


def names_of(exported: Exported) -> list[str]:
    """Every column."""
    return [each.name for each in fields(exported.kind)]
