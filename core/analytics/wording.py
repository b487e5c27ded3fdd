"""Names and formats of the measures, and a result as CSV texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

NONE = "–"
ROLLING = 63
"""Sessions of a quarter: the window of rolling figures, and the least for annualized measures (AN-01)."""
SHOWN_SPLITS = 5
"""The maximum of splits named on a page; a file with more has no market prices."""

LINES: tuple[tuple[str, str, str], ...] = (
    ("total_return", "total return", "percent"),
    ("yearly_return", "return a year", "percent"),
    ("sharpe", "Sharpe", "ratio"),
    ("sortino", "Sortino", "ratio"),
    ("calmar", "Calmar", "ratio"),
    ("omega", "Omega", "ratio"),
    ("max_drawdown", "deepest drawdown", "percent"),
    ("drawdown_sessions", "drawdown length", "count"),
    ("longest_under_water", "longest under water", "count"),
    ("trades", "trades", "count"),
    ("win_rate", "win rate", "percent"),
    ("profit_factor", "profit factor", "ratio"),
    ("expectancy", "expectancy, USD", "money"),
    ("profit", "profit, USD", "money"),
    ("best_trade", "best trade, USD", "money"),
    ("worst_trade", "worst trade, USD", "money"),
    ("slippage", "slippage (+ lost), USD", "money"),
    ("fees", "fees, in the profit, USD", "money"),
    ("margin_interest", "margin interest, USD", "money"),
    ("first_equity", "first equity, USD", "money"),
    ("last_equity", "last equity, USD", "money"),
    ("orders", "orders", "count"),
    ("orders_rejected", "of them rejected", "count"),
    ("sessions", "sessions", "count"),
)
"""For each measure: its key, name and format."""


def told(metrics: Mapping[str, object]) -> list[tuple[str, str]]:
    """Return name and value of every measure, as text."""
    return [_told(key, name, kind, metrics.get(key)) for key, name, kind in LINES]


def _told(key: str, name: str, kind: str, value: object) -> tuple[str, str]:
    """Return one measure; negative slippage is called price improvement."""
    if key == "slippage" and isinstance(value, int | float) and value < 0:
        return "price improvement, USD", value_of(-value, kind)
    return name, value_of(value, kind)


def value_of(value: object, kind: str) -> str:
    """Format a number; a dash if undefined."""
    if not isinstance(value, int | float):
        return NONE
    match kind:
        case "percent":
            return f"{value * 100:.2f} %"
        case "ratio":
            return f"{value:.2f}"
        case "money":
            return f"{value:,.2f}"
        case _:
            return f"{value:,.0f}"


def of_few_sessions(metrics: Mapping[str, Any]) -> str:
    """Return why annualized measures are missing; empty if they are not."""
    sessions = metrics["sessions"]
    return f"{sessions} sessions: annualized measures need {ROLLING}" if sessions < ROLLING else ""


def drawdown_in_words(metrics: Mapping[str, object]) -> str:
    """Describe the time of the deepest drawdown."""
    if not metrics.get("drawdown_from"):
        return "never below an earlier close"
    end = metrics.get("drawdown_recovered")
    over = f"made good on {end}" if end else "not made good by the end"
    return f"from {metrics['drawdown_from']}, deepest on {metrics['drawdown_deepest']}, {over}"


def of_the_bars(result: Mapping[str, Any]) -> list[str]:
    """Return the notes on the bars that precede any figure: quarantined and missing ones."""
    lines = []
    if result["timeframe"] == "1day" and "vwap" in result["reasons"]:
        lines.append("vwap measures the minutes of a session, and bars of days have none: play a file of minutes")
    if many := result["quarantined"]:
        rows = "1 row was" if many == 1 else f"{many:,} rows were"
        lines.append(f"{rows} set aside, the first {result['first_quarantined']}")
    if many := result["outside_session"]:
        lines.append("1 bar is outside market hours" if many == 1 else f"{many:,} bars are outside market hours")
    missing = result["missing"]
    if missing["missing"]:
        lines.append(f"{missing['missing']:,} of {missing['of']:,} {missing['unit']} are missing")
    return [*lines, *_of_splits(result["splits"], is_daily=result["timeframe"] == "1day")]


def _of_splits(splits: Sequence[Mapping[str, Any]], *, is_daily: bool) -> Iterator[str]:
    for split in splits[:SHOWN_SPLITS]:
        when = split["time"][:10] if is_daily else split["time"]
        yield (
            f"{when}: opens at {split['open']} after a close of {split['close_before']}, as a split {split['split']}; "
            "prices are not adjusted: what is held over it is wrong"
        )
        for held in split["held_over"]:
            entered = f"held over it: what was bought {held['entry_time']}"
            yield (
                f"{entered}, and is still open"
                if held["exit_time"] is None
                else f"{entered}, profit {Decimal(held['profit']):.2f}"
            )
    if len(splits) > SHOWN_SPLITS:
        yield f"{len(splits) - SHOWN_SPLITS:,} more bars open as after a split; --json names all"


def of_what_is_modelled(result: Mapping[str, Any]) -> list[str]:
    """Return the notes on modelled values, and on positions left open."""
    modelled, left = result["modelled"], result["open"]
    lines = []
    if derived := modelled["at_derived_quotes"]:
        many = "every execution" if derived == modelled["executions"] else f"{derived:,} of {modelled['executions']:,}"
        lines.append(f"{many} met a quote that was worked out from its bar: none was recorded just then")
    if decided := modelled["decided_by_the_path"]:
        trades = "1 trade" if decided == 1 else f"{decided:,} trades"
        lines.append(f"the order of high and low inside a bar decided {trades}: the worse end was taken")
    if left:
        what = "1 position is" if len(left) == 1 else f"{len(left):,} positions are"
        lines.append(f"{what} open at the end, and counted as a trade that is closed at the last quote")
    lines += (
        f"{each['symbol']} has no price after {each['stale_since']}: {each['quantity']} shares are counted at "
        f"{each['price']} of then, and no gain on them"
        for each in left
        if each["stale_since"]
    )
    return lines


def of_what_is_not_measured(result: Mapping[str, Any]) -> str:
    """Return one line on the unmeasured inputs, by which a desk may trade otherwise; empty if there are none."""
    if not result["not_measured"]:
        return ""
    return f"not measured here: {' and '.join(result['not_measured'])}; a desk may trade otherwise"


Result = Mapping[str, Any]
"""The result of a backtest from `core.runtime.backtest`: plain JSON."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "trades": (
        "symbol",
        "entry_time",
        "entry_price",
        "quantity",
        "exit_time",
        "exit_price",
        "exit_reason",
        "profit",
        "slippage",
        "fees",
    ),
    "equity": ("day", "equity", "drawdown"),
    "orders": (
        "client_order_id",
        "symbol",
        "side",
        "type",
        "quantity",
        "status",
        "submitted_at",
        "filled_quantity",
        "average_price",
    ),
    "signals": ("time", "strategy", "symbol", "side", "confidence"),
}
"""Tables that are lists in the result, and their columns."""


def tables(result: Result) -> dict[str, str]:
    """Return each table's file name and text."""
    texts = {f"{name}.csv": _table(columns, result[name]) for name, columns in COLUMNS.items()}
    reasons = [
        {"strategy": strategy, "reason": reason, "bars": bars}
        for strategy, counted in result["reasons"].items()
        for reason, bars in counted.items()
    ]
    skipped = [{"strategy": "", "reason": reason, "bars": count} for reason, count in result["skipped"].items()]
    measures = [{"measure": name, "value": value} for name, value in result["metrics"].items()]
    return {
        **texts,
        "reasons.csv": _table(("strategy", "reason", "bars"), [*reasons, *skipped]),
        "metrics.csv": _table(("measure", "value"), measures),
    }


def _table(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> str:
    """Write values unchanged: integers stay integers in a column with missing values."""
    import pandas as pd

    return str(pd.DataFrame(rows, columns=list(columns), dtype=object).to_csv(index=False, lineterminator="\n"))
