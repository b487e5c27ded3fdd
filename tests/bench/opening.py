"""The opening minute: the first bar of each symbol in a session, with a strategy on each; beside the tenth minute.

Seconds of the processor, of the engine alone. The cost should grow with the symbols, and no faster.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date
from itertools import islice
from math import log

from core.engine import Engine
from core.market.calendar import load_calendar
from core.market.synthetic import synthetic_sessions
from core.messages.inputs import BarArrived
from core.model.account import Mode
from core.model.values import Symbol
from core.settings.settings import Settings
from state.journal import MemoryJournal

FIRST, LAST = date(2025, 1, 6), date(2025, 1, 10)
SIZES = (50, 250, 500, 1000)
LATER = 9
"""Minutes after the first."""


def minutes_of(many: int) -> tuple[float, float]:
    """Milliseconds of the first minute, and of the tenth."""
    calendar = load_calendar(FIRST, LAST)
    names = [Symbol(f"{chr(65 + n // 676)}{chr(65 + n // 26 % 26)}{chr(65 + n % 26)}") for n in range(many)]
    bars = list(islice(synthetic_sessions(7, names[0], calendar.sessions()), LATER + 1))
    engine = Engine("bench", Mode.PAPER, calendar, MemoryJournal())
    settings = Settings.model_validate({"symbols": names, "strategies": {"vwap": {"enabled": True}}})
    engine.apply(bars[0].start, settings, "bench")
    taken = []
    for bar in bars:
        began = time.process_time()
        for name in names:
            engine.handle(bar.end, BarArrived(replace(bar, symbol=name), "bench"))
        taken.append((time.process_time() - began) * 1000)
    return taken[0], taken[LATER]


def measure() -> list[tuple[str, str]]:
    found = {many: minutes_of(many) for many in SIZES}
    rows = [
        (f"{many} symbols: opening minute, beside the tenth", f"{first:.0f} ms, {later:.0f} ms")
        for many, (first, later) in found.items()
    ]
    growth = log(found[SIZES[-1]][0] / found[SIZES[0]][0]) / log(SIZES[-1] / SIZES[0])
    return [*rows, ("exponent of the opening minute's growth", f"{growth:.2f}")]


if __name__ == "__main__":
    for name, value in measure():
        print(f"  {name:<55} {value}", flush=True)
