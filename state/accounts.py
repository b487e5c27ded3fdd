"""Find the account of a command: the named one, the running one, or the one that ran last."""

from __future__ import annotations

from pathlib import Path

from core.ports import OperatorError
from state.folders import AccountFolder, Home, JournalFolder
from state.lock import last_account

NO_ACCOUNT = "nothing ran here yet; `keyturn demo` begins"


def account_of(home: Home, name: str | None) -> AccountFolder:
    """Return the named account; for None the running one, or the one that ran last. Raises `OperatorError`."""
    found = home.account(name) if name else last_account(home)
    if found is None or not found.path.is_dir():
        there = ", ".join(folder.name for folder in home.accounts())
        known = f"there are {there}; name one of them with --account" if there else NO_ACCOUNT
        raise OperatorError(f"no account {name!r}; {known}" if name else known)
    return found


def whole_account(home: Home, name: str | None) -> AccountFolder:
    """Return an account without an unfinished restore or reset (SP-04). Raises `OperatorError`."""
    from state.folder_swap import refuse_half_done

    folder = account_of(home, name)
    refuse_half_done(folder)
    return folder


def journal_of(home: Home, name: str | None, folder: Path | None) -> AccountFolder:
    """Return an account's journal, or a named folder of segments. Raises `OperatorError`."""
    if folder is None:
        return whole_account(home, name)
    if not folder.is_dir():
        raise OperatorError(f"{folder} is no folder; name one that holds a journal")
    return JournalFolder(folder)
