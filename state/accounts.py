"""Which account a command means, and the options with which it last ran.

Of variables only the names are kept, never the values.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import orjson

from core.files.regular_file import bytes_of
from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError
from state.files import AccountFolder, Home, JournalFolder, replace_file
from state.running_engine import last_account

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


LARGEST = 100_000
"""The maximum size of the file in bytes."""


class Chosen(str):
    """An override, KEY=VALUE in TOML, from a separate option: an error names that option, not `--set`."""

    option: str

    def __new__(cls, text: str, option: str = "--set") -> Self:
        made = super().__new__(cls, text)
        made.option = option
        return made


@dataclass(frozen=True, slots=True)
class LastStart:
    """The `--set` options of a start, and the names of its settings variables."""

    overrides: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()

    def left_out(self, overrides: Sequence[str]) -> tuple[str, ...]:
        """Return its `--set` options that are missing from these."""
        keys = {_key(override) for override in overrides}
        return tuple(text for text in self.overrides if _key(text) not in keys)


def last_started_with(folder: AccountFolder) -> LastStart:
    """Return the last start; empty if unreadable, because nothing depends on it."""
    try:
        found = orjson.loads(bytes_of(folder.started_with, LARGEST))
    except (OSError, orjson.JSONDecodeError):
        return LastStart()
    if isinstance(found, list):  # the format before variables were kept
        return LastStart(_texts(found))
    if not isinstance(found, dict):
        return LastStart()
    return LastStart(_texts(found.get("set")), _texts(found.get("variables")))


def remember(folder: AccountFolder, started: LastStart) -> None:
    """Store the options of a start. Raises OSError."""
    kept = {"set": [str(text) for text in started.overrides], "variables": list(started.variables)}
    replace_file(folder.started_with, orjson.dumps(kept), durable=False)


def _texts(found: object) -> tuple[str, ...]:
    return tuple(text for text in found if isinstance(text, str)) if isinstance(found, list) else ()


def _key(override: str) -> str:
    return override.partition("=")[0].strip()
