"""The slices: each owns one part of the state, and all are in one list.

A slice has a name (of its document), a state, the facts that it folds, and a way to restore a saved state. Other slices
that it needs are passed at its construction, directly or as a read-only query; a consequence of another slice's fold is
a fold of the same fact, later in the list. Nothing is assigned to a slice after that.

A new slice is a class and a line in `Slices`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import field, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from core.agents.draft_book import DraftBook
from core.execution.breaker import Breaker, RefusalCounts
from core.execution.fee_days import FeeDays
from core.execution.latency import Latencies
from core.execution.ledger import Ledger
from core.exit_rules import ExitWatch
from core.facts import (
    AlertDropped,
    AlertKept,
    AlertRang,
    BarClosed,
    CorporateActionApplied,
    Fact,
    OrderFilled,
    WatchlistKept,
)
from core.market.normaliser import Normaliser
from core.model.alert import EVENTS, Alert, AlertKind
from core.model.instrument import Instrument
from core.model.lazy_dataclass import dataclass
from core.model.news import IN_ALL
from core.model.position import Ended
from core.model.recommendation import Recommendation
from core.model.session import HOME, Calendar
from core.model.sizing import Regime, RegimeLabels, labels_of
from core.model.values import ZERO, ClientOrderId, Money, Price, Quantity, Symbol
from core.ports import PastIndex
from core.risk.capital_allocation import Allocations
from core.risk.checks.desk_state import queued_orders
from core.risk.day import Day
from core.risk.exposure import DayValue
from core.risk.margin import MarginSamples
from core.risk.message_counts import MessageCounts
from core.risk.price_history import PriceHistory, Volumes
from core.risk.protections.closed_trades import ClosedTrade
from core.risk.protections.drawdown import NO_STRATEGY
from core.risk.protections.frequency import business_days
from core.risk.protections.protection import Scope
from core.risk.protections.protection_registry import ProtectionBook
from core.risk.recent_entries import RecentEntries
from core.risk.regime import RegimeBook
from core.risk.shadow_trades import ShadowTrades
from core.risk.sizing import Conditions
from core.risk.sizing_history import SizingBook
from core.risk.sizing_inputs import gathered
from core.risk.strategy_evaluation import EvaluationBook, Suspension
from core.risk.strategy_limits import entries_a_day
from core.risk.thesis_book import ThesisBook
from core.risk.trading_status import DiskFailure, InForce, SymbolLists, TradingStatus
from core.settings.settings import Settings
from core.staging.baskets import Baskets
from core.staging.stage import Stage
from core.strategies.builtin import StrategyKinds
from core.strategies.orchestrator import Orchestrator
from core.trading_state.account_block import AccountBlock
from core.trading_state.account_history import Activities, AdviceBook, DayResults
from core.trading_state.announced_sessions import AnnouncedSessions
from core.trading_state.desks import Attendance, Desks
from core.trading_state.notifications import Notifications
from core.trading_state.owed_stops import OwedStops
from core.trading_state.splits import Splits
from core.trading_state.touch_keys import TouchKeys

# ── watchlists and alerts ────────────────────────────────────────────────────────────────────────────────────────────
# The slices of watchlists and alerts, and the known prices of watched symbols (MD-06).


@dataclass(slots=True)
class WatchlistsState:
    """`lists` in the order of their creation; `filed` are those that equal their file."""

    lists: dict[str, tuple[Symbol, ...]] = field(default_factory=dict)
    filed: tuple[str, ...] = ()


class Watchlists:
    name = "watchlists"

    def __init__(self) -> None:
        self.state = WatchlistsState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {WatchlistKept: self._kept}

    def restore(self, state: WatchlistsState) -> None:
        self.state = state

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The symbols of all lists, each once."""
        return tuple(dict.fromkeys(symbol for symbols in self.state.lists.values() for symbol in symbols))

    def _kept(self, _at: datetime, fact: WatchlistKept) -> None:
        others = tuple(name for name in self.state.filed if name != fact.name)
        self.state.filed = (*others, fact.name) if fact.is_filed and fact.symbols else others
        if fact.symbols:
            self.state.lists[fact.name] = fact.symbols
        else:
            self.state.lists.pop(fact.name, None)


NONE: tuple[Alert, ...] = ()
ARTICLES = 2 * IN_ALL
"""Articles that are remembered: more than are known at once."""


