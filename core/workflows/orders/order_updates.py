"""Turn the broker's reports into fills, states and positions: each execution once, no step back (EX-05)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from core import facts
from core.execution import order_status
from core.execution.order import Order
from core.execution.position_correction import counted_before, given_back
from core.execution.stop_coverage import unanswered_exits, unreserved_of
from core.messages.effects import CancelOrder, Effect, FetchAccount, LookUpOrder
from core.messages.inputs import BrokerUpdated
from core.model.broker import Execution, OrderReport, UnreadUpdate, UpdateEvent
from core.model.codes import CancelCode, EndCode
from core.model.order import OrderStatus, Side
from core.model.order_terms import StatedTerms
from core.model.position import DERIVED, Fill
from core.model.values import (
    NO_SHARES,
    BrokerOrderId,
    ClientOrderId,
    ExecutionId,
    Money,
    Price,
    Quantity,
    Symbol,
    plain,
)
from core.trading_state.state import TradingState
from core.trading_state.watched_symbols import see_trail
from core.workflows.orders.exit_legs import ContingentOrders, follow_word
from core.workflows.orders.sale_chains import SaleChains
from core.workflows.workflow import answers, follow_up, follows

CLOCKS_APART = timedelta(seconds=2)
"""Largest difference of the clocks that is no doubt (EX-23): they may have moved apart since they were compared."""
OUT_OF_TIME = timedelta(seconds=30)
"""Tolerance of a fill's time before its order and after now."""
A_DAY = timedelta(days=1)
"""The same while the desk's clock is in doubt (EX-23)."""
TAKES_BACK = frozenset({UpdateEvent.TRADE_BUST, UpdateEvent.TRADE_CORRECT})
"""Events by which the broker itself says that it takes fills back, or corrects them."""
REST = frozenset({facts.Source.LOOK_UP, facts.Source.RECONCILIATION})
"""Sources with the whole of an order: a fill that they imply but do not list is lost to the stream."""


