"""Execute a signed basket: reducing orders first, then a wait for their fills, then entries, then the report (EX-10).

A flattening cancels the working entries before its first sale and waits briefly until they are gone: an entry that
filled after its sale would leave an unintended position.

Each order is handled like a ticket: it is opened at its turn, confirmed by the authorization that the basket's
signature gave, and checked again on a clock, an account and a quote fetched for it. Only one entry is in this process
at a time; the next starts when the broker has answered, so it sees the effect of those before it. Reducing orders do
not wait for the answer of another symbol (EX-22). A halt, a kill or a restart stops the orders that have not left; a
flattening only reduces and continues through a halt and a kill. After a time-out no buy is sent without the operator.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from core import facts
from core.execution.gateway import BOOKS, FIGURES
from core.execution.order import Order
from core.execution.stop_coverage import effect_now, working_entries
from core.messages.commands import AnswerBasket, LeaveBasket
from core.messages.effects import Effect, FetchBooks
from core.messages.inputs import BooksFetched
from core.model.account import Account
from core.model.basket import (
    BasketEnd,
    BasketOrderState,
    BasketPhase,
    BasketReport,
    BasketSource,
    ReportLine,
    SignedOrder,
)
from core.model.broker import BrokerBooks
from core.model.codes import BasketStop, CancelCode, ProposalEnd
from core.model.order import OrderRequest, OrderStatus
from core.model.order_terms import order_in_words
from core.model.staging import AuthorizationKind, Ticket
from core.model.values import NO_SHARES, Money, Quantity, Symbol, plain
from core.risk.message_counts import for_entries
from core.staging import approvals
from core.staging.baskets import BasketRun
from core.trading_state.state import TradingState
from core.workflows.basket_dry_run import NOT_FLAT
from core.workflows.orders.cancellation import Cancellation
from core.workflows.orders.order_updates import look_up
from core.workflows.reconciliation import Reconciliation
from core.workflows.staging.ticket_checks import TicketAuthorizations, is_as_shown
from core.workflows.staging.tickets import Tickets
from core.workflows.workflow import answers

# ── whose turn it is ─────────────────────────────────────────────────────────────────────────────────────────────────
# Choose the next order of a signed basket, and report the result (EX-06).

SIDE_BY_SIDE = 4
"""Sales that are checked on fresh figures at once: more would be many requests in one instant (EX-17)."""


class BasketTurns:
    """Queries about a running basket; none of them changes anything."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self.plans = state.plans

    def following(self, run: BasketRun, orders: tuple[SignedOrder, ...]) -> SignedOrder | None:
        """Return the next order; None if there is none, one is being checked, or an earlier one has no answer yet."""
        following = next((o for o in orders if self.plans.standings.of(run, o) is BasketOrderState.WAITING), None)
        if following is None or self._is_in_hand(run, orders) or self._is_lane_busy(following.proposal.order):
            return None
        return following

    def following_sale(self, run: BasketRun) -> SignedOrder | None:
        """Return the next sale without a pending request for its symbol; other symbols do not delay it (EX-22)."""
        standings = [(order, self.plans.standings.of(run, order)) for order in run.sells()]
        if [standing for _, standing in standings].count(BasketOrderState.CHECKING) >= SIDE_BY_SIDE:
            return None
        for order, standing in standings:
            beside = tuple(other for other, _ in standings if other.proposal.symbol == order.proposal.symbol)
            is_free = standing is BasketOrderState.WAITING and not self._is_in_hand(run, beside)
            if is_free and not self._is_lane_busy(order.proposal.order):
                return order
        return None

    def have_all_gone(self, run: BasketRun, orders: tuple[SignedOrder, ...]) -> bool:
        are_left = any(self.plans.standings.of(run, order) is BasketOrderState.WAITING for order in orders)
        return not are_left and not self._is_in_hand(run, orders)

    def doubted(self, run: BasketRun) -> list[SignedOrder]:
        """Return the buys in doubt that the operator has not been asked about."""
        found = [order for order in run.buys() if self.plans.standings.of(run, order) is BasketOrderState.IN_DOUBT]
        return [order for order in found if self.asks_at(run, [order]) >= (run.phase_since or self.state.at)]

    def asks_at(self, run: BasketRun, doubted: list[SignedOrder]) -> datetime:
        orders = [order for signed in doubted if (order := self.state.ledger.order(signed.order_id)) is not None]
        return (
            min(order.in_doubt_since or self.state.sightings.departing.left_at(order) for order in orders)
            + self._timeout()
        )

    def due(self, run: BasketRun) -> Iterator[datetime]:
        """Yield the times at which the basket continues without an answer, or asks the operator."""
        for signed in run.orders:
            order = self.state.ledger.order(signed.order_id)
            if order is not None and self._waits_for_answer(run, signed):
                yield self._answer_due(order)
        if run.phase is BasketPhase.BUYING and (doubted := self.doubted(run)):
            yield self.asks_at(run, doubted)

    def unsettled(self, run: BasketRun, orders: tuple[SignedOrder, ...]) -> list[SignedOrder]:
        return [order for order in orders if not self.plans.standings.of(run, order).is_over]

    def not_filled(self, run: BasketRun) -> list[SignedOrder]:
        return [order for order in run.sells() if self.plans.standings.of(run, order) is not BasketOrderState.FILLED]

    def is_on_its_way_out(self, run: BasketRun) -> bool:
        """Whether a cancel of one of its orders is pending, or an order of it has no answer yet."""
        ids = (*(signed.order_id for signed in run.orders), *run.taken_back)
        orders = (order for order_id in ids if (order := self.state.ledger.order(order_id)) is not None)
        return any(o.is_cancelling or (o.status is OrderStatus.PENDING and o.in_doubt_since is None) for o in orders)

    def _is_in_hand(self, run: BasketRun, orders: tuple[SignedOrder, ...]) -> bool:
        doubted = self.doubted(run)
        return any(
            self.plans.standings.of(run, order).holds_the_turn or self._waits_for_answer(run, order) or order in doubted
            for order in orders
        )

    def _is_lane_busy(self, order: OrderRequest) -> bool:
        """An entry waits for every pending request, a reducing order only for exits of its symbol (EX-22)."""
        asked = [o for o in self.state.ledger.pending() if o.kept is None]
        if order.effect.only_reduces:
            asked = [o for o in asked if o.only_reduces and o.request.symbol == order.symbol]
        return any(o.in_doubt_since is None for o in asked)

    def _waits_for_answer(self, run: BasketRun, signed: SignedOrder) -> bool:
        """Whether the stream reported the order but its own answer is still due, within the time-out."""
        order = self.state.ledger.order(signed.order_id)
        if order is None or signed.order_id in run.answered or signed.proposal.id in run.refusals:
            return False
        is_told = order.status is not OrderStatus.PENDING and order.status is not OrderStatus.REJECTED
        return is_told and self.state.at < self._answer_due(order)

    def _answer_due(self, order: Order) -> datetime:
        return self.state.sightings.departing.left_at(order) + self._timeout()

    def _timeout(self) -> timedelta:
        """Return the time-out of one answer (EX-06)."""
        return timedelta(seconds=float(self.state.control.settings.execution.answer_seconds))


