"""When the broker's books are requested, and comparisons of orders and activities with its lists (EX-09, AN-06).

Steps 3 to 5 of a reconciliation; the cost of a comparison does not grow with the number of past orders.

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

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial

from core.execution.corporate_actions import splits_in
from core.execution.order import Order, has_news
from core.execution.position_correction import (
    cash_difference,
    changed_difference,
    figures_difference,
    fill_differences,
)
from core.execution.reconciliation import Comparison
from core.facts import ActivitiesCompared, ActivityQuarantined, CashMoved, SharesMoved, Source
from core.messages.desk_commands import CompareActivities
from core.messages.effects import Effect, FetchActivities
from core.messages.inputs import ActivitiesFetched
from core.model.account import Channel, ConnectionState
from core.model.broker import NoAnswer, OrderReport
from core.model.order import OrderStatus
from core.model.reconciliation import Activity, ActivityKind, Difference, DifferenceKind, DropCopy, harmless, in_order
from core.model.session import NoSession, Session
from core.model.values import ZERO, ClientOrderId, Money, Symbol
from core.risk.message_counts import limit_wait
from core.trading_state.account_history import KnownActivity, quarantined_as
from core.trading_state.state import TradingState
from core.workflows.orders.cancellation import Cancellation
from core.workflows.orders.order_recovery import OrderRecovery
from core.workflows.orders.order_updates import OrderUpdates, is_ours
from core.workflows.protection.excess_exits import ExcessExits
from core.workflows.protection.protective_stops import ProtectiveStops
from core.workflows.workflow import answers, apart


class ReconciliationTimes:
    """Schedules requests for the broker's books, one at a time and some seconds apart."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._asked_at: datetime | None = None
        self._ask_at: datetime | None = None
        self._is_waiting = False
        self._is_wanted_again = False
        self._open_since: datetime | None = None
        """Since when each reading has left something open."""

    def asks(self) -> None:
        """Note that the books are requested now."""
        if self._ask_at is None:
            self._open_since = None
        self._asked_at = self.state.at
        self._ask_at = self.state.at + self._seconds("again_seconds")
        self._is_waiting, self._is_wanted_again = True, False

    def answered(self) -> None:
        """Note the answer, and schedule requests that came meanwhile."""
        wanted_again = self._is_wanted_again
        self._is_waiting = self._is_wanted_again = False
        self._ask_at = self._earliest() if wanted_again else None

    def may_ask_now(self) -> bool:
        """Whether to request the books at once; if not, they are scheduled."""
        if self._is_waiting:
            self._is_wanted_again = True
            return False
        earliest = self._earliest()
        if self.state.at >= earliest:
            return True
        self._ask_at = earliest if self._ask_at is None else min(self._ask_at, earliest)
        return False

    def next(self) -> datetime | None:
        return self._ask_at if self._ask_at is not None else self._next_round()

    def again(self, limited_seconds: float | None = None) -> None:
        """Schedule another request, not before the end of a rate limit."""
        pause = max(self._seconds("again_seconds"), limit_wait(limited_seconds or 0))
        later = self.state.at + pause
        self._ask_at = later if self._ask_at is None else min(self._ask_at, later)

    def read_again(self) -> None:
        """Schedule another reading of books that left something open.

        What is still open after a minute is for a person. While no order can fill, the books are then read no more
        often than in a session, instead of thousands of times over a weekend.
        """
        self._open_since = self._open_since or self.state.at
        every = self._seconds("every_seconds")
        is_old = self.state.at - self._open_since >= every
        self.again(every.total_seconds() if is_old and self._next_hours(self.state.at) > self.state.at else None)

    def _earliest(self) -> datetime:
        return self.state.at if self._asked_at is None else self._asked_at + self._seconds("apart_seconds")

    def _next_round(self) -> datetime | None:
        """Return the next regular request: each minute of a session, and of the extended hours while needed.

        Outside them it is their next start. While orders work without an order stream the requests are frequent
        (EX-17).
        """
        every = self._every()
        if self._asked_at is None or not every:
            return None
        return self._next_hours(max(self._asked_at + every, self.state.at))

    def _next_hours(self, at: datetime) -> datetime:
        """Return `at` while an order of ours may fill, or others' are cancelled; else the next start of such hours."""
        calendar = self.state.calendar
        if not isinstance(calendar.session_at(at), NoSession) or self._watches_others():
            return at
        following = calendar.next_session(at)
        if not self._minds_extended_hours():
            return following.open
        today = calendar.session_on(calendar.trading_day(at))
        if isinstance(today, Session) and at < calendar.venue.extended_span(today)[1]:
            return max(at, calendar.venue.extended_span(today)[0])
        return calendar.venue.extended_span(following)[0]

    def _watches_others(self) -> bool:
        """Whether killed with external orders left to cancel: the books are watched at any hour then (OP-07)."""
        is_killed = self.state.control.killed_by is not None
        return is_killed and any(other.may_open and not other.is_unread for other in self.state.sightings.all_others)

    def _minds_extended_hours(self) -> bool:
        """Whether the policy has entries in extended hours, or an order or position of ours may be affected (RK-20)."""
        ledger = self.state.ledger
        is_included = self.state.control.settings.risk.session.policy == "include_extended"
        return is_included or next(ledger.working(), None) is not None or bool(ledger.positions())

    def _every(self) -> timedelta:
        """Return the interval. Without an order stream the books replace it: often while orders work.

        While an entry's ticket is open it is shorter than the silence that sends the entry back to review (OP-04).
        """
        connection = self.state.sightings.connections.get(Channel.TRADES)
        every = self._seconds("every_seconds")
        if connection is None or connection.state is ConnectionState.UP:
            return every
        tickets = self.state.stage.state.tickets.values()
        if any(not ticket.order.effect.only_reduces for ticket in tickets):
            silence = timedelta(seconds=float(self.state.control.settings.confirm.silent_seconds))
            return min(self._seconds("poll_seconds"), silence / 2)
        return self._seconds("poll_seconds") if next(self.state.ledger.working(), None) is not None else every

    def _seconds(self, name: str) -> timedelta:
        return timedelta(seconds=float(getattr(self.state.control.settings.reconciliation, name)))


