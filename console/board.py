"""The desk beneath its dialogs: status lines, panes, last line, and which of them fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from textual.app import ComposeResult
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget

from console.display import SHIPPED, ColumnOfPanes, DeskLayout
from console.filtered_panes import FilteredPane, HistoryPane, LogPane
from console.keymap import written
from console.layout import WIDEST, Choice, PaneArea, columns_of, fits, is_narrow, too_small
from console.panes import PANES, OrdersPane, PositionsPane, ProposalsPane, Want, WatchPane
from core.model.desk import DeskNumber
from core.model.values import Symbol
from core.views import DeskView
from core.views.desk import EngineFailed, EngineLoading
from widgets.chart import Chart, levels_of
from widgets.lines import Cell, Lines
from widgets.pane import FooterLine, Pane, WithoutEngine, items_of, state_of, strip_line
from widgets.status_lines import StatusLines
from widgets.ticket_text import wrapped

P = TypeVar("P", bound=Pane)


class Board:
    """The widgets of the first screen.

    Parameters
    ----------
    want
        Executes the actions of the panes' keys.

    Attributes
    ----------
    holder
        The focused pane, or the last focused one while none fits.
    """

    def __init__(self, want: Want) -> None:
        self.status = StatusLines(id="status")
        self.strip = Lines(id="strip")
        self.notice = Lines(id="notice")
        self.tour = Lines(id="tour")
        self.line = FooterLine(id="footer")
        made = {name: entry.make(want) for name, entry in PANES.items()}
        self.panes = {name: pane for name, pane in made.items() if isinstance(pane, Pane)}
        self.chart = next(pane for pane in made.values() if isinstance(pane, Chart))
        self.proposals, self.positions = self._pane(ProposalsPane), self._pane(PositionsPane)
        self.orders, self.log = self._pane(OrdersPane), self._pane(LogPane)
        self.history, self.watch = self._pane(HistoryPane), self._pane(WatchPane)
        self.holder = "proposals"
        self.own_layouts: Mapping[str, DeskLayout] = {}
        self._area = PaneArea()
        self._layout = self._area.panes
        self._has_panes = False
        self._drawn_for: tuple[object, ...] = ()
        self._arranged_for: tuple[bool, Size] | None = None
        self._view: DeskView | None = None
        self._strip_drawn: tuple[object, ...] = ()
        self._divided_for: tuple[object, ...] = ()

    def _pane(self, kind: type[P]) -> P:
        return next(pane for pane in self.panes.values() if isinstance(pane, kind))

    def keyboard_of(self, name: str) -> Widget:
        """Return the focusable widget of a pane."""
        return self.chart if name == self.chart.id else self.panes[name].grid

    @property
    def typing(self) -> FilteredPane | None:
        """The pane whose filter is being typed."""
        return next((pane for pane in (self.log, self.history) if pane.is_typing), None)

    def selected(self, name: str) -> str | None:
        """Return the key of the pane's selected row; the chart has none."""
        return self.panes[name].grid.selected if name in self.panes else None

    def symbol_of(self, name: str, key: str, view: DeskView) -> Symbol | None:
        """Return the symbol of a row; None if it has none."""
        if name == self.history.id:
            past = self.history.row_of(key)
            return None if past is None else past.symbol
        if name == self.log.id:
            return self.log.symbol_of(key)
        return next((symbol for each, symbol in PANES[name].symbols(view) if each == key), None)

    def show_chart(self, view: DeskView, symbol: Symbol | None, now: datetime) -> None:
        self.chart.show_chart(view.chart, symbol, now, levels_of(view, symbol))

    def compose(self) -> ComposeResult:
        yield self.status
        yield self.strip
        yield self.notice
        with self._area:
            yield from self.panes.values()
            yield self.chart
        yield self.tour
        yield self.line

    def choose(self, base: Screen[None], name: str) -> None:
        """Make room for a pane at every size; the pane that gives way passes on the focus."""
        self.note_holder(base)
        before, self._layout.choice = self._layout.choice, self._layout.choice.with_pane(name)
        if before != self._layout.choice:
            if self.holder not in self._layout.names():
                self.holder = name
            self._place(base)

    def zoom(self, base: Screen[None]) -> bool:
        """Give the focused pane the whole area, or share it again; return whether it has the whole area."""
        self.note_holder(base)
        self._layout.choice = self._layout.choice.with_zoom(self.holder)
        self._place(base)
        return self._layout.choice.zoomed is not None

    def next_layout(self, base: Screen[None]) -> str:
        """Switch to the next layout and return its name. A pane with a place there keeps the focus."""
        self.note_holder(base)
        layouts = {**SHIPPED, **self.own_layouts}
        names, shown = [*layouts], self._layout.choice.layout.name
        now = names.index(shown) if shown in names else -1
        layout = layouts[names[(now + 1) % len(names)]]
        self._layout.choice = Choice(layout)
        if self.holder not in self._layout.names():
            self.holder = layout.one[0]
        self._place(base)
        return layout.name

    def layout_as_shown(self) -> tuple[DeskLayout, tuple[ColumnOfPanes, ...]]:
        """Return the layout with the current panes at this width, and the columns shown."""
        choice, screen = self._layout.choice, self._layout.screen
        columns = columns_of(screen, choice)
        one = (choice.layout.one[0], choice.under())
        if is_narrow(screen):
            return replace(choice.layout, one=one), columns
        if screen.width < WIDEST:
            return replace(choice.layout, one=one, two=columns), columns
        return replace(choice.layout, one=one, three=columns), columns

    def offer(self, base: Screen[None], name: str) -> None:
        """Make room for a pane only if neither the positions nor the focused pane lose theirs."""
        self.note_holder(base)
        kept = self._layout.names() & {"positions", self.holder}
        if kept <= self._layout.names(self._layout.choice.with_pane(name)):
            self.choose(base, name)

    def arrange(self, base: Screen[None], has_view: bool, size: Size) -> None:
        """Arrange the panes for a size and state of the engine. The focused pane keeps focus and place."""
        self._arranged_for = (has_view, size)
        self.note_holder(base)
        self._layout.screen = size
        if self.holder not in self._layout.names():
            self._layout.choice = self._layout.choice.with_pane(self.holder)
        self._has_panes = has_view and fits(*size)
        self.notice.display = not self._has_panes
        self._area.display = self.strip.display = self._has_panes
        self._place(base)

    def _place(self, base: Screen[None]) -> None:
        shown = self._layout.names()
        for name, pane in self.panes.items():
            pane.display = name in shown
        self.chart.display = "chart" in shown
        self._layout.wants = self._wants()
        self._area.divide_again()
        self._draw_strip()
        if self._has_panes and base.focused is not self.keyboard_of(self.holder):
            base.set_focus(self.keyboard_of(self.holder), scroll_visible=False)

    def _wants(self) -> dict[str, int]:
        return {name: pane.wanted() for name, pane in self.panes.items()}

    def _divide(self) -> None:
        """Divide the area again if a pane has more lines than room."""
        wants = self._wants()
        if self._divided_for == (wants, self._area.size):
            return
        self._divided_for = (wants, self._area.size)
        if self._area.display and self._layout.must_change_for(wants, self._area.size):
            self._layout.wants = wants
            self._area.divide_again()

    def note_holder(self, base: Screen[None]) -> None:
        self.holder = next((name for name in PANES if self.keyboard_of(name) is base.focused), self.holder)

    def _draw_strip(self) -> None:
        """Draw the strip of panes, also after a change of focus."""
        if self._view is None:
            return
        numbers = [(name, written(f"pane.{name}")) for name in PANES]
        drawn = (self._view.number, self.holder, self._layout.names(), self._layout.screen)
        if drawn != self._strip_drawn:
            self._strip_drawn = drawn
            width = width_of(self._layout.screen)
            items = items_of(self._view, numbers)
            self.strip.show([strip_line(items, self._layout.names(), self.holder, width)])

    def is_arranged(self, has_view: bool, size: Size) -> bool:
        return self._arranged_for == (has_view, size)

    def show_state(self, view: EngineLoading | EngineFailed, size: Size) -> None:
        """Show the state before there is an engine, or without one."""
        width = width_of(size)
        if isinstance(view, EngineFailed):
            self.status.show_state("NO ENGINE: nothing trades", width, "urgent")
            self.notice.show([*wrapped("", view.message, width - 4, "strong"), (), (Cell("q leaves"),)])
            return
        self.status.show_state(f"STARTING: {view.what}…", width)
        self.notice.show([(Cell(f"{view.what}…", "muted"),)])

    def show(
        self,
        view: DeskView,
        now: datetime,
        size: Size,
        without_engine: WithoutEngine | None,
        desk: DeskNumber | None = None,
    ) -> bool:
        """Pass the view to each pane; return whether anything changed.

        Ages and countdowns are shown in whole seconds: within a second the same view is not drawn again.
        """
        self._view = view
        self._draw_strip()
        self.status.kill_key = written("kill")
        chosen = tuple(pane.grid.selected for pane in self.panes.values())
        drawn_for = (
            view.number,
            len(view.log),
            int(now.timestamp()),
            size,
            without_engine,
            desk,
            self.status.not_heard,
            self.status.kill_key,
            self.orders.shows_all,
            self.orders.new,
            chosen,
        )
        if drawn_for == self._drawn_for:
            self._divide()  # a moved selection has another note
            return False
        is_another = drawn_for[:2] != self._drawn_for[:2]
        self._drawn_for = drawn_for
        if not fits(*size):
            self.notice.show([*wrapped("", too_small(*size, written("kill")), width_of(size) - 4, "strong")])
        self.status.show_desk(view, now, width_of(size), without_engine, desk)
        for name, pane in self.panes.items():
            entry = PANES[name]
            pane.is_narrow = is_narrow(size)
            pane.show_state(state_of(view.status, without_engine) if entry.has_state else "")
            if is_another or entry.is_timed:
                pane.show(view, now)
        self._divide()
        return is_another


def width_of(size: Size) -> int:
    """Width of the status lines and the last line, inside their padding."""
    return max(20, size.width - 2)
