"""The housekeeping of a running engine, and its watch of the settings file (RK-13)."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import field
from datetime import datetime
from pathlib import Path

from core.engine import Engine
from core.execution.stop_coverage import unprotected_in_words
from core.messages.command_ports import addressed
from core.messages.commands import Command, ExplainKill, Halt, Kill, OpenBasket, ProposeFlattening
from core.messages.desk_commands import (
    EarningsFileSeen,
    SettingsFault,
    SettingsFileSeen,
    SettingsSource,
    ThesesFileSeen,
)
from core.model.account import Account
from core.model.basket import BasketSource
from core.model.codes import HaltCause
from core.model.lazy_dataclass import dataclass
from core.model.session import NoSession
from core.model.values import AccountId, Symbol
from core.ports import JournalWriteError, OperatorError
from core.runtime.runtime import Runtime
from core.settings.changes import digest_of_agents
from core.settings.settings import Settings
from core.views.builders.desk import day_change, newest_data
from core.views.builders.entry_blocks import blocks_at
from core.workflows.staging.ticket_checks import signed_in_words
from state.basket_inbox import BasketInbox
from state.documents import CheckpointWriter
from state.files import AccountFolder
from state.home_files import WatchlistFiles, read_earnings, read_theses
from state.kill_switch import FileKillSwitch, HaltRequest, asks_to_flatten, reason_in
from state.proof.signing_key import DailySigning
from state.running_engine import SILENCE_STEP, Blocked, Status

EVERY_SECONDS = 1.0
"""Seconds between two checks: a file must be unchanged between two of them, or it is still being written."""

Mark = tuple[int, int, int] | None
"""The identity of a file's content without reading it; None without a file."""
Marks = tuple[Mark, ...]
"""The marks of the settings file, and of the other settings files beside it."""


@dataclass(slots=True)
class FileChanges:
    """Notices that one of these files changed and is written no more."""

    paths: tuple[Path, ...]
    _looked_at: float | None = None
    _last: Marks = ()
    _read: list[Marks] = field(default_factory=list)

    def look(self, at: float) -> Marks | None:
        """Return the marks at the first check and after each change; None if there is nothing to read.

        `at` is of a monotonic clock, seconds.
        """
        if self._looked_at is not None and at - self._looked_at < EVERY_SECONDS:
            return None
        is_first, self._looked_at = self._looked_at is None, at
        marks, before = tuple(map(_mark, self.paths)), self._last
        self._last = marks
        if (marks != before and not is_first) or self._read == [marks]:
            return None
        self._read = [marks]
        return marks


@dataclass(slots=True)
class FileWatch:
    """Reads one of the operator's files when it changed; a fault is named once, and what was read before stays.

    `read` raises `OperatorError`; without the file it returns what an empty one says.
    """

    path: Path
    read: Callable[[Path, Settings], Command]
    now: Callable[[], float] = time.monotonic
    fault: str = ""
    _changes: FileChanges = field(init=False)
    _was_there: bool = False

    def __post_init__(self) -> None:
        self._changes = FileChanges((self.path,))

    def look(self, settings: Settings) -> Command | None:
        """Return the content after each change of the file; nothing while there was never a file."""
        self.fault = ""
        marks = self._changes.look(self.now())
        self._was_there = self._was_there or marks not in (None, (None,))
        if marks is None or not self._was_there:
            return None
        try:
            return self.read(self.path, settings)
        except OperatorError as error:
            self.fault = f"{error}; fix it, what was read before stays"
            return None


def theses_seen(path: Path, settings: Settings) -> ThesesFileSeen:
    """Read the theses of the settings' strategies (AN-07). Raises `OperatorError`."""
    return ThesesFileSeen(read_theses(path, settings.strategies.names))


def earnings_seen(path: Path, _settings: Settings) -> EarningsFileSeen:
    """Read the dates of earnings (OT-02). Raises `OperatorError`."""
    return EarningsFileSeen(read_earnings(path))


