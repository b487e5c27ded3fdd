"""Advisers' messages and their outcome: only text until the operator adopts one (OP-09, ST-04)."""

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
    """An adviser sent a message. `number` counts them; the text holds no control characters."""

    number: int
    adviser: str
    text: str
    idea: TradeIdea | None
    expires_at: datetime


@fact()
@dataclass(frozen=True, slots=True)
class AdviserFailed(Fact):
    """An adviser raised, hung, or sent too much; recorded once. Trading continues."""

    adviser: str
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class AdviserPaused(Fact):
    """An adviser is paused until the next start."""

    adviser: str
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class AdviserOverstepped(Fact):
    """CRITICAL: an adviser tried to trade. The attempt was refused, and nothing was done."""

    adviser: str
    attempt: str


@fact()
@dataclass(frozen=True, slots=True)
class RecommendationAdopted(Fact):
    """The operator adopted an advice for a strategy, which evaluates it unchanged, once (ST-04)."""

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
    """An advice was not adopted, and why."""

    number: int
    reasons: tuple[str, ...]
