"""Suppress repeated messages: compare text with the last reported one, and do nothing else (SP-07)."""

from __future__ import annotations

from typing import TypeVar

Words = TypeVar("Words", str, tuple[str, ...])


def is_news(now: Words, told: Words | None) -> bool:
    """Return whether the text differs from the last one; None if there was none."""
    return now != told


class SaidOnce:
    """Report each problem once, until its first reporter clears it."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def is_new(self, words: str, teller: str = "") -> bool:
        """Return whether the text is new, and record it."""
        is_new = words not in self._told
        self._told.setdefault(words, teller)
        return is_new

    def forget(self, teller: str) -> None:
        self._told = {words: who for words, who in self._told.items() if who != teller}
