"""`make bench-rest`: what the desk holds and spends at Alpaca's protocols, at rest and under 200,000 stream messages.

The exchange runs in a process of its own. At rest it tells a quote a second and a bar a minute, then many more.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.desk import ESCAPE, Watched, looked_on, opened
from tests.bench.paint import ROOT
from tests.bench.wire import AT_ONCE, an_exchange

SIZE = 120, 40
SETTLES, RESTS = 20.0, 60.0
MESSAGES, A_SECOND = 200_000, 1_000


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
            yield desk


def measure() -> Iterator[tuple[str, str]]:
    with at_alpaca(quotes=1) as desk:
        fresh = desk.resident()
        spent = looked_on(desk, RESTS).cpu
        yield "memory, fresh", f"{fresh:.1f} MiB (aim under 130)"
        yield (
            f"at rest for {RESTS:.0f} s",
            f"CPU {spent:.1%} of a core (aim under 2 %), {desk.resident():.1f} MiB after it",
        )
    with at_alpaca(quotes=A_SECOND) as desk:
        for part in (1, 2):
            spent = looked_on(desk, MESSAGES / A_SECOND / 2).cpu
            told = f"{desk.resident():.1f} MiB, CPU {spent:.0%} of a core"
            yield f"after {part * MESSAGES // 2:,} messages, {A_SECOND:,} a second", told


def main() -> None:
    for name, value in measure():
        print(f"{name:<45} {value}", flush=True)


if __name__ == "__main__":
    main()
