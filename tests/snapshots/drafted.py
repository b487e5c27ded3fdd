"""Drafts of two agents, one with false facts, and the ticket of one that was adopted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from core.model.draft import CheckedFact, DraftFact, FactResult
from core.model.order import Effect, OrderType, TimeInForce, digest_of
from core.model.values import Fraction
from core.views import DraftRow, TicketDraft, TicketView
from tests.snapshots.day import AIG, ENTRY, NOW, SPY, ago, money, price, shares


def checked(
    field: str, value: str, result: FactResult, ours: str | None = None, why: str = "", symbol: str = "SPY"
) -> CheckedFact:
    stated = DraftFact(symbol, field, Decimal(value), None, "get_quote")
    return CheckedFact(stated, result, None if ours is None else Decimal(ours), why)


FACTS = (
    checked("price", "166.76", FactResult.MATCHES, "166.76"),
    checked("position", "20", FactResult.DIFFERS, "0"),
    checked("buying_power", "500000", FactResult.DIFFERS, "186155.89", symbol=""),
    checked("bid", "166.71", FactResult.OLD, "166.75", "too long before the draft"),
    checked("stop_distance", "0.003", FactResult.MATCHES, "0.003"),
    checked("earnings", "2", FactResult.UNKNOWN, why="the desk does not know this field"),
)
REASON = (
    "SPY is 0.3 % below its average of the day and turned up in the last three minutes; volume is above that of the "
    "last days, and nothing is announced before the close"
)
FALSE = DraftRow(
    number=7, digest=digest_of("draft", "7"),
    agent="claude", symbol=SPY, effect=Effect.OPEN, quantity=shares("47"), is_sized=True,
    type=OrderType.LIMIT, limit_price=price("166.76"), stop_price=price("166.26"), target_price=price("167.29"),
    time_in_force=TimeInForce.DAY, reason=REASON, facts=FACTS, confidence=Fraction(Decimal("0.6")),
    drafted_at=ago(61), expires_at=NOW + timedelta(minutes=13, seconds=59), cost=money("7837.72"), risk=money("23.50"),
    earlier=12, checkable=20, false=3,
)  # fmt: skip
EXIT = replace(
    FALSE, number=8, digest=digest_of("draft", "8"),
    agent="a-long-name-of-an-agent", symbol=AIG, effect=Effect.CLOSE, quantity=shares("100"),
    is_sized=False, type=OrderType.MARKET, limit_price=None, stop_price=None, target_price=None, reason="it falls",
    facts=(), confidence=None, expires_at=NOW + timedelta(seconds=9), cost=money("4841.00"), risk=None, earlier=0,
)  # fmt: skip
DRAFTS = (FALSE, EXIT)
ADOPTED = replace(
    ENTRY, strategy="manual", reason=f"drafted by agent claude (draft 7): {REASON[:119]}…", agent="claude"
)


def with_draft(view: TicketView) -> TicketView:
    return replace(view, draft=TicketDraft(7, "claude", FACTS, f"{REASON[:119]}…"), exits=(), moved=None)
