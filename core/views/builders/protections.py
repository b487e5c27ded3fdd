"""Build the rows of all guards of entries: measure and limit, since when it is shut, and until when (RK-09).

They guard only entries; exits pass them all (RK-22). The order of the rows never changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.execution.breaker import BreakerPhase
from core.messages import effects
from core.model.codes import HaltCause
from core.model.kept_rows import KeptRows
from core.model.session import NoSession, Session, window_of
from core.model.sizing import MarketMeasure, Regime, VixReading
from core.risk.checks.desk_state import queued_orders
from core.risk.message_counts import for_entries, limits_of
from core.risk.protections.protection import EVERYTHING
from core.risk.regime import market_in_words, points, when_in_words
from core.risk.strategy_limits import entry_spans, own_limits
from core.trading_state.state import TradingState
from core.views import ProtectionRow, SuspensionView
from core.views.builders.protection_limits import (
    StrategiesLoss,
    budget_row,
    clock,
    concentration_rows,
    daily_loss_row,
    day_value_rows,
    entries_rows,
    listed_rows,
    margin_deficit_rows,
    margin_rows,
    next_session,
    portfolio_rows,
    positions_row,
    protection_rows,
    refused_symbol_rows,
    row,
    strategies_that_run,
    strategy_loss_rows,
    throttle_rows,
    used_of,
    weekly_loss_row,
)
from core.views.desk_status import halted_by_you


def regime_rows(regime: Regime, at: datetime) -> Iterator[ProtectionRow]:
    """Yield the rows; none is ever tripped: the VIX warns, and the range sets the number of entries."""
    vix, market = regime.vix, regime.market
    if isinstance(vix, VixReading):
        yield _row("vix", "VIX", f"{points(vix.value)} {vix.level.value}", f"measured {when_in_words(vix, at)}")
    if isinstance(market, MarketMeasure):
        ratio = market.atr_ratio
        measure = "no average yet" if ratio is None else f"{points(ratio)} × average"
        yield _row("market", f"{market.symbol} range", measure, market_in_words(regime))


def _row(key: str, name: str, measure: str, reason: str) -> ProtectionRow:
    return ProtectionRow(key, name, measure, None, False, reason, None, None)


WINDOW, ALLOWANCE = "window", "allowance"
"""What the clock shuts, and what the range of the market does."""
HALF = Decimal("0.5")
"""Least use shown for a breaker that lets one entry through: it is not calm."""
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
QUERIES: Mapping[type[effects.Effect], str] = {
    effects.FetchBooks: "comparison",
    effects.LookUpOrder: "look-ups",
    effects.FetchAccount: "account",
    effects.FetchActivities: "activities",
    effects.FetchFigures: "quotes",
    effects.LookUpSymbols: "watched symbols",
}
"""Queries that may wait for room, with their text."""


def desk_row(state: TradingState) -> ProtectionRow:
    """Return the row of kill, halt and read-only."""
    control = state.control
    refusal, since = halted_by_you(control.refusal()), control.state.read_only_at
    if control.halts:
        since = control.halted_at if set(control.halts) != {HaltCause.JOURNAL} else None
    if control.killed_by is not None:
        since = control.killed_at
    return row("desk", "Desk", control.word(), refusal, "nothing is killed or halted", since=since)


def breaker_row(state: TradingState, at: datetime) -> ProtectionRow:
    """Return the unanswered requests against the number that opens the breaker (EX-15)."""
    breaker, limits = state.breaker, state.control.settings.execution
    count, phase = breaker.state, breaker.phase(at)
    queued, most = queued_orders(state.ledger), limits.max_queued
    refusal = breaker.refusal(at) or (f"{queued} orders wait for an answer" if queued > most else None)
    is_closed = phase is BreakerPhase.CLOSED
    words = f"{count.in_a_row} of {limits.breaker_failures} failed" if is_closed else phase.value
    failed = used_of(Decimal(count.in_a_row), Decimal(limits.breaker_failures))
    return row(
        "breaker",
        "Breaker",
        words,
        refusal,
        f"requests in a row without an answer; {queued} of {most} orders wait for one",
        used=failed if is_closed else max(failed, HALF),
        since=count.opened_at,
        until=count.until,
    )


def messages_row(state: TradingState, at: datetime, today: date) -> ProtectionRow:
    """Return the messages to the broker per minute against the entries' share, with the other spans (RK-24).

    All requests count if the broker limits them.
    """
    terms = state.control.settings.risk.messages
    if not terms.enabled:
        return row("message_rate", "Message rate", "off", None, "nothing is counted against a limit")
    sent = state.messages.sent(at, today)
    limits = limits_of(terms, state.sightings.capabilities.messages_a_minute)
    parts = [(count, for_entries(limit, terms.reserve)) for count, limit in zip(sent, limits, strict=True)]
    words = (
        f"orders, changes and cancels; {sent.second} of {limits.second} this second, {sent.day} of {limits.day} today"
    )
    broker = state.sightings.capabilities.messages_a_minute
    if broker is not None:
        requests = state.messages.requests(at)
        parts.append((requests, for_entries(broker, terms.reserve)))
        words += f"; {requests} of {broker} requests this minute{_held_queries(state, at)}"
    is_full = any(count >= allowed for count, allowed in parts)
    return row(
        "message_rate",
        "Message rate",
        f"{sent.minute} of {limits.minute}/min",
        "no entry until there is room: the rest is kept for exits and cancels" if is_full else None,
        words,
        used=max((used_of(Decimal(count), Decimal(allowed)) for count, allowed in parts if allowed), default=HALF),
        word=SuspensionView.FULL,
    )


def _held_queries(state: TradingState, at: datetime) -> str:
    """Return the queries that wait for room, and for how long."""
    held = state.sightings.held_queries
    if not held:
        return ""
    oldest = (at - min(held.values())).total_seconds()
    return f"; later, for want of room: {', '.join(QUERIES[kind] for kind in held)} (waiting {oldest:.0f} s)"


def session_row(state: TradingState, at: datetime, today: date) -> ProtectionRow:
    session = state.calendar.session_at(at)
    if not isinstance(session, NoSession):
        words = f"open until {clock(state, session.close, today)}"
        return row("session", "Session", words, None, "the market is open", until=session.close)
    ends = state.calendar.venue.extended_until(at, state.calendar.session_on(today))
    if ends is not None and state.control.settings.risk.session.policy == "include_extended":
        why = "extended hours: typed limit orders alone, within limits of their own"
        return row("session", "Session", f"limits until {clock(state, ends, today)}", None, why, until=ends)
    opens, had = state.calendar.next_session(at).open, state.calendar.session_on(today)
    since = had.close if isinstance(had, Session) and at >= had.close else None
    why = f"the market is closed: {session.reason}"
    words = f"closed until {clock(state, opens, today)}"
    return row("session", "Session", words, why, since=since, until=opens, word=SuspensionView.CLOSED)


def window_row(state: TradingState, at: datetime, today: date) -> ProtectionRow:
    """Return the window row.

    A typed order is judged by the clock, a signal by its bar's start a minute before (RK-07).
    """
    session = state.calendar.session_on(today)
    opens, shuts = _hours(state, session) if isinstance(session, Session) else (None, None)
    if opens and shuts and opens <= at < shuts:
        last = shuts if shuts == session.close else shuts - MINUTE  # type: ignore[union-attr]
        words, watched = f"open until {clock(state, last, today)}", "entries are inside the window"
        if at >= last + SECOND:
            watched = f"{watched}; typed entries are over, the last bar's still pass"
        return row("window", "Window", words, None, watched, until=shuts)
    again = opens if opens and at < opens else _hours(state, next_session(state, at, today))[0]
    return row(
        "window",
        "Window",
        f"closed until {clock(state, again, today)}",
        "entries only inside the window",
        since=shuts if shuts and at >= shuts else None,
        until=again,
        word=SuspensionView.CLOSED,
    )


def _hours(state: TradingState, session: Session) -> tuple[datetime, datetime]:
    """Return the first instant of a session's window, and the first after it; its last minute is inside."""
    risk = state.control.settings.risk
    return _in_session(session, window_of(state.calendar.venue, session, risk.window_start, risk.window_end))


