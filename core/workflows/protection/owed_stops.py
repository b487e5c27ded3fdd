"""Stops that shares are owed: recorded, renewed, and those that only this desk holds (EX-22, EX-13).

The state slice computes the owed shares, their time and reason; notices follow the record. Nothing is sent here: if no
stop is under way, the broker's books are requested, and the stop follows from them.

Detect positions held over a close by a strategy that must be flat: an error and an urgent exit (EX-09, ST-02).
It happens if the desk was not running at the close, or the exit was not confirmed or did not fill.

The broker's stops of fractions, and those that it creates with an entry, are day orders. As soon as one is reported as
expired, a stop for the same shares at the same price waits for its key: good till cancelled for whole shares, else for
the next session. A closed market keeps it until it opens.

A refused stop waits for a key, and again if the broker refuses that ticket's stop too: each attempt is a person's, and
unprotected shares always have a ticket waiting.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from core.execution.order import Order
from core.execution.stop_coverage import in_force
from core.facts import OrderStateChanged, StopInForce, StopOwed
from core.messages.effects import Effect
from core.messages.inputs import BarArrived, QuoteArrived
from core.model.codes import BY_A_PERSON, CUT, EndCode, GuardCode, OwedReason
from core.model.order import LegRole, OrderRequest, OrderStatus, Side, StopHolder, TimeInForce
from core.model.position import Position
from core.model.reconciliation import EXPLAINED_WITHIN, Difference, DifferenceKind
from core.model.reference_data import BESIDE, MOVES
from core.model.rescaling import SAME, Rescaling
from core.model.session import Session
from core.model.signal import ExitReason
from core.model.staging import AuthorizationKind
from core.model.values import ZERO, Price, ProposalId, Symbol, plain
from core.trading_state.owed_stops import Owing
from core.trading_state.state import TradingState
from core.workflows.staging.exit_change_refusals import unguarded_of
from core.workflows.staging.order_changes import OrderChanges, RequestedChange
from core.workflows.staging.proposal_intake import closing_side
from core.workflows.staging.proposal_lifecycle import Proposals
from core.workflows.workflow import answers, done_apart, follows

TOLD_AFTER = timedelta(seconds=3)
"""Delay of the record, so that a notice leaves within five seconds; for idle exits, while the market is open."""


LEGS_TOLD_AFTER = timedelta(seconds=60)
"""Delay of the record for legs that wait until their entry is filled whole.

