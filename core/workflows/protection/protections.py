"""Record protections, margin, and strategies that repeat themselves (RK-03, RK-06, RK-14).

Account losses trip here when the figures arrive; the others trip in the fold of a trade or a bar and are recorded here.

Stop a strategy that repeats itself too fast, until a person allows it again (RK-24).
Its waiting entries leave the stage, working ones are cancelled, and the gate blocks others. Its exits and stops
continue: nothing protective is ever blocked by a count.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from core import facts
from core.messages.commands import OverrideProtection
from core.messages.effects import Effect, FetchAccount
from core.model.account import Account
from core.model.codes import CancelCode, ProposalEnd
from core.model.session import Session
from core.model.staging import MANUAL
from core.model.values import ZERO, Fraction, Money, Symbol
from core.risk.day import shuts_again_at
from core.risk.gate import usd
from core.risk.loss_throttle import Loss
from core.risk.margin import deficit_of, distance_of, limit_under
from core.risk.protections.frequency import RepeatedExecution
from core.risk.protections.protection import GLOBAL, Scope
from core.risk.protections.protection_registry import RENEWED, scope_of_guard
from core.settings.changes import LimitChange, tightened
from core.settings.risk import DAILY, WEEKLY
from core.settings.types import AmountSettings
from core.trading_state.state import TradingState
from core.workflows.orders.cancellation import Cancellation
from core.workflows.workflow import answers, apart, follows

WORD = "OVERRIDE"
CENT = Decimal("0.01")
FOR_A_REVIEW = "its equity curve stayed down: look at its trades, then resume it"


class ProtectionEvents:
    ACTS_BY_TIME = True
    DUE_BY_FACTS = True

    def __init__(self, state: TradingState) -> None:
        self.state = state

    @follows(facts.TradeClosed)
    def after_trade(self, _fact: facts.TradeClosed) -> None:
        self.look()

    def look(self) -> None:
        """Record new or longer trips, and the end of recovered ones."""
        book, at = self.state.protections, self.state.at
        book.look_at_news()
        for protection in book.all:
            if not protection.locks.by_scope or not book.is_on(protection):
                continue
            for lock in protection.locks.holding(at):
                told = book.latches.told(protection.name, str(lock.scope))
                if told is None or told.until != lock.until:
                    self.state.record(
                        facts.ProtectionTripped(protection.name, str(lock.scope), lock.reason, lock.until)
                    )

        for known in tuple(book.latches.all_told()):
            if known.until is None and not book.is_shut(known.name, known.scope, at):
                self.state.record(facts.ProtectionExpired(known.name, known.scope))
        # Pause a disabled strategy on all symbols; the operator resumes it (RK-13).
        for strategy in self.state.protections.disabled_strategies():
            for runner in self.state.orchestrator.roster.runners_of(strategy):
                if runner.state.paused_at is None:
                    self.state.record(facts.StrategyPaused(strategy, runner.symbol, FOR_A_REVIEW))

    def see_account(self, account: Account) -> None:
        """Trip at a loss limit for the day or the week, even if the loss is recovered later (RK-03)."""
        state, day = self.state, self.state.calendar.trading_day(self.state.at)
        losses = self._losses(account)
        venue = state.calendar.venue
        for name, span, ends in ((DAILY, "today", venue.end_of), (WEEKLY, "this week", venue.end_of_week)):
            loss = losses[name]
            if loss is None or loss.limit is None or loss.lost < loss.limit:
                continue
            latches, limit = state.protections.latches, Money(loss.limit.quantize(CENT))
            told, typed = latches.told(name, GLOBAL), latches.typed(name, GLOBAL)
            has_grown = typed is not None and typed.ends_at(loss.lost)
            if has_grown:
                why = f"{usd(loss.lost)} lost {span}, a further half of the limit"
                state.record(facts.OverrideEnded(name, GLOBAL, why))
            is_news = told is None or told.limit != limit
            if has_grown or (is_news and typed is None):
                words = f"{usd(loss.lost)} lost {span}, the limit is {usd(limit)}"
                state.record(facts.ProtectionTripped(name, GLOBAL, words, ends(day), limit))
        self._throttle(losses[DAILY], losses[WEEKLY])

    def on_corrected(self, account: Account) -> None:
        """End a trip that the corrected close does not justify: it was measured against another figure (RK-03)."""
        state, losses = self.state, self._losses(account)
        for name in self._begun_today():
            loss = losses[name]
            is_under = loss is not None and loss.limit is not None and loss.lost < loss.limit
            if is_under and state.protections.latches.told(name, GLOBAL) is not None:
                state.record(facts.ProtectionExpired(name, GLOBAL))

    def _begun_today(self) -> tuple[str, ...]:
        """Return the losses measured against today's opening equity."""
        state = self.state.opening.state
        return (DAILY, WEEKLY) if state.week_day == state.day else (DAILY,)

    def _losses(self, account: Account) -> dict[str, Loss | None]:
        """Return the losses of the day and the week; None if their opening equity is unknown."""
        state, day = self.state, self.state.calendar.trading_day(self.state.at)
        risk, opening = state.control.settings.risk, state.opening
        return {
            DAILY: _loss(opening.opening_equity(day), account, risk.daily_loss),
            WEEKLY: _loss(opening.opening_equity_of_week(day), account, risk.weekly_loss),
        }

    def _throttle(self, of_day: Loss | None, of_week: Loss | None) -> None:
        """Reduce the risk per trade after part of a loss limit, until a better day or a new week (RK-11)."""
        state, losses = self.state, self.state.sizing.losses
        if losses.state.ended:
            state.record(facts.RiskRestored(losses.state.ended))
        if of_day is None or of_week is None:
            return
        found = losses.measure(of_day, of_week, state.control.settings.risk.sizing.throttle)
        if found is not None:
            state.record(facts.RiskThrottled(found.factor, found.words))

    @answers(OverrideProtection)
    def on_override(self, command: OverrideProtection) -> Iterable[Effect]:
        """Override one trip in one scope after the typed word; an account loss stays shut for a while (RK-06)."""
        state, terms = self.state, self.state.control.settings.risk.protections
        told = state.protections.latches.told(command.name, command.scope)
        if told is None or command.word != WORD:
            why = "nothing is shut there" if told is None else f"the word is {WORD}"
            reason = f"{command.name} {command.scope} is not overridden: {why}"
            state.record(facts.ProposalSkipped(MANUAL, Symbol(""), state.at, (reason,)))
            return ()
        if command.name == RepeatedExecution.name:
            state.record(facts.ProtectionOverridden(command.name, command.scope, state.at, state.at))
            self.look()  # its count restarts: it has ended, and no time shuts it again
            return ()
        is_loss = command.name in (DAILY, WEEKLY)
        begins = state.at + timedelta(minutes=terms.loss_override_minutes if is_loss else 0)
        longest = state.at + timedelta(minutes=terms.override_minutes)
        until = longest if told.until is None else told.until if is_loss else min(told.until, longest)
        again_at = self._again_at(command.name) if is_loss else None
        state.record(facts.ProtectionOverridden(command.name, command.scope, begins, until, again_at))
        return ()

    def _again_at(self, name: str) -> Money | None:
        """Return the loss in USD at which an overridden loss shuts again (RK-06); None if its limit is unknown."""
        account = self.state.sightings.account
        loss = self._losses(account)[name] if isinstance(account, Account) else None
        return shuts_again_at(loss.lost, loss.limit) if loss is not None and loss.limit is not None else None

    def on_tightened(self, changes: Collection[LimitChange]) -> None:
        """Apply tighter limits to the current figures at once."""
        self.end_overrides(changes)
        if isinstance(self.state.sightings.account, Account):
            self.see_account(self.state.sightings.account)
        self.look()

    def end_overrides(self, changes: Collection[LimitChange]) -> None:
        """End overrides of a limit that was tightened: the typed word does not cover a tighter one (RK-06)."""
        state = self.state
        for name, words in tightened(changes).items():
            for overridden, scope, _ in tuple(state.protections.latches.all_overrides()):
                if overridden == name:
                    state.record(facts.OverrideEnded(name, scope, f"its limit is tighter now, {words}"))

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        latches = self.state.protections.latches
        yield from (told.until for told in latches.all_told() if told.until is not None)
        yield from (override.until for _, _, override in latches.all_overrides())

    def due(self) -> Iterable[Effect]:
        state, latches = self.state, self.state.protections.latches
        for told in tuple(latches.all_told()):
            if told.until is not None and state.at >= told.until:
                state.record(facts.ProtectionExpired(told.name, told.scope))
        for name, scope, override in tuple(latches.all_overrides()):
            if state.at >= override.until:
                state.record(facts.OverrideEnded(name, scope, "expired"))
        return ()