STILL_CLEARING = "its stop makes way; it goes when that is gone, and Orders shows it then"


class BasketReporting:
    """Makes the report of a finished basket."""

    def __init__(self, state: TradingState) -> None:
        self.state = state

    def report(self, run: BasketRun, books: BrokerBooks | None) -> BasketReport:
        account = books.account if books is not None else self.state.sightings.account
        return BasketReport(
            lines=tuple(self._line(run, signed) for signed in run.orders),
            positions=_positions(run, books),
            power_before=run.power_before,
            power_after=Money(account.buying_power) if isinstance(account, Account) else None,
            is_of_the_broker=books is not None,
            left=self._left(run, books),
        )

    def _left(self, run: BasketRun, books: BrokerBooks | None) -> tuple[str, ...]:
        """List the remains of a flattening: positions, by the broker's books if it answered, and working entries."""
        if run.plan.source is not BasketSource.FLATTEN:
            return ()
        if books is not None:
            held = {position.symbol: position.quantity for position in books.positions}
            unread = [f"{each.symbol or 'a position'} cannot be read" for each in books.unreadable_positions]
        else:
            held = {p.symbol: self.state.ledger.net_quantity(p.symbol) for p in self.state.ledger.positions()}
            unread = []
        positions = [f"{symbol} {plain(quantity)} held" for symbol, quantity in held.items() if quantity]
        entries = [
            (order_in_words(o.request), effect_now(self.state.ledger, o)) for o in working_entries(self.state.ledger)
        ]
        return (*positions, *unread, *(f"{words} still works and would {effect.value}" for words, effect in entries))

    def _line(self, run: BasketRun, signed: SignedOrder) -> ReportLine:
        request = signed.proposal.order
        order: Order | None = self.state.ledger.standing_for(signed.order_id)
        told = "; ".join(run.refusals.get(signed.proposal.id, ()))
        if self.state.plans.standings.of(run, signed) is BasketOrderState.CLEARING:
            told = STILL_CLEARING
        return ReportLine(
            proposal_id=signed.proposal.id,
            symbol=request.symbol,
            side=request.side,
            quantity=request.quantity,
            filled=order.filled_quantity if order is not None else NO_SHARES,
            expected=signed.price,
            average=order.average_price if order is not None else None,
            status=order.status if order is not None else None,
            reason=order.reason if order is not None and order.reason and not told else told,
        )


