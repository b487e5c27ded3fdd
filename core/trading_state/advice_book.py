"""The slice of the advice: the last advice, paused advisers, and recommendations adopted by the operator."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from core.facts import (
    AdviceGiven,
    AdviserOverstepped,
    AdviserPaused,
    EngineStarted,
    RecommendationAdopted,
    RecommendationDropped,
)
from core.model.advice import TradeIdea
from core.model.recommendation import Recommendation
from core.model.values import Symbol

KEPT = 50
"""The number of kept advices; older ones are in the journal."""


@dataclass(frozen=True, slots=True)
class Given:
    """An advice, the time it arrived, and its expiry."""

    number: int
    adviser: str
    at: datetime
    text: str
    idea: TradeIdea | None
    expires_at: datetime


@dataclass(slots=True)
class AdviceState:
    """`given` holds the last advices, the newest last. `adopted` is keyed `strategy/SYMBOL`."""

    given: list[Given] = field(default_factory=list)
    numbers: int = 0
    paused: dict[str, str] = field(default_factory=dict)
    oversteps: int = 0
    adopted: dict[str, Recommendation] = field(default_factory=dict)
    adopted_from: dict[str, int] = field(default_factory=dict)


class AdviceBook:
    name = "advice"

    def __init__(self) -> None:
        self.state = AdviceState()
        self.folds = {
            AdviceGiven: self._given,
            AdviserPaused: self._paused,
            AdviserOverstepped: self._overstepped,
            EngineStarted: self._started,
            RecommendationAdopted: self._adopted,
            RecommendationDropped: self._dropped,
        }

    def restore(self, state: AdviceState) -> None:
        self.state = state

    def advice(self, number: int) -> Given | None:
        return next((given for given in self.state.given if given.number == number), None)

    def is_said(self, adviser: str, text: str, at: datetime) -> bool:
        """Whether it gave the same advice before, which has not expired."""
        return any((g.adviser, g.text) == (adviser, text) and at < g.expires_at for g in self.state.given)

    def recommendation(self, strategy: str, symbol: Symbol) -> Recommendation | None:
        """The adopted recommendation that has not been used yet."""
        return self.state.adopted.get(key_of(strategy, symbol))

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _given(self, at: datetime, fact: AdviceGiven) -> None:
        given = Given(fact.number, fact.adviser, at, fact.text, fact.idea, fact.expires_at)
        self.state.given = [*self.state.given[-(KEPT - 1) :], given]
        self.state.numbers = fact.number

    def _paused(self, _at: datetime, fact: AdviserPaused) -> None:
        self.state.paused[fact.adviser] = fact.reason

    def _overstepped(self, _at: datetime, _fact: AdviserOverstepped) -> None:
        self.state.oversteps += 1

    def _started(self, _at: datetime, _fact: EngineStarted) -> None:
        self.state.paused = {}

    def _adopted(self, _at: datetime, fact: RecommendationAdopted) -> None:
        key = key_of(fact.recommendation.strategy, fact.recommendation.symbol)
        self.state.adopted[key] = fact.recommendation
        self.state.adopted_from[key] = fact.number

    def _dropped(self, _at: datetime, fact: RecommendationDropped) -> None:
        self.state.adopted.pop(key_of(fact.strategy, fact.symbol), None)
        self.state.adopted_from.pop(key_of(fact.strategy, fact.symbol), None)


def key_of(strategy: str, symbol: Symbol) -> str:
    return f"{strategy}/{symbol}"
