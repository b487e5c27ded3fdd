"""Collect the unknown facts and settings keys of a journal written by another release."""

from __future__ import annotations

from collections import Counter

from core.facts import SettingsApplied
from state.codec import RecordError, decode


class Unread:
    """Pass every record in order; `words` has one line per finding, with its first place."""

    def __init__(self) -> None:
        self._looked_at = 0
        self._first: dict[str, int] = {}
        self._counts: Counter[str] = Counter()

    def look(self, line: bytes) -> None:
        self._looked_at += 1
        try:
            fact = decode(line).fact
        except RecordError as error:
            self._note(str(error))
            return
        if isinstance(fact, SettingsApplied):
            for word in fact.settings.odd.words:
                self._note(word)

    def _note(self, words: str) -> None:
        self._first.setdefault(words, self._looked_at)
        self._counts[words] += 1

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(f"record {self._first[each]}{_more(count)}: {each}" for each, count in self._counts.items())


def _more(count: int) -> str:
    return f", and {count - 1} more" if count > 1 else ""