def _loss(opening: Money | None, account: Account, limit: AmountSettings) -> Loss | None:
    """Return the loss since that equity; None if it is unknown."""
    return None if opening is None else Loss(opening - account.equity, limit.of(opening))


APART = timedelta(minutes=1)
"""Least time between two samples, except for one that ends the use of margin."""
ALL_OF_IT = Fraction(Decimal(1))
GROWN = Decimal("1.1")
"""Growth of the last recorded deficit from which a new one is recorded."""
CLEARLY = Decimal("1.25")
"""The same for a deficit that a person was told of."""
OFTEN, SELDOM = timedelta(seconds=4), timedelta(minutes=1)
"""Time between two requests for an account that may fall under maintenance: a person is told within five seconds.
Seldom is while no market is open, where only the broker's own requirement moves.
"""


class MarginMonitor:
    ACTS_BY_TIME = True

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._asked_at: datetime | None = None

    def see(self, account: Account) -> None:
        """Record the margin; nothing for an account without margin, or without a reported maintenance margin."""
        maintenance = account.maintenance_margin
        if maintenance is None or not (account.uses_margin or self._is_under()):
            return
        distance = distance_of(account)
        now = ALL_OF_IT if distance is None else distance
        if self._is_due(is_in_use=distance is not None):
            self.state.record(facts.MarginSampled(account.equity, maintenance, account.initial_margin, now))
        limit = limit_under(now, self.state.control.settings.risk.margin.warn_at)
        deficit, before = Money(max(maintenance - account.equity, ZERO)), self.state.margin.state
        told = ZERO if before.warned is None else before.warned.deficit
        if limit != before.limit or deficit > told * CLEARLY:
            self.state.record(facts.MarginWarned(now, limit, deficit))
        if self.state.control.settings.risk.margin.counts_deficits:
            self._remember(account)

    def next_due(self) -> Iterator[datetime]:
        """Prices move, and the broker's requirement, whatever the desk does."""
        if self._may_fall_under():
            account = self.state.sightings.account
            seen_at = account.at if isinstance(account, Account) else self.state.at
            yield max(seen_at, self._asked_at or seen_at) + (OFTEN if self._is_open() else SELDOM)

    def due(self) -> Iterable[Effect]:
        if not any(at <= self.state.at for at in self.next_due()):
            return ()
        self._asked_at = self.state.at
        return (FetchAccount(),)

    def _is_under(self) -> bool:
        """Whether a warning is in effect: its end is recorded too."""
        return self.state.margin.state.limit is not None

    def _may_fall_under(self) -> bool:
        """Whether a warning is in effect, or cash or shares are owed: what is paid for carries any requirement."""
        account, held = self.state.sightings.account, self.state.sightings.held_by_the_broker or {}
        if not isinstance(account, Account) or distance_of(account) is None:
            return self._is_under()
        return self._is_under() or account.owes or any(quantity < 0 for quantity in held.values())

    def _is_open(self) -> bool:
        """Whether the broker's figures may move: in a session, and in the extended hours before and after it."""
        calendar, at = self.state.calendar, self.state.at
        if isinstance(calendar.session_at(at), Session):
            return True
        return calendar.venue.extended_until(at, calendar.session_on(calendar.trading_day(at))) is not None

    def _remember(self, account: Account) -> None:
        """Record the first deficit of a day, and each clearly larger one."""
        deficit, day = deficit_of(account), self.state.calendar.trading_day(self.state.at)
        before = self.state.margin.state.deficits.get(day)
        if deficit is not None and (before is None or deficit > before * GROWN):
            self.state.record(facts.MarginDeficitSeen(day, deficit, account.equity))

    def _is_due(self, *, is_in_use: bool) -> bool:
        last = self.state.margin.last
        was_in_use = last is not None and last.maintenance_margin > 0
        if last is None or is_in_use is not was_in_use:
            return is_in_use or was_in_use
        return is_in_use and self.state.at - last.at >= APART


