"""The panes with their keys: what a key on a row wants is told to the desk, which alone may act."""

from __future__ import annotations

from collections.abc import Callable

from console.keymap import KeyScope, bindings_for
from widgets.grid import Grid
from widgets.orders import Orders
from widgets.positions import Positions
from widgets.proposals import ProposalTable
from widgets.protections import Protections
from widgets.results import Results
from widgets.strategies import Strategies

Want = Callable[[str, str | None], None]
"""Does what a key asks for at once, by its name and the row's key: the next key may already be text for what it opens.
"""


class Wanting:
    """A pane whose keys want something done to its selected row: decline, close, cancel, and so on. Stands before the
    pane that it makes one of.
    """

    grid: Grid

    def __init__(self, want: Want) -> None:
        super().__init__()
        self.want = want

    def want_for_row(self, what: str) -> None:
        self.want(what, self.grid.selected)


class ProposalsPane(Wanting, ProposalTable):
    BINDINGS = bindings_for(KeyScope.PROPOSALS)

    def action_decline(self) -> None:
        self.want_for_row("decline")

    def action_refuse_symbol(self) -> None:
        self.want_for_row("refuse symbol")


class PositionsPane(Wanting, Positions):
    BINDINGS = bindings_for(KeyScope.POSITIONS)

    def action_close(self) -> None:
        self.want_for_row("close")

    def action_move_stop(self) -> None:
        self.want_for_row("move stop")

    def action_attended(self) -> None:
        self.want_for_row("attended")


class OrdersPane(Wanting, Orders):
    """`shows_all` with what never became an order."""

    BINDINGS = bindings_for(KeyScope.ORDERS)
    shows_all = False

    def action_cancel(self) -> None:
        self.want_for_row("cancel")

    def action_edit(self) -> None:
        self.want_for_row("edit")

    def action_warning(self) -> None:
        self.want_for_row("warning")

    def action_why(self) -> None:
        self.want_for_row("why")

    def action_all(self) -> None:
        self.shows_all = not self.shows_all
        self.want("all" if self.shows_all else "fewer", "")


class ProtectionsPane(Wanting, Protections):
    BINDINGS = bindings_for(KeyScope.PROTECTIONS)

    def action_override(self) -> None:
        self.want_for_row("override")


class StrategiesPane(Wanting, Strategies):
    BINDINGS = bindings_for(KeyScope.STRATEGIES)

    def action_pause(self) -> None:
        self.want_for_row("pause")

    def action_more(self) -> None:
        self.want_for_row("more")

    def action_no_more(self) -> None:
        self.want_for_row("no more")


PLACES: dict[str, KeyScope] = {
    "proposals": KeyScope.PROPOSALS,
    "positions": KeyScope.POSITIONS,
    "orders": KeyScope.ORDERS,
    "protections": KeyScope.PROTECTIONS,
    "strategies": KeyScope.STRATEGIES,
    "log": KeyScope.LOG,
    "results": KeyScope.RESULTS,
}
"""Where the keyboard is, by the pane that has it."""

__all__ = [
    "PLACES",
    "OrdersPane",
    "PositionsPane",
    "ProposalsPane",
    "Protections",
    "Results",
    "StrategiesPane",
    "Want",
]
