"""The house that accidents happen in: the real desk, engine and exchange in one thread, on the clock a test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import Protocol

from console.client.access import EngineAccess, nobody_looks
from console.client.handle import EngineHandle
from console.desk import DeskApp
from console.screens.ticket import TicketPhase, TicketScreen
from core.brokers.simulated.exchange import SimulatedExchange
from core.engine import Engine
from core.facts import CancelRequested, ConfirmationReceived, Fact, TicketOpened
from core.market.calendar import ExchangeCalendar, load_calendar
from core.market.synthetic import synthetic_day
from core.messages.commands import Command, Decline, OpenTicket, ProposeClose, ProposeOrder
from core.messages.inputs import BarArrived, QuoteArrived
from core.model.account import Mode
from core.model.bar import Bar, Feed, NoQuote, Quote
from core.model.codes import CancelCode
from core.model.order import Effect, OrderType, StopHolder, confirming_key
from core.model.staging import Ticket
from core.model.values import Price, Quantity, Symbol
from core.ports import OperatorError
from core.runtime import demo
from core.runtime.feed import bar_item
from core.runtime.inbox import Link
from core.runtime.simulated_exchange import config_of
from core.runtime.virtual import VirtualRuntime
from core.runtime.virtual_time import Pace
from core.settings.settings import Settings
from core.trading_state import checkpoint
from core.views.desk import PRICES
from state.journal import MemoryJournal
from tests.accidents.clock import Clock
from tests.accidents.far_screen import FarScreen
from tests.accidents.wire import Wire, driver_on
from tests.kit.pause import pause
from tests.kit.styled import STYLES
from tests.scenarios.house import Switch
from tests.unit.core.brokers.trading_floor import Notebook

LONG, SHORT = Symbol("SPY"), Symbol("QQQ")
ARMED = ("armed", "armed, by time")
SHUTTING = ("stop_loss_guard", "cooldown", "low_profit", "loss_streak", "max_drawdown", "volatility_halt")
OPENED_AFTER = timedelta(minutes=40)
SIZES = (*[(80, 24)] * 12, (120, 40), (120, 40), (200, 60))


@cache
def market() -> tuple[ExchangeCalendar, tuple[Bar, ...]]:
    calendar = load_calendar(demo.FIRST_DAY, demo.FIRST_DAY + timedelta(days=10))
    session = demo.sessions_from(calendar, demo.FIRST_DAY)[0]
    bars = [bar for symbol in (LONG, SHORT) for bar in synthetic_day(1, symbol, session)]
    return calendar, tuple(sorted(bars, key=lambda bar: bar.start))


def settings(has_twins: bool = False) -> Settings:
    """A rich margin account that may do a lot, so that tickets never run out; with twins, an entry like another asks
    for its word, and hands that tire of nothing make many."""
    return Settings.model_validate(
        {
            "symbols": [LONG, SHORT],
            "risk": {
                "max_open_positions": 1000, "entries_a_day": 10000, "daily_loss": {"usd": "1000000"},
                "weekly_loss": {"usd": "1000000"}, "per_trade": {"usd": "100000"}, "max_notional": {"usd": "1000000"},
                "window_end": "15:45", "twins": {"enabled": has_twins},
                "protections": {name: {"enabled": False} for name in (*SHUTTING, "repeated_execution")},
            },
            "exchange": {"cash": "10000000", "multiplier": "2", "latency_seconds": "0.02"},
            "strategies": {"vwap": {"enabled": False}},
        },
    )  # fmt: skip


class SteppedPace(Pace):
    """The engine's time is the clock's, and what the wall's clock jumped."""

    def __init__(self, clock: Clock, begin: datetime) -> None:
        super().__init__(None)
        self._clock, self._begin, self._began = clock, begin, clock.at

    def now(self, last: datetime) -> datetime:
        return max(last, self._begin + timedelta(seconds=self._clock.at - self._began))

    def jump(self, seconds: float) -> None:
        self._begin += timedelta(seconds=seconds)

    def attend(self, attended: bool) -> None:
        """It never runs faster."""

    def wait_until(self, at: datetime, last: datetime) -> bool:
        return not self.wake.is_set()

    def is_beat_due(self) -> bool:
        """Whoever moves the clock looks at what is due."""
        return False


class World(Protocol):
    """The engine and its market, whatever way the desk has to it."""

    @property
    def runtime(self) -> VirtualRuntime: ...

    def say(self, command: Command) -> None:
        """By another way than the desk's keyboard."""


class SteppedHandle(EngineHandle):
    """The real handle without a thread: the engine has its turn whenever the clock moves."""

    def __init__(self, runtime: VirtualRuntime, clock: Clock) -> None:
        super().__init__(lambda _stack: runtime)
        runtime.admit(self.port.known)
        self.runtime, self._clock = runtime, clock

    def say(self, command: Command) -> None:
        self.send(command)

    def start(self, on_news: Callable[[], None] = nobody_looks) -> None:
        self._runtime = self.runtime
        self.runtime.on_beat(lambda: None)
        self._clock.on_move = self.turn
        self.turn()

    def turn(self) -> None:
        runtime = self.runtime
        while runtime.step(runtime.clock()):
            pass
        since = self._clock.at - self._drawn_at
        if since >= PRICES and (since >= 1.0 or runtime.has_changed()):
            self._draw(self._clock.at)

    def leave(self, reason: str, *, on_purpose: bool = False) -> None:
        if not self.ended.is_set():
            self._clock.on_move = lambda: None
            self.ended.set()


