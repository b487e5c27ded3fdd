"""What was asked for becomes a proposal, or a refusal: which of the two came, and which one it is."""

from __future__ import annotations

from dataclasses import dataclass

from core.model.values import ProposalId, Symbol
from core.views import DeskView

PATIENCE = 5.0
"""Seconds after which nobody waits any more."""

NO_ANSWER_YET = "the engine has not answered yet; what it stages appears in Proposals"


@dataclass(frozen=True, slots=True)
class Staged:
    proposal_id: ProposalId


@dataclass(frozen=True, slots=True)
class NotStaged:
    reason: str


@dataclass(frozen=True, slots=True)
class Awaited:
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

    def answer(self, view: DeskView) -> Staged | NotStaged | None:
        for row in view.proposals:
            is_its = row.symbol == self.symbol and self.strategy in (None, row.strategy)
            if is_its and row.id not in self.known:
                return Staged(row.id)
        for refusal in view.refusals:
            if refusal.sequence > self.sequence and f" {self.symbol} not staged" in refusal.text:
                return NotStaged(refusal.text)
        return None


def awaited(view: DeskView, symbol: Symbol, strategy: str | None, now: float) -> Awaited:
    """From this picture on."""
    return Awaited(symbol, strategy, frozenset(row.id for row in view.proposals), last_refusal(view), now)


def last_refusal(view: DeskView) -> int:
    """Its number in the journal."""
    return max((row.sequence for row in view.refusals), default=0)