def _positions(run: BasketRun, books: BrokerBooks | None) -> tuple[tuple[Symbol, Quantity], ...]:
    if books is None:
        return ()
    held = {position.symbol: position.quantity for position in books.positions}
    unread = {position.symbol for position in books.unreadable_positions}
    symbols = dict.fromkeys(signed.proposal.symbol for signed in run.orders if signed.proposal.symbol not in unread)
    return tuple((symbol, held.get(symbol, NO_SHARES)) for symbol in symbols)


# ── the execution ────────────────────────────────────────────────────────────────────────────────────────────────────

GONE = "it has left Proposals since the signing: sent, declined, or its time was over"
IN_HAND = "its own ticket is being confirmed"
EDITED = "it is another order by now than the one that was signed"
HAS_ORDER = "it has its order already"
STOPS_CHANGED = "the stops at the broker are others than at the signing; close it on a ticket of its own"
NOT_GONE = "the basket was stopped before it went"
FLATTENED = "flattened by the operator"
BY_OPERATOR = "stopped by the operator"
UNANSWERED = "nobody said in time whether the buys should go; none of them went"
TIME_OVER = "the time for which it was signed is over"
OTHER_QUESTION = "the basket asks something else by now: read it again, then press"
ALL_OUT = "every order has had its turn; waiting for the fills"
ASKS_BROKER = "the broker is asked for the report"
A_MINUTE = timedelta(minutes=1)
A_BUY = FIGURES + 1
"""Requests that a buy needs: its figures and its order."""
FEW = 3
"""Largest number of orders that are looked up singly; more are read from the broker's books at once (EX-17)."""


