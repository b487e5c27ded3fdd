"""A word that is typed in full before a key: the symbol on a live account (OP-04), TWIN of a second entry (RK-25)."""

from __future__ import annotations

from collections.abc import Iterable

from core.model.symbols import capitals

TOLD_FROM = 2
"""Letters of a word in another case from which that is no chance: one may be a key."""


class TypedWord:
    """What was typed of it so far. Case counts; a wrong letter starts anew, also behind the whole word."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.typed = ""
        self._in_any_case = ""

    @property
    def stands(self) -> bool:
        return self.typed == self.word

    @property
    def is_in_another_case(self) -> bool:
        """Whether two letters of it or more were typed, and not as it is written: who typed them is to be told."""
        return len(self._in_any_case) >= TOLD_FROM and len(self._in_any_case) > len(self.typed)

    def hear(self, key: str | None) -> None:
        """A key by its character; None is a click or a paste, after which nothing of it stands."""
        self._in_any_case = begun(self._in_any_case + capitals(key or " "), [capitals(self.word)])
        if key is not None and not self.stands and self.word.startswith(self.typed + key):
            self.typed += key
        else:
            self.typed = key if key is not None and self.word.startswith(key) else ""

    def forget(self) -> None:
        self.typed = self._in_any_case = ""


def in_capitals(word: str) -> str:
    """What is said to a hand that types it small."""
    return f"in capitals: {word}"


def begun(typed: str, words: Iterable[str]) -> str:
    """The longest end of what was typed with which a word begins: after a slip the next letter may be its first."""
    ends = (typed[start:] for start in range(len(typed)))
    return next((end for end in ends if any(word.startswith(end) for word in words)), "")
