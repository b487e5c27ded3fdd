"""A day with many orders: a checkpoint and a view after each further order, and the first ones after a start.

An order comes every 7.8 seconds, so that 3,000 make a day. A beat is the facts of one order, a checkpoint of them and a
view of them, which no beat of a running engine does all at once. The baseline is the first row of the same run.
"""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import count

from core.engine import Engine
from core.facts import DayStarted, PositionChanged, TradeClosed
from core.market.calendar import load_calendar
from core.model.account import Mode
from core.model.values import NO_SHARES, Money
from core.trading_state import checkpoint
from core.trading_state.state import TradingState
from core.views.builders.desk import ViewBuilder
from state.documents import TinyDocuments
from state.journal import FileJournal
from tests.bench.bounded import YEARS, account_folder, engine_at_the_open, life

MANY = (100, 1_000, 3_000)
BEATS = 100
APART = timedelta(seconds=7.8)
REST = range(200)


@dataclass(frozen=True)
class Cost:
    """Milliseconds, and kilobytes; `beats` are those of the last hundred orders."""

    checkpoints: list[float]
    views: list[float]
    beats: list[float]
    first_checkpoint: float
    first_view: float
    ahead: float
    kilobytes: float


def milliseconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def orders_of(state: TradingState) -> Iterator[int]:
    """Fold one order after the other, half of them sales that close a trade."""
    for number in count():
        state.at += APART
        facts, _ = life(number, state.at)
        for fact in facts:
            state.fold(state.at, fact)
        if isinstance(facts[-1], PositionChanged) and facts[-1].quantity == NO_SHARES:
            state.fold(state.at, TradeClosed(state.ledger.state.trades[-1]))
        yield number


def cost_of(many: int) -> Cost:
    calendar = load_calendar(*YEARS)
    with account_folder() as folder:
        documents = TinyDocuments(folder)
        with engine_at_the_open(folder, calendar) as engine:
            state = engine.state
            state.fold(state.at, DayStarted(calendar.trading_day(state.at), Money(Decimal(100_000))))
            orders, encoder, views = orders_of(state), checkpoint.CheckpointEncoder(state), ViewBuilder(engine)
            while next(orders) < many - BEATS - 1:
                pass
            encoder.encode()
            views.draw(state.at)
            gc.collect()
            gc.freeze()
            rows = [
                (milliseconds(lambda: next(orders)), milliseconds(encoder.encode), milliseconds(draw_of(views, state)))
                for _ in range(BEATS)
            ]
            documents.save(encoder.encode())
        known = documents.load().sequence
        with closing(FileJournal(folder, verified_until=known)) as journal:
            engine = Engine("bench", Mode.PAPER, calendar, journal)
            encoder = checkpoint.CheckpointEncoder(engine.state)
            assert checkpoint.rebuild(engine.state, TinyDocuments(folder), encoder) == ()
            engine.state.at = state.at
            first = milliseconds(encoder.encode)
            views = ViewBuilder(engine)
            ahead = max(milliseconds(lambda: views.draw_ahead(engine.state.at)) for _ in REST)
            return Cost(
                [encoding for _, encoding, _ in rows],
                [drawing for _, _, drawing in rows],
                [sum(row) for row in rows],
                first,
                milliseconds(draw_of(views, engine.state)),
                ahead,
                folder.documents.stat().st_size / 1000,
            )


def draw_of(views: ViewBuilder, state: TradingState) -> Callable[[], object]:
    return lambda: views.draw(state.at)


def measure(many: tuple[int, ...] = MANY) -> list[tuple[str, str]]:
    costs = [cost_of(n) for n in many]
    told = []
    for title, of in (
        ("a checkpoint, median (aim under 5 ms)", lambda cost: statistics.median(cost.checkpoints)),
        ("a checkpoint, longest", lambda cost: max(cost.checkpoints)),
        ("a view, median (aim under 4 ms)", lambda cost: statistics.median(cost.views)),
        ("a view, longest", lambda cost: max(cost.views)),
        ("a beat, longest (aim under 50 ms)", lambda cost: max(cost.beats)),
        ("the first checkpoint after a start", lambda cost: cost.first_checkpoint),
        ("a beat that builds rows ahead, longest", lambda cost: cost.ahead),
        ("the first view of a desk", lambda cost: cost.first_view),
        ("the documents, kB (aim under 3,000)", lambda cost: cost.kilobytes),
    ):  # type: ignore[misc]
        for n, cost in zip(many, costs, strict=True):
            told.append((f"{title}, {n:,} orders", f"{of(cost):,.2f}, {of(cost) / of(costs[0]):.2f} of the first"))
    return told


if __name__ == "__main__":
    for name, value in measure(tuple(map(int, sys.argv[1:])) or MANY):
        print(f"{name:<60} {value}", flush=True)
