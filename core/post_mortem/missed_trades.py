"""Missed trades with their hypothetical profit, and the actions of controls in facts (OP-12, AN-06)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import Enum

from core import facts
from core.model.codes import CancelCode
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderRequest
from core.model.session import HOME, NoSession, Session
from core.model.staging import CheckResult, Proposal, Verdict
from core.model.values import ClientOrderId, Money, Price, ProposalId, Symbol
from core.ports import Recorded
from core.risk.controls import BY_NAME
from core.risk.gate import UNMEASURED
from core.risk.shadow_trades import (
    BLOCKED,
    NOT_FOLLOWED,
    NOT_TAKEN,
    ShadowCourse,
    ShadowTrade,
    aims_of,
    let_go,
)
from core.settings.settings import Settings

SessionAt = Callable[[datetime], Session | NoSession]


@dataclass(frozen=True, slots=True)
class LetGo:
    """A missed entry.

    Attributes
    ----------
    record
        The record of its end.
    end
        `declined`, `expired` or `blocked`.
    state
        Of its shadow trade: how far it came, or why it is not followed.
    would_have_made
        The profit of a shadow trade to its end or to the last price read, after fees, USD; None if it would not have
        filled, or was not followed.
    """

    record: Recorded
    proposal: Proposal
    end: str
    state: ShadowCourse
    would_have_made: Money | None

    @property
    def is_left_out(self) -> bool:
        """Return whether it is counted and was not followed."""
        return self.state in NOT_FOLLOWED


def let_go_on(
    days: Sequence[date],
    by_day: Mapping[date, Sequence[Recorded]],
    before: Iterable[Recorded],
    session_at: SessionAt,
) -> list[LetGo]:
    """Return the missed trades of these days, with shadow trades as the desk follows them, overnight too."""
    followed, wanted = _Followed(session_at), set(days)
    for record in before:
        followed.hear(record)
    for day, records in by_day.items():
        for record in records:
            if day in wanted:
                followed.take(record)
            else:
                followed.hear(record)
        followed.close(day)
    return followed.let_go()


class _Followed:
    def __init__(self, session_at: SessionAt) -> None:
        self._session_at = session_at
        self._settings: Settings | None = None
        self._proposals: dict[ProposalId, Proposal] = {}
        self._sent: dict[ClientOrderId, ProposalId] = {}
        self._last: dict[Symbol, Price] = {}
        self._found: dict[str, tuple[Recorded, Proposal, ShadowTrade]] = {}
        self._going: list[ShadowTrade] = []

    def let_go(self) -> list[LetGo]:
        return [LetGo(r, p, each.end, each.course, each.result) for r, p, each in self._found.values()]

    def close(self, day: date) -> None:
        """End the day: only what is held overnight goes on."""
        night = HOME.end_of(day)
        for shadow in self._going:
            if not shadow.is_held_at(night):
                shadow.close()
        self._going = [shadow for shadow in self._going if shadow.is_held_at(night)]

    def hear(self, record: Recorded) -> None:
        """Take a record from before the day."""
        match record.fact:
            case facts.SettingsApplied(settings=settings):
                self._settings = settings
            case facts.ProposalStaged(proposal=proposal) | facts.ProposalEdited(proposal=proposal):
                self._proposals[proposal.id] = proposal
            case facts.OrderCreated(order=order, proposal_id=name):
                self._sent[order.client_order_id] = name

    def take(self, record: Recorded) -> None:
        self.hear(record)
        match record.fact:
            case facts.BarClosed(bar=bar):
                for shadow in self._going:
                    if shadow.symbol == bar.symbol:
                        shadow.take(bar)
                self._going = [shadow for shadow in self._going if shadow.is_followed]
                self._last[bar.symbol] = bar.close
            case facts.CorporateActionApplied() as action:
                for shadow in self._going:
                    if action.moves_levels and shadow.symbol == action.symbol:
                        shadow.go_over(action, HOME.day_of)
                if action.moves_prices:
                    self._last.pop(action.symbol, None)
            case facts.ProposalEnded(end=end, proposal_id=name) if end in NOT_TAKEN and name in self._proposals:
                self._follow(record, self._proposals[name], end.value)
            case facts.SubmissionBlocked(client_order_id=order) if order in self._sent:
                if (blocked := self._proposals.get(self._sent[order])) is not None:
                    self._follow(record, blocked, BLOCKED)
            case facts.ProposalSkipped(proposal=proposal) if proposal is not None:
                self._follow(record, proposal, BLOCKED)

    def _follow(self, record: Recorded, proposal: Proposal, end: str) -> None:
        order, settings = proposal.order, self._settings
        if settings is None or not isinstance(order, OrderRequest):
            return
        at, last, aims = record.at, self._last.get(order.symbol), aims_of(proposal, settings)
        shadow = let_go(
            at, proposal.strategy, order, proposal.stop, aims, end, self._session_at(at), last, settings, self._going
        )
        if shadow is None or shadow.key in self._found:
            return
        self._found[shadow.key] = record, proposal, shadow
        if shadow.is_followed:
            self._going.append(shadow)


TAKES_BACK: Mapping[CancelCode, str] = {
    CancelCode.KILLED: "kill switch",
    CancelCode.LISTED: "lists",
    CancelCode.REPEATED: "repeated execution",
}
"""The control behind each of these cancel codes."""


class TripKind(Enum):
    REFUSED = "refused"
    TRIPPED = "tripped"
    """A block of entries: a halt, a kill, an open breaker, a protection."""
    TOOK_BACK = "took back"
    """A working order was cancelled."""
    WARNED = "warned"
    """A warning of the control's limit: the order went all the same."""