class WiredDesk(DeskApp):
    CSS_PATH = STYLES

    def __init__(self, handle: EngineAccess, wire: Wire) -> None:
        super().__init__(handle, wire.clock.now)
        self.driver_class = driver_on(wire, self.port)

    def _leave(self) -> None:
        """Leaving is none of the accidents: the next one needs the desk."""


@dataclass
class Meant:
    """The one order that a hand means to send with the key that it is about to press, and whether it was."""

    ticket: Ticket
    is_confirmed: bool = False


@dataclass
class House:
    """Attributes: `meant`, what may be confirmed now; `nobody_meant`, what was confirmed all the same; `sent`, what was
    confirmed on purpose; `draws`, whether
    its frames have their letters; `has_twins`, whether an entry like another asks for its word."""

    clock: Clock
    wire: Wire
    desk: WiredDesk
    world: World
    pace: SteppedPace
    chance: Random
    draws: bool = True
    has_twins: bool = False
    meant: Meant | None = None
    confirmations: int = 0
    nobody_meant: list[str] = field(default_factory=list)
    sent: list[Ticket] = field(default_factory=list)
    began: float = 0.0
    """When the accident of now began."""
    tickets: dict[str, Ticket] = field(default_factory=dict)
    cancels: list[str] = field(default_factory=list)
    """Orders that somebody at a desk cancelled, in their order."""

    # ── the oracle

    def means(self, ticket: Ticket) -> None:
        """The key that comes is pressed on purpose."""
        self.meant = Meant(ticket)

    def hear(self, _sequence: int, _at: datetime, fact: Fact) -> None:
        if isinstance(fact, TicketOpened):
            self.tickets[fact.ticket.id] = fact.ticket
        if isinstance(fact, CancelRequested) and fact.code is CancelCode.OPERATOR:
            self.cancels.append(fact.client_order_id)
        if not isinstance(fact, ConfirmationReceived):
            return
        self.confirmations += 1
        meant, at = self.meant, f"{self.clock.at - self.began:8.3f}  "
        if meant is None or meant.is_confirmed:
            self.nobody_meant.append(f"{at}{self._named(fact)} was confirmed, and no key was meant for it")
        elif (fact.ticket_id, fact.digest) != (meant.ticket.id, meant.ticket.digest):
            self.nobody_meant.append(f"{at}{self._named(fact)} was confirmed instead of {words_of(meant.ticket)}")
        else:
            meant.is_confirmed = True
            self.sent.append(meant.ticket)

    def _named(self, fact: ConfirmationReceived) -> str:
        ticket = self.tickets.get(fact.ticket_id)
        return words_of(ticket) if ticket is not None else fact.ticket_id

    # ── what stands there

    @property
    def ticket_screen(self) -> TicketScreen | None:
        top = self.desk.screen_stack[-1] if self.desk.screen_stack else None
        return top if isinstance(top, TicketScreen) else None

    @property
    def shown(self) -> Ticket | None:
        """What the desk's open ticket shows and would send now."""
        screen = self.ticket_screen
        if screen is None or screen._shown is None or screen.phase is not TicketPhase.READY:
            return None
        return screen._shown.ticket

    @property
    def missing_word(self) -> str:
        """What the open ticket has typed before its key, where that does not stand."""
        screen = self.ticket_screen
        word = screen.spelling.word if screen is not None and self.shown is not None else None
        return word.word if word is not None and not word.stands else ""

    @property
    def right_key(self) -> str:
        shown = self.shown
        return confirming_key(shown.order.effect, shown.order.replaces) if shown is not None else "B"

    def reads(self, ticket: Ticket) -> bool:
        """Whether this very order stands on the far terminal, armed; where nothing is drawn, the desk's own word."""
        screen = self.ticket_screen
        if not self.draws:
            return self.shown == ticket and screen is not None and screen.armed_in_words() in ARMED
        text = self.wire.far.text()
        return words_of(ticket) in text and any("armed " in row and "armed in" not in row for row in text.splitlines())

    def is_shut(self) -> bool:
        """Halted or killed, as far as its status says."""
        view = self.desk.view
        return view is not None and bool(view.status.halts or view.status.killed_by)

    def waiting(self) -> int:
        view = self.desk.view
        return len(view.proposals) if view is not None else 0

    # ── what the world does

    def stages_an_order(self, can_fill: bool = True) -> None:
        """A proposal, by another way than the keyboard; no two are alike."""
        chance = self.chance
        view = self.desk.view
        held = [row.symbol for row in view.positions if not row.is_closing] if view is not None else []
        urgent = [row.symbol for row in view.proposals if row.is_urgent] if view is not None else []
        closable = [symbol for symbol in held if symbol not in urgent]
        if closable and chance.random() < 0.5:
            self.world.say(ProposeClose(chance.choice(closable)))
            return
        symbol, effect = (LONG, Effect.OPEN) if chance.random() < 0.6 else (SHORT, Effect.SHORT)
        quote = self.world.runtime.exchange.quote(self.world.runtime.at, symbol)
        if isinstance(quote, NoQuote):
            return
        sign = 1 if effect is Effect.OPEN else -1
        price = quote.ask if effect is Effect.OPEN else quote.bid
        price += sign * Decimal(chance.randint(1, 90) if can_fill else -500) / 100
        stop = price - sign * 3
        quantity = Decimal(chance.randint(1, 9))
        self.world.say(
            ProposeOrder(
                symbol, effect, Quantity(quantity), OrderType.LIMIT, Price(price), Price(stop), StopHolder.BROKER
            )
        )

    def drops_what_cannot_be_confirmed(self) -> None:
        """The open ticket's proposal, where a check refuses it: the market has gone elsewhere."""
        screen = self.ticket_screen
        if screen is not None and screen.phase in (TicketPhase.RED, TicketPhase.REFUSED):
            self.world.say(Decline(screen.proposal_id, "the market has gone elsewhere"))

    def stages_an_exit(self) -> bool:
        view = self.desk.view
        held = [row.symbol for row in view.positions if not row.is_closing] if view is not None else []
        if held:
            self.world.say(ProposeClose(self.chance.choice(held)))
        return bool(held)

    def opens_it_again(self) -> None:
        """By another door: the open ticket's proposal gets a new one, with a digest of its own."""
        shown = self.shown
        if shown is not None:
            self.world.say(OpenTicket(shown.proposal_id))

    def price_jumps(self, fraction: float) -> None:
        runtime = self.world.runtime
        at = runtime.clock()
        for symbol in (LONG, SHORT):
            quote = runtime.exchange.quote(runtime.at, symbol)
            if isinstance(quote, Quote):
                bid = (quote.bid * Decimal(1 + fraction)).quantize(Decimal("0.01"))
                jumped = Quote(
                    symbol, at, Price(bid), quote.bid_size, Price(bid + Decimal("0.02")), quote.ask_size, Feed.RECORDED
                )
                runtime.exchange.take_quote(jumped)
                runtime.take(at, QuoteArrived(jumped))


