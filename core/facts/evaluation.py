"""What a night said of the strategies, and what the operator said to it (ST-10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from core.facts.registry import Fact, fact
from core.model.evaluation import Evaluated, SuspensionCause
from core.model.values import Fraction


@fact(version=2)
@dataclass(frozen=True, slots=True)
class StrategiesEvaluated(Fact):
    """The night of this trading day is judged: each strategy that traded for long enough, with its figures."""

    day: date
    results: tuple[Evaluated, ...]


@fact(aliases=("StrategyShut",))
@dataclass(frozen=True, slots=True)
class StrategySuspended(Fact):
    """It opens nothing from here on; its exits go on.

    Attributes
    ----------
    strategy
        Empty where every strategy is meant.
    scope
        The regime in which it is; empty where it is in all of them.
    until
        None where no time ends it.
    """

    strategy: str
    cause: SuspensionCause
    scope: str
    reason: str
    until: datetime | None


@fact(aliases=("StrategyOpened",))
@dataclass(frozen=True, slots=True)
class StrategyReinstated(Fact):
    """It may open again, by the operator or because its cause is over."""

    strategy: str
    cause: SuspensionCause
    scope: str
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class PromotionProposed(Fact):
    """It did well: so much more of its allocation is proposed. The operator decides."""

    strategy: str
    step: Fraction
    reason: str


@fact(version=2)
@dataclass(frozen=True, slots=True)
class PromotionDecided(Fact):
    """The operator's word on it.

    Attributes
    ----------
    allocation
        Of equity, from the next trading day on; None where it is declined, and where an older desk only noted it.
    """

    strategy: str
    is_adopted: bool
    allocation: Fraction | None = None


@fact()
@dataclass(frozen=True, slots=True)
class PromotionRefused(Fact):
    """It could not be adopted, and why; it stays proposed."""

    strategy: str
    reason: str
