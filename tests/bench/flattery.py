"""`make bench-flattery`: what the exchange's first rules paid the five strategies beyond today's.

Each on recorded minutes and days, with and without frictions, each file an account by itself; a row is their sum. The
baseline is the first edition of the rules, in the same run.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from rich.console import Console
from rich.progress import track
from rich.table import Table

from console.commands.assembly.backtests import BacktestOptions, backtested
from console.commands.assembly.host import Host
from core.brokers.simulated.config import EDITION, FIRST_EDITION
from core.runtime import simulated_exchange
from core.settings.strategies import HOUSE_NAMES
from tests.data import MARKET

if TYPE_CHECKING:
    from core.brokers.simulated.config import ExchangeConfig

DATA = Path(os.environ.get("KEYTURN_DATA", MARKET))
"""Recorded bars, and the VIX of their days."""
KINDS = {"minutes": ("*_1min_*.csv", "micro"), "days": ("*_daily_*.csv", "swing")}
NO_SYMBOLS = ("VIX", "SPY_quotes")


@dataclass(frozen=True, slots=True)
class Play:
    """One file, one strategy, and by which rules."""

    kind: str
    strategy: str
    file: Path
    has_frictions: bool
    edition: int


@dataclass(frozen=True, slots=True)
class Sum:
    """What the accounts of a row came to, in USD, and how many of their trades won."""

    trades: int = 0
    won: int = 0
    profit: float = 0.0

    def __add__(self, other: Sum) -> Sum:
        return Sum(self.trades + other.trades, self.won + other.won, self.profit + other.profit)


def plays(names: Sequence[str]) -> Iterator[Play]:
    for kind, (pattern, _) in KINDS.items():
        for file in sorted(DATA.glob(pattern)):
            if file.name.startswith(NO_SYMBOLS):
                continue
            for strategy in names or HOUSE_NAMES:
                for has_frictions in (False, True):
                    for edition in (FIRST_EDITION, EDITION):
                        yield Play(kind, strategy, file, has_frictions, edition)


def came_to(play: Play) -> Sum:
    """Play it, in a process of its own."""

    options = BacktestOptions(
        files=(play.file,),
        strategy=play.strategy,
        overrides=(f'profile="{KINDS[play.kind][1]}"',),
        has_frictions=play.has_frictions,
        vix=DATA / "VIX_daily_2008_on.csv",
        market=DATA / "SPY_daily_2008_on.csv",
    )

    made = simulated_exchange.config_of

    def ruled(*about: Any, **more: Any) -> ExchangeConfig:
        return replace(made(*about, **more), edition=play.edition)

    with tempfile.TemporaryDirectory() as home, patch.object(simulated_exchange, "config_of", ruled):
        (told,) = backtested(Host.of({"KEYTURN_HOME": home}), options, lambda *_: None)
    figures = told["metrics"]
    assert isinstance(figures, dict)
    trades = int(figures["trades"])
    return Sum(trades, round(trades * (figures["win_rate"] or 0)), float(figures["profit"] or 0))


def main(names: Sequence[str]) -> None:
    todo = list(plays(names))
    if not todo:
        raise SystemExit(f"{DATA}: no recorded bars there; name their folder in KEYTURN_DATA")
    sums: dict[tuple[str, str, bool, int], Sum] = {}
    with ProcessPoolExecutor() as pool:
        for play, came in track(zip(todo, pool.map(came_to, todo), strict=True), "backtests", total=len(todo)):
            row = play.kind, play.strategy, play.has_frictions, play.edition
            sums[row] = sums.get(row, Sum()) + came
    table = Table("bars", "strategy", "frictions", "trades", "won", "profit, USD", "flattery, USD", box=None)
    for (kind, strategy, has_frictions, edition), after in sums.items():
        if edition == EDITION:
            before = sums[kind, strategy, has_frictions, FIRST_EDITION]
            table.add_row(
                kind,
                strategy,
                "with" if has_frictions else "without",
                f"{before.trades} → {after.trades}",
                " → ".join(f"{one.won / one.trades:.0%}" if one.trades else "–" for one in (before, after)),
                f"{before.profit:,.2f} → {after.profit:,.2f}",
                f"{before.profit - after.profit:,.2f}",
            )
    Console(width=110).print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
