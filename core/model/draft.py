"""Drafts of agents: an order that an agent suggests, with its facts and how each compares with the desk's data (OP-09,
OP-14).

A draft never reaches the stage by itself. It becomes a proposal when the operator adopts it.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

from core.model.fact_fields import OF_HOLDINGS, Ages, terms_named
from core.model.lazy_dataclass import dataclass
from core.model.order import Effect, OrderType, TimeInForce, digest_of
from core.model.values import ClientOrderId, Digest, Fraction, Money, Price, Quantity, Symbol, plain, priced

SUMMARISED_WITHIN = timedelta(days=7)
"""Days after which an agent cannot summarise a day any more: its report reads eight later days of the journal."""
SIDES = {
    Effect.OPEN: "buy",
    Effect.ADD: "buy",
    Effect.SHORT: "short",
    Effect.REDUCE: "sell",
    Effect.CLOSE: "sell",
    Effect.COVER: "cover",
}
"""The words of agents for the effects of their orders."""


def agent_word(agent: str) -> str:
    """Return what stands beside an order in place of a strategy."""
    return f"agent {agent}"


def drafted_by(agent: str, number: int) -> str:
    """Say of a proposal whose draft it was."""
    return f"drafted by {agent_word(agent)} (draft {number})"


class FactResult(StrEnum):
    MATCHES = "matches"
    DIFFERS = "differs"
    OLD = "old"
    """It was true at its time, and that is too long ago for its field, or the figure has changed since."""
    UNKNOWN = "unknown"
    """It cannot be checked."""


@dataclass(frozen=True, slots=True)
class DraftFact:
    """One fact that an agent states.

    Attributes
    ----------
    symbol
        Empty for a figure of the account.
    field
        A name that `field_named` knows, or a word that the desk does not know.
    value
        In the unit of the field.
    at
        UTC, the time of the figure; None for the moment of the draft.
    source
        Where the agent has it from, as it says.
    clock
        Its time by the exchange's clock, instead of `at`, as an agent may send it; a draft has none.
    """

    symbol: str
    field: str
    value: Decimal
    at: datetime | None
    source: str
    clock: time | None = None


@dataclass(frozen=True, slots=True)
class CheckedFact:
    """A fact beside the desk's own figure.

    Attributes
    ----------
    ours
        The desk's figure of the fact's time, of an old fact that of the draft; None if the desk has none.
    why
        Why it is old or cannot be checked.
    """

    fact: DraftFact
    result: FactResult
    ours: Decimal | None = None
    why: str = ""

    @property
    def needs_review(self) -> bool:
        """Whether its ticket waits for a review: it differs, or what is held or ordered has changed since."""
        if self.result is FactResult.OLD:
            terms = terms_named(self.fact.field)
            return terms is not None and terms.ages is Ages.BY_CHANGE and not OF_HOLDINGS.isdisjoint(terms.families)
        return self.result is FactResult.DIFFERS


@dataclass(frozen=True, slots=True)
class DraftTerms:
    """The order that a draft suggests.

    Attributes
    ----------
    quantity
        Shares; None asks the desk for the size.
    limit_price, stop_price, target_price
        USD. `stop_price` is that of the protective stop of an entry.
    strategy
        The strategy whose rules judge it if the operator adopts it (ST-04); empty for an order of the operator's own.
    """

    symbol: Symbol
    effect: Effect
    quantity: Quantity | None
    type: OrderType
    limit_price: Price | None = None
    stop_price: Price | None = None
    target_price: Price | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    strategy: str = ""

    def in_words(self, quantity: Quantity | None = None) -> str:
        """Return `buy 10 SPY limit 510.20, stop 505`; a quantity that the desk computed replaces a missing one."""
        many = self.quantity or quantity
        limit = f" {priced(self.limit_price)}" if self.limit_price is not None else ""
        stop = f", stop {priced(self.stop_price)}" if self.stop_price is not None else ""
        target = f", target {priced(self.target_price)}" if self.target_price is not None else ""
        shares = "shares of" if many is None else plain(many)
        judge = f", for {self.strategy}" if self.strategy else ""
        return f"{SIDES[self.effect]} {shares} {self.symbol} {self.type.word}{limit}{stop}{target}{judge}"


@dataclass(frozen=True, slots=True)
class DraftRequest:
    """A draft as an agent sends it.

    Attributes
    ----------
    key
        The agent's own name of it: the same key twice is the same draft.
    confidence
        The agent's probability that the trade gains, between 0 and 1; None if it states none.
    """

    key: str
    terms: DraftTerms
    reason: str
    facts: tuple[DraftFact, ...] = ()
    confidence: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A draft that the desk accepted.

    Attributes
    ----------
    number
        Counts the drafts of all agents.
    terms
        With its quantity.
    is_sized
        Whether the desk computed the quantity.
    facts
        As compared when it was drafted.
    """

    number: int
    agent: str
    key: str
    terms: DraftTerms
    quantity: Quantity
    is_sized: bool
    reason: str
    facts: tuple[CheckedFact, ...]
    confidence: Fraction | None
    drafted_at: datetime
    expires_at: datetime

    @property
    def in_words(self) -> str:
        return self.terms.in_words(self.quantity)

    @property
    def digest(self) -> Digest:
        """The digest of all that its agent sent, and when: a number alone may name another draft after a restart."""
        terms = self.terms
        prices = (terms.limit_price, terms.stop_price, terms.target_price, self.confidence)
        stated = (
            (fact.symbol, fact.field, plain(fact.value), _time(fact.at), fact.source)
            for fact in (checked.fact for checked in self.facts)
        )
        return digest_of(
            "draft", str(self.number), self.agent, self.key, _time(self.drafted_at), _time(self.expires_at),
            terms.symbol, terms.effect.value, plain(self.quantity), terms.type.value, terms.time_in_force.value,
            *("" if price is None else plain(price) for price in prices), terms.strategy, self.reason,
            *(text for fact in stated for text in fact),
        )  # fmt: skip


