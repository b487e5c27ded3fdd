"""`make steady N=20`: a tier again and again in random order, with a busy loop on each core; each run must be green.

One row for each run: its seed, wall and CPU seconds, and the closing line of the runner. A red run keeps its output in
`.steady/`. The exit code is 1 where a run was red.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import SystemRandom

FOLDER = Path(__file__).parents[2] / ".steady"
CLOSING = re.compile(r"^.*\d+ (?:passed|failed|error).*$", re.M)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tier", choices=["test", "test-real"])
    parser.add_argument("times", type=int)
    asked = parser.parse_args()
    with busy_cores():
        red = sum(not _is_green(asked.tier, number + 1) for number in range(asked.times))
    print(f"{asked.tier}: {asked.times - red} of {asked.times} green")
    return int(red > 0)


@contextmanager
def busy_cores() -> Iterator[None]:
    loops = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(os.cpu_count() or 1)]
    for loop in loops:
        loop.start()
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.join()


def _spin() -> None:
    while True:
        pass


def _is_green(tier: str, number: int) -> bool:
    seed = SystemRandom().randrange(1 << 32)
    begun, before = time.monotonic(), _cpu_seconds()
    run = subprocess.run(
        ["make", "--no-print-directory", tier, f"ARGS=--randomly-seed={seed}"],
        capture_output=True,
        text=True,
        check=False,
    )
    closing = (CLOSING.findall(run.stdout) or ["no closing line"])[-1].strip("= ")
    wall, cpu = time.monotonic() - begun, _cpu_seconds() - before
    print(f"{number:>3}  seed {seed:<10}  {wall:5.0f} s  {cpu:5.0f} CPU s  {closing}", flush=True)
    if run.returncode:
        FOLDER.mkdir(exist_ok=True)
        log = FOLDER / f"{tier}-{seed}.log"
        log.write_text(run.stdout + run.stderr)
        print(f"     red: {log.relative_to(FOLDER.parent)}", flush=True)
    return run.returncode == 0


def _cpu_seconds() -> float:
    """Of the processes that have ended; the busy loops have not."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
