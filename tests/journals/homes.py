"""Kept homes: whole homes of released formats, unpacked for a test, and what the journal of each folds to.

A home is one archive in `kept/`; beside it stands, in JSON, what its journal folded to when it was made, at the end of
each program that wrote it. The statement is in the operator's words: positions, trades, locks, counts.
"""

from __future__ import annotations

import json
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from core.execution.past_orders import PastInMemory
from core.facts import EngineStarted, TradeClosed
from core.facts.registry import BY_TYPE
from core.market.calendar import load_calendar
from core.model.account import Mode
from core.ports import Recorded
from core.runtime import demo
from core.strategies.builtin import StrategyKinds
from core.trading_state import checkpoint
from core.trading_state.state import TradingState
from state.files import AccountFolder, Home
from state.journal import BEGINNING, read
from state.journal_files import segments
from state.user_strategies import kinds_in

KEPT = Path(__file__).with_name("kept")
ACCOUNT = "demo-17"
CALENDAR = load_calendar(demo.FIRST_DAY, demo.LAST_DAY)
OF_THE_START = {"after", "at", "starts", "reconciled", "read only"}
"""What another start changes of a statement."""
LEFT_OUT = ("heartbeat", "lock", "__pycache__", "backups", "archives")
"""Of a home: what says something of the machine and the process that made it, and copies."""


def kept() -> tuple[str, ...]:
    """The names of all kept homes, oldest first."""
    return tuple(sorted(path.name.removesuffix(".tar.xz") for path in KEPT.glob("*.tar.xz")))


def unpacked(name: str, into: Path) -> Home:
    """A kept home, ready to be opened."""
    with tarfile.open(KEPT / f"{name}.tar.xz") as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # since Python 3.11.4
        archive.extractall(into)
    for place in (into / "home", *(into / "home").rglob("*")):
        place.chmod(0o700 if place.is_dir() else 0o600)
    return Home.of({"KEYTURN_HOME": str(into / "home")})


def stated(name: str) -> list[dict[str, Any]]:
    """What the journal of a kept home folds to at each of its stations, as it was when it was made."""
    found: list[dict[str, Any]] = json.loads((KEPT / f"{name}.json").read_text())
    return found


def account_of(home: Home) -> AccountFolder:
    return home.account(ACCOUNT)


class Reading:
    """A journal's folder, for a desk that only folds it."""

    def __init__(self, folder: AccountFolder, until: int | None = None) -> None:
        self._folder = folder.journal
        self.past = PastInMemory()
        self._until = until
        self.sequence, self.last_at = 0, BEGINNING
        for record in self.records():
            self.sequence, self.last_at = record.sequence, record.at

    def records(self, after: int = 0) -> Iterator[Recorded]:
        for record in read(self._folder, after):
            if self._until is not None and record.sequence > self._until:
                return
            yield record

    def ends_at(self, sequence: int) -> None:
        """Show no record after this one."""
        self._until = self.sequence = sequence

    def names(self) -> list[str]:
        """What each record calls its fact."""
        lines = (line for path in segments(self._folder) for line in path.read_bytes().splitlines())
        return [orjson.loads(line)["fact"] for line in islice(lines, self.sequence)]


def kinds_of_facts() -> tuple[type, ...]:
    return tuple(BY_TYPE)


def kinds_of_home(home: Home) -> StrategyKinds:
    """The strategies of a home, on a machine that may be slow."""
    return kinds_in(home.settings.parent / "strategies", waits=600.0)


def folded(
    home: Home, until: int | None = None, documents: Any = None, kinds: StrategyKinds | None = None
) -> TradingState:
    """A desk out of the journal of a home, up to a record; out of its documents first where they are given."""
    journal = Reading(account_of(home), until)
    kinds = kinds or kinds_of_home(home)
    desk = TradingState(ACCOUNT, Mode.PAPER, CALENDAR, journal, kinds)  # type: ignore[arg-type]
    checkpoint.rebuild(desk, documents)
    return desk


def folded_in_steps(home: Home, steps: Sequence[int]) -> Iterator[TradingState]:
    """One desk out of the journal of a home, as it stands at each of these records."""
    journal = Reading(account_of(home))
    kinds = kinds_of_home(home)
    desk = TradingState(ACCOUNT, Mode.PAPER, CALENDAR, journal, kinds)  # type: ignore[arg-type]
    desk.orchestrator.begin_rebuild(journal.last_at)
    for recorded in list(journal.records()):
        desk.fold(recorded.at, recorded.fact)
        if recorded.sequence in steps:
            desk.at = recorded.at
            journal.ends_at(recorded.sequence)
            yield desk


