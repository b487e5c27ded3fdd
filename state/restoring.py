"""A restore: replace journal, documents and exchange log by those of an archive (SP-04).

1. The account's lock is taken: nothing is restored while an engine runs.
2. The archive is unpacked into a staging folder and verified: its journal record by record, then the files that depend
   on it.
3. The operator is shown what will be lost, and agrees.
4. The current state is archived.
5. The restored journal records the restore, renames the installation, so that no new order has the id of a forgotten
   one (EX-04), and stays killed if the account was.
6. The two are swapped (`state.folder_swap`).

The next start compares the result with the broker (EX-09).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from core.facts import Fact, Killed, StateRestored
from core.ports import JournalWriteError
from state import folder_swap
from state.archive import ArchiveError, Contents, unpack
from state.archive_swap import keep, named_anew, not_begun, put_in_place, write
from state.backups import is_empty
from state.codec import decode
from state.documents import newest_checkpoint
from state.exchange_log import ExchangeLogError, lines_of
from state.folders import AccountFolder
from state.journal_end import JournalEnd, ending_of, holds
from state.journal_segments import segments
from state.lock import EngineLock
from state.verify import verify

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

    Raises
    ------
    AlreadyRunningError
        An engine holds the account.
    ArchiveError
        The archive cannot be trusted; nothing is changed.
    SuccessionError
        The disk fails.
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
        """Return the facts that the restored journal records about its restore."""
        until = self._forgotten_until(plan, there)
        facts: list[Fact] = [
            StateRestored(self.when, plan.archive, plan.lost, until, kept.name if kept else None),
            named_anew(comes.installation, stage, there, self.when),
        ]
        if there.killed_by is not None and comes.killed_by is None:
            facts.append(Killed(there.killed_by))
        return facts

    def _forgotten_until(self, plan: RestorePlan, there: JournalEnd) -> datetime:
        """Return the time until which records are lost.

        A restored exchange lost the same; a broker has every order until now.
        """
        if plan.has_exchange:
            return plan.ends_at
        last = max(plan.ends_at, there.at or plan.ends_at)
        return last if self.folder.exchange.exists() else max(last, self.when)


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
    return _unsound_exchange(stage)


def _unsound_exchange(stage: AccountFolder) -> str | None:
    if not stage.exchange.exists():
        return None
    try:
        for _ in lines_of(stage.exchange):
            pass
    except ExchangeLogError as error:
        return str(error).partition(";")[0]
    return None