class RepeatedExecutions:
    def __init__(self, state: TradingState, cancellation: Cancellation) -> None:
        self.state = state
        self.cancellation = cancellation

    @follows(facts.OrderFilled)
    def after_fill(self, fact: facts.OrderFilled) -> Iterator[Effect]:
        order = self.state.ledger.order(fact.fill.client_order_id)
        if order is not None and not order.only_reduces:
            yield from self._look(Scope(symbol=order.request.symbol, strategy=order.strategy))

    @follows(facts.ProposalStaged)
    def after_renewal(self, fact: facts.ProposalStaged) -> Iterator[Effect]:
        if fact.proposal.guard in RENEWED:
            yield from self._look(scope_of_guard(fact.proposal))

    def _look(self, scope: Scope) -> Iterator[Effect]:
        protection = self.state.protections.repeated_execution
        reason = protection.exceeded(scope, self.state.at)
        if reason is None or not self.state.protections.is_on(protection):
            return
        self.state.record(facts.ProtectionTripped(protection.name, str(scope), reason, None))
        self._withdraw(scope, reason)
        for order in self.state.ledger.working_entries(scope.symbol, scope.strategy):
            if not order.is_cancelling:
                words = f"its strategy repeats itself: {reason}"
                yield from apart(self.state, partial(self.cancellation.cancel, order, words, CancelCode.REPEATED))

    def _withdraw(self, scope: Scope, reason: str) -> None:
        for proposal in list(self.state.stage.state.proposals.values()):
            is_of_it = (proposal.symbol, proposal.strategy) == (scope.symbol, scope.strategy)
            if is_of_it and not proposal.only_reduces:
                self.state.record(facts.ProposalEnded(proposal.id, ProposalEnd.BLOCKED, f"it repeats itself: {reason}"))
