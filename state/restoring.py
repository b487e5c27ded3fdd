"""Replace the state of an account: a restore from an archive, and a reset.

The end of a journal, valid or not: the facts that a reset or a restore needs about the replaced one (SP-04).
It is read backwards as far as lines are readable, without checking the chain. In doubt, a kill counts.

1. The account's lock is taken: nothing is restored while an engine runs.
2. The archive is unpacked into a staging folder and verified: its journal record by record, then the files that depend
   on it.
3. The operator is shown what will be lost, and agrees.
4. The current state is archived.
5. The restored journal records the restore, renames the installation, so that no new order has the id of a forgotten
   one (EX-04), keeps the security keys of the replaced one (OP-15), and stays killed if the account was.
6. The two are swapped (`state.folder_swap`).

The next start compares the result with the broker (EX-09).

The old state is archived first. Enrolled security keys and the terms of a touch persist. A kill persists: the switch's
file is not touched, and if the journal or its documents ended killed, the new one starts killed. The positions and
orders at the broker, real or simulated, are not touched: the next start compares with them (EX-09).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import orjson

from core.facts import (
    Fact,
    InstallationNamed,
    Killed,
    Rearmed,
    SettingsApplied,
    StateReset,
    StateRestored,
    TouchKeyEnrolled,
    TouchKeyRemoved,
    TouchKeysKept,
    TouchVerified,
)
from core.facts.registry import kind_of
from core.model.desk import renamed
from core.model.lazy_dataclass import dataclass
from core.model.touch import TouchTerms
from core.model.values import ZERO
from core.ports import JournalDamagedError, JournalWriteError, OperatorError, Recorded
from core.trading_state.touch_keys import TouchKeys
from state import folder_swap
from state.codec import RecordError, decode
from state.documents import newest_checkpoint
from state.files import AccountFolder, make_folder
from state.folder_swap import ArchiveError, Contents, backup, is_empty, unpack
from state.journal import BEGINNING, FileJournal
from state.journal_files import last_line, lines_backwards, opened, segments
from state.journal_inspection import verify
from state.running_engine import EngineLock
from state.simulated_logs import ExchangeLogError, lines_of

UNREADABLE = "a record that cannot be read"


@dataclass(frozen=True, slots=True)
class JournalEnd:
    """The last readable record, its time, and the state after it.

    Attributes
    ----------
    sequence, at, day, line
        The last record, and its segment's day; 0, None or empty without one.
    killed_by
        The source of a kill without a later re-arming.
    installation
        The installation name hashed into manual orders; None without a record of it.
    """

    sequence: int = 0
    at: datetime | None = None
    day: str = ""
    line: bytes = b""
    killed_by: str | None = None
    installation: str | None = None


def ending_of(folder: AccountFolder) -> JournalEnd:
    """Return the end of an account's journal; its documents are consulted about a kill too. Raises OSError."""
    day, line, last = _last_record(folder)
    turned = _newest(folder, Killed, Rearmed)
    named = _newest(folder, InstallationNamed)
    return JournalEnd(
        sequence=last.sequence if last else 0,
        at=last.at if last else None,
        day=day,
        line=line,
        killed_by=_killed_by(folder, turned),
        installation=named.fact.name if named and isinstance(named.fact, InstallationNamed) else None,
    )


def holds(folder: AccountFolder, ending: JournalEnd) -> bool:
    """Whether a journal has this record; then it has all earlier ones too, because their sums are chained."""
    return any(ending.line == line for path in _segments(folder) if path.stem == ending.day for line in _readable(path))


def _segments(folder: AccountFolder) -> list[Path]:
    """The newest first."""
    return segments(folder.journal)[::-1] if folder.journal.is_dir() else []


def _readable(path: Path) -> Iterator[bytes]:
    """The lines of a segment, the newest first; none of one that cannot be decompressed."""
    with suppress(JournalDamagedError):
        yield from lines_backwards(path)


def _last_record(folder: AccountFolder) -> tuple[str, bytes, Recorded | None]:
    for path in _segments(folder):
        for line in _readable(path):
            try:
                return path.stem, line, decode(line)
            except RecordError:
                continue
    return "", b"", None


