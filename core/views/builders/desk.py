"""Build the desk view and the state of the whole desk: read the engine's slices, return immutable values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from operator import is_

from core.engine import Engine
from core.event_text.orders import idea_in_words
from core.execution.breaker import BreakerPhase
from core.messages.desk_commands import SettingsFault
from core.model.account import Account
from core.model.bar import ONE_MINUTE
from core.model.codes import DeskState
from core.model.entry_blocks import EntryBlock, EntryCause
from core.model.kept_rows import KeptRows
from core.model.position import AnyTrade, Trade
from core.model.reconciliation import ACCEPTABLE, Difference
from core.model.session import NoSession
from core.model.text_sanitizer import foreign
from core.model.values import Fraction, Money, Symbol
from core.ports import JournalError
from core.risk.margin import distance_of, limit_under
from core.risk.standard_gate import standard_gate
from core.settings.changes import ChangeKind, digest_of
from core.trading_state.desks import AwayKind, Desk
from core.trading_state.state import TradingState
from core.views import (
    NOTHING_TO_RELOAD,
    AdviceRow,
    AdviceView,
    AwayRow,
    AwayView,
    ChartView,
    DeskRow,
    DeskView,
    ForeignRow,
    HaltRow,
    KeyView,
    KillView,
    OrderRow,
    OtherOrderRow,
    PositionRow,
    ReloadView,
    RowMark,
    ShadowRow,
    StatusView,
    StrategyRow,
    SymbolView,
    TouchView,
    TradeRow,
)
from core.views.builders.drafts import DraftRows
from core.views.builders.entry_blocks import entry_blocks, shut_in_words
from core.views.builders.event_log import EventLog
from core.views.builders.history import PartialExits
from core.views.builders.measures import MeasureRows
from core.views.builders.protection_limits import lost_at_the_stops
from core.views.builders.protections import ProtectionRows
from core.views.builders.rows import FinishedOrders, newest_price, position_row
from core.views.builders.strategies import (
    DayRows,
    TradeTally,
    result_rows,
    shadow_rows,
    strategy_rows,
)
from core.views.builders.symbols import (
    Charts,
    EarningsRows,
    Listed,
    action_rows,
    news_view,
    no_list,
    sizing,
    symbol_views,
    watch_view,
)
from core.views.builders.tickets import BasketViewBuilder, TicketViews
from core.views.desk_status import BREAKER_OK, WireView, halted_by_you
from core.views.results import Past, nothing_before
from core.views.rows import WatchRow
from core.workflows.operator.desk_control import is_holder_active
from core.workflows.operator.touch_keys import loosens_touch, nonce_now

# ── the state of the whole desk ──────────────────────────────────────────────────────────────────────────────────────
# Status line, desk control, order link, last absence, a reload of limits (RK-13).


def key_view(state: TradingState, at: datetime) -> KeyView:
    holder, kept = state.desks.holder, state.desks.state.kept
    if holder is not None or (kept is not None and at >= kept.until):
        kept = None
    away_until = holder.away_until if holder is not None else kept.until if kept is not None else None
    return KeyView(
        hold=state.desks.hold,
        holder=None if holder is None else _desk_row(state, holder.desk),
        since=None if holder is None else holder.since,
        away_until=away_until,
        kept_for=None if kept is None else kept.seat,
        takes_word=is_holder_active(state, at),
        desks=tuple(_desk_row(state, desk) for _, desk in sorted(state.desks.state.attached.items())),
    )


def _desk_row(state: TradingState, desk: Desk) -> DeskRow:
    return DeskRow(desk.number, desk.seat, desk.since, state.sightings.heard_from.get(desk.number))


def wire_view(state: TradingState, at: datetime) -> WireView:
    """Return today's order figures; the calls are counted since the start."""
    tally = state.tally.state
    phase = state.breaker.phase(at)
    is_todays = tally.day == state.calendar.trading_day(at)
    return WireView(
        spans=state.latencies.spans() if state.latencies.state.day == state.calendar.trading_day(at) else (),
        sent=tally.sent if is_todays else 0,
        invalid=tally.invalid if is_todays else 0,
        rejected=tally.rejected if is_todays else 0,
        calls=state.sightings.calls,
        breaker=BREAKER_OK if phase is BreakerPhase.CLOSED else phase.value,
        breaker_reason=state.breaker.refusal(at),
    )


