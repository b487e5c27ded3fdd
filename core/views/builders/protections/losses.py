"""Build the rows of losses against daily and weekly limits: of the account, and of the strategies' trades."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from core.model.account import Account
from core.model.values import ZERO
from core.risk.checks.verdicts import overridden_until, usd
from core.risk.day import shuts_again_at
from core.risk.protections.protection import GLOBAL
from core.risk.protections.protection_registry import Override
from core.trading_state.state import TradingState
from core.views import ProtectionRow
from core.views.builders.protections.row import clock, next_session, row, used_of


def daily_loss_row(state: TradingState, at: datetime, today: date) -> ProtectionRow:
    """Return the account's loss since the day began (RK-03)."""
    opening = state.opening.opening_equity(today)
    return _account_loss(
        state, "daily_loss", "day", opening, _loss_limit(state, today), state.calendar.venue.end_of(today), at
    )


def weekly_loss_row(state: TradingState, at: datetime, today: date) -> ProtectionRow:
    """Return the account's loss since the week began (RK-03)."""
    opening = state.opening.opening_equity_of_week(today)
    limit = state.control.settings.risk.weekly_loss.of(opening)
    return _account_loss(state, "weekly_loss", "week", opening, limit, state.calendar.venue.end_of_week(today), at)


def _account_loss(
    state: TradingState,
    key: str,
    span: str,
    opening: Decimal | None,
    limit: Decimal | None,
    ends: datetime,
    at: datetime,
) -> ProtectionRow:
    name = "Daily loss" if span == "day" else "Weekly loss"
    today = state.calendar.trading_day(at)
    if opening is None or limit is None or not isinstance(state.sightings.account, Account):
        is_shut = state.control.settings.risk.on_missing_equity == "refuse"
        why = f"equity at the {span}'s start is not known yet; entries wait for it"
        words = "unknown" if limit is None else f"unknown; limit {usd(limit)}"
        return row(key, name, words, why if is_shut else None, why.removesuffix("; entries wait for it"))
    loss, told = opening - state.sightings.account.equity, state.protections.latches.told(key, GLOBAL)
    is_shut, lost = loss >= limit or told is not None, max(loss, ZERO)
    override, override_words = None, ""
    since = state.opening.since(today) if span == "day" else state.opening.since_of_week(today)
    shut, watches = f"entries are off for the rest of the trading {span}", f"equity {since}"
    if told is not None:
        override = state.protections.latches.override(key, GLOBAL, told.since, at)
        ends = told.until or ends
        if override is not None and override.begins <= at:
            is_shut, until = False, overridden_until(override, at, state.calendar.venue)
            watches = f"{told.reason}; {until}{_again(override)}"
        elif override is not None:
            begins = clock(state, override.begins, today)
            shut = f"shut until {begins}, overridden by you from then on{_again(override)}"
        else:
            minutes = state.control.settings.risk.protections.loss_override_minutes
            again = usd(shuts_again_at(loss, limit))
            override_words = (
                f"it stays shut for {minutes} minutes more; then entries pass it until the {span} ends, "
                f"or until {again} are lost"
            )
    return row(
        key,
        name,
        f"{lost:,.2f} of {usd(limit)}",
        shut if is_shut else None,
        watches,
        used=used_of(lost, limit),
        since=told.since if told is not None else None,
        until=ends if is_shut or told is not None else None,
        override=override_words,
        overridden=override,
    )


def _again(override: Override) -> str:
    return "" if override.again_at is None else f", shut again at {usd(override.again_at)} lost"


class StrategiesLoss:
    """The result of trades, marked at the last bars: a strategy is shut for the day at the same limit (ST-02).

    When it reached the limit is known only if this desk saw it.
    """

    def __init__(self) -> None:
        self._was_free = False
        self._tripped_at: datetime | None = None

    def row(self, state: TradingState, at: datetime, today: date) -> ProtectionRow:
        runners = [runner for runners in state.orchestrator.runners.values() for runner in runners]
        is_shut = any(runner.state.disabled_on == today for runner in runners)
        limit = _loss_limit(state, today)
        lost = max(-state.ledger.result_of(today, state.orchestrator.state.marks), ZERO)
        return row(
            "strategies_loss",
            "Strategies' loss",
            f"{lost:,.2f} of {'unknown' if limit is None else usd(limit)}",
            "strategies open nothing for the rest of the trading day" if is_shut else None,
            "today's trades, open ones at their last bar",
            used=None if limit is None else used_of(lost, limit),
            since=self._since(at, is_shut=is_shut),
            until=next_session(state, at, today).open if is_shut else None,
        )

    def _since(self, at: datetime, *, is_shut: bool) -> datetime | None:
        if not is_shut:
            self._was_free, self._tripped_at = True, None
        elif self._was_free and self._tripped_at is None:
            self._tripped_at = at
        return self._tripped_at


def _loss_limit(state: TradingState, today: date) -> Decimal | None:
    return state.control.settings.risk.daily_loss.of(state.opening.opening_equity(today))
