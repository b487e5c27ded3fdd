"""Reconciliation, as a procedure (EX-09): before anything trades, after each gap of the order stream, after a late
fill, every minute of a session, and of the extended hours around it while anything may happen in them.

1. Ask for the broker's books: account, positions, open orders and those closed of late. One question at a time, and
   never two close together: what is wanted meanwhile is asked once, after it.
2. No answer: before the first agreement, or several times in a row, the desk is read-only. It is asked again.
3. Orders that we know and the broker lists: what we missed is taken in.
4. Orders of ours that it does not list, or whose request is half done: looked up by our own id.
5. Net quantities by symbol. Where an order in doubt or on its way, or a fill that came meanwhile, may explain a
   difference, the next comparison decides. So it does where one of ours was given up that the broker does not list:
   its request may have arrived since, longer ago than the list reaches, and it is looked up once more.
6. Beyond the limits nothing is corrected: the desk is read-only, says why, and asks again. What is owed in symbols
   that agree, stops and closes that are under way, goes all the same.
7. Within them the broker is right: our position is corrected, and the correction recorded. Where several hold the
   symbol each keeps its shares and its stop; what nobody here bought is nobody's in particular.
8. A strategy that is to be flat by the close and holds over it is an error; its exit is staged.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from core.desk import Desk
from core.effects import Effect, FetchPicture, SubmitOrder
from core.execution.correcting import owners_after
from core.execution.order import Order
from core.execution.others import others_in
from core.execution.reconciliation import Comparison, Listing, ReconciliationError
from core.facts import PositionCorrected, ReconciliationFailed, ReconciliationPassed, Source, SubmissionBlocked
from core.inputs import AcceptBroker, PictureFetched
from core.model.broker import BrokerPicture, NoAnswer, OrderReport
from core.model.connection import Line, LineState
from core.model.hours import extended_span
from core.model.order import OrderStatus
from core.model.reconciliation import Difference
from core.model.session import NoSession, Session
from core.model.values import ZERO, ClientOrderId, Quantity, Symbol, plain
from core.ports import JournalError
from core.workflows.apart import apart
from core.workflows.cancelling import Cancelling
from core.workflows.closing import Closing
from core.workflows.doubting import Doubting
from core.workflows.filling import Filling, is_ours
from core.workflows.holding_over import HoldingOver
from core.workflows.protecting import Protecting

WAY_OUT = "leave and run `keyturn reconcile --accept-broker`, or mend it at the broker"
"""What every reason ends with that no later comparison mends by itself."""

NOTHING_HELD = "the broker's books show nothing to close"


class Comparing:
    """Asks for the broker's books, and makes ours agree with them or says why it does not."""

    def __init__(
        self,
        desk: Desk,
        filling: Filling,
        doubting: Doubting,
        cancelling: Cancelling,
        protecting: Protecting,
        closing: Closing,
        holding_over: HoldingOver,
    ) -> None:
        self.desk = desk
        self.filling = filling
        self.doubting = doubting
        self.cancelling = cancelling
        self.protecting = protecting
        self.closing = closing
        self.holding_over = holding_over
        self.awaits_legs: Callable[[Order], bool] = lambda order: False
        self.see: Callable[[BrokerPicture], None] = lambda picture: None
        self.after_books: Callable[[], Iterable[Effect]] = lambda: ()
        self.send_what_is_owed: Callable[[], Iterable[Effect]] = lambda: ()
        self.after_comparison: Callable[[], Iterable[Effect]] = lambda: ()
        self.asked_at: datetime | None = None
        self.ask_at: datetime | None = None
        self._is_waiting = False
        self._is_wanted_again = False
        self._unanswered = 0
        self._nets_when_asked: dict[Symbol, Quantity] | None = None
        self._listing: Listing | None = None
        self._at_rest: Listing | None = None
        self._asked_once_more: set[ClientOrderId] = set()

    # ── 1. asking ────────────────────────────────────────────────────────────────────────────────────────────────

    def ask(self) -> Iterator[Effect]:
        """Now, whatever else is on its way; and again where nothing comes."""
        self.asked_at = self.desk.at
        self.ask_at = self.desk.at + self._seconds("again_seconds")
        self._is_waiting, self._is_wanted_again = True, False
        self._nets_when_asked = self._nets()
        yield FetchPicture()

    def ask_soon(self) -> Iterable[Effect]:
        """As soon as what is on its way has come and the last question lies far enough back."""
        if self._is_waiting:
            self._is_wanted_again = True
            return ()
        earliest = self._earliest()
        if self.desk.at >= earliest:
            return self.ask()
        self.ask_at = earliest if self.ask_at is None else min(self.ask_at, earliest)
        return ()

    def _earliest(self) -> datetime:
        return self.desk.at if self.asked_at is None else self.asked_at + self._seconds("apart_seconds")

    def _nets(self) -> dict[Symbol, Quantity]:
        ledger = self.desk.ledger
        return {position.symbol: ledger.net_quantity(position.symbol) for position in ledger.positions()}

    # ── 2. the answer ────────────────────────────────────────────────────────────────────────────────────────────

    def on_picture(self, reply: PictureFetched) -> Iterator[Effect]:
        wanted_again = self._is_wanted_again
        self._is_waiting = self._is_wanted_again = False
        self.ask_at = self._earliest() if wanted_again else None
        if isinstance(reply.answer, NoAnswer):
            self._not_answered(reply.answer.reason)
            return
        yield from self._compare(reply.answer)

    def _not_answered(self, reason: str) -> None:
        """An agreement of this run outlives a question or two that nobody answered."""
        self._unanswered += 1
        self._again()
        limits = self.desk.control.settings.reconciliation
        if self.desk.control.state.is_reconciled and self._unanswered < limits.max_unanswered:
            return
        self._fail((f"the broker cannot be reached: {reason}; asked again every {limits.again_seconds} s",))

    def _compare(self, picture: BrokerPicture) -> Iterator[Effect]:
        """Steps 3 to 8."""
        self.see(picture)
        self.desk.books_at = self.desk.at
        self.desk.held_by_the_broker = {p.symbol: p.quantity for p in picture.positions}
        comparison = self._beside(picture)
        if (ours := comparison.unreadable_of_ours()) is not None:
            self._not_answered(ours.reason)
            return
        self._unanswered = 0
        faults = self.desk.faults
        follows = list(self._take_in_orders(comparison))
        self.desk.others = comparison.others()
        self.desk.all_others = tuple(others_in(picture, self.desk.others, self.desk.ledger))
        self.desk.foreign_positions = picture.foreign_positions
        positions = comparison.positions()
        self.desk.differing = frozenset(d.symbol for d in positions)
        self.desk.apart, self.desk.gone = {}, frozenset()
        follows += self._look_up_what_was_given_up({d.symbol for d in positions}, comparison)
        waits_for = [d.symbol for d in positions if self._may_be_explained(d.symbol, comparison)]
        self._nets_when_asked = None
        if waits_for or (positions and self.desk.faults > faults):  # perhaps it was not taken in whole
            self._again()
            self._say_what_is_open([d.symbol for d in positions])
        else:
            try:
                yield from self._judge(comparison, positions, follows)
            except ReconciliationError:
                yield from follows
                yield from apart(self.desk, self.after_books)
                yield from self._give_what_is_owed()
                return
            except JournalError:
                raise
            except Exception:  # what was asked for before is asked for all the same
                yield from follows
                raise
        yield from follows
        yield from apart(self.desk, self.after_books)
        yield from self._give_what_is_owed()

    def _give_what_is_owed(self) -> Iterator[Effect]:
        """What was kept, stops of fills, closes, what was taken off stops: none waits for other symbols' books."""
        yield from apart(self.desk, self.send_what_is_owed)
        yield from apart(self.desk, partial(self.protecting.resume, self._too_far))
        yield from apart(self.desk, partial(self.closing.go_on, self._too_far))
        yield from apart(self.desk, self.after_comparison)

    def guard(self) -> Iterator[Effect]:
        """Between two looks: what waited for an exit that sells nothing after all gets its stop at once."""
        yield from apart(self.desk, partial(self.protecting.resume, self._too_far))
        yield from apart(self.desk, self.after_comparison)

    @property
    def _too_far(self) -> frozenset[Symbol]:
        return self.desk.differing if self.desk.apart or self.desk.gone else frozenset()

    def _judge(
        self, comparison: Comparison, positions: Sequence[Difference], follows: list[Effect]
    ) -> Iterator[Effect]:
        """The broker is right; of what `follows`, what that makes needless goes.

        Raises ReconciliationError, once it is said, where that is for a person to say.
        """
        found = (*positions, *comparison.orders(), *self.holding_over.differences())
        try:
            comparison.require_within_limits(positions)
        except ReconciliationError as error:
            self._again()
            self.desk.apart, self.desk.gone = comparison.quantities_apart(positions), comparison.gone(positions)
            self._fail(tuple(f"{reason}; {WAY_OUT}" for reason in error.args), found)
            raise
        self._pass(tuple(self._correct(d, comparison) for d in positions), found)
        self.desk.differing = frozenset()
        for difference in positions:
            follows[:] = [effect for effect in follows if not self._calls_off(effect, difference.symbol)]
            yield from apart(self.desk, partial(self.protecting.after_correction, difference.symbol))
        self.holding_over.stage_exits()

    def _beside(self, picture: BrokerPicture) -> Comparison:
        limits = self.desk.control.settings.reconciliation
        comparison = Comparison(self.desk.ledger, picture, limits, self._listing)
        self._listing = comparison.listing
        return comparison

    # ── 3 and 4. orders ──────────────────────────────────────────────────────────────────────────────────────────

    def _take_in_orders(self, comparison: Comparison) -> Iterator[Effect]:
        listing = comparison.listing
        for order in self._to_look_at(listing):
            is_there = order.id in listing.reports  # whatever an earlier run believed of it
            if is_there or not self.desk.departing.is_here(order):
                yield from apart(self.desk, partial(self._take_in, order, comparison))
        if self._at_rest is not listing:
            self._at_rest = listing if all(map(self._rests, listing.reports.values())) else None

    def _take_in(self, order: Order, comparison: Comparison) -> Iterator[Effect]:
        report = comparison.listing.reports.get(order.id)
        if report is not None and is_ours(order, report):
            is_alive = report.status is not None and report.status.is_working  # given up here, and there after all
            is_news = order.is_working or is_alive or report.filled_quantity > order.filled_quantity
            if is_news or self.desk.ledger.expects_legs(order):
                yield from self.filling.absorb(order, report, Source.RECONCILIATION)
                yield from self.doubting.ask_for_legs(order)
        elif order.is_working and order.id not in self.doubting.next_look_up:
            left_at = self.desk.departing.left_at(order)
            if order.status is OrderStatus.PENDING and self.desk.at - left_at < self._grace():
                return
            yield from self.doubting.ask(order)
        yield from self.doubting.on_books(order, comparison.picture, is_listed=report is not None)
        if order.is_cancelling and order.id not in self.doubting.next_look_up:
            yield from self.cancelling.again(order)

    def _to_look_at(self, listing: Listing) -> list[Order]:
        """Every order of ours; only those that work, where the broker lists the very same orders as when all that had
        ended were at rest, so that a quiet minute costs the same after many orders as after few.
        """
        ledger = self.desk.ledger
        working = list(ledger.working())
        ours = {order.id for order in working}
        is_known = self._at_rest is listing and not self.doubting.awaits_books
        if is_known and all(id_ in ours for id_ in listing.alive):
            return working
        return list(ledger.state.orders.values())

    def _rests(self, report: OrderReport) -> bool:
        """Whether it can tell nothing new of an order of ours once that has ended: its fills and legs are known."""
        order = self.desk.ledger.order(report.client_order_id)
        if order is None:
            return self.desk.ledger.has(report.client_order_id)
        has_legs = not order.request.legs or order.is_bare or bool(self.desk.ledger.legs(order.id))
        return has_legs and report.filled_quantity <= order.filled_quantity

    def _grace(self) -> timedelta:
        """An order that this very run has just sent may not be on the broker's books yet; an older run's must be."""
        if not self.desk.control.state.is_reconciled:
            return timedelta(0)
        return timedelta(seconds=float(self.desk.control.settings.execution.answer_seconds))

    # ── 5. what may explain itself ───────────────────────────────────────────────────────────────────────────────

    def _may_be_explained(self, symbol: Symbol, comparison: Comparison) -> bool:
        """Whether the next comparison decides: an order is in doubt, its legs are not known yet, fills came that the
        picture is too old to show, or came while it was fetched, so that its positions may be older than its orders.
        Or an order of ours that the broker had is listed no more, as after a week: what it filled is looked up, and
        would count twice.
        """
        before = self._nets_when_asked
        if before is not None and before.get(symbol, ZERO) != self.desk.ledger.net_quantity(symbol):
            return True
        for order in self.desk.ledger.state.orders.values():
            if order.request.symbol != symbol:
                continue
            is_asked = order.id in self.doubting.next_look_up
            if (order.is_working and order.in_doubt_since is not None) or (is_asked and self.awaits_legs(order)):
                return True
            if is_asked and order.is_given_up:
                return True
            report = comparison.reports.get(order.id)
            if order.is_working and order.status is not OrderStatus.PENDING and report is None and is_asked:
                return True
            is_recent = order.ended_at is None or order.ended_at >= comparison.picture.account.at
            shown = report.filled_quantity if report else ZERO
            if (report is not None or is_recent) and order.filled_quantity > shown:
                return True
        return False

    def _look_up_what_was_given_up(self, symbols: Collection[Symbol], comparison: Comparison) -> Iterator[Effect]:
        """Orders of ours that never arrived, by all that this run knows: until the broker has answered, once."""
        orders = list(self.desk.ledger.state.orders.values()) if symbols else ()
        for order in orders:
            is_unseen = order.is_given_up and order.request.symbol in symbols and order.id not in comparison.reports
            if is_unseen and order.id not in self._asked_once_more:
                self._asked_once_more.add(order.id)
                yield from self.doubting.ask(order)

    def _say_what_is_open(self, differing: list[Symbol]) -> None:
        """Before the first agreement the desk says what it waits for; later it trades on meanwhile."""
        if not self.desk.control.state.is_reconciled:
            named = ", ".join(differing)
            self._fail(
                (f"{named}: the broker's books and ours differ, and an order on its way may explain it; asked again",)
            )

    # ── 6 and 7. the verdict ─────────────────────────────────────────────────────────────────────────────────────

    def _calls_off(self, effect: Effect, symbol: Symbol) -> bool:
        """Whether this is an exit that our books called for before they were corrected, with nothing left to close."""
        order = self.desk.ledger.order(effect.order.client_order_id) if isinstance(effect, SubmitOrder) else None
        if order is None or order.request.symbol != symbol or not self.protecting.is_loose(order):
            return False
        self.desk.record(SubmissionBlocked(order.id, NOTHING_HELD))
        self.desk.record(self.filling.change(order, OrderStatus.CANCELLED, Source.DESK, None, NOTHING_HELD))
        return True

    def on_accept(self, command: AcceptBroker) -> Iterator[Effect]:
        """The deliberate way out: a person takes the broker's word, and the limits do not count."""
        comparison = self._beside(command.picture)
        positions = comparison.positions()
        corrections = tuple(f"{self._correct(d, comparison)}; taken over by the operator" for d in positions)
        self.desk.record(ReconciliationPassed(corrections, (*positions, *comparison.orders())))
        self.desk.differing, self.desk.apart, self.desk.gone = frozenset(), {}, frozenset()
        for difference in positions:
            yield from apart(self.desk, partial(self.protecting.after_correction, difference.symbol))
        yield from apart(self.desk, self.after_comparison)

    def _correct(self, difference: Difference, comparison: Comparison) -> str:
        """The broker is right."""
        theirs = comparison.theirs(difference.symbol)
        ours = self.desk.ledger.net_quantity(difference.symbol)
        true = theirs.quantity if theirs else Quantity(ZERO)
        average, is_split = theirs.average_price if theirs else None, bool(difference.note)
        owners = owners_after(self.desk.ledger, difference.symbol, true, average, is_split=is_split)
        reason = f"{difference.symbol}: the broker has {true}, our books had {ours}"
        if len(owners) > 1:
            reason += f"; now {', '.join(f'{share.strategy} has {plain(share.quantity)}' for share in owners)}"
        self.desk.record(PositionCorrected(difference.symbol, true, average, reason, owners, is_split))
        return reason

    def _pass(self, corrections: tuple[str, ...], found: tuple[Difference, ...]) -> None:
        """Told where it is news: after a start, with a correction, or where other things differ than before."""
        state = self.desk.control.state
        if corrections or not state.is_reconciled or found != state.differences:
            self.desk.record(ReconciliationPassed(corrections, found))

    def _fail(self, reasons: tuple[str, ...], found: tuple[Difference, ...] = ()) -> None:
        state = self.desk.control.state
        if state.is_reconciled or state.read_only_because != reasons:
            self.desk.record(ReconciliationFailed(reasons, found))

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        if self.ask_at is not None:
            yield self.ask_at
        elif (again := self._next_round()) is not None:
            yield again

    def due(self) -> Iterable[Effect]:
        at = self.ask_at if self.ask_at is not None else self._next_round()
        return self.ask() if at is not None and self.desk.at >= at else ()

    def _next_round(self) -> datetime | None:
        """Every minute of a session, and of the extended hours while anything may happen in them; else when those next
        begin. Often, where the books tell what the order stream does not while orders work (EX-17).
        """
        every = self._every()
        if self.asked_at is None or not every:
            return None
        calendar, at = self.desk.calendar, max(self.asked_at + every, self.desk.at)
        if not isinstance(calendar.session_at(at), NoSession) or self._watches_others():
            return at
        following = calendar.next_session(at)
        if not self._minds_extended_hours():
            return following.open
        today = calendar.session_on(calendar.trading_day(at))
        if isinstance(today, Session) and at < extended_span(today)[1]:
            return max(at, extended_span(today)[0])
        return extended_span(following)[0]

    def _watches_others(self) -> bool:
        """Killed, and what a kill takes back of others is not gone yet: it is watched at any hour (OP-07)."""
        is_killed = self.desk.control.state.killed_by is not None
        return is_killed and any(other.may_open and not other.is_unread for other in self.desk.all_others)

    def _minds_extended_hours(self) -> bool:
        """Whether the policy has entries in them, or an order or a position of ours may meet them (RK-20)."""
        ledger = self.desk.ledger
        is_included = self.desk.control.settings.risk.session.policy == "include_extended"
        return is_included or next(ledger.working(), None) is not None or bool(ledger.positions())

    def _every(self) -> timedelta:
        """Where nothing comes over the order stream, the books tell in its place: often while orders work, and within
        the silence that sends an entry back to review while the ticket of one is open (OP-04).
        """
        lamp = self.desk.lamps.get(Line.TRADES)
        every = self._seconds("every_seconds")
        if lamp is None or lamp.state is LineState.UP:
            return every
        tickets = self.desk.stage.state.tickets.values()
        if any(not ticket.order.effect.only_reduces for ticket in tickets):
            silence = timedelta(seconds=float(self.desk.control.settings.confirm.silent_seconds))
            return min(self._seconds("poll_seconds"), silence / 2)
        return self._seconds("poll_seconds") if next(self.desk.ledger.working(), None) is not None else every

    def _again(self) -> None:
        later = self.desk.at + self._seconds("again_seconds")
        self.ask_at = later if self.ask_at is None else min(self.ask_at, later)

    def _seconds(self, name: str) -> timedelta:
        return timedelta(seconds=float(getattr(self.desk.control.settings.reconciliation, name)))
