"""The names and the look of the measures, as a page and a file tell them: one table for all."""

from __future__ import annotations

from collections.abc import Mapping

NONE = "–"

LINES: tuple[tuple[str, str, str], ...] = (
    ("total_return", "total return", "percent"),
    ("yearly_return", "return a year", "percent"),
    ("sharpe", "Sharpe", "ratio"),
    ("sortino", "Sortino", "ratio"),
    ("calmar", "Calmar", "ratio"),
    ("max_drawdown", "deepest drawdown", "percent"),
    ("drawdown_sessions", "its sessions", "count"),
    ("longest_under_water", "longest under water", "count"),
    ("trades", "trades", "count"),
    ("win_rate", "win rate", "percent"),
    ("profit_factor", "profit factor", "ratio"),
    ("expectancy", "expectancy, USD", "money"),
    ("profit", "profit, USD", "money"),
    ("best_trade", "best trade, USD", "money"),
    ("worst_trade", "worst trade, USD", "money"),
    ("slippage", "slippage, USD", "money"),
    ("margin_interest", "margin interest, USD", "money"),
    ("first_equity", "first equity, USD", "money"),
    ("last_equity", "last equity, USD", "money"),
    ("orders", "orders", "count"),
    ("orders_rejected", "of them rejected", "count"),
    ("sessions", "sessions", "count"),
)
"""Of each measure: its key, what it is called, and how it is written."""


def told(metrics: Mapping[str, object]) -> list[tuple[str, str]]:
    """Name and value of every measure, in words."""
    return [(name, value_of(metrics.get(key), kind)) for key, name, kind in LINES]


def value_of(value: object, kind: str) -> str:
    """A number as it is written; a dash for one that could not be worked out."""
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


def drawdown_in_words(metrics: Mapping[str, object]) -> str:
    """When the deepest drawdown was."""
    if not metrics.get("drawdown_from"):
        return "never below an earlier close"
    end = metrics.get("drawdown_recovered")
    over = f"made good on {end}" if end else "not made good by the end"
    return f"from {metrics['drawdown_from']}, deepest on {metrics['drawdown_deepest']}, {over}"
