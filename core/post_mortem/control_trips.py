"""What a control did, as a fact tells it: it refused, shut, took an order back, or warned of its own limit (AN-06)."""

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
"""Whose cancel it is that is asked for with such a code."""


class TripKind(Enum):
    REFUSED = "refused"
    TRIPPED = "tripped"
    """It shut: a halt, a kill, an opening of the breaker, a protection."""
    TOOK_BACK = "took back"
    """An order that worked is cancelled."""
    WARNED = "warned"
    """Of its own limit: the order went all the same."""


@dataclass(frozen=True, slots=True)
class Trip:
    """When a control acted, or warned, and in which words; `at` in UTC."""

    at: datetime
    kind: TripKind
    words: str


Said = tuple[str, TripKind, str]
"""By which control, what it did, in which words."""


def said_in(fact: Fact) -> Iterator[Said]:
    """Each control that acted in a fact, or warned. An order that only reduces is warned of, never refused."""
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
    """Of a basket's row: its reasons begin with the name of the check, where one gave them."""
    for reason in reasons:
        name, _, words = reason.partition(": ")
        if name in BY_NAME:
            yield name, TripKind.REFUSED, words


def _judged(verdicts: Iterable[Verdict]) -> Iterator[Said]:
    """What measured nothing, as no figure was there yet, is no warning of a limit."""
    for verdict in verdicts:
        standing = verdict.standing
        if standing is CheckResult.WARNS and not any(words in verdict.reason for words in UNMEASURED):
            yield verdict.check, TripKind.WARNED, verdict.reason
        elif standing is CheckResult.REFUSES:
            yield verdict.check, TripKind.REFUSED, verdict.reason
