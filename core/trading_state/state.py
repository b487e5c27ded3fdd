"""The desk: its slices, its sightings, and `record`, the one way to change a state.

`record(fact)` appends to the journal and then lets each slice fold the fact. What decides beside the slices is a
sighting, or stands in none (`core/trading_state/sightings.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from core.advisers.authority import at_work, only_for_people
from core.execution.order import Order, has_news
from core.execution.other_orders import other_of
from core.facts import BarClosed, Fact, OrdersRecalled
from core.model.account import Mode
from core.model.bar import ONE_MINUTE, Bar
from core.model.broker import FreshFigures, OrderReport
from core.model.calendar import Calendar
from core.model.instrument import BrokerInstrument, Instrument, NoInstrument, share
from core.model.order import OrderRequest, Side
from core.model.quote import NoQuote
from core.model.values import (
    NO_MONEY,
    NO_SHARES,
    ZERO,
    AccountId,
    ClientOrderId,
    Money,
    Price,
    Quantity,
    Symbol,
    plain,
)
from core.ports import Journal
from core.risk.gate import ReviewContext
from core.strategies.builtin import OF_THE_HOUSE, StrategyKinds
from core.trading_state.fact_queue import FactQueue, Followers, nobody
from core.trading_state.sightings import Sightings
from core.trading_state.slices import Slice, Slices, table_of

Listener = Callable[[int, datetime, Fact], None]
BarListener = Callable[[Bar], None]


SETTLED_WITHIN = timedelta(minutes=5)
"""After an exit was lost its fill is told, the books are corrected, or a person looks."""
OF_NOW = timedelta(seconds=15)
"""A quote that is older says nothing of this moment."""


class TradingState(Slices):
    """Everything that the workflows read, and `record`.

    Parameters
    ----------
    further
        Slices beside those of the list, folded after them.
    followers
        Who follows a kind of fact, asked as it is written.
    listeners
        Who hears first of each fact that was folded.
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
        listeners: Iterable[Listener] = (),
    ) -> None:
        self.sightings = Sightings()
        super().__init__(calendar, journal.past, self.sightings.disk, kinds, further)
        self.account_name = AccountId(account)
        self.mode = mode
        self.journal = journal
        self.at = datetime.min.replace(tzinfo=UTC)
        self._listeners = [*listeners]
        self._bar_listeners: list[BarListener] = []
        self._watchers: list[BarListener] = []
        self.news = FactQueue(followers)
        self.folds = table_of(self.slices)

    def record(self, fact: Fact) -> None:
        """Write the fact, then fold it into the slices; of bars nobody hears before the strategies were asked."""
        if at_work() is not None:
            only_for_people("write the journal")
        sequence = self.journal.append(self.at, fact)
        self.news.note(fact)
        kind = type(fact)
        if kind is not BarClosed and self.orchestrator.has_unasked:
            self.orchestrator.keep_unasked()
        for fold in self.folds.get(kind, ()):
            fold(self.at, fact)
        if kind is BarClosed:
            return
        if self.orchestrator.has_steps:
            self.orchestrator.catch_up()
        for listener in self._listeners:
            listener(sequence, self.at, fact)

    def add_listener(self, listener: Listener) -> None:
        """From here on it hears of each fact, bars excepted, once that is folded. It shows, counts or carries; what
        decides by a fact is a workflow that follows it.
        """
        self._listeners.append(listener)

    def remove_listener(self, listener: Listener) -> None:
        self._listeners.remove(listener)

    def add_bar_listener(self, listener: BarListener) -> None:
        """From here on it hears of each bar, once the strategies have answered to it."""
        self._bar_listeners.append(listener)

    def tell_bar(self, bar: Bar) -> None:
        for listener in self._bar_listeners:
            listener(bar)

    def add_watcher(self, listener: BarListener) -> None:
        """From here on it hears of each bar of a symbol that is only watched: to show it, and no strategy asks."""
        self._watchers.append(listener)

    def tell_watched_bar(self, bar: Bar) -> None:
        for listener in self._watchers:
            listener(bar)

    def fold(self, at: datetime, fact: Fact) -> None:
        """Let each slice take the fact in: a rebuild, after which the strategies catch up."""
        for fold in self.folds.get(type(fact), ()):
            fold(at, fact)

    def order_of(self, report: OrderReport) -> Order | None:
        """Our order that a report tells of. One that left memory is taken up again, where the report has news of it."""
        order = self.ledger.order(report.client_order_id)
        if order is not None or (past := self.ledger.retention.forgotten(report.client_order_id)) is None:
            return order
        if has_news(report, past):
            self.record(OrdersRecalled(self.ledger.retention.family(report.client_order_id)))
        return self.ledger.order(report.client_order_id)

    def hear_of_other(self, report: OrderReport) -> None:
        """The stream's word on an order that is not this desk's; the books say the rest (EX-09)."""
        name = report.broker_order_id
        self.sightings.others = tuple(order for order in self.sightings.others if order.broker_order_id != name)
        self.sightings.all_others = tuple(other for other in self.sightings.all_others if other.broker_order_id != name)
        if report.status is None or report.status.is_working:
            self.sightings.others = (*self.sightings.others, report)
            self.sightings.all_others = (*self.sightings.all_others, other_of(report, self.ledger))

    def figures_for(self, at: datetime, symbol: Symbol, fresh: FreshFigures | None) -> ReviewContext:
        """What a review looks at: the fresh figures where they were fetched, else the last sightings."""
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
            regime=self.regime.regime,
            sizing=self.sizing,
            last=self._last_known,
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
        )

    def touch(self, symbol: Symbol) -> tuple[Price, Price] | tuple[None, None]:
        """Bid and ask as they are recorded with what was decided, USD; none where the last quote is not of now."""
        quote = self.sightings.quotes.get(symbol)
        if quote is None or quote.age(self.at) > OF_NOW:
            return None, None
        return quote.bid, quote.ask

    def signed_entries(self, strategy: str) -> tuple[ClientOrderId, ...]:
        """Its entries whose key was turned, with a basket or on a ticket, and that were not sent yet (RK-12)."""
        if self.plans.running is None and not self.stage.state.confirmations:
            return ()
        signed = (*self.plans.entries_to_come(strategy), *self.stage.entries_confirmed(strategy))
        return tuple(dict.fromkeys(signed))

    def confirmed_values(self) -> tuple[tuple[ClientOrderId, Money], ...]:
        """Entries of everybody that are, the first key first, and what each costs by its ticket, USD (RK-23)."""
        if self.plans.running is None and not self.stage.state.confirmations:
            return ()
        found: dict[ClientOrderId, Money] = {}
        for signed in self.plans.signed_entries():
            found[signed.order_id] = signed.proposal.order.cost(signed.price) if signed.price is not None else NO_MONEY
        for confirmed in self.stage.confirmed_entries():
            found[confirmed.ticket.order.client_order_id] = confirmed.ticket.figures.cost or NO_MONEY
        return tuple(found.items())

    def read_only_refusal(self, order: OrderRequest) -> str | None:
        """Why a read-only desk lets this exit not pass: only a close of what the broker itself reports does (EX-09)."""
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
        """Whose signed exits wait for a key because this desk's clock is in doubt (EX-23)."""
        if not self.control.is_clock_in_doubt:
            return ()
        held = [p for p in self.ledger.positions() if self.stage.signed_exits(p.entry_order, self.at) is not None]
        return tuple(dict.fromkeys(position.symbol for position in held))

    @property
    def drifted(self) -> dict[Symbol, Quantity]:
        """What the broker has of those symbols: its number of the last comparison, and what was filled since."""
        told = {
            symbol: Quantity(self.ledger.net_quantity(symbol) + more) for symbol, more in self.sightings.apart.items()
        }
        return {symbol: theirs for symbol, theirs in told.items() if theirs * self.ledger.net_quantity(symbol) > 0}

    @property
    def told_at_a_kill(self) -> dict[Symbol, Quantity]:
        """What the broker's books have of a symbol where ours have more, nothing included: what could open by them
        counts as what opens (OP-07).
        """
        return {**self.drifted, **dict.fromkeys(self.sightings.gone, NO_SHARES)}

    def closable_read_only(self, symbol: Symbol, side: Side) -> Quantity | None:
        """Shares that the broker reports and an exit on this side would close; None where the desk is not read-only."""
        if self.control.state.is_reconciled or self.sightings.held_by_the_broker is None:
            return None
        held = self._reported(symbol)
        return Quantity(max(held if side is Side.SELL else -held, ZERO))

    def _reported(self, symbol: Symbol) -> Quantity:
        """What the broker says that it holds: its last books, and where ours agreed with them, its fills since."""
        if symbol in self.sightings.differing and symbol not in self.sightings.unread_positions:
            return (self.sightings.held_by_the_broker or {}).get(symbol, Quantity(ZERO))
        return self.ledger.net_quantity(symbol)

    def may_be_sold(self, symbol: Symbol, side: Side) -> bool:
        """Whether the broker's books differ, and an exit on this side that it has just lost may have filled: no other
        exit is sent for those shares, which would open the other side.
        """
        if symbol not in self.sightings.differing:
            return False
        return any(
            order.only_reduces and order.request.side is side and order.remaining > 0
            for order in self.ledger.lost_today(symbol, self.at)
            if order.ended_at is not None and self.at - order.ended_at <= SETTLED_WITHIN
        )

    def last_price(self, symbol: Symbol) -> tuple[datetime, Price] | None:
        """The newer of the last bar's close and the middle of the last quote, with its time; None where neither is.
        Of one instant it is the quote's.
        """
        mark, bar = self.orchestrator.state.marks.get(symbol), self.normaliser.state.last_starts.get(symbol)
        closed = (bar + ONE_MINUTE, mark) if mark is not None and bar is not None else None
        quote = self.sightings.quotes.get(symbol)
        if quote is None or (closed is not None and closed[0] > quote.at):
            return closed
        return quote.at, quote.mid

    def _last_known(self, symbol: Symbol) -> Price | None:
        found = self.last_price(symbol)
        return None if found is None else found[1]

    @property
    def equity_of_today(self) -> Decimal | None:
        """USD at the day's opening; None where it is not known yet."""
        return self.opening.opening_equity(self.calendar.trading_day(self.at))

    def instrument(self, symbol: Symbol) -> BrokerInstrument | NoInstrument:
        return self.sightings.instruments.get(symbol) or NoInstrument("the broker has not said yet whether it trades")

    def traded(self, symbol: Symbol) -> Instrument:
        """What an order in it trades, as the broker lists it; a share where it has not said."""
        return self.sightings.instruments.get(symbol) or share(symbol)
