"""Sizes a second with every term, beside the arithmetic of a size alone; and what a bar costs the slice behind them."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import partial

from core.facts import BarClosed
from core.model.sizing import VixLevel, VixReading
from core.model.sizing_terms import KellyTerms, SizingTerms
from core.model.values import Fraction, Money, Price
from core.risk.sizing import Conditions, Edge, Likeness, Throttle, WantedEntry, size_of
from core.risk.sizing_history import SizingBook
from tests.bench.house import SPY, some_bars
from tests.bench.ticket import time_of

WANTED = WantedEntry(
    Money(Decimal("1.50")), Price(Decimal("166.76")), Decimal("0.50"), Money(Decimal(5000)), Decimal("0.001")
)
LIKE = tuple(Likeness(SPY, True, Fraction(Decimal("0.5")), 60) for _ in range(30))
EVERYTHING = Conditions(
    settings=SizingTerms(kelly=KellyTerms(enabled=True)),
    atr=Price(Decimal("0.40")),
    vix=VixReading(Decimal("23.40"), date(2026, 11, 18), VixLevel.ELEVATED),
    held=LIKE,
    throttle=Throttle(Fraction(Decimal("0.5")), "5.20 of 10.00 USD lost today"),
    edge=Edge(100, 60, Decimal("0.60"), Decimal("0.30")),
    equity=Decimal(200),
)


def measure(many: int = 20_000) -> list[tuple[str, str]]:
    alone = time_of(partial(size_of, WANTED, EVERYTHING, ()), many)
    few = time_of(partial(size_of, WANTED, replace(EVERYTHING, held=())), many)
    full = time_of(partial(size_of, WANTED, EVERYTHING), many)
    _, bars = some_bars(390)
    days_of_bars = [replace(bar, start=bar.start + timedelta(days=day)) for day in range(20) for bar in bars]
    fold = SizingBook().folds[BarClosed]
    began = time.perf_counter()
    for bar in days_of_bars:
        fold(bar.end, BarClosed(bar))
    a_bar = (time.perf_counter() - began) / len(days_of_bars)
    return [
        ("sizes a second, every term", f"{1 / few:,.0f}"),
        ("sizes a second, every term, 30 positions held", f"{1 / full:,.0f}"),
        ("baseline: the arithmetic without terms", f"{1 / alone:,.0f}, ratio {few / alone:.1f}"),
        ("a bar, for ranges and closes", f"{a_bar * 1e6:.1f} µs"),
    ]


if __name__ == "__main__":
    for name, value in measure():
        print(f"{name:<55} {value}")
