"""The desk's state: its slices, its sightings, the queue of followed facts, and `record`.

`record(fact)` appends to the journal and then lets each slice fold the fact. All other inputs of decisions are
sightings (`core/trading_state/sightings.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from core.execution.external_orders import other_of, stopped_by_others
from core.execution.order import Order, has_news
from core.facts import BarClosed, Fact, OrdersRecalled
from core.messages.effects import Effect
from core.model.account import Mode
from core.model.bar import ONE_MINUTE, Bar, NoQuote
from core.model.broker import FreshFigures, OrderReport
from core.model.codes import OwedReason
from core.model.instrument import BrokerInstrument, Instrument, NoInstrument, share
from core.model.order import OrderRequest, Side
from core.model.reference_data import MOVES, CorporateAction
from core.model.session import HOME, Calendar
from core.model.values import NO_MONEY, NO_SHARES, ZERO, AccountId, ClientOrderId, Money, Price, Quantity, Symbol, plain
from core.ports import Journal
from core.risk.gate import ReviewContext, StrategyLoss
from core.strategies.builtin import OF_THE_HOUSE, StrategyKinds
from core.trading_state.owed_stops import Owing
from core.trading_state.sightings import Sightings
from core.trading_state.slices import Slice, Slices, table_of
from core.trading_state.splits import OF_ONE_SPLIT
from core.trading_state.watermark import Highs

T = TypeVar("T")
Follower = Callable[[Any], Iterable[Effect] | None]


Followers = Callable[[type], tuple[Follower, ...]]
"""The followers of a kind of fact, in the engine's order."""


def nobody(_kind: type) -> tuple[Follower, ...]:
    """Return no followers, for a desk without an engine."""
    return ()


def noted_by_nobody(_fact: Fact) -> None:
    """Note nothing, for a desk without an engine."""


class FactQueue:
    """Recorded facts whose followers have not run yet."""

    def __init__(self, followers: Followers = nobody) -> None:
        self._followers = followers
        self._news: list[Fact] = []

    def note(self, fact: Fact) -> None:
        """Queue a recorded fact, also if a slice fails to fold it."""
        if self._followers(type(fact)):
            self._news.append(fact)

    def take(self, only: type | None = None) -> list[tuple[Follower, Fact]]:
        """Return the followers of the queued facts, in order; with `only` those of one kind."""
        if not self._news:
            return []
        taken = [fact for fact in self._news if only is None or type(fact) is only]
        self._news = [fact for fact in self._news if only is not None and type(fact) is not only]
        return [(follower, fact) for fact in taken for follower in self._followers(type(fact))]

    @property
    def has_news(self) -> bool:
        return bool(self._news)

    def drop(self) -> None:
        """Clear the queue: nothing can be recorded any more."""
        self._news.clear()


Listener = Callable[[int, datetime, Fact], None]
BarListener = Callable[[Bar], None]


SETTLED_WITHIN = timedelta(minutes=5)
"""After an exit was lost its fill is told, the books are corrected, or a person looks."""
OF_NOW = timedelta(seconds=15)
"""An older quote says nothing about the current moment."""


