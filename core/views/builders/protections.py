"""Every guard of entries that there is: its measure against its limit, since when it is shut, and until when (RK-09).

They guard entries alone; exits pass them all (RK-22). The order of the rows never changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.execution.breaker import BreakerPhase
from core.model.account import Account
from core.model.codes import HaltCause
from core.model.session import NoSession, Session
from core.model.staging import MANUAL
from core.model.values import ZERO, Fraction, Money, Symbol, plain
from core.risk.budget import open_losses
from core.risk.checks.back_pressure import queued_orders
from core.risk.checks.open_positions import places_taken
from core.risk.checks.verdicts import overridden_until, usd
from core.risk.day import monday_of, shuts_again_at
from core.risk.entries import entries_taken
from core.risk.margin import distance_of
from core.risk.portfolio import exposure_of
from core.risk.protections.base import EVERYTHING, GLOBAL
from core.risk.protections.overrides import Override
from core.settings.portfolio import UNLIMITED
from core.trading_state.state import TradingState
from core.views import OverrideView, ProtectionRow, SuspensionView
from core.views.builders.regime import regime_rows

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
ALL_OF_IT = Decimal(1)
NO_EQUITY = Decimal(1000)
"""The exposure, in multiples of equity, of an account that has none: more than any limit."""

OF_EVERYTHING = frozenset({"breaker", "session", "daily_loss", "weekly_loss", "risk_budget", "portfolio", "margin"})
"""Guards that refuse every entry when they are tripped, beside those that count trades over the whole desk."""


class ProtectionRows:
    """Makes the rows. When the strategies' loss reached its limit is known where this desk saw it."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self.venue = state.calendar.venue
        self._was_free: set[str] = set()
        self._tripped_at: dict[str, datetime] = {}

    def at_risk(self, at: datetime) -> Fraction | None:
        """What would be lost if every stop filled now, as a share of equity (RK-21)."""
        measured = self._lost_at_the_stops(at)
        return None if measured is None else Fraction(measured[0] / measured[1])

    def rows(self, at: datetime) -> tuple[ProtectionRow, ...]:
        return tuple(self._rows(at, self.state.calendar.trading_day(at)))

    def shut_by(self, at: datetime, rows: Iterable[ProtectionRow]) -> str:
        """The guard that refuses every entry, whatever it is, and why; those of one strategy or symbol do not count."""
        today, risk = self.state.calendar.trading_day(at), self.state.control.settings.risk
        minute = self.venue.local(at).time().replace(second=0, microsecond=0)
        tripped = [row for row in rows if row.is_tripped and _is_of_everything(row.key)]
        if tripped:
            more = f", and {len(tripped) - 1} more" if len(tripped) > 1 else ""
            return f"{tripped[0].name}: {tripped[0].reason}{more}"
        is_outside = not risk.window_start <= minute <= risk.window_end
        if is_outside and all(proposal.only_reduces for proposal in self.state.stage.state.proposals.values()):
            return "Window: entries only inside the window"  # a signal of its last bar may still be confirmed after it
        allowance = self.state.regime.allowance(today)
        return f"Entries: {allowance.reason}" if allowance.is_shut else ""

    def _rows(self, at: datetime, today: date) -> Iterator[ProtectionRow]:
        yield self._desk()
        yield self._breaker(at)
        yield self._session(at, today)
        yield self._window(at, today)
        yield self._daily_loss(at, today)
        yield self._weekly_loss(at, today)
        yield self._strategies_loss(at, today)
        yield self._positions()
        yield self._budget(at)
        yield from self._portfolio()
        yield from self._margin()
        yield from self._entries(at, today)
        yield from self._of_trades(at)
        yield from regime_rows(self.state.regime.regime, today)
        yield from self._refused_symbols(at, today)
        yield from self._throttle(today)

    # ── the desk and its hours ───────────────────────────────────────────────────────────────────────────────────

    def _desk(self) -> ProtectionRow:
        """The kill, a halt, read-only."""
        control = self.state.control
        refusal, since = control.refusal(), control.state.read_only_at
        if control.halts:
            since = control.halted_at if set(control.halts) != {HaltCause.JOURNAL} else None
        if control.killed_by is not None:
            since = control.killed_at
        return _row("desk", "Desk", control.word(), refusal, "nothing is killed or halted", since=since)

    def _breaker(self, at: datetime) -> ProtectionRow:
        """Requests without an answer, of those that open it (EX-15)."""
        breaker, limits = self.state.breaker, self.state.control.settings.execution
        state, phase = breaker.state, breaker.phase(at)
        queued, most = queued_orders(self.state.ledger), limits.max_queued
        refusal = breaker.refusal(at) or (f"{queued} orders wait for an answer" if queued > most else None)
        words = f"{state.failures} of {limits.breaker_failures} failed" if phase is BreakerPhase.CLOSED else phase.value
        return _row(
            "breaker",
            "Breaker",
            words,
            refusal,
            f"requests in a row without an answer; {queued} of {most} orders wait for one",
            used=_used(Decimal(state.failures), Decimal(limits.breaker_failures)),
            since=state.opened_at,
            until=state.until,
        )

    def _session(self, at: datetime, today: date) -> ProtectionRow:
        session = self.state.calendar.session_at(at)
        if not isinstance(session, NoSession):
            words = f"open until {self._clock(session.close, today)}"
            return _row("session", "Session", words, None, "the market is open", until=session.close)
        ends = self.venue.extended_until(at, self.state.calendar.session_on(today))
        if ends is not None and self.state.control.settings.risk.session.policy == "include_extended":
            why = "extended hours: typed limit orders alone, within limits of their own"
            return _row("session", "Session", f"limits until {self._clock(ends, today)}", None, why, until=ends)
        opens, had = self.state.calendar.next_session(at).open, self.state.calendar.session_on(today)
        since = had.close if isinstance(had, Session) and at >= had.close else None
        why = f"the market is closed: {session.reason}"
        words = f"closed until {self._clock(opens, today)}"
        return _row("session", "Session", words, why, since=since, until=opens, word=SuspensionView.CLOSED)

    def _window(self, at: datetime, today: date) -> ProtectionRow:
        """A typed order goes by the clock; a strategy's signal by the start of its bar, a minute before (RK-07)."""
        session = self.state.calendar.session_on(today)
        opens, shuts = self._hours(session) if isinstance(session, Session) else (None, None)
        if opens and shuts and opens <= at < shuts:
            last = shuts if shuts == session.close else shuts - MINUTE  # type: ignore[union-attr]
            words, watched = f"open until {self._clock(last, today)}", "entries are inside the window"
            if at >= last + SECOND:
                watched = f"{watched}; typed entries are over, the last bar's still pass"
            return _row("window", "Window", words, None, watched, until=shuts)
        again = opens if opens and at < opens else self._hours(self._next_session(at, today))[0]
        return _row(
            "window",
            "Window",
            f"closed until {self._clock(again, today)}",
            "entries only inside the window",
            since=shuts if shuts and at >= shuts else None,
            until=again,
            word=SuspensionView.CLOSED,
        )

    def _hours(self, session: Session) -> tuple[datetime, datetime]:
        """The first instant of a session's window, and the first after it; its last minute belongs to it."""
        risk = self.state.control.settings.risk
        first, last = (self.venue.at(session.day, clock) for clock in (risk.window_start, risk.window_end))
        return max(first, session.open), min(last + MINUTE, session.close)

    # ── losses ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _daily_loss(self, at: datetime, today: date) -> ProtectionRow:
        """What the account lost since the day began (RK-03)."""
        opening = self.state.opening.opening_equity(today)
        return self._account_loss("daily_loss", "day", opening, self._loss_limit(today), self.venue.end_of(today), at)

    def _weekly_loss(self, at: datetime, today: date) -> ProtectionRow:
        """What the account lost since the week began (RK-03)."""
        opening = self.state.opening.opening_equity_of_week(today)
        limit = self.state.control.settings.risk.weekly_loss.of(opening)
        return self._account_loss("weekly_loss", "week", opening, limit, self.venue.end_of_week(today), at)

    def _account_loss(
        self, key: str, span: str, opening: Decimal | None, limit: Decimal | None, ends: datetime, at: datetime
    ) -> ProtectionRow:
        state, name = self.state, "Daily loss" if span == "day" else "Weekly loss"
        today = state.calendar.trading_day(at)
        if opening is None or limit is None or not isinstance(state.sightings.account, Account):
            is_shut = state.control.settings.risk.on_missing_equity == "refuse"
            why = f"equity at the {span}'s start is not known yet; entries wait for it"
            words = f"unknown of {'unknown' if limit is None else usd(limit)}"
            return _row(key, name, words, why if is_shut else None, why.removesuffix("; entries wait for it"))
        loss, told = opening - state.sightings.account.equity, state.protections.latches.told(key, GLOBAL)
        is_shut, lost = loss >= limit or told is not None, max(loss, ZERO)
        override, override_words = None, ""
        since = state.opening.since(today) if span == "day" else state.opening.since_of_week(today)
        shut, watches = f"entries are off for the rest of the trading {span}", f"equity {since}"
        if told is not None:
            override = state.protections.latches.override(key, GLOBAL, told.since, at)
            ends = told.until or ends
            if override is not None and override.begins <= at:
                is_shut, until = False, overridden_until(override, at, self.venue)
                watches = f"{told.reason}; {until}{_again(override)}"
            elif override is not None:
                begins = self._clock(override.begins, today)
                shut = f"shut until {begins}, overridden by you from then on{_again(override)}"
            else:
                minutes = state.control.settings.risk.protections.loss_override_minutes
                again = usd(shuts_again_at(loss, limit))
                override_words = (
                    f"it stays shut for {minutes} minutes more; then entries pass it until the {span} ends, "
                    f"or until {again} are lost"
                )
        return _row(
            key,
            name,
            f"{lost:,.2f} of {usd(limit)}",
            shut if is_shut else None,
            watches,
            used=_used(lost, limit),
            since=told.since if told is not None else None,
            until=ends if is_shut or told is not None else None,
            override=override_words,
            overridden=override,
        )

    def _strategies_loss(self, at: datetime, today: date) -> ProtectionRow:
        """What the trades made, marked at the last bars: a strategy is shut for the day at the same limit (ST-02)."""
        state, key = self.state, "strategies_loss"
        runners = [runner for runners in state.orchestrator.runners.values() for runner in runners]
        is_shut = any(runner.state.disabled_on == today for runner in runners)
        limit = self._loss_limit(today)
        lost = max(-state.ledger.result_of(today, state.orchestrator.state.marks), ZERO)
        return _row(
            key,
            "Strategies' loss",
            f"{lost:,.2f} of {'unknown' if limit is None else usd(limit)}",
            "strategies open nothing for the rest of the trading day" if is_shut else None,
            "today's trades, open ones at their last bar",
            used=None if limit is None else _used(lost, limit),
            since=self._since(key, at, is_shut=is_shut),
            until=self._next_session(at, today).open if is_shut else None,
        )

    def _loss_limit(self, today: date) -> Decimal | None:
        return self.state.control.settings.risk.daily_loss.of(self.state.opening.opening_equity(today))

    def _since(self, key: str, at: datetime, *, is_shut: bool) -> datetime | None:
        if not is_shut:
            self._was_free.add(key)
            self._tripped_at.pop(key, None)
        elif key in self._was_free:
            self._tripped_at.setdefault(key, at)
        return self._tripped_at.get(key)

    # ── counts ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _positions(self) -> ProtectionRow:
        """Open ones and those that an entry on its way would open (EX-08)."""
        ledger, most = self.state.ledger, self.state.control.settings.risk.max_open_positions
        taken = len(places_taken(ledger))
        starts = [p.opened_at for p in ledger.positions()] + [o.created_at for o in ledger.working_entries()]
        is_full = taken >= most
        return _row(
            "positions",
            "Positions",
            f"{taken} of {most}",
            "no further position; close one first" if is_full else None,
            "open, or an entry is on its way",
            used=_used(Decimal(taken), Decimal(most)),
            since=max(starts, default=None) if is_full else None,
            word=SuspensionView.FULL,
        )

    def _budget(self, at: datetime) -> ProtectionRow:
        """What the account would lose if every stop filled now, entries on their way as if they were filled (RK-21)."""
        part = self.state.control.settings.risk.sizing.budget
        measured = self._lost_at_the_stops(at)
        if measured is None:
            return _row(
                "risk_budget", "Risk budget", f"unknown of {plain(part * 100)}%", None, "equity is not known yet"
            )
        lost, equity = measured
        limit = part * equity
        return _row(
            "risk_budget",
            "Risk budget",
            f"{lost / equity:.1%} of {plain(part * 100)}%",
            "nothing is left to lose; move a stop nearer, or close a position" if lost >= limit else None,
            f"{usd(lost)} of {usd(limit)} would be lost if every stop filled now",
            used=_used(lost, limit),
            word=SuspensionView.FULL,
        )

    def _lost_at_the_stops(self, at: datetime) -> tuple[Money, Money] | None:
        """USD that would be lost, and the equity; None while that is not known."""
        context = self.state.figures_for(at, Symbol(""), None)
        if not context.equity or context.equity < ZERO:
            return None
        return open_losses(self.state.ledger, context.last), Money(context.equity)

    def _portfolio(self) -> Iterator[ProtectionRow]:
        """The value of all positions and of entries on their way, where it is limited (RK-16)."""
        state, most = self.state, self.state.control.settings.risk.portfolio.max_exposure
        account = state.sightings.account
        if most == UNLIMITED or not isinstance(account, Account):
            return
        exposure = exposure_of(state.ledger, state.last_price) / account.equity if account.equity > 0 else NO_EQUITY
        yield _row(
            "portfolio",
            "Exposure",
            f"{exposure:.0%} of {most:.0%}",
            "exits only: more is held than the profile allows" if exposure > most else None,
            "all positions, and entries on their way, of equity",
            used=_used(exposure, most),
            word=SuspensionView.FULL,
        )

    def _margin(self) -> Iterator[ProtectionRow]:
        """What maintenance asks of equity, where margin is in use; the nearest of the day's samples (RK-14)."""
        state, account = self.state, self.state.sightings.account
        distance = distance_of(account) if isinstance(account, Account) else None
        if distance is None:
            return
        least = state.control.settings.risk.margin.refuse_at
        used = Fraction(1 - distance)
        most = max((sample.utilisation for sample in state.margin.state.samples), default=used)
        is_shut = distance < least or distance < 0
        yield _row(
            "margin",
            "Margin",
            f"{used:.0%} of {1 - least:.0%}",
            "maintenance is too near: entries are refused until some is closed" if is_shut else None,
            f"maintenance margin of equity; the most of a day was {max(most, used):.0%}",
            used=_used(used, 1 - least),
        )

    def _entries(self, at: datetime, today: date) -> Iterator[ProtectionRow]:
        """Entries of a strategy that are taken today, of those that it may have; typed ones once there are any (RK-12).

        A day that has none at all is exceptional; that they are used up is not.
        """
        state = self.state
        allowance = state.regime.allowance(today)
        names = dict.fromkeys(r.strategy.name for runners in state.orchestrator.runners.values() for r in runners)
        for name in (*names, MANUAL):
            taken = entries_taken(name, today, state.ledger, state.signed_entries)
            if name == MANUAL and not taken.total:
                continue
            is_shut = taken.total >= allowance.entries
            why = allowance.reason if allowance.is_shut else f"no further entry of it today: {taken}"
            yield _row(
                f"entries/{name}",
                "Entries typed" if name == MANUAL else f"Entries {name.upper()}",
                f"{taken.total} of {allowance.entries} today",
                why if is_shut else None,
                f"entries of today: {taken}",
                used=_used(Decimal(taken.total), Decimal(allowance.entries)),
                since=self._last_entry(name, today) if is_shut else None,
                until=self._next_session(at, today).open if is_shut else None,
                word=SuspensionView.TRIPPED if allowance.is_shut else SuspensionView.FULL,
            )

    def _last_entry(self, strategy: str, today: date) -> datetime | None:
        ledger = self.state.ledger
        times = [p.opened_at for p in ledger.positions() if p.strategy == strategy]
        times += [t.entry_time for t in ledger.state.trades if t.strategy == strategy]
        times += [o.created_at for o in ledger.unfilled_entries(strategy, today)]
        return max((t for t in times if self.state.calendar.trading_day(t) == today), default=None)

    def _of_trades(self, at: datetime) -> Iterator[ProtectionRow]:
        """What counts closed trades: a row for each scope that is counted or shut (RK-04 to RK-08)."""
        book = self.state.protections
        minutes = self.state.control.settings.risk.protections.override_minutes
        for answer in book.answers(at):
            scope = "" if answer.scope == EVERYTHING else f" {answer.scope}"
            override = book.overridden(answer, at)
            is_shut = answer.is_tripped and override is None
            words = f"{answer.reason}; {overridden_until(override, at, self.venue)}" if override else ""
            yield _row(
                f"{answer.name}/{answer.scope}",
                f"{answer.name.replace('_', ' ').capitalize()}{scope}",
                f"{answer.figure(answer.measure)} of {answer.figure(answer.limit)}",
                answer.reason if is_shut else None,
                words or answer.reason,
                used=answer.used,
                since=answer.since,
                until=override.until if override else answer.until,
                overridden=override,
                override=f"entries pass it for {minutes} minutes, then it stands again" if is_shut else "",
            )

    def _refused_symbols(self, at: datetime, today: date) -> Iterator[ProtectionRow]:
        for symbol, refusal in sorted(self.state.control.state.refused_symbols.items()):
            if refusal.day == today:
                until = self._next_session(at, today).open
                yield _row(
                    f"symbol/{symbol}", symbol, "refused today", refusal.reason, since=refusal.at, until=until
                )  # fmt: skip

    def _throttle(self, today: date) -> Iterator[ProtectionRow]:
        """It shuts nothing and makes trades smaller; a profitable day ends it sooner (RK-11)."""
        state = self.state.sizing.losses.state
        if state.factor < ALL_OF_IT:
            measure = f"risk × {plain(state.factor)}"
            yield _row("throttle", "Throttle", measure, None, state.words, until=self._next_week(today).open)

    def _next_week(self, today: date) -> Session:
        """The first session of the week after."""
        monday = monday_of(today) + timedelta(days=7)
        return self.state.calendar.next_session(self.venue.start_of(monday))

    def _next_session(self, at: datetime, today: date) -> Session:
        """The first session of a later day."""
        session = self.state.calendar.session_on(today)
        return self.state.calendar.next_session(max(at, session.open) if isinstance(session, Session) else at)

    def _clock(self, at: datetime, today: date) -> str:
        """A time of day at the venue, with its weekday where it is not today's."""
        return self.venue.told(at, "%H:%M" if self.venue.day_of(at) == today else "%a %H:%M")


def _is_of_everything(key: str) -> bool:
    name, _, scope = key.partition("/")
    return name in OF_EVERYTHING if not scope else scope == str(EVERYTHING)


def _row(
    key: str,
    name: str,
    measure: str,
    shut_because: str | None,
    watches: str = "",
    *,
    used: Decimal | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    override: str = "",
    overridden: Override | None = None,
    word: SuspensionView = SuspensionView.TRIPPED,
) -> ProtectionRow:
    return ProtectionRow(
        key=key,
        name=name,
        measure=measure,
        used=used,
        is_tripped=shut_because is not None,
        reason=shut_because or watches,
        since=since,
        until=until,
        override=override,
        overridden=OverrideView(overridden.at, overridden.begins, overridden.until) if overridden else None,
        word=word,
    )


def _again(override: Override) -> str:
    return "" if override.again_at is None else f", shut again at {usd(override.again_at)} lost"


def _used(measure: Decimal, limit: Decimal) -> Decimal:
    return min(ALL_OF_IT, measure / limit) if limit > 0 else ALL_OF_IT