A limit order at the market fills in parts within seconds, and its ticket said that the parts have no stop meanwhile.
One that has not filled after a minute may stay so for days. Beyond the stop's price the usual delay applies.
"""


class StopsOwed:
    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._due: set[tuple[Symbol, str]] = set()

    @answers(BarArrived)
    def on_bar(self, message: BarArrived) -> tuple[()]:
        self._look_at_waiting_legs(message.bar.symbol)
        return ()

    @answers(QuoteArrived)
    def on_quote(self, message: QuoteArrived) -> tuple[()]:
        self._look_at_waiting_legs(message.quote.symbol)
        return ()

    def _look_at_waiting_legs(self, symbol: Symbol) -> None:
        """Move the deadline of a notice if the price is beyond a stop that waits for its entry."""
        if not self.state.owed_stops.state.owed:
            return
        for owing in self._untold():
            if owing.symbol == symbol and owing.why is OwedReason.LEGS_WAIT and self._is_beyond(owing):
                self.state.sightings.deadline_moved = True

    def settle(self, _asked: list[Effect]) -> None:
        """Record stops newly owed, changed reasons and ended claims since the last act.

        The books are compared at once for shares that have just come to lack a stop: a comparison sends what is due.
        """
        due = {(owing.symbol, owing.strategy) for owing in self._untold() if owing.why is OwedReason.DUE}
        if due - self._due:
            self.state.sightings.books_are_wanted = True
        self._due = due
        self.due()

    def next_due(self) -> Iterator[datetime]:
        return map(self._told_at, self._untold())

    def due(self) -> None:
        for owing in list(self._untold()):
            if self.state.at >= self._told_at(owing):
                its = owing.symbol, owing.strategy
                self.state.record(StopOwed(*its, owing.quantity, owing.since, self.state.why_owed(owing)))
                if owing.why is OwedReason.DUE:
                    self.state.sightings.books_are_wanted = True
        for owing, until in list(self.state.owed_stops.state.over):
            its = owing.symbol, owing.strategy
            self.state.record(StopInForce(*its, owing.most, owing.since, until, owing.why))

    def _told_at(self, owing: Owing) -> datetime:
        """Return when it is recorded.

        No stop trades before the open, so nobody is called at night for one that cannot.
        """
        since = owing.needed_since or owing.since
        if owing.why is OwedReason.LEGS_WAIT and not self._is_beyond(owing):
            return since + LEGS_TOLD_AFTER
        if owing.why in (OwedReason.NOT_TRADING, OwedReason.LEAVING):
            calendar = self.state.calendar
            now = calendar.session_at(self.state.at)
            since = max(since, now.open if isinstance(now, Session) else calendar.next_session(self.state.at).open)
        return since + TOLD_AFTER

    def _untold(self) -> Iterator[Owing]:
        """Yield those that nobody was told of.

        Where orders are unknown, or the books show a split that is not proven yet, its notice stands for it (EX-24).
        """
        for owing in self.state.owed_stops.all():
            is_told = not owing.needs_a_person or owing.is_told(self.state.why_owed(owing))
            since = self.state.sightings.splitting.get(owing.symbol)
            is_told = is_told or (since is not None and self.state.at < since + EXPLAINED_WITHIN)
            if is_told or self.state.may_have_unknown_orders(owing.symbol) or self._is_guarded_there(owing.symbol):
                continue
            yield owing

    def _is_beyond(self, owing: Owing) -> bool:
        """Whether the price is at or beyond a stop that waits until its entry is filled whole."""
        position = self.state.ledger.position(owing.symbol, owing.strategy)
        if position is None:
            return False
        legs = (leg for entry in self.state.owed_stops.waiting_entries(position) for leg in entry.request.legs)
        levels = [leg.stop_price for leg in legs if leg.role is LegRole.STOP and leg.stop_price is not None]
        is_long = position.quantity > 0
        return any(self.state.has_passed(owing.symbol, level, is_below=is_long) for level in levels)

    def _is_guarded_there(self, symbol: Symbol) -> bool:
        """Whether stops are for all that the broker has left of our shares, by two of its lists (EX-09)."""
        theirs = self.state.drifted.get(symbol)
        if theirs is None:
            return False
        held = self.state.ledger.positions_in(symbol)
        return sum((each.quantity for p in held for each in in_force(self.state.ledger, p)), ZERO) >= abs(theirs)


class OvernightPositions:
    def __init__(self, state: TradingState, proposals: Proposals) -> None:
        self.state = state
        self.proposals = proposals

    def differences(self) -> tuple[Difference, ...]:
        return tuple(
            Difference(
                DifferenceKind.HELD_OVER,
                position.symbol,
                f"{plain(position.quantity)} of {position.strategy}",
                None,
                f"{position.strategy} was to be flat by the close; its exit is staged",
            )
            for position in self._positions()
        )

    def stage_exits(self) -> None:
        """Stage one exit per position, however often the books are compared."""
        for position in self._positions():
            self.proposals.stage_flat(position, f"held over the close of {self._close_of(position):%d %B}")

    def _positions(self) -> list[Position]:
        return [p for p in self.state.ledger.positions() if is_held_over(self.state, p)]

    def _close_of(self, position: Position) -> datetime:
        close = close_behind(self.state, position)
        assert close is not None
        return close


def is_held_over(state: TradingState, position: Position) -> bool:
    """Whether the session of its opening has ended and the strategy does not hold overnight."""
    is_flat_by_close = not state.control.settings.holds_overnight(position.strategy)
    return is_flat_by_close and close_behind(state, position) is not None


def close_behind(state: TradingState, position: Position) -> datetime | None:
    """Return the close of the session in which the position was opened, if it is past; else None."""
    session = state.calendar.session_on(state.calendar.trading_day(position.opened_at))
    return session.close if isinstance(session, Session) and state.at >= session.close else None


WITH_ITS_DAY = RequestedChange("its stop ended with the day", GuardCode.WITH_ITS_DAY)
PERMITTED_NO_MORE = RequestedChange(
    "its stop is owed, and what was signed for it has ended", GuardCode.PERMITTED_NO_MORE
)
NOT_THERE = RequestedChange("its stop never reached the broker", GuardCode.NOT_THERE)
REFUSED = RequestedChange("the broker refused its stop", GuardCode.REFUSED)
WITH_ITS_PAIR = RequestedChange("the broker ended its target short, and its stop with it", GuardCode.REFUSED)
AT_AN_ACTION = RequestedChange("the broker ended its stop beside a corporate action", GuardCode.REFUSED)
NEAR = timedelta(days=3)
"""Between the day of a corporate action and the end of orders that it ends: also over a weekend."""
KEPT_BACK = RequestedChange("its stop was kept back before it was sent", GuardCode.KEPT_BACK)
OF_THIS_DESK = frozenset(asked.code for asked in (WITH_ITS_DAY, PERMITTED_NO_MORE, NOT_THERE, REFUSED, KEPT_BACK))
ENDED_BY_THE_BROKER = frozenset({EndCode.REJECTED_LATER, EndCode.FILLED_SHORT})
"""End codes by which the broker may end a stop before all of it was sold."""
FOR_DAYS = frozenset({GuardCode.WITH_ITS_DAY, GuardCode.PERMITTED_NO_MORE})
"""Reasons for which a stop of whole shares is good till cancelled."""


class StopRenewal:
    def __init__(self, state: TradingState, order_changes: OrderChanges, proposals: Proposals) -> None:
        self.state = state
        self.order_changes = order_changes
        self.proposals = proposals

    @follows(OrderStateChanged)
    def after_end(self, fact: OrderStateChanged) -> None:
        """Request a stop in place of one that ended, also of one that the broker ended with its target before."""
        order = self.state.ledger.order(fact.client_order_id)
        if order is not None and fact.after.is_terminal:
            for ended in (order, *self.state.ledger.legs.oco_siblings(order)):
                self._ask_in_place_of(ended)

    def ask_again(self, order: Order, why: RequestedChange) -> None:
        """Let an unsent order wait for another key: a stop for the unprotected shares, anything else as it was."""
        if order.request.replaces is not None:
            self.order_changes.stage_move_again(order, why)
        elif order.is_protective and _has_a_price(order):
            self.ask(order, why)
        else:
            self.proposals.stage_again(order, why.words)

    def _ask_in_place_of(self, order: Order) -> None:
        """Request a stop in place of an ended one, unless its entry owes it."""
        why = _why_asked_for(order) or self._why_asked_for_with_its_pair(order) or self._why_after_an_action(order)
        if why is not None and not self._is_owed_by_its_entry(order):
            self.ask(order, why)

    def _why_asked_for_with_its_pair(self, stop: Order) -> RequestedChange | None:
        """Whether nobody cancelled it: the broker called its target ended before that had sold all."""
        if not stop.is_protective or stop.status is not OrderStatus.CANCELLED or stop.cancel_requested_at is not None:
            return None
        pair = self.state.ledger.legs.oco_siblings(stop)
        return WITH_ITS_PAIR if any(target.end_code in ENDED_BY_THE_BROKER for target in pair) else None

    def _why_after_an_action(self, stop: Order) -> RequestedChange | None:
        """Whether the broker may have cancelled it for a spin-off, a special dividend, or a move of the shares."""
        if not stop.is_protective or not stop.is_taken_elsewhere or stop.ended_at is None:
            return None
        day = self.state.calendar.trading_day(stop.ended_at)
        announced = self.state.sightings.corporate_actions.get(stop.request.symbol, ())
        is_near = any(each.kind in BESIDE | MOVES and abs(each.ex_date - day) <= NEAR for each in announced)
        return AT_AN_ACTION if is_near else None

    def _is_owed_by_its_entry(self, leg: Order) -> bool:
        """Whether the entry owes the stop: a partly filled entry's shares get their own, not the leg."""
        is_held = self.state.ledger.legs.is_held(leg)
        return is_held and bool(self.state.stage.authorizations(AuthorizationKind.PROTECTIVE_STOP, leg.parent))

    def resume(self) -> None:
        """Request stops at each comparison that a crash kept from being requested; each only once."""
        for position in self.state.ledger.positions():
            if position.symbol in self.state.sightings.differing or unguarded_of(self.state, position) <= 0:
                continue
            last = self.state.ledger.exits.last_stop(position)
            if last is not None and not last.is_asked_for:
                done_apart(self.state, partial(self._ask_in_place_of, last))

    def ask_for_cut(self, stop: Order) -> bool:
        """Request once a reduced stop whose shares are back but whose day ended or that was refused.

        Whether it waits.
        """
        day_of = self.state.calendar.trading_day
        is_today = day_of(self.state.at) == day_of(stop.created_at)
        is_good_yet = is_today or stop.request.time_in_force is TimeInForce.GTC
        why = REFUSED if is_good_yet else WITH_ITS_DAY
        return stop.is_asked_for or self.ask_for(per_share_of_today(stop.request, stop.rescaling), stop.strategy, why)

    def ask_for_blocked(self, stop: Order) -> bool:
        """Request a stop that the gateway blocked and nothing sends again, unless it had its own key."""
        # Whether it was confirmed by its own key: that operator sees the result.
        return stop.proposal_id != ProposalId(stop.id) and self.ask_for(stop.request, stop.strategy, KEPT_BACK)

    def ask(self, order: Order, why: RequestedChange) -> None:
        """Request a stop like this one for the unprotected shares of its position."""
        self.ask_for(per_share_of_today(order.request, order.rescaling), order.strategy, why)

    def ask_for(self, order: OrderRequest, strategy: str, why: RequestedChange = PERMITTED_NO_MORE) -> bool:
        """Request a stop that never was an order; return whether one waits now for the unprotected shares."""
        position = self.state.ledger.position(order.symbol, strategy)
        is_of_it = position is not None and closing_side(position) is order.side
        if position is None or not is_of_it:
            return False
        exits = self.state.ledger.exits.working(position.symbol, position.strategy)
        if any(each.is_before_split for each in exits):  # asked for once they are gone: for all shares
            return False
        unprotected = unguarded_of(self.state, position)
        price = self._price(position, order, why)
        if price is None or unprotected <= 0 or is_held_over(self.state, position):
            return False
        is_long = order.time_in_force is TimeInForce.GTC or why.code in FOR_DAYS
        is_for_days = is_long and unprotected == unprotected.to_integral_value()
        lasts = TimeInForce.GTC if is_for_days else TimeInForce.DAY
        was_refused = self.order_changes.has_refused(position, why)
        if self.order_changes.stage_guard(position, unprotected, price, why, lasts):
            return True
        if not was_refused and self.order_changes.is_passed(position, price):
            self.proposals.stage_stopped(position, unprotected, price)
        return False

    def _price(self, position: Position, order: OrderRequest, why: RequestedChange) -> Price | None:
        """Return the price nearest to the market of several that expired: one stop covers all unprotected shares."""
        waiting = (p for p in self.state.stage.proposals() if p.is_guard and p.order.replaces is None)
        of_it = (p for p in waiting if (p.symbol, p.strategy) == (position.symbol, position.strategy))
        prices = [p.order.stop_price for p in of_it if p.guard in OF_THIS_DESK | {why.code}]
        prices.append(self._level(position, order))
        known = [price for price in prices if price is not None]
        if not known:
            return None
        return max(known) if order.side is Side.SELL else min(known)

    def _level(self, position: Position, order: OrderRequest) -> Price | None:
        """Return its price; for a trailing stop, its distance from the last price, None while none is known."""
        last = self.state.orchestrator.state.marks.get(order.symbol)
        if not order.type.trails or last is None:
            return order.stop_price
        behind = order.trail_price or last * (order.trail_fraction or ZERO)
        level = Price(last - behind if order.side is Side.SELL else last + behind)
        return position.instrument.ticks.nearest(level)