@dataclass(slots=True)
class AlertsState:
    """`last` is the last number given; `rung` counts triggered alerts; `kept_at` is when each was set, if known.

    `articles` are the last ones that an alert was about; `news_at` is when each alert on news last triggered.
    """

    kept: dict[int, Alert] = field(default_factory=dict)
    last: int = 0
    rung: int = 0
    kept_at: dict[int, datetime] = field(default_factory=dict)
    articles: tuple[str, ...] = ()
    news_at: dict[int, datetime] = field(default_factory=dict)


class Alerts:
    name = "alerts"

    def __init__(self) -> None:
        self.state = AlertsState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            AlertKept: self._kept,
            AlertDropped: self._dropped,
            AlertRang: self._rang,
            CorporateActionApplied: self._split,
        }
        self._by_symbol: dict[Symbol, tuple[Alert, ...]] = {}

    def restore(self, state: AlertsState) -> None:
        self.state = state
        self._sort()

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """Each symbol once, in the order of their first alert."""
        return tuple(self._by_symbol)

    def of(self, symbol: Symbol) -> tuple[Alert, ...]:
        return self._by_symbol.get(symbol, NONE)

    def _sort(self) -> None:
        self._by_symbol = {}
        for alert in self.state.kept.values():
            self._by_symbol[alert.terms.symbol] = (*self.of(alert.terms.symbol), alert)

    def _kept(self, at: datetime, fact: AlertKept) -> None:
        self.state.kept[fact.alert.number] = fact.alert
        self.state.kept_at[fact.alert.number] = at
        self.state.last = max(self.state.last, fact.alert.number)
        self._sort()

    def _dropped(self, _at: datetime, fact: AlertDropped) -> None:
        self.state.kept.pop(fact.alert.number, None)
        self.state.kept_at.pop(fact.alert.number, None)
        self.state.news_at.pop(fact.alert.number, None)
        self._sort()

    def _split(self, _at: datetime, fact: CorporateActionApplied) -> None:
        """Count the levels per share of today, of a price and of a volume, under its symbol (MD-09).

        Not those that were set on a later day than that of a dividend, which may be announced anew.
        """
        set_at = self.state.kept_at
        for before in self.of(fact.symbol) if fact.moves_levels else ():
            at = set_at.get(before.number)
            if fact.is_dividend and at is not None and HOME.day_of(at) > fact.day:
                continue
            alert = replace(before, terms=replace(before.terms, symbol=fact.symbol_now))
            self.state.kept[alert.number] = alert
            level, kind = alert.terms.level, alert.terms.kind
            if level is not None and kind in (AlertKind.PRICE, AlertKind.VOLUME):
                now = (fact.rescaling.price if kind is AlertKind.PRICE else fact.rescaling.shares)(level)
                self.state.kept[alert.number] = replace(alert, terms=replace(alert.terms, level=now))
        self._sort()

    def _rang(self, at: datetime, fact: AlertRang) -> None:
        self.state.rung += 1
        if fact.articles:
            self.state.articles = (*self.state.articles, *fact.articles)[-ARTICLES:]
            self.state.news_at[fact.alert.number] = at
        if fact.alert.terms.kind not in EVENTS:
            self.state.kept.pop(fact.alert.number, None)
            self.state.kept_at.pop(fact.alert.number, None)
            self._sort()


# ── what strategies ask ──────────────────────────────────────────────────────────────────────────────────────────────
# The strategies' view of books and stage: queries to slices that they cannot access.


