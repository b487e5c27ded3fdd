"""Build proposals and tickets: the order to send, its effect, and changes since."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from core.facts import Fact
from core.model.bar import NoQuote
from core.model.instrument import named
from core.model.order import OrderClass, OrderType, Side, StopHolder
from core.model.order_terms import terms_in_words
from core.model.position import Position
from core.model.signal import ExitReason
from core.model.staging import Proposal, StopPlan, Ticket
from core.model.values import ZERO, Money, Price, Quantity
from core.risk.day import word_of
from core.risk.gate import Gate
from core.risk.sizing_inputs import cap_of, size_now
from core.staging.resting_entries import time_to_live
from core.staging.stage import end_of_stops
from core.trading_state.state import TradingState
from core.trading_state.watched_symbols import seen_price
from core.views import ProposalRow, ReplacedView, TicketView
from core.views.builders.corporate_actions import said_on_a_ticket
from core.views.builders.displaced_orders import (
    cancelled_in_words,
    lost_targets,
    orders_in_the_way,
    put_back_in_words,
    quantity_after,
)
from core.views.builders.event_log import EventLog
from core.views.builders.margin import margin_view
from core.views.builders.symbols import halted_in_words
from core.views.builders.waiting_prices import WaitingPrices
from core.workflows.staging.confirmation_checks import reviewed, verdicts_meanwhile
from core.workflows.staging.proposal_staging import candidate_of
from core.workflows.staging.ticket_figures import listed_exits


def proposal_row(state: TradingState, proposal: Proposal, prices: WaitingPrices) -> ProposalRow:
    order = proposal.order
    stop = proposal.stop.price if isinstance(proposal.stop, StopPlan) else order.stop_price
    risk, aimed = None, order.limit_price if not order.type.waits else proposal.intended_price
    if aimed is None and (quote := state.sightings.quotes.get(order.symbol)) is not None:
        aimed = quote.ask if order.side is Side.BUY else quote.bid
    if isinstance(proposal.stop, StopPlan) and aimed is not None:
        risk = order.risk(proposal.stop.way_from(aimed))
    old = state.ledger.order(order.replaces) if order.replaces is not None else None
    return ProposalRow(
        id=proposal.id,
        strategy=proposal.strategy,
        side=order.side,
        effect=order.effect,
        quantity=order.quantity,
        symbol=order.symbol,
        type=order.type,
        limit_price=order.limit_price,
        stop_price=stop,
        trail_price=order.trail_price,
        trail_fraction=order.trail_fraction,
        trigger_price=None if proposal.only_reduces else order.stop_price,
        exit_reason=proposal.exit_reason,
        reference=proposal.reference,
        risk=risk,
        reason=proposal.reason,
        staged_at=proposal.staged_at,
        expires_at=proposal.expires_at,
        is_confirming=state.stage.is_confirming(proposal.id),
        replaces=order.replaces,
        replaces_in_words=terms_in_words(old.request) if old else "",
        is_target=_is_target(state, proposal),
        is_owed=proposal.is_owed,
        moved=prices.moved(proposal),
        halted=halted_in_words(state, order.symbol),
        traded=named(order.instrument),
    )


def _is_target(state: TradingState, proposal: Proposal) -> bool:
    """Whether a person's exit waits for a better price: a pair, or a limit that the market has not reached."""
    order, seen = proposal.order, seen_price(state, proposal.order.symbol)
    if proposal.exit_reason is not ExitReason.MANUAL or order.replaces is not None or order.limit_price is None:
        return False
    if order.order_class is OrderClass.OCO:
        return True
    if order.type is not OrderType.LIMIT or seen is None:
        return False
    return order.limit_price > seen[1] if order.side is Side.SELL else order.limit_price < seen[1]