def _why_asked_for(order: Order) -> RequestedChange | None:
    if not order.is_protective or order.is_sent_again:
        return None
    if order.status is OrderStatus.EXPIRED:
        return WITH_ITS_DAY
    if order.status is OrderStatus.REJECTED or order.end_code in ENDED_BY_THE_BROKER:
        # Whether a person cancelled it before the broker's report came.
        return None if order.cancel_requested_at is not None and order.cancel_code not in CUT else REFUSED
    is_gone = order.end_code in (EndCode.NEVER_ARRIVED, EndCode.LOST_THERE)
    return NOT_THERE if is_gone and order.cancel_code not in BY_A_PERSON else None


def per_share_of_today(order: OrderRequest, by: Rescaling) -> OrderRequest:
    """Return a stop with its prices for a share of today; without one where cash was worth more than it (EX-25)."""
    if by == SAME:
        return order
    nearest, stop, trail = order.instrument.ticks.nearest, order.stop_price, order.trail_price
    now = None if stop is None else nearest(by.price(stop))
    return replace(
        order,
        stop_price=None if now is None or now <= 0 else now,
        trail_price=None if trail is None else nearest(by.distance(trail)),
    )


def _has_a_price(stop: Order) -> bool:
    """Whether it is a stop with its own price: a trailing one has none."""
    return stop.exit_reason is ExitReason.STOP_LOSS and not stop.request.type.trails


def stop_by_desk(state: TradingState, order: Order) -> StopHolder | None:
    """Return the holder of the stop for fills of a working entry: the broker, sent at each fill, or the desk.

    None if the broker creates it with the entry, or there is none.
    """
    if order.only_reduces or not order.is_working:
        return None
    if order.stop is not None and order.stop.holder is StopHolder.DESK:
        return StopHolder.DESK
    has_legs = order.request.legs and not order.is_bare
    return (
        StopHolder.BROKER
        if not has_legs and state.stage.authorizations(AuthorizationKind.PROTECTIVE_STOP, order.id)
        else None
    )


def unguarded(state: TradingState) -> Iterator[tuple[Order, StopHolder]]:
    """Yield the working entries with such a stop."""
    for order in state.ledger.working():
        if (holder := stop_by_desk(state, order)) is not None:
            yield order, holder
