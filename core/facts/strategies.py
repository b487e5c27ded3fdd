"""Facts of strategies: answers and failures, advice, and the nightly evaluation (OP-09, ST-04, ST-10)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from core.facts.registry import Fact, fact
from core.model.lazy_dataclass import dataclass
from core.model.recommendation import Recommendation, TradeIdea
from core.model.signal import EntrySignal, Evaluated, ExitSignal, SuspensionCause
from core.model.thesis import Evidence, Thesis, TradeKind, Verdict
from core.model.values import Fraction, Symbol


@fact(is_heard_again=True)
@dataclass(frozen=True, slots=True)
class SignalRaised(Fact):
    """A strategy's signal on a bar: an entry or an exit (ST-01). Later facts record its result."""

    signal: EntrySignal | ExitSignal


@fact(is_heard_again=True)
@dataclass(frozen=True, slots=True)
class ReasonsCounted(Fact):
    """A session has ended: each strategy's answers to its bars, with their counts (ST-03).

    Attributes
    ----------
    before
        The trading day of the session that begins.
    reasons
        By `strategy/SYMBOL`, how many bars had each reason for not trading, or `SIGNAL`.
    """

    before: date
    reasons: dict[str, dict[str, int]]


@fact(version=2)
@dataclass(frozen=True, slots=True)
class StrategyFailed(Fact):
    """A strategy gave no usable answer to a bar: it raised, or it was too slow.

    Attributes
    ----------
    reason
        Text of its exception; empty if it was slow.
    milliseconds, limit
        Its time and the time limit; None if it raised.
    is_broken_off
        It had not answered at the time-out: it has not seen the bar.
    """

    strategy: str
    symbol: Symbol
    bar_start: datetime
    reason: str = ""
    milliseconds: Decimal | None = None
    limit: Decimal | None = None
    is_broken_off: bool = False


@fact()
@dataclass(frozen=True, slots=True)
class SignalsOpposed(Fact):
    """On one bar some strategies would have bought and others sold: none of their entries is staged.

    Attributes
    ----------
    buyers, sellers
        The strategies that signalled.
    leaving
        Sellers whose exit is staged: all; in older records those whose exit protects, or was delayed before.
    """

    symbol: Symbol
    bar_start: datetime
    buyers: tuple[str, ...]
    sellers: tuple[str, ...]
    leaving: tuple[str, ...] = ()


@fact()
@dataclass(frozen=True, slots=True)
class StrategyMissing(Fact):
    """A user strategy with a settings table does not load, and why: nothing is proposed for it."""

    strategy: str
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class StrategyFound(Fact):
    """A user strategy loads again, or is no longer configured."""

    strategy: str


@fact()
@dataclass(frozen=True, slots=True)
class StrategyForgot(Fact):
    """The saved memory of a user strategy does not fit its State, and why: it starts fresh (ST-01)."""

    strategy: str
    symbol: Symbol
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class AdviceGiven(Fact):
    """An agent said a text. `number` counts them. `idea` is None, but in journals of earlier releases."""

    number: int
    adviser: str
    text: str
    idea: TradeIdea | None
    expires_at: datetime


@fact()
@dataclass(frozen=True, slots=True)
class AdviserFailed(Fact):
    """In journals of earlier releases: an adviser raised, hung, or sent too much."""

    adviser: str
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class AdviserPaused(Fact):
    """In journals of earlier releases: an adviser is paused until the next start."""

    adviser: str
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class AdviserOverstepped(Fact):
    """CRITICAL, in journals of earlier releases: an adviser tried to trade. Nothing was done."""

    adviser: str
    attempt: str


@fact()
@dataclass(frozen=True, slots=True)
class RecommendationAdopted(Fact):
    """The operator adopted a draft for its strategy, which evaluates it unchanged, once (ST-04)."""

    number: int
    recommendation: Recommendation


@fact()
@dataclass(frozen=True, slots=True)
class RecommendationDropped(Fact):
    """An adopted recommendation was used, expired or withdrawn."""

    strategy: str
    symbol: Symbol
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class AdoptionRefused(Fact):
    """In journals of earlier releases: an advice was not adopted, and why."""

    number: int
    reasons: tuple[str, ...]


@fact(version=3)
@dataclass(frozen=True, slots=True)
class StrategiesEvaluated(Fact):
    """The nightly evaluation of a trading day: each strategy that traded long enough, with its figures."""

    day: date
    results: tuple[Evaluated, ...]


@fact(aliases=("StrategyShut",))
@dataclass(frozen=True, slots=True)
class StrategySuspended(Fact):
    """A strategy may not open positions from here on; its exits continue.

    Attributes
    ----------
    strategy
        Empty for every strategy.
    scope
        The regime in which it applies; empty for all of them.
    until
        None if no time ends it.
    """

    strategy: str
    cause: SuspensionCause
    scope: str
    reason: str
    until: datetime | None


@fact(aliases=("StrategyOpened",))
@dataclass(frozen=True, slots=True)
class StrategyReinstated(Fact):
    """A strategy may open again, by the operator or because the cause has ended."""

    strategy: str
    cause: SuspensionCause
    scope: str
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class PromotionProposed(Fact):
    """A raise of the strategy's allocation by `step` is proposed. The operator decides."""

    strategy: str
    step: Fraction
    reason: str


@fact(version=2)
@dataclass(frozen=True, slots=True)
class PromotionDecided(Fact):
    """The operator decided on a raise.

    Attributes
    ----------
    allocation
        Of equity, from the next trading day on; None if declined, and in records of older desks that only noted it.
    """

    strategy: str
    is_adopted: bool
    allocation: Fraction | None = None


@fact()
@dataclass(frozen=True, slots=True)
class PromotionRefused(Fact):
    """A raise could not be adopted, and why; it stays proposed."""

    strategy: str
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class ReinstatementRefused(Fact):
    """A strategy stays paused, and why."""

    strategy: str
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class ThesisInvalidated(Fact):
    """The trades of a strategy refute its thesis; a pause of the strategy is proposed. The operator decides (AN-07).

    Attributes
    ----------
    evidence
        The first criterion that is met.
    earlier
        The invalidated thesis with the same sentence whose evidence it is, as `name (strategy)`; empty if its own.
    """

    thesis: Thesis
    kind: TradeKind
    evidence: Evidence
    earlier: str = ""


@fact()
@dataclass(frozen=True, slots=True)
class ThesisPauseDeclined(Fact):
    """The operator lets a strategy go on although its thesis is invalidated."""

    strategy: str


@fact()
@dataclass(frozen=True, slots=True)
class ThesesChecked(Fact):
    """The nightly check of the theses: each by its closed trades, and by its paper trades if there are any."""

    day: date
    verdicts: tuple[Verdict, ...]
