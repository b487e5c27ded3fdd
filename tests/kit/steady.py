"""`make steady N=20`: a tier again and again in random order, with a busy loop on each core; each run must be green.

`DISK=1` adds a process that writes and syncs: a disk under load delays other things than a processor does.

One row for each run: its seed, wall and CPU seconds, and the closing line of the runner. `.steady/` keeps the rows, for
each load and state of the code, and the output of a red run. A broken-off command goes on where it was: what was run
with other code is no evidence for this code. The exit code is 1 where a run was red or the load ended.
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
from tempfile import TemporaryFile

from tests.soak.chunks import digest_of_the_code

FOLDER = Path(__file__).parents[2] / ".steady"
GREEN = "green"
CLOSING = re.compile(r"^.*\d+ (?:passed|failed|error).*$", re.M)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tier", choices=["test", "test-real"])
    parser.add_argument("times", type=int)
    parser.add_argument("--disk", action="store_true")
    asked = parser.parse_args()
    kept = FOLDER / f"{asked.tier}{'-disk' if asked.disk else ''}-{digest_of_the_code()}.txt"
    rows = [line for line in kept.read_text().splitlines() if line] if kept.exists() else []
    print("".join(f"{row}\n" for row in rows), end="", flush=True)
    FOLDER.mkdir(exist_ok=True)
    with busy_machine(asked.disk) as load, kept.open("a") as file:
        while len(rows) < asked.times:
            rows.append(_row_of_a_run(asked.tier, len(rows) + 1))
            if not all(process.is_alive() for process in load):
                sys.exit(f"the load has ended, this row is not kept: {rows[-1]}\nfree memory and disk, and run again")
            print(rows[-1], flush=True)
            print(rows[-1], file=file, flush=True)
    green = sum(row.endswith(GREEN) for row in rows)
    print(f"{asked.tier}: {green} of {len(rows)} green")
    return int(green < len(rows))


@contextmanager
def busy_machine(with_disk: bool) -> Iterator[list[multiprocessing.Process]]:
    work = [_spin] * (os.cpu_count() or 1) + [_write] * with_disk
    loops = [multiprocessing.Process(target=each, args=(os.getpid(),), daemon=True) for each in work]
    for loop in loops:
        loop.start()
    try:
        yield loops
    finally:
        for loop in loops:
            loop.kill()
            loop.join()


def _spin(parent: int) -> None:
    while os.getppid() == parent:
        for _ in range(2**20):
            pass


def _write(parent: int) -> None:
    piece = os.urandom(2**16)
    with TemporaryFile(dir=FOLDER) as file:
        while os.getppid() == parent:
            file.seek(0)
            for _ in range(2**6):
                file.write(piece)
                file.flush()
                os.fsync(file.fileno())


def _row_of_a_run(tier: str, number: int) -> str:
    seed = SystemRandom().randrange(1 << 32)
    begun, before = time.monotonic(), _cpu_seconds()
    run = subprocess.run(
        ["make", "--no-print-directory", tier, f"SEED={seed}"],
        capture_output=True,
        text=True,
        check=False,
    )
    closing = (CLOSING.findall(run.stdout) or ["no closing line"])[-1].strip("= ")
    wall, cpu = time.monotonic() - begun, _cpu_seconds() - before
    log = FOLDER / f"{tier}-{seed}.log"
    if run.returncode:
        log.write_text(run.stdout + run.stderr)
    outcome = f"red: {log.relative_to(FOLDER.parent)}" if run.returncode else GREEN
    return f"{number:>3}  seed {seed:<10}  {wall:5.0f} s  {cpu:5.0f} CPU s  {closing}  {outcome}"


def _cpu_seconds() -> float:
    """Of the processes that have ended; the busy loops have not."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
