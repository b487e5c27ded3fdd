"""A reset: the account's state is cleared, and its new journal begins with a record of that (SP-04).

The old state is archived first. A kill persists: the switch's file is not touched, and if the journal or its documents
ended killed, the new one starts killed. The positions and orders at the broker, real or simulated, are not touched: the
next start compares with them (EX-09).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson

from core.facts import Fact, Killed, StateReset
from core.ports import JournalWriteError, OperatorError
from state import folder_swap
from state.archive_swap import keep, named_anew, not_begun, put_in_place, write
from state.backups import is_empty
from state.folders import AccountFolder
from state.journal_end import JournalEnd, ending_of
from state.journal_segments import last_line
from state.lock import EngineLock


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

    Raises
    ------
    AlreadyRunningError
        An engine holds the account.
    OperatorError
        There is nothing to reset, or the disk fails.
    """
    folder.prepare()
    with EngineLock(folder) as lock:
        if is_empty(folder):
            raise OperatorError(f"account {folder.name!r} has neither journal nor documents: there is nothing to reset")
        try:
            return _carried_out(folder, when, agree, lock.notes)
        except (OSError, JournalWriteError) as error:
            raise not_begun(folder, error) from error
        finally:
            folder_swap.drop(folder)


def _carried_out(
    folder: AccountFolder, when: datetime, agree: Callable[[ResetPlan], bool], notes: tuple[str, ...]
) -> Reset | None:
    there = ending_of(folder)
    plan = ResetPlan(folder.name, there.sequence, there.killed_by)
    if not agree(plan):
        return None
    kept = keep(folder, there, "reset", when)
    stage = folder_swap.begin(folder, "the reset")
    at = _account_time(folder, there, when)
    write(stage, at, _facts(folder, there, when, max(at, there.at or at), kept))
    put_in_place(folder)
    return Reset(plan, kept, notes)


def _account_time(folder: AccountFolder, there: JournalEnd, when: datetime) -> datetime:
    """Return the account's time: wall time, or on a simulated exchange the time of its market."""
    if not folder.exchange.exists():
        return when
    return max((at for at in (there.at, _last_request(folder)) if at is not None), default=when)


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
