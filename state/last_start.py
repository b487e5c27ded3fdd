"""The options of an account's last start, so that a start without them can name them.

Of variables only the names are kept, never the values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import orjson

from core.files.regular_file import bytes_of
from state.files import replace_file
from state.folders import AccountFolder

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