class OrderUpdates:
    def __init__(self, state: TradingState) -> None:
        self.state = state
        self.adopting = ContingentOrders(state)
        self.sale_chains = SaleChains(state)
        self._asked_again: set[ClientOrderId] = set()
        self.said_taken_back: dict[ClientOrderId, datetime] = {}
        """Orders of which the broker itself said so, and when."""
        self._overtaken: dict[ClientOrderId, Quantity] = {}

    @follows(facts.DayStarted)
    def after_day_started(self, _fact: facts.DayStarted) -> None:
        """Drop what is known of orders that the ledger has forgotten."""
        orders = self.state.ledger.state.orders
        self.adopting.forget_past_orders()
        self._asked_again &= orders.keys()
        self._overtaken = {name: filled for name, filled in self._overtaken.items() if name in orders}

    @answers(BrokerUpdated)
    def on_updated(self, message: BrokerUpdated) -> Iterator[Effect]:
        update = message.update
        order = self.state.order_of(update.report) or self._working_there(update.report.broker_order_id)
        if order is None:
            yield from self._unknown(update.report)
            return
        if not is_ours(self.state, order, update.report):
            self.state.record(facts.UpdateIgnored(order.id, "the broker's order with this id is another"))
            self._hear_of_other(update.report)
            return
        yield from self.absorb(order, update.report, facts.Source.STREAM, update.execution)
        if update.event in TAKES_BACK:
            self.said_taken_back[order.id] = self.state.at
            self.state.sightings.disputed |= {order.request.symbol}
        if update.event in (*TAKES_BACK, UpdateEvent.OTHER):  # whatever it means, the books say what is left
            self.state.sightings.books_are_wanted = True
        if update.event is UpdateEvent.ORDER_REPLACE_REJECTED:
            # Look up both orders after a replacement was refused: it has ended, and the old order works on (EX-06).
            both = (order.request.replaces, order.id, order.replacement)
            for one in (self.state.ledger.order(name) for name in both if name is not None):
                if one is not None and not self.state.sightings.departing.is_here(one):
                    yield look_up(one)

    def named_in(self, update: UnreadUpdate) -> Order | None:
        """Return our order that an unreadable update names."""
        named = None if update.client_order_id is None else self.state.ledger.order(update.client_order_id)
        theirs = update.broker_order_id
        return named or (None if theirs is None else self._working_there(theirs))

    def _working_there(self, theirs: BrokerOrderId) -> Order | None:
        """Return our working order by the broker's own id of it."""
        return next((order for order in self.state.ledger.working() if order.broker_order_id == theirs), None)

    def _unknown(self, report: OrderReport) -> Iterator[Effect]:
        """Handle a report of an unknown order: if it may be a leg, look its parent up.

        Else it is an external order, such as a stop that replaced ours: it is noted at once, and the books are
        requested.
        """
        if self.state.ledger.has(report.client_order_id):
            self.state.record(facts.UpdateIgnored(report.client_order_id, "it ended on an earlier day: nothing new"))
            return
        parents = self.state.ledger.legs.parents_of_unnamed(report.symbol)
        if not parents:
            self.state.record(facts.UpdateIgnored(report.client_order_id, "an order that is not ours"))
            self._hear_of_other(report)
        for parent in parents:
            if not self.state.sightings.departing.is_here(parent):
                yield look_up(parent)

    def _hear_of_other(self, report: OrderReport) -> None:
        """Note it, and fetch the books. An unfilled order that a kill cancelled moved nothing: hundreds fetch none."""
        is_of_a_kill = report.broker_order_id in self.state.sightings.asked_by_kill
        is_expected = is_of_a_kill and report.status is OrderStatus.CANCELLED and not report.filled_quantity
        self.state.hear_of_other(report)
        self.state.sightings.books_are_wanted |= not is_expected

    def absorb(
        self, order: Order, report: OrderReport, source: facts.Source, execution: Execution | None = None
    ) -> Iterator[Effect]:
        """Take in a report: the acceptance, then executions, then the final status.

        A leg's fill does not count before its entry's: if that was missed, the entry is looked up and reports both.
        """
        if (entry := self._entry_behind(order, report)) is not None:
            yield look_up(entry)
            return
        yield from self.take_in(order, report, source, execution)

    def _entry_behind(self, leg: Order, report: OrderReport) -> Order | None:
        """Return the entry whose fills are missing while its leg has filled; else None.

        A given-up or lost entry counts too: it bought the shares that its leg sold.
        """
        entry = self.state.ledger.order(leg.parent) if leg.parent is not None else None
        if entry is None or not self.state.ledger.legs.is_held(leg) or report.filled_quantity <= leg.filled_quantity:
            return None
        has_ended_there = entry.status.is_terminal and entry.broker_order_id is not None and not entry.is_lost
        return None if has_ended_there else entry

    def take_in(
        self,
        order: Order,
        report: OrderReport,
        source: facts.Source,
        execution: Execution | None = None,
        *,
        is_first: bool = False,
    ) -> Iterator[Effect]:
        """Take in a report whose entry cannot be missing fills. `is_first` tells that it is the first of a leg."""
        before = order.status
        was_terminal = order.status.is_terminal
        was_pending = order.status is OrderStatus.PENDING
        if order.status is OrderStatus.PENDING:
            if report.status is OrderStatus.REJECTED and not report.filled_quantity:
                self.state.record(
                    order_status.change(order, OrderStatus.REJECTED, source, report.broker_order_id, report.raw_status)
                )
                yield from follow_up(self.state)
                return
            self.state.record(order_status.change(order, OrderStatus.SUBMITTED, source, report.broker_order_id, ""))
            yield from follow_up(self.state)
        is_first = is_first or was_pending
        if is_first or source is not facts.Source.ANSWER:  # else newer terms than those of its sending are known
            is_resized = order.filled_quantity <= report.quantity != order.request.quantity
            if _may_be_resized(order) and is_resized and "quantity" not in report.unread_terms:
                self.state.record(facts.LegResized(order.id, report.quantity))
            self._take_terms(order, report)
        unmet = {told.client_order_id for told in report.legs if not self.state.ledger.has(told.client_order_id)}
        self.adopting.meet(order, report, source)
        self._say_what_is_not_believed(order, report, execution)
        fills = self._new_fills(order, report, source, execution)
        for fill in fills:
            yield from self._fill(order, fill, report, source, is_late=was_terminal)
        yield from self._follow_state(order, report, source, counted=bool(fills))
        if follow_word(self.state, order, report, source):
            yield look_up(order)
        if not fills and order.status is not before and not order.only_reduces:
            yield FetchAccount()  # the broker's reserve for it has changed
        # Update the legs after the order's own fills: a leg's fill never counts before its entry's.
        if order.filled_quantity >= report.filled_quantity:
            for told in report.legs:
                leg = self.state.ledger.order(told.client_order_id)
                if leg is not None and (leg.is_working or told.filled_quantity > leg.filled_quantity):
                    yield from self.take_in(leg, told, source, is_first=leg.id in unmet)
        if was_terminal and order.status is not OrderStatus.FILLED:
            yield from self._follow_one_that_is_over(order, report, source)
        if was_pending and order.is_cancelling:
            yield from self.sale_chains.cancel_again(order)

    def _take_terms(self, order: Order, report: OrderReport) -> None:
        """Apply terms that the broker changed (EX-13)."""
        see_trail(self.state, order, report.stop_price)
        before = StatedTerms.of_order(order.request)
        after = StatedTerms.of_report(report, before)
        is_possible = after.quantity >= order.filled_quantity and after.suits(order.request)
        if after != before and is_possible and order.broker_order_id == report.broker_order_id:
            self.state.record(facts.OrderRestated(order.id, before, after))

    def _follow_one_that_is_over(self, order: Order, report: OrderReport, source: facts.Source) -> Iterator[Effect]:
        """Handle a report that an ended order still works at the broker.

        One that was given up here is cancelled, or revived if it is the only protection of its shares. If the broker
        itself had reported its end, the report may be older than that end: the order is looked up once more, and
        believed if that answer, or the next books, confirm it.
        """
        works_there = report.status is not None and report.status.is_working
        is_answer = order.id in self._asked_again and source in REST
        if works_there and (order.broker_order_id is None or is_answer):
            self._asked_again.discard(order.id)
            if self._guards_alone(order):
                self.state.record(facts.OrderRevived(order.id, report.broker_order_id))
                yield from follow_up(self.state)
                return
            self.state.record(
                facts.CancelRequested(order.id, "it works at the broker after its end", CancelCode.REAPPEARED)
            )
            yield CancelOrder(order.id, report.broker_order_id)
        elif works_there:
            self._asked_again.add(order.id)
            yield look_up(order)
        elif is_answer:
            self._asked_again.discard(order.id)

    def _guards_alone(self, order: Order) -> bool:
        """Whether it is a stop with no cancel requested, for shares of no other exit that the broker has.

        An exit that the broker has not answered reserves nothing there: beside this stop, it may refuse it.
        """
        if not order.is_protective or order.cancel_requested_at is not None or order.made_way:
            return False
        held = self.state.ledger.position(order.request.symbol, order.strategy)
        if held is None or (held.quantity > 0) is (order.request.side is Side.BUY):
            return False
        unanswered = unanswered_exits(self.state.ledger, order)
        return order.remaining <= unreserved_of(self.state.ledger, held) + unanswered

    # ── executions ───────────────────────────────────────────────────────────────────────────────────────────────

    def _new_fills(
        self, order: Order, report: OrderReport, source: facts.Source, execution: Execution | None
    ) -> list[Execution]:
        """Return the executions not counted yet, in sum at most the broker's cumulative quantity."""
        listed = report.executions if execution is None else (*report.executions, execution)
        room = max(report.filled_quantity, order.reported_quantity) - order.filled_quantity
        room = min(room, order.request.quantity - order.filled_quantity)
        fresh: list[Execution] = []
        for one in {e.id: e for e in listed}.values():
            if one.id in self.state.ledger.state.executions or one.quantity > room or one.quantity <= 0:
                continue
            fresh.append(one)
            room -= one.quantity
        missing = report.filled_quantity - order.filled_quantity - sum((e.quantity for e in fresh), Decimal(0))
        if missing > 0 and source in REST and not self._is_overtaken(order, report):
            fresh.append(self._derived(order, report, fresh, Quantity(missing)))
        return fresh

    def _is_overtaken(self, order: Order, report: OrderReport) -> bool:
        """Whether the stream has reported more fills than this answer, which then is looked up again (EX-05).

        Its average is of other shares than those counted here, so no price follows from it. An answer that says the
        same again is no older one.
        """
        if report.filled_quantity >= order.reported_quantity:
            self._overtaken.pop(order.id, None)
            return False
        before, self._overtaken[order.id] = self._overtaken.get(order.id), report.filled_quantity
        return before != report.filled_quantity

    def _say_what_is_not_believed(self, order: Order, report: OrderReport, execution: Execution | None) -> None:
        """Record an execution beyond the order's quantity or the broker's own total; the books decide."""
        if execution is None or self._is_counted(order, execution):
            return
        told = max(report.filled_quantity, order.reported_quantity)
        room = min(told, order.request.quantity) - order.filled_quantity
        if execution.quantity <= room:
            return
        what = f"a fill of {plain(execution.quantity)} at {plain(execution.price)} ({execution.id})"
        figures = f"{plain(order.filled_quantity)} of {plain(order.request.quantity)} are counted"
        self.state.record(
            facts.FillNotBelieved(order.id, f"{what}: {figures}, and the broker's own figure is {plain(told)}")
        )
        self.state.sightings.books_are_wanted = True

    def _is_counted(self, order: Order, execution: Execution) -> bool:
        """Whether it is counted: by its own id, or perhaps within a derived fill."""
        known = self.state.ledger.state.executions
        return execution.id in known or any(DERIVED in name for name, owner in known.items() if owner == order.id)

    def _derived(self, order: Order, report: OrderReport, fresh: list[Execution], missing: Quantity) -> Execution:
        """Return a derived fill: reported less local quantity, at the price that makes the averages agree (EX-05)."""
        of = order.request.instrument
        known_cost = order.filled_cost + sum((of.cost(e.quantity, e.price) for e in fresh), Decimal(0))
        average = report.average_price
        price = order.request.limit_price or order.intended_price or Decimal(0)
        if average is not None:
            price = of.price_of(missing, of.cost(report.filled_quantity, average) - known_cost)
        again = f":{plain(order.taken_back)}" if order.taken_back else ""  # the same sum as before a reversal
        name = ExecutionId(f"{report.broker_order_id}{DERIVED}{report.filled_quantity}{again}")
        return Execution(name, self.state.at, missing, Price(price))

    def _fill(
        self, order: Order, execution: Execution, report: OrderReport, source: facts.Source, *, is_late: bool
    ) -> Iterator[Effect]:
        ledger = self.state.ledger
        at = self._time_of(order, execution)
        is_derived, before = DERIVED in execution.id, ledger.net_quantity(order.request.symbol)
        if (correction := given_back(ledger, order, execution, is_derived=is_derived)) is not None:
            self.state.record(correction)
        given = abs(before - ledger.net_quantity(order.request.symbol))
        fill = Fill(execution.id, order.id, at, execution.quantity, execution.price, execution.fee)
        self.state.record(
            facts.OrderFilled(fill, max(report.filled_quantity, order.reported_quantity), source, is_late)
        )
        if not order.status.is_terminal:
            is_done = order.filled_quantity >= order.request.quantity
            after = OrderStatus.FILLED if is_done else OrderStatus.PARTIALLY_FILLED
            self.state.record(order_status.change(order, after, source, report.broker_order_id, ""))
        self._record_position(order.request.symbol, order.strategy, ledger.book.realised)
        if (correction := counted_before(ledger, order, execution, given, is_derived=is_derived)) is not None:
            self.state.record(correction)
        yield from self._record_trades()
        yield from follow_up(self.state)
        yield FetchAccount()
        if is_late:
            self.state.sightings.books_are_wanted = True

    def record_interrupted(self) -> Iterator[Effect]:
        """Record the trades whose last fill was recorded when the desk ended, each once (EX-18, EX-20)."""
        for each in self.state.ledger.state.untold:
            self._record_position(each.trade.symbol, each.trade.strategy, each.realised)
        yield from self._record_trades()

    def _record_position(self, symbol: Symbol, strategy: str, realised: Money) -> None:
        held = self.state.ledger.position(symbol, strategy)
        quantity, average = (held.quantity, held.average_price) if held else (NO_SHARES, None)
        self.state.record(facts.PositionChanged(symbol, strategy, quantity, average, realised))

    def _record_trades(self) -> Iterator[Effect]:
        for each in tuple(self.state.ledger.state.untold):
            self.state.record(facts.TradeClosed(each.trade))
            yield from follow_up(self.state, facts.TradeClosed)  # protections trip before the effects of its fill

    def _time_of(self, order: Order, execution: Execution) -> datetime:
        """Return the fill's time, neither before its order nor in the future: days and holding times depend on it."""
        told, now = execution.at, self.state.at
        slack = A_DAY if self.state.control.is_clock_in_doubt else OUT_OF_TIME
        is_early = order.parent is None and told < order.created_at - slack  # a leg may be older here than its record
        if not is_early and told <= now + slack:
            return told
        words = f"its fill cannot be of {told:%Y-%m-%d %H:%M:%S} UTC: it counts as one of now"
        self.state.record(facts.UpdateIgnored(order.id, words))
        return now

    # ── states ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _follow_state(
        self, order: Order, report: OrderReport, source: facts.Source, *, counted: bool
    ) -> Iterator[Effect]:
        """Apply the reported status once every fill that it counts is here."""
        told = report.status
        odd = (*report.unknown_words, *_contradictions(order, report))
        if odd and source is facts.Source.STREAM:
            self.state.record(facts.UpdateIgnored(order.id, f"unknown: {', '.join(odd)}; looked up"))
            yield look_up(order)
        if told is None:
            self.state.record(facts.UpdateIgnored(order.id, f"unknown status {report.raw_status!r}; looked up"))
            if source is facts.Source.STREAM:
                yield look_up(order)
            return
        if report.filled_quantity > order.filled_quantity:
            yield look_up(order)
            return
        if order.status.is_terminal or told is order.status:
            if not counted and source is facts.Source.STREAM and told is not OrderStatus.SUBMITTED:
                self.state.record(facts.UpdateIgnored(order.id, f"{report.raw_status}: nothing new"))
            return
        if told is OrderStatus.REJECTED and order.filled_quantity:
            reason = "the broker rejected the rest"
            yield from self._end_other_than_told(order, report, source, EndCode.REJECTED_LATER, reason)
            return
        is_step_lost = (
            told is OrderStatus.PARTIALLY_FILLED and order.filled_quantity > 0
        )  # lost in a crash after its fill
        if told not in order_status.TRANSITIONS[order.status] or not (told.is_terminal or is_step_lost):
            return
        if told is OrderStatus.FILLED and order.filled_quantity < order.request.quantity:
            yield from self._end_short(order, report, source)
            return
        code = EndCode.REPLACED if report.is_replaced else EndCode.AS_ITS_STATE_SAYS
        reason = _replaced_by(order) if report.is_replaced else _why(order, told)
        self.state.record(order_status.change(order, told, source, report.broker_order_id, reason, code))
        yield from follow_up(self.state)

    def _end_short(self, order: Order, report: OrderReport, source: facts.Source) -> Iterator[Effect]:
        """Handle a status "filled" with less than the order's quantity: look it up once, then end it.

        The filled quantity is the broker's figure, and the books are compared.
        """
        if source not in REST:
            yield look_up(order)
            return
        reason = f"the broker says filled, with {plain(order.filled_quantity)} of {plain(order.request.quantity)}"
        yield from self._end_other_than_told(order, report, source, EndCode.FILLED_SHORT, reason)

    def _end_other_than_told(
        self, order: Order, report: OrderReport, source: facts.Source, code: EndCode, reason: str
    ) -> Iterator[Effect]:
        """End the order as cancelled, since no more of it fills; the code says why, and the books are compared."""
        gone, name = OrderStatus.CANCELLED, report.broker_order_id
        self.state.record(order_status.change(order, gone, source, name, reason, code))
        self.state.sightings.books_are_wanted = True
        yield from follow_up(self.state)


