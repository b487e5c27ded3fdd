"""The state of the desk as all panes show it: one word in the frame, and the meaning of an empty pane."""

from __future__ import annotations

from dataclasses import dataclass

from core.model.codes import DeskState
from core.views import StatusView

STARTING, READ_ONLY, HALTED, KILLED, STOPPED = "STARTING", "READ-ONLY", "HALTED", "KILLED", "STOPPED"
AWAY = "AWAY"
WORDS = {
    DeskState.STARTING: STARTING,
    DeskState.READ_ONLY: READ_ONLY,
    DeskState.HALTED: HALTED,
    DeskState.KILLED: KILLED,
}
NOTHING_LEAVES = {
    HALTED: " HALTED: no new order leaves.",
    KILLED: " KILLED: no order that opens leaves.",
    READ_ONLY: " READ-ONLY: no order leaves.",
    STOPPED: " The engine has stopped: no order leaves.",
    AWAY: " That was so when the engine was last heard.",
}
NOT_KNOWN = "Not known yet: the books are being compared with the broker."
NOT_AGREED = "None in this desk's books; the broker's books differ."


@dataclass(frozen=True, slots=True)
class WithoutEngine:
    """Why no engine receives this desk's input; `has_stopped` if the engine stopped, not only the link."""

    words: str
    has_stopped: bool


def state_of(status: StatusView, without: WithoutEngine | None) -> str:
    """Return the state word; empty in normal operation."""
    if without is not None:
        return STOPPED if without.has_stopped else AWAY
    return WORDS.get(status.word, "")


def positions_when_empty(state: str) -> str:
    match state:
        case "STARTING":
            return NOT_KNOWN
        case "READ-ONLY":
            return NOT_AGREED
        case "STOPPED":
            return "No positions when the engine stopped."
        case "AWAY":
            return "No positions when the engine was last heard."
    return "No positions. A filled entry appears here, with who holds its stop."


def orders_when_empty(state: str) -> str:
    if state == STARTING:
        return NOT_KNOWN
    return "No orders today." + NOTHING_LEAVES.get(state, " A confirmed ticket sends one.")