def _newest(folder: AccountFolder, *kinds: type[Fact]) -> Recorded | None:
    """Return the newest record of these facts; an unreadable one counts as a kill if a kill was searched."""
    unreadable = Recorded(0, BEGINNING, Killed(UNREADABLE)) if Killed in kinds else None
    patterns = [b'"fact":"%b","v":' % name.encode() for kind in kinds for name in kind_of(kind).names]
    for path in _segments(folder):
        try:
            with opened(path) as file:
                content = file.read()
        except JournalDamagedError:
            return unreadable
        found = max(content.rfind(pattern) for pattern in patterns)
        if found < 0:
            continue
        line = content[content.rfind(b"\n", 0, found) + 1 :].partition(b"\n")[0]
        try:
            return decode(line)
        except RecordError:
            return unreadable
    return None


def _killed_by(folder: AccountFolder, turned: Recorded | None) -> str | None:
    """Return the source of a kill in the newest kill or re-arm record, or in documents newer than it."""
    if turned is not None and isinstance(turned.fact, Killed):
        return turned.fact.by
    checkpoint = newest_checkpoint(folder)
    if checkpoint is None or (turned is not None and turned.sequence > checkpoint.sequence):
        return None
    control = checkpoint.documents.get("control")
    by = control.get("killed_by") if isinstance(control, dict) else None
    return None if by is None else str(by)


OF_TOUCHES = (TouchKeyEnrolled, TouchKeyRemoved, TouchVerified, TouchKeysKept, SettingsApplied)


def touch_keys_of(folder: AccountFolder) -> TouchKeysKept | None:
    """Return the security keys of an account and the terms of a touch; None if no key was ever enrolled (OP-15)."""
    keys, terms = TouchKeys(), TouchTerms("never", ZERO)
    patterns = [b'"fact":"%b","v":' % name.encode() for kind in OF_TOUCHES for name in kind_of(kind).names]
    for path in reversed(_segments(folder)):
        with suppress(JournalDamagedError), opened(path) as file:
            for line in file:
                if not any(pattern in line for pattern in patterns):
                    continue
                with suppress(RecordError):
                    record = decode(line.rstrip(b"\n"))
                    keys.folds[type(record.fact)](record.at, record.fact)
                    if isinstance(record.fact, SettingsApplied):
                        confirm = record.fact.settings.confirm
                        terms = TouchTerms(confirm.touch, confirm.touch_above_usd)
    held = keys.state
    if not held.keys and not held.counters:
        return None
    return TouchKeysKept(held.keys, held.counters, held.kept_terms or terms)


UNCHANGED = "nothing was changed"
HALF_DONE = "it is half done, and nothing is lost: the next start finishes it"


class SuccessionError(OperatorError):
    """A restore or a reset that failed on a disk error; the message says whether anything was changed."""


def keep(folder: AccountFolder, there: JournalEnd, deed: str, when: datetime) -> Path:
    """Archive the current state among the account's archives, and return the path. Raises OSError."""
    make_folder(folder.archives)
    stamp = f"{when.astimezone(UTC):%Y%m%dT%H%M%S%fZ}"
    return backup(folder, folder.archives / f"keyturn-{folder.name}-{there.sequence}-before-{deed}-{stamp}.tar.gz")


def named_anew(first: str | None, folder: AccountFolder, there: JournalEnd, when: datetime) -> InstallationNamed:
    """Return an installation name with which no order was ever hashed (EX-04)."""
    known = first or there.installation or folder.name
    return InstallationNamed(renamed(known, there.line, when.isoformat().encode()))


def write(stage: AccountFolder, at: datetime, facts: Sequence[Fact]) -> None:
    """Add facts to the staged journal. Raises OSError, JournalError."""
    with closing(FileJournal(stage)) as journal:
        for fact in facts:
            journal.append(at, fact)


def put_in_place(folder: AccountFolder) -> None:
    """Replace the current state by the staged one. Raises `SuccessionError`."""
    try:
        folder_swap.carry_out(folder)
    except OSError as error:
        raise SuccessionError(f"{_named(folder, error)}; {_outcome(folder)}") from error


def not_begun(folder: AccountFolder, error: OSError | JournalWriteError) -> SuccessionError:
    """Return the error for a disk failure before anything was changed."""
    return SuccessionError(f"{_named(folder, error)}; {UNCHANGED}")


def _outcome(folder: AccountFolder) -> str:
    return HALF_DONE if folder_swap.is_half_done(folder) else UNCHANGED


def _named(folder: AccountFolder, error: OSError | JournalWriteError) -> str:
    return f"{error.filename or folder.path}: {error.strerror}" if isinstance(error, OSError) else str(error)