def words_of(ticket: Ticket) -> str:
    """The line that a ticket shows of its order, as far as it tells two apart."""
    order = ticket.order
    from widgets import format as f

    return (
        f"{f.quantity(order.quantity)} {order.symbol} {'at ' + f.price(order.limit_price) if order.limit_price else ''}"
    )


def engine_on(journal: MemoryJournal, at: datetime, has_twins: bool = False) -> Engine:
    """As the journal says."""
    engine = Engine("test", Mode.PAPER, market()[0], journal)
    checkpoint.rebuild(engine.state, None)
    engine.apply(at, settings(has_twins), "test")
    return engine


def first_runtime(clock: Clock, has_twins: bool = False) -> tuple[VirtualRuntime, SteppedPace, datetime]:
    """On an empty journal, and when its first desk is opened."""
    calendar, bars = market()
    begin = bars[0].start + OPENED_AFTER
    pace = SteppedPace(clock, begin)
    runtime = VirtualRuntime(
        engine_on(MemoryJournal(), bars[0].start, has_twins),
        SimulatedExchange(config_of(settings(), "test", "1"), calendar, Notebook()),
        (bar_item(BarArrived(bar, "seed 1")) for bar in bars),
        start=bars[0].start,
        switch=Switch(),
        link=Link(timedelta(milliseconds=20)),
        pace=pace,
    )
    return runtime, pace, begin


@asynccontextmanager
async def open_house(clock: Clock, chance: Random, draws: bool = True, has_twins: bool = False) -> AsyncIterator[House]:
    runtime, pace, begin = first_runtime(clock, has_twins)
    handle = SteppedHandle(runtime, clock)
    runtime.run(begin)
    size = chance.choice(SIZES)
    wire = Wire(clock, FarScreen(*size))
    house = House(clock, wire, WiredDesk(handle, wire), handle, pace, chance, draws, has_twins)
    runtime.engine.state.add_listener(house.hear)
    async with running(house, size):
        try:
            yield house
        finally:
            handle.leave("the accidents are over")


@asynccontextmanager
async def running(house: House, size: tuple[int, int]) -> AsyncIterator[None]:
    """Its desk, until it is closed."""
    desk = house.desk
    task = asyncio.create_task(desk.run_async(size=size))
    try:
        await pause(1.5)
        for _ in range(10):  # a long way to the engine
            if desk.view is None:
                await pause(0.5)
        if desk.view is None:
            raise OperatorError(f"the desk did not open: {desk.handle.view}")
        yield
    finally:
        desk.exit()
        await task
