"""The trading floor: the simulated exchange in real time, its market, and what Alpaca remembers beside it.

One loop owns it; nothing here waits. Each request first catches up with the clock: the market moves, orders meet it,
and what happened goes into the outbox as trade updates, in order. Matching is the simulated exchange's alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from core.brokers.simulated.config import ExchangeConfig
from core.brokers.simulated.exchange import SimulatedExchange
from core.brokers.simulated.log import RequestLog
from core.brokers.simulated.market import Segment
from core.brokers.simulated.order_book import Book
from core.model.account import Account
from core.model.bar import ONE_MINUTE, Bar, NoQuote, Quote
from core.model.broker import BrokerPosition, OrderReport, OrderUpdate, UpdateEvent
from core.model.instrument import STOCK_TICKS, BrokerInstrument, NoInstrument
from core.model.order import OrderRequest, Side
from core.model.reconciliation import Activity
from core.model.session import Calendar, Session
from core.model.values import ZERO, ClientOrderId, Quantity, Symbol
from tests.kit.reversed_fills import takes_fills_back
from tests.unit.core.brokers.unlinked_book import UnlinkedBook
from tests.wire.exchange.clocks import Clock
from tests.wire.exchange.hours import new_york
from tests.wire.exchange.papers import Papers, id_of
from tests.wire.exchange.refusal import accepted, not_found
from tests.wire.exchange.tape import Tape, WrittenTape, happenings
from tests.wire.exchange.words import Json, order_json, update_json

QUOTE_EVERY = timedelta(seconds=1)
"""How often an open market is quoted where the tape has no quotes of its own."""


@dataclass(frozen=True, slots=True)
class Update:
    """A trade update on its way, and the event that it tells."""

    event: str
    message: Json

    @property
    def words(self) -> str:
        data, order = self.message["data"], self.message["data"]["order"]
        price = f" at {data['price']}" if "price" in data else ""
        shares = data.get("qty", order["qty"])
        return f"{self.event}: {order['side']} {shares} {order['symbol']}{price} ({order['client_order_id']})"


class Floor:
    """One exchange, one account, and the papers of its orders.

    Attributes
    ----------
    outbox
        Trade updates that no stream was told yet.
    bars_told, quotes_told
        Called with what the market has just shown: a bar at its minute's end, a quote as it is made.
    skew
        How far the clock that the exchange tells is ahead of the one it keeps.
    halted
        Symbols whose market stands still.
    shown_wrong
        What becomes of a quote before anybody sees it.
    unknown
        Symbols that make a question for market data be refused.
    refuses_orders, shown_block
        Every order is refused; the fields by which the account's figures show that.
    left_out
        Fields that answers lack although they are always there.
    announced
        Corporate actions, each with the name of its list.
    news
        Articles as a test wrote them down; no list is the answer itself.
    options_held
        Positions that the simulated exchange knows nothing of.
    listed_positions
        What the list of positions shows in place of those that are held.
    leaves_legs_out, hides_legs
        Whether lists, and whether all answers, name no legs.
    """

    def __init__(
        self,
        config: ExchangeConfig,
        calendar: Calendar,
        clock: Clock,
        tape: Tape,
        log: RequestLog,
        instruments: Iterable[BrokerInstrument] = (),
    ) -> None:
        self.calendar, self.clock, self.tape, self.config = calendar, clock, tape, config
        self.outbox: list[Update] = []
        self.bars_told: Callable[[Bar], None] = lambda _: None
        self.quotes_told: Callable[[Quote], None] = lambda _: None
        self.skew = timedelta(0)
        self.halted: set[Symbol] = set()
        self.refuses_orders = False
        self.shown_block: Json = {}
        self.cancels_stay_pending = False
        self.leaves_legs_out = self.hides_legs = False
        self.unknown: set[Symbol] = set()
        self.splits: dict[Symbol, tuple[datetime, Decimal]] = {}
        """When a symbol was split, and its new shares for an old one; bars of before can be asked for adjusted."""
        self.announced: list[tuple[str, Json]] = []
        self.news: Any = []
        self.options_held: tuple[Json, ...] = ()
        self.listed_positions: tuple[BrokerPosition, ...] | None = None
        self.left_out: frozenset[str] = frozenset()
        self.shown_wrong: Callable[[Quote], Quote] = lambda quote: quote
        self.papers = Papers()
        self.opened_at = clock.now()
        listed = {symbol: BrokerInstrument(symbol) for symbol in tape.symbols}
        self._instruments = listed | {instrument.symbol: instrument for instrument in instruments}
        self._exchange = SimulatedExchange(config, calendar, log, self._instruments)
        self._held: dict[Symbol, Decimal] = {}
        self._walked = self.opened_at
        self._begin_with_the_past()

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def catch_up(self) -> datetime:
        """The market moves on to now, and what that did to orders is in the outbox. Returns now."""
        now = max(self.clock.now(), self._walked)
        for at, happening in happenings(self.tape, self._walked, now):
            if happening.symbol in self.halted:
                continue
            if isinstance(happening, Quote):
                self._exchange.take_quote(happening)
                self.quotes_told(self.shown_wrong(happening))
            elif happening.end <= at:
                self.bars_told(happening)
            else:
                self._exchange.begin_bar(happening)
        self._exchange.advance(now)
        self._walked = now
        self.collect()
        return now

    def quote_everything(self) -> None:
        """Each symbol's current quote is told, while the market is open."""
        now = self.catch_up()
        if isinstance(self.calendar.session_at(now), Session):
            for symbol in self.tape.symbols:
                quote = self._exchange.quote(now, symbol)
                if isinstance(quote, Quote) and symbol not in self.halted:
                    self.quotes_told(self.shown_wrong(replace(quote, at=now)))

    @property
    def walked(self) -> datetime:
        """Everything up to and including this instant has happened."""
        return self._walked

    def midnight_before(self, at: datetime) -> datetime:
        return new_york(self.calendar.trading_day(at), time())

    def start_of_day(self) -> datetime:
        return self.midnight_before(self._walked)

    @property
    def next_at(self) -> datetime:
        """When to look again without being asked: the next minute, or what the exchange waits for before it."""
        minute = self._walked.replace(second=0, microsecond=0) + ONE_MINUTE
        step = self._exchange.next_at
        return minute if step is None else max(min(minute, step), self._walked)

    # ── orders ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def submit(self, order: OrderRequest, said: Json | None = None) -> Json:
        """Take the order or refuse it; `said` is told in place of its own fields. Raises `RefusalError`."""
        now = self.catch_up()
        report = accepted(self._exchange.submit(now, order))
        self.papers.file(report, order, now).said = said or {}
        answer = self.order_json(report, status="pending_new", nested=True)
        self.collect()
        return answer

    def replace(self, old: OrderReport, order: OrderRequest) -> Json:
        """Put the order in the place of `old`. Raises `RefusalError`."""
        now = self.catch_up()
        report = accepted(self._exchange.replace(now, order))
        self.papers.file(report, order, now, self.papers.of(old.client_order_id))
        answer = self.order_json(report, status="pending_new", nested=True)
        self.collect()
        return answer

    def cancel(self, client_order_id: ClientOrderId) -> None:
        """Raises `RefusalError`."""
        accepted(self._exchange.cancel(self.catch_up(), client_order_id))
        self.papers.of(client_order_id).said_status = None
        self.collect()

    def ask_to_cancel(self, client_order_id: ClientOrderId) -> None:
        """Cancels, or where cancels stay pending begins one that `cancel` ends. Raises `RefusalError`."""
        now, report = self.catch_up(), self.order(client_order_id)
        if not self.cancels_stay_pending or report.status is None or report.status.is_terminal:
            self.cancel(client_order_id)
            return
        paper = self.papers.of(client_order_id)
        paper.said_status, paper.updated_at = "pending_cancel", now
        self.outbox.append(Update("pending_cancel", update_json("pending_cancel", now, self.order_json(report))))

    def collect(self) -> None:
        """What the exchange did goes into the outbox, and onto the papers of the orders."""
        for update in self._exchange.take_updates():
            self.outbox.append(Update(update.event.value, self._told(update)))

    def carry_out_cancels(self) -> None:
        """Those that stayed pending."""
        self.cancels_stay_pending = False
        for name in self.papers.that_say("pending_cancel"):
            if is_open(self.order(name)):  # the other leg of one before it is gone already
                self.cancel(name)

    def next_name(self) -> str:
        """A client order id for an order that came without one; the same in every run."""
        return id_of("unnamed", str(len(self.papers)))

    def take_outbox(self) -> list[Update]:
        taken, self.outbox = self.outbox, []
        return taken

    # ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────

    def order(self, client_order_id: ClientOrderId) -> OrderReport:
        """Raises `RefusalError`."""
        report = self._exchange.order(self._walked, client_order_id)
        if not isinstance(report, OrderReport):
            raise not_found(f"order not found for {client_order_id}")
        return report

    def order_by_id(self, order_id: str) -> OrderReport:
        """Raises `RefusalError`."""
        return self.order(self.papers.name_of(order_id))

    def order_json(self, report: OrderReport, *, status: str | None = None, nested: bool = False) -> Json:
        """One order, with its legs where they are asked for."""
        paper = self.papers.of(report.client_order_id)
        booked = self._exchange._book.find(report.client_order_id)
        paper.high_water = None if booked is None else booked.best
        legs = [self.order_json(leg) for leg in report.legs] if nested and not self.hides_legs else None
        if report.raw_status == "new" and not self.is_open:
            status = status or "accepted"
        return order_json(report, paper, status, legs) | paper.said

    @property
    def is_open(self) -> bool:
        return isinstance(self.calendar.session_at(self._walked), Session)

    def in_orders(self, symbol: Symbol, side: Side) -> Decimal:
        """Shares that working orders on this side hold."""
        return self._exchange._book.held(symbol, side)

    def account(self) -> Account:
        return self._exchange.account(self.catch_up())

    def close_before_today(self, symbol: Symbol) -> Decimal:
        """The last price of an earlier trading day; today's first where the tape has none."""
        today = self.calendar.trading_day(self._walked)
        bars = self.bars(symbol, self._walked - timedelta(days=5), self._walked)
        earlier = [bar.close for bar in bars if self.calendar.trading_day(bar.start) < today]
        return earlier[-1] if earlier else bars[0].open if bars else self.price(symbol)

    def open_orders(self, symbol: Symbol | None = None) -> Iterator[ClientOrderId]:
        """One after the other: cancelling one may end another, which then does not come."""
        for report in self.orders():
            if symbol in (None, report.symbol) and is_open(self.order(report.client_order_id)):
                yield report.client_order_id

    def orders(self) -> tuple[OrderReport, ...]:
        """Open orders and those closed within seven days, in order of acceptance."""
        return self._exchange.orders(self.catch_up())

    def positions(self) -> tuple[BrokerPosition, ...]:
        return self._exchange.books(self.catch_up()).positions

    def held(self, symbol: Symbol) -> Decimal:
        """Shares held, signed, by what was told."""
        return self._held.get(symbol, ZERO)

    def activities(self) -> tuple[Activity, ...]:
        """What happened to the account beside its orders."""
        return self._exchange.activities(self.catch_up(), date.min).activities

    def quote(self, symbol: Symbol) -> Quote | NoQuote:
        return self._exchange.quote(self._walked, symbol)

    def price(self, symbol: Symbol) -> Decimal:
        """The middle of the quote; zero where nothing was ever quoted."""
        quote = self.quote(symbol)
        return ZERO if isinstance(quote, NoQuote) else quote.mid

    def bars(self, symbol: Symbol, start: datetime, end: datetime) -> list[Bar]:
        """Complete bars from `start` to before `end`."""
        return [bar for bar in self.tape.bars(symbol, start, end) if bar.end <= self._walked]

    def latest_bar(self, symbol: Symbol) -> Bar | None:
        bars = self.bars(symbol, self._walked - timedelta(days=7), self._walked)
        return bars[-1] if bars else None

    def instrument(self, symbol: Symbol) -> BrokerInstrument:
        """Raises `RefusalError`."""
        instrument = self._exchange.instrument(symbol)
        if isinstance(instrument, NoInstrument):
            raise not_found(f"asset not found for {symbol}")
        return instrument

    # ── what others do ───────────────────────────────────────────────────────────────────────────────────────────────

    def halt(self, symbol: Symbol) -> None:
        """Its market stands still: orders are taken, and none fills. No bar, no quote."""
        now = self.catch_up()
        self.halted.add(symbol)
        quote, nothing = self.quote(symbol), Quantity(ZERO)
        if isinstance(quote, Quote):
            price = STOCK_TICKS.nearest(quote.mid)
            self._show_at_once(Bar(symbol, now - ONE_MINUTE, price, price, price, price, nothing))
            self._exchange.take_quote(replace(quote, at=now, bid_size=nothing, ask_size=nothing))

    def resume(self, symbol: Symbol) -> None:
        self.halted.discard(symbol)
        bars = self.tape.bars(symbol, self._walked - ONE_MINUTE, self._walked)
        if bars and bars[-1].end > self._walked:
            self._show_at_once(bars[-1])
        self.catch_up()

    def _show_at_once(self, bar: Bar) -> None:
        """In the place of the bar that is open: no exchange can be told that, so it is put into its hands."""
        self._exchange._bars[bar.symbol] = bar
        self._exchange._matching.schedule()

    def link_legs(self, linked: bool) -> None:
        """Whether the fill or the end of one leg of a bracket changes the other."""
        self._exchange._book.__class__ = Book if linked else UnlinkedBook

    def fill(self, client_order_id: ClientOrderId, shares: Quantity) -> None:
        """Somebody gives a working order so many shares at its own price, wherever the market is.

        Legs that waited for all of it work from then on.
        """
        now, order = self.catch_up(), self._exchange._book.find(client_order_id)
        assert order is not None
        price = order.request.limit_price or order.stop_price
        assert price is not None
        self._exchange._ledger.execute(order.symbol, order.side, shares, price, now)
        self._exchange._book.fill(order, shares, price, now)
        if not order.is_working:
            self._exchange._matching._release_legs(order, Segment.point(now, price))
        self.collect()

    def take_back(self, client_order_id: ClientOrderId, event: UpdateEvent | None) -> None:
        """Take the fills of an order back, whatever became of it; an event says so."""
        now, order = self.catch_up(), self._exchange._book.find(client_order_id)
        assert order is not None
        signed = order.filled if order.side is Side.BUY else -order.filled
        self._held[order.symbol] = self.held(order.symbol) - signed
        takes_fills_back(self._exchange, now, client_order_id, str(order.filled), event)
        self.collect()

    # ── how ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _told(self, update: OrderUpdate) -> Json:
        report, execution = update.report, update.execution
        paper = self.papers.of(report.client_order_id)
        paper.happened(update.event, update.at)
        if update.event is not UpdateEvent.NEW and report.status is not None and report.status.is_terminal:
            paper.said_status = None
        if execution is not None:
            signed = execution.quantity if report.side.value == "buy" else -execution.quantity
            self._held[report.symbol] = self.held(report.symbol) + signed
        order = self.order_json(report)
        event = update.event.value
        if update.event is UpdateEvent.NEW and not self.is_open:
            event = UpdateEvent.ACCEPTED.value  # it rests with the broker until the market opens
        return update_json(event, update.at, order, execution, self.held(report.symbol))

    def _begin_with_the_past(self) -> None:
        """The market did not begin with us: each symbol's newest bar is there, the one that is open included."""
        now = self.opened_at
        for symbol in self.tape.symbols:
            for bar in self.tape.bars(symbol, now - timedelta(days=5), now + timedelta(microseconds=1))[-1:]:
                self._exchange.begin_bar(bar)
        for quote in self.tape.quotes(now - timedelta(days=5), now):
            self._exchange.take_quote(quote)

    def show(self, happening: Bar | Quote) -> None:
        """One more bar or quote of a written market; its symbol is listed from here on."""
        assert isinstance(self.tape, WrittenTape)
        self.tape.add(happening)
        self._instruments.setdefault(happening.symbol, BrokerInstrument(happening.symbol))


def is_open(report: OrderReport) -> bool:
    return report.status is not None and report.status.is_working
