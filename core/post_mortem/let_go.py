"""What was declined, expired, blocked or refused by the gate, and what it would have made (OP-12)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from core.facts import BarClosed, ProposalEdited, ProposalEnded, ProposalSkipped, ProposalStaged, SettingsApplied
from core.model.order import OrderRequest
from core.model.session import NoSession, Session
from core.model.staging import MANUAL, Proposal
from core.model.values import Money, Price, ProposalId, Symbol
from core.ports import Recorded
from core.settings.settings import Settings
from core.staging.shadow_trades import BLOCKED, NOT_TAKEN, ShadowTrade, shadow_of

SessionAt = Callable[[datetime], Session | NoSession]


@dataclass(frozen=True, slots=True)
class LetGo:
    """An entry that was not taken.

    Attributes
    ----------
    record
        What tells that it was not.
    end
        How: `declined`, `expired` or `blocked`.
    would_have_made
        As a shadow trade to the end of its session, after fees, USD; None where it would not have filled, and where it
        was not followed: a strategy holds one position of a symbol at a time.
    """

    record: Recorded
    proposal: Proposal
    end: str
    would_have_made: Money | None


def let_go_on(records: Iterable[Recorded], before: Iterable[Recorded], session_at: SessionAt) -> list[LetGo]:
    """On the trading day of these records, as the desk follows shadow trades while it runs."""
    followed = _Followed(session_at)
    for record in before:
        followed.hear(record)
    for record in records:
        followed.take(record)
    followed.close()
    return followed.let_go()


class _Followed:
    def __init__(self, session_at: SessionAt) -> None:
        self._session_at = session_at
        self._settings: Settings | None = None
        self._proposals: dict[ProposalId, Proposal] = {}
        self._last: dict[Symbol, Price] = {}
        self._found: list[tuple[Recorded, Proposal, str, ShadowTrade | None]] = []

    def let_go(self) -> list[LetGo]:
        return [LetGo(r, p, end, None if shadow is None else shadow.result) for r, p, end, shadow in self._found]

    def close(self) -> None:
        for shadow in self._going():
            shadow.close()

    def hear(self, record: Recorded) -> None:
        """What stood before the day."""
        match record.fact:
            case SettingsApplied(settings=settings):
                self._settings = settings
            case ProposalStaged(proposal=proposal) | ProposalEdited(proposal=proposal):
                self._proposals[proposal.id] = proposal

    def take(self, record: Recorded) -> None:
        self.hear(record)
        match record.fact:
            case BarClosed(bar=bar):
                for shadow in self._going(bar.symbol):
                    shadow.take(bar)
                self._last[bar.symbol] = bar.close
            case ProposalEnded(end=end, proposal_id=name) if end in NOT_TAKEN and name in self._proposals:
                self._follow(record, self._proposals[name], end.value)
            case ProposalSkipped(proposal=proposal) if proposal is not None:
                self._follow(record, proposal, BLOCKED)

    def _going(self, symbol: Symbol | None = None) -> Iterator[ShadowTrade]:
        for _, _, _, shadow in self._found:
            if shadow is not None and shadow.is_followed and symbol in (None, shadow.symbol):
                yield shadow

    def _follow(self, record: Recorded, proposal: Proposal, end: str) -> None:
        if not proposal.only_reduces:
            self._found.append((record, proposal, end, self._shadow(record.at, proposal, end)))

    def _shadow(self, at: datetime, proposal: Proposal, end: str) -> ShadowTrade | None:
        session, order, strategy = self._session_at(at), proposal.order, proposal.strategy
        holds_one = strategy != MANUAL and any(each.strategy == strategy for each in self._going(proposal.symbol))
        if holds_one or isinstance(session, NoSession) or self._settings is None or not isinstance(order, OrderRequest):
            return None
        last = self._last.get(order.symbol)
        return shadow_of(at, strategy, order, proposal.stop, proposal.reference, end, session, last, self._settings)
