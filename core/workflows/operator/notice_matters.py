"""What a notice is about for as long as that lasts, by its name: an exit is named by its position (SY-03).

So an exit in whose place another comes, of another quantity or for another reason, is the same matter: who is told of
it next, and when, does not begin anew.
"""

from __future__ import annotations

from core.model.connection import Channel
from core.model.signal import ExitReason
from core.model.staging import Proposal
from core.trading_state.state import TradingState

EXIT, STOP, LINE = "exit", "stop", "line"
BY_HAND = frozenset({ExitReason.MANUAL, ExitReason.KILL})
"""Exits that a person asked for and is at: nobody needs to be called for them."""


def of_line(line: Channel) -> str:
    return f"{LINE} {line.value}"


def of_exit(proposal: Proposal) -> str | None:
    """Of an exit that waits for a key, and of a stop that nobody holds until its key is turned; None of all else."""
    if not proposal.only_reduces or proposal.exit_reason in BY_HAND or (proposal.is_guard and proposal.guard is None):
        return None
    return f"{STOP if proposal.is_guard else EXIT} {proposal.strategy} {proposal.symbol}"


def exits_that_ended(state: TradingState) -> list[str]:
    """Matters of exits and stops that people know of, and that wait for no key any more."""
    known = [key for key in state.notifications.state.matters if key.partition(" ")[0] in (EXIT, STOP)]
    if not known:
        return known
    waiting = {of_exit(proposal) for proposal in state.stage.state.proposals.values()}
    return [key for key in known if key not in waiting]
