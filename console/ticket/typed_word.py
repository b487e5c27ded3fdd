"""A word typed in full before a key: the symbol on a live account (OP-04), TWIN for a second entry (RK-25)."""

from __future__ import annotations

from collections.abc import Iterable

from core.model.symbols import capitals

TOLD_FROM = 2
"""Letters in the wrong case from which that is deliberate; a single one may be a key."""


class TypedWord:
    """The letters typed so far. Case matters; a wrong letter starts over, even after the complete word."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.typed = ""
        self._in_any_case = ""

    @property
    def stands(self) -> bool:
        return self.typed == self.word

    @property
    def is_in_another_case(self) -> bool:
        """Whether at least two letters were typed in the wrong case, so that a hint is due."""
        return len(self._in_any_case) >= TOLD_FROM and len(self._in_any_case) > len(self.typed)

    def hear(self, key: str | None) -> None:
        """Handle a key by its character; None is a click or a paste, which discards the letters."""
        self._in_any_case = begun(self._in_any_case + capitals(key or " "), [capitals(self.word)])
        if key is not None and not self.stands and self.word.startswith(self.typed + key):
            self.typed += key
        else:
            self.typed = key if key is not None and self.word.startswith(key) else ""

    def forget(self) -> None:
        self.typed = self._in_any_case = ""


def in_capitals(word: str) -> str:
    """Return the hint for a word typed in lower case."""
    return f"in capitals: {word}"


def begun(typed: str, words: Iterable[str]) -> str:
    """Return the longest end of `typed` that starts a word: after a slip the next letter may be the first one."""
    ends = (typed[start:] for start in range(len(typed)))
    return next((end for end in ends if any(word.startswith(end) for word in words)), "")