class Holdings:
    """Answers from facts alone."""

    def __init__(
        self,
        ledger: Ledger,
        exits: ExitWatch,
        stage: Stage,
        opening: Day,
        regime: RegimeBook,
        sizing: SizingBook,
        allocations: Allocations,
        advice: AdviceBook,
        evaluation: EvaluationBook,
        settings: Callable[[], Settings],
    ) -> None:
        self.settings = settings
        self.ledger, self.exits, self.stage, self.opening = ledger, exits, stage, opening
        self.regime, self.sizing = regime, sizing
        self.allocations, self.advice, self.evaluation = allocations, advice, evaluation

    def held(self, symbol: Symbol, strategy: str) -> tuple[Quantity, Price | None]:
        position = self.ledger.position(symbol, strategy)
        return (position.quantity, position.average_price) if position else (Quantity(ZERO), None)

    def entered_at(self, symbol: Symbol, strategy: str) -> datetime | None:
        position = self.ledger.position(symbol, strategy)
        return position.opened_at if position else None

    def covered(self, symbol: Symbol, strategy: str) -> Quantity:
        return self.ledger.exits.guarded(symbol, strategy)

    def entries_filled(self, strategy: str, day: date) -> int:
        return self.ledger.entries_filled(strategy, day)

    def entries_allowed(self, day: date, strategy: str) -> int:
        return entries_a_day(self.settings(), strategy, self.regime.allowance(day).entries)

    def is_waiting(self, symbol: Symbol, strategy: str) -> bool:
        return self.stage.entry_waits(symbol, strategy) or bool(self.ledger.working_entries(symbol, strategy))

    def queued(self) -> int:
        return queued_orders(self.ledger)

    def recommendation(self, symbol: Symbol, strategy: str) -> Recommendation | None:
        return self.advice.recommendation(strategy, symbol)

    def shut(self, strategy: str, at: datetime) -> Suspension | None:
        return self.evaluation.shut(strategy, at)

    def opening_equity(self, day: date) -> Decimal | None:
        return self.opening.opening_equity(day)

    def conditions(self, symbol: Symbol, strategy: str, day: date, last: dict[Symbol, Price]) -> Conditions:
        """Return sizing conditions from facts alone, so that a rebuild sizes as on the day."""
        equity, stop = self.opening_equity(day), self.exits.desk_stop
        return gathered(symbol, strategy, self.sizing, self.ledger, equity, last.get, stop, self.allocations)

    def result_of(self, day: date, last: dict[Symbol, Price]) -> Decimal:
        return self.ledger.result_of(day, last)

    def result_of_strategy(self, strategy: str, day: date, last: dict[Symbol, Price]) -> Decimal | None:
        return self.ledger.result_of_strategy(strategy, day, last)


# ── all slices ───────────────────────────────────────────────────────────────────────────────────────────────────────

Fold = Callable[[datetime, Any], None]


class Slice(Protocol):
    """One part of the state.

    Attributes
    ----------
    name
        The name of its document.
    state
        A dataclass, saved in checkpoints: everything else in the slice is derived from it.
    folds
        The fold of each fact. A fold under `Fact` itself runs for all facts that an earlier slice folds, except for
        bars; a fold of the specific fact runs before it.
    """

    @property
    def name(self) -> str: ...

    @property
    def state(self) -> Any: ...

    @property
    def folds(self) -> Mapping[Any, Any]: ...

    def restore(self, state: Any) -> None:
        """Restore a saved state, of the type of `state`."""
        ...


One = TypeVar("One", bound=Slice)


FEES_KEPT = timedelta(days=600)
"""More than the days whose results are kept: their equities change by a late fee."""


