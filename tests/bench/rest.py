"""`make bench-rest`: what each process holds and spends at Alpaca's protocols, at rest and under 200,000 messages.

The exchange runs in a process of its own. At rest it tells a quote a second and a bar a minute, then many more.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.bench.desk import ESCAPE, Watched, opened
from tests.bench.engine_alone import memory, processor_seconds, waited
from tests.bench.paint import ROOT
from tests.bench.wire import AT_ONCE, an_exchange

SIZE = 120, 40
SETTLES, RESTS = 20.0, 60.0
MESSAGES, A_SECOND = 200_000, 1_000
AIMS = {"desk": 60, "engine": 100, "watchdog": 30}
"""MiB."""


@contextmanager
def at_alpaca(quotes: int) -> Iterator[Watched]:
    """A desk whose books agree, at the loopback exchange, which tells so many quotes a second."""
    with an_exchange("--quotes", str(quotes)) as told:
        os.environ.update({**told, **AT_ONCE})
        with opened([str(ROOT / ".venv" / "bin" / "keyturn")], SIZE) as desk:
            desk.until(lambda seen: b"ENTRIES ON" in seen, "the books agree", 60.0)
            desk.read_for(SETTLES / 2)
            desk.press(ESCAPE)  # the dialog that lets a first start try the kill chord: a desk draws while one is open
            desk.read_for(SETTLES / 2)
            try:
                yield desk
            finally:
                end_of(desk)


def end_of(desk: Watched) -> None:
    """Kill the watchdog and then its engine, which both outlive the desk, and wait until neither writes any more."""
    left = processes(desk)
    for role in ("watchdog", "engine"):
        with suppress(ProcessLookupError, KeyError):
            os.kill(left[role], signal.SIGKILL)
    waited(lambda: processes(desk).keys() <= {"desk"}, "the end of the engine", step=0.05)


def processes(desk: Watched) -> dict[str, int]:
    """The desk's process and those that it started, by what they are."""
    found = {"desk": desk.pid}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (process / "cmdline").read_bytes().decode().split("\0")
            if f"KEYTURN_HOME={desk.home}".encode() in (process / "environ").read_bytes():
                role = "watchdog" if "watch" in words else "engine"
                found |= {} if int(process.name) == desk.pid else {role: int(process.name)}
    return found


def spent_by(desk: Watched, seconds: float) -> Iterator[tuple[str, str]]:
    roles = processes(desk)
    before = {role: processor_seconds(pid) for role, pid in roles.items()}
    desk.read_for(seconds)
    for role, pid in roles.items():
        share = (processor_seconds(pid) - before[role]) / seconds
        yield f"the {role}", f"CPU {share:.2%} of a core (aim under 1 %), {memory(pid)} (aim {AIMS[role]} MiB)"


def measure() -> Iterator[tuple[str, str]]:
    with at_alpaca(quotes=1) as desk:
        yield from ((f"at rest: {name}", figures) for name, figures in spent_by(desk, RESTS))
    with at_alpaca(quotes=A_SECOND) as desk:
        for part in (1, 2):
            rows = spent_by(desk, MESSAGES / A_SECOND / 2)
            yield from ((f"after {part * MESSAGES // 2:,} messages: {name}", figures) for name, figures in rows)


def main() -> None:
    for name, value in measure():
        print(f"{name:<45} {value}", flush=True)


if __name__ == "__main__":
    main()
