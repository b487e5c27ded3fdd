"""Every pane's rows as plain values, for JSON and CSV: nothing that is shown is available on the screen alone (SY-08).

Amounts are text: money in cents, prices and other figures with four decimals at most, quantities and fractions exact to
the broker's digits. Columns have the desk's words, not the names of the code. Times are UTC, an enumeration is its
word. A cell of CSV that is a list or has parts is JSON. Text from outside loses what would do something in a terminal,
and what a spreadsheet would reckon with.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum
from functools import partial
from operator import attrgetter
from types import NoneType
from typing import Any, get_args, get_type_hints

from core.model.holding import Health, RulesChoice
from core.model.lazy_dataclass import dataclass
from core.model.news import Headline
from core.model.session import HOME
from core.model.text_sanitizer import harmless
from core.model.values import Symbol, plain
from core.views.desk import AdviceRow, DeskView
from core.views.desk_status import DeskRow, StatusView
from core.views.results import ChartBar, ChartFill, HistoryRow
from core.views.rows import WatchlistRow, WatchRow
from core.views.sums import (
    PeriodRow,
    PeriodStrategyRow,
    PositionSums,
    period_rows,
    period_strategy_rows,
    position_sums,
)
from core.views.tickets import BasketRowView

Cells = dict[str, Any]
CENTS, DECIMALS = 2, 4
SHARES = 9
EXACT_TYPES = {"Quantity": SHARES, "Fraction": 6, "Money": CENTS}
"""Most decimals of a figure, by the type of its field; four for all others."""
PUBLIC = {
    "key": "id",
    "at": "time",
    "meant": "meant_exit_reason",
    "reference": "reference_price",
    "replaces": "replaces_order",
    "replaces_in_words": "replaces_terms",
    "moved": "price_change_since",
    "traded": "instrument",
    "trail_price": "trails_by_usd",
    "trail_fraction": "trails_by_fraction",
    "trigger_price": "trigger",
    "result_in_risk": "profit_in_r",
    "holder": "stop_held_by",
    "covered": "shares_with_stop",
    "is_unread": "unreadable_at_broker",
    "idle": "idle_orders",
    "at_limit": "shares_at_limit",
    "in_doubt": "shares_in_doubt",
    "doubt": "orders_in_doubt",
    "acts_from": "stops_act_from",
    "unattended_most": "unattended_shares",
    "owed": "stop_owed_shares",
    "owed_since": "stop_owed_since",
    "owed_why": "stop_owed_because",
    "rules": "exit_rules",
    "is_watched": "watched_by_exit_rules",
    "offered": "exit_rules_offered",
    "asks": "exit_rules_to_be_chosen",
    "goes_back_in_words": "restored_stops",
    "restated": "changed_by_broker",
    "taken_back_at": "cancelled_at",
    "stop_by_desk": "stop_held_by",
    "beyond": "shares_beyond_held",
    "parent": "parent_order",
    "course": "prices_today",
    "before": "close_before",
    "held": "shares_held",
    "working": "orders_working",
    "trouble": "no_price_because",
    "lists": "blocked_by_lists",
    "declined": "not_taken",
    "left_out": "not_taken_and_not_followed",
    "shadow": "not_taken_result",
    "failed": "failed_in_execution",
    "failed_realised": "failed_profit",
    "in_part": "partly_closed",
    "is_part": "part_of_open_position",
}
"""The words of columns, where the code's own names are none; `is_` and `has_` are dropped from the others."""
PARTS = {"health": Health, "choice": RulesChoice}
"""Fields whose own fields are columns of the row."""
OF_FIELDS = frozenset({"terms", "instrument", "going", "taken_back"})
"""Properties of rows that only put fields of theirs together."""
RECKONED = ("=", "+", "-", "@")
"""What a spreadsheet takes for a formula; a number is none."""
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([Ee][+-]?\d+)?", re.ASCII)
"""Also one that Python writes with an exponent, as a float below 0.0001."""


@dataclass(frozen=True, slots=True)
class Exported:
    """The export of a table: the class of its rows, which may name the columns to print first, and its rows."""

    kind: type[Any]
    rows: Callable[[DeskView], Iterable[object]]


def _of_fields() -> Iterator[tuple[str, Exported]]:
    """Yield each field of the view that has rows, or is a value of its own: a table of one row, or none."""
    for name, hint in get_type_hints(DeskView).items():
        kinds = [kind for kind in get_args(hint) or (hint,) if kind not in (NoneType, Ellipsis)]
        if is_dataclass(kinds[0]):
            yield name, Exported(kinds[0], partial(_rows_of, name))  # type: ignore[arg-type]


def _rows_of(name: str, view: DeskView) -> Iterable[object]:
    found = getattr(view, name)
    if isinstance(found, tuple):
        return found
    return () if found is None else (found,)


def _today(view: DeskView) -> date:
    return HOME.day_of(view.status.at)


