"""Build the rows of counted entries and trades: entries of a day, protections, refused symbols, throttle."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.model.session import Session
from core.model.staging import MANUAL
from core.model.values import plain
from core.risk.checks.verdicts import overridden_until
from core.risk.day import entries_taken, monday_of
from core.risk.protections.frequency import RepeatedExecution
from core.risk.protections.protection import EVERYTHING
from core.trading_state.state import TradingState
from core.views import ProtectionRow, SuspensionView
from core.views.builders.protections.row import ALL_OF_IT, next_session, row, used_of

UNTHROTTLED = Decimal(1)


def entries_rows(state: TradingState, at: datetime, today: date) -> Iterator[ProtectionRow]:
    """Yield each strategy's entries of today against its allowance; typed ones once there are any (RK-12).

    A day without any allowance is exceptional; a used-up allowance is not.
    """
    allowance = state.regime.allowance(today)
    names = dict.fromkeys(r.strategy.name for runners in state.orchestrator.runners.values() for r in runners)
    for name in (*names, MANUAL):
        taken = entries_taken(name, today, state.ledger, state.signed_entries)
        if name == MANUAL and not taken.total:
            continue
        is_shut = taken.total >= allowance.entries
        why = allowance.reason if allowance.is_shut else f"no further entry of it today: {taken}"
        yield row(
            f"entries/{name}",
            "Entries typed" if name == MANUAL else f"Entries {name.upper()}",
            f"{taken.total} of {allowance.entries} today",
            why if is_shut else None,
            f"entries of today: {taken}",
            used=used_of(Decimal(taken.total), Decimal(allowance.entries)),
            since=_last_entry(state, name, today) if is_shut else None,
            until=next_session(state, at, today).open if is_shut else None,
            word=SuspensionView.TRIPPED if allowance.is_shut else SuspensionView.FULL,
        )


def _last_entry(state: TradingState, strategy: str, today: date) -> datetime | None:
    ledger = state.ledger
    times = [p.opened_at for p in ledger.positions() if p.strategy == strategy]
    times += [t.entry_time for t in ledger.state.trades if t.strategy == strategy]
    times += [o.created_at for o in ledger.unfilled_entries(strategy, today)]
    return max((t for t in times if state.calendar.trading_day(t) == today), default=None)


def protection_rows(state: TradingState, at: datetime) -> Iterator[ProtectionRow]:
    """Yield the protections that count closed trades: a row for each counted or shut scope (RK-04 to RK-08)."""
    book = state.protections
    minutes = state.control.settings.risk.protections.override_minutes
    for answer in book.answers(at):
        scope = "" if answer.scope == EVERYTHING else f" {answer.scope}"
        override = book.overridden(answer, at)
        is_shut = answer.is_tripped and override is None
        is_over = not answer.is_tripped and answer.used == ALL_OF_IT
        watched = f"{answer.reason}; that block has ended" if is_over else answer.reason
        words = f"{answer.reason}; {overridden_until(override, at, state.calendar.venue)}" if override else ""
        yield row(
            f"{answer.name}/{answer.scope}",
            f"{answer.name.replace('_', ' ').capitalize()}{scope}",
            answer.figures,
            answer.reason if is_shut else None,
            words or watched,
            used=None if is_over else answer.used,
            since=answer.since,
            until=override.until if override else answer.until,
            overridden=override,
            override=_overridden_how(answer.name, minutes) if is_shut else "",
        )


def _overridden_how(name: str, minutes: int) -> str:
    if name == RepeatedExecution.name:
        return "it goes on, and the count restarts"
    return f"entries pass it for {minutes} minutes, then it stands again"


def refused_symbol_rows(state: TradingState, at: datetime, today: date) -> Iterator[ProtectionRow]:
    for symbol, refusal in sorted(state.control.state.refused_symbols.items()):
        if refusal.day == today:
            until = next_session(state, at, today).open
            yield row(
                f"symbol/{symbol}", symbol, "refused today", refusal.reason, since=refusal.at, until=until
            )  # fmt: skip


def listed_rows(state: TradingState, today: date) -> Iterator[ProtectionRow]:
    """Yield every listed symbol, one row per list (RK-26); an operator's choice does not count as tripped."""
    for listed in state.lists.holding(today):
        until = None if listed.until is None else state.calendar.venue.start_of(listed.until)
        yield row(
            f"list/{listed.symbol}/{listed.kind.value}",
            listed.symbol,
            listed.kind.value,
            listed.reason,
            since=listed.at,
            until=until,
            word=SuspensionView.CLOSED,
        )


def throttle_rows(state: TradingState, today: date) -> Iterator[ProtectionRow]:
    """Yield the throttle, which shuts nothing and makes trades smaller; a profitable day ends it sooner (RK-11)."""
    losses = state.sizing.losses.state
    if losses.factor < UNTHROTTLED:
        measure = f"risk × {plain(losses.factor)}"
        yield row("throttle", "Throttle", measure, None, losses.words, until=_next_week(state, today).open)


def _next_week(state: TradingState, today: date) -> Session:
    """Return the first session of next week."""
    monday = monday_of(today) + timedelta(days=7)
    return state.calendar.next_session(state.calendar.venue.start_of(monday))