def told(notes: Iterable[str]) -> list[str]:
    """What a start says, beside that it reads the journal anew instead of an older program's documents."""
    return [note for note in notes if "of an older Keyturn (version" not in note]


def statement(desk: TradingState) -> dict[str, Any]:
    """What a desk's books say, in plain values."""
    records = list(desk.journal.records())
    at, ledger, control = records[-1].at, desk.ledger, desk.control.state
    day = desk.calendar.trading_day(at)
    trades = [record.fact.trade for record in records if isinstance(record.fact, TradeClosed)]
    settings = control.settings
    return {
        "after": records[-1].sequence,
        "at": at.isoformat(),
        "positions": sorted(
            [p.symbol, p.strategy, str(p.quantity), str(p.average_price), p.opened_at.isoformat()]
            for p in ledger.positions()
        ),
        "working": sorted(
            [
                *(order.request.symbol, order.strategy, order.request.side.value, order.request.type.value),
                *(str(order.request.quantity), str(order.filled_quantity), order.status.value),
                *(str(order.request.limit_price), str(order.request.stop_price)),
            ]
            for order in ledger.working()
        ),
        "trades": [
            [
                *(trade.symbol, trade.strategy, str(trade.quantity), trade.exit_reason.value),
                *(trade.entry_time.isoformat(), str(trade.entry_price)),
                *(trade.exit_time.isoformat(), str(trade.exit_price), str(trade.profit), str(trade.fees)),
            ]
            for trade in trades
        ],
        "locks": sorted(
            [answer.name, str(answer.scope), "" if answer.until is None else answer.until.isoformat()]
            for answer in desk.protections.answers(at)
            if answer.is_tripped
        ),
        "halts": sorted(cause.value for cause in control.halts),
        "killed by": control.killed_by,
        "naked": control.naked_at is not None,
        "reconciled": control.is_reconciled,
        "refused symbols": sorted(s for s, refusal in control.refused_symbols.items() if refusal.day == day),
        "paused": sorted(key for key, runner in desk.orchestrator.state.runners.items() if runner.paused_at),
        "proposals": sorted([p.symbol, p.strategy, str(p.order.quantity)] for p in desk.stage.proposals()),
        "tickets": len(desk.stage.state.tickets),
        "entries today": {name: ledger.entries_filled(name, day) for name in settings.strategies.names},
        "opening equity": str(desk.opening.opening_equity(day)),
        "result today": str(ledger.result_of(day, dict(desk.orchestrator.state.marks))),
        "starts": control.starts,
        "orders sent": ledger.state.orders_sent,
        "updates ignored": ledger.state.updates_ignored,
        "entries a day": settings.risk.entries_a_day,
        "symbols": list(settings.symbols),
    }


def stated_of(desk: TradingState) -> dict[str, Any]:
    """The same, and how many records its journal has of each name."""
    return {**statement(desk), "facts": dict(sorted(Counter(desk.journal.names()).items()))}  # type: ignore[attr-defined]


def stations(home: Home) -> list[int]:
    """The records at which a program had ended: before each start, and the last."""
    records = list(read(account_of(home).journal))
    starts = [record.sequence - 1 for record in records if isinstance(record.fact, EngineStarted)]
    return [*(sequence for sequence in starts if sequence > 10), records[-1].sequence]  # the first start ends nothing


def keep(home: Path, name: str) -> str:
    """Pack a home into the corpus, and write down what its journal folds to; returns how large it is."""
    KEPT.mkdir(exist_ok=True)
    path = KEPT / f"{name}.tar.xz"
    with tarfile.open(path, "w:xz", preset=9) as archive:
        for file in sorted(home.rglob("*")):
            if not set(file.parts) & set(LEFT_OUT):
                archive.add(file, f"home/{file.relative_to(home)}", recursive=False, filter=_of_nobody)
    here = Home.of({"KEYTURN_HOME": str(home)})
    found = [stated_of(folded(here, until)) for until in stations(here)]
    (KEPT / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    return f"{path.name}: {path.stat().st_size:,} bytes"


def _of_nobody(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = 0
    return entry


def files_of(name: str) -> Iterator[tuple[str, bytes]]:
    """Every file of a kept home, by name."""
    with tarfile.open(KEPT / f"{name}.tar.xz") as archive:
        for entry in archive:
            if entry.isfile() and (file := archive.extractfile(entry)) is not None:
                yield entry.name, file.read()