TABLES: Mapping[str, Exported] = {
    **{name: exported for name, exported in _of_fields() if name != "status"},
    "account": Exported(StatusView, lambda view: (view.status,)),
    "desks": Exported(DeskRow, lambda view: view.status.key.desks),
    "watch": Exported(WatchRow, lambda view: view.watch.rows),
    "news": Exported(Headline, lambda view: view.news.headlines),
    "watchlists": Exported(WatchlistRow, lambda view: view.watch.lists),
    "advice": Exported(AdviceRow, lambda view: view.advice.rows),
    "position_sums": Exported(PositionSums, lambda view: (position_sums(view.positions),)),
    "periods": Exported(PeriodRow, lambda view: period_rows(view.days, _today(view), view.status.equity)),
    "period_strategies": Exported(PeriodStrategyRow, lambda view: period_strategy_rows(view.days, _today(view))),
    "basket": Exported(BasketRowView, lambda view: () if view.plan is None else view.plan.rows),
    "chart": Exported(ChartBar, lambda view: () if view.chart is None else view.chart.bars),
    "chart_hours": Exported(ChartBar, lambda view: () if view.chart is None else view.chart.hours),
    "chart_days": Exported(ChartBar, lambda view: () if view.chart is None else view.chart.days),
    "chart_fills": Exported(ChartFill, lambda view: () if view.chart is None else view.chart.fills),
}
"""By the name of the pane, of a field of the view, or of a table within one."""
OF_CHART = frozenset({"chart", "chart_hours", "chart_days", "chart_fills"})
"""Tables of one symbol."""
HISTORY = Exported(HistoryRow, lambda _view: ())
"""Its rows come from the journal; no view has them."""


def cells(row: object) -> Cells:
    """Return each field of a value by the word of its column."""
    return {
        public(each.name): value_of(getattr(row, each.name), _decimals(str(each.type)))
        for each in fields(row)  # type: ignore[arg-type]
    }


def row_of(row: object) -> Cells:
    """Return each field of a table's row, and each figure that the desk makes of them, by the word of its column."""
    return {
        public(name): value_of(attrgetter(name)(row), _decimals(annotation)) for name, annotation in _columns(type(row))
    }


def _columns(kind: type[Any]) -> tuple[tuple[str, str], ...]:
    """Return the name and the type of each field and property, each column once; `health.light` is a part's."""
    own: list[tuple[str, str]] = []
    for each in fields(kind):
        part = PARTS.get(each.name)
        parts = () if part is None else _columns(part)
        own += [(f"{each.name}.{name}", type_) for name, type_ in parts] or [(each.name, str(each.type))]
    taken = {public(name) for name, _ in own}
    derived = [
        (name, str(each.fget.__annotations__.get("return", "")))
        for name, each in vars(kind).items()
        if isinstance(each, property) and each.fget and public(name) not in taken and name not in OF_FIELDS
    ]
    return (*own, *derived)


def public(name: str) -> str:
    """Return the word of a column by the name of its field."""
    name = name.rpartition(".")[2]
    return PUBLIC.get(name, name.removeprefix("is_").removeprefix("has_"))


def _decimals(annotation: str) -> int:
    return next((most for name, most in EXACT_TYPES.items() if name in annotation), DECIMALS)


def _rounded(value: Decimal, decimals: int) -> Decimal:
    most = Decimal(1).scaleb(-decimals)
    if not value.is_finite() or value == value.quantize(most):
        return value
    rounded = value.quantize(most, ROUND_HALF_UP)
    return rounded if rounded else abs(rounded)  # no zero below zero


def value_of(value: object, decimals: int = DECIMALS) -> Any:
    """Return the value for JSON, a figure with so many decimals at most."""
    match value:
        case None | bool() | int() | float():
            return value
        case Decimal():
            return plain(_rounded(value, decimals))
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
            return {str(key): value_of(each, decimals) for key, each in value.items()}
        case Iterable():
            return [value_of(each, decimals) for each in value]
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
        "bid_size": value_of(quote and quote.bid_size, SHARES),
        "ask": value_of(quote and quote.ask),
        "ask_size": value_of(quote and quote.ask_size, SHARES),
        "at": value_of(quote and quote.at),
        "feed": value_of(quote and quote.feed),
        "last": value_of(last and last.last),
        "last_at": value_of(last and last.last_at),
        "close_before": value_of(row and row.before),
        "volume": value_of(row and row.volume, SHARES),
        "shares_held": value_of(row and row.held, SHARES),
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

    A list of objects is a table, and so are objects by their names; other objects are rows of name and value, and
    another list is a column. A table within another object has that one's name before its own: `standing-positions`.
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
        elif value:
            yield _table(name, [{"value": each} for each in value])
    if plain_values:
        rows = [{"name": key, "value": value_of(value)} for key, value in plain_values.items()]
        yield f"{place.removesuffix('-') or 'values'}.csv", as_csv(("name", "value"), rows)


def _is_flat(row: Mapping[str, object]) -> bool:
    return not any(isinstance(each, Mapping) for each in row.values())


def _table(name: str, rows: Iterable[Mapping[str, object]]) -> tuple[str, str]:
    names = [*dict.fromkeys(key for row in rows for key in row)]
    return f"{name}.csv", as_csv(names, ({key: value_of(each) for key, each in row.items()} for row in rows))


def in_a_cell(value: object) -> str:
    """Return the text of a value in one line; a list or a value with parts as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return str(value).replace("\n", " ")


def _cell(value: object) -> str:
    text = in_a_cell(value)
    return f"'{text}" if text.startswith(RECKONED) and not NUMBER.fullmatch(text) else text


def names_of(exported: Exported) -> list[str]:
    """Every column."""
    return [public(name) for name, _ in _columns(exported.kind)]


def first_of(exported: Exported) -> list[str]:
    """The columns to print first; every one of a table that names none."""
    first = getattr(exported.kind, "FIRST", None)
    return names_of(exported) if first is None else [public(name) for name in first]
