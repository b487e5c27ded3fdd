"""Which names an agent may have: none that could be read as the desk's own, a strategy's or a person's (OP-09).

A name stands beside orders, drafts and texts. `manual` there would say that the operator typed an order.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from difflib import SequenceMatcher

AGENT_NAME = re.compile(r"[a-z][a-z0-9_-]{0,23}")
OF_THE_DESK = frozenset(
    {"broker", "desk", "engine", "house", "keyturn", "manual", "operator", "system", "watchman", "you"}
)
"""Words for the desk, its parts and the person at it."""
ALIKE = 0.82
"""Similarity of two names, 0 to 1, from which one could be read as the other."""
_LETTERS = str.maketrans({"0": "o", "1": "i", "l": "i", "3": "e", "4": "a", "5": "s", "7": "t"})
"""Characters that look like another letter."""
_PAIRS = (("vv", "w"), ("rn", "m"))
"""Two letters that look like one."""


def refusal_of_name(name: str, strategies: Collection[str] = ()) -> str:
    """Return why an agent may not have this name, and what to do; empty if it may."""
    if not AGENT_NAME.fullmatch(name):
        return f"{name!r} is no name for an agent: small letters, digits, - and _, at most 24"
    theirs = OF_THE_DESK.union(strategies)
    taken = next((own for own in sorted(theirs) if _looks_like(name, own)), None)
    if taken is None:
        return ""
    whose = "the name of a strategy" if taken in strategies else "a word of the desk itself"
    how = f"is {whose}" if name == taken else f"looks like {taken!r}, {whose}"
    return f"an agent cannot be called {name!r}: it {how}; choose another, as claude"


def _looks_like(name: str, own: str) -> bool:
    """Compare without separators and digits at the end, and with look-alike characters as the same letter."""
    if own in re.split(r"[-_]", name):
        return True
    return any(_is_near(each, other) for each in _read_as(name) for other in _read_as(own))


def _is_near(name: str, own: str) -> bool:
    return SequenceMatcher(None, name, own, autojunk=False).ratio() >= ALIKE


def _read_as(name: str) -> Iterator[str]:
    plain = re.sub(r"[-_]", "", name)
    for text in (plain.rstrip("0123456789"), plain):
        shown = text.translate(_LETTERS)
        for pair, letter in _PAIRS:
            shown = shown.replace(pair, letter)
        yield shown
