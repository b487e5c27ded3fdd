"""Compare the broker's list of activities, each evening and after each start that missed one (EX-09, AN-06).

1. Request the list for the past week: a broker backdates some entries. Without an answer, request it again.
2. Report each unreadable entry once.
3. Record entries that the journal does not know, once per broker id: cash movements, share movements, splits.
4. Report a difference if an entry changed, or does not match its own figures.
5. Compare fills one by one, and cash to the cent, from the last list to this one.
6. Record the account's equity and cash with it: between two lists each cent is explained, or reported as missing.

A split that may explain a difference between our books and the broker's is requested at once, and then the books are
compared again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial

from core.execution.activity_comparison import (
    cash_difference,
    changed_difference,
    figures_difference,
    fill_differences,
)
from core.execution.splits import splits_in
from core.facts import ActivitiesCompared, ActivityQuarantined, CashMoved, SharesMoved
from core.messages.commands import CompareActivities
from core.messages.effects import Effect, FetchActivities
from core.messages.inputs import ActivitiesFetched
from core.model.activity import Activity, ActivityKind, DropCopy, harmless, in_order
from core.model.broker import NoAnswer
from core.model.reconciliation import Difference, DifferenceKind
from core.model.session import Session
from core.trading_state.activities import quarantined_as
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers
from core.workflows.base.isolation import apart
from core.workflows.protection.protective_stops import ProtectiveStops

LATER = timedelta(minutes=15)
"""Time after the end of a day's trading: the broker books its fees then."""
AGAIN = timedelta(minutes=10)
SETTLED = timedelta(minutes=1)
"""Age below which executions may still be on their way to the desk: the next list compares them."""


class ActivityCopy:
    """Requests the list of activities, and compares it."""

    def __init__(self, state: TradingState, protective_stops: ProtectiveStops) -> None:
        self.state = state
        self.protective_stops = protective_stops
        self._asked_at: datetime | None = None
        self._is_waiting = False
        self._is_failed = False

    # ── when ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _is_told(self) -> bool:
        exchange = self.state.control.settings.exchange
        return self.state.sightings.capabilities.tells_activities or exchange.makes_activities

    def next_due(self) -> Iterator[datetime]:
        """Yield the next request; none before this run's first comparison, which proves that the broker answers."""
        begun = self.state.sightings.books_at
        if begun is None or not self._is_told:
            return
        again = None if self._asked_at is None else self._asked_at + AGAIN
        if self._is_waiting or self._is_failed:
            if again is not None:
                yield again
        elif self._a_split_stands_between:
            yield again or begun
        elif (at := self._evening()) is not None:
            yield max(at, begun)

    def due(self) -> Iterable[Effect]:
        return self.ask() if any(self.state.at >= at for at in self.next_due()) else ()

    def _evening(self) -> datetime | None:
        """Return the end of the first trading day without a list; a first list is due at once."""
        before, calendar = self.state.activities.state.as_of, self.state.calendar
        if before is None:
            return self.state.sightings.books_at
        try:
            today = calendar.session_on(calendar.trading_day(before))
            if isinstance(today, Session) and before < (end := calendar.venue.extended_span(today)[1] + LATER):
                return end
            return calendar.venue.extended_span(calendar.next_session(before))[1] + LATER
        except LookupError:  # the calendar has an end
            return None

    @property
    def _a_split_stands_between(self) -> bool:
        status = self.state.control.state
        return not status.is_reconciled and any(
            one.kind is DifferenceKind.QUANTITY_MISMATCH and one.note for one in status.differences
        )

    @answers(CompareActivities)
    def on_command(self, _command: CompareActivities) -> Iterable[Effect]:
        """Request the list at the operator's command, even if the broker does not list activities."""
        return () if self._is_waiting else self.ask()

    def ask(self) -> Iterator[Effect]:
        self._asked_at, self._is_waiting, self._is_failed = self.state.at, True, False
        yield FetchActivities(self.state.activities.since(self.state.at))

    # ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @answers(ActivitiesFetched)
    def on_fetched(self, reply: ActivitiesFetched) -> Iterator[Effect]:
        self._is_waiting = False
        if isinstance(reply.answer, NoAnswer):
            self._is_failed = True
            return
        copy, book = reply.answer, self.state.activities
        for unreadable in copy.unreadable:
            if book.known(quarantined_as(unreadable.id, unreadable.reason)) is None:
                self.state.record(ActivityQuarantined(unreadable.id, harmless(unreadable.reason)))
        is_first = book.state.as_of is None
        told = [one for one in in_order(copy.activities) if one.day >= copy.since]
        differences = list(self._take_in(told))
        new = [one for one in told if book.known(one.id) is None]
        for one in new:
            self._record(one)
        yield from self._split(new, copy)
        if not is_first:
            differences += self._beside(copy)
        self._conclude(copy, tuple(differences))

    def _take_in(self, told: Iterable[Activity]) -> Iterator[Difference]:
        for one in told:
            known = self.state.activities.known(one.id)
            if known is None:
                if (found := figures_difference(one)) is not None:
                    yield found
            elif known.amount != one.amount:
                yield changed_difference(one, known.amount)

    def _record(self, one: Activity) -> None:
        """Record cash and shares separately. An entry that moved neither is recorded as no cash, to be known."""
        if one.moves_shares and one.symbol is not None and one.quantity is not None:
            self.state.record(
                SharesMoved(one.id, one.day, one.kind, one.symbol, one.quantity, one.price, harmless(one.words))
            )
        elif one.kind is ActivityKind.SPLIT and not one.amount:
            return
        if one.amount or not one.moves_shares:
            self.state.record(
                CashMoved(one.id, one.day, one.kind, one.amount, one.symbol, harmless(one.words), one.by_its_figures)
            )

    def _split(self, new: Iterable[Activity], copy: DropCopy) -> Iterator[Effect]:
        held = {position.symbol: position.quantity for position in copy.positions}
        for fact in splits_in(new, self.state.ledger, held, self.state.orchestrator.state.marks):
            self.state.record(fact)
            if fact.owners:
                self.state.sightings.books_are_wanted = True
                yield from apart(self.state, partial(self.protective_stops.after_correction, fact.symbol))

    def _beside(self, copy: DropCopy) -> Iterator[Difference]:
        book = self.state.activities.state
        until = copy.account.at - SETTLED
        theirs = [f for f in copy.fills if book.fills_until is None or book.fills_until < f.execution.at <= until]
        yield from fill_differences((fill for fill in book.fills if fill.at <= until), theirs)
        if (found := cash_difference(book.cash, copy.account.cash, book.moved)) is not None:
            yield found

    def _conclude(self, copy: DropCopy, differences: tuple[Difference, ...]) -> None:
        account = copy.account
        before = self.state.activities.state.fills_until
        until = account.at - SETTLED
        self.state.record(
            ActivitiesCompared(
                account.at,
                copy.since,
                account.equity,
                account.cash,
                until if before is None else max(before, until),
                differences,
            )
        )
