"""Render guards of entries as text: the breaker, protections, the regime and its throttle, margin."""

from __future__ import annotations

from datetime import datetime

from core import facts
from core.event_text.pieces import EventTexts, told
from core.model.session import HOME
from core.model.values import percent, plain
from core.risk import regime
from core.risk.checks.verdicts import usd
from core.risk.protections.frequency import GOES_ON, RepeatedExecution

CallFact = facts.CallFailed | facts.CallAnswered
BreakerFact = facts.BreakerOpened | facts.BreakerClosed
ProtectionFact = facts.ProtectionTripped | facts.ProtectionExpired | facts.ProtectionOverridden | facts.OverrideEnded
ListFact = facts.SymbolListed | facts.SymbolUnlisted
ThrottleFact = facts.RiskThrottled | facts.RiskRestored
MarginFact = facts.MarginSampled | facts.MarginWarned | facts.MarginDeficitSeen


def _call(fact: CallFact) -> str:
    if isinstance(fact, facts.CallFailed):
        return f"no answer to {fact.call}: {fact.reason}"
    late = f" after {fact.took} s" if fact.is_slow else ""
    return f"the broker answered {fact.call}{late}"


def _breaker(fact: BreakerFact) -> str:
    if isinstance(fact, facts.BreakerClosed):
        return f"breaker OK: {fact.reason}"
    ends = "until you clear it" if fact.until is None else f"until {HOME.told(fact.until, '%H:%M:%S')}"
    return f"BREAKER open {ends}, no entries: {fact.reason}"


def _protection(fact: ProtectionFact) -> str:
    match fact:
        case facts.ProtectionTripped():
            until = _end_of(fact)
            return f"PROTECTION {_guard(fact)} TRIPPED, shut until {until}: {fact.reason}"
        case facts.ProtectionExpired():
            return f"protection {_guard(fact)} ended: entries pass it again"
        case facts.ProtectionOverridden() if fact.begins == fact.until:
            return f"protection {_guard(fact)} overridden: it goes on, and the count restarts"
        case facts.ProtectionOverridden():
            again = "" if fact.again_at is None else f", or until {usd(fact.again_at)} are lost"
            return f"protection {_guard(fact)} overridden from {_minute(fact.begins)} to {_minute(fact.until)}{again}"
        case facts.OverrideEnded():
            return f"protection {_guard(fact)} is no longer overridden: {fact.reason}"


def _end_of(fact: facts.ProtectionTripped) -> str:
    if fact.until is not None:
        return _minute(fact.until)
    return GOES_ON if fact.name == RepeatedExecution.name else "it recovers"


def _list(fact: ListFact) -> str:
    if isinstance(fact, facts.SymbolUnlisted):
        return f"{fact.symbol} is no longer on {fact.kind.value}"
    until = "" if fact.until is None else f" until {fact.until}"
    return f"{fact.symbol} is on {fact.kind.value}{until}, no entries: {fact.reason}"


def _guard(fact: ProtectionFact) -> str:
    """Return `cooldown SPY`, `max drawdown`."""
    scope = "" if fact.scope == "global" else f" {fact.scope}"
    return fact.name.replace("_", " ") + scope


def _minute(at: datetime) -> str:
    """Return the time without its year."""
    return HOME.told(at, "%m-%d %H:%M")


def _regime(fact: facts.RegimeMeasured) -> str:
    return f"regime: {regime.in_words(fact.regime)}"


def _throttle(fact: ThrottleFact) -> str:
    if isinstance(fact, facts.RiskRestored):
        return f"the throttle ends, a trade risks as much as before: {fact.reason}"
    return f"THROTTLE: a trade risks {plain(fact.factor)} of what it did: {fact.reason}"


def _margin(fact: MarginFact) -> str:
    if isinstance(fact, facts.MarginSampled):
        return f"margin: maintenance {usd(fact.maintenance_margin)} of {usd(fact.equity)} equity"
    if isinstance(fact, facts.MarginDeficitSeen):
        return f"MARGIN DEFICIT of {usd(fact.deficit)} on {fact.day:%d %b}: meet the broker's call, or close some"
    if fact.limit is None:
        return f"margin: excess over maintenance {percent(fact.distance, 1)}, over every distance that warns"
    if fact.distance < 0:
        return (
            f"MARGIN {percent(-fact.distance, 1)} UNDER maintenance: the broker may close positions; close some first"
        )
    over, limit = percent(fact.distance, 1), percent(fact.limit, 1)
    return f"MARGIN: excess over maintenance {over}, under {limit}: close some, or add equity"


GUARDS: EventTexts = {
    **told("broker", _call, CallFact),
    **told("broker", _breaker, BreakerFact),
    **told("guard", _protection, ProtectionFact),
    **told("guard", _list, ListFact),
    **told("regime", _regime, facts.RegimeMeasured),
    **told("guard", _throttle, ThrottleFact),
    **told("margin", _margin, MarginFact),
}
