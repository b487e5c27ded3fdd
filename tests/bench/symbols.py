"""A view of many symbols, and a checkpoint after a minute's bars of them. The baseline is the first row of the run.

The symbols are traded ones, of the settings, or those of a watchlist. A view is measured while nothing moves, while the
quotes of five move between two views, and after a bar of each traded one.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from itertools import islice

from core.engine import Engine
from core.market.calendar import load_calendar
from core.market.synthetic import synthetic_sessions
from core.messages.inputs import BarArrived
from core.model.account import Mode
from core.model.bar import Feed, Quote
from core.model.values import Price, Quantity, Symbol
from core.settings.settings import Settings
from core.trading_state import checkpoint
from core.views.builders.desk import ViewBuilder
from state.journal import MemoryJournal

MANY = (1, 30, 200)
MINUTES, VIEWS, MOVED = 40, 40, 5
WEEK = date(2025, 1, 6), date(2025, 1, 10)


@dataclass
class Cost:
    """Milliseconds of the processor."""

    still: list[float] = field(default_factory=list)
    quotes: list[float] = field(default_factory=list)
    bars: list[float] = field(default_factory=list)
    checkpoints: list[float] = field(default_factory=list)


def milliseconds(act: Callable[[], object]) -> float:
    began = time.process_time()
    act()
    return (time.process_time() - began) * 1000


def cost_of(many: int, *, traded: bool) -> Cost:
    calendar, cost = load_calendar(*WEEK), Cost()
    names = [Symbol(f"{chr(65 + n // 26)}{chr(65 + n % 26)}X") for n in range(many)]
    engine = Engine("bench", Mode.PAPER, calendar, MemoryJournal())
    shown = names if traded else names[:1]
    bars = list(islice(synthetic_sessions(7, names[0], calendar.sessions()), MINUTES))
    engine.apply(bars[0].start, Settings.model_validate({"symbols": shown}), "bench")
    engine.state.watchlists.state.lists["many"] = tuple(names)
    encoder, views = checkpoint.CheckpointEncoder(engine.state), ViewBuilder(engine)
    gc.collect()
    gc.freeze()
    for bar in bars:
        for name in shown:
            engine.handle(bar.end, BarArrived(replace(bar, symbol=name), "bench"))
        cost.checkpoints.append(milliseconds(encoder.encode))
        cost.bars.append(milliseconds(lambda: views.draw(engine.state.at)))
    for view in range(VIEWS):
        cost.still.append(milliseconds(lambda: views.draw(engine.state.at)))
        for name in names[:MOVED]:
            bid, ask = (Price(Decimal(cents + view) / 100) for cents in (18_680, 18_682))
            size = Quantity(Decimal(100))
            engine.state.sightings.quotes[name] = Quote(name, engine.state.at, bid, size, ask, size, Feed.IEX)
        cost.quotes.append(milliseconds(lambda: views.draw(engine.state.at)))
    return cost


def measure(many: tuple[int, ...] = MANY) -> list[tuple[str, str]]:
    told = []
    for kind, traded in (("traded", True), ("watched", False)):
        costs = [cost_of(n, traded=traded) for n in many]
        for title, of in (
            ("a view, nothing moved (aim under 4 ms)", lambda cost: cost.still),
            (f"a view, {MOVED} quotes moved", lambda cost: cost.quotes),
            ("a view after a bar of each", lambda cost: cost.bars),
            ("a checkpoint after a bar of each", lambda cost: cost.checkpoints),
        ):  # type: ignore[misc]
            first = statistics.median(of(costs[0]))
            for n, cost in zip(many, costs, strict=True):
                median = statistics.median(of(cost))
                told.append((f"{title}, {n} {kind}", f"{median:.2f}, {median / first:.2f} of the first"))
    return told


if __name__ == "__main__":
    for name, value in measure(tuple(map(int, sys.argv[1:])) or MANY):
        print(f"{name:<60} {value}", flush=True)
