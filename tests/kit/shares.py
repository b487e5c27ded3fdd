"""Runs the tests in one process per core. Each process collects and runs its own share of the files.

The seed draws the shares and the order in each. Every process reads and compiles only its own files, and no result
crosses a process before the end. Asserts run as they are written, which a clean clone compiles in a third of the time;
what is red runs once more by itself, with the values of each assert.

.venv/bin/python -m tests.kit.shares [--seed N] [PYTEST ARGUMENT ...]
"""

from __future__ import annotations

import argparse
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
AGAIN = re.compile(r"^again: make test ARGS=(.+)$")
OF_A_SHARE = re.compile(r"^-+ snapshot report|^(\d+ snapshots? \w+\. ?)+$|^Re-run pytest with --snapshot-update")
"""Lines that are not true of the whole: each process takes what the others use for unused."""
PYTEST = str(Path(sys.executable).with_name("pytest"))
"""Its name is that of the program under test, not of a module."""
NO_TESTS = 5
"""The exit code of pytest where a share has no test."""


@cache
def shares_of(tests: Path, seed: int, shares: int) -> Mapping[str, int]:
    """The share, from 0, of each file below `tests`: drawn by the seed, and of each folder about as much for all."""
    found: dict[str, int] = {}
    for folder in sorted(path for path in tests.iterdir() if path.is_dir()):
        files = sorted(folder.rglob("test_*.py"))
        Random(f"{seed}:{folder.name}").shuffle(files)
        sizes = [0] * shares
        for file in files:
            lightest = min(range(shares), key=lambda share: (sizes[share], (share + seed) % shares))
            sizes[lightest] += file.stat().st_size
            found[str(file.relative_to(tests))] = lightest
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=None)
    asked, words = parser.parse_known_args()
    seed = SystemRandom().randrange(1 << 32) if asked.seed is None else asked.seed
    cores, begun, counts, again = os.cpu_count() or 1, time.monotonic(), Counter[str](), list[str]()
    print(f"seed {seed}, {cores} processes", flush=True)
    runs = [_started(seed, number, cores, words) for number in range(cores)]
    readers = [threading.Thread(target=_read, args=(run.stdout, counts, again)) for run in runs]
    for reader in readers:
        reader.start()
    codes = [run.wait() for run in runs]
    for reader in readers:
        reader.join()
    cpu = counts.pop("cpu", 0)
    if again:
        print("the red cases once more, with the values of each assert", flush=True)
        subprocess.run([PYTEST, "-q", f"--randomly-seed={seed}", *again[:20]], check=False)
    told = ", ".join(f"{counts[what]} {what}" for what in ("failed", "error", "passed", "skipped") if counts[what])
    print(f"{told or 'no tests ran'} in {time.monotonic() - begun:.2f}s")
    print(f"seed {seed}, {cpu} CPU seconds")
    red = [code for code in codes if code not in (0, NO_TESTS)]
    return red[0] if red else 0 if 0 in codes else NO_TESTS


def _started(seed: int, number: int, cores: int, words: list[str]) -> subprocess.Popen[str]:
    of_its_share = (f"--randomly-seed={seed}", f"--share={number}/{cores}", "--snapshot-warn-unused", "--assert=plain")
    command = [PYTEST, *of_its_share, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")


def _read(lines: IO[str] | None, counts: Counter[str], again: list[str]) -> None:
    assert lines is not None
    for line in lines:
        if CLOSING.match(line):
            for many, what in COUNTS.findall(line):
                counts[what.removesuffix("s") if what == "errors" else what] += int(many)
        elif found := CPU.match(line):
            counts["cpu"] += int(found[1])
        elif found := AGAIN.match(line):
            again.append(shlex.split(*shlex.split(found[1]))[-1])
            print(line, end="", flush=True)
        elif not OF_A_SHARE.match(line):
            print(line, end="", flush=True)


if __name__ == "__main__":
    sys.exit(main())
