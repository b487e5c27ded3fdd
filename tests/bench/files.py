"""`make bench-files`: a file of bars through `keyturn backtest`: its peak memory and its pace at three sizes.

The baseline is a loop over the same file that parses each row's figures, without an engine.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path

from tests.bench.house import some_bars
from tests.bench.paint import ROOT

SIZES = 10_000, 100_000, 500_000
KIBI = 1024


def write(path: Path, many: int) -> None:
    """In a process of its own: what this one holds would count as the peak of the one that it starts."""
    _, bars = some_bars(many)
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("timestamp", "open", "high", "low", "close", "volume"))
        rows.writerows((bar.start.isoformat(), bar.open, bar.high, bar.low, bar.close, bar.volume) for bar in bars)


def tested(path: Path, home: Path) -> tuple[float, float, int]:
    """Processor seconds, peak MiB and trades of a backtest."""
    command = [str(ROOT / ".venv" / "bin" / "keyturn"), "backtest", str(path), "--strategy", "sma", "--json"]
    with (home / "out.json").open("wb") as out:
        running = subprocess.Popen(command, env={**os.environ, "KEYTURN_HOME": str(home)}, stdout=out)
    _, status, used = os.wait4(running.pid, 0)
    if status:
        raise RuntimeError(f"the backtest ended with {status}")
    trades = len(json.loads((home / "out.json").read_text())["trades"])
    return used.ru_utime + used.ru_stime, used.ru_maxrss / KIBI, trades


def plain_loop(path: Path) -> float:
    """Processor seconds."""
    began = time.process_time()
    with path.open() as file:
        rows = csv.reader(file)
        next(rows)
        for row in rows:
            [*map(Decimal, row[1:])]
    return time.process_time() - began


def measure() -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        first = 0.0
        for many in SIZES:
            path = home / f"SPY_{many}.csv"
            writer = get_context("spawn").Process(target=write, args=(path, many))
            writer.start()
            writer.join()
            seconds, peak, trades = tested(path, home)
            first = first or peak
            yield (
                f"{many:,} bars, {trades:,} trades",
                f"{seconds:.1f} s of the processor, {many / seconds:,.0f} bars/s, {seconds / plain_loop(path):.0f} × "
                f"the plain loop; {peak:.0f} MiB, {peak - first:+.0f} over the first",
            )


def main() -> None:
    for name, value in measure():
        print(f"{name:<32} {value}", flush=True)


if __name__ == "__main__":
    main()
