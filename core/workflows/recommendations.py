"""Keep the drafts that the operator adopted for a strategy (ST-04).

A strategy evaluates an adopted draft once, unchanged. It ends when the strategy acts on it, at its expiry, or by the
operator. Its quantity never changes: beyond a limit it is refused by the same checks as any entry, with the size that
would pass (RK-10).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from core import facts
from core.messages.commands import DropRecommendation
from core.messages.effects import Effect
from core.model.draft import Draft, DraftTerms
from core.model.recommendation import Recommendation
from core.model.signal import EntrySignal
from core.strategies.trade_plan import TradePlanStrategy
from core.trading_state.state import TradingState
from core.workflows.workflow import answers


class Recommendations:
    ACTS_BY_TIME = True
    DUE_BY_FACTS = True

    def __init__(self, state: TradingState) -> None:
        self.state = state

    def adopt(self, draft: Draft) -> None:
        """Hand a draft to the strategy that it names; `why_not` was empty."""
        terms = draft.terms
        assert terms.limit_price is not None
        assert terms.stop_price is not None
        assert terms.target_price is not None
        recommendation = Recommendation(
            strategy=terms.strategy,
            symbol=terms.symbol,
            entry=terms.limit_price,
            stop=terms.stop_price,
            target=terms.target_price,
            quantity=draft.quantity,
            expires_at=draft.expires_at,
            source=draft.agent,
        )
        self.state.record(facts.RecommendationAdopted(draft.number, recommendation))

    @answers(DropRecommendation)
    def on_drop(self, command: DropRecommendation) -> Iterable[Effect]:
        if self.state.advice.recommendation(command.strategy, command.symbol) is not None:
            self.state.record(
                facts.RecommendationDropped(command.strategy, command.symbol, "taken back by the operator")
            )
        return ()

    def after_entry(self, signal: EntrySignal) -> None:
        """End the recommendation after its entry was staged or refused: either way it is used."""
        told = self.state.advice.recommendation(signal.strategy, signal.symbol)
        if told is None or (told.entry, told.quantity) != (signal.limit_price, signal.quantity):
            return
        is_staged = self.state.stage.entry_waits(signal.symbol, signal.strategy)
        reason = "its proposal waits for your key" if is_staged else "its proposal was refused, the log says why"
        self.state.record(facts.RecommendationDropped(signal.strategy, signal.symbol, reason))

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        return (told.expires_at for told in self.state.advice.state.adopted.values())

    def due(self) -> Iterable[Effect]:
        for told in tuple(self.state.advice.state.adopted.values()):
            if self.state.at >= told.expires_at:
                self.state.record(facts.RecommendationDropped(told.strategy, told.symbol, "expired"))
        return ()


def why_not(state: TradingState, terms: DraftTerms) -> str:
    """Return why the strategy that a draft names cannot evaluate it now, and what to do; empty if it can."""
    name, symbol = terms.strategy, terms.symbol
    prices = (terms.stop_price, terms.limit_price, terms.target_price)
    if None in prices or not prices[0] < prices[1] < prices[2] or terms.effect.only_reduces:  # type: ignore[operator]
        return "a draft for a strategy buys at a limit, with its stop below and its target above"
    runner = state.orchestrator.roster.runner(name, symbol)
    if runner is None:
        return f"no strategy {name} runs on {symbol}; leave out the strategy to draft an order"
    if not isinstance(runner.strategy, TradePlanStrategy):
        return f"{name} takes no recommendation; leave out the strategy to draft an order"
    if not state.control.settings.strategies.of(name).enabled:
        return f"{name} is turned off; leave out the strategy to draft an order"
    if state.advice.recommendation(name, symbol) is not None:
        return f"{name} on {symbol} has one that waits; draft again when it has ended"
    return ""
