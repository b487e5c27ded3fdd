"""A result as CSV texts, one per table: trades, equity, orders, signals, reasons, measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
