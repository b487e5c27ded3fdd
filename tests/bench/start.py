"""`make bench-start`: a journal of 1,000,000 facts, and how long a start takes with and without a checkpoint.

The facts are bars of four symbols, as nearly all facts of a real journal are, a segment a day. The checkpoint lies a
day's facts before the end, as it does after a crash; the strategies are shown what is folded after it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from heapq import merge
from itertools import islice
from pathlib import Path

from core.facts import BarClosed, EngineStarted, InstallationNamed, SettingsApplied
from core.market.calendar import ExchangeCalendar, load_calendar
from core.market.synthetic import synthetic_sessions
from core.model.account import Mode
from core.model.values import Symbol
from core.ports import Checkpoint
from core.settings.settings import Settings
from core.trading_state import checkpoint
from core.trading_state.state import TradingState
from state.documents import TinyDocuments
from state.files import AccountFolder
from state.journal import FileJournal
from tests.bench.house import FIRST, LAST

SYMBOLS = ("SPY", "QQQ", "IWM", "DIA")
TAIL = 1_560
"""Facts after the checkpoint: a session of four symbols."""


def main() -> None:
    many = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    calendar = load_calendar(FIRST, LAST)
    with tempfile.TemporaryDirectory() as place:
        folder = AccountFolder(Path(place) / "bench")
        folder.prepare()
        _, seconds = timed(lambda: write(folder, calendar, many))
        megabytes = sum(path.stat().st_size for path in folder.journal.iterdir()) / 1e6
        print(f"a journal of {many:,} facts: {megabytes:,.0f} MB, written in {seconds:.1f} s")
        alone, seconds = timed(lambda: started(folder, calendar, None))
        print(f"start from the journal alone           {seconds:6.2f} s")
        _, seconds = timed(lambda: started(folder, calendar, TinyDocuments(folder)))
        print(f"the same with a checkpoint             {seconds:6.2f} s   every line of the chain checked")
        _, seconds = timed(lambda: started_quickly(folder, calendar))
        print(f"as the program starts                  {seconds:6.2f} s   the chain from the checkpoint's segment on")
        live = checkpoint.states(alone)
        assert checkpoint.states(started_quickly(folder, calendar)) == live, "the two starts differ"
        print("both end in the same state")


def timed(act: Callable[[], TradingState]) -> tuple[TradingState, float]:
    began = time.perf_counter()
    return act(), time.perf_counter() - began


def write(folder: AccountFolder, calendar: ExchangeCalendar, many: int) -> TradingState:
    """The facts, and a checkpoint before the last of them."""
    settings = Settings.model_validate({"symbols": SYMBOLS})
    sessions = list(calendar.sessions())
    markets = [synthetic_sessions(number, Symbol(name), sessions) for number, name in enumerate(SYMBOLS)]
    bars = merge(*markets, key=lambda bar: bar.start)
    with closing(FileJournal(folder)) as journal:
        desk = TradingState("bench", Mode.PAPER, calendar, journal)
        desk.at = sessions[0].open
        for fact in (InstallationNamed("bench"), SettingsApplied(settings), EngineStarted()):
            desk.record(fact)
        for bar in islice(bars, many - 3 - TAIL):
            desk.at = bar.end
            desk.record(BarClosed(bar))
            list(desk.orchestrator.ask(bar))
        TinyDocuments(folder).save(checkpoint.CheckpointEncoder(desk).encode())
        for bar in islice(bars, TAIL):
            desk.at = bar.end
            desk.record(BarClosed(bar))
            list(desk.orchestrator.ask(bar))
    assert journal.sequence == many, f"the market has only {journal.sequence:,} facts"
    return desk


def started(folder: AccountFolder, calendar: ExchangeCalendar, documents: TinyDocuments | None) -> TradingState:
    """The whole chain is checked; without documents all of it is folded."""
    with closing(FileJournal(folder)) as journal:
        desk = TradingState("bench", Mode.PAPER, calendar, journal)
        checkpoint.rebuild(desk, documents)
    return desk


def started_quickly(folder: AccountFolder, calendar: ExchangeCalendar) -> TradingState:
    """As the program does: the chain is taken on trust up to the checkpoint's segment."""
    documents = TinyDocuments(folder)
    found = documents.load()
    known = found.sequence if isinstance(found, Checkpoint) else None
    with closing(FileJournal(folder, verified_until=known)) as journal:
        desk = TradingState("bench", Mode.PAPER, calendar, journal)
        assert checkpoint.rebuild(desk, documents) == ()
    return desk


if __name__ == "__main__":
    main()