def _contradictions(order: Order, report: OrderReport) -> Iterator[str]:
    """Yield what a report of this very order says and cannot be: an order's own id, symbol and side never change."""
    if report.client_order_id != order.id:
        yield f"client_order_id {report.client_order_id}"
    if report.symbol not in (order.request.symbol, order.listed_as):
        yield f"symbol {report.symbol}"
    if report.side not in (order.request.side, None):
        yield f"side {report.side_word}"


def _replaced_by(order: Order) -> str:
    replacement = order.replaced_by or order.replacement
    return f"replaced by {replacement}" if replacement else "replaced"


def _why(order: Order, told: OrderStatus) -> str:
    """Return the reason of the cancel; a doubt in between is not a reason."""
    return order.cancel_reason if told is OrderStatus.CANCELLED and order.is_cancelling else order.reason


def look_up(order: Order) -> LookUpOrder:
    return LookUpOrder(order.id, with_legs=bool(order.request.legs))


def is_ours(state: TradingState, order: Order, report: OrderReport) -> bool:
    """Whether the broker's order is the one that it accepted from us.

    Once its broker id is known, that alone decides: a fill of it counts whatever else the report says (EX-05). Before,
    an order accepted after ours was recorded counts as ours: the broker may have changed the terms since (EX-13). The
    tolerance is the measured difference of the clocks, and up to the largest without a doubt if the terms are ours
    (EX-24). Terms alone decide without a usable time: while the desk's clock is in doubt, or if the broker states none
    (EX-04).
    """
    ours = order.request
    if order.broker_order_id is not None:
        return order.broker_order_id == report.broker_order_id
    if report.symbol != ours.symbol or report.side not in (ours.side, None):
        return False
    is_by_time = not state.control.is_clock_in_doubt or order.status is OrderStatus.REJECTED
    if is_by_time and report.accepted_at is not None:
        is_later = report.accepted_at >= order.created_at - min(state.sightings.clock_ahead, CLOCKS_APART)
        is_near = report.accepted_at >= order.created_at - CLOCKS_APART
        return is_later or (is_near and _has_the_terms_of(order, report))
    return _has_the_terms_of(order, report)


def _has_the_terms_of(order: Order, report: OrderReport) -> bool:
    ours = StatedTerms.of_order(order.request)
    told = StatedTerms.of_report(report, ours)
    if _may_be_resized(order):
        told = replace(told, quantity=ours.quantity)
    return replace(told, time_in_force=ours.time_in_force) == ours


def _may_be_resized(order: Order) -> bool:
    """Whether the broker may reduce it: one of a pair whose other order was filled in part."""
    return order.role is not None or order.is_target
