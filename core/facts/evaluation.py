"""The nightly evaluation of strategies, and the operator's decisions on it (ST-10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from core.facts.registry import Fact, fact
from core.model.evaluation import Evaluated, SuspensionCause
from core.model.values import Fraction


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