def away_view(state: TradingState) -> AwayView | None:
    absence = state.attendance.absence or state.attendance.state.last
    if absence is None:
        return None
    return AwayView(
        absence.since,
        absence.until,
        tuple(AwayRow(event.at, event.kind.value, event.words) for event in absence.events),
        tuple((kind.value, absence.count(kind)) for kind in AwayKind if absence.count(kind)),
    )


def reload_view(state: TradingState) -> ReloadView:
    file = state.sightings.settings_file
    if isinstance(file, SettingsFault):
        return ReloadView(fault=file.reason)
    if file is None or not state.sightings.file_changes:
        return NOTHING_TO_RELOAD
    words: dict[ChangeKind, tuple[str, ...]] = {
        kind: tuple(change.words for change in state.sightings.file_changes if change.kind is kind)
        for kind in ChangeKind
    }
    looser = [change.path for change in state.sightings.file_changes if change.kind is ChangeKind.LOOSER]
    return ReloadView(
        words[ChangeKind.TIGHTER],
        words[ChangeKind.LOOSER],
        words[ChangeKind.RESTART],
        digest=digest_of(file),
        needs_touch=loosens_touch(state, looser),
    )


def touch_view(state: TradingState) -> TouchView:
    held = state.touch_keys.state
    return TouchView(held.keys, nonce_now(state), held.answers, held.answer)


REFUSES_ALL = frozenset(
    {
        *(EntryCause.KILL, EntryCause.HALT, EntryCause.FAULT, EntryCause.DISK, EntryCause.STARTING),
        *(EntryCause.READ_ONLY, EntryCause.SETTINGS_FILE, EntryCause.CLOCK, EntryCause.BREAKER, EntryCause.MODE),
    }
)
"""Causes for which the desk says that entries are off: a broker that does not answer shuts them like a halt (EX-15)."""


class StatusViews:
    """Builds the status line."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.state = engine, engine.state

    def draw(self, at: datetime, blocks: tuple[EntryBlock, ...]) -> StatusView:
        state, control = self.state, self.state.control
        account = state.sightings.account if isinstance(state.sightings.account, Account) else None
        day = state.calendar.trading_day(at)
        opening, change = state.opening.opening_equity(day), day_change(state, account, at)
        session = state.calendar.session_at(at)
        is_open = not isinstance(session, NoSession)
        heard_at, heard_from = newest_data(state)
        limit = control.settings.risk.daily_loss.of(opening)
        distance = distance_of(account) if account else None
        warn_at = control.settings.risk.margin.warn_at
        refused = next((block for block in blocks if block.cause in REFUSES_ALL and not block.key), None)
        risked = lost_at_the_stops(state, at)
        return StatusView(
            at=at,
            account=state.account_name,
            mode=state.mode,
            profile=control.settings.profile,
            word=word_of(self.engine),
            entries_refused=None if refused is None else halted_by_you(refused.words),
            refused_by_breaker=refused is not None and refused.cause is EntryCause.BREAKER,
            exits_refused=self.engine.disk_trouble,
            killed_by=control.killed_by,
            killed_at=control.killed_at,
            kill_reason=control.state.kill_reason,
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
            connections=tuple(state.sightings.connections.values()),
            margin_distance=distance,
            is_margin_near=distance is not None and limit_under(distance, warn_at) is not None,
            at_risk=None if risked is None else Fraction(risked[0] / risked[1]),
            lost_at_stops=None if risked is None else Money(risked[0]),
            risk_budget=Fraction(control.settings.risk.sizing.budget),
            entries_shut=shut_in_words(blocks),
            has_frictions=state.sightings.has_frictions,
            blocks=blocks,
            held_by_clock=state.held_by_clock,
            key=key_view(state, at),
            presses=state.sightings.presses,
            acceptable=_acceptable(control.state.is_reconciled, control.state.differences),
        )

    def _slow_disk(self) -> str | None:
        """Return a warning if a sync takes more than `health.slow_sync_milliseconds` (SP-06)."""
        limit = self.state.control.settings.health.slow_sync_milliseconds
        last = getattr(self.state.journal, "last_sync_seconds", 0.0)
        return (
            f"slow: a write took {last * 1000:.0f} ms, and every order waits for its write"
            if last * 1000 > limit
            else None
        )


def _acceptable(is_reconciled: bool, differences: tuple[Difference, ...]) -> tuple[Difference, ...]:
    return () if is_reconciled else tuple(one for one in differences if one.kind in ACCEPTABLE)


def newest_data(state: TradingState) -> tuple[datetime | None, str | None]:
    """Return the time and source of the newest market data."""
    heard = [(start + ONE_MINUTE, "bars") for start in state.normaliser.state.last_starts.values()]
    heard += [(quote.at, quote.feed.value) for quote in state.sightings.quotes.values()]
    return max(heard, default=(None, None))


def day_change(state: TradingState, account: Account | None, at: datetime) -> Money | None:
    """Return the account's gain since its opening equity of that day, USD; None while either is unknown."""
    opening = state.opening.opening_equity(state.calendar.trading_day(at))
    return Money(account.equity - opening) if account and opening is not None else None


