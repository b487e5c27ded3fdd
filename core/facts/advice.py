"""What advisers said, and what became of it: words until a person adopts them (OP-09, ST-04)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.facts.registry import Fact, fact
from core.model.advice import TradeIdea
from core.model.recommendation import Recommendation
from core.model.values import Symbol


@fact()
@dataclass(frozen=True, slots=True)
class AdviceGiven(Fact):
    """An adviser said something. `number` counts them; the text holds no control characters."""

    number: int
    adviser: str
    text: str
    idea: TradeIdea | None
    expires_at: datetime


@fact()
@dataclass(frozen=True, slots=True)
class AdviserFailed(Fact):
    """It raised, hung, or said too much; told once. Trading goes on as before."""

    adviser: str
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class AdviserPaused(Fact):
    """It is asked no more until the next start."""

    adviser: str
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class AdviserOverstepped(Fact):
    """CRITICAL: an adviser reached for trading. It was refused, and nothing was done."""

    adviser: str
    attempt: str


@fact()
@dataclass(frozen=True, slots=True)
class RecommendationAdopted(Fact):
    """The operator took an advice over for a strategy: that strategy weighs it as it is, once (ST-04)."""

    number: int
    recommendation: Recommendation


@fact()
@dataclass(frozen=True, slots=True)
class RecommendationDropped(Fact):
    """It is used, over, or taken back."""

    strategy: str
    symbol: Symbol
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class AdoptionRefused(Fact):
    """An advice was not adopted, and why."""

    number: int
    reasons: tuple[str, ...]