@dataclass(slots=True)
class SettingsWatch:
    """The first check always reads the file: it may have changed since the engine got its settings.

    Parameters
    ----------
    load
        Returns the settings with the profile, environment and command line of the start. Raises OperatorError.
    now
        A monotonic clock, seconds.
    left_out
        The `--set` options of the last start that this one lacks, if nothing else differs; reported while the file is
        unchanged since the start.
    sources
        The sources above the file, now or at the last start.
    beside
        Further files that `load` reads, if they exist.
    """

    path: Path
    load: Callable[[], Settings]
    now: Callable[[], float] = time.monotonic
    left_out: tuple[str, ...] = ()
    sources: tuple[SettingsSource, ...] = ()
    beside: tuple[Path, ...] = ()
    _changes: FileChanges | None = None
    _was_there: bool = False

    def look(self) -> SettingsFileSeen | None:
        """Return the settings after each possible change of the file."""
        is_first = self._changes is None
        self._changes = self._changes or FileChanges((self.path, *self.beside))
        marks = self._changes.look(self.now())
        if marks is None:
            return None
        mark = marks[0]
        self._was_there = self._was_there or (is_first and mark is not None)
        if mark is None and self._was_there:
            return SettingsFileSeen(SettingsFault(f"{self.path.name} is missing"))
        try:
            return SettingsFileSeen(self.load(), self.left_out if is_first else (), self.sources)
        except OperatorError as error:
            return SettingsFileSeen(SettingsFault(str(error)))


def _mark(path: Path) -> Mark:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


COLLECT_SECONDS = 900.0
"""Seconds between two full collections while the market is closed."""
LEFT_TO_PYTHON = 100_000
"""Middle-generation collections before Python runs a full one: some 700 million objects, more than a session makes."""


class QuietCollections:
    """Runs full garbage collections only while the market is closed: one stops every thread for a tenth of a second.

    `now` is of a monotonic clock, seconds; `is_open` returns whether the market is open. What is loaded when this is
    made is never looked through again.
    """

    def __init__(self, now: float, is_open: Callable[[], bool]) -> None:
        self._done_at, self._is_open = now, is_open
        young, middle, _ = gc.get_threshold()
        gc.set_threshold(young, middle, LEFT_TO_PYTHON)
        gc.freeze()

    def look(self, now: float) -> None:
        """Collect if one is due."""
        if now - self._done_at >= COLLECT_SECONDS and not self._is_open():
            self._done_at = now
            gc.collect()


STATUS_SECONDS = 1.0
CHECKPOINT_SECONDS, LONGEST_SECONDS = 5.0, 60.0
AT_MOST = 100
"""Checkpoints take at most one part in so many of the engine's time."""


