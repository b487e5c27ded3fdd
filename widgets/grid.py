"""The grid that all panes share: its rows, its selection and the lines that it drew.

Rows are identified by key, never by index. Removing the selected row clears the selection, so a key press meant for it
cannot hit its neighbour (OP-04).

A pane may call `show` with rows as often as it likes. Selection, scrolling, focus and new figures are handled alike:
the grid builds new lines, compares them with the last ones cell by cell and refreshes the changed regions.
`widgets.grid` keeps the rows, the selection and the visible range.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from widgets.lines import (
    GAP,
    MARK_WIDTH,
    MARKS,
    NO_ROOM,
    Align,
    Background,
    Cell,
    Column,
    GridLine,
    Row,
    Tone,
    differences,
    fitted,
    widths_of,
)


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
            self.reveal(self.selected)

    def reveal(self, key: str) -> None:
        index = self._index[key]
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


__all__ = ["Align", "Cell", "Column", "Grid", "Row", "Tone"]


DOUBLE = 2
"""Number of clicks that open a row, as Enter does."""


class GridMessage(Message):
    """Base of the messages of a grid."""

    def __init__(self, grid: Grid) -> None:
        super().__init__()
        self.grid = grid

    @property
    def control(self) -> Grid:
        return self.grid


class Grid(Widget, can_focus=True):
    """Columns, rows with an identity, and one selection.

    `opens_first` is the row that Enter opens if none is selected; only panes whose rows open harmlessly set it.
    `has_header` false hides the header. `empty` is the text of a grid without rows. With `follows` set, new rows at the
    end scroll into view and the last row is selected, until the operator moves.

    If not all rows are visible, the position (`5 of 29`) is passed to `tell_place`, or shown on the last line if that
    is None.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "grid--selected",
        "grid--selected-elsewhere",
        "grid--gain",
        "grid--loss",
        "grid--warning",
        "grid--urgent",
        "grid--muted",
        "grid--strong",
    }
    BINDINGS = [
        Binding("up,k", "up", "up", show=False, id="grid.up"),
        Binding("down,j", "down", "down", show=False, id="grid.down"),
        Binding("pageup", "page_up", "a page up", show=False, id="grid.page_up"),
        Binding("pagedown", "page_down", "a page down", show=False, id="grid.page_down"),
        Binding("home", "first", "first", show=False, id="grid.first"),
        Binding("end", "last", "last", show=False, id="grid.last"),
        Binding("enter", "open", "open", show=False, id="grid.open"),
    ]

    class Moved(GridMessage):
        """Another row is selected, or none (`key` is None); or the grid stopped following the end."""

        def __init__(self, grid: Grid, key: str | None) -> None:
            super().__init__(grid)
            self.key = key

    class Opened(GridMessage):
        """Enter was pressed on a row."""

        def __init__(self, grid: Grid, key: str) -> None:
            super().__init__(grid)
            self.key = key

    class NothingOpened(GridMessage):
        """Enter was pressed while no row is selected."""

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        empty: str = "",
        has_header: bool = True,
        follows: bool = False,
        id: str | None = None,
        classes: str | None = None,
        tell_place: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._columns = tuple(columns)
        self.window = GridWindow(self._body_height, follows=follows)
        self._empty = empty
        self._has_header = has_header
        self.opens_first: str | None = None
        self.tell_place = tell_place
        self._drawn: list[GridLine] = []
        self._strips: dict[GridLine, Strip] = {}
        self._styles_of: dict[tuple[Tone, Background], Style] = {}

    # Called by panes

    def show(self, rows: Sequence[Row], *, empty: str | None = None) -> None:
        """Show these rows; keys are unique. If nothing changed this costs one comparison."""
        if empty is not None:
            self._empty = empty
        rows = tuple(rows)
        if rows != self.window.rows:
            for key in self.window.take(rows, is_used=self.has_focus):
                self.post_message(self.Moved(self, key))
        self.window.follow_the_end()
        self._draw()

    def show_columns(self, columns: Sequence[Column]) -> None:
        """Set other columns, for another width; call `show` next with rows of that many cells."""
        self._columns = tuple(columns)
        self._forget_lines()

    @property
    def selected(self) -> str | None:
        """The key of the selected row; None after that row was removed, until the operator moves."""
        return self.window.selected

    @property
    def selected_row(self) -> Row | None:
        return self.window.selected_row

    @property
    def is_cut(self) -> bool:
        """Whether the selected row does not fit its line."""
        row, widths = self.selected_row, self._widths()
        if row is None or not self.content_size or (self.follows and not self.has_focus):
            return False
        if row.across:
            return len(row.across) > self.content_size.width - MARK_WIDTH
        return any(len(cell.text.strip()) > max(width, 0) for cell, width in zip(row.cells, widths, strict=False))

    @property
    def follows(self) -> bool:
        return self.window.follows

    @property
    def wanted(self) -> int:
        """Number of lines needed for all rows."""
        return self._has_header + max(1, len(self.window.rows))

    def follow(self) -> None:
        """Scroll to the end and follow it until the operator moves."""
        self.action_last()
        self.window.follows = True

    def select(self, key: str) -> None:
        """Select the row with that key, if it exists, and scroll to it."""
        if key in self.window:
            self._move_to(self.window.index_of(key))

    def reveal(self, key: str) -> None:
        """Scroll to the row with that key, if it exists; in a pane with the focus the selected row stays in view."""
        if key in self.window and not self.has_focus:
            self.window.reveal(key)
            self._draw()

    def step_off(self, key: str) -> None:
        """Select the neighbour of that row if it is selected: the operator has just removed it."""
        if self.selected == key and len(self.window.rows) > 1:
            index = self.window.index_of(key)
            self._move_to(index + 1 if index + 1 < len(self.window.rows) else index - 1)

    # What the operator does

    def action_up(self) -> None:
        self._move_by(-1)

    def action_down(self) -> None:
        self._move_by(1)

    def action_page_up(self) -> None:
        self._move_by(-max(1, self._body_height() - 1))

    def action_page_down(self) -> None:
        self._move_by(max(1, self._body_height() - 1))

    def action_first(self) -> None:
        self._move_to(0)

    def action_last(self) -> None:
        self._move_to(len(self.window.rows) - 1)

    def action_open(self) -> None:
        if self.selected is None and self.opens_first is not None:
            self.select(self.opens_first)
        if self.selected is not None:
            self.post_message(self.Opened(self, self.selected))
        else:
            self.post_message(self.NothingOpened(self))

    def on_click(self, event: events.Click) -> None:
        line = event.get_content_offset_capture(self).y - self._has_header
        if 0 <= line < self._body_height() and self.window.top + line < len(self.window.rows):
            self._move_to(self.window.top + line)
            if event.chain == DOUBLE:
                self.action_open()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._scroll_by(-1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._scroll_by(1)

    def watch_has_focus(self, has_focus: bool) -> None:
        """Redraw at once, because focus events arrive before the focus is known here."""
        super().watch_has_focus(has_focus)
        self.window.keep_visible()
        self._draw()

    def on_resize(self) -> None:
        self.window.keep_visible()
        self._forget_lines()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()
        self._styles_of.clear()

    # Selection and scrolling

    def _move_by(self, step: int) -> None:
        index = self.window.index_after(step)
        if index is not None:
            self._move_to(index)

    def _move_to(self, index: int) -> None:
        if not self.window.rows:
            return
        has_moved = self.window.move_to(index)
        self._draw()
        if has_moved:
            self.post_message(self.Moved(self, self.selected))

    def _scroll_by(self, step: int) -> None:
        has_followed = self.window.scroll(step)
        self._draw()
        if has_followed:
            self.post_message(self.Moved(self, self.selected))

    def _body_height(self) -> int:
        return self.content_size.height - self._has_header - self._has_place_line()

    def _has_place_line(self) -> bool:
        height = self.content_size.height - self._has_header
        return self.tell_place is None and not self.follows and len(self.window.rows) > height

    # Lines

    def _lines(self) -> list[GridLine]:
        rows = self.window.in_view()
        lines: list[GridLine] = []
        if self._has_header:
            lines.append(GridLine(tuple(Cell(column.title, "muted") for column in self._columns)))
        if not self.window.rows:
            lines.append(GridLine(note=self._empty, tone="muted"))
        lines += (self._line_of(row) for row in rows)
        height = self.content_size.height
        lines += [GridLine()] * (height - len(lines))
        if self._has_place_line():
            lines[-1] = GridLine(note=self.window.place())
        return lines[:height]

    def _line_of(self, row: Row) -> GridLine:
        is_selected = row.key == self.selected and (self.has_focus or not self.follows)
        background: Background = ("selected" if self.has_focus else "selected-elsewhere") if is_selected else ""
        is_marked = row.mark != MARKS[False, False] and not self.has_focus
        mark = MARKS[True, self.has_focus] if is_selected and not is_marked else row.mark
        return GridLine(row.cells, row.tone, mark, background, across=row.across)

    def _draw(self) -> None:
        if not self.is_mounted or not self.content_size:
            return
        lines = self._lines()
        if self.tell_place is not None:
            self.tell_place(self.window.place())
        before = self._drawn if len(self._drawn) == len(lines) else [GridLine(note="\0")] * len(lines)
        regions = [*differences(before, lines, self._widths(), self.content_size.width)]
        if not regions:
            return
        kept = set(lines)
        self._drawn = lines
        self._strips = {line: strip for line, strip in self._strips.items() if line in kept}
        self.refresh(*regions)

    def _forget_lines(self) -> None:
        self._strips.clear()
        self._drawn = []
        self._draw()

    def _widths(self) -> list[int]:
        return widths_of(self._columns, self.content_size.width)

    # Drawing

    def render_line(self, y: int) -> Strip:
        line = self._drawn[y] if y < len(self._drawn) else GridLine()
        if line not in self._strips:
            self._strips[line] = self._strip(line)
        return self._strips[line]

    def _strip(self, line: GridLine) -> Strip:
        width = self.content_size.width
        base = self._style("", line.background)
        if line.note and line.tone:
            return Strip([Segment(fitted(line.note, width, Align.LEFT, 0), self._style(line.tone, ""))])
        segments = [Segment(line.mark, base)]
        if line.across:
            segments.append(
                Segment(fitted(line.across, width - MARK_WIDTH, Align.LEFT, 0), self._style(line.tone, line.background))
            )
        for cell, column, cells in zip(line.cells, self._columns, self._widths(), strict=False):
            if cells == NO_ROOM:
                continue
            text = fitted(cell.text, cells, column.align, column.decimals)
            segments += [
                Segment(text, self._style(cell.tone or line.tone, line.background)),
                Segment(" " * GAP, base),
            ]
        strip = Strip(segments).adjust_cell_length(width, base)
        if not line.note:
            return strip
        note = Strip([Segment(f" {line.note}", self._style("muted", ""))])
        return Strip.join([strip.crop(0, max(0, width - note.cell_length)), note]).adjust_cell_length(width, base)

    def _style(self, tone: Tone, background: Background) -> Style:
        """Return a style, never None: under NO_COLOR a segment without a style crashes the desk."""
        if (tone, background) not in self._styles_of:
            style = self.rich_style
            if tone:
                style += self.get_component_rich_style(f"grid--{tone}")
            if background:
                selected = self.get_component_rich_style(f"grid--{background}")
                style += Style(bgcolor=selected.bgcolor, bold=selected.bold or style.bold)
            self._styles_of[tone, background] = style
        return self._styles_of[tone, background]
