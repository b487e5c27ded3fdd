"""The search for a symbol in the broker's list: a line to type, what is found for it, and which of that is chosen.

The engine has the list and answers; nothing here waits for it. An answer to what was typed before is not shown.
"""

from __future__ import annotations

from collections.abc import Sequence

from console.screens.brokers_list import AGAIN
from console.screens.dialog_host import DialogHost
from core.model.listed_asset import AssetsFound, ListedAsset
from core.model.values import Symbol
from widgets.lines import Cell, TextLine

NO_LIST = "The broker's list is not here yet; type a whole symbol"
NOTHING = "Nothing that the broker trades has that symbol or name"
NAME_WIDTH = 44


class SymbolSearch:
    """One dialog's."""

    def __init__(self, behind: DialogHost) -> None:
        self.behind = behind
        self.text = ""
        self.at = 0
        self._asked: tuple[str, float] | None = None

    def ask(self, text: str) -> None:
        """What is typed now; asked again at each picture until its answer is there, and while there is no list."""
        if text != self.text:
            self.text, self.at = text, 0
        found = self._found()
        if text.strip() and (found is None or not found.is_listed) and self._is_due(text):
            self.behind.handle.search(text)

    def _is_due(self, text: str) -> bool:
        """At once for another text, and then again from time to time."""
        before, now = self._asked, self.behind.now()
        is_due = before is None or before[0] != text or now - before[1] >= AGAIN
        if is_due:
            self._asked = text, now
        return is_due

    @property
    def lacks_it(self) -> bool:
        """Whether the broker's list is there and has nothing for what is typed."""
        found = self._found()
        return found is not None and found.is_listed and not found.matches

    @property
    def is_unchecked(self) -> bool:
        """Whether no list is there to look in."""
        found = self._found()
        return found is None or not found.is_listed

    def move(self, by: int) -> None:
        """Down or up in what is found."""
        many = len(self.matches())
        self.at = (self.at + by) % many if many else 0

    def matches(self) -> Sequence[ListedAsset]:
        found = self._found()
        return () if found is None else found.matches

    def symbol(self) -> Symbol:
        """The one that is chosen; where nothing is found, what is typed."""
        matches = self.matches()
        return matches[self.at].symbol if matches else Symbol(self.text.strip())

    def lines(self) -> list[TextLine]:
        """What is found, and why nothing is."""
        found = self._found()
        if not self.text.strip() or found is None:
            return []
        if not found.is_listed:
            return [(Cell(NO_LIST, "muted"),)]
        if not found.matches:
            return [(Cell(NOTHING, "muted"),)]
        return [self._line(place, match) for place, match in enumerate(found.matches)]

    def _line(self, place: int, match: ListedAsset) -> TextLine:
        is_chosen = place == self.at
        return (
            Cell("▸ " if is_chosen else "  "),
            Cell(f"{match.symbol:<8} ", "strong" if is_chosen else ""),
            Cell(f"{match.name[:NAME_WIDTH]:<{NAME_WIDTH}} "),
            Cell(match.exchange, "muted"),
        )

    def _found(self) -> AssetsFound | None:
        """The answer to what is typed."""
        found = self.behind.handle.found
        return found if found is not None and found.asked == self.text else None