@dataclass(slots=True)
class Housekeeping:
    """Looks after an engine's files at every beat.

    `state` returns the engine's status word, `watch` follows the settings file, `lists` the watchlist files, `files`
    the operator's other files, and `signing` signs finished days.
    """

    folder: AccountFolder
    switch: FileKillSwitch
    checkpoints: CheckpointWriter
    beat: Callable[[Status], None]
    state: Callable[[Engine], str]
    watch: SettingsWatch | None = None
    lists: WatchlistFiles | None = None
    signing: DailySigning | None = None
    files: tuple[FileWatch, ...] = ()
    saved_at: float = field(default_factory=time.monotonic)

    plans: BasketInbox = field(init=False)
    halts: HaltRequest = field(init=False)
    has_asked: bool = field(init=False, default=False)
    began_at: datetime | None = field(init=False, default=None)
    _saved: int = field(init=False, default=-1)
    _pause: float = field(init=False, default=CHECKPOINT_SECONDS)
    _told: Status | None = field(init=False, default=None)
    _told_at: float = field(init=False, default=0.0)
    _refusal: str | None = field(init=False, default=None)
    _blocked: tuple[Blocked, ...] = field(init=False, default=())
    _known_by: tuple[int, str, int | None] = field(init=False, default=(-1, "", None))

    def __post_init__(self) -> None:
        self.plans = BasketInbox(self.folder)
        self.halts = HaltRequest(self.folder)

    def look(self, runtime: Runtime) -> None:
        self._look_at_the_switch(runtime)
        self._look_for_a_halt(runtime)
        if self.watch is not None and (seen := self.watch.look()) is not None:
            self._send(runtime, seen)
        self._look_at_the_lists(runtime)
        for file in self.files:
            if (found := file.look(runtime.engine.state.control.settings)) is not None:
                self._send(runtime, found)
            if file.fault:
                runtime.engine.say(file.fault)
        self._look_for_a_plan(runtime)
        if self.signing is not None and (fault := self.signing.look()) is not None:
            runtime.engine.say(fault)
        self._keep(runtime, lambda: self.beat(self._status(runtime)))
        if time.monotonic() - self.saved_at >= self._pause and not self.checkpoints.is_busy:
            self._save_what_is_new(runtime)

    def _save_what_is_new(self, runtime: Runtime) -> None:
        """Write a checkpoint where a fact was recorded since the last one: nothing else changes the slices."""
        sequence, self.saved_at = runtime.engine.state.journal.sequence, time.monotonic()

        def save() -> None:
            self._saved = -1
            self.checkpoints.begin()
            self._saved = sequence

        if sequence != self._saved or self.checkpoints.has_failed:
            self._keep(runtime, save)
            self._pause = min(max(CHECKPOINT_SECONDS, AT_MOST * (time.monotonic() - self.saved_at)), LONGEST_SECONDS)

    def _status(self, runtime: Runtime) -> Status:
        """Return the status, renewed after each record and every second; beats are more frequent."""
        engine, now = runtime.engine, time.monotonic()
        known_by = engine.state.journal.sequence, self.state(engine), self._data_silent_seconds(runtime)
        if self._told is None or known_by != self._known_by or now - self._told_at >= STATUS_SECONDS:
            refusal = engine.state.control.refusal()
            if self._told is None or refusal != self._refusal or now - self._told_at >= STATUS_SECONDS:
                self._refusal, self._told_at = refusal, now
                blocks = blocks_at(engine.state, runtime.clock())
                self._blocked = tuple(Blocked(block.cause.value, block.words, block.scope) for block in blocks)
            self._told = status_of(engine, self.folder.name, known_by[1], known_by[2], self._blocked)
            self._known_by = known_by
        return self._told

    @property
    def has_lists(self) -> bool:
        return self.lists is not None

    def keep_list(self, name: str, symbols: Sequence[Symbol]) -> str:
        return "" if self.lists is None else self.lists.write(name, symbols)

    def _look_at_the_lists(self, runtime: Runtime) -> None:
        if self.lists is None:
            return
        if (seen := self.lists.look()) is not None:
            self._send(runtime, seen)
        for fault in self.lists.faults:
            runtime.engine.say(fault)

    def close(self, runtime: Runtime) -> None:
        """Write the files of a clean stop."""
        if self.signing is not None:
            self.signing.close()
        self._keep(runtime, self.checkpoints.write)
        self._keep(runtime, lambda: self.beat(status_of(runtime.engine, self.folder.name, "stopped")))

    def _keep(self, runtime: Runtime, act: Callable[[], None]) -> None:
        """Run `act`. A disk error never ends the engine: a journal error halts it, any other is reported (SP-06)."""
        try:
            act()
        except JournalWriteError as error:
            runtime.lose_disk(str(error))
        except OSError as error:
            runtime.engine.say(
                f"{error.filename or self.folder.path} cannot be written: {error.strerror}; fix the disk, orders go on"
            )

    def _send(self, runtime: Runtime, command: Command) -> None:
        runtime.send(addressed(command, AccountId(self.folder.name)))

    def _look_at_the_switch(self, runtime: Runtime) -> None:
        """Kill if the file or the environment is set, by any process; a command may also ask for flattening (OP-08)."""
        port = self.switch.is_on()
        if port is None:
            return
        news = self.switch.news()
        if runtime.engine.state.control.killed_by is None:
            by = names_in(self.switch.set_by()) if port == "file" else port
            self._send(runtime, Kill(by or port))
        elif news:  # again, behind every command typed before it
            self._send(runtime, Kill(names_in(news) or port))
        if reason := reason_in(news):
            self._send(runtime, ExplainKill(reason))
        if asks_to_flatten(news):
            self._send(runtime, ProposeFlattening())
            self._send(runtime, OpenBasket(BasketSource.FLATTEN))

    def _look_for_a_halt(self, runtime: Runtime) -> None:
        """Halt if a request was left. The request stays until the halt or a kill is recorded (SY-02)."""
        by = self.halts.asked_by()
        if by is None:
            return
        control = runtime.engine.state.control
        if HaltCause.KEY not in control.halts and control.killed_by is None:
            if not self.has_asked:  # once: if the disk takes no record, the request stays
                self.has_asked = True
                self._send(runtime, Halt(by))
            return
        self._keep(runtime, self.halts.take)
        self.has_asked = False
        runtime.engine.say(f"halted by {by}")

    def _data_silent_seconds(self, runtime: Runtime) -> int | None:
        """Return the seconds since the last market data, the open, or the start, whichever is latest."""
        at, state = runtime.clock(), runtime.engine.state
        self.began_at = self.began_at or at
        session = state.calendar.session_at(at)
        if isinstance(session, NoSession):
            return None
        heard_at, _ = newest_data(state)
        since = max(self.began_at, session.open, heard_at or session.open)
        return max(0, int((at - since).total_seconds())) // SILENCE_STEP * SILENCE_STEP

    def _look_for_a_plan(self, runtime: Runtime) -> None:
        """Open a basket passed by a command; it waits on its screen for marks and a key (OP-05)."""
        found = self.plans.take()
        if isinstance(found, str):
            runtime.engine.say(found)
        elif found is not None:
            self._send(runtime, found)


