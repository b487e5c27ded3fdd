"""What `--set` an account was last started with: a start without them can say just that, and guess nothing."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from core.regular_file import bytes_of
from state.files import replace_file
from state.folders import AccountFolder

LARGEST = 100_000
"""Bytes of the file."""


def left_out(folder: AccountFolder, overrides: Sequence[str]) -> tuple[str, ...]:
    """Those of last time that are not among these; none where the file cannot be read: nothing rests on it."""
    try:
        found = orjson.loads(bytes_of(folder.started_with, LARGEST))
    except (OSError, orjson.JSONDecodeError):
        return ()
    if not isinstance(found, list):
        return ()
    keys = {_key(override) for override in overrides}
    return tuple(text for text in found if isinstance(text, str) and _key(text) not in keys)


def remember(folder: AccountFolder, overrides: Sequence[str]) -> None:
    """Raises OSError."""
    replace_file(folder.started_with, orjson.dumps([str(override) for override in overrides]), durable=False)


def _key(override: str) -> str:
    return override.partition("=")[0].strip()
