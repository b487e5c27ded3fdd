"""Render the facts of advisers as text, one line each, for the log and the journal's tail."""

from __future__ import annotations

from core import facts
from core.model.recommendation import TradeIdea
from core.model.session import HOME
from core.model.values import plain, priced

CRITICAL = "CRITICAL"
"""The log's word for an adviser's attempt to trade."""

KINDS: dict[type, str] = {
    facts.AdviceGiven: "advice",
    facts.AdviserFailed: "adviser",
    facts.AdviserPaused: "adviser",
    facts.AdviserOverstepped: CRITICAL,
    facts.RecommendationAdopted: "advice",
    facts.RecommendationDropped: "advice",
    facts.AdoptionRefused: "advice",
}


def in_words(fact: facts.Fact) -> str:
    match fact:
        case facts.AdviceGiven():
            idea = "" if fact.idea is None else f"; {idea_in_words(fact.idea)}"
            return f"{fact.adviser}: {fact.text}{idea}"
        case facts.AdviserFailed():
            return f"{fact.adviser} failed: {fact.reason}; trading goes on without it"
        case facts.AdviserPaused():
            return f"{fact.adviser} is asked no more: {fact.reason}"
        case facts.AdviserOverstepped():
            return f"adviser {fact.adviser} tried to {fact.attempt}; it was refused, nothing was done"
        case facts.RecommendationAdopted():
            told = fact.recommendation
            return f"advice {fact.number} adopted for {told.strategy} on {told.symbol}, by {HOME.told(told.expires_at)}"
        case facts.RecommendationDropped():
            return f"the advice for {fact.strategy} on {fact.symbol} is over: {fact.reason}"
        case facts.AdoptionRefused():
            return f"advice {fact.number} is not adopted: {'; '.join(fact.reasons)}"
    return type(fact).__name__


def idea_in_words(idea: TradeIdea) -> str:
    """Return `momentum: 3 SPY at 100.50, stop 100, target 102`."""
    whose = f"{idea.strategy}: " if idea.strategy else ""
    prices = f"at {priced(idea.entry)}, stop {priced(idea.stop)}, target {priced(idea.target)}"
    return f"{whose}{plain(idea.quantity)} {idea.symbol} {prices}"
