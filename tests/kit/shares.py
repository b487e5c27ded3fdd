"""Runs the tests in one process per core. Each process collects and runs its own share of the files.

The seed draws the shares and the order in each; costs.json has the seconds of the dear files, so that all shares take
about as long. Every process reads and compiles only its own files, and no result crosses a process before the end.
Asserts run as they are written, which a clean clone compiles in a third of the time;
what is red runs once more by itself, with the values of each assert.

.venv/bin/python -m tests.kit.shares [--seed N] [--measure] [PYTEST ARGUMENT ...]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from random import Random, SystemRandom
from typing import IO

COUNTS = re.compile(r"(\d+) (passed|failed|errors?|skipped|xfailed)\b")
CLOSING = re.compile(r"^(?:=+ )?(?:\d+ \w+(?:, )?)+ in [\d.]+s.*$")
CPU = re.compile(r"^seed \d+, (\d+) CPU seconds$")
COST = re.compile(r"^cost (\S+) ([\d.]+)$")
AGAIN = re.compile(r"^again: make test ARGS=(.+)$")
OF_A_SHARE = re.compile(r"^-+ snapshot report|^(\d+ snapshots? \w+\. ?)+$")
"""Lines that are not true of the whole."""
PYTEST = str(Path(sys.executable).with_name("pytest"))
"""Its name is that of the program under test, not of a module."""
NO_TESTS = 5
"""The exit code of pytest where a share has no test."""
OTHER_TIERS = ("bench", "package", "real", "soak", "static")
COSTS = Path(__file__).with_name("costs.json")
DEAR = 1.0
"""Seconds from which a file has its own cost in `COSTS`."""
OF_A_BYTE = 6e-5
"""Seconds for each byte of every other file, as measured over all of them."""


@cache
def shares_of(tests: Path, seed: int, shares: int) -> Mapping[str, int]:
    """The share, from 0, of each file below `tests`: drawn by the seed, the dear files first."""
    known: dict[str, float] = json.loads(COSTS.read_text())
    files = (file for file in tests.rglob("test_*.py") if file.relative_to(tests).parts[0] not in OTHER_TIERS)
    names = sorted(str(file.relative_to(tests)) for file in files)
    costs = {name: known.get(name, (tests / name).stat().st_size * OF_A_BYTE) for name in names}
    Random(seed).shuffle(names)
    found, sums = dict[str, int](), [0.0] * shares
    for name in sorted(names, key=lambda name: -int(costs[name])):
        found[name] = min(range(shares), key=lambda share: (sums[share], (share + seed) % shares))
        sums[found[name]] += costs[name]
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--measure", action="store_true", help="write costs.json again")
    asked, words = parser.parse_known_args()
    seed = SystemRandom().randrange(1 << 32) if asked.seed is None else asked.seed
    cores, begun, counts, again = os.cpu_count() or 1, time.monotonic(), Counter[str](), list[str]()
    print(f"seed {seed}, {cores} processes", flush=True)
    runs = [_started(seed, number, cores, words) for number in range(cores)]
    costs = dict[str, float]()
    readers = [threading.Thread(target=_read, args=(run.stdout, counts, again, costs)) for run in runs]
    for reader in readers:
        reader.start()
    codes = [run.wait() for run in runs]
    for reader in readers:
        reader.join()
    cpu = counts.pop("cpu", 0)
    if again:
        print(f"all in the same order, on {cores} cores: make test SEED={seed}")
        print("the red cases once more, with the values of each assert", flush=True)
        subprocess.run([PYTEST, "-q", f"--randomly-seed={seed}", *again[:20]], check=False)
    told = ", ".join(f"{counts[what]} {what}" for what in ("failed", "error", "passed", "skipped") if counts[what])
    print(f"{told or 'no tests ran'} in {time.monotonic() - begun:.2f}s")
    print(f"seed {seed}, {cpu} CPU seconds")
    if asked.measure:
        dear = {name: round(cost, 1) for name, cost in sorted(costs.items()) if cost >= DEAR}
        COSTS.write_text(json.dumps(dear, indent=0) + "\n")
    for number, code in enumerate(codes):
        if code not in (0, 1, NO_TESTS):
            print(f"share {number} ended with exit code {code}, again: make test SEED={seed}")
    red = [code for code in codes if code not in (0, NO_TESTS)]
    return red[0] if red else 0 if 0 in codes else NO_TESTS


def _started(seed: int, number: int, cores: int, words: list[str]) -> subprocess.Popen[str]:
    of_its_share = (f"--randomly-seed={seed}", f"--share={number}/{cores}", "--assert=plain", "--color=no")
    command = [PYTEST, *of_its_share, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")


def _read(lines: IO[str] | None, counts: Counter[str], again: list[str], costs: dict[str, float]) -> None:
    assert lines is not None
    for line in lines:
        if CLOSING.match(line):
            for many, what in COUNTS.findall(line):
                counts[what.removesuffix("s") if what == "errors" else what] += int(many)
        elif found := CPU.match(line):
            counts["cpu"] += int(found[1])
        elif found := COST.match(line):
            costs[found[1]] = float(found[2])
        elif found := AGAIN.match(line):
            again.append(shlex.split(*shlex.split(found[1]))[-1])
            print(line, end="", flush=True)
        elif not OF_A_SHARE.match(line):
            print(line, end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
