"""Short ways to say a verdict."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from core.model.staging import Standing, Verdict
from core.risk.protections.contract import new_york_time
from core.risk.protections.latches import Override


def passed(check: str, reason: str) -> Verdict:
    return Verdict(check, Standing.PASSES, reason)


def warned(check: str, reason: str) -> Verdict:
    return Verdict(check, Standing.WARNS, reason)


def refused(check: str, reason: str) -> Verdict:
    return Verdict(check, Standing.REFUSES, reason)


def unmeasured(check: str, reason: str, *, is_fresh: bool) -> Verdict:
    """A figure is missing: refused (RK-01), but only warned of while the ticket has yet to fetch it."""
    return refused(check, reason) if is_fresh else warned(check, f"{reason}; asked at the ticket")


def percent(ratio: Decimal) -> str:
    return f"{ratio * 100:.2f} %"


def usd(amount: Decimal) -> str:
    return f"{amount:,.2f} USD"


def overridden_until(override: Override, at: datetime) -> str:
    return f"overridden by you until {new_york_time(override.until, at)}"
