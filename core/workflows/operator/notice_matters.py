"""What a notice is about for as long as that lasts, by its name: an exit is named by its position (SY-03).

So an exit in whose place another comes, of another quantity or for another reason, is the same matter: who is told of
it next, and when, does not begin anew.
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
"""Exits that a person asked for and is at: nobody needs to be called for them."""


def of_line(line: Channel) -> str:
    return f"{LINE} {line.value}"


def of_exit(proposal: Proposal) -> str | None:
    """Of an exit that waits for a key; None of all else. A stop that waits is told of as one that is owed."""
    is_by_hand = proposal.exit_reason in BY_HAND and proposal.guard is None
    if not proposal.only_reduces or is_by_hand or proposal.is_guard:
        return None
    return f"{EXIT} {proposal.strategy} {proposal.symbol}"


def of_owed(symbol: Symbol, strategy: str) -> str:
    """Of shares that are owed their stop."""
    return f"{STOP} {strategy} {symbol}"


def of_unread(symbol: Symbol) -> str:
    """Of a position that cannot be read in the broker's books."""
    return f"{POSITION} {symbol}"


def of_held(symbol: Symbol, strategy: str) -> str:
    """Of a confirmed exit that waits for the broker's limit of requests."""
    return f"{HELD} {strategy} {symbol}"


def exits_that_ended(state: TradingState) -> list[str]:
    """Matters of exits and stops that people know of, and that wait for no key nor room and are owed no more."""
    known = [key for key in state.notifications.state.matters if key.partition(" ")[0] in (EXIT, STOP, HELD)]
    if not known:
        return known
    waiting = {of_exit(proposal) for proposal in state.stage.state.proposals.values()}
    waiting |= {of_held(held.proposal.symbol, held.proposal.strategy) for held in held_exits(state)}
    waiting |= {of_owed(owing.symbol, owing.strategy) for owing in state.owed_stops.all() if owing.needs_a_person}
    return [key for key in known if key not in waiting]
