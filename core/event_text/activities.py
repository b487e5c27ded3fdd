"""Render the broker's activities as text."""

from __future__ import annotations

from core import facts
from core.event_text.pieces import EventTexts, listed, told
from core.model.values import plain
from core.risk.checks.verdicts import usd

ActivityFact = (
    facts.CashMoved
    | facts.SharesMoved
    | facts.CorporateActionApplied
    | facts.ActivityQuarantined
    | facts.ActivitiesCompared
)


def _activity(fact: ActivityFact) -> str:
    match fact:
        case facts.CashMoved():
            symbol = "" if fact.symbol is None else f" {fact.symbol}"
            return f"{fact.kind.value}{symbol} {fact.amount:+} USD of {fact.day} ({fact.words}; {fact.activity_id})"
        case facts.SharesMoved():
            at = "" if fact.price is None else f" at {plain(fact.price)}"
            shares = f"{fact.symbol} {plain(fact.quantity)} shares{at}"
            return f"{shares} moved on {fact.day} ({fact.words}; {fact.activity_id}); the books are compared"
        case facts.CorporateActionApplied():
            what = f"{fact.symbol} split of {fact.day}: {plain(fact.quantity_before)} became"
            done = "" if fact.owners else ", which our books had already"
            return f"{what} {plain(fact.quantity_after)} at the same cost{done}"
        case facts.ActivityQuarantined():
            return f"an activity of the broker's cannot be read and counts nowhere: {fact.reason}"
        case facts.ActivitiesCompared():
            figures = f"equity {usd(fact.equity)}, cash {usd(fact.cash)}"
            words = tuple(difference.in_words for difference in fact.differences)
            if not words:
                return f"the broker's activities agree with the journal; {figures}"
            return "the broker's activities differ from the journal:" + listed(words, " ")


ACTIVITIES: EventTexts = told("broker", _activity, ActivityFact)