Watch = Callable[[float], None]
"""Called with the verified fraction of the archive's journal, from 0 to 1; verification takes the longest."""
ROOM = 1.1
"""Required free bytes for each unpacked byte."""


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """The effects of a restore, for the operator's agreement.

    Attributes
    ----------
    records, ends_at
        The archive's journal.
    present, lost
        The number of current records, and of those missing from the archive.
    killed_by
        The source of a kill, here or in the archive; it persists.
    has_exchange
        Whether the simulated exchange is restored too; otherwise the broker's state is unchanged.
    """

    account: str
    archive: str
    records: int
    ends_at: datetime
    present: int
    lost: int
    killed_by: str | None
    has_exchange: bool


@dataclass(frozen=True, slots=True)
class Restored:
    """A completed restore.

    Attributes
    ----------
    backup
        The archive of the old state; None if there was none.
    notes
        Descriptions of unfinished work that was completed on locking.
    """

    plan: RestorePlan
    backup: Path | None
    notes: tuple[str, ...]


def restore(
    folder: AccountFolder,
    archive: Path,
    contents: Contents,
    when: datetime,
    agree: Callable[[RestorePlan], bool],
    watch: Watch = lambda _part: None,
) -> Restored | None:
    """Restore an account from a checked archive; return None if the operator did not agree.

    Raises AlreadyRunningError: an engine holds the account.
    Raises ArchiveError: the archive cannot be trusted; nothing is changed.
    Raises SuccessionError: the disk fails.
    """
    is_new = not folder.path.exists()
    folder.prepare()
    try:
        with EngineLock(folder) as lock:
            return _Restore(folder, archive, when, watch).carried_out(contents, agree, lock.notes)
    finally:
        if is_new and is_empty(folder) and not os.path.lexists(folder.kill_switch):
            shutil.rmtree(folder.path)


class _Restore:
    def __init__(self, folder: AccountFolder, archive: Path, when: datetime, watch: Watch) -> None:
        self.watch = watch
        self.folder = folder
        self.archive = archive
        self.when = when

    def carried_out(
        self, contents: Contents, agree: Callable[[RestorePlan], bool], notes: tuple[str, ...]
    ) -> Restored | None:
        try:
            stage = self._staged(contents)
            there, comes = ending_of(self.folder), ending_of(stage)
            plan = self._plan(stage, there, comes)
            if not agree(plan):
                return None
            kept = None if is_empty(self.folder) else keep(self.folder, there, "restore", self.when)
            write(stage, plan.ends_at, self._facts(plan, stage, there, comes, kept))
            put_in_place(self.folder)
        except (OSError, JournalWriteError) as error:
            raise not_begun(self.folder, error) from error
        finally:
            folder_swap.drop(self.folder)
        return Restored(plan, kept, notes)

    def _staged(self, contents: Contents) -> AccountFolder:
        """Unpack and verify the archive in a staging folder. Raises `ArchiveError`."""
        free = shutil.disk_usage(self.folder.path).free
        if contents.size * ROOM > free:
            raise ArchiveError(
                f"{self.archive.name} unpacks to {contents.size:,} bytes and {free:,} are free; make room"
            )
        stage = folder_swap.begin(self.folder, f"the restore from {self.archive.name}")
        unpack(self.archive, contents, stage.path)
        if reason := _unsound(stage, self.watch):
            raise ArchiveError(f"{self.archive.name}: {reason}; take another backup")
        return stage

    def _plan(self, stage: AccountFolder, there: JournalEnd, comes: JournalEnd) -> RestorePlan:
        return RestorePlan(
            account=self.folder.name,
            archive=self.archive.name,
            records=comes.sequence,
            ends_at=comes.at or self.when,
            present=there.sequence,
            lost=self._lost(stage, there, comes),
            killed_by=there.killed_by or comes.killed_by,
            has_exchange=stage.exchange.exists(),
        )

    def _lost(self, stage: AccountFolder, there: JournalEnd, comes: JournalEnd) -> int:
        """Return the number of current records that are not in the archive's journal."""
        if holds(stage, there):
            return 0
        return there.sequence - (comes.sequence if holds(self.folder, comes) else 0)

    def _facts(
        self, plan: RestorePlan, stage: AccountFolder, there: JournalEnd, comes: JournalEnd, kept: Path | None
    ) -> list[Fact]:
        # The time until which records are lost. A restored exchange lost the same; a broker has every order until now.
        if plan.has_exchange:
            until = plan.ends_at
        else:
            last = max(plan.ends_at, there.at or plan.ends_at)
            until = last if self.folder.exchange.exists() else max(last, self.when)
        facts: list[Fact] = [
            StateRestored(self.when, plan.archive, plan.lost, until, kept.name if kept else None),
            named_anew(comes.installation, stage, there, self.when),
        ]
        if (touch := touch_keys_of(self.folder)) is not None:
            facts.append(touch)
        if there.killed_by is not None and comes.killed_by is None:
            facts.append(Killed(there.killed_by))
        return facts