class BasketExecution:
    def __init__(
        self,
        state: TradingState,
        tickets: Tickets,
        authorizations: TicketAuthorizations,
        reconciliation: Reconciliation,
        cancellation: Cancellation,
    ) -> None:
        self.state = state
        self.cancellation = cancellation
        self.plans = state.plans
        self.tickets = tickets
        self.authorizations = authorizations
        self.reconciliation = reconciliation
        self.turns = BasketTurns(state)
        self.reporting = BasketReporting(state)
        self._polled_at: datetime | None = None
        self._books: BrokerBooks | None = None
        self._asked_at: datetime | None = None
        self._asks_again = False
        self._held_at: datetime | None = None

    # ── the operator ─────────────────────────────────────────────────────────────────────────────────────────────

    @answers(AnswerBasket)
    def on_answer(self, command: AnswerBasket) -> Iterator[Effect]:
        run = self.plans.running
        if run is None or run.id != command.plan_id or run.phase is not BasketPhase.ASKING:
            return
        if command.goes_on and command.question != run.phase_since:
            self.state.record(facts.BasketRefused(run.id, (OTHER_QUESTION,)))
        elif command.goes_on:
            self._move(run, BasketPhase.BUYING, "the operator goes on: the buys that still fit")
        else:
            yield from self._stop(run, BY_OPERATOR, BasketStop.OPERATOR)

    @answers(LeaveBasket)
    def on_leave(self, command: LeaveBasket) -> Iterator[Effect]:
        run = self.plans.running
        if run is not None and run.id == command.plan_id:
            yield from self._stop(run, BY_OPERATOR, BasketStop.OPERATOR)

    @answers(BooksFetched)
    def on_books(self, reply: BooksFetched) -> Iterable[Effect]:
        """Keep the broker's books for the report, if they are no older than its request."""
        books, run = reply.answer, self.plans.running
        if not isinstance(books, BrokerBooks):
            return ()
        is_of_now = self._asked_at is None or books.account.at >= self._asked_at
        if run is not None and run.phase is BasketPhase.REPORTING and is_of_now:
            self._books = books
        return ()

    # ── each step ────────────────────────────────────────────────────────────────────────────────────────────────

    def settle(self, _asked: list[Effect]) -> Iterator[Effect]:
        """Advance the running basket after every act."""
        while (run := self.plans.running) is not None:
            before = (run.phase, len(run.tickets), len(run.refusals))
            if run.halted and run.phase is not BasketPhase.REPORTING:
                yield from self._stop(run, run.halted, run.halted_by)
            elif run.phase is BasketPhase.TAKING_BACK:
                yield from self._take_back(run)
            elif run.phase is BasketPhase.SELLING:
                yield from self._sell(run)
            elif run.phase is BasketPhase.WAITING:
                self._wait(run)
            elif run.phase is BasketPhase.ASKING:
                is_late = run.permitted_until is not None and self.state.at >= run.permitted_until
                if is_late and not self.state.control.is_clock_in_doubt:
                    yield from self._stop(run, UNANSWERED, BasketStop.UNANSWERED)
            elif run.phase is BasketPhase.BUYING:
                yield from self._buy(run)
            elif run.phase is BasketPhase.SETTLING:
                yield from self._settle(run)
            else:
                yield from self._report(run)
            if self.plans.running is None or before == (run.phase, len(run.tickets), len(run.refusals)):
                return

    def _take_back(self, run: BasketRun) -> Iterator[Effect]:
        """Cancel all entries at once; one whose cancel is not confirmed in time does not delay the sales."""
        for order_id in run.taken_back:
            order = self.state.ledger.order(order_id)
            if order is not None and order.is_working and not order.is_cancelling:
                yield from self.cancellation.cancel(order, FLATTENED, CancelCode.FLATTENED)
        left = self.plans.standings.entries_left(run)
        if not left:
            self._move(run, BasketPhase.SELLING, "the entries are gone")
        elif self._since(run) >= self._seconds("entries_seconds"):
            self._move(run, BasketPhase.SELLING, f"{len(left)} entries are not gone yet; they are asked for again")

    def _sell(self, run: BasketRun) -> Iterator[Effect]:
        following = self.turns.following_sale(run)
        if following is not None:
            yield from self._take_turn(run, following)
        elif self.turns.have_all_gone(run, run.sells()):
            self._move(run, BasketPhase.WAITING, "every sell has had its turn; the buys wait for their fills")

    def _wait(self, run: BasketRun) -> None:
        """Begin the buys without the operator only if every sell is filled."""
        open_ = self.turns.unsettled(run, run.sells())
        late = self._since(run) >= self._seconds("sells_seconds")
        if open_ and not late:
            return
        if not run.buys():
            self._move(run, BasketPhase.SETTLING, "no buys follow")
            return
        if not open_ and not (failed := self.turns.not_filled(run)):
            before = "every sell is filled" if run.sells() else "nothing is sold before"
            self._move(run, BasketPhase.BUYING, f"{before}: the buys, against fresh buying power")
            return
        names = ", ".join(self._in_words(order) for order in open_ or failed)
        waited = (
            f"not filled in {plain(self.state.control.settings.staging.basket.sells_seconds)} s"
            if open_
            else "not filled"
        )
        self._move(run, BasketPhase.ASKING, f"{names} {waited}: go on with the buys that still fit, or stop?")

    def _buy(self, run: BasketRun) -> Iterator[Effect]:
        """Hold the other buys while one is in doubt, and ask the operator after a while (EX-06, EX-10)."""
        doubted = self.turns.doubted(run)
        if doubted and self.state.at >= self.turns.asks_at(run, doubted):
            names = ", ".join(self._in_words(order) for order in doubted)
            self._move(run, BasketPhase.ASKING, f"{names} in doubt: go on with the buys that still fit, or stop?")
            return
        following = self.turns.following(run, run.buys())
        if following is not None and self._room_at() > self.state.at:
            return
        if following is not None:
            yield from self._take_turn(run, following)
        elif self.turns.have_all_gone(run, run.buys()):
            self._move(run, BasketPhase.SETTLING, ALL_OUT)

    def _settle(self, run: BasketRun) -> Iterator[Effect]:
        is_late = self._since(run) >= self._seconds("buys_seconds")
        if is_late or not self.turns.unsettled(run, run.orders):
            yield from self._ask_for_report(run, ASKS_BROKER)

    def _stop(self, run: BasketRun, reason: str, stop: BasketStop | None) -> Iterator[Effect]:
        """Stop the basket: no further order leaves, and the report covers those that have left."""
        for signed in run.orders:
            standing, told = self.plans.standings.of(run, signed), (f"{NOT_GONE}: {reason}",)
            ticket_id = run.tickets.get(signed.proposal.id)
            if standing is BasketOrderState.CHECKING and ticket_id is not None:
                self.state.record(facts.ConfirmationRefused(ticket_id, told))
            elif standing is BasketOrderState.WAITING or (
                standing is BasketOrderState.REFUSED and signed.proposal.id not in run.refusals
            ):
                self.state.record(facts.BasketOrderSkipped(run.id, signed.proposal.id, told))
        yield from self._ask_for_report(run, f"stopped: {reason}", stop)

    def _ask_for_report(self, run: BasketRun, reason: str, stop: BasketStop | None = None) -> Iterator[Effect]:
        self._move(run, BasketPhase.REPORTING, reason, stop)
        yield from self._ask()

    def _ask(self) -> Iterator[Effect]:
        self._books, self._asked_at, self._asks_again = None, self.state.at, False
        yield from self.reconciliation.ask()

    def _report(self, run: BasketRun) -> Iterator[Effect]:
        """Wait for the cancels of a stop or a kill, then ask the broker again (EX-10)."""
        if FetchBooks in self.state.sightings.held_queries:
            self._held_at = self.state.at
        is_late = self.state.at >= self._report_late_at(run)
        if not is_late and self.turns.is_on_its_way_out(run):
            self._asks_again = True
            return
        if not is_late and self._asks_again:
            yield from self._ask()
        if self._books is None and not is_late:
            return
        for signed in run.orders:
            if run.plan.source.brings_its_orders and signed.proposal.id in self.state.stage.state.proposals:
                self.state.record(facts.ProposalEnded(signed.proposal.id, ProposalEnd.WITHDRAWN, "its basket is over"))
        end = BasketEnd.STOPPED if run.stop is not None or run.halted else BasketEnd.DONE
        self.state.record(
            facts.BasketEnded(run.id, end, self.plans.standings.in_sum(run), self.reporting.report(run, self._books))
        )

    def _report_late_at(self, run: BasketRun) -> datetime:
        """Return when the report is late, counted from the departure of its request, which may wait a minute."""
        begun = run.phase_since or self.state.at
        if self._held_at is not None and self._held_at > begun:
            begun = min(self._held_at, begun + A_MINUTE)
        return begun + self._seconds("report_seconds")

    # ── one order ────────────────────────────────────────────────────────────────────────────────────────────────

    def _take_turn(self, run: BasketRun, signed: SignedOrder) -> Iterator[Effect]:
        """Open the ticket and confirm it by the authorization that was signed for exactly this order (OP-02)."""
        proposal = signed.proposal
        refusal = self._refusal(run, signed)
        ticket = None if refusal else self._ticket(run, signed)
        if refusal is None and ticket is None:
            refusal = STOPS_CHANGED
        if refusal is not None or ticket is None:
            self.state.record(facts.BasketOrderSkipped(run.id, proposal.id, (refusal or STOPS_CHANGED,)))
            return
        use = next(
            use
            for use in self.state.stage.authorizations(AuthorizationKind.BASKET, signed.order_id)
            if use.authorization.ticket_id == run.id
        )
        permitted = approvals.permit(self.state.stage, use, proposal.order, self.state.account_name, self.state.at)
        if isinstance(permitted, str):
            self.state.record(facts.BasketOrderSkipped(run.id, proposal.id, (permitted,)))
            return
        approval = replace(permitted, id=str(ticket.id), ticket_id=ticket.id)
        if proposal.id not in self.state.stage.state.proposals:
            self.state.record(facts.ProposalStaged(proposal, signed.review, *self.state.touch(proposal.symbol)))
        self.state.record(facts.BasketTurnBegun(run.id, proposal.id, ticket.id))
        self.state.record(facts.TicketOpened(ticket, *self.state.touch(proposal.symbol)))
        self.state.record(
            facts.ConfirmationReceived(ticket.id, ticket.digest, approval, self.authorizations.authorizations(ticket))
        )
        yield self.tickets.readings.to_decide(proposal, ticket.id, cancels=len(ticket.cancels))

    def _refusal(self, run: BasketRun, signed: SignedOrder) -> str | None:
        stage, proposal = self.state.stage, signed.proposal
        waiting = stage.state.proposals.get(proposal.id)
        if run.permitted_until is None or self.state.at >= run.permitted_until:
            return TIME_OVER
        if self.state.ledger.has(signed.order_id):
            return HAS_ORDER
        if waiting is None and not run.plan.source.brings_its_orders:
            return GONE
        is_turn = run.plan.source is BasketSource.REVERSAL and not proposal.only_reduces
        if is_turn and self.state.ledger.positions_in(proposal.symbol):
            return NOT_FLAT
        if stage.is_confirming(proposal.id):
            return IN_HAND
        if waiting is not None and waiting.order != proposal.order:
            return EDITED
        return None

    def _ticket(self, run: BasketRun, signed: SignedOrder) -> Ticket | None:
        """Return the ticket exactly as signed, at the price of the signing; None if it would differ now."""
        is_as_signed = is_as_shown(self.state, signed.proposal, signed.cancels)
        ticket = self.tickets.ticket(signed.proposal, None, signed.cancels if is_as_signed else None)
        if ticket.digest != signed.digest(self.state.account_name):
            return None
        return replace(ticket, price_at_opening=signed.touch or ticket.price_at_opening)

    def _in_words(self, signed: SignedOrder) -> str:
        order = self.state.ledger.standing_for(signed.order_id)
        left = order.remaining if order is not None else signed.proposal.order.quantity
        request = signed.proposal.order
        return f"{request.side.value.upper()} {plain(left)} {request.symbol}"

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        run = self.plans.running
        if run is None or run.phase_since is None:
            return
        limits = {
            BasketPhase.TAKING_BACK: "entries_seconds",
            BasketPhase.WAITING: "sells_seconds",
            BasketPhase.SETTLING: "buys_seconds",
        }
        if run.phase in (BasketPhase.SELLING, BasketPhase.BUYING):
            yield from self.turns.due(run)
        if run.phase is BasketPhase.REPORTING:
            yield self._report_late_at(run)
        if run.phase is BasketPhase.BUYING and (room_at := self._room_at()) > self.state.at:
            yield room_at
        if run.phase in limits:
            yield run.phase_since + self._seconds(limits[run.phase])
        if run.phase is BasketPhase.WAITING:
            yield self._next_poll(run)
        is_in_doubt = self.state.control.is_clock_in_doubt  # nothing expires by time alone (EX-23)
        if run.phase is BasketPhase.ASKING and run.permitted_until is not None and not is_in_doubt:
            yield run.permitted_until

    def _room_at(self) -> datetime:
        """Return when there is room for a buy's requests and the report after it, outside the reserve (RK-24).

        Sales never wait for room.
        """
        limit, terms = self.state.sightings.capabilities.messages_a_minute, self.state.control.settings.risk.messages
        if limit is None or not terms.enabled:
            return self.state.at
        return self.state.messages.room_from(self.state.at, A_BUY + BOOKS, for_entries(limit, terms.reserve))

    def due(self) -> Iterator[Effect]:
        """Poll sells that are not filled, as the fallback of the stream (EX-10)."""
        run = self.plans.running
        if run is None or run.phase is not BasketPhase.WAITING or self.state.at < self._next_poll(run):
            return
        self._polled_at = self.state.at
        found = (self.state.ledger.standing_for(signed.order_id) for signed in self.turns.unsettled(run, run.sells()))
        orders = [o for o in found if o is not None and not self.state.sightings.departing.is_here(o)]
        if len(orders) > FEW:
            self.state.sightings.books_are_wanted = True
        else:
            for order in orders:
                yield look_up(order)

    def _next_poll(self, run: BasketRun) -> datetime:
        since = run.phase_since or self.state.at
        last = since if self._polled_at is None else max(since, self._polled_at)
        return last + self._seconds("poll_seconds")

    def _since(self, run: BasketRun) -> timedelta:
        return self.state.at - (run.phase_since or self.state.at)

    def _move(self, run: BasketRun, phase: BasketPhase, reason: str, stop: BasketStop | None = None) -> None:
        self.state.record(facts.BasketPhaseChanged(run.id, phase, reason, stop))

    def _seconds(self, name: str) -> timedelta:
        return timedelta(seconds=float(getattr(self.state.control.settings.staging.basket, name)))
