"""Build the state of the whole desk: status line, desk control, order link, last absence, a reload of limits
(RK-13).
"""

from __future__ import annotations

from datetime import datetime

from core.engine import Engine
from core.execution.breaker import BreakerPhase
from core.messages.desk_commands import SettingsFault
from core.model.account import Account
from core.model.bar import ONE_MINUTE
from core.model.codes import DeskState
from core.model.session import NoSession
from core.model.values import Fraction, Money
from core.risk.margin import distance_of, limit_under
from core.settings.changes import ChangeKind, digest_of
from core.trading_state.desks import AwayKind, Desk
from core.trading_state.state import TradingState
from core.views import NOTHING_TO_RELOAD, AwayRow, AwayView, DeskRow, HaltRow, KeyView, ReloadView, StatusView
from core.views.builders.protection_limits import lost_at_the_stops
from core.views.builders.protections import ProtectionRows
from core.views.standing import BREAKER_OK, WireView, halted_by_you
from core.workflows.operator.desk_control import is_holder_active


def key_view(state: TradingState, at: datetime) -> KeyView:
    holder, kept = state.desks.holder, state.desks.state.kept
    if holder is not None or (kept is not None and at >= kept.until):
        kept = None
    away_until = holder.away_until if holder is not None else kept.until if kept is not None else None
    return KeyView(
        hold=state.desks.hold,
        holder=None if holder is None else _row(state, holder.desk),
        since=None if holder is None else holder.since,
        away_until=away_until,
        kept_for=None if kept is None else kept.seat,
        takes_word=is_holder_active(state, at),
        desks=tuple(_row(state, desk) for _, desk in sorted(state.desks.state.attached.items())),
    )


def _row(state: TradingState, desk: Desk) -> DeskRow:
    return DeskRow(desk.number, desk.seat, desk.since, state.sightings.heard_from.get(desk.number))


def wire_view(state: TradingState, at: datetime) -> WireView:
    """Return today's order figures; the calls are counted since the start."""
    tally = state.tally.state
    phase = state.breaker.phase(at)
    is_todays = tally.day == state.calendar.trading_day(at)
    return WireView(
        spans=state.latencies.spans() if state.latencies.state.day == state.calendar.trading_day(at) else (),
        sent=tally.sent if is_todays else 0,
        invalid=tally.invalid if is_todays else 0,
        rejected=tally.rejected if is_todays else 0,
        calls=state.sightings.calls,
        breaker=BREAKER_OK if phase is BreakerPhase.CLOSED else phase.value,
        breaker_reason=state.breaker.refusal(at),
    )


def away_view(state: TradingState) -> AwayView | None:
    absence = state.attendance.absence or state.attendance.state.last
    if absence is None:
        return None
    return AwayView(
        absence.since,
        absence.until,
        tuple(AwayRow(event.at, event.kind.value, event.words) for event in absence.events),
        tuple((kind.value, absence.count(kind)) for kind in AwayKind if absence.count(kind)),
    )


def reload_view(state: TradingState) -> ReloadView:
    file = state.sightings.settings_file
    if isinstance(file, SettingsFault):
        return ReloadView(fault=file.reason)
    if file is None or not state.sightings.file_changes:
        return NOTHING_TO_RELOAD
    words: dict[ChangeKind, tuple[str, ...]] = {
        kind: tuple(change.words for change in state.sightings.file_changes if change.kind is kind)
        for kind in ChangeKind
    }
    return ReloadView(
        words[ChangeKind.TIGHTER], words[ChangeKind.LOOSER], words[ChangeKind.RESTART], digest=digest_of(file)
    )


class StatusViews:
    """Builds the status line."""

    def __init__(self, engine: Engine, protections: ProtectionRows) -> None:
        self.engine, self.state = engine, engine.state
        self.protections = protections

    def draw(self, at: datetime, entries_shut: str) -> StatusView:
        state, control = self.state, self.state.control
        account = state.sightings.account if isinstance(state.sightings.account, Account) else None
        day = state.calendar.trading_day(at)
        opening = state.opening.opening_equity(day)
        change = Money(account.equity - opening) if account and opening is not None else None
        session = state.calendar.session_at(at)
        is_open = not isinstance(session, NoSession)
        heard_at, heard_from = newest_data(state)
        limit = control.settings.risk.daily_loss.of(opening)
        distance = distance_of(account) if account else None
        warn_at = control.settings.risk.margin.warn_at
        refusal, breaker = control.refusal(), self._breaker(at)
        risked = lost_at_the_stops(state, at)
        return StatusView(
            at=at,
            account=state.account_name,
            mode=state.mode,
            profile=control.settings.profile,
            word=word_of(self.engine),
            entries_refused=halted_by_you(refusal) or breaker,
            refused_by_breaker=refusal is None and breaker is not None,
            exits_refused=self.engine.disk_trouble,
            killed_by=control.killed_by,
            killed_at=control.killed_at,
            halted_at=control.halted_at if control.halts else None,
            halts=tuple(HaltRow(cause, reason) for cause, reason in control.halts.items()),
            market_closes_at=session.close if not isinstance(session, NoSession) else None,
            market_opens_at=None if is_open else state.calendar.next_session(at).open,
            quote_at=heard_at,
            feed=heard_from,
            equity=account.equity if account else None,
            equity_at=account.at if account else None,
            day_change=change,
            day_fraction=change / opening if change is not None and opening else None,
            buying_power=account.buying_power if account else None,
            unsettled=account.unsettled if account and account.unsettled else None,
            daily_loss_limit=Money(limit) if limit is not None else None,
            disk=self.engine.disk_trouble or self._slow_disk(),
            notes=self.engine.notes,
            lamps=tuple(state.sightings.lamps.values()),
            margin_distance=distance,
            is_margin_near=distance is not None and limit_under(distance, warn_at) is not None,
            at_risk=None if risked is None else Fraction(risked[0] / risked[1]),
            lost_at_stops=None if risked is None else Money(risked[0]),
            risk_budget=Fraction(control.settings.risk.sizing.budget),
            entries_shut=entries_shut,
            held_by_clock=state.held_by_clock,
            key=key_view(state, at),
            presses=state.sightings.presses,
        )

    def _breaker(self, at: datetime) -> str | None:
        """Return the breaker's refusal: a broker that does not answer shuts entries like a halt (EX-15)."""
        refusal = self.state.breaker.refusal(at)
        return f"breaker: {refusal}" if refusal is not None else None

    def _slow_disk(self) -> str | None:
        """Return a warning if a sync takes more than `health.slow_sync_milliseconds` (SP-06)."""
        limit = self.state.control.settings.health.slow_sync_milliseconds
        last = getattr(self.state.journal, "last_sync_seconds", 0.0)
        return (
            f"slow: a write took {last * 1000:.0f} ms, and every order waits for its write"
            if last * 1000 > limit
            else None
        )


def newest_data(state: TradingState) -> tuple[datetime | None, str | None]:
    """Return the time and source of the newest market data."""
    heard = [(start + ONE_MINUTE, "bars") for start in state.normaliser.state.last_starts.values()]
    heard += [(quote.at, quote.feed.value) for quote in state.sightings.quotes.values()]
    return max(heard, default=(None, None))


def word_of(engine: Engine) -> DeskState:
    """Return the desk's state in one word."""
    return engine.state.control.word()
