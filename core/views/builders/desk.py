"""Makes the views: reads the engine's slices, in the engine's thread, and gives away immutable values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from core.engine import Engine
from core.execution.cover import cover_of
from core.execution.current_effect import effect_now
from core.execution.excess_exits import beyond
from core.execution.order import Order
from core.execution.other_orders import held_by_others
from core.model.account import Account
from core.model.bar import ONE_MINUTE
from core.model.codes import DeskState
from core.model.instrument import named
from core.model.order import Side, StopHolder
from core.model.position import Position, Trade
from core.model.quote import NoQuote
from core.model.session import NoSession
from core.model.staging import Proposal, StopPlan, Ticket
from core.model.values import NO_SHARES, Fraction, Money, Price, Quantity, Symbol
from core.ports import JournalError
from core.risk.checks import standard_gate
from core.risk.margin import distance_of, limit_under
from core.risk.position_limits import cap_of
from core.risk.sizing_inputs import size_now
from core.staging.expiry import end_of_stops
from core.staging.resting_entries import time_to_live
from core.views import (
    ChartView,
    DeskView,
    ForeignRow,
    HaltRow,
    KillView,
    OrderRow,
    OtherOrderRow,
    PositionRow,
    ProposalRow,
    ReplacedView,
    RowMark,
    StatusView,
    TicketView,
    TradeRow,
)
from core.views.builders.advice import advice_view
from core.views.builders.basket import BasketViewBuilder
from core.views.builders.charts import Charts
from core.views.builders.displaced_orders import (
    cancelled_in_words,
    goes_back_in_words,
    orders_in_the_way,
    put_back_in_words,
    quantity_after,
)
from core.views.builders.event_log import EventLog
from core.views.builders.finished_orders import FinishedOrders
from core.views.builders.limits_reload import reload_view
from core.views.builders.margin import margin_view
from core.views.builders.order_latency import wire_view
from core.views.builders.protections import ProtectionRows
from core.views.builders.results import result_rows, shadow_rows
from core.views.builders.strategies import strategy_rows
from core.views.builders.symbols import sizing, symbol_views
from core.views.order_text import terms_in_words
from core.workflows.protection.desk_held_stops import stop_by_desk
from core.workflows.staging.confirmation_checks import reviewed, verdicts_meanwhile
from core.workflows.staging.exit_preview import listed_exits
from core.workflows.staging.proposals import candidate_of


class ViewBuilder:
    """Listens to a desk, and draws it when asked."""

    def __init__(self, engine: Engine, slowest_sync: float = 0.25) -> None:
        self.engine = engine
        self.state = engine.state
        self.slowest_sync = slowest_sync
        self.gate = standard_gate()
        self.protections = ProtectionRows(self.state)
        self.plan = BasketViewBuilder(self.state, self.gate)
        self.log = EventLog()
        self.charts = Charts(self.state)
        self.watched: Symbol | None = None
        self.number = 0
        self._or_say("the log before this start", lambda: self.log.recall(self.state))
        self.over = FinishedOrders(self.state)
        self.state.add_listener(self.log.hear)
        self.state.add_listener(self.over.hear)

    def draw(self, at: datetime) -> DeskView:
        """The desk as it is, `at` being the engine's time now."""
        self.number += 1
        state = self.state
        self.log.note(self.engine.notes, at)
        today = state.calendar.trading_day(at)
        midnight = state.calendar.venue.start_of(today)
        trades = [t for t in reversed(state.ledger.state.trades) if t.exit_time >= midnight]
        prices = [(p, self._newest_price(p)[1]) for p in state.ledger.positions()]
        positions = tuple(self._position(p, at) for p in state.ledger.positions())
        told = state.told_at_a_kill
        orders = tuple(self.over.rows(at, lambda order: self._order(order, told)))
        others = tuple(
            OtherOrderRow(o.broker_order_id, o.words, o.state, o.may_open, o.is_unread)
            for o in state.sightings.all_others
        )
        guards = self.protections.rows(at)
        working = [o for o in orders if o.status.is_working and RowMark.TO_REPLACE not in o.marks]
        return DeskView(
            number=self.number,
            status=self._status(at, self.protections.shut_by(at, guards)),
            proposals=tuple(self._proposal(p) for p in state.stage.proposals()),
            positions=positions,
            orders=orders,
            log=tuple(self.log.rows),
            tickets=tuple(self._ticket(t, at) for t in state.stage.state.tickets.values()),
            endings=tuple(self.log.endings),
            refusals=tuple(self.log.refusals),
            failed_closes=tuple(self.log.failed_closes),
            kill=KillView(
                tuple(o for o in working if not o.effect.only_reduces),
                tuple(o for o in working if o.is_protective and o.effect.only_reduces and RowMark.HELD not in o.marks),
                tuple(p for p in positions if p.covered < abs(p.quantity)),
                tuple(other for other in others if other.may_open and not other.is_unread),
                tuple(other for other in others if other.is_unread),
                tuple(o for o in working if o.effect.only_reduces and o.beyond > 0),
            ),
            symbols=symbol_views(state, at),
            strategies=strategy_rows(state, today, at),
            staged=self.log.staged,
            protections=guards,
            trades=tuple(_trade(t) for t in trades),
            shadows=shadow_rows(state, today),
            results=result_rows(state, today, trades, prices),
            chart=self._chart(at, positions),
            sizing=sizing(state, at),
            wire=wire_view(state, at),
            reload=reload_view(state),
            advice=advice_view(state, at),
            plan=self.plan.draw(at),
            others=others,
            foreign=tuple(
                ForeignRow(held.symbol, held.asset_class, held.quantity, held.average_price)
                for held in state.sightings.foreign_positions
            ),
        )

    def _chart(self, at: datetime, positions: tuple[PositionRow, ...]) -> ChartView | None:
        if self.watched is not None and not self.charts.has_begun:
            self._or_say("today's bars before this start", lambda: self.charts.begin(at))
        return self.charts.draw(self.watched, at, positions)

    def _or_say(self, what: str, act: Callable[[], None]) -> None:
        """A journal that cannot be read back costs the screen what was before, and nothing else."""
        try:
            act()
        except (JournalError, OSError) as error:
            self.engine.say(f"{what} could not be read: {error}")

    # ── the parts ────────────────────────────────────────────────────────────────────────────────────────────────

    def _status(self, at: datetime, entries_shut: str) -> StatusView:
        state, control = self.state, self.state.control
        account = state.sightings.account if isinstance(state.sightings.account, Account) else None
        day = state.calendar.trading_day(at)
        opening = state.opening.opening_equity(day)
        change = Money(account.equity - opening) if account and opening is not None else None
        session = state.calendar.session_at(at)
        is_open = not isinstance(session, NoSession)
        heard_at, heard_from = self._newest_data()
        limit = control.settings.risk.daily_loss.of(opening)
        distance = distance_of(account) if account else None
        warn_at = control.settings.risk.margin.warn_at
        refusal, breaker = control.refusal(), self._breaker(at)
        return StatusView(
            at=at,
            account=state.account_name,
            mode=state.mode,
            profile=control.settings.profile,
            word=word_of(self.engine),
            entries_refused=refusal or breaker,
            refused_by_breaker=refusal is None and breaker is not None,
            exits_refused=self.engine.disk_trouble,
            killed_by=control.killed_by,
            killed_at=control.killed_at,
            halted_at=control.halted_at if control.halts else None,
            halts=tuple(HaltRow(cause, reason) for cause, reason in control.halts.items()),
            market_closes_at=session.close if not isinstance(session, NoSession) else None,
            market_opens_at=None if is_open else state.calendar.next_session(at).open,
            quote_at=heard_at,
            feed=heard_from,
            equity=account.equity if account else None,
            equity_at=account.at if account else None,
            day_change=change,
            day_fraction=change / opening if change is not None and opening else None,
            buying_power=account.buying_power if account else None,
            unsettled=account.unsettled if account and account.unsettled else None,
            daily_loss_limit=Money(limit) if limit is not None else None,
            disk=self.engine.disk_trouble or self._slow_disk(),
            notes=self.engine.notes,
            lamps=tuple(state.sightings.lamps.values()),
            margin_distance=distance,
            is_margin_near=distance is not None and limit_under(distance, warn_at) is not None,
            at_risk=self.protections.at_risk(at),
            risk_budget=Fraction(control.settings.risk.sizing.budget),
            entries_shut=entries_shut,
        )

    def _breaker(self, at: datetime) -> str | None:
        """A broker that does not answer shuts entries as a halt does (EX-15)."""
        refusal = self.state.breaker.refusal(at)
        return f"breaker: {refusal}" if refusal is not None else None

    def _slow_disk(self) -> str | None:
        """A sync over 250 ms is shown (SP-06)."""
        last = getattr(self.state.journal, "last_sync_seconds", 0.0)
        return (
            f"slow: a write took {last * 1000:.0f} ms, and every order waits for its write"
            if last > self.slowest_sync
            else None
        )

    def _proposal(self, proposal: Proposal) -> ProposalRow:
        order = proposal.order
        stop = proposal.stop.price if isinstance(proposal.stop, StopPlan) else order.stop_price
        risk, aimed = None, order.limit_price if not order.type.is_stop else proposal.intended_price
        if isinstance(proposal.stop, StopPlan) and aimed is not None:
            risk = order.risk(proposal.stop.way_from(aimed))
        old = self.state.ledger.order(order.replaces) if order.replaces is not None else None
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
            is_confirming=self.state.stage.is_confirming(proposal.id),
            replaces=order.replaces,
            replaces_in_words=terms_in_words(old.request) if old else "",
            moved=self._moved(proposal),
            halted=self._halted(order.symbol),
            traded=named(order.instrument),
        )

    def _halted(self, symbol: Symbol) -> str:
        """Since when, and the exchange's words; empty where it trades (MD-06)."""
        halt = self.state.normaliser.state.halted.get(symbol)
        return "" if halt is None else f"{self.state.calendar.venue.clock(halt.since)}, {halt.reason}"

    def _moved(self, proposal: Proposal) -> Money | None:
        """What the price has done to a waiting exit since the bar, or the hand, that asked for it."""
        order, before = proposal.order, proposal.intended_price
        last = self.state.last_price(order.symbol)
        if not proposal.only_reduces or proposal.is_guard or before is None or last is None:
            return None
        better = last[1] - before if order.side is Side.SELL else before - last[1]
        return order.instrument.notional(order.quantity, better)

    def _ticket(self, ticket: Ticket, at: datetime) -> TicketView:
        state = self.state
        proposal = state.stage.state.proposals[ticket.proposal_id]
        held = state.ledger.position(ticket.order.symbol, proposal.strategy)
        after = quantity_after(state, ticket.order, proposal.strategy)
        in_the_way = orders_in_the_way(state, ticket.cancels)
        candidate, context = candidate_of(proposal), state.figures_for(at, proposal.symbol, None)
        put_back = put_back_in_words(state, in_the_way, abs(after))
        signs_a_stop = isinstance(ticket.stop, StopPlan) and ticket.stop.holder is StopHolder.BROKER
        return TicketView(
            ticket=ticket,
            proposal=self._proposal(proposal),
            quote=state.sightings.quotes.get(ticket.order.symbol) or NoQuote("none seen yet"),
            now=reviewed(self.gate.review(candidate, context), *verdicts_meanwhile(state, ticket, proposal, context)),
            refused_because=state.stage.state.refusals.get(ticket.id, ()),
            is_confirming=state.stage.is_confirming(ticket.proposal_id),
            signal_time=proposal.signal_time,
            reason=proposal.reason,
            cancels_in_words=cancelled_in_words(in_the_way),
            quantity_after=after,
            put_back_in_words=put_back,
            replaced=self._replaced(proposal, held),
            capped_by=cap_of(candidate, context),
            moved=self._moved_since_signal(proposal),
            average_price=held.average_price if held else None,
            size=size_now(candidate, context),
            margin=margin_view(candidate, context),
            exits=listed_exits(state, proposal),
            ttl=time_to_live(proposal, state.control.settings),
            stops_until=(
                end_of_stops(state.calendar, ticket.order, ticket.opened_at) if signs_a_stop or put_back else None
            ),
        )

    def _replaced(self, proposal: Proposal, held: Position | None) -> ReplacedView | None:
        order = proposal.order
        old = self.state.ledger.order(order.replaces) if order.replaces is not None else None
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
        )

    def _moved_since_signal(self, proposal: Proposal) -> Decimal | None:
        """Only a strategy's proposal has a signal; it names what it was measured against. An edit moves its limit.

        A stop that is moved stands where it is put: no price that the market left.
        """
        quote = self.state.sightings.quotes.get(proposal.symbol)
        before = self.log.signal_prices.get(proposal.id, proposal.intended_price)
        if quote is None or not before or proposal.reference is None or proposal.is_guard:
            return None
        return (quote.mid - before) / before

    def _position(self, position: Position, at: datetime) -> PositionRow:
        state = self.state
        last_at, last = self._newest_price(position)
        entry = state.ledger.order(position.entry_order)
        plan = entry.stop if entry else None
        exits = state.ledger.working_exits(position.symbol, position.strategy)
        guards = [o for o in exits if o.is_protective and not state.ledger.is_held(o)]
        stops = [o for o in guards if state.ledger.incumbent(o) is None and not state.ledger.is_in_doubt(o)]
        cover = cover_of(state.ledger, position, lambda order: state.sightings.departing.is_held_up(order, state.at))
        profit = state.ledger.open_profit(position, last)
        risked = position.risk(plan.way_from(position.average_price)) if plan else None
        prices = {o.request.stop_price for o in stops if o.request.stop_price is not None}
        signed = state.stage.signed_exits(position.entry_order, at)
        planned = [plan.price] if plan is not None and plan.behind is None else []
        farthest_last = sorted(prices, reverse=position.quantity > 0) or planned
        return PositionRow(
            key=f"{position.symbol}/{position.strategy}",
            symbol=position.symbol,
            strategy=position.strategy,
            quantity=position.quantity,
            average_price=position.average_price,
            last=last,
            last_at=last_at,
            profit=profit,
            result_in_risk=profit / risked if profit is not None and risked else None,
            stop_price=farthest_last[-1] if farthest_last else None,
            nearer_stops=tuple(farthest_last[:-1]),
            holder=self._holder(stops, plan),
            covered=cover.covered,
            in_doubt=cover.in_doubt,
            doubt=cover.doubt,
            is_closing=any(not o.stands_by or o.is_cancelling for o in exits),
            has_bracket=state.ledger.has_bracket_order(position.symbol, position.strategy),
            held_by_others=held_by_others(
                state.sightings.others, position.symbol, Side.SELL if position.quantity > 0 else Side.BUY
            ),
            acts_from=self._stops_act_from(at),
            at_limit=cover.at_limit,
            unattended_until=signed.mandate.ends_at if signed else None,
            unattended_most=signed.mandate.quantity if signed else NO_SHARES,
            halted=self._halted(position.symbol),
            traded=position.traded,
        )

    def _stops_act_from(self, at: datetime) -> datetime | None:
        """The open up to which stops rest while the market trades; None in regular hours and while it is closed."""
        calendar = self.state.calendar
        if calendar.venue.extended_until(at, calendar.session_on(calendar.trading_day(at))) is None:
            return None
        return calendar.next_session(at).open

    def _newest_price(self, position: Position) -> tuple[datetime, Price]:
        """The newest of the last bar's close, the middle of the last quote, and what was paid."""
        paid = (position.opened_at, position.average_price)
        return max(paid, self.state.last_price(position.symbol) or paid)

    def _newest_data(self) -> tuple[datetime | None, str | None]:
        """When the market was last heard, and from whom."""
        heard = [(start + ONE_MINUTE, "bars") for start in self.state.normaliser.state.last_starts.values()]
        heard += [(quote.at, quote.feed.value) for quote in self.state.sightings.quotes.values()]
        return max(heard, default=(None, None))

    def _holder(self, stops: list[Order], plan: StopPlan | None) -> StopHolder:
        """Who acts at the stop now: the broker only where a stop of ours works there (OP-06)."""
        if stops:
            return StopHolder.BROKER
        return StopHolder.DESK if plan is not None and plan.holder is StopHolder.DESK else StopHolder.YOU

    def _order(self, order: Order, told: Mapping[Symbol, Quantity]) -> OrderRow:
        ledger = self.state.ledger
        is_held = order.is_working and ledger.is_held(order)
        patience = timedelta(seconds=float(self.state.control.settings.execution.warning_seconds))
        is_halted = order.is_working and order.request.symbol in self.state.normaliser.state.halted
        drawn = _order(order, patience, is_to_replace=ledger.incumbent(order) is not None, is_held=is_held)
        over = beyond(ledger, order, told)
        more = (RowMark.MORE_THAN_HELD,) if over > 0 else ()
        waits = (RowMark.WAITS_TO_BE_SENT,) if self.state.sightings.departing.is_held_up(order, self.state.at) else ()
        marks = (*drawn.marks, *((RowMark.HALTED,) if is_halted else ()), *more, *waits)
        holder, back = stop_by_desk(self.state, order), goes_back_in_words(self.state, order)
        effect = effect_now(ledger, order, told)
        return replace(
            drawn, effect=effect, marks=marks, stop_by_desk=holder, goes_back_in_words=back, beyond=max(over, NO_SHARES)
        )


