"""Build the desk view: read the engine's slices in its thread, and return immutable values."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from core.engine import Engine
from core.event_text.staging import idea_in_words
from core.model.position import Trade
from core.model.values import Symbol
from core.ports import JournalError
from core.risk.checks import standard_gate
from core.trading_state.account_history import Given, key_of
from core.trading_state.state import TradingState
from core.views import (
    AdviceRow,
    AdviceView,
    ChartView,
    DeskView,
    ForeignRow,
    KillView,
    OtherOrderRow,
    PositionRow,
    RowMark,
    TradeRow,
)
from core.views.builders.charts import Charts
from core.views.builders.event_log import EventLog
from core.views.builders.history import PartialExits
from core.views.builders.protections import ProtectionRows
from core.views.builders.rows import FinishedOrders, newest_price, order_row, position_row
from core.views.builders.standing import StatusViews, away_view, reload_view, wire_view
from core.views.builders.strategies import DayRows, result_rows, shadow_rows, strategy_rows
from core.views.builders.symbols import Listed, action_rows, no_list, sizing, symbol_views, watch_view
from core.views.builders.tickets import BasketViewBuilder, TicketViews
from core.views.results import Past, nothing_before
from core.workflows.strategies.advice import why_not


def advice_view(state: TradingState, at: datetime) -> AdviceView:
    advice = state.advice.state
    return AdviceView(
        rows=tuple(_row(state, given, at) for given in reversed(advice.given) if at < given.expires_at),
        advisers=tuple(
            (name, f"asked no more: {advice.paused[name]}" if name in advice.paused else "asked")
            for name in state.control.settings.advisers.enabled
        ),
        oversteps=advice.oversteps,
    )


def _row(state: TradingState, given: Given, at: datetime) -> AdviceRow:
    idea = given.idea
    reason = why_not(state, given, at) if idea is not None else ""
    is_adopted = (
        idea is not None and state.advice.state.adopted_from.get(key_of(idea.strategy, idea.symbol)) == given.number
    )
    return AdviceRow(
        number=given.number,
        adviser=given.adviser,
        at=given.at,
        text=given.text,
        idea=idea,
        idea_in_words="" if idea is None else idea_in_words(idea),
        expires_at=given.expires_at,
        is_adopted=is_adopted,
        takes_it=idea is not None and not reason,
        why_not=reason,
    )


class ViewBuilder:
    """Listens to a desk, and builds its view on request."""

    def __init__(self, engine: Engine, past: Past = nothing_before, listed: Listed = no_list) -> None:
        self.engine = engine
        self.state = engine.state
        self.listed = listed
        gate = standard_gate()
        self.protections = ProtectionRows(self.state)
        self.status = StatusViews(engine, self.protections)
        self.plan = BasketViewBuilder(self.state, gate)
        self.log = EventLog()
        self.tickets = TicketViews(self.state, gate, self.log)
        self.charts = Charts(self.state, past)
        self.days = DayRows(self.state)
        self.watched: Symbol | None = None
        self.number = 0
        self._or_say("the log before this start", lambda: self.log.recall(self.state))
        self.over = FinishedOrders(self.state)
        self.parts = PartialExits(self.state)
        self._or_say("today's partial exits before this start", self.parts.recall)
        self.state.add_listener(self.log.hear)
        self.state.add_listener(self.over.hear)
        self.state.add_listener(self.parts.hear)
        self.state.add_listener(self.tickets.hear)

    def draw(self, at: datetime) -> DeskView:
        """Build the view; `at` is the engine's current time."""
        self.number += 1
        state = self.state
        self.log.note(self.engine.notes, at)
        today = state.calendar.trading_day(at)
        midnight = state.calendar.venue.start_of(today)
        trades = [t for t in reversed(state.ledger.state.trades) if t.exit_time >= midnight]
        parts = self.parts.rows(midnight)
        prices = [(p, newest_price(state, p)[1]) for p in state.ledger.positions()]
        rows = (position_row(state, p, at) for p in state.ledger.positions())
        positions = tuple(sorted(rows, key=lambda row: not row.calls_a_person))
        told = state.told_at_a_kill
        orders = tuple(self.over.rows(at, lambda order: order_row(state, order, told)))
        others = tuple(
            OtherOrderRow(o.broker_order_id, o.words, o.state, o.may_open, o.is_unread)
            for o in state.sightings.all_others
        )
        guards = self.protections.rows(at)
        working = [o for o in orders if o.status.is_working and RowMark.TO_REPLACE not in o.marks]
        return DeskView(
            number=self.number,
            status=self.status.draw(at, self.protections.shut_by(at, guards)),
            proposals=tuple(self.tickets.row(p) for p in state.stage.proposals()),
            positions=positions,
            orders=orders,
            log=tuple(self.log.rows),
            tickets=tuple(self.tickets.draw(t, at) for t in state.stage.state.tickets.values()),
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
            symbols=symbol_views(state, at, self.listed),
            strategies=strategy_rows(state, today, at),
            staged=self.log.staged,
            protections=guards,
            trades=(*(_trade(t) for t in trades), *parts),
            shadows=shadow_rows(state, today),
            results=result_rows(state, today, trades, parts, prices),
            chart=self.chart(self.watched, at, positions),
            sizing=sizing(state, at),
            wire=wire_view(state, at),
            reload=reload_view(state),
            advice=advice_view(state, at),
            plan=self.plan.draw(at),
            others=others,
            away=away_view(state),
            watch=watch_view(state, at, self.listed),
            alerts=tuple(state.alerts.state.kept.values()),
            rung=state.alerts.state.rung,
            days=self.days.rows(),
            actions=action_rows(state, at),
            lists=tuple(state.lists.holding(today)),
            foreign=tuple(
                ForeignRow(held.symbol, held.asset_class, held.quantity, held.average_price)
                for held in state.sightings.foreign_positions
            ),
        )

    def chart(self, symbol: Symbol | None, at: datetime, positions: tuple[PositionRow, ...]) -> ChartView | None:
        """Return the chart of the watched symbol with its positions; None without a symbol."""
        if symbol is not None and not self.charts.has_begun:
            self._or_say("today's bars before this start", lambda: self.charts.begin(at))
        return self.charts.draw(symbol, at, positions)

    def _or_say(self, what: str, act: Callable[[], None]) -> None:
        """Run `act`; if the journal cannot be read back, add a note and go on without the past rows."""
        try:
            act()
        except (JournalError, OSError) as error:
            self.engine.say(f"{what} could not be read: {error}")


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
