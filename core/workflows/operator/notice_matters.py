"""Name the subject of a notice while it lasts: an exit is named by its position (SY-03).

An exit that replaces another, with a different quantity or reason, is the same matter: its escalation does not restart.
"""

from __future__ import annotations

from core.model.connection import Channel
from core.model.signal import ExitReason
from core.model.staging import Proposal
from core.model.values import Symbol
from core.trading_state.state import TradingState
from core.workflows.orders.request_room import held_exits

EXIT, STOP, LINE, POSITION, HELD = "exit", "stop", "line", "position", "held"
CLOCK = "clock"
BY_HAND = frozenset({ExitReason.MANUAL, ExitReason.KILL})
"""Exits that the operator requested: nobody needs to be called for them."""


def of_line(line: Channel) -> str:
    return f"{LINE} {line.value}"


def of_exit(proposal: Proposal) -> str | None:
    """Return the matter of an exit that waits for a key; else None. A waiting stop is reported as an owed one."""
    is_by_hand = proposal.exit_reason in BY_HAND and proposal.guard is None
    if not proposal.only_reduces or is_by_hand or proposal.is_guard:
        return None
    return f"{EXIT} {proposal.strategy} {proposal.symbol}"


def of_owed(symbol: Symbol, strategy: str) -> str:
    """Return the matter of shares that are owed a stop."""
    return f"{STOP} {strategy} {symbol}"


def of_unread(symbol: Symbol) -> str:
    """Return the matter of an unreadable position in the broker's books."""
    return f"{POSITION} {symbol}"


def of_held(symbol: Symbol, strategy: str) -> str:
    """Return the matter of a confirmed exit that waits for the broker's request limit."""
    return f"{HELD} {strategy} {symbol}"


def exits_that_ended(state: TradingState) -> list[str]:
    """Return the known matters of exits and stops that no longer wait for a key or room and are not owed."""
    known = [key for key in state.notifications.state.matters if key.partition(" ")[0] in (EXIT, STOP, HELD)]
    if not known:
        return known
    waiting = {of_exit(proposal) for proposal in state.stage.state.proposals.values()}
    waiting |= {of_held(held.proposal.symbol, held.proposal.strategy) for held in held_exits(state)}
    waiting |= {of_owed(owing.symbol, owing.strategy) for owing in state.owed_stops.all() if owing.needs_a_person}
    return [key for key in known if key not in waiting]
