"""The record of each request to the broker or the market, and the counts of requests by endpoint (EX-17).

Listeners are called where the request is carried: in a lane's thread for network requests, in the engine's own thread
in virtual time. A listener never waits and does not raise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol, runtime_checkable

from core.messages import effects, inputs
from core.model.account import NoAccount
from core.model.bar import NoQuote
from core.model.broker import FreshFigures, NoAnswer, NotFound, Refused
from core.model.codes import RefusalKind
from core.model.instrument import NoInstrument
from core.model.lazy_dataclass import dataclass

KINDS: dict[type, str] = {
    effects.SubmitOrder: "submit",
    effects.ReplaceOrder: "replace",
    effects.CancelOrder: "cancel",
    effects.LookUpOrder: "look_up",
    effects.FetchFigures: "figures",
    effects.FetchAccount: "account",
    effects.FetchBooks: "books",
    effects.FetchActivities: "activities",
    effects.FetchClock: "clock",
    effects.FetchSessions: "sessions",
    effects.FetchHistory: "history",
    effects.LookUpSymbols: "symbols",
}
"""The name of each kind of request in logs and metrics."""


class CallOutcome(StrEnum):
    """The outcome of a request."""

    ANSWERED = "answered"
    IN_PART = "in_part"
    """Some of the figures for a ticket are missing."""
    REFUSED = "refused"
    NOT_FOUND = "not_found"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class CallMade:
    """One finished request.

    Attributes
    ----------
    at
        The time of its outcome.
    seconds
        From sending to the answer or the time-out, in runtime time.
    words
        The text of a refusal or a missing answer; empty if it was answered.
    refusal
        The kind of the broker's refusal; None if there was none.
    """

    at: datetime
    kind: str
    outcome: CallOutcome
    seconds: float
    words: str = ""
    order: str = ""
    ticket: str = ""
    symbol: str = ""
    refusal: RefusalKind | None = None


CallListener = Callable[[CallMade], None]


def call_made(effect: effects.Effect, answer: inputs.Input, at: datetime, seconds: float) -> CallMade:
    """Return the record of a request and its outcome."""
    outcome, words, refusal = _outcome(answer)
    order, ticket, symbol = _subject(effect)
    return CallMade(at, KINDS[type(effect)], outcome, max(0.0, seconds), words, order, ticket, symbol, refusal)


def _outcome(message: inputs.Input) -> tuple[CallOutcome, str, RefusalKind | None]:
    match message:
        case (
            inputs.SubmissionAnswered()
            | inputs.CancelAnswered()
            | inputs.LookUpAnswered()
            | inputs.FiguresFetched()
            | inputs.AccountFetched()
            | inputs.ActivitiesFetched()
            | inputs.ClockFetched()
            | inputs.SessionsFetched()
            | inputs.BooksFetched()
            | inputs.HistoryFetched()
            | inputs.SymbolsLookedUp()
        ):
            answer = message.answer
        case _:
            return CallOutcome.ANSWERED, "", None
    match answer:
        case NoAnswer():
            return CallOutcome.NO_ANSWER, answer.reason, None
        case Refused():
            return CallOutcome.REFUSED, answer.message, answer.kind
        case NotFound():
            return CallOutcome.NOT_FOUND, "the broker has no such order", None
        case FreshFigures():
            missing = _missing(
                answer, is_quote_alone=isinstance(message, inputs.FiguresFetched) and message.is_quote_alone
            )
            return (CallOutcome.IN_PART, "; ".join(missing), None) if missing else (CallOutcome.ANSWERED, "", None)
    return CallOutcome.ANSWERED, "", None


def _missing(figures: FreshFigures, *, is_quote_alone: bool) -> list[str]:
    beside = () if is_quote_alone else (figures.broker_time, figures.account)
    parts = (*beside, figures.quote, figures.instrument)
    return [part.reason for part in parts if isinstance(part, NoAnswer | NoAccount | NoQuote | NoInstrument)]


def _subject(effect: effects.Effect) -> tuple[str, str, str]:
    """Return the order, ticket and symbol that a request names."""
    match effect:
        case effects.SubmitOrder() | effects.ReplaceOrder():
            return effect.order.client_order_id, "", effect.order.symbol
        case effects.CancelOrder() | effects.LookUpOrder():
            return effect.client_order_id, "", ""
        case effects.FetchFigures():
            return effect.proposal_id, effect.ticket_id or "", effect.symbol
    return "", "", ""


class CallCounts(Protocol):
    """The counts so far."""

    @property
    def sent(self) -> Mapping[str, int]: ...

    @property
    def beyond(self) -> int:
        """Requests beyond the usual number of their tasks (RK-24)."""
        ...


@runtime_checkable
class CountsCalls(Protocol):
    """An adapter that counts its requests. Adapters without counts are left out."""

    def calls(self) -> CallCounts: ...


def counted(*adapters: object) -> inputs.CallsCounted:
    """Return the sum over all adapters that count."""
    total: Counter[str] = Counter()
    beyond = 0
    for adapter in adapters:
        if isinstance(adapter, CountsCalls):
            calls = adapter.calls()
            total.update(calls.sent)
            beyond += calls.beyond
    return inputs.CallsCounted(tuple(total.items()), beyond)