class ListedOrders:
    """Takes in the broker's list of our orders, and tells whether an order may explain a difference."""

    def __init__(
        self,
        state: TradingState,
        order_updates: OrderUpdates,
        order_recovery: OrderRecovery,
        cancellation: Cancellation,
        protective_stops: ProtectiveStops,
        excess_exits: ExcessExits,
    ) -> None:
        self.state = state
        self.order_updates = order_updates
        self.order_recovery = order_recovery
        self.cancellation = cancellation
        self.protective_stops = protective_stops
        self.excess_exits = excess_exits
        self._restless: set[ClientOrderId] = set()
        self._asked_once_more: set[ClientOrderId] = set()

    def take_in(self, comparison: Comparison) -> Iterator[Effect]:
        """Take in working orders and reports that may contain news."""
        listing = comparison.listing
        self._restless, listing.fresh = self._restless | listing.fresh, set()
        told = [report for order_id in self._restless if (report := listing.reports.get(order_id)) is not None]
        # The reports of orders that may have left memory, in a fixed order.
        ledger = self.state.ledger
        gone = [report for report in told if ledger.order(report.client_order_id) is None]
        for report in sorted(gone, key=lambda report: report.client_order_id) if ledger.state.forgotten else []:
            yield from apart(self.state, partial(self._recall, report))
        for order in self._to_look_at():
            if comparison.is_unread(order):
                continue  # it is there, and stays as it is
            is_there = order.id in listing.reports  # whatever an earlier run believed of it
            if is_there or not self.state.sightings.departing.is_here(order):
                yield from apart(self.state, partial(self._take_in_one, order, comparison))
        for order in self._to_look_at():
            if order.id not in listing.reports and not comparison.is_unread(order):
                yield from apart(self.state, partial(self.order_recovery.end_missing, order, comparison))
        self._restless = {report.client_order_id for report in told if not self._rests(report)}

    def _to_look_at(self) -> list[Order]:
        """Return working orders, those with possible news, and those to be looked up in the books; oldest first."""
        working = (order.id for order in self.state.ledger.working())
        return self.state.ledger.in_order({*working, *self._restless, *self.order_recovery.in_books})

    def _take_in_one(self, order: Order, comparison: Comparison) -> Iterator[Effect]:
        report = comparison.listing.reports.get(order.id)
        if report is not None and is_ours(self.state, order, report):
            is_alive = report.status is not None and report.status.is_working  # given up here, but still at the broker
            is_news = order.is_working or is_alive or report.filled_quantity > order.filled_quantity
            if is_news or self.order_updates.adopting.wants_more(order):
                yield from self.order_updates.absorb(order, report, Source.RECONCILIATION)
                yield from self.order_recovery.ask_for_legs(order)
        elif order.is_working and order.id not in self.order_recovery.next_look_up:
            left_at = self.state.sightings.departing.left_at(order)
            if order.status is OrderStatus.PENDING and self.state.at - left_at < self._grace():
                return
            yield from self.order_recovery.ask(order)
        was_asked_for = order.id in self.order_recovery.in_books and report is not None
        yield from self.order_recovery.on_books(order, is_listed=report is not None)
        if was_asked_for:
            self.excess_exits.after_look_up(order)
            yield from self.protective_stops.after_look_up(order)
        if order.is_cancelling and order.id not in self.order_recovery.next_look_up:
            yield from self.cancellation.again(order)

    def _recall(self, report: OrderReport) -> None:
        self.state.order_of(report)

    def _rests(self, report: OrderReport) -> bool:
        """Whether the report can contain no news: the order has ended and its fills and legs are known.

        A working order is checked each time, also if it works only at the broker.
        """
        order = self.state.ledger.order(report.client_order_id)
        if order is None:
            return True
        legs = self.state.ledger.legs
        has_legs = not order.request.legs or order.is_bare or (legs.of(order.id) and not legs.lack_some(order))
        return bool(has_legs) and not has_news(report, order)

    def _grace(self) -> timedelta:
        """Return the time that an order sent by this run may be missing from the books; zero for an earlier run's."""
        if not self.state.control.state.is_reconciled:
            return timedelta(0)
        return timedelta(seconds=float(self.state.control.settings.execution.answer_seconds))

    def may_explain(self, symbol: Symbol, comparison: Comparison) -> bool:
        """Whether an order of the symbol may explain a difference.

        It is in doubt and its fill, or one of its legs', would be of that direction; its legs are unknown; or its fills
        are newer than the books. Or the broker no longer lists it, as after a week: its fills are looked up, and would
        count twice.
        """
        for order in self.state.ledger.state.orders.values():
            if order.request.symbol != symbol:
                continue
            is_asked = order.id in self.order_recovery.next_look_up
            if is_asked and self.order_updates.adopting.awaits(order):
                return True
            report = comparison.reports.get(order.id)
            has_left = order.status is OrderStatus.PENDING and not self.state.sightings.departing.is_here(order)
            is_unlisted = order.is_working and report is None and (is_asked or has_left)
            is_in_doubt = order.is_working and order.in_doubt_since is not None
            is_unsure = is_in_doubt or is_unlisted or (is_asked and order.is_given_up)
            if is_unsure and (order.request.legs or comparison.may_hide_a_fill(order)):
                return True
            is_recent = order.ended_at is None or order.ended_at >= comparison.books.account.at
            shown = report.filled_quantity if report else ZERO
            if (report is not None or is_recent) and order.filled_quantity > shown:
                return True
        return False

    def look_up_what_was_given_up(self, symbols: Collection[Symbol], comparison: Comparison) -> Iterator[Effect]:
        """Look up, once, our orders that never arrived as far as this run knows."""
        orders = list(self.state.ledger.state.orders.values()) if symbols else ()
        for order in orders:
            is_unseen = order.is_given_up and order.request.symbol in symbols and order.id not in comparison.reports
            if is_unseen and order.id not in self._asked_once_more:
                self._asked_once_more.add(order.id)
                yield from self.order_recovery.ask(order)


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
            if known is not None and one.kind is ActivityKind.FEE:
                self._correct_fee(one, known)

    def _correct_fee(self, one: Activity, known: KnownActivity) -> None:
        """Record a fee's changes on the days that it named: one that is corrected, cancelled or dated otherwise."""
        changes = [(one.day, one.amount - known.amount)]
        if one.day != known.day:
            changes = [(known.day, -known.amount), (one.day, one.amount)]
        for day, amount in changes:
            if amount:
                self.state.record(CashMoved(one.id, day, one.kind, Money(amount), one.symbol, harmless(one.words)))

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
        held = {position.symbol: position for position in copy.positions}
        tolerance = self.state.control.settings.reconciliation.split_tolerance
        for fact in splits_in(new, self.state.ledger.positions_in, held, tolerance):
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