def word_of(engine: Engine) -> DeskState:
    """Return the desk's state in one word."""
    return engine.state.control.word()


# ── the desk view ────────────────────────────────────────────────────────────────────────────────────────────────────


def advice_view(state: TradingState, at: datetime) -> AdviceView:
    advice = state.advice.state
    adopted = (
        AdviceRow(key, told.source, None, idea_in_words(told), told.expires_at, told)
        for key, told in advice.adopted.items()
    )
    texts = (
        AdviceRow(str(given.number), given.adviser, given.at, foreign(given.text), given.expires_at)
        for given in reversed(advice.given)
        if at < given.expires_at
    )
    return AdviceView((*adopted, *texts), tuple(state.control.settings.all_agents))


class ViewBuilder:
    """Listens to a desk, and builds its view on request."""

    def __init__(self, engine: Engine, past: Past = nothing_before, listed: Listed = no_list) -> None:
        self.engine = engine
        self.state = engine.state
        self.listed = listed
        gate = standard_gate()
        self.protections = ProtectionRows(self.state)
        self.status = StatusViews(engine)
        self.plan = BasketViewBuilder(self.state, gate)
        self.log = EventLog(self.state.notifications.failed_close)
        self.tickets = TicketViews(self.state, gate, self.log)
        self.drafts = DraftRows(self.state)
        self.charts = Charts(self.state, past)
        self.days, self.measures = DayRows(self.state), MeasureRows(self.state)
        self.earnings = EarningsRows(self.state)
        self._symbol_rows, self._watch_rows = KeptRows[SymbolView](), KeptRows[WatchRow]()
        self._strategy_rows, self._shadow_rows = KeptRows[StrategyRow](), KeptRows[ShadowRow]()
        self.watched: Symbol | None = None
        self.number = 0
        self._ahead_of = -1
        self._last: DeskView | None = None
        self._or_say("the log before this start", lambda: self.log.recall(self.state))
        self.over = FinishedOrders(self.state)
        self.trades = ClosedTrades()
        self.parts = PartialExits(self.state)
        self._or_say("today's partial exits before this start", self.parts.recall)
        self.state.add_listener(self.log.hear)
        self.state.add_listener(self.over.hear)
        self.state.add_listener(self.parts.hear)
        self.state.add_listener(self.tickets.hear)

    def draw(self, at: datetime) -> DeskView:
        """Build the view; `at` is the engine's current time. If nothing else differs, it is the last view with that."""
        view, last = self._view(at), self._last
        again = None if last is None else replace(last, status=replace(last.status, at=at))
        if again is None or again != view:
            self.number += 1
            again = replace(view, number=self.number)
        self._last = again
        return again

    def draw_ahead(self, at: datetime) -> None:
        """Build some rows of finished orders while no desk looks, so that the first view of one takes no long beat."""
        sequence = self.state.journal.sequence
        if sequence == self._ahead_of:
            return
        try:
            if self.over.draw_ahead(at):
                self._ahead_of = sequence
        except Exception:  # a view meets it again, before a person; the engine needs no row
            self._ahead_of = sequence

    def _view(self, at: datetime) -> DeskView:
        """Build the view, with the number of the last one."""
        state = self.state
        self.log.note(self.engine.notes, at)
        today = state.calendar.trading_day(at)
        midnight = state.calendar.venue.start_of(today)
        self.trades.take([trade for trade in state.ledger.state.trades if trade.exit_time >= midnight])
        parts = self.parts.rows(midnight)
        prices = [(p, newest_price(state, p)[1]) for p in state.ledger.positions()]
        rows = (position_row(state, p, at) for p in state.ledger.positions())
        positions = tuple(sorted(rows, key=lambda row: not row.calls_a_person))
        orders = tuple(self.over.rows(at))
        others = tuple(
            OtherOrderRow(o.broker_order_id, o.words, o.state, o.may_open, o.is_unread)
            for o in state.sightings.all_others
        )
        guards, shadows = self.protections.rows(at), shadow_rows(state, today, self._shadow_rows)
        blocks, days = entry_blocks(state, at, guards), self.days.rows()
        watch = watch_view(state, at, self.listed, self._watch_rows)
        return DeskView(
            number=self.number,
            status=self.status.draw(at, blocks),
            proposals=tuple(self.tickets.row(p) for p in state.stage.proposals()),
            positions=positions,
            orders=orders,
            log=tuple(self.log.rows),
            tickets=tuple(self.tickets.draw(t, at) for t in state.stage.state.tickets.values()),
            endings=tuple(self.log.endings),
            refusals=tuple(self.log.refusals),
            failed_closes=tuple(self.log.failed_closes),
            kill=_with_progress(_kill_view(positions, self.over.working(), others), state),
            symbols=symbol_views(state, at, self.listed, self._symbol_rows),
            strategies=strategy_rows(state, today, at, self._strategy_rows),
            staged=self.log.staged,
            protections=guards,
            trades=(*self.trades.rows, *parts),
            shadows=shadows,
            results=result_rows(state, today, self.trades.tallies, parts, prices, shadows),
            chart=self.chart(self.watched, at, positions),
            sizing=sizing(state, at),
            wire=wire_view(state, at),
            reload=reload_view(state),
            advice=advice_view(state, at),
            plan=self.plan.draw(at),
            others=others,
            away=away_view(state),
            watch=watch,
            alerts=tuple(state.alerts.state.kept.values()),
            rung=state.alerts.state.rung,
            days=days,
            actions=action_rows(state, at),
            news=news_view(state),
            earnings=self.earnings.rows(watch.rows, at),
            lists=tuple(state.lists.holding(today)),
            drafts=self.drafts.rows(),
            agent_oversteps=state.drafts.state.oversteps,
            touch=touch_view(state),
            groups=self.measures.groups(days, today),
            measures=self.measures.measures(at),
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


class ClosedTrades:
    """The rows of today's closed trades and their number by strategy: only new ones are built.

    Attributes
    ----------
    rows
        Newest first.
    tallies
        By strategy, in the order of their first trades.
    """

    def __init__(self) -> None:
        self.rows: tuple[TradeRow, ...] = ()
        self.tallies: dict[str, TradeTally] = {}
        self._trades: list[AnyTrade] = []

    def take(self, trades: list[AnyTrade]) -> None:
        """Take today's trades, oldest first."""
        if len(trades) < len(self._trades) or not all(map(is_, self._trades, trades)):  # another day, or a correction
            self.rows, self.tallies, self._trades = (), {}, []
        new = trades[len(self._trades) :]
        if new:
            self.rows = (*map(_trade, reversed(new)), *self.rows)
        for trade in new:
            self.tallies.setdefault(trade.strategy, TradeTally()).count(trade)
        self._trades = trades


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


def _kill_view(
    positions: Sequence[PositionRow], orders: Iterable[OrderRow], others: Sequence[OtherOrderRow]
) -> KillView:
    """Return what a kill would cancel, keep and leave; `orders` are the working ones."""
    working = [o for o in orders if RowMark.TO_REPLACE not in o.marks]
    return KillView(
        tuple(o for o in working if not o.effect.only_reduces),
        tuple(o for o in working if o.is_protective and o.effect.only_reduces and RowMark.HELD not in o.marks),
        tuple(p for p in positions if p.covered < abs(p.quantity)),
        tuple(other for other in others if other.may_open and not other.is_unread),
        tuple(other for other in others if other.is_unread),
        tuple(o for o in working if o.effect.only_reduces and o.beyond > 0),
    )


def _with_progress(kill: KillView, state: TradingState) -> KillView:
    """Add how many orders the kill asked to cancel, and how many of them are gone."""
    asked = state.sightings.asked_by_kill
    if not asked:
        return kill
    working: set[str] = {order.id for order in state.ledger.working()}
    working.update(other.broker_order_id for other in state.sightings.all_others)
    return replace(kill, asked=len(asked), gone=len(asked - working))
