"""The outcome of a request: the staged proposal, or a refusal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.model.signal import ExitReason
from core.model.values import ProposalId, Quantity, Symbol
from core.views import DeskView, NotStaged, PositionRow, ProposalRow

PATIENCE = 5.0
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
    """Return a waiting exit that would sell at once; a waiting trailing stop or target is replaced by a close."""
    mine = (held.symbol, held.strategy)
    exits = (row for row in view.proposals if row.is_urgent and (row.symbol, row.strategy) == mine)
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
