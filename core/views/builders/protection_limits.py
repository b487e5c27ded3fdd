"""Build the rows of limits among the guards of entries: exposure, losses, counted trades."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.model.account import Account
from core.model.kept_rows import KeptRows
from core.model.session import Session
from core.model.staging import MANUAL
from core.model.values import ZERO, Fraction, Money, Symbol, exact_percent, percent, plain
from core.risk.checks.exposure import places_taken
from core.risk.day import entries_taken, monday_of, shuts_again_at
from core.risk.exposure import exposure_by_sector, exposure_by_symbol, exposure_of, open_losses, value_taken
from core.risk.gate import overridden_until, usd
from core.risk.margin import distance_of
from core.risk.protections.frequency import RepeatedExecution
from core.risk.protections.protection import EVERYTHING, GLOBAL, Answer
from core.risk.protections.protection_registry import Override
from core.risk.strategy_limits import daily_loss, entries_a_day
from core.settings.risk import DAILY, UNLIMITED
from core.trading_state.state import TradingState
from core.views import OverrideView, ProtectionRow, SuspensionView

ALL_OF_IT = Decimal(1)


def row(
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


def used_of(measure: Decimal, limit: Decimal) -> Decimal:
    return min(ALL_OF_IT, measure / limit) if limit > 0 else ALL_OF_IT


def next_session(state: TradingState, at: datetime, today: date) -> Session:
    """Return the first session of a later day."""
    session = state.calendar.session_on(today)
    return state.calendar.next_session(max(at, session.open) if isinstance(session, Session) else at)


def clock(state: TradingState, at: datetime, today: date) -> str:
    """Return a time of day at the venue, with the weekday if it is not today."""
    return state.calendar.venue.told(at, "%H:%M" if state.calendar.venue.day_of(at) == today else "%a %H:%M")


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
    return open_losses(state.ledger, context.last, context.desk_stop), Money(context.equity)


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
    if not terms.counts_deficits or not days or not isinstance(account, Account) or not account.uses_margin:
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


def strategies_that_run(state: TradingState) -> Iterator[str]:
    """Yield the enabled strategies that run on some symbol."""
    names = dict.fromkeys(runner.name for runners in state.orchestrator.runners.values() for runner in runners)
    return (name for name in names if state.control.settings.strategies.of(name).enabled)


def strategy_loss_rows(state: TradingState, at: datetime, today: date) -> Iterator[ProtectionRow]:
    """Yield the loss of each strategy that has a limit of its own, counted as that of all of them (RK-07)."""
    opening = state.opening.opening_equity(today)
    for name in strategies_that_run(state):
        limit, found = daily_loss(state.control.settings, name, opening), state.strategy_loss(name, today)
        if limit is None:
            continue
        most, lost = limit.usd, found.lost
        is_reached = found.is_shut or (lost is not None and most is not None and lost >= most)
        why = f"{name} opens nothing for the rest of the trading day" if is_reached else None
        is_refused = state.control.settings.risk.on_missing_equity == "refuse"
        if lost is None or (is_refused and not limit.is_known):
            why = why or f"{name} opens nothing until its loss and its limit are known"
        yield row(
            f"{DAILY}/{name}",
            f"Daily loss {name.upper()}",
            f"{'unknown' if lost is None else f'{lost:,.2f}'} of {'unknown' if most is None else usd(most)}",
            why,
            f"today's trades of {name}, open ones at their last bar",
            used=None if lost is None or most is None else used_of(lost, most),
            until=next_session(state, at, today).open if is_reached else None,
        )


def _loss_limit(state: TradingState, today: date) -> Decimal | None:
    return state.control.settings.risk.daily_loss.of(state.opening.opening_equity(today))


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
        most = entries_a_day(state.control.settings, name, allowance.entries)
        is_shut = taken.total >= most
        why = allowance.reason if allowance.is_shut else f"no further entry of it today: {taken}"
        yield row(
            f"entries/{name}",
            "Entries typed" if name == MANUAL else f"Entries {name.upper()}",
            f"{taken.total} of {most} today",
            why if is_shut else None,
            f"entries of today: {taken}",
            used=used_of(Decimal(taken.total), Decimal(most)),
            since=_last_entry(state, name, today) if is_shut else None,
            until=next_session(state, at, today).open if is_shut else None,
            word=SuspensionView.TRIPPED if allowance.is_shut else SuspensionView.FULL,
        )


def _last_entry(state: TradingState, strategy: str, today: date) -> datetime | None:
    ledger = state.ledger
    times = [p.opened_at for p in ledger.positions() if p.strategy == strategy]
    times += [t.entry_time for t in ledger.state.trades if t.strategy == strategy]
    times += [o.created_at for o in ledger.unfilled_entries(strategy, today).values()]
    last = max(times, default=None)
    return last if last is not None and state.calendar.trading_day(last) == today else None


def protection_rows(
    state: TradingState, at: datetime, kept: KeptRows[ProtectionRow] | None = None
) -> tuple[ProtectionRow, ...]:
    """Return the protections that count closed trades: a row for each counted or shut scope (RK-04 to RK-08)."""
    book, venue = state.protections, state.calendar.venue
    minutes = state.control.settings.risk.protections.override_minutes

    row_of = (kept or KeptRows()).begin(protection_row)

    def of_answer(answer: Answer) -> ProtectionRow:
        override = book.overridden(answer, at)
        ends = "" if override is None else overridden_until(override, at, venue)
        return row_of(f"{answer.name}/{answer.scope}", answer, override=override, ends=ends, minutes=minutes)

    return tuple(map(of_answer, book.answers(at)))


def protection_row(key: str, answer: Answer, *, override: Override | None, ends: str, minutes: int) -> ProtectionRow:
    """Return the row of an answer. `ends` is when its override ends, and `minutes` how long a new one would last."""
    scope = "" if answer.scope == EVERYTHING else f" {answer.scope}"
    is_shut = answer.is_tripped and override is None
    is_over = not answer.is_tripped and answer.used == ALL_OF_IT
    watched = f"{answer.reason}; that block has ended" if is_over else answer.reason
    return row(
        key,
        f"{answer.name.replace('_', ' ').capitalize()}{scope}",
        answer.figures,
        answer.reason if is_shut else None,
        f"{answer.reason}; {ends}" if override else watched,
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
    monday = monday_of(today) + timedelta(days=7)
    return state.calendar.next_session(state.calendar.venue.start_of(monday))