def _unsound(stage: AccountFolder, watch: Watch) -> str | None:
    """Return why the unpacked files cannot be used, or None. Every record is decoded, not only verified."""
    size = sum(path.stat().st_size for path in segments(stage.journal))
    if not size:
        return "it holds no journal"
    read = 0

    def each(line: bytes) -> None:
        nonlocal read
        decode(line)
        read += len(line) + 1
        watch(min(1.0, read / size))  # a compressed segment is smaller than its records

    checkpoint = newest_checkpoint(stage)
    report = verify(stage, checkpoint.sequence if checkpoint else 0, each)
    if report.damage or report.torn:
        return f"its journal does not hold: {report.damage or report.torn}"
    if not stage.exchange.exists():
        return None
    try:
        for _ in lines_of(stage.exchange):
            pass
    except ExchangeLogError as error:
        return str(error).partition(";")[0]
    return None


@dataclass(frozen=True, slots=True)
class ResetPlan:
    """The effects of a reset, for the operator's agreement. A kill persists."""

    account: str
    present: int
    killed_by: str | None


@dataclass(frozen=True, slots=True)
class Reset:
    """A completed reset; `notes` describe unfinished work that was completed on locking."""

    plan: ResetPlan
    backup: Path
    notes: tuple[str, ...]


def reset(folder: AccountFolder, when: datetime, agree: Callable[[ResetPlan], bool]) -> Reset | None:
    """Start a new journal for an account; return None if the operator did not agree.

    Raises AlreadyRunningError: an engine holds the account.
    Raises OperatorError: there is nothing to reset, or the disk fails.
    """
    folder.prepare()
    with EngineLock(folder) as lock:
        if is_empty(folder):
            raise OperatorError(f"account {folder.name!r} has neither journal nor documents: there is nothing to reset")
        try:
            notes = lock.notes
            there = ending_of(folder)
            plan = ResetPlan(folder.name, there.sequence, there.killed_by)
            if not agree(plan):
                return None
            kept = keep(folder, there, "reset", when)
            stage = folder_swap.begin(folder, "the reset")
            at = when  # wall time; on a simulated exchange the time of its market
            if folder.exchange.exists():
                at = max((each for each in (there.at, _last_request(folder)) if each is not None), default=when)
            write(stage, at, _facts(folder, there, when, max(at, there.at or at), kept))
            put_in_place(folder)
            return Reset(plan, kept, notes)
        except (OSError, JournalWriteError) as error:
            raise not_begun(folder, error) from error
        finally:
            folder_swap.drop(folder)


def _last_request(folder: AccountFolder) -> datetime | None:
    """Return the time of the last request to the simulated exchange, if its log is readable."""
    try:
        return datetime.fromisoformat(orjson.loads(last_line(folder.exchange))["at"])
    except (KeyError, TypeError, ValueError):
        return None


def _facts(folder: AccountFolder, there: JournalEnd, when: datetime, until: datetime, kept: Path) -> list[Fact]:
    facts: list[Fact] = [
        StateReset(when, there.sequence, until, kept.name),
        named_anew(there.installation, folder, there, when),
    ]
    if (touch := touch_keys_of(folder)) is not None:
        facts.append(touch)
    if there.killed_by is not None:
        facts.append(Killed(there.killed_by))
    return facts


def begin_anew(folder: AccountFolder) -> None:
    """Remove journal, documents, backups, exchange log, heartbeat and kill switch, with the lock held. Raises OSError.

    Only for accounts without trading, such as the stress desk's: the journal of any other account is its record.
    """
    folders = (folder.journal, folder.backups, folder.stamps)
    kept = [path for place in folders for path in place.iterdir() if path.is_file()]
    logs = (folder.heads, folder.exchange, folder.runs)
    others = (folder.documents, folder.past_orders, folder.heartbeat, folder.kill_switch)
    for path in (*kept, *logs, *others):
        path.unlink(missing_ok=True)
