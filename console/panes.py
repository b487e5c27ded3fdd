"""The panes with their keys: what a key on a row wants is told to the desk, which alone may act."""

from __future__ import annotations

from textual.message import Message

from console.keymap import Place, bindings_for
from widgets.log import Log
from widgets.orders import Orders
from widgets.pane import Pane
from widgets.positions import Positions
from widgets.proposals import Proposals
from widgets.protections import Protections
from widgets.strategies import Strategies


class Wanted(Message):
    """The operator wants something done to a row: decline, close, cancel."""

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


class PositionsPane(Positions):
    BINDINGS = bindings_for(Place.POSITIONS)

    def action_close(self) -> None:
        _want(self, "close")


class OrdersPane(Orders):
    BINDINGS = bindings_for(Place.ORDERS)

    def action_cancel(self) -> None:
        _want(self, "cancel")


class LogPane(Log):
    BINDINGS = bindings_for(Place.LOG)

    def action_follow(self) -> None:
        self.follow()


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

__all__ = ["PLACES", "LogPane", "OrdersPane", "PositionsPane", "ProposalsPane", "Protections", "Strategies", "Wanted"]
