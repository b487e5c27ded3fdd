"""Adopt an advice as a recommendation at the operator's command: its strategy evaluates it once, unchanged (ST-04).

It ends when the strategy acts on it, at its expiry, or by the operator. Its quantity never changes: beyond a limit it
is refused by the same checks as any entry, with the size that would pass (RK-10).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from core.facts import AdoptionRefused, RecommendationAdopted, RecommendationDropped
from core.messages.commands import AdoptAdvice, DropRecommendation
from core.messages.effects import Effect
from core.model.recommendation import Recommendation
from core.model.signal import EntrySignal
from core.strategies.trade_plan import TradePlanStrategy
from core.trading_state.advice_book import Given
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers


class Recommendations:
    ACTS_BY_TIME = True

    def __init__(self, state: TradingState) -> None:
        self.state = state

    @answers(AdoptAdvice)
    def on_adopt(self, command: AdoptAdvice) -> Iterable[Effect]:
        state = self.state
        given = state.advice.advice(command.number)
        reason = "it is no longer on the desk" if given is None else why_not(state, given, state.at)
        if given is None or given.idea is None or reason:
            state.record(AdoptionRefused(command.number, (reason,)))
            return ()
        idea = given.idea
        recommendation = Recommendation(
            strategy=idea.strategy,
            symbol=idea.symbol,
            entry=idea.entry,
            stop=idea.stop,
            target=idea.target,
            quantity=idea.quantity,
            expires_at=given.expires_at,
            source=given.adviser,
        )
        state.record(RecommendationAdopted(given.number, recommendation))
        return ()

    @answers(DropRecommendation)
    def on_drop(self, command: DropRecommendation) -> Iterable[Effect]:
        if self.state.advice.recommendation(command.strategy, command.symbol) is not None:
            self.state.record(RecommendationDropped(command.strategy, command.symbol, "taken back by the operator"))
        return ()

    def after_entry(self, signal: EntrySignal) -> None:
        """End the recommendation after its entry was staged or refused: either way it is used."""
        told = self.state.advice.recommendation(signal.strategy, signal.symbol)
        if told is None or (told.entry, told.quantity) != (signal.limit_price, signal.quantity):
            return
        is_staged = self.state.stage.entry_waits(signal.symbol, signal.strategy)
        reason = "its proposal waits for your key" if is_staged else "its proposal was refused, the log says why"
        self.state.record(RecommendationDropped(signal.strategy, signal.symbol, reason))

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        return (told.expires_at for told in self.state.advice.state.adopted.values())

    def due(self) -> Iterable[Effect]:
        for told in tuple(self.state.advice.state.adopted.values()):
            if self.state.at >= told.expires_at:
                self.state.record(RecommendationDropped(told.strategy, told.symbol, "expired"))
        return ()


def why_not(state: TradingState, given: Given, at: datetime) -> str:
    """Return why the strategy named by an advice cannot adopt it now; empty if it can."""
    idea = given.idea
    if idea is None:
        return "it names no trade"
    if at >= given.expires_at:
        return "expired"
    if not idea.strategy:
        return "it names no strategy; n makes it an order of your own"
    runner = state.orchestrator.roster.runner(idea.strategy, idea.symbol)
    if runner is None:
        return f"no strategy {idea.strategy} runs on {idea.symbol}; n makes it an order of your own"
    if not isinstance(runner.strategy, TradePlanStrategy):
        return f"{idea.strategy} takes no recommendation; n makes it an order of your own"
    if not state.control.settings.strategies.of(idea.strategy).enabled:
        return f"{idea.strategy} is turned off; n makes it an order of your own"
    if state.advice.recommendation(idea.strategy, idea.symbol) is not None:
        return f"{idea.strategy} on {idea.symbol} has one that waits already; x takes that one back"
    return ""
