"""What was asked for becomes a proposal, or a refusal: which of the two came, and which one it is."""

from __future__ import annotations

from dataclasses import dataclass

from core.model.values import ProposalId, Symbol
from core.views import DeskView, NotStaged

PATIENCE = 5.0
"""Seconds after which nobody waits any more."""

NO_ANSWER_YET = "the engine has not answered yet; what it stages appears in Proposals"


@dataclass(frozen=True, slots=True)
class StagedProposal:
    proposal_id: ProposalId


@dataclass(frozen=True, slots=True)
class RefusedProposal:
    """Why nothing was staged, and the same as the log tells it."""

    words: str
    told: str


@dataclass(frozen=True, slots=True)
class AwaitedProposal:
    """A proposal that a command of the operator's should bring.

    Attributes
    ----------
    known, sequence
        The proposals that waited before, and the last thing in the log: what is newer is the answer.
    since
        When it was asked for, in seconds of the console's clock.
    """

    symbol: Symbol
    strategy: str | None
    known: frozenset[str]
    sequence: int
    since: float

    def answer(self, view: DeskView) -> StagedProposal | RefusedProposal | None:
        for row in view.proposals:
            is_its = row.symbol == self.symbol and self.strategy in (None, row.strategy)
            if is_its and row.id not in self.known:
                return StagedProposal(row.id)
        for line in view.refusals:
            is_newer = line.sequence > self.sequence
            if is_newer and isinstance(line.refused, NotStaged) and line.refused.symbol == self.symbol:
                return RefusedProposal(line.refused.words, line.text)
        return None


def awaited(view: DeskView, symbol: Symbol, strategy: str | None, now: float) -> AwaitedProposal:
    """From this picture on."""
    return AwaitedProposal(symbol, strategy, frozenset(row.id for row in view.proposals), last_refusal(view), now)


def last_refusal(view: DeskView) -> int:
    """Its number in the journal."""
    return max((row.sequence for row in view.refusals), default=0)