@dataclass(frozen=True, slots=True)
class Trip:
    """An action or a warning of a control, and its text; `at` in UTC."""

    at: datetime
    kind: TripKind
    words: str


Said = tuple[str, TripKind, str]
"""The control, its action, and the text."""


def said_in(fact: facts.Fact) -> Iterator[Said]:
    """Yield each control that acted or warned in a fact. A reducing order is only warned about, never refused."""
    match fact:
        case facts.Halted():
            yield "kill switch", TripKind.TRIPPED, f"halted: {fact.reason}"
        case facts.Killed():
            yield "kill switch", TripKind.TRIPPED, f"killed by {fact.by}"
        case facts.BreakerOpened():
            yield "breaker", TripKind.TRIPPED, fact.reason
        case facts.ProtectionTripped():
            yield fact.name.replace("_", " "), TripKind.TRIPPED, f"{fact.scope}: {fact.reason}"
        case facts.CancelRequested(code=code) if code in TAKES_BACK:
            yield TAKES_BACK[code], TripKind.TOOK_BACK, fact.reason
        case facts.ProposalSkipped() | facts.ConfirmationRefused():
            for name, reason in zip(fact.checks, fact.reasons, strict=False):
                yield name, TripKind.REFUSED, reason.removeprefix(f"{name}: ")
        case facts.BasketOpened():
            for line in fact.plan.lines:
                yield from _refused(line.refusals)
        case facts.BasketSigned():
            for _, reasons in fact.left_out:
                yield from _refused(reasons)
        case facts.BasketRefused() | facts.BasketOrderSkipped():
            yield from _refused(fact.reasons)
        case facts.ProposalStaged() | facts.ProposalEdited() | facts.OrderApproved():
            yield from _judged(fact.review.verdicts)
        case facts.TicketOpened():
            yield from _judged(fact.ticket.review.verdicts)


def _refused(reasons: Iterable[str]) -> Iterator[Said]:
    """Yield the checks named in a basket row's reasons."""
    for reason in reasons:
        name, _, words = reason.partition(": ")
        if name in BY_NAME:
            yield name, TripKind.REFUSED, words


def _judged(verdicts: Iterable[Verdict]) -> Iterator[Said]:
    """Yield warnings and refusals; a check without data yet is no warning of a limit."""
    for verdict in verdicts:
        standing = verdict.standing
        if standing is CheckResult.WARNS and not any(words in verdict.reason for words in UNMEASURED):
            yield verdict.check, TripKind.WARNED, verdict.reason
        elif standing is CheckResult.REFUSES:
            yield verdict.check, TripKind.REFUSED, verdict.reason
