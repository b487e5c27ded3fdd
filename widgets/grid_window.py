"""The rows of a grid, which one is selected, and which are in view. Pure: it draws nothing.

A row is known by its key, never by its place; one that goes takes the selection with it, so that a key meant for it
cannot hit its neighbour (OP-04).
"""

from __future__ import annotations

from collections.abc import Callable

from widgets.grid_picture import Row


class GridWindow:
    """`body` tells how many lines there are for rows.

    Attributes
    ----------
    selected
        The key of the selected row; None after it went, until the operator moves.
    follows
        Whether new rows at the end scroll into view; the last row is then the selected one.
    top
        The first row in view.
    """

    def __init__(self, body: Callable[[], int], *, follows: bool) -> None:
        self.rows: tuple[Row, ...] = ()
        self.selected: str | None = None
        self.follows = follows
        self.top = 0
        self._body = body
        self._index: dict[str, int] = {}
        self._last_index: int | None = None  # of the selection, for the next move after its row went

    def __contains__(self, key: str) -> bool:
        return key in self._index

    @property
    def selected_row(self) -> Row | None:
        return self.rows[self._index[self.selected]] if self.selected is not None else None

    # Other rows

    def take(self, rows: tuple[Row, ...], *, is_used: bool) -> tuple[str | None, ...]:
        """The selection and what is in view stay with theirs. A list that nobody uses, and that shows its beginning,
        goes on showing it: what comes there is what matters most. Returns to where the selection went, if it did.
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
            self._last_index = None  # nobody's hand is on a row: the next one that comes is the selected one
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
        """The row that keeps its line when others come and go above it, and that line."""
        if self.selected is not None:
            line = self._index[self.selected] - self.top
            if 0 <= line < self._body():
                return self.selected, line
        return (self.rows[self.top].key, 0) if self.top < len(self.rows) else None

    # Moves

    def index_after(self, step: int) -> int | None:
        """Where a step leads; None where there is nothing to step from."""
        if self._last_index is None:
            return None
        if self.selected is None and step > 0:
            step -= 1  # the rows below moved up into the place of the one that went
        return self._last_index + step

    def index_of(self, key: str) -> int:
        return self._index[key]

    def move_to(self, index: int) -> bool:
        """Select the row there, or the nearest; there is one. Whether it is another than before."""
        self._last_index = max(0, min(index, len(self.rows) - 1))
        key = self.rows[self._last_index].key
        has_moved, self.selected = key != self.selected, key
        self.follows = self.follows and not has_moved
        self.keep_visible()
        return has_moved

    def scroll(self, step: int) -> bool:
        """Whether the end was followed until now."""
        has_followed, self.follows = self.follows, False
        self.top += step
        return has_followed

    def follow_the_end(self) -> None:
        """The last rows are in view, where they are to be."""
        if self.follows:
            self.top = len(self.rows)

    def keep_visible(self) -> None:
        if self.selected is not None:
            index = self._index[self.selected]
            self.top = max(min(self.top, index), index - self._body() + 1)

    # What is in view

    def in_view(self) -> tuple[Row, ...]:
        """As many as there are lines; the view never ends beyond the last row."""
        body = self._body()
        self.top = max(0, min(self.top, len(self.rows) - body))
        return self.rows[self.top : self.top + max(0, body)]

    def place(self) -> str:
        """`5 of 29`; nothing where all rows are in view, or where the end is followed."""
        if len(self.rows) <= self._body() or self.follows:
            return ""
        place = self._index[self.selected] if self.selected is not None else self.top
        return f"{place + 1} of {len(self.rows)}"