class TradingState(Slices):
    """Everything that the workflows read, and `record`.

    Parameters
    ----------
    further
        Slices besides those of the list, folded after them.
    followers
        Returns the followers of a kind of fact; called when it is recorded.
    note
        Called with each recorded fact except bars, before its fold, which may raise.
    """

    def __init__(
        self,
        account: str,
        mode: Mode,
        calendar: Calendar,
        journal: Journal,
        kinds: StrategyKinds = OF_THE_HOUSE,
        further: Iterable[Slice] = (),
        followers: Followers = nobody,
        note: Callable[[Fact], None] = noted_by_nobody,
    ) -> None:
        self.sightings = Sightings()
        self.highs = Highs()
        super().__init__(calendar, journal.past, self.sightings.disk, kinds, further)
        self.account_name = AccountId(account)
        self.mode = mode
        self.journal = journal
        self.at = datetime.min.replace(tzinfo=UTC)
        self._listeners: list[Listener] = []
        self._note = note
        self._bar_listeners: list[BarListener] = []
        self._watchers: list[BarListener] = []
        self.news = FactQueue(followers)
        self.folds = table_of(self.slices)
        self._known: dict[Hashable, Any] = {}
        self._known_over_bars: dict[Hashable, Any] = {}

    def of_records(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return a value that depends on recorded facts alone; compute it once between two facts."""
        if key not in self._known:
            self._known[key] = compute()
        found: T = self._known[key]
        return found

    def of_all_but_bars(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return a value that depends on recorded facts other than bars; compute it once between two of them."""
        if key not in self._known_over_bars:
            self._known_over_bars[key] = compute()
        found: T = self._known_over_bars[key]
        return found

    def record(self, fact: Fact) -> None:
        """Record the fact, then fold it into the slices.

        Listeners of a bar are called only after the strategies answered.
        """
        sequence = self.journal.append(self.at, fact)
        self.news.note(fact)
        kind = type(fact)
        if kind is not BarClosed:
            self._note(fact)
            if self.orchestrator.has_unasked:
                self.orchestrator.keep_unasked()
        self.fold(self.at, fact)
        if kind is BarClosed:
            return
        if self.orchestrator.has_steps:
            self.orchestrator.catch_up()
        for listener in self._listeners:
            listener(sequence, self.at, fact)

    def add_listener(self, listener: Listener) -> None:
        """Add a listener for each folded fact, except for bars. It displays, counts or forwards.

        Decisions on a fact belong in a workflow that follows it.
        """
        self._listeners.append(listener)

    def remove_listener(self, listener: Listener) -> None:
        self._listeners.remove(listener)

    def add_bar_listener(self, listener: BarListener) -> None:
        """Add a listener for each bar, called after the strategies answered it."""
        self._bar_listeners.append(listener)

    def tell_bar(self, bar: Bar) -> None:
        for listener in self._bar_listeners:
            listener(bar)

    def add_watcher(self, listener: BarListener) -> None:
        """Add a listener for each bar of a symbol that is only watched, for display."""
        self._watchers.append(listener)

    def tell_watched_bar(self, bar: Bar) -> None:
        for listener in self._watchers:
            listener(bar)

    def fold(self, at: datetime, fact: Fact) -> None:
        """Fold the fact into each slice. After a rebuild the strategies catch up."""
        try:
            for fold in self.folds.get(type(fact), ()):
                fold(at, fact)
        finally:
            if self._known:
                self._known.clear()
            if self._known_over_bars and type(fact) is not BarClosed:
                self._known_over_bars.clear()

    def order_of(self, report: OrderReport) -> Order | None:
        """Return our order of a report. An order that left memory is recalled if the report has news of it."""
        order = self.ledger.order(report.client_order_id)
        if order is not None or (past := self.ledger.retention.forgotten(report.client_order_id)) is None:
            return order
        if has_news(report, past):
            self.record(OrdersRecalled(self.ledger.retention.family(report.client_order_id)))
        return self.ledger.order(report.client_order_id)

    def hear_of_other(self, report: OrderReport) -> None:
        """Note a stream report on an order that is not this desk's; the broker's books give the rest (EX-09)."""
        name = report.broker_order_id
        self.sightings.others = tuple(order for order in self.sightings.others if order.broker_order_id != name)
        self.sightings.all_others = tuple(other for other in self.sightings.all_others if other.broker_order_id != name)
        if report.status is None or report.status.is_working:
            self.sightings.others = (*self.sightings.others, report)
            self.sightings.all_others = (*self.sightings.all_others, other_of(report, self.ledger))

    def unfollowed_splits(self, symbol: Symbol) -> tuple[tuple[date, Decimal], ...]:
        """Return the day and the ratio of each announced split of these days that our books have not followed."""
        today, tolerance = self.calendar.trading_day(self.at), self.control.settings.reconciliation.split_tolerance
        return tuple(
            (each.ex_date, ratio)
            for each in self.sightings.corporate_actions.get(symbol, ())
            if (ratio := each.split_ratio) is not None
            and abs(each.ex_date - today) <= OF_ONE_SPLIT
            and not self.splits.is_known(symbol, each.ex_date, ratio, tolerance)
        )

    def announced_moves(self, symbol: Symbol) -> tuple[CorporateAction, ...]:
        """Return the announced renames, mergers and removals of these days."""
        today, announced = self.calendar.trading_day(self.at), self.sightings.corporate_actions.get(symbol, ())
        return tuple(each for each in announced if each.kind in MOVES and abs(each.ex_date - today) <= OF_ONE_SPLIT)

    def why_owed(self, owing: Owing) -> OwedReason:
        """Return why these shares are owed a stop: by the broker's list, one placed elsewhere may protect them (EX-13).

        Before the first list of a run, what was told of the run before stands.
        """
        if owing.why not in (OwedReason.DUE, OwedReason.TAKEN_ELSEWHERE):
            return owing.why
        if self.sightings.books_at is None and owing.told is OwedReason.HELD_ELSEWHERE:
            return OwedReason.HELD_ELSEWHERE
        owed = sum((each.quantity for each in self.owed_stops.all() if each.symbol == owing.symbol), ZERO)
        return OwedReason.HELD_ELSEWHERE if self.stopped_elsewhere(owing.symbol) >= owed else owing.why

    def stopped_elsewhere(self, symbol: Symbol) -> Quantity:
        """Return the shares of a symbol for which the broker lists stops that this desk did not place."""
        side = Side.SELL if self.ledger.net_quantity(symbol) > 0 else Side.BUY
        return stopped_by_others(self.sightings.others, symbol, side)

    def figures_for(self, at: datetime, symbol: Symbol, fresh: FreshFigures | None) -> ReviewContext:
        """Return the context of a review: the fresh figures if fetched, otherwise the last sightings."""
        day = self.calendar.trading_day(at)
        return ReviewContext(
            at=at,
            settings=self.control.settings,
            mode=self.mode,
            venue=self.calendar.venue,
            day=day,
            session=self.calendar.session_at(at),
            control=self.control,
            ledger=self.ledger,
            opening=self.opening,
            breaker=self.breaker,
            account=fresh.account if fresh else self.sightings.account,
            quote=fresh.quote
            if fresh
            else self.sightings.quotes.get(symbol) or NoQuote("none seen yet; asked at the ticket"),
            instrument=fresh.instrument if fresh else self.instrument(symbol),
            broker_time=fresh.broker_time if fresh and isinstance(fresh.broker_time, datetime) else None,
            is_fresh=fresh is not None,
            protections=self.protections,
            session_of_day=self.calendar.session_on(day),
            others=self.sightings.others,
            differing=self.sightings.differing | self.sightings.disputed,
            regime=self.regime.regime,
            sizing=self.sizing,
            last=self._last_known,
            desk_stop=self.exits.desk_stop,
            instruments=self.sightings.instruments,
            prices=self.last_price,
            allocations=self.allocations,
            signed=self.signed_entries,
            price_history=self.price_history,
            volumes=self.volumes,
            day_value=self.day_value.state,
            confirmed=self.confirmed_values,
            margin=self.margin.state,
            messages=self.messages,
            lists=self.lists,
            recent=self.recent,
            halted=self.normaliser.state.halted,
            capabilities=self.sightings.capabilities,
            strategy_loss=lambda strategy: self.strategy_loss(strategy, day),
        )

    def strategy_loss(self, strategy: str, day: date) -> StrategyLoss:
        """Return what a strategy has lost on a day, by its fills and the last bars, against its own limit (RK-07)."""
        state = self.orchestrator.state
        result = self.ledger.result_of_strategy(strategy, day, state.marks)
        lost = None if result is None else max(-result, ZERO)
        return StrategyLoss(lost, is_shut=state.lost_on.get(strategy) == day)

    def touch(self, symbol: Symbol) -> tuple[Price, Price] | tuple[None, None]:
        """Return bid and ask to record with a decision, USD; None without a current quote."""
        quote = self.sightings.quotes.get(symbol)
        if quote is None or quote.age(self.at) > OF_NOW:
            return None, None
        return quote.bid, quote.ask

    def signed_entries(self, strategy: str) -> tuple[ClientOrderId, ...]:
        """Return its confirmed entries, of a basket or a ticket, that were not sent yet (RK-12)."""
        if self.plans.running is None and not self.stage.state.confirmations:
            return ()
        signed = (*self.plans.entries_to_come(strategy), *self.stage.entries_confirmed(strategy))
        return tuple(dict.fromkeys(signed))

    def confirmed_values(self) -> tuple[tuple[ClientOrderId, Money], ...]:
        """Return all such entries in the order of confirmation, with the cost of each by its ticket, USD (RK-23)."""
        if self.plans.running is None and not self.stage.state.confirmations:
            return ()
        found: dict[ClientOrderId, Money] = {}
        for signed in self.plans.signed_entries():
            found[signed.order_id] = signed.proposal.order.cost(signed.price) if signed.price is not None else NO_MONEY
        for confirmed in self.stage.confirmed_entries():
            found[confirmed.ticket.order.client_order_id] = confirmed.ticket.figures.cost or NO_MONEY
        return tuple(found.items())

    def read_only_refusal(self, order: OrderRequest) -> str | None:
        """Return why a read-only desk refuses this exit (EX-09).

        Only a close of a position that the broker reports passes.
        """
        if self.control.state.is_reconciled:
            return None
        if self.sightings.held_by_the_broker is None:
            return "read-only: the broker has not said yet what it holds; it is asked again"
        held = self._reported(order.symbol)
        closable = self.closable_read_only(order.symbol, order.side)
        if closable and order.quantity <= closable:
            return None
        way_out = "; e in Proposals makes it less" if closable else ""
        return f"read-only: the broker reports {plain(held)} {order.symbol}, and only a close of that passes{way_out}"

    @property
    def held_by_clock(self) -> tuple[Symbol, ...]:
        """The symbols whose signed exits wait for a key because this desk's clock is in doubt (EX-23)."""
        if not self.control.is_clock_in_doubt:
            return ()
        held = [p for p in self.ledger.positions() if self.stage.signed_exits(p.entry_order, self.at) is not None]
        return tuple(dict.fromkeys(position.symbol for position in held))

    @property
    def drifted(self) -> dict[Symbol, Quantity]:
        """The broker's quantity in differing symbols: that of the last comparison, adjusted by later fills."""
        return self._told(self.sightings.apart)

    @property
    def told_at_a_kill(self) -> dict[Symbol, Quantity]:
        """The broker's quantity in each symbol of which ours is larger, including zero, also by a single reading.

        Orders that could open by it count as opening (OP-07).
        """
        by_one = self._told(self.sightings.apart_once)
        return {**by_one, **self.drifted, **dict.fromkeys(self.sightings.gone, NO_SHARES)}

    def _told(self, surplus: Mapping[Symbol, Quantity]) -> dict[Symbol, Quantity]:
        told = {symbol: Quantity(self.ledger.net_quantity(symbol) + more) for symbol, more in surplus.items()}
        return {symbol: theirs for symbol, theirs in told.items() if theirs * self.ledger.net_quantity(symbol) > 0}

    def closable_read_only(self, symbol: Symbol, side: Side) -> Quantity | None:
        """Return the shares that the broker reports and an exit on this side would close.

        None if the desk is not read-only.
        """
        if self.control.state.is_reconciled or self.sightings.held_by_the_broker is None:
            return None
        held = self._reported(symbol)
        return Quantity(max(held if side is Side.SELL else -held, ZERO))

    def _reported(self, symbol: Symbol) -> Quantity:
        """Return the broker's position: its last books, or ours with later fills if they agreed."""
        if symbol in self.sightings.differing and symbol not in self.sightings.unread_positions:
            return (self.sightings.held_by_the_broker or {}).get(symbol, Quantity(ZERO))
        return self.ledger.net_quantity(symbol)

    def may_have_been_sold(self, symbol: Symbol, side: Side, signed_at: datetime | None = None) -> bool:
        """Whether the broker's books differ, and an exit on this side that it has just lost may have filled: no other
        exit is sent for those shares, which would open the other side. The same holds for orders that an older folder
        does not know (EX-24).
        """
        if self.may_have_unknown_orders(symbol, signed_at):
            return True
        if symbol not in self.sightings.differing:
            return False
        return any(
            order.only_reduces and order.request.side is side and order.remaining > 0
            for order in self.ledger.lost_today(symbol, self.at)
            if order.ended_at is not None and self.at - order.ended_at <= SETTLED_WITHIN
        )

    def may_have_unknown_orders(self, symbol: Symbol, signed_at: datetime | None = None) -> bool:
        """Whether the account has orders of this desk in the symbol that the journal does not know (EX-24).

        Before the first answer of a run for its books that is unknown of every symbol, and before the first books it is
        not known in which symbols. What was confirmed after they were found goes.
        """
        if not self.sightings.books_were_answered:
            return True
        since = self.control.state.unknown_since
        if not self.control.state.unknown_orders or (signed_at and since and signed_at >= since):
            return False
        return self.sightings.unaccepted is None or symbol in self.sightings.unaccepted

    def last_price(self, symbol: Symbol) -> tuple[datetime, Price] | None:
        """Return the newer of the last bar's close and the last quote's middle, with its time, or None.

        At equal times it is the quote's.
        """
        mark, bar = self.orchestrator.state.marks.get(symbol), self.normaliser.state.last_starts.get(symbol)
        closed = (bar + ONE_MINUTE, mark) if mark is not None and bar is not None else None
        quote = self.sightings.quotes.get(symbol)
        if quote is None or (closed is not None and closed[0] > quote.at):
            return closed
        return quote.at, quote.mid

    def has_passed(self, symbol: Symbol, level: Price, *, is_below: bool) -> bool:
        """Whether the last bar, or both sides of a newer quote, are at this price or beyond it.

        `is_below` is the side: beyond it are lower prices.
        """
        last, quote = self.last_price(symbol), self.sightings.quotes.get(symbol)
        if last is None:
            return False
        at, price = last
        if quote is not None and quote.at == at:
            price = quote.ask if is_below else quote.bid
        return price <= level if is_below else price >= level

    def _last_known(self, symbol: Symbol) -> Price | None:
        found = self.last_price(symbol)
        return None if found is None else found[1]

    @property
    def equity_of_today(self) -> Decimal | None:
        """USD at the day's opening; None while unknown."""
        return self.opening.opening_equity(self.calendar.trading_day(self.at))

    def instrument(self, symbol: Symbol) -> BrokerInstrument | NoInstrument:
        known = self.sightings.instruments.get(symbol) or self.sightings.unlisted.get(symbol)
        if known is not None:
            return known
        until = self.messages.assumed_until(self.at)
        if until is None:
            return NoInstrument("the broker has not said yet whether it trades")
        when = HOME.told(until, "%H:%M:%S")
        return NoInstrument(f"not asked yet: until {when} requests of the run before count against the broker's limit")

    def traded(self, symbol: Symbol) -> Instrument:
        """Return the instrument of an order, as the broker lists it; a share if that is unknown."""
        return self.sightings.instruments.get(symbol) or share(symbol)