def names_in(lines: Iterable[str]) -> str:
    """Return the first word of each line, without repetition."""
    return ", ".join(dict.fromkeys(line.split()[0] for line in lines if line.strip()))


def status_of(
    engine: Engine,
    account: str,
    state: str,
    data_silent_seconds: int | None = None,
    blocked: tuple[Blocked, ...] = (),
) -> Status:
    desk = engine.state
    unprotected = unprotected_in_words(desk.ledger)
    told = desk.sightings.account if isinstance(desk.sightings.account, Account) else None
    change = None if told is None else day_change(desk, told, told.at)
    return Status(
        state=state,
        pid=os.getpid(),
        mode=desk.mode.value,
        positions=len(desk.ledger.positions()),
        orders_working=sum(1 for _ in desk.ledger.working()),
        orders_sent=desk.ledger.state.orders_sent,
        proposals_waiting=len(desk.stage.state.proposals),
        journal_sequence=desk.journal.sequence,
        account=account,
        uncovered=tuple(words for _, words in unprotected),
        unattended=tuple(signed_in_words(desk)),
        uncovered_kinds=tuple(kind.value for kind, _ in unprotected),
        data_silent_seconds=data_silent_seconds,
        desks=tuple(there.seat.in_words for _, there in sorted(desk.desks.state.attached.items())),
        key="" if desk.desks.holder is None else desk.desks.holder.desk.seat.in_words,
        is_disk_lost=engine.disk_trouble is not None,
        equity=None if told is None else f"{told.equity:.2f}",
        equity_at=None if told is None else f"{told.at:%Y-%m-%dT%H:%M:%SZ}",
        day_change=None if change is None else f"{change:.2f}",
        agents=digest_of_agents(desk.control.settings),
        blocked=blocked,
        has_frictions=desk.sightings.has_frictions,
    )