class TicketViews:
    """Builds tickets with the gate that reviews their orders, and the log that knows their signals' prices."""

    def __init__(self, state: TradingState, gate: Gate, log: EventLog) -> None:
        self.state, self.gate, self.log = state, gate, log
        self._prices = WaitingPrices(state)

    def hear(self, sequence: int, at: datetime, fact: Fact) -> None:
        self._prices.hear(sequence, at, fact)

    def row(self, proposal: Proposal) -> ProposalRow:
        return proposal_row(self.state, proposal, self._prices)

    def draw(self, ticket: Ticket, at: datetime) -> TicketView:
        state = self.state
        proposal = state.stage.state.proposals[ticket.proposal_id]
        held = state.ledger.position(ticket.order.symbol, proposal.strategy)
        after = quantity_after(state, ticket.order, proposal.strategy)
        in_the_way = orders_in_the_way(state, ticket.cancels)
        candidate, context = candidate_of(proposal), state.figures_for(at, proposal.symbol, None)
        put_back = put_back_in_words(state, in_the_way, abs(after))
        signs_a_stop = isinstance(ticket.stop, StopPlan) and ticket.stop.holder is StopHolder.BROKER
        now = reviewed(self.gate.review(candidate, context), *verdicts_meanwhile(state, ticket, proposal, context))
        return TicketView(
            ticket=ticket,
            proposal=self.row(proposal),
            quote=state.sightings.quotes.get(ticket.order.symbol) or NoQuote("none seen yet"),
            now=now,
            refused_because=state.stage.state.refusals.get(ticket.id, ()),
            is_confirming=state.stage.is_confirming(ticket.proposal_id),
            signal_time=proposal.signal_time,
            reason=proposal.reason,
            cancels_in_words=cancelled_in_words(in_the_way),
            quantity_after=after,
            put_back_in_words=put_back,
            lost_targets=lost_targets(in_the_way, ticket.order, after),
            replaced=_replaced(state, proposal, held),
            capped_by=cap_of(candidate, context),
            moved=self._moved_since_signal(proposal),
            average_price=held.average_price if held else None,
            size=size_now(candidate, context),
            margin=margin_view(candidate, context),
            exits=listed_exits(state, proposal),
            hold=state.desks.hold,
            actions=said_on_a_ticket(state, ticket.order, at),
            word=word_of(now),
            ttl=time_to_live(proposal, state.control.settings),
            stops_until=(
                end_of_stops(state.calendar, ticket.order, ticket.opened_at) if signs_a_stop or put_back else None
            ),
        )

    def _moved_since_signal(self, proposal: Proposal) -> Decimal | None:
        """Return the move since the signal, for a strategy's proposal only; an edit changes its limit, not this.

        A moved stop has no such figure: its price is set by hand.
        """
        quote = self.state.sightings.quotes.get(proposal.symbol)
        before = self.log.signal_prices.get(proposal.id, proposal.intended_price)
        if quote is None or not before or proposal.reference is None or proposal.is_guard:
            return None
        return (quote.mid - before) / before


def _replaced(state: TradingState, proposal: Proposal, held: Position | None) -> ReplacedView | None:
    order = proposal.order
    old = state.ledger.order(order.replaces) if order.replaces is not None else None
    if old is None:
        return None
    guarded = held if proposal.is_guard else None
    return ReplacedView(
        quantity=old.request.quantity,
        filled_quantity=old.filled_quantity,
        price=old.request.stop_price or old.request.limit_price,
        average_price=guarded.average_price if guarded else None,
        result_before=_result_at(guarded, old.request.stop_price, order.quantity),
        result_after=_result_at(guarded, order.stop_price, order.quantity),
        fee=guarded.fee if guarded else ZERO,
    )


def _result_at(held: Position | None, stop: Price | None, quantity: Quantity) -> Money | None:
    """Return the result of this many shares of a position at its stop, USD."""
    if held is None or stop is None:
        return None
    gained = stop - held.average_price
    return held.instrument.notional(quantity, gained if held.quantity > 0 else -gained)
