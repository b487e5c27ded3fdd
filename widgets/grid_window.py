"""The rows of a grid, its selection and the visible range. Nothing is drawn here.

Rows are identified by key, never by index. Removing the selected row clears the selection, so a key press meant for it
cannot hit its neighbour (OP-04).
"""

from __future__ import annotations

from collections.abc import Callable

from widgets.grid_picture import Row


class GridWindow:
    """Rows, selection and scroll position; `body` returns the number of lines for rows.

    Attributes
    ----------
    selected
        The key of the selected row; None after that row was removed, until the operator moves.
    follows
        Whether new rows at the end scroll into view; the last row is then selected.
    top
        The first visible row.
    """

    def __init__(self, body: Callable[[], int], *, follows: bool) -> None:
        self.rows: tuple[Row, ...] = ()
        self.selected: str | None = None
        self.follows = follows
        self.top = 0
        self._body = body
        self._index: dict[str, int] = {}
        self._last_index: int | None = None  # index of the selection, for the next move after its row was removed

    def __contains__(self, key: str) -> bool:
        return key in self._index

    @property
    def selected_row(self) -> Row | None:
        return self.rows[self._index[self.selected]] if self.selected is not None else None

    # New rows

    def take(self, rows: tuple[Row, ...], *, is_used: bool) -> tuple[str | None, ...]:
        """Replace the rows; return the new selection as a one-tuple if it changed, else an empty tuple.

        The selection and the visible rows are kept. An unused list that shows its beginning stays there, because the
        most important rows come first.
        """
        anchor = self._anchor() if is_used or self.top else None
        if [row.key for row in rows] != [*self._index]:
            self._index = {row.key: index for index, row in enumerate(rows)}
        self.rows = rows
        moved = self._keep_selection()
        if self.follows and rows:
            self._last_index, self.selected = len(rows) - 1, rows[-1].key
        if anchor is not None and anchor[0] in self._index:
            self.top = self._index[anchor[0]] - anchor[1]
        return moved

    def _keep_selection(self) -> tuple[str | None, ...]:
        if not self.rows:
            self._last_index = None  # no row was in use: select the next one that arrives
        if self.selected is not None:
            if self.selected not in self._index:
                self.selected = None
                return (None,)
            self._last_index = self._index[self.selected]
        elif self.rows and self._last_index is None:
            self._last_index, self.selected = 0, self.rows[0].key
            return (self.selected,)
        return ()

    def _anchor(self) -> tuple[str, int] | None:
        """Return the row that keeps its line when rows are added or removed above it, and that line."""
        if self.selected is not None:
            line = self._index[self.selected] - self.top
            if 0 <= line < self._body():
                return self.selected, line
        return (self.rows[self.top].key, 0) if self.top < len(self.rows) else None

    # Moves

    def index_after(self, step: int) -> int | None:
        """Return the index after a step; None if there is no starting point."""
        if self._last_index is None:
            return None
        if self.selected is None and step > 0:
            step -= 1  # the rows below moved up into the place of the removed one
        return self._last_index + step

    def index_of(self, key: str) -> int:
        return self._index[key]

    def move_to(self, index: int) -> bool:
        """Select the row at `index`, or the nearest; return whether the selection changed. Rows must exist."""
        self._last_index = max(0, min(index, len(self.rows) - 1))
        key = self.rows[self._last_index].key
        has_moved, self.selected = key != self.selected, key
        self.follows = self.follows and not has_moved
        self.keep_visible()
        return has_moved

    def scroll(self, step: int) -> bool:
        """Scroll; return whether the end was followed before."""
        has_followed, self.follows = self.follows, False
        self.top += step
        return has_followed

    def follow_the_end(self) -> None:
        """Scroll to the last rows if the end is followed."""
        if self.follows:
            self.top = len(self.rows)

    def keep_visible(self) -> None:
        if self.selected is not None:
            index = self._index[self.selected]
            self.top = max(min(self.top, index), index - self._body() + 1)

    # Visible rows

    def in_view(self) -> tuple[Row, ...]:
        """Return the visible rows; the range never extends beyond the last row."""
        body = self._body()
        self.top = max(0, min(self.top, len(self.rows) - body))
        return self.rows[self.top : self.top + max(0, body)]

    def place(self) -> str:
        """Format `5 of 29`, or `1–4 of 29` if none is selected; empty if all are visible or the end is followed."""
        if len(self.rows) <= self._body() or self.follows:
            return ""
        if self.selected is None:
            return f"{self.top + 1}–{min(self.top + self._body(), len(self.rows))} of {len(self.rows)}"
        return f"{self._index[self.selected] + 1} of {len(self.rows)}"