def _in_session(session: Session, window: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
    first, last = window
    return max(first, session.open), min(last + MINUTE, session.close)


def strategy_window_rows(state: TradingState, at: datetime, today: date) -> Iterator[ProtectionRow]:
    """Yield a row for each enabled strategy whose own windows narrow the account's (RK-07)."""
    settings, session, later = state.control.settings, state.calendar.session_on(today), next_session(state, at, today)
    for name in strategies_that_run(state):
        if not own_limits(settings, name).windows:
            continue
        hours = _hours_of(state, name, session) if isinstance(session, Session) else []
        if isinstance(session, Session) and hours == [_hours(state, session)]:
            continue
        shuts = next((shuts for opens, shuts in hours if opens <= at < shuts), None)
        key, title, watched = f"{WINDOW}/{name}", f"Window {name.upper()}", f"entries of {name} are inside its windows"
        if shuts is not None:
            words = f"open until {clock(state, shuts - MINUTE, today)}"
            yield row(key, title, words, None, watched, until=shuts)
            continue
        again = next((opens for opens, _ in (*hours, *_hours_of(state, name, later)) if opens > at), None)
        yield row(
            key,
            title,
            "closed" if again is None else f"closed until {clock(state, again, today)}",
            f"entries of {name} only inside its windows",
            since=max((shuts for _, shuts in hours if shuts <= at), default=None),
            until=again,
            word=SuspensionView.CLOSED,
        )


def _hours_of(state: TradingState, strategy: str, session: Session) -> list[tuple[datetime, datetime]]:
    """Return the same of each of a strategy's windows."""
    spans = entry_spans(state.control.settings, strategy, state.calendar.venue, session)
    return [_in_session(session, span) for span in spans]


OF_EVERYTHING = frozenset(
    {
        *("breaker", "message_rate", "session", "daily_loss", "weekly_loss"),
        *("risk_budget", "portfolio", "margin", "day_value"),
    }
)
"""Guards that refuse every entry when tripped, beside those that count trades over the whole desk."""


class ProtectionRows:
    """Builds the rows."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self.strategies_loss = StrategiesLoss()
        self._kept = KeptRows[ProtectionRow]()

    def rows(self, at: datetime) -> tuple[ProtectionRow, ...]:
        return tuple(self._rows(at, self.state.calendar.trading_day(at)))

    def _rows(self, at: datetime, today: date) -> Iterator[ProtectionRow]:
        state = self.state
        yield desk_row(state)
        yield breaker_row(state, at)
        yield messages_row(state, at, today)
        yield session_row(state, at, today)
        yield window_row(state, at, today)
        yield from strategy_window_rows(state, at, today)
        yield daily_loss_row(state, at, today)
        yield weekly_loss_row(state, at, today)
        yield self.strategies_loss.row(state, at, today)
        yield from strategy_loss_rows(state, at, today)
        yield positions_row(state)
        yield budget_row(state, at)
        yield from portfolio_rows(state)
        yield from concentration_rows(state)
        yield from day_value_rows(state, at, today)
        yield from margin_rows(state)
        yield from margin_deficit_rows(state, today)
        yield from entries_rows(state, at, today)
        yield from protection_rows(state, at, self._kept)
        yield from regime_rows(state.regime.regime, at)
        yield from refused_symbol_rows(state, at, today)
        yield from listed_rows(state, today)
        yield from throttle_rows(state, today)


def shut_by_the_clock(state: TradingState, at: datetime) -> Iterator[tuple[str, str]]:
    """Yield what shuts every entry by the day alone, and why."""
    today = state.calendar.trading_day(at)
    session = state.calendar.session_on(today)
    opens, shuts = _hours(state, session) if isinstance(session, Session) else (at, at)
    is_outside = not opens <= at < shuts
    if is_outside and all(proposal.only_reduces for proposal in state.stage.state.proposals.values()):
        yield WINDOW, "Window: entries only inside the window"  # its last bar's signal may be confirmed after it
    allowance = state.regime.allowance(today)
    if allowance.is_shut:
        yield ALLOWANCE, f"Entries: {allowance.reason}"


def is_of_everything(key: str) -> bool:
    """Whether the guard of this row refuses every entry, not only those of one strategy or symbol."""
    name, _, scope = key.partition("/")
    return name in OF_EVERYTHING if not scope else scope == str(EVERYTHING)
