"""Everything that the desk shows under its dialogs: status, panes, last line; and which of them a size has room for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.geometry import Size
from textual.screen import Screen

from console.handle import Failed, Loading
from console.layout import CHOICES, arrange, fits, too_small
from console.log_pane import LogPane
from console.panes import OrdersPane, PositionsPane, ProposalsPane, Protections, StrategiesPane, Wanting
from core.views import DeskView
from widgets.footer import FooterLine
from widgets.lines import Cell, Lines
from widgets.pane import Pane
from widgets.status_lines import StatusLines
from widgets.ticket import wrapped


class Board:
    """The widgets of the first screen.

    Attributes
    ----------
    chosen
        The pane that a narrow terminal shows beside proposals and log.
    """

    def __init__(self) -> None:
        self.status = StatusLines(id="status")
        self.notice = Lines(id="notice")
        self.line = FooterLine(id="footer")
        self.proposals, self.positions, self.orders = ProposalsPane(), PositionsPane(), OrdersPane()
        self.protections, self.strategies, self.log = Protections(), StrategiesPane(), LogPane()
        self.panes: dict[str, Pane] = {
            "proposals": self.proposals,
            "positions": self.positions,
            "orders": self.orders,
            "protections": self.protections,
            "strategies": self.strategies,
            "log": self.log,
        }
        self.chosen = CHOICES[0]
        self._drawn_number = -1

    def connect(self, want: Callable[[str, str], None]) -> None:
        """What the panes' keys ask for is done by `want`."""
        for pane in self.panes.values():
            if isinstance(pane, Wanting):
                pane.want = want

    def compose(self) -> ComposeResult:
        yield self.status
        yield self.notice
        with Container(id="panes"):
            with Vertical(id="left"):
                yield self.proposals
                yield self.positions
                yield self.orders
            with Vertical(id="right"):
                yield self.protections
                yield self.strategies
        yield self.log
        yield self.line

    def arrange(self, base: Screen[None], has_view: bool, size: Size) -> None:
        """What is shown at this size, and in this state of the engine."""
        has_panes = has_view and fits(*size)
        self.notice.display = not has_panes
        self.log.display = has_panes
        if has_panes:
            arrange(base, self.panes, self.chosen, size.width)
        else:
            base.query_one("#panes").display = False

    def is_arranged(self, has_view: bool, size: Size) -> bool:
        return self.notice.display != (has_view and fits(*size))

    def show_state(self, view: Loading | Failed, size: Size) -> None:
        """Before there is an engine, or without one."""
        width = width_of(size)
        if isinstance(view, Failed):
            self.status.show_state("NO ENGINE: nothing trades", width, "urgent")
            self.notice.show([*wrapped("", view.message, width - 4, "strong"), (), (Cell("q leaves"),)])
            return
        self.status.show_state(f"STARTING: {view.what}…", width)
        self.notice.show([(Cell(f"{view.what}…", "muted"),)])

    def show(self, view: DeskView, now: datetime, size: Size, ended: str | None) -> bool:
        """Each pane its part; whether the picture is another one than last time."""
        if not fits(*size):
            self.notice.show([*wrapped("", too_small(*size), width_of(size) - 4, "strong")])
        self.status.show_desk(view, now, width_of(size), ended)
        self.proposals.show(view.proposals, view.strategies, now, view.status.entries_refused)
        self.orders.show(view.orders, now, view.refusals if self.orders.shows_all else ())
        if view.number == self._drawn_number:
            return False
        self._drawn_number = view.number
        self.positions.show(view.positions, now)
        self.protections.show(view.status)
        self.strategies.show(view.strategies, view.proposals)
        self.log.show(view.log)
        return True


def width_of(size: Size) -> int:
    """Of the status lines and the last one, inside their padding."""
    return max(20, size.width - 2)
