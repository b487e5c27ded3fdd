"""The account's value at each close, computed independently: with pandas, from files and fills alone.

Nothing of the product is imported here. Prices and quantities come in as text and stay exact.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pandas as pd

NEW_YORK = "America/New_York"
OPENS, CLOSES = pd.Timedelta(hours=9, minutes=30), pd.Timedelta(hours=16)
BEGAN = Decimal(100_000)


def closes_of(path: Path) -> pd.Series:
    """The last regular price of each day of a file of minutes, or the close of each row of a file of days."""
    rows = pd.read_csv(path, dtype=str)
    if "date" in rows:
        return rows.set_index("date")["close"].map(Decimal)
    at = pd.to_datetime(rows["timestamp"], utc=True).dt.tz_convert(NEW_YORK)
    clock = at - at.dt.normalize()
    is_regular = (clock >= OPENS) & (clock < CLOSES)
    regular = rows[is_regular].assign(day=at[is_regular].dt.strftime("%Y-%m-%d"))
    return regular.groupby("day")["close"].last().map(Decimal)


def fills_of(journal: Path) -> list[dict[str, str]]:
    """Every execution of a journal with its symbol, what was sold below zero; read as plain JSON."""
    orders: dict[str, dict[str, str]] = {}
    found = []
    for path in sorted(journal.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            if '"OrderCreated"' in line:
                order = json.loads(line)["data"]["order"]
                orders[order["client_order_id"]] = order
            elif '"OrderFilled"' in line:
                fill = json.loads(line)["data"]["fill"]
                order = orders[fill["client_order_id"]]
                sign = "" if order["side"] == "buy" else "-"
                found.append({**fill, "symbol": order["symbol"], "quantity": sign + fill["quantity"]})
    return found


def worth_at_closes(fills: Iterable[Mapping[str, Any]], closes: Mapping[str, pd.Series]) -> pd.Series:
    """Cash and shares at each day's close, USD; a fill has `at`, `symbol`, signed `quantity`, `price` and `fee`."""
    days = sorted({day for series in closes.values() for day in series.index})
    found: dict[str, Decimal] = {}
    told = pd.DataFrame(list(fills))
    told["day"] = pd.to_datetime(told["at"], utc=True, format="ISO8601").dt.tz_convert(NEW_YORK).dt.strftime("%Y-%m-%d")
    for day in days:
        done = told[told["day"] <= day]
        worth = BEGAN
        for symbol, of_symbol in done.groupby("symbol"):
            quantity, price = of_symbol["quantity"].map(Decimal), of_symbol["price"].map(Decimal)
            worth -= sum(quantity * price, Decimal(0)) + sum(of_symbol["fee"].map(Decimal), Decimal(0))
            known = closes[str(symbol)]
            worth += sum(quantity, Decimal(0)) * known[known.index <= day].iloc[-1]
        found[day] = worth
    return pd.Series(found)


def cents(amount: Decimal) -> str:
    return str(amount.quantize(Decimal("0.01"), ROUND_HALF_EVEN))