def _time(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()


class DraftEnd(StrEnum):
    """How a draft left the list."""

    STAGED = "staged"
    """The operator adopted it: it is a proposal."""
    GIVEN = "given"
    """The operator adopted it for the strategy that it names: that evaluates it."""
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    """By its agent."""
    BLOCKED = "blocked"
    """It was adopted and not staged."""


class DraftRefusal(StrEnum):
    """Why a draft was rejected when it was drafted."""

    UNREADABLE = "unreadable"
    UNKNOWN_AGENT = "unknown_agent"
    OFF = "off"
    LIVE = "live"
    HOURS = "hours"
    SYMBOL = "symbol"
    FLOOD = "flood"
    WAITING = "waiting"
    VALUE = "value"
    SIZE = "size"
    CHECKS = "checks"
    """The desk's own checks refuse such an order."""
    CHANGED = "changed"
    """Its key names another draft: a change is a new draft."""


class DraftWord(StrEnum):
    """What became of a draft."""

    WAITING = "waiting"
    STAGED = "staged"
    """The operator adopted it: it is a proposal, and nothing is sent yet."""
    GIVEN = "given"
    """The operator adopted it for its strategy, whose rules judge it."""
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    BLOCKED = "blocked"
    SENT = "sent"
    """The operator confirmed its ticket."""
    FILLED = "filled"
    CLOSED = "closed"
    """Its trade is over; `profit` has the result."""
    REJECTED = "rejected"
    """The broker rejected its order, or it ended without a fill."""


OVER = frozenset(
    {
        DraftWord.GIVEN,
        DraftWord.DECLINED,
        DraftWord.EXPIRED,
        DraftWord.WITHDRAWN,
        DraftWord.BLOCKED,
        DraftWord.CLOSED,
        DraftWord.REJECTED,
    }
)
"""Nothing more comes of these."""


@dataclass(frozen=True, slots=True)
class DraftOutcome:
    """A draft and what became of it, for its agent and the desk.

    Attributes
    ----------
    reason
        Of the person or the desk; empty if there is none.
    order_id
        Of its proposal and order; None before the operator adopted it.
    profit
        USD of the closed trade; None before.
    """

    draft: Draft
    word: DraftWord = DraftWord.WAITING
    reason: str = ""
    order_id: ClientOrderId | None = None
    profit: Money | None = None

    @property
    def number(self) -> int:
        return self.draft.number

    @property
    def is_waiting(self) -> bool:
        return self.word is DraftWord.WAITING


@dataclass(frozen=True, slots=True)
class DraftAnswer:
    """The desk's answer to a draft: its number, or why it was rejected and what to do."""

    key: str
    number: int | None
    quantity: Quantity | None = None
    code: DraftRefusal | None = None
    reasons: tuple[str, ...] = ()
    facts: tuple[CheckedFact, ...] = ()
