"""What was said before is not said again: words are held against those that were told, and nothing else follows from
them (SP-07).
"""

from __future__ import annotations

from typing import TypeVar

Words = TypeVar("Words", str, tuple[str, ...])


def is_news(now: Words, told: Words | None) -> bool:
    """Whether these are other words than those that were told last; None where none were."""
    return now != told


class SaidOnce:
    """Each trouble once, whoever has it, until its first teller has none any more."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def is_new(self, words: str, teller: str = "") -> bool:
        """Whether nobody told of it yet; from now on somebody has."""
        is_new = words not in self._told
        self._told.setdefault(words, teller)
        return is_new

    def forget(self, teller: str) -> None:
        self._told = {words: who for words, who in self._told.items() if who != teller}
