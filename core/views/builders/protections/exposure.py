"""What is held against its limits: positions, what all stops would lose, exposure, margin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from core.model.account import Account
from core.model.values import ZERO, Fraction, Money, Symbol, exact_percent, percent
from core.risk.budget import open_losses
from core.risk.checks.open_positions import places_taken
from core.risk.checks.verdicts import usd
from core.risk.margin import distance_of
from core.risk.portfolio import exposure_of
from core.settings.portfolio import UNLIMITED
from core.trading_state.state import TradingState
from core.views import ProtectionRow, SuspensionView
from core.views.builders.protections.row import row, used_of

NO_EQUITY = Decimal(1000)
"""The exposure, in multiples of equity, of an account that has none: more than any limit."""


def positions_row(state: TradingState) -> ProtectionRow:
    """Open ones and those that an entry on its way would open (EX-08)."""
    ledger, most = state.ledger, state.control.settings.risk.max_open_positions
    taken = len(places_taken(ledger))
    starts = [p.opened_at for p in ledger.positions()] + [o.created_at for o in ledger.working_entries()]
    is_full = taken >= most
    return row(
        "positions",
        "Positions",
        f"{taken} of {most}",
        "no further position; close one first" if is_full else None,
        "open, or an entry is on its way",
        used=used_of(Decimal(taken), Decimal(most)),
        since=max(starts, default=None) if is_full else None,
        word=SuspensionView.FULL,
    )


def budget_row(state: TradingState, at: datetime) -> ProtectionRow:
    """What the account would lose if every stop filled now, entries on their way as if they were filled (RK-21)."""
    part = state.control.settings.risk.sizing.budget
    measured = lost_at_the_stops(state, at)
    if measured is None:
        return row(
            "risk_budget", "Risk budget", f"unknown; limit {exact_percent(part)}", None, "equity is not known yet"
        )
    lost, equity = measured
    limit = part * equity
    return row(
        "risk_budget",
        "Risk budget",
        f"{percent(lost / equity, 1)} of {exact_percent(part)}",
        "nothing is left to lose; move a stop nearer, or close a position" if lost >= limit else None,
        f"{usd(lost)} of {usd(limit)} would be lost if every stop filled now",
        used=used_of(lost, limit),
        word=SuspensionView.FULL,
    )


def lost_at_the_stops(state: TradingState, at: datetime) -> tuple[Money, Money] | None:
    """USD that would be lost, and the equity; None while that is not known."""
    context = state.figures_for(at, Symbol(""), None)
    if not context.equity or context.equity < ZERO:
        return None
    return open_losses(state.ledger, context.last), Money(context.equity)


def portfolio_rows(state: TradingState) -> Iterator[ProtectionRow]:
    """The value of all positions and of entries on their way, where it is limited (RK-16)."""
    most = state.control.settings.risk.portfolio.max_exposure
    account = state.sightings.account
    if most == UNLIMITED or not isinstance(account, Account):
        return
    exposure = exposure_of(state.ledger, state.last_price) / account.equity if account.equity > 0 else NO_EQUITY
    yield row(
        "portfolio",
        "Exposure",
        f"{percent(exposure, 0)} of {percent(most, 0)}",
        "exits only: more is held than the profile allows" if exposure > most else None,
        "all positions, and entries on their way, of equity",
        used=used_of(exposure, most),
        word=SuspensionView.FULL,
    )


def margin_rows(state: TradingState) -> Iterator[ProtectionRow]:
    """What maintenance asks of equity, where margin is in use; the nearest of the day's samples (RK-14)."""
    account = state.sightings.account
    distance = distance_of(account) if isinstance(account, Account) else None
    if distance is None:
        return
    least = state.control.settings.risk.margin.refuse_at
    used = Fraction(1 - distance)
    most = max((sample.utilisation for sample in state.margin.state.samples), default=used)
    is_shut = distance < least or distance < 0
    yield row(
        "margin",
        "Margin",
        f"{percent(used, 0)} of {percent(1 - least, 0)}",
        "maintenance is too near: entries are refused until some is closed" if is_shut else None,
        f"maintenance margin of equity; the most of a day was {percent(max(most, used), 0)}",
        used=used_of(used, 1 - least),
    )
