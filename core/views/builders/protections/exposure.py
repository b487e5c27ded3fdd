"""Build the rows of exposure against its limits: positions, losses at the stops, exposure, margin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.model.account import Account
from core.model.values import ZERO, Fraction, Money, Symbol, exact_percent, percent
from core.risk.checks.exposure import places_taken
from core.risk.checks.verdicts import usd
from core.risk.exposure import exposure_by_sector, exposure_by_symbol, exposure_of, open_losses, value_taken
from core.risk.margin import distance_of
from core.settings.portfolio import UNLIMITED
from core.trading_state.state import TradingState
from core.views import ProtectionRow, SuspensionView
from core.views.builders.protections.row import next_session, row, used_of

NO_EQUITY = Decimal(1000)
"""Exposure, in multiples of equity, of an account without equity: more than any limit."""


def positions_row(state: TradingState) -> ProtectionRow:
    """Return open positions and those of entries in flight, against the limit (EX-08)."""
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
    """Return the account's loss if every stop filled now, with entries in flight counted as filled (RK-21)."""
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
    """Return the loss in USD, and the equity; None while that is unknown."""
    context = state.figures_for(at, Symbol(""), None)
    if not context.equity or context.equity < ZERO:
        return None
    return open_losses(state.ledger, context.last), Money(context.equity)


def portfolio_rows(state: TradingState) -> Iterator[ProtectionRow]:
    """Yield the value of all positions and entries in flight, if it is limited (RK-16)."""
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


def concentration_rows(state: TradingState) -> Iterator[ProtectionRow]:
    """Yield the largest symbol, and each sector with a position, if that is limited (RK-23)."""
    risk, account = state.control.settings.risk, state.sightings.account
    terms = risk.portfolio
    if not terms.limits_concentration or not isinstance(account, Account) or account.equity <= 0:
        return
    held = exposure_by_symbol(state.ledger, state.last_price)
    parts = [(f"sector/{name}", name, worth, terms.sector_exposure) for name, worth in
             sorted(exposure_by_sector(held, risk.sectors).items())]  # fmt: skip
    if held:
        largest = max(sorted(held), key=held.__getitem__)
        parts.insert(0, ("largest_symbol", largest, held[largest], terms.symbol_exposure))
    for key, name, worth, most in parts:
        part = worth / account.equity
        yield row(
            key,
            f"Exposure {name}",
            f"{percent(part, 0)} of {percent(most, 0)}",
            f"nothing more of {name}: it is as large a part as it may be" if part >= most else None,
            "long and short added up, and entries on their way, of equity",
            used=used_of(part, most),
            word=SuspensionView.FULL,
        )


def day_value_rows(state: TradingState, at: datetime, today: date) -> Iterator[ProtectionRow]:
    """Yield all entries of the day, if they are limited (RK-23)."""
    cap = state.control.settings.risk.max_day_value
    if cap.limits_nothing:
        return
    context = state.figures_for(at, Symbol(""), None)
    taken, most = value_taken(today, context.day_value, state.ledger, context.confirmed), cap.of(context.equity)
    if most is None:
        yield row("day_value", "Value today", f"{usd(taken.total)}; limit unknown", None, "equity is not known yet")
        return
    parts = ((taken.filled, "filled"), (taken.working, "working"), (taken.confirmed, "confirmed"))
    told = ", ".join(f"{usd(part)} {word}" for part, word in parts if part) or "none so far"
    yield row(
        "day_value",
        "Value today",
        f"{taken.total:,.2f} of {usd(most)}",
        f"no further entry today: {told}" if taken.total >= most else None,
        f"entries of today: {told}",
        used=used_of(taken.total, most),
        until=next_session(state, at, today).open if taken.total >= most else None,
        word=SuspensionView.FULL,
    )


def margin_deficit_rows(state: TradingState, today: date) -> Iterator[ProtectionRow]:
    """Yield the days with a margin deficit, if there were any (RK-14)."""
    terms, account = state.control.settings.risk.margin, state.sightings.account
    days = state.margin.state.deficits_within(terms.deficit_days, today)
    if not terms.counts_deficits or not days or not isinstance(account, Account) or not account.lends:
        return
    most, over = terms.deficit_limit, timedelta(days=terms.deficit_days)
    is_shut, is_near = len(days) >= most, len(days) == most - 1
    yield row(
        "margin_deficits",
        "Margin deficits",
        f"{len(days)} of {most} days",
        "nothing more is borrowed, and nothing sold short" if is_shut else None,
        f"the last on {days[-1]:%d %b}{'; one more may bring a freeze' if is_near else ''}",
        used=used_of(Decimal(len(days)), Decimal(most)),
        until=state.calendar.venue.start_of(days[-most] + over) if is_shut else None,
    )


def margin_rows(state: TradingState) -> Iterator[ProtectionRow]:
    """Yield maintenance margin against equity if margin is in use, with the day's highest sample (RK-14)."""
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
