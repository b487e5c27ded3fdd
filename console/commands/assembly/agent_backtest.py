"""A backtest for an agent: the journal's own minutes of a symbol, played by `keyturn backtest` in a process (OP-09).

It runs beside the engine with lower priority, one at a time for each agent, and for a bounded time.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

from console.commands.assembly.host import own_program
from core.model.bar import Bar
from core.model.values import ZERO, plain
from core.ports import OperatorError

Values: TypeAlias = dict[str, Any]
"""A JSON object."""

WITHIN = 40.0
"""Seconds after which a backtest is ended."""
LOWER = 10
"""Its niceness: the engine and the desks come first."""
MOST_TRADES, MOST_REASONS = 50, 20
FRACTION = Decimal("0.000001")
FIGURES = ("sessions", "total_return", "max_drawdown", "sharpe")
OF_TRADES = ("trades", "win_rate", "profit_factor", "mean_r")


def backtest_of(environ: Mapping[str, str], strategy: str, bars: Sequence[Bar], *, hides_amounts: bool) -> Values:
    """Return the trades and figures of a strategy over these bars of one symbol.

    Raises OperatorError: the strategy is none, the bars cannot be played, or it took too long.
    """
    with TemporaryDirectory(prefix="keyturn-backtest-") as folder:
        path = Path(folder) / f"{bars[0].symbol}_minutes.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(("timestamp", "open", "high", "low", "close", "volume"))
            for bar in bars:
                rows.writerow((bar.start.isoformat(), bar.open, bar.high, bar.low, bar.close, bar.volume))
        found = _played(environ, path, strategy, str(bars[0].symbol))
    return _told(found, bars, hides_amounts=hides_amounts)


def _played(environ: Mapping[str, str], path: Path, strategy: str, symbol: str) -> Values:
    words = own_program("backtest", str(path), "--strategy", strategy, "--symbol", symbol, "--json")
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(environ)
    ) as process:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, LOWER)
        try:
            out, error = process.communicate(timeout=WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            raise OperatorError(f"the backtest took longer than {WITHIN:.0f} s; ask for fewer days") from None
    if process.returncode:
        raise OperatorError(error.strip().removeprefix("keyturn: ") or "the backtest ended without a result")
    found: Values = json.loads(out)
    return found


def _told(found: Values, bars: Sequence[Bar], *, hides_amounts: bool) -> Values:
    metrics, by_strategy = found["metrics"] or {}, found["groups"]["strategy"]
    traded = by_strategy.get(found["strategy"], {})
    return {
        "strategy": found["strategy"],
        "symbol": found["symbol"],
        "from": bars[0].start.isoformat(),
        "to": bars[-1].end.isoformat(),
        "minutes": found["bars"],
        "missing_minutes": found["missing"]["missing"],
        **{name: metrics.get(name) for name in FIGURES},
        **{name: traded.get(name) for name in OF_TRADES},
        "list_in_all": len(found["trades"]),
        "list": [_trade(each, hides_amounts=hides_amounts) for each in found["trades"][-MOST_TRADES:]],
        "no_trade": dict(sorted(found["no_trade"].items())[:MOST_REASONS]),
        "not_measured": found["not_measured"],
    }


def _trade(trade: Values, *, hides_amounts: bool) -> Values:
    cost = Decimal(trade["entry_price"]) * Decimal(trade["quantity"])
    made = Decimal(trade["profit"]) / cost if cost else ZERO
    amounts = {name: trade[name] for name in ("quantity", "profit", "fees")}
    return {
        "entered": trade["entry_time"],
        "entry_price": trade["entry_price"],
        "left": trade["exit_time"],
        "exit_price": trade["exit_price"],
        "reason": trade["exit_reason"],
        "profit_fraction": plain(made.quantize(FRACTION)),
        **({} if hides_amounts else amounts),
    }
