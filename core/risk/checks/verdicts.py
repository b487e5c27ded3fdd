"""Short ways to say a verdict."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from core.model.quote import NoQuote
from core.model.staging import CheckResult, Verdict
from core.model.venue import Venue
from core.risk.gate import ReviewContext
from core.risk.protections.overrides import Override

AT_THE_TICKET = "asked at the ticket"
LET_PASS = "risk.on_missing_equity lets it pass"
NO_QUOTE = "no quote: "
NOT_KNOWN = "not known"
UNMEASURED = (AT_THE_TICKET, LET_PASS, NO_QUOTE, NOT_KNOWN)
"""Words of a verdict that measured nothing: a figure was missing."""


@lru_cache(maxsize=256)
def passed(check: str, reason: str) -> Verdict:
    """In words that are the same each time; what passes by figures is left `unsaid`."""
    return Verdict(check, CheckResult.PASSES, reason)


@lru_cache(maxsize=256)
def warned(check: str, reason: str) -> Verdict:
    return Verdict(check, CheckResult.WARNS, reason)


def refused(check: str, reason: str) -> Verdict:
    return Verdict(check, CheckResult.REFUSES, reason)


def unmeasured(check: str, reason: str, *, is_fresh: bool) -> Verdict:
    """A figure is missing: refused (RK-01), but only warned of while the ticket has yet to fetch it."""
    return refused(check, reason) if is_fresh else warned(check, f"{reason}; {AT_THE_TICKET}")


def without_equity(check: str, reason: str, state: ReviewContext) -> Verdict:
    """The account's value is missing: refused, unless the operator's settings let it pass, which is said (RK-03)."""
    if state.settings.risk.on_missing_equity == "allow":
        return warned(check, f"{reason}; {LET_PASS}")
    return refused(check, reason)


def lacking(check: str, price: Decimal | None, state: ReviewContext) -> Verdict:
    """A limit of which the price is missing, or else the equity that it is a part of."""
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
