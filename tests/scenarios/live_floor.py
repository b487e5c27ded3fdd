"""The simulated exchange as a real broker and market are met: asked from threads, heard by streams.

The live runtime runs on it in a thread of its own, as under a desk. The time is the timeline's, moved to a Thursday.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.brokers.simulated.config import ExchangeConfig
from core.brokers.simulated.exchange import SimulatedExchange
from core.engine import Engine
from core.io.wall_clock import utc_now
from core.market.port import Heard
from core.messages.command_ports import CommandPort, PortKind
from core.messages.commands import Command
from core.messages.inputs import AcceptBroker, BarArrived, MarketDataBroken
from core.model.account import Account, Channel, ConnectionState, ConnectionStatus, Mode
from core.model.bar import Bar, NoQuote, Quote
from core.model.broker import Accepted, BrokerBooks, BrokerClock, NoAnswer, NotFound, OrderReport, OrderUpdate, Refused
from core.model.instrument import BrokerInstrument, NoInstrument
from core.model.order import OrderRequest
from core.model.reconciliation import DropCopy
from core.model.session import Session
from core.model.values import BrokerOrderId, ClientOrderId, Symbol
from core.runtime.live import LiveRuntime
from core.runtime.market_history import RegimeWatch
from core.runtime.news_watch import NewsWatch
from core.settings.settings import Settings
from core.trading_state.checkpoint import rebuild
from core.views import DeskView
from state.journal import MemoryJournal
from tests.kit.pause import pause
from tests.kit.waiting import until
from tests.scenarios.house import Switch
from tests.unit.core.brokers.trading_floor import STORIES, NewYorkHours, Notebook, at

LOOK = 0.02
"""Seconds between two looks for something to tell."""
PONG = 0.5
"""Seconds between two signs of life of a link."""


class LiveFloor:
    """Implements `Broker`, `OrderStream` (`updates`) and `MarketData` (`market`); `opens` is the New York time now.

    Attributes
    ----------
    troubles
        What a request brings in place of its answer, by the method's name; it arrives all the same.
    is_mute
        The stream of updates tells nothing.
    silent
        Links over which nothing comes any more, a pong neither.
    machine
        Seconds by which the machine's clock is ahead of the broker's.
    unquoted
        Why the market gives no quote when asked; empty where it does.
    """

    def __init__(self, opens: str, bars: Sequence[Bar]) -> None:
        self.offset = at(opens) - utc_now()
        self.bars = list(bars)
        self.exchange = SimulatedExchange(ExchangeConfig(**STORIES), NewYorkHours(), Notebook())
        self.lock = threading.Lock()
        self.asked: list[str] = []
        self.troubles: dict[str, NoAnswer] = {}
        self.is_mute = False
        self.silent: set[Channel] = set()
        self.machine = 0.0
        self.unquoted = ""
        self.updates, self.market = Updates(self), Market(self)
        self._begun = 0

    def keep_to(self, name: str) -> None:
        """It has one account."""

    def now(self) -> datetime:
        return utc_now() + self.offset

    def machines_clock(self) -> datetime:
        return self.now() + timedelta(seconds=self.machine)

    def moved(self) -> SimulatedExchange:
        """The exchange as the market has moved it by now. With the lock held."""
        while self._begun < len(self.bars) and self.bars[self._begun].start <= self.now():
            self.exchange.begin_bar(self.bars[self._begun])
            self._begun += 1
        self.exchange.advance(self.now())
        return self.exchange

    def submit(self, order: OrderRequest) -> Accepted | Refused | NoAnswer:
        with self.lock:
            self.asked.append(f"submit {order.side.value} {order.type.value}")
            answer = self.moved().submit(self.now(), order)
            return self.troubles.pop("submit", answer)

    def replace(self, order: OrderRequest, broker_order_id: BrokerOrderId | None) -> Accepted | Refused | NoAnswer:
        del broker_order_id
        with self.lock:
            self.asked.append(f"replace {order.side.value} {order.type.value}")
            return self.moved().replace(self.now(), order)

    def cancel(
        self, client_order_id: ClientOrderId, broker_order_id: BrokerOrderId | None
    ) -> Accepted | Refused | NotFound | NoAnswer:
        del broker_order_id
        with self.lock:
            self.asked.append("cancel")
            return self.moved().cancel(self.now(), client_order_id)

    def look_up(self, client_order_id: ClientOrderId, *, with_legs: bool = False) -> OrderReport | NotFound | NoAnswer:
        del with_legs
        with self.lock:
            self.asked.append("look up")
            return self.troubles.get("look up") or self.moved().order(self.now(), client_order_id)

    def time(self, *, is_once: bool = False) -> BrokerClock | NoAnswer:
        return self.troubles.get("time") or BrokerClock(self.now(), self.exchange.hours(self.now()))

    def sessions(self, first: date, last: date) -> tuple[Session | date, ...] | NoAnswer:
        return self.troubles.get("sessions") or self.exchange.sessions(first, last)

    def account(self) -> Account | NoAnswer:
        with self.lock:
            return self.troubles.get("account") or self.moved().account(self.now())

    def instrument(self, symbol: Symbol) -> BrokerInstrument | NoInstrument:
        return self.exchange.instrument(symbol)

    def books(self) -> BrokerBooks | NoAnswer:
        with self.lock:
            self.asked.append("picture")
            return self.troubles.get("picture") or self.moved().books(self.now())

    def activities(self, since: date) -> DropCopy | NoAnswer:
        with self.lock:
            return self.moved().activities(self.now(), since)


async def keeps_alive(floor: LiveFloor, line: Channel, show: Callable[[ConnectionStatus], None]) -> None:
    """Says what every pong says: that the link is there."""
    since = floor.now()
    while True:
        if line not in floor.silent:
            show(ConnectionStatus(line, ConnectionState.UP, since, floor.now()))
        await pause(PONG, may_be_real=True)


class Updates:
    """The stream of order updates."""

    def __init__(self, floor: LiveFloor) -> None:
        self.floor = floor

    async def run(self, hear: Callable[[OrderUpdate], None], show: Callable[[ConnectionStatus], None]) -> None:
        alive = asyncio.create_task(keeps_alive(self.floor, Channel.TRADES, show))
        try:
            while True:
                with self.floor.lock:
                    told = [] if self.floor.is_mute else self.floor.moved().take_updates()
                for update in told:
                    hear(update)
                await pause(LOOK, may_be_real=True)
        finally:
            alive.cancel()


class Market:
    """Bars, each when its minute is over; the quotes are the exchange's own."""

    def __init__(self, floor: LiveFloor) -> None:
        self.floor = floor
        self.followed: tuple[Symbol, ...] = ()

    async def run(self, hear: Callable[[Heard], None], show: Callable[[ConnectionStatus], None]) -> None:
        alive = asyncio.create_task(keeps_alive(self.floor, Channel.DATA, show))
        try:
            for bar in self.floor.bars:
                await pause((bar.end - self.floor.now()).total_seconds(), may_be_real=True)
                hear(BarArrived(bar, "the floor"))
            await asyncio.Event().wait()
        finally:
            alive.cancel()

    def follow(self, symbols: Sequence[Symbol]) -> None:
        self.followed = tuple(symbols)

    def quote(self, symbol: Symbol) -> Quote | NoQuote:
        if self.floor.unquoted:
            return NoQuote(self.floor.unquoted)
        with self.floor.lock:
            return self.floor.moved().quote(self.floor.now(), symbol)

    def history(self, symbols: Sequence[Symbol], start: datetime, end: datetime) -> list[BarArrived | MarketDataBroken]:
        return [BarArrived(b, "the floor") for b in self.floor.bars if b.symbol in symbols and start <= b.start < end]


