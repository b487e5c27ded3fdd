"""What an account was last started with: a start without it can say just that, and guess nothing.

Of variables the names alone are kept; what the environment holds stays there.
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
"""Bytes of the file."""


class Chosen(str):
    """An override, KEY=VALUE in TOML, that an option of its own gave: an error names that option, not `--set`."""

    option: str

    def __new__(cls, text: str, option: str = "--set") -> Self:
        made = super().__new__(cls, text)
        made.option = option
        return made


@dataclass(frozen=True, slots=True)
class LastStart:
    """The `--set` of a start, and the variables of its environment that are settings."""

    overrides: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()

    def left_out(self, overrides: Sequence[str]) -> tuple[str, ...]:
        """Those `--set` of it that are not among these."""
        keys = {_key(override) for override in overrides}
        return tuple(text for text in self.overrides if _key(text) not in keys)


def last_started_with(folder: AccountFolder) -> LastStart:
    """Nothing where the file cannot be read: nothing rests on it."""
    try:
        found = orjson.loads(bytes_of(folder.started_with, LARGEST))
    except (OSError, orjson.JSONDecodeError):
        return LastStart()
    if isinstance(found, list):  # as it was written before variables were kept
        return LastStart(_texts(found))
    if not isinstance(found, dict):
        return LastStart()
    return LastStart(_texts(found.get("set")), _texts(found.get("variables")))


def remember(folder: AccountFolder, started: LastStart) -> None:
    """Raises OSError."""
    kept = {"set": [str(text) for text in started.overrides], "variables": list(started.variables)}
    replace_file(folder.started_with, orjson.dumps(kept), durable=False)


def _texts(found: object) -> tuple[str, ...]:
    return tuple(text for text in found if isinstance(text, str)) if isinstance(found, list) else ()


def _key(override: str) -> str:
    return override.partition("=")[0].strip()