def _result_at(held: Position | None, stop: Price | None, quantity: Quantity) -> Money | None:
    """What so many shares of a position make at its stop, USD."""
    if held is None or stop is None:
        return None
    gained = stop - held.average_price
    return held.instrument.notional(quantity, gained if held.quantity > 0 else -gained)


def _order(order: Order, patience: timedelta, *, is_to_replace: bool, is_held: bool) -> OrderRow:
    marks = (
        *((RowMark.CANCELLING,) if order.is_cancelling else ()),
        *((RowMark.IN_DOUBT,) if order.in_doubt_since and order.is_working else ()),
        *((RowMark.WARNED,) if order.warning_waits else ()),
        *((RowMark.LATE_FILL,) if order.late_fill else ()),
        *((RowMark.BEING_REPLACED,) if order.is_being_replaced else ()),
        *((RowMark.TO_REPLACE,) if is_to_replace else ()),
        *((RowMark.HELD,) if is_held else ()),
        *((RowMark.REPLACED,) if order.replaced_by and not order.is_working else ()),
    )
    return OrderRow(
        id=order.id,
        strategy=order.strategy,
        side=order.request.side,
        effect=order.request.effect,
        quantity=order.request.quantity,
        symbol=order.request.symbol,
        type=order.request.type,
        limit_price=order.request.limit_price,
        stop_price=order.request.stop_price,
        trail_price=order.request.trail_price,
        trail_fraction=order.request.trail_fraction,
        legs=order.request.legs,
        is_paired=order.is_target,
        status=order.status,
        filled_quantity=order.filled_quantity,
        average_price=order.average_price,
        created_at=order.created_at,
        ended_at=order.ended_at,
        expires_at=order.expires_at,
        is_protective=order.is_protective,
        marks=marks,
        reason=order.reason,
        warnings=order.warnings,
        taken_back_at=order.taken_back_at(patience),
    )


def _trade(trade: Trade) -> TradeRow:
    return TradeRow(
        key=trade.exit_order,
        strategy=trade.strategy,
        symbol=trade.symbol,
        quantity=trade.quantity,
        entry_time=trade.entry_time,
        entry_price=trade.entry_price,
        exit_time=trade.exit_time,
        exit_price=trade.exit_price,
        exit_reason=trade.exit_reason,
        profit=trade.profit,
        slippage=trade.slippage,
        meant=trade.meant,
        fees=trade.fees,
    )


def word_of(engine: Engine) -> DeskState:
    """The desk's state in one word, for whoever has an engine alone."""
    return engine.state.control.word()