class LiveHouse:
    """An engine under the live runtime, in a thread of its own; `view` is its newest picture."""

    def __init__(
        self,
        floor: LiveFloor,
        journal: MemoryJournal | None = None,
        settings: Settings | None = None,
        regime: RegimeWatch | None = None,
        steady: Callable[[], float] | None = None,
        news: NewsWatch | None = None,
    ) -> None:
        self.floor = floor
        self.journal = journal or MemoryJournal()
        self.switch = Switch()
        self.engine = Engine("live", Mode.PAPER, NewYorkHours(), self.journal)
        rebuild(self.engine.state, None)
        self.engine.apply(floor.now(), settings or Settings(), "live")
        self.runtime = LiveRuntime(
            self.engine,
            floor,
            floor.updates,
            floor.market,
            switch=self.switch,
            now=floor.machines_clock,
            regime=regime,
            news=news,
            steady=steady,
        )
        self.port = CommandPort(PortKind.CONSOLE, "/dev/pts/7", "lena")
        self.runtime.admit(self.port.known)
        self.view: DeskView | None = None
        self.runtime.on_beat(self._look)
        self.runtime.rest_while(lambda: True)
        self.failure: Exception | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            self.runtime.run()
        except Exception as error:  # told to who waits for the end
            self.failure = error

    def _look(self) -> None:
        self.view = self.runtime.view()

    def __enter__(self) -> LiveHouse:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.leaves()

    def leaves(self) -> None:
        self.runtime.leave()
        self.thread.join(60)
        assert not self.thread.is_alive()

    def ends(self) -> None:
        """It ends by itself; what it ended with is raised here."""
        self.thread.join(60)
        assert not self.thread.is_alive()
        if self.failure is not None:
            raise self.failure

    def presses(self, command: Command) -> None:
        self.runtime.send(self.port.through(command, self.engine.state.account_name))

    def accepts(self, picture: BrokerBooks) -> None:
        """The operator takes the broker's word."""
        self.runtime.send(AcceptBroker(picture))  # type: ignore[arg-type]  # an answer, as if it had been asked for

    def waits(self, holds: Callable[[DeskView], object], what: str, seconds: float = 60.0) -> DeskView:
        """The first picture of which it holds."""
        until(lambda: self.view is not None and holds(self.view), what, seconds)
        assert self.view is not None
        return self.view

    def held(self) -> Decimal:
        with self.floor.lock:
            return sum((p.quantity for p in self.floor.moved().books(self.floor.now()).positions), Decimal(0))
