"""The states of the desk as every pane says them: one word in its frame, and what an empty pane means in each."""

from __future__ import annotations

from core.model.codes import DeskState
from core.views import StatusView

STARTING, READ_ONLY, HALTED, KILLED, STOPPED = "STARTING", "READ-ONLY", "HALTED", "KILLED", "STOPPED"
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
}
NOT_KNOWN = "Not known yet: the books are being compared with the broker."
NOT_AGREED = "None in this desk's books; the broker's books differ."


def state_of(status: StatusView, ended: str | None) -> str:
    """Empty while all is well; `ended` is why the engine stopped."""
    return STOPPED if ended is not None else WORDS.get(status.word, "")


def positions_when_empty(state: str) -> str:
    match state:
        case "STARTING":
            return NOT_KNOWN
        case "READ-ONLY":
            return NOT_AGREED
        case "STOPPED":
            return "No positions when the engine stopped."
    return "No positions. A filled entry appears here, with who holds its stop."


def orders_when_empty(state: str) -> str:
    if state == STARTING:
        return NOT_KNOWN
    return "No orders today." + NOTHING_LEAVES.get(state, " A confirmed ticket sends one.")