class Slices:
    """The list. Each line constructs a slice with its dependencies; they fold in the order of the lines."""

    def __init__(
        self, calendar: Calendar, past: PastIndex, disk: DiskFailure, kinds: StrategyKinds, further: Iterable[Slice]
    ) -> None:
        self.calendar = calendar = deepcopy(calendar)  # what is announced to this desk is of no other
        self.slices: list[Slice] = []
        add, day_of = self._add, calendar.trading_day
        self.announced = add(AnnouncedSessions(calendar))
        self.splits = add(Splits(calendar.trading_day))
        self.control = add(TradingStatus(disk))
        self.desks = add(Desks(lambda: timedelta(seconds=float(self.control.settings.attendance.key_seconds))))
        self.normaliser = add(Normaliser(calendar))
        told, named = self._is_of_the_running, self._named
        self.ledger = add(Ledger(calendar, past, regime=self._labels, is_still_told=told, named=named))
        self.exits = add(ExitWatch(self.ledger))
        self.stage = add(Stage(calendar, self.ledger.is_working))
        self.shadows = add(
            ShadowTrades(calendar, self.control, self.stage, self.ledger, self._last_close, self._refuses_by_curve)
        )
        self.fee_days = add(FeeDays(calendar.session_on, calendar.venue, FEES_KEPT))
        self.opening = add(Day(self.fee_days.owed_at))
        self.day_value = add(DayValue(self._opens, day_of))
        self.allocations = add(Allocations())
        terms = InForce(self.control, lambda settings: settings.risk.protections)
        self.protections = add(
            ProtectionBook(
                terms, business_days(calendar), calendar.venue, self._ended, lambda: self.shadows.ended, self._entered
            )
        )
        self.regime = add(RegimeBook(lambda: self.control.settings.risk))
        sizing = InForce(self.control, lambda settings: settings.risk.sizing)
        self.sizing = add(SizingBook(sizing, self._measured, day_of, self._ended))
        self.margin = add(MarginSamples())
        self.price_history = add(PriceHistory())
        self.volumes = add(Volumes())
        self.breaker = add(Breaker())
        self.messages = add(MessageCounts(day_of))
        self.recent = add(RecentEntries())
        self.lists = add(SymbolLists())
        self.latencies = add(Latencies(day_of))
        self.tally = add(RefusalCounts(day_of))
        self.advice = add(AdviceBook())
        self.drafts = add(DraftBook())
        self.evaluation = add(
            EvaluationBook(lambda: self.control.settings.evaluation, self._measured, day_of, self._ended_of_a_strategy)
        )
        self.theses = add(ThesisBook(day_of, lambda: self.shadows.state.outcomes))
        self.account_block = add(AccountBlock(self.ledger))
        self.owed_stops = add(OwedStops(self.ledger, self.stage, self.control, self.account_block))
        self.plans = add(Baskets(self.stage, self.ledger))
        self.attendance = add(Attendance(self.desks, self.ledger.order))
        self.watchlists = add(Watchlists())
        self.alerts = add(Alerts())
        self.results = add(DayResults(day_of, self._realised, self._filled_on, self._clock))
        self.notifications = add(Notifications(day_of, self.ledger, self.stage))
        self.activities = add(Activities(self.ledger, day_of))
        self.touch_keys = add(TouchKeys())
        for each in further:
            add(each)
        self.orchestrator = add(Orchestrator(calendar, self._holdings(), kinds, lambda: self.control.settings))

    def _add(self, one: One) -> One:
        self.slices.append(one)
        return one

    def _holdings(self) -> Holdings:
        return Holdings(
            self.ledger,
            self.exits,
            self.stage,
            self.opening,
            self.regime,
            self.sizing,
            self.allocations,
            self.advice,
            self.evaluation,
            lambda: self.control.settings,
        )

    # ── queries between slices that may be constructed later ──────────────────────────────────────────────────────────

    def _ended(self) -> Ended | None:
        return self.ledger.book.ended

    def _realised(self, fact: OrderFilled) -> tuple[str, str, Money]:
        order = self.ledger.order(fact.fill.client_order_id)
        strategy, symbol = ("", "") if order is None else (order.strategy, order.request.symbol)
        return strategy, symbol, self.ledger.book.realised

    def _clock(self, at: datetime) -> time:
        return self.calendar.venue.local(at).time()

    def _filled_on(self, order_id: ClientOrderId) -> date | None:
        order = self.ledger.order(order_id)
        return None if order is None else order.last_filled_on

    def _entered(self, fact: OrderFilled) -> Scope | None:
        """Return the scope of the entry whose first fill this is; orders that replaced each other are one entry."""
        order = self.ledger.order(fact.fill.client_order_id)
        if order is None or order.only_reduces or order.filled_quantity > fact.fill.quantity:
            return None
        if any(other.filled_quantity for other in self.ledger.chains.line(order)):
            return None
        return Scope(symbol=order.request.symbol, strategy=order.strategy)

    def _ended_of_a_strategy(self) -> Ended | None:
        """Return the ended trade of a strategy: others are not evaluated."""
        over = self.ledger.book.ended
        return None if over is None or over.trade.strategy in NO_STRATEGY else over

    def _measured(self) -> Regime:
        return self.regime.regime

    def _labels(self) -> RegimeLabels | None:
        return labels_of(self.regime.regime)

    def _is_of_the_running(self, order_id: ClientOrderId) -> bool:
        return self.plans.is_of_the_running(order_id)

    def _opens(self, order_id: ClientOrderId) -> Instrument | None:
        order = self.ledger.order(order_id)
        return None if order is None or order.only_reduces else order.request.instrument

    def _named(self, at: datetime) -> set[ClientOrderId]:
        return self.stage.named(at)

    def _last_close(self, symbol: Symbol) -> Price | None:
        return self.orchestrator.state.marks.get(symbol)

    def _refuses_by_curve(self, strategy: str, ended: Sequence[ClosedTrade]) -> bool:
        return self.protections.refuses_by_curve(strategy, ended)


def named_folds(slices: Iterable[Slice]) -> dict[type, tuple[tuple[str, Fold], ...]]:
    """Return, by fact, the slices' names and folds in order."""
    table: dict[type, list[tuple[str, Fold]]] = {}
    for each in slices:
        own = each.folds
        if (every := own.get(Fact)) is not None:
            for kind, folds in table.items():
                if kind not in own and kind is not BarClosed:
                    folds.append((each.name, every))
        for kind, fold in own.items():
            if kind is not Fact:
                table.setdefault(kind, []).append((each.name, fold))
    return {kind: tuple(folds) for kind, folds in table.items()}


def table_of(slices: Iterable[Slice]) -> dict[type, tuple[Fold, ...]]:
    """Return the same without the names, for folding."""
    return {kind: tuple([fold for _, fold in folds]) for kind, folds in named_folds(slices).items()}
