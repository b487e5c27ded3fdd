"""The broker's list of tradable assets, with a search by symbol and name.

It has about ten thousand rows, and is part of no view and no fact.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.model.symbols import capitals
from core.model.values import Symbol

MOST_FOUND = 12
"""Most matches in an answer."""
LONGEST_QUERY = 80
"""Characters of a query that are read."""
BEHIND_ALL = "\U0010ffff"
"""Sorts after every letter, to end a range of common prefixes."""


@dataclass(frozen=True, slots=True)
class ListedAsset:
    """An active share that the broker trades; `exchange` is empty if not reported."""

    symbol: Symbol
    name: str
    exchange: str
    is_shortable: bool
    is_fractionable: bool


@dataclass(frozen=True, slots=True)
class AssetsFound:
    """The answer to a search.

    Attributes
    ----------
    asked
        The search text, to tell it from the answer to an earlier one.
    is_listed
        Whether the broker's list is loaded; if False there are no matches.
    """

    asked: str
    is_listed: bool
    matches: tuple[ListedAsset, ...] = ()


class AssetList:
    """The asset list. Immutable, so any thread may use it."""

    def __init__(self, assets: Iterable[ListedAsset]) -> None:
        self._assets: Sequence[ListedAsset] = sorted(assets, key=lambda asset: asset.symbol)
        self._symbols = [asset.symbol for asset in self._assets]
        self._words = sorted({(word, place) for place, asset in enumerate(self._assets) for word in _words(asset.name)})

    def __len__(self) -> int:
        return len(self._assets)

    def __contains__(self, symbol: Symbol) -> bool:
        place = bisect_left(self._symbols, symbol)
        return place < len(self._symbols) and self._symbols[place] == symbol

    def find(self, text: str, most: int = MOST_FOUND) -> tuple[ListedAsset, ...]:
        """Return the exact symbol first, then symbols with this prefix, then names with words that begin with each
        typed word.

        Without a text, return the whole list if it is as short as one answer.
        """
        asked = text.strip()[:LONGEST_QUERY]
        if not asked:
            return tuple(self._assets) if len(self) <= most else ()
        by_symbol = self._beginning(capitals(asked))
        places = [*by_symbol, *sorted(self._named(_words(asked)) - {*by_symbol})]
        return tuple(self._assets[place] for place in places[:most])

    def _beginning(self, symbol: str) -> range:
        return range(bisect_left(self._symbols, symbol), bisect_left(self._symbols, symbol + BEHIND_ALL))

    def _named(self, words: Sequence[str]) -> set[int]:
        found = [self._with_word(word) for word in words]
        return set.intersection(*found) if found else set()

    def _with_word(self, word: str) -> set[int]:
        first, end = bisect_left(self._words, (word, 0)), bisect_left(self._words, (word + BEHIND_ALL, 0))
        return {place for _, place in self._words[first:end]}


def _words(text: str) -> list[str]:
    """Split into lower-case words without punctuation."""
    return "".join(letter if letter.isalnum() else " " for letter in text.casefold()).split()
