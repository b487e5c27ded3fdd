"""Helpers for event lines: the table's rows, a list of reasons."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import UnionType
from typing import Any, get_args

CAPITAL = re.compile("(?<!^)([A-Z])")
EventTexts = dict[type, tuple[str, Callable[[Any], str]]]
"""By fact: the word of the log's first column, and the function that renders it."""


def told(kind: str, in_words: Callable[[Any], str], subject: UnionType | type) -> EventTexts:
    """Return one row for each fact of a subject, which is a fact or a union of them."""
    return dict.fromkeys(get_args(subject) or (subject,), (kind, in_words))


def listed(items: tuple[str, ...], lead: str) -> str:
    return lead + "; ".join(items) if items else ""


def command_in_words(command: str) -> str:
    """Return a command's name as text: `RequestCancel` becomes `request cancel`."""
    return CAPITAL.sub(r" \1", command).lower()
