"""The actions of controls in facts: refusals, trips, cancelled orders, and warnings of their own limits (AN-06)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from core.facts import (
    BasketOpened,
    BasketOrderSkipped,
    BasketRefused,
    BasketSigned,
    BreakerOpened,
    CancelRequested,
    ConfirmationRefused,
    Fact,
    Halted,
    Killed,
    OrderApproved,
    ProposalEdited,
    ProposalSkipped,
    ProposalStaged,
    ProtectionTripped,
    TicketOpened,
)
from core.model.codes import CancelCode
from core.model.staging import CheckResult, Verdict
from core.risk.checks.verdicts import UNMEASURED
from core.risk.controls import BY_NAME

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


def said_in(fact: Fact) -> Iterator[Said]:
    """Yield each control that acted or warned in a fact. A reducing order is only warned about, never refused."""
    match fact:
        case Halted():
            yield "kill switch", TripKind.TRIPPED, f"halted: {fact.reason}"
        case Killed():
            yield "kill switch", TripKind.TRIPPED, f"killed by {fact.by}"
        case BreakerOpened():
            yield "breaker", TripKind.TRIPPED, fact.reason
        case ProtectionTripped():
            yield fact.name.replace("_", " "), TripKind.TRIPPED, f"{fact.scope}: {fact.reason}"
        case CancelRequested(code=code) if code in TAKES_BACK:
            yield TAKES_BACK[code], TripKind.TOOK_BACK, fact.reason
        case ProposalSkipped() | ConfirmationRefused():
            for name, reason in zip(fact.checks, fact.reasons, strict=False):
                yield name, TripKind.REFUSED, reason.removeprefix(f"{name}: ")
        case BasketOpened():
            for line in fact.plan.lines:
                yield from _refused(line.refusals)
        case BasketSigned():
            for _, reasons in fact.left_out:
                yield from _refused(reasons)
        case BasketRefused() | BasketOrderSkipped():
            yield from _refused(fact.reasons)
        case ProposalStaged() | ProposalEdited() | OrderApproved():
            yield from _judged(fact.review.verdicts)
        case TicketOpened():
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
