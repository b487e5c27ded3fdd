"""Verdict constructors."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from core.model.bar import NoQuote
from core.model.session import Venue
from core.model.staging import CheckResult, Verdict
from core.risk.gate import ReviewContext
from core.risk.protections.protection_registry import Override

AT_THE_TICKET = "asked at the ticket"
LET_PASS = "risk.on_missing_equity lets it pass"
NO_QUOTE = "no quote: "
NOT_KNOWN = "not known"
UNMEASURED = (AT_THE_TICKET, LET_PASS, NO_QUOTE, NOT_KNOWN)
"""Phrases of a verdict that measured nothing because a figure was missing."""


@lru_cache(maxsize=256)
def passed(check: str, reason: str) -> Verdict:
    """Pass with a constant reason; for a reason with figures use `unsaid`."""
    return Verdict(check, CheckResult.PASSES, reason)


@lru_cache(maxsize=256)
def warned(check: str, reason: str) -> Verdict:
    return Verdict(check, CheckResult.WARNS, reason)


def refused(check: str, reason: str) -> Verdict:
    return Verdict(check, CheckResult.REFUSES, reason)


def unmeasured(check: str, reason: str, *, is_fresh: bool) -> Verdict:
    """Refuse for a missing figure (RK-01), or warn while the ticket has not fetched it yet."""
    return refused(check, reason) if is_fresh else warned(check, f"{reason}; {AT_THE_TICKET}")


def without_equity(check: str, reason: str, state: ReviewContext) -> Verdict:
    """Refuse for missing equity, or warn if the operator's settings allow it (RK-03)."""
    if state.settings.risk.on_missing_equity == "allow":
        return warned(check, f"{reason}; {LET_PASS}")
    return refused(check, reason)


def lacking(check: str, price: Decimal | None, state: ReviewContext) -> Verdict:
    """Report a missing price, or else the missing equity that a limit is a part of."""
    if price is None:
        return unmeasured(check, "no price to measure it by", is_fresh=state.is_fresh)
    if state.settings.risk.on_missing_equity == "allow":
        return without_equity(check, "no equity to measure it by", state)
    return unmeasured(check, "no equity to measure it by", is_fresh=state.is_fresh)


@lru_cache(maxsize=8)
def without(quote: NoQuote) -> str:
    return f"{NO_QUOTE}{quote.reason}"


def usd(amount: Decimal) -> str:
    return f"{amount:,.2f} USD"


def overridden_until(override: Override, at: datetime, venue: Venue) -> str:
    return f"overridden by you until {venue.dated(override.until, at)}"
