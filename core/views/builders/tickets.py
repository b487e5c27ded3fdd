"""Build proposals, tickets and baskets: the order to send, its effect, and changes since (RK-14).

The middle of a quote and the close of a bar differ even without a move, so they are never mixed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from core.execution.ledger_state import position_key
from core.execution.order import Order, nearest_first
from core.execution.stop_coverage import effect_now, working_entries
from core.facts import Fact, ProposalEnded, ProposalStaged
from core.model.account import Account
from core.model.bar import NoQuote
from core.model.basket import BasketOrderState, BasketSource, SignedOrder
from core.model.instrument import named
from core.model.lazy_dataclass import dataclass
from core.model.order import LegRole, OrderClass, OrderType, Side, StopHolder, TimeInForce
from core.model.order_terms import order_in_words, terms_in_words
from core.model.position import Position
from core.model.session import Session
from core.model.signal import ExitReason
from core.model.staging import Proposal, Review, StopPlan, Ticket
from core.model.values import ZERO, Money, Price, ProposalId, Quantity, Symbol, plain
from core.risk.checks.funds import margin_effect
from core.risk.gate import Candidate, Gate, ReviewContext
from core.risk.margin import MarginEffect
from core.risk.recent_entries import word_of
from core.risk.sizing_inputs import cap_of, size_now
from core.staging.baskets import BasketRun
from core.staging.time_in_force import end_of_stops, time_to_live
from core.trading_state.state import TradingState
from core.trading_state.watched_symbols import seen_price
from core.views import BasketRowView, BasketView, MarginView, ProposalRow, ReplacedView, TicketView
from core.views.builders.drafts import shown_reason, ticket_draft
from core.views.builders.event_log import EventLog
from core.views.builders.rows import (
    account_after,
    cancelled_in_words,
    day_ends_at,
    left_behind,
    lost_in_words,
    lost_targets,
    may_still_fill,
    orders_in_the_way,
    put_back_in_words,
    quantity_after,
    trail_starts_in_words,
)
from core.views.builders.symbols import halted_in_words, next_earnings, said_on_a_ticket, ticket_news
from core.workflows.basket_dry_run import DryRunResult
from core.workflows.baskets import digest_now, rehearsed, taken_back
from core.workflows.operator.touch_keys import is_needed, is_needed_for
from core.workflows.orders.request_reserve import held_exits
from core.workflows.staging.proposal_intake import candidate_of
from core.workflows.staging.ticket_checks import listed_exits, reviewed, verdicts_meanwhile


def margin_view(candidate: Candidate, state: ReviewContext) -> MarginView | None:
    """Return None for a cash account, a closing order, or missing broker data: its check has the reason."""
    if candidate.only_reduces or not isinstance(state.account, Account) or not state.account.lends:
        return None
    effect = margin_effect(candidate, state, state.account)
    if not isinstance(effect, MarginEffect):
        return None
    overnight = effect.overnight if effect.is_over_night else None
    return MarginView(effect.initial, effect.before, effect.after, overnight)


@dataclass(frozen=True, slots=True)
class _Seen:
    """The prices of one instant, USD; None if there was none."""

    middle: Price | None
    close: Price | None


class WaitingPrices:
    """Remembers the prices at which each exit was staged, since the start; earlier ones are unknown."""

    def __init__(self, state: TradingState) -> None:
        self._state = state
        self._staged_at: dict[ProposalId, _Seen] = {}

    def hear(self, _sequence: int, _at: datetime, fact: Fact) -> None:
        if isinstance(fact, ProposalStaged) and fact.proposal.is_exit:
            self._staged_at[fact.proposal.id] = self._seen(fact.proposal.symbol)
        elif isinstance(fact, ProposalEnded):
            self._staged_at.pop(fact.proposal_id, None)

    def moved(self, proposal: Proposal) -> Money | None:
        """Return the change in USD since the staging (negative is worse), by both quotes, else by both closes.

        None for a proposal that is not an exit, or was staged before this start, or has no price of one kind at both
        ends.
        """
        before = self._staged_at.get(proposal.id)
        if before is None or not proposal.is_exit:
            return None
        order, now = proposal.order, self._seen(proposal.symbol)
        if before.middle is not None and now.middle is not None:
            gained = now.middle - before.middle
        elif before.close is not None and now.close is not None:
            gained = now.close - before.close
        else:
            return None
        return order.instrument.notional(order.quantity, gained if order.side is Side.SELL else -gained)

    def _seen(self, symbol: Symbol) -> _Seen:
        quote = self._state.sightings.quotes.get(symbol)
        close = self._state.orchestrator.state.marks.get(symbol)
        return _Seen(None if quote is None else Price(quote.mid), None if close is None else Price(close))


def proposal_row(state: TradingState, proposal: Proposal, prices: WaitingPrices) -> ProposalRow:
    order = proposal.order
    stop = proposal.stop.price if isinstance(proposal.stop, StopPlan) else order.stop_price
    risk, aimed = None, order.limit_price if not order.type.waits else proposal.intended_price
    if aimed is None and (quote := state.sightings.quotes.get(order.symbol)) is not None:
        aimed = quote.ask if order.side is Side.BUY else quote.bid
    if isinstance(proposal.stop, StopPlan) and aimed is not None:
        risk = order.risk(proposal.stop.way_from(aimed))
    old = state.ledger.order(order.replaces) if order.replaces is not None else None
    agent, reason = shown_reason(state, proposal)
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
        reason=reason,
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
        agent=agent,
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
        put_back = put_back_in_words(state, in_the_way, left_behind(state, ticket.order, proposal.strategy))
        if put_back and (trails := trail_starts_in_words(state, in_the_way)):
            put_back = (*put_back[:-1], f"{put_back[-1]}, {trails}")
        signs_a_stop = isinstance(ticket.stop, StopPlan) and ticket.stop.holder is StopHolder.BROKER
        now = reviewed(self.gate.review(candidate, context), *verdicts_meanwhile(state, ticket, proposal, context))
        stop_lasts, stop_ends_at = self._life_of_its_stop(ticket, in_the_way if put_back else ())
        return TicketView(
            ticket=ticket,
            proposal=self.row(proposal),
            quote=state.sightings.quotes.get(ticket.order.symbol) or NoQuote("none seen yet"),
            now=now,
            refused_because=state.stage.state.refusals.get(ticket.id, ()),
            is_confirming=state.stage.is_confirming(ticket.proposal_id),
            signal_time=proposal.signal_time,
            reason=shown_reason(state, proposal)[1],
            cancels_in_words=cancelled_in_words(in_the_way),
            quantity_after=after,
            account_after=account_after(state, ticket.order),
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
            news=ticket_news(state, ticket.order.symbol, at),
            earnings=next_earnings(state, ticket.order.symbol, at),
            word=word_of(now),
            ttl=time_to_live(proposal, state.control.settings),
            stops_until=(
                end_of_stops(state.calendar, ticket.order, ticket.opened_at) if signs_a_stop or put_back else None
            ),
            stop_lasts=stop_lasts,
            stop_ends_at=stop_ends_at,
            holds_overnight=state.control.settings.holds_overnight(proposal.strategy),
            stop_goes_back=any(order.is_protective for order in in_the_way),
            stop_cancelled=next((o.request.stop_price for o in nearest_first(in_the_way) if o.is_protective), None),
            entries_working=may_still_fill(state, ticket.order),
            draft=ticket_draft(state, proposal),
            needs_touch=not proposal.only_reduces and is_needed(state, ticket.figures.cost),
            cancels_wait_until=self._cancels_wait_until(at) if in_the_way else None,
        )

    def _cancels_wait_until(self, at: datetime) -> datetime | None:
        calendar = self.state.calendar
        is_open = isinstance(calendar.session_at(at), Session)
        return None if is_open or not self.state.sightings.capabilities.cancels_wait else calendar.next_session(at).open

    def _life_of_its_stop(
        self, ticket: Ticket, put_back: Sequence[Order]
    ) -> tuple[TimeInForce | None, datetime | None]:
        """Return the time in force of its stop at the broker, and its end if that is known before the fill.

        It is the order itself, its leg, the stop that follows its fills, or the one that is put back.
        """
        order, stop = ticket.order, ticket.stop
        stops = [each.request for each in put_back if each.is_protective]
        if order.effect.only_reduces and (order.type.is_stop or order.leg(LegRole.STOP) is not None):
            lasts = order.time_in_force
        elif order.effect.only_reduces and stops:
            order = next((each for each in stops if each.time_in_force is TimeInForce.DAY), stops[0])
            lasts = order.time_in_force
        elif isinstance(stop, StopPlan) and stop.holder is StopHolder.BROKER:
            lasts = order.time_in_force if order.legs else TimeInForce.DAY
        else:
            return None, None
        if order.time_in_force is TimeInForce.IOC:
            order = replace(order, time_in_force=TimeInForce.DAY)  # what it fills, it fills now
        return lasts, day_ends_at(self.state, order, self.state.at)

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


TAKEN_BACK = "it works and could open: it is cancelled before anything is sold"
TAKEN_BACK_ALREADY = "it is being cancelled already"
TRIED_ANEW = timedelta(milliseconds=500)
"""Maximum age of a dry run while nothing is recorded: each one copies the ledger."""


class BasketViewBuilder:
    def __init__(self, state: TradingState, gate: Gate) -> None:
        self.state = state
        self.gate = gate
        self._tried: tuple[int, datetime, object, list[DryRunResult]] | None = None

    def draw(self, at: datetime) -> BasketView | None:
        run = self.state.plans.run
        if run is None:
            return None
        return self._open(run, at) if run.is_open else self._signed(run)

    def _open(self, run: BasketRun, at: datetime) -> BasketView:
        tried = self._rehearsed(run, at)
        going = [t for t in tried if t.fits and t.proposal.id in run.marked]
        account = self.state.sightings.account
        entries = taken_back(self.state, run, going)
        return self._view(
            run,
            (*self._entry_rows(run), *(self._tried_row(t, run) for t in tried)),
            power_now=account.buying_power if isinstance(account, Account) else None,
            digest=digest_now(self.state, run, going) if going or entries else None,
            needs_touch=is_needed_for(self.state, going),
            left=self._left(run, going),
        )

    def _entry_rows(self, run: BasketRun) -> Iterator[BasketRowView]:
        """Yield the working entries that a flattening cancels first."""
        if run.plan.source is BasketSource.FLATTEN:
            for order in working_entries(self.state.ledger):
                yield self._entry_row(order, is_marked=order.id not in run.spared, standing=None)

    def _entry_row(self, order: Order, *, is_marked: bool, standing: BasketOrderState | None) -> BasketRowView:
        request = order.request
        return BasketRowView(
            proposal_id=ProposalId(order.id),
            strategy=order.strategy,
            symbol=request.symbol,
            side=request.side,
            effect=effect_now(self.state.ledger, order),
            quantity=request.quantity,
            type=request.type,
            limit_price=request.limit_price,
            stop_price=request.stop_price,
            trigger_price=request.stop_price,
            trail=(request.trail_price, request.trail_fraction),
            is_marked=is_marked,
            cost=None,
            power_after=None,
            refusals=(),
            warnings=(),
            reason=TAKEN_BACK_ALREADY if order.is_cancelling else TAKEN_BACK,
            standing=standing,
            status=order.status,
            filled=order.filled_quantity,
            average=order.average_price,
            is_taken_back=True,
        )

    def _left(self, run: BasketRun, going: list[DryRunResult]) -> tuple[str, ...]:
        """Return the remains of a flattening: positions not fully closed by it, and spared entries."""
        if run.plan.source is not BasketSource.FLATTEN:
            return ()
        closed: dict[str, Decimal] = {}
        for tried in going:
            key = position_key(tried.proposal.symbol, tried.proposal.strategy)
            closed[key] = closed.get(key, ZERO) + tried.proposal.order.quantity
        held = {position_key(p.symbol, p.strategy): p for p in self.state.ledger.positions()}
        left = {key: abs(p.quantity) - closed.get(key, ZERO) for key, p in held.items()}
        positions = [f"{plain(shares)} {held[key].symbol}" for key, shares in left.items() if shares > 0]
        spared = [o for o in working_entries(self.state.ledger) if o.id in run.spared]
        return (*positions, *(f"the entry {order_in_words(o.request)}" for o in spared))

    def _rehearsed(self, run: BasketRun, at: datetime) -> list[DryRunResult]:
        """Return the dry run; the buying power shown before it is of the same account figures."""
        sequence, account = self.state.journal.sequence, self.state.sightings.account
        if self._tried is not None:
            of, since, figures, tried = self._tried
            if of == sequence and figures is account and at - since < TRIED_ANEW:
                return tried
        tried = rehearsed(self.state, self.gate, run)
        self._tried = (sequence, at, account, tried)
        return tried

    def _signed(self, run: BasketRun) -> BasketView:
        signed = {order.proposal.id for order in run.orders}
        left = [line.proposal for line in run.plan.lines if line.proposal.id not in signed]
        entries = [order for order_id in run.taken_back if (order := self.state.ledger.order(order_id)) is not None]
        rows = (
            *(self._entry_row(o, is_marked=True, standing=self.state.plans.standings.of_entry(o.id)) for o in entries),
            *(self._signed_row(run, order) for order in run.orders),
            *(_left_row(proposal, run.left_out.get(proposal.id, ()), run) for proposal in left),
        )
        return self._view(run, rows, power_now=run.power_before, digest=None)

    def _signed_row(self, run: BasketRun, signed: SignedOrder) -> BasketRowView:
        proposal = signed.proposal
        order = self.state.ledger.order(signed.order_id)
        price = signed.price
        return _row(
            proposal,
            signed.review,
            is_marked=True,
            cost=proposal.order.cost(price) if price is not None else None,
            power_after=run.powers.get(proposal.id, signed.power_after),
            refusals=run.refusals.get(proposal.id, ()),
            standing=self.state.plans.standings.of(run, signed),
            status=order.status if order is not None else None,
            filled=order.filled_quantity if order is not None else None,
            average=order.average_price if order is not None else None,
            expected=price,
            exit_waits_since=next((h.since for h in held_exits(self.state) if h.proposal.id == proposal.id), None),
        )

    def _tried_row(self, tried: DryRunResult, run: BasketRun) -> BasketRowView:
        proposal = tried.proposal
        in_the_way = orders_in_the_way(self.state, tried.cancels)
        left = Quantity(abs(quantity_after(self.state, proposal.order, proposal.strategy)))
        return _row(
            proposal,
            tried.review,
            is_marked=proposal.id in run.marked,
            cost=tried.cost,
            power_after=tried.power_after,
            refusals=tried.refusals,
            cancels=cancelled_in_words(in_the_way),
            put_back=put_back_in_words(
                self.state, in_the_way, left_behind(self.state, proposal.order, proposal.strategy)
            ),
            lost=lost_in_words(in_the_way),
            left=left,
            worst_loss=tried.worst_loss,
            expected=tried.price,
        )

    def _view(
        self,
        run: BasketRun,
        rows: tuple[BasketRowView, ...],
        *,
        power_now: Money | None,
        digest: object,
        left: tuple[str, ...] = (),
        needs_touch: bool = False,
    ) -> BasketView:
        plan = run.plan
        return BasketView(
            id=run.id,
            source=plan.source,
            name=plan.name,
            phase=run.phase,
            phase_since=run.phase_since or plan.opened_at,
            phase_reason=run.phase_reason,
            ends_at=plan.ends_at,
            permitted_until=run.permitted_until,
            digest=digest,  # type: ignore[arg-type]
            rows=rows,
            skipped=plan.skipped,
            power_now=power_now,
            hold=self.state.desks.hold,
            needs_touch=needs_touch,
            events=tuple(run.events),
            refused_because=run.refused_because,
            end=run.end,
            end_reason=self.state.plans.standings.in_sum(run) if run.report is not None else run.end_reason,
            report=run.report,
            left=left,
        )


def _left_row(proposal: Proposal, reasons: tuple[str, ...], run: BasketRun) -> BasketRowView:
    """Return the row of an order that was not signed."""
    is_marked = proposal.id in run.marked
    return _row(proposal, Review(()), is_marked=is_marked, cost=None, power_after=None, refusals=reasons)


def _row(proposal: Proposal, review: Review, **figures: object) -> BasketRowView:
    order = proposal.order
    return BasketRowView(
        proposal_id=proposal.id,
        strategy=proposal.strategy,
        symbol=order.symbol,
        side=order.side,
        effect=order.effect,
        quantity=order.quantity,
        type=order.type,
        limit_price=order.limit_price,
        stop_price=proposal.stop.price if isinstance(proposal.stop, StopPlan) else order.stop_price,
        stop_holder=proposal.stop.holder if isinstance(proposal.stop, StopPlan) else None,
        warnings=tuple(f"{v.check}: {v.reason}" for v in review.warnings),
        reason=proposal.reason,
        trigger_price=None if proposal.only_reduces else order.stop_price,
        trail=(order.trail_price, order.trail_fraction),
        trails_behind=proposal.stop.behind if isinstance(proposal.stop, StopPlan) else None,
        traded=named(order.instrument),
        **figures,  # type: ignore[arg-type]
    )
