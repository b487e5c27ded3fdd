"""A backtest's tables as CSV."""

from __future__ import annotations

from typing import Any

from core.analytics.presentation import COLUMNS, tables


def a_result(**tables_: list[dict[str, Any]]) -> dict[str, Any]:
    empty: dict[str, Any] = {name: [] for name in COLUMNS}
    return {**empty, "reasons": {"vwap": {"none, yet": 3}}, "skipped": {}, "metrics": {}, **tables_}


def test_a_missing_value_is_an_empty_cell() -> None:
    """AN-04: a number beside a missing one is not made another number."""
    orders = [
        {"client_order_id": "a", "quantity": 3, "average_price": None},
        {"client_order_id": "b", "quantity": None},
    ]
    equity = [{"day": "2024-01-02", "equity": 200.1, "drawdown": 0.0, "exposure": 5, "buy_and_hold": None, "noise": 1}]

    written = tables(a_result(orders=orders, equity=equity))

    assert written["orders.csv"].splitlines()[1:] == ["a,,,,3,,,,", "b,,,,,,,,"]
    assert written["equity.csv"] == "day,equity,drawdown,exposure,buy_and_hold\n2024-01-02,200.1,0.0,5,\n"
    assert written["reasons.csv"] == 'strategy,reason,bars\nvwap,"none, yet",3\n'
    assert written["trades.csv"] == ",".join(COLUMNS["trades"]) + "\n"
