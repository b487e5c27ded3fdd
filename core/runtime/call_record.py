"""A request to the broker or the market as whoever carried it saw it: of what kind, what came of it, how long it took.

Told to listeners where the request is carried: in a lane's thread where it waits for a wire, in virtual time in the
engine's own. A listener never waits and does not raise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from core.messages.effects import (
    CancelOrder,
    Effect,
    FetchAccount,
    FetchActivities,
    FetchClock,
    FetchFigures,
    FetchHistory,
    FetchPicture,
    LookUpOrder,
    LookUpSymbols,
    ReplaceOrder,
    SubmitOrder,
)
from core.messages.inputs import (
    AccountFetched,
    ActivitiesFetched,
    CancelAnswered,
    ClockFetched,
    FiguresFetched,
    HistoryFetched,
    Input,
    LookUpAnswered,
    PictureFetched,
    SubmissionAnswered,
    SymbolsLookedUp,
)
from core.model.account import NoAccount
from core.model.broker import FreshFigures, NoAnswer, NotFound, Refused
from core.model.codes import RefusalKind
from core.model.instrument import NoInstrument
from core.model.quote import NoQuote

KINDS: dict[type, str] = {
    SubmitOrder: "submit",
    ReplaceOrder: "replace",
    CancelOrder: "cancel",
    LookUpOrder: "look_up",
    FetchFigures: "figures",
    FetchAccount: "account",
    FetchPicture: "books",
    FetchActivities: "activities",
    FetchClock: "clock",
    FetchHistory: "history",
    LookUpSymbols: "symbols",
}
"""By what is asked for, its word in logs and figures."""


class CallOutcome(StrEnum):
    """What came of it."""

    ANSWERED = "answered"
    IN_PART = "in_part"
    """Some of the figures that a ticket asks for did not come."""
    REFUSED = "refused"
    NOT_FOUND = "not_found"
    NO_ANSWER = "no_answer"


@dataclass(frozen=True, slots=True)
class CallMade:
    """One request that has come to something.

    Attributes
    ----------
    at
        When it had come to that.
    seconds
        From its leaving to its answer, or to its being given up; of the runtime's own time.
    words
        What a refusal or a missing answer says; empty where it was answered.
    refusal
        Of what kind the broker's no was; None where it said none.
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


def call_made(effect: Effect, answer: Input, at: datetime, seconds: float) -> CallMade:
    """What is told of a request and of the input that its outcome is."""
    outcome, words, refusal = _outcome(answer)
    order, ticket, symbol = _subject(effect)
    return CallMade(at, KINDS[type(effect)], outcome, max(0.0, seconds), words, order, ticket, symbol, refusal)


def _outcome(message: Input) -> tuple[CallOutcome, str, RefusalKind | None]:
    match message:
        case (
            SubmissionAnswered()
            | CancelAnswered()
            | LookUpAnswered()
            | FiguresFetched()
            | AccountFetched()
            | ActivitiesFetched()
            | ClockFetched()
            | PictureFetched()
            | HistoryFetched()
            | SymbolsLookedUp()
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
            missing = _missing(answer, is_quote_alone=isinstance(message, FiguresFetched) and message.is_quote_alone)
            return (CallOutcome.IN_PART, "; ".join(missing), None) if missing else (CallOutcome.ANSWERED, "", None)
    return CallOutcome.ANSWERED, "", None


def _missing(figures: FreshFigures, *, is_quote_alone: bool) -> list[str]:
    beside = () if is_quote_alone else (figures.broker_time, figures.account)
    parts = (*beside, figures.quote, figures.instrument)
    return [part.reason for part in parts if isinstance(part, NoAnswer | NoAccount | NoQuote | NoInstrument)]


def _subject(effect: Effect) -> tuple[str, str, str]:
    """Of which order, ticket and symbol it is, as far as it names them."""
    match effect:
        case SubmitOrder() | ReplaceOrder():
            return effect.order.client_order_id, "", effect.order.symbol
        case CancelOrder() | LookUpOrder():
            return effect.client_order_id, "", ""
        case FetchFigures():
            return effect.proposal_id, effect.ticket_id or "", effect.symbol
    return "", "", ""
