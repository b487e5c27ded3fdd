"""The panes with their keys: what a key on a row wants is told to the desk, which alone may act."""

from __future__ import annotations

from textual.message import Message

from console.keymap import Place, bindings_for
from widgets.orders import Orders
from widgets.pane import Pane
from widgets.positions import Positions
from widgets.proposals import Proposals
from widgets.protections import Protections
from widgets.results import Results
from widgets.strategies import Strategies


class Wanted(Message):
    """The operator wants something done to a row: decline, close, cancel, and so on."""

    def __init__(self, what: str, key: str) -> None:
        super().__init__()
        self.what = what
        self.key = key


def _want(pane: Pane, what: str) -> None:
    if pane.grid.selected is not None:
        pane.post_message(Wanted(what, pane.grid.selected))


class ProposalsPane(Proposals):
    BINDINGS = bindings_for(Place.PROPOSALS)

    def action_decline(self) -> None:
        _want(self, "decline")

    def action_refuse_symbol(self) -> None:
        _want(self, "refuse symbol")


class PositionsPane(Positions):
    BINDINGS = bindings_for(Place.POSITIONS)

    def action_close(self) -> None:
        _want(self, "close")

    def action_move_stop(self) -> None:
        _want(self, "move stop")


class OrdersPane(Orders):
    """`shows_all` with what never became an order."""

    BINDINGS = bindings_for(Place.ORDERS)
    shows_all = False

    def action_cancel(self) -> None:
        _want(self, "cancel")

    def action_edit(self) -> None:
        _want(self, "edit")

    def action_why(self) -> None:
        _want(self, "why")

    def action_all(self) -> None:
        self.shows_all = not self.shows_all
        self.post_message(Wanted("all" if self.shows_all else "fewer", ""))


class StrategiesPane(Strategies):
    BINDINGS = bindings_for(Place.STRATEGIES)

    def action_pause(self) -> None:
        _want(self, "pause")


PLACES: dict[str, Place] = {
    "proposals": Place.PROPOSALS,
    "positions": Place.POSITIONS,
    "orders": Place.ORDERS,
    "protections": Place.PROTECTIONS,
    "strategies": Place.STRATEGIES,
    "log": Place.LOG,
    "results": Place.RESULTS,
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
    "Wanted",
]
