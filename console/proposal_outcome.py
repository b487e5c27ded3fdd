"""What the keys for a stop or target say, and the outcome of a request: the staged proposal, or a refusal (EX-12).

The engine decides, and publishes why with each position: a key is refused before its dialog opens.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from console.keymap import written
from core.model.lazy_dataclass import dataclass
from core.model.signal import ExitReason
from core.model.staging import GuardRefusal
from core.model.values import ProposalId, Quantity, Symbol
from core.views import DeskView, NotStaged, PositionRow, ProposalRow

TIMEOUT = 5.0
"""Seconds to wait."""

NO_ANSWER_YET = "the engine has not answered yet; what it stages appears in Proposals"


@dataclass(frozen=True, slots=True)
class StagedProposal:
    proposal_id: ProposalId


@dataclass(frozen=True, slots=True)
class RefusedProposal:
    """Why nothing was staged, and the same text as in the log."""

    words: str
    told: str


def any_of_it(_row: ProposalRow) -> bool:
    """Match any proposal of the symbol and strategy."""
    return True


def is_close_of(shares: Quantity | None) -> Callable[[ProposalRow], bool]:
    """Match a manual exit of at most that many shares, not a strategy's exit of the same moment."""

    def is_it(row: ProposalRow) -> bool:
        is_by_hand = row.is_urgent and row.exit_reason is ExitReason.MANUAL
        return is_by_hand and (shares is None or row.quantity <= shares)

    return is_it


def is_guard(row: ProposalRow) -> bool:
    """Match a moved or restored stop."""
    return row.is_guard


def waits_for_price(row: ProposalRow) -> bool:
    """An exit that a person asked for and that would rest at the broker, as a trailing stop or a target."""
    is_by_hand = row.effect.only_reduces and row.exit_reason is ExitReason.MANUAL
    return is_by_hand and not row.type.goes_at_once


def waiting_exit(view: DeskView, held: PositionRow) -> ProposalRow | None:
    """Return a waiting exit that would sell at once; a waiting trailing stop or target is replaced by a close.

    So is an exit that an agent drafted: the operator's own waits for no review of its facts (OP-14).
    """
    mine = (held.symbol, held.strategy)
    exits = (row for row in view.proposals if row.is_urgent and not row.agent and (row.symbol, row.strategy) == mine)
    return next((row for row in exits if not waits_for_price(row)), None)


@dataclass(frozen=True, slots=True)
class AwaitedProposal:
    """A proposal that a command of the operator should produce.

    Attributes
    ----------
    is_it
        Whether a proposal is the requested one; another of the same moment is not opened (OP-04).
    known, sequence
        The proposals that waited before, and the last refusal in the log: newer ones are the answer.
    since
        When it was requested, in seconds of the console's clock.
    """

    symbol: Symbol
    strategy: str | None
    known: frozenset[str]
    sequence: int
    since: float
    is_it: Callable[[ProposalRow], bool] = any_of_it

    def answer(self, view: DeskView) -> StagedProposal | RefusedProposal | None:
        for row in view.proposals:
            is_its = row.symbol == self.symbol and self.strategy in (None, row.strategy)
            if is_its and row.id not in self.known and self.is_it(row):
                return StagedProposal(row.id)
        for line in view.refusals:
            is_newer = line.sequence > self.sequence
            if is_newer and isinstance(line.refused, NotStaged) and line.refused.symbol == self.symbol:
                return RefusedProposal(line.refused.words, line.text)
        return None


def awaited(
    view: DeskView,
    symbol: Symbol,
    strategy: str | None,
    now: float,
    is_it: Callable[[ProposalRow], bool] = any_of_it,
) -> AwaitedProposal:
    """Wait for a proposal from this view on."""
    known = frozenset(row.id for row in view.proposals)
    return AwaitedProposal(symbol, strategy, known, last_refusal(view), now, is_it)


def last_refusal(view: DeskView) -> int:
    """Return the journal number of the last refusal."""
    return max((row.sequence for row in view.refusals), default=0)


class Guard(Enum):
    """What a key asks for."""

    STOP = auto()
    BREAK_EVEN = auto()
    TRAIL = auto()
    TARGET = auto()


def why_not(held: PositionRow, what: Guard) -> str:
    """Return why it cannot be staged now and what to do; empty if it can be."""
    refusal = {Guard.TRAIL: held.trail_refusal, Guard.TARGET: held.target_refusal}.get(what, held.move_refusal)
    symbol = held.symbol
    match refusal:
        case None:
            return ""
        case GuardRefusal.ENTRY_FILLS:
            return f"the stop of {symbol} waits for its entry to fill: d in Orders cancels the rest of that, or wait"
        case GuardRefusal.TRAILS:
            return _beside_a_trail(what)
        case GuardRefusal.UNANSWERED | GuardRefusal.EXIT_IN_DOUBT:
            kind = "stop" if refusal is GuardRefusal.UNANSWERED else "exit"
            return f"the {held.doubt or kind} of {symbol} is in doubt: the broker is asked; wait a minute"
        case GuardRefusal.EXIT_IDLE:
            return f"the {held.idle or 'exit'} of {symbol} covers nothing; c closes, d in Orders cancels it"
        case GuardRefusal.EXIT_WORKS:
            return f"an exit of {symbol} is on its way; no share of it is left to guard"
        case GuardRefusal.EXIT_AT_LIMIT:
            return f"an exit of {symbol} waits at its limit and holds the shares; d in Orders takes it back"
        case GuardRefusal.EXIT_WAITS:
            return f"an exit of {symbol} waits: {written('position.close')} opens it; confirm or decline it first"
        case GuardRefusal.EXIT_CONFIRMED:
            return f"an exit of {symbol} was confirmed already: wait for the broker's answer"
        case GuardRefusal.FRACTION if what is Guard.TRAIL:
            return f"{symbol} is no whole number of shares: the broker trails whole shares alone; m moves its stop"
        case GuardRefusal.FRACTION:
            return f"{symbol} is no whole number of shares: the broker takes no target beside a stop for a fraction"


def _beside_a_trail(what: Guard) -> str:
    cancels = f"{written('order.cancel')} in Orders cancels it"
    stop, target = written("position.stop"), written("position.target")
    if what is Guard.TARGET:
        return f"no target beside a trailing stop at the broker: {cancels}, then {stop} and {target} set both"
    return f"a trailing stop moves by itself: {cancels}, then {stop} sets another"
