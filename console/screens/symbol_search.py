"""Search for a symbol in the broker's list: an input line, the matches and the chosen one.

The engine has the list and answers asynchronously. An answer to an earlier input is not shown.
"""

from __future__ import annotations

from collections.abc import Sequence

from console.screens.brokers_list import AGAIN
from console.screens.dialog_host import DialogHost
from core.model.reference_data import AssetsFound, ListedAsset
from core.model.values import Symbol
from widgets.lines import Cell, TextLine

NO_LIST = "The broker's list is not here yet; type a whole symbol"
NOTHING = "Nothing that the broker trades has that symbol or name"
NAME_WIDTH = 44


class SymbolSearch:
    """The search of one dialog."""

    def __init__(self, behind: DialogHost) -> None:
        self.behind = behind
        self.text = ""
        self.at = 0
        self._asked: tuple[str, float] | None = None

    def ask(self, text: str) -> None:
        """Set the input; the request is repeated until its answer arrives, and while there is no list."""
        if text != self.text:
            self.text, self.at = text, 0
        found = self._found()
        if (found is None or not found.is_listed) and self._is_due(text):
            self.behind.handle.search(text)

    def _is_due(self, text: str) -> bool:
        """Return whether to ask: at once for new text, then at intervals."""
        before, now = self._asked, self.behind.now()
        is_due = before is None or before[0] != text or now - before[1] >= AGAIN
        if is_due:
            self._asked = text, now
        return is_due

    @property
    def lacks_it(self) -> bool:
        """Whether the broker's list is loaded and has no match."""
        found = self._found()
        return bool(self.text.strip()) and found is not None and found.is_listed and not found.matches

    @property
    def is_unchecked(self) -> bool:
        """Whether there is no list to search."""
        found = self._found()
        return found is None or not found.is_listed

    def move(self, by: int) -> None:
        """Move the choice in the matches."""
        many = len(self.matches())
        self.at = (self.at + by) % many if many else 0

    def matches(self) -> Sequence[ListedAsset]:
        found = self._found()
        return () if found is None else found.matches

    def symbol(self) -> Symbol:
        """Return the chosen symbol, or the input if nothing matches."""
        matches = self.matches()
        return matches[self.at].symbol if matches and self.text.strip() else Symbol(self.text.strip())

    def lines(self) -> list[TextLine]:
        """Return the matches, or why there are none."""
        found = self._found()
        if found is None or (not self.text.strip() and not found.matches):
            return []
        if not found.is_listed:
            return [(Cell(NO_LIST, "muted"),)]
        if not found.matches:
            return [(Cell(NOTHING, "muted"),)]
        return [self._line(place, match) for place, match in enumerate(found.matches)]

    def _line(self, place: int, match: ListedAsset) -> TextLine:
        is_chosen = place == self.at and bool(self.text.strip())
        return (
            Cell("▸ " if is_chosen else "  "),
            Cell(f"{match.symbol:<8} ", "strong" if is_chosen else ""),
            Cell(f"{match.name[:NAME_WIDTH]:<{NAME_WIDTH}} "),
            Cell(match.exchange, "muted"),
        )

    def _found(self) -> AssetsFound | None:
        """Return the answer to the current input."""
        found = self.behind.handle.found
        return found if found is not None and found.asked == self.text else None
