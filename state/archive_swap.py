"""The common steps of a restore and a reset: archive the old state, and record the origin of the new one (SP-04)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from core.facts import Fact, InstallationNamed
from core.model.desk import renamed
from core.ports import JournalWriteError, OperatorError
from state import folder_swap
from state.backups import backup
from state.files import make_folder
from state.folders import AccountFolder
from state.journal import FileJournal
from state.journal_end import JournalEnd

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
