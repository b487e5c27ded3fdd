"""The desk's state and the one way to change it: slices, sightings, and `record`.

`record(fact)` appends to the journal and then lets each slice fold the fact. Sightings (quotes, account figures) are in
memory only and never restored; a decision copies what it used into its fact.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from core.advisers.authority import at_work, only_for_people
from core.advisers.book import AdviceBook
from core.control import Control, InForce
from core.execution.breaker import Breaker
from core.execution.departing import Departing
from core.execution.latency import Latencies
from core.execution.ledger import Ledger
from core.execution.order import Order, has_news
from core.execution.others import Other, other_of
from core.execution.tally import Tally
from core.exits.watch import ExitWatch
from core.facts import (
    BarClosed,
    Fact,
    HistoryTaken,
    MarketDataQuarantined,
    OrdersRecalled,
    PastTaken,
    TradingHalted,
    TradingResumed,
)
from core.inputs import SettingsFault
from core.market.normaliser import Normaliser
from core.model.account import Account, Mode, NoAccount
from core.model.bar import ONE_MINUTE, Bar
from core.model.broker import ForeignPosition, FreshFigures, OrderReport
from core.model.capabilities import EVERYTHING
from core.model.connection import Lamp, Line
from core.model.instrument import Instrument, NoInstrument
from core.model.order import OrderRequest, Side
from core.model.position import Trade
from core.model.quote import NoQuote, Quote
from core.model.recommendation import Recommendation
from core.model.regime import labels_of
from core.model.session import Calendar
from core.model.values import NO_SHARES, ZERO, AccountId, ClientOrderId, Price, Quantity, Symbol, plain
from core.news import News
from core.ports import Journal
from core.risk.allocation import Allocations
from core.risk.checks.back_pressure import queued_orders
from core.risk.conditions import gathered
from core.risk.day import Day
from core.risk.evaluation.book import EvaluationBook, Shut
from core.risk.gate import ReviewContext
from core.risk.margin_samples import MarginSamples
from core.risk.protections.book import ProtectionBook
from core.risk.protections.day_trades import business_days
from core.risk.protections.equity_curve import NO_STRATEGY
from core.risk.protections.trades import Direction, closed
from core.risk.regime.book import RegimeBook
from core.risk.reloading import Change
from core.risk.scaling.book import SizingBook
from core.risk.scaling.contract import Conditions
from core.settings import Settings
from core.shadows import Shadow, Shadows
from core.staging.plans import Plans
from core.staging.stage import Stage
from core.strategies.house import OF_THE_HOUSE, Kinds
from core.strategies.orchestrator import Orchestrator

Fold = Callable[[datetime, Any], None]
Listener = Callable[[int, datetime, Fact], None]


class Holdings:
    """What strategies are told of the books and the stage."""

    def __init__(
        self,
        ledger: Ledger,
        stage: Stage,
        opening: Day,
        regime: RegimeBook,
        sizing: SizingBook,
        allocations: Allocations,
        advice: AdviceBook,
        evaluation: EvaluationBook,
    ) -> None:
        self.ledger, self.stage, self.opening, self.regime, self.sizing = ledger, stage, opening, regime, sizing
        self.allocations, self.advice, self.evaluation = allocations, advice, evaluation

    def held(self, symbol: Symbol, strategy: str) -> tuple[Quantity, Price | None]:
        position = self.ledger.position(symbol, strategy)
        return (position.quantity, position.average_price) if position else (Quantity(ZERO), None)

    def entered_at(self, symbol: Symbol, strategy: str) -> datetime | None:
        position = self.ledger.position(symbol, strategy)
        return position.opened_at if position else None

    def covered(self, symbol: Symbol, strategy: str) -> Quantity:
        return self.ledger.guarded(symbol, strategy)

    def entries_filled(self, strategy: str, day: date) -> int:
        return self.ledger.entries_filled(strategy, day)

    def entries_allowed(self, day: date) -> int:
        return self.regime.allowance(day).entries

    def is_waiting(self, symbol: Symbol, strategy: str) -> bool:
        return self.stage.entry_waits(symbol, strategy) or bool(self.ledger.working_entries(symbol, strategy))

    def queued(self) -> int:
        return queued_orders(self.ledger)

    def recommendation(self, symbol: Symbol, strategy: str) -> Recommendation | None:
        return self.advice.recommendation(strategy, symbol)

    def shut(self, strategy: str, at: datetime) -> Shut | None:
        return self.evaluation.shut(strategy, at)

    def opening_equity(self, day: date) -> Decimal | None:
        return self.opening.opening_equity(day)

    def conditions(self, symbol: Symbol, strategy: str, day: date, last: dict[Symbol, Price]) -> Conditions:
        """By facts alone, so that a rebuild sizes as the day did."""
        return gathered(
            symbol, strategy, self.sizing, self.ledger, self.opening_equity(day), last.get, self.allocations
        )

    def result_of(self, day: date, last: dict[Symbol, Price]) -> Decimal:
        return self.ledger.result_of(day, last)


class Desk:
    """Everything that the workflows read, and `record`.

    Attributes
    ----------
    capabilities
        Of its broker, said by whoever puts the desk together.
    """

    capabilities = EVERYTHING

    def __init__(  # noqa: PLR0915 - the list of what there is
        self, account: str, mode: Mode, calendar: Calendar, journal: Journal, kinds: Kinds = OF_THE_HOUSE
    ) -> None:
        self.account_name = AccountId(account)
        self.mode = mode
        self.calendar = calendar
        self.journal = journal
        self.at = datetime.min.replace(tzinfo=UTC)
        self.listeners: list[Listener] = []
        self.bar_listeners: list[Callable[[Bar], None]] = []
        self.news = News()
        self.control = Control()
        self.ledger = Ledger(calendar, journal.past)
        self.stage = Stage(calendar, self._is_working)
        self.plans = Plans(self.stage, self.ledger)
        self.ledger.is_still_told, self.ledger.named = self.plans.is_of_the_running, self.stage.named
        self.opening = Day()
        self.allocations = Allocations()
        self.protections = ProtectionBook(
            InForce(self.control, lambda settings: settings.risk.protections), business_days(calendar)
        )
        self.regime = RegimeBook(lambda: self.control.settings.risk)
        self.sizing = SizingBook(
            InForce(self.control, lambda settings: settings.risk.sizing), lambda: self.regime.regime
        )
        self.ledger.on_trade = self._hear_trade
        self.ledger.regime = lambda: labels_of(self.regime.regime)
        self.exits = ExitWatch(self.ledger)
        self.margin = MarginSamples()
        self.breaker = Breaker()
        self.latencies = Latencies(calendar.trading_day)
        self.tally = Tally(calendar.trading_day)
        self.advice = AdviceBook()
        self.evaluation = EvaluationBook(
            lambda: self.control.settings.evaluation, lambda: self.regime.regime, calendar.trading_day
        )
        self.normaliser = Normaliser(calendar)
        holdings = Holdings(
            self.ledger,
            self.stage,
            self.opening,
            self.regime,
            self.sizing,
            self.allocations,
            self.advice,
            self.evaluation,
        )
        self.orchestrator = Orchestrator(calendar, holdings, kinds)
        self.shadows = Shadows(calendar, self.control, self.stage, self.ledger, self._last_close)
        self.shadows.counts_for, self.shadows.on_end = self.protections.refuses_by_curve, self._hear_shadow
        self.faults = 0
        """How often something raised that nobody foresaw, in this run."""
        self.quotes: dict[Symbol, Quote] = {}
        self.instruments: dict[Symbol, Instrument] = {}
        self.lamps: dict[Line, Lamp] = {}
        self.departing = Departing()
        self.books_at: datetime | None = None
        self.books_are_wanted = False
        self.calls: tuple[tuple[str, int], ...] = ()
        self.held_by_the_broker: dict[Symbol, Quantity] | None = None
        self.differing: frozenset[Symbol] = frozenset()
        self.apart: dict[Symbol, Quantity] = {}  # by how much the broker had more than our books, where both have any
        self.gone: frozenset[Symbol] = frozenset()
        self.others: tuple[OrderReport, ...] = ()
        self.all_others: tuple[Other, ...] = ()
        self.foreign_positions: tuple[ForeignPosition, ...] = ()
        self.settings_file: Settings | SettingsFault | None = None
        self.file_changes: tuple[Change, ...] = ()
        self.account: Account | NoAccount = NoAccount("the broker has not said yet")
        self.folds = self._folds()

    def record(self, fact: Fact) -> None:
        """Write the fact, then fold it into the slices; of bars nobody hears before the strategies were asked."""
        if at_work() is not None:
            only_for_people("write the journal")
        sequence = self.journal.append(self.at, fact)
        self.news.note(fact)
        kind = type(fact)
        if kind is not BarClosed and self.orchestrator.has_unasked:
            self.orchestrator.keep_unasked()
        for fold in self.folds.get(kind, self._only_after):
            fold(self.at, fact)
        if kind is BarClosed:
            return
        if self.orchestrator.has_steps:
            self.orchestrator.catch_up()
        for listener in self.listeners:
            listener(sequence, self.at, fact)

    def fold(self, at: datetime, fact: Fact) -> None:
        """Let each slice take the fact in: a rebuild, after which the strategies catch up."""
        for fold in self.folds.get(type(fact), self._only_after):
            fold(at, fact)

    def order_of(self, report: OrderReport) -> Order | None:
        """Our order that a report tells of. One that left memory is taken up again, where the report has news of it."""
        order = self.ledger.order(report.client_order_id)
        if order is not None or (past := self.ledger.forgotten(report.client_order_id)) is None:
            return order
        if has_news(report, past):
            self.record(OrdersRecalled(self.ledger.family(report.client_order_id)))
        return self.ledger.order(report.client_order_id)

    def hear_of_other(self, report: OrderReport) -> None:
        """The stream's word on an order that is not this desk's; the books say the rest (EX-09)."""
        name = report.broker_order_id
        self.others = tuple(order for order in self.others if order.broker_order_id != name)
        self.all_others = tuple(other for other in self.all_others if other.broker_order_id != name)
        if report.status is None or report.status.is_working:
            self.others = (*self.others, report)
            self.all_others = (*self.all_others, other_of(report, self.ledger))

    def figures_for(self, at: datetime, symbol: Symbol, fresh: FreshFigures | None) -> ReviewContext:
        """What a review looks at: the fresh figures where they were fetched, else the last sightings."""
        day = self.calendar.trading_day(at)
        return ReviewContext(
            at=at,
            settings=self.control.settings,
            mode=self.mode,
            day=day,
            session=self.calendar.session_at(at),
            control=self.control,
            ledger=self.ledger,
            opening=self.opening,
            breaker=self.breaker,
            account=fresh.account if fresh else self.account,
            quote=fresh.quote if fresh else self.quotes.get(symbol) or NoQuote("none seen yet; asked at the ticket"),
            instrument=fresh.instrument if fresh else self.instrument(symbol),
            broker_time=fresh.broker_time if fresh and isinstance(fresh.broker_time, datetime) else None,
            is_fresh=fresh is not None,
            protections=self.protections,
            session_of_day=self.calendar.session_on(day),
            others=self.others,
            regime=self.regime.regime,
            sizing=self.sizing,
            last=self._last_known,
            instruments=self.instruments,
            prices=self.last_price,
            allocations=self.allocations,
            signed=self.signed_entries,
            halted=self.normaliser.state.halted,
            capabilities=self.capabilities,
        )

    def signed_entries(self, strategy: str) -> tuple[ClientOrderId, ...]:
        """Its entries whose key was turned, with a plan or on a ticket, and that were not sent yet (RK-12)."""
        if self.plans.running is None and not self.stage.state.confirmations:
            return ()
        signed = (*self.plans.entries_to_come(strategy), *self.stage.entries_confirmed(strategy))
        return tuple(dict.fromkeys(signed))

    def read_only_refusal(self, order: OrderRequest) -> str | None:
        """Why a read-only desk lets this exit not pass: only a close of what the broker itself reports does (EX-09)."""
        if self.control.state.is_reconciled:
            return None
        if self.held_by_the_broker is None:
            return "read-only: the broker has not said yet what it holds; it is asked again"
        held = self._reported(order.symbol)
        closable = self.closable_read_only(order.symbol, order.side)
        if closable and order.quantity <= closable:
            return None
        way_out = "; e in Proposals makes it less" if closable else ""
        return f"read-only: the broker reports {plain(held)} {order.symbol}, and only a close of that passes{way_out}"

    @property
    def drifted(self) -> dict[Symbol, Quantity]:
        """What the broker has of those symbols: its number of the last comparison, and what was filled since."""
        told = {symbol: Quantity(self.ledger.net_quantity(symbol) + more) for symbol, more in self.apart.items()}
        return {symbol: theirs for symbol, theirs in told.items() if theirs * self.ledger.net_quantity(symbol) > 0}

    @property
    def told_at_a_kill(self) -> dict[Symbol, Quantity]:
        """What the broker's books have of a symbol where ours have more, nothing included: what could open by them
        counts as what opens (OP-07).
        """
        return {**self.drifted, **dict.fromkeys(self.gone, NO_SHARES)}

    def closable_read_only(self, symbol: Symbol, side: Side) -> Quantity | None:
        """Shares that the broker reports and an exit on this side would close; None where the desk is not read-only."""
        if self.control.state.is_reconciled or self.held_by_the_broker is None:
            return None
        held = self._reported(symbol)
        return Quantity(max(held if side is Side.SELL else -held, ZERO))

    def _reported(self, symbol: Symbol) -> Quantity:
        """What the broker says that it holds: its last books, and where ours agreed with them, its fills since."""
        if symbol in self.differing:
            return (self.held_by_the_broker or {}).get(symbol, Quantity(ZERO))
        return self.ledger.net_quantity(symbol)

    def last_price(self, symbol: Symbol) -> tuple[datetime, Price] | None:
        """The newer of the last bar's close and the middle of the last quote, with its time; None where neither is."""
        mark, bar = self.orchestrator.state.marks.get(symbol), self.normaliser.state.last_starts.get(symbol)
        prices = [(bar + ONE_MINUTE, mark)] if mark is not None and bar is not None else []
        if quote := self.quotes.get(symbol):
            prices.append((quote.at, quote.mid))
        return max(prices, default=None)

    def _last_known(self, symbol: Symbol) -> Price | None:
        found = self.last_price(symbol)
        return None if found is None else found[1]

    @property
    def equity_of_today(self) -> Decimal | None:
        """USD at the day's opening; None where it is not known yet."""
        return self.opening.opening_equity(self.calendar.trading_day(self.at))

    def instrument(self, symbol: Symbol) -> Instrument | NoInstrument:
        return self.instruments.get(symbol) or NoInstrument("the broker has not said yet whether it trades")

    def _is_working(self, order_id: ClientOrderId) -> bool:
        order = self.ledger.order(order_id)
        return order is not None and order.is_working

    def _last_close(self, symbol: Symbol) -> Price | None:
        return self.orchestrator.state.marks.get(symbol)

    def _folds(self) -> dict[type, tuple[Fold, ...]]:
        table: dict[type, list[Fold]] = {}
        slices: tuple[Mapping[Any, Any], ...] = (
            self.shadows.folds,  # before the stage forgets what ended
            self.control.folds,
            self.ledger.folds,
            self.exits.folds,
            self.stage.folds,
            self.opening.folds,
            self.allocations.folds,
            self.protections.folds,
            self.regime.folds,
            self.sizing.folds,
            self.margin.folds,
            self.breaker.folds,
            self.latencies.folds,
            self.tally.folds,
            self.advice.folds,
            self.evaluation.folds,
            self.plans.folds,
        )
        for folds in slices:
            for kind, fold in folds.items():
                table.setdefault(kind, []).append(fold)
        for kind in (*table,):
            table[kind].append(self._after)
        for kind, fold in self.orchestrator.folds.items():
            table.setdefault(kind, []).append(fold)
        table[BarClosed].insert(0, self._fold_bar)
        table[HistoryTaken].insert(0, self._fold_history)
        table[TradingHalted] = [lambda _at, fact: self.normaliser.fold_halt(fact.halt), self._after]
        table[TradingResumed] = [lambda _at, fact: self.normaliser.fold_resumption(fact.symbol), self._after]
        table[PastTaken] = [self._fold_past, self._after]
        table[MarketDataQuarantined] = [self._fold_quarantine]
        self._only_after: tuple[Fold, ...] = ()
        return {kind: tuple(folds) for kind, folds in table.items()}

    def _after(self, _at: datetime, fact: Fact) -> None:
        self.orchestrator.after(fact)

    def _hear_trade(self, trade: Trade, is_long: bool) -> None:
        """In the fold of its last fill: a rebuild hears it as the day did."""
        over = closed(trade, Direction.LONG if is_long else Direction.SHORT)
        self.protections.take(over)
        self.sizing.take(over)
        if trade.strategy not in NO_STRATEGY:
            self.evaluation.take(trade)

    def _hear_shadow(self, shadow: Shadow, at: datetime) -> None:
        """What the equity curve refused has ended (RK-13)."""
        if (trade := shadow.as_trade(at)) is not None:
            self.protections.take_shadow(trade)

    def _fold_bar(self, _at: datetime, fact: BarClosed) -> None:
        bar = fact.bar
        self.normaliser.fold(bar)
        self.protections.take_bar(bar, self.calendar.trading_day(bar.start))
        self.sizing.take_bar(bar)
        if self.ledger.state.positions:
            self.exits.take_bar(bar)
        if self.shadows.following:
            self.shadows.take(bar)

    def _fold_history(self, _at: datetime, fact: HistoryTaken) -> None:
        """What measures the market's moves goes on as if it had heard these bars, as strategies do."""
        day_of = self.calendar.trading_day
        self.protections.take_history(fact.symbol, [(day_of(bar.start), bar) for bar in fact.bars])
        self.sizing.take_history(fact.symbol, fact.bars)

    def _fold_past(self, _at: datetime, fact: PastTaken) -> None:
        """Before the first bar of today the measures of seasons stand on the broker's history."""
        day_of, past = self.calendar.trading_day, fact.past
        self.protections.take_past(past, [(day_of(bar.start), bar) for bar in past.minutes])
        self.sizing.take_past(past)

    def _fold_quarantine(self, _at: datetime, _fact: MarketDataQuarantined) -> None:
        self.normaliser.fold_quarantine()
