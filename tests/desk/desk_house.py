"""A desk on a real engine, for the tests beside it: the demo's market, opened as its first proposal waits."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

import pyte
import pytest
from textual.pilot import Pilot

from console.client.access import NO_SURROUNDINGS, HostFiles, a_console_port
from console.desk import DeskApp
from console.display import DisplayTerms
from console.screens.kill import KillScreen
from console.screens.ticket import TicketScreen
from console.terminal.writer import tight
from core.brokers.simulated.exchange import SimulatedExchange
from core.engine import Engine
from core.facts import ConfirmationReceived, Fact, OrderCreated
from core.market.calendar import ExchangeCalendar, load_calendar
from core.market.synthetic import synthetic_day
from core.messages.command_ports import CommandPort
from core.messages.commands import ProposeOrder
from core.messages.inputs import BarArrived
from core.model.account import Mode
from core.model.bar import Bar
from core.model.order import Effect, OrderType, StopHolder
from core.model.values import Price, Quantity, Symbol
from core.runtime import demo
from core.runtime.feed import bar_item
from core.runtime.inbox import Link
from core.runtime.simulated_exchange import config_of
from core.runtime.virtual import VirtualRuntime
from core.runtime.virtual_time import Pace
from core.settings.settings import Settings
from core.views import DeskView
from state.journal import MemoryJournal
from tests.kit import virtual_time
from tests.kit.screen import text_of
from tests.kit.stepped_engine import SteppedHandle, WiredHandle
from tests.kit.styled import STYLES
from tests.kit.waiting import TIMEOUT
from tests.scenarios.house import Switch
from tests.unit.core.brokers.trading_floor import STORIES, Notebook

F = TypeVar("F", bound=Fact)
SPY = Symbol("SPY")
at_both_ends = pytest.mark.parametrize("handled_by", [SteppedHandle, WiredHandle], ids=["called", "over the wire"])
"""The engine is called, or all that is said crosses as bytes, as through its socket."""
RULES: dict[str, Any] = {**STORIES}
"""Of the exchange under the desk; a story may change them."""


@cache
def market() -> tuple[ExchangeCalendar, tuple[Bar, ...], datetime]:
    """The calendar, the day's bars, and the end of the first bar that VWAP buys."""
    calendar = load_calendar(demo.FIRST_DAY, demo.FIRST_DAY + timedelta(days=10))
    session = demo.sessions_from(calendar, demo.FIRST_DAY)[0]
    begin = demo.opening_instant(1, Settings(), demo.sessions_from(calendar, demo.FIRST_DAY)[0], calendar.venue)
    return calendar, tuple(synthetic_day(1, SPY, session)), begin + demo.LEAD


class WatchedDesk(DeskApp):
    """With a terminal that holds exactly what was sent to it: what a forgotten repaint leaves stale stays stale there.

    `picture()` draws anew and cannot tell.
    """

    CSS_PATH = STYLES

    def __init__(self, *arguments: Any, **parts: Any) -> None:
        super().__init__(*arguments, **parts)
        self.terminal = pyte.Screen(1, 1)
        self._stream = pyte.Stream(self.terminal)
        self.bytes_sent = 0
        self._read = (-1, "")

    def text(self) -> str:
        """What stands on the terminal."""
        if self._read[0] != self.bytes_sent:
            self._read = self.bytes_sent, "\n".join(self.terminal.display)
        return self._read[1]

    def _display(self, screen: Any, renderable: Any) -> None:
        if renderable is not None and screen is self.screen:
            width, height = self.size
            if (self.terminal.columns, self.terminal.lines) != (width, height):
                self.terminal.resize(height, width)
            update = tight(renderable)
            text = update.render_segments(self.console)  # type: ignore[union-attr]
            self._stream.feed("\x1b[H" + text.replace("\n", "\r\n"))
            self.bytes_sent += len(text.encode())
        super()._display(screen, renderable)


class HeldClock:
    """The console's clock, which may be held while keys are pressed."""

    def __init__(self) -> None:
        self._held: float | None = None

    def __call__(self) -> float:
        return virtual_time.now() if self._held is None else self._held

    @contextmanager
    def held(self) -> Iterator[None]:
        self._held = virtual_time.now()
        yield
        self._held = None


@dataclass
class House:
    """The desk, its hands, and what the engine wrote down."""

    desk: DeskApp
    pilot: Pilot[Any]
    runtime: VirtualRuntime
    port: CommandPort = field(default_factory=a_console_port)
    """What commands of desks come through."""

    async def until(self, holds: Callable[[], object]) -> None:
        end = virtual_time.now() + TIMEOUT
        await self.pilot.pause()
        while not holds():
            assert virtual_time.now() < end, f"did not happen in {TIMEOUT:g} s:\n{self.picture()}"
            await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        """Several are one right behind the other: the console's clock stands."""
        clock = self.desk.now
        with clock.held() if isinstance(clock, HeldClock) and len(keys) > 1 else nullcontext():
            await self.pilot.press(*keys)

    async def wait(self, seconds: float) -> None:
        """The clock goes on, for the desk and for its engine."""
        await self.pilot.pause(seconds)

    async def opens_the_ticket(self) -> TicketScreen:
        await self.until(lambda: self.shows("1 waiting"))
        await self.press("enter")
        await self.until(self.is_armed)
        ticket = self.desk.screen
        assert isinstance(ticket, TicketScreen)
        return ticket

    async def opens_the_ticket_of(self, order: str) -> TicketScreen:
        """The ticket of the row that begins so, as `0.1 SPY`."""
        view = self.desk.view
        assert view is not None
        row = next(row for row in view.proposals if f"{row.quantity.normalize()} {row.symbol}" == order)
        self.desk.open_ticket(row.id)
        await self.until(self.is_armed)
        ticket = self.desk.screen
        assert isinstance(ticket, TicketScreen)
        return ticket

    async def buys(self) -> None:
        """What VWAP proposes, with its stop at the broker."""
        await self.opens_the_ticket()
        await self.press("B")
        await self.until(lambda: self.shows("broker 0.1"))

    async def kills(self) -> None:
        await self.press("ctrl+k")
        await self.until(lambda: isinstance(self.desk.screen, KillScreen))
        await self.press("K")
        await self.until(lambda: self.shows("KILLED since"))

    def goes_live(self) -> None:
        """The console is told of a live account; live trading itself is shut elsewhere (OP-10)."""
        draw = self.runtime.view

        def live() -> DeskView:
            view = draw()
            return replace(view, status=replace(view.status, mode=Mode.LIVE))

        self.runtime.view = live  # type: ignore[method-assign]

    def is_armed(self) -> bool:
        """By the terminal's own word, or by time."""
        return any(
            (" armed " in line and "not armed" not in line and "armed in" not in line) or " armed, by time" in line
            for line in self.picture().splitlines()
        )

    def picture(self) -> str:
        """The screen as text."""
        return text_of(self.desk)

    def shows(self, *texts: str) -> bool:
        """Whether all of it stands there; columns may put more space between two words."""
        picture = self.picture()
        squeezed = re.sub(" +", " ", picture)
        return all(text in picture or text in squeezed for text in texts)

    async def sees(self, *texts: str) -> None:
        """Until all of it stands there: a fact is recorded before it is painted."""
        await self.until(lambda: self.shows(*texts))

    def stands(self, *texts: str) -> bool:
        """Whether the terminal of a watched desk shows it."""
        assert isinstance(self.desk, WatchedDesk)
        shown = self.desk.text()
        return all(text in shown for text in texts)

    def footer(self) -> str:
        return self.picture().splitlines()[-1]

    def facts(self, kind: type[F]) -> list[F]:
        records = self.runtime.engine.state.journal.records()
        return [record.fact for record in records if isinstance(record.fact, kind)]

    def sent_nothing(self) -> bool:
        return not self.facts(ConfirmationReceived) and not self.facts(OrderCreated)

    def types_an_order(self, quantity: str = "0.09", limit: str = "496.00") -> None:
        """A second proposal, as the order form sends it."""
        self.desk.handle.send(
            ProposeOrder(
                SPY,
                Effect.OPEN,
                Quantity(Decimal(quantity)),
                OrderType.LIMIT,
                Price(Decimal(limit)),
                Price(Decimal("494.00")),
                StopHolder.BROKER,
            )
        )


@asynccontextmanager
async def open_desk(
    size: tuple[int, int] = (120, 40),
    now: Callable[[], float] | None = None,
    ready: bool = True,
    kind: type[DeskApp] = DeskApp,
    handled_by: type[SteppedHandle] = SteppedHandle,
    settings: Settings | None = None,
    surroundings: HostFiles = NO_SURROUNDINGS,
    display: DisplayTerms | None = None,
) -> AsyncIterator[House]:
    """A desk with one proposal waiting."""
    runtime = _runtime(settings)
    handle = handled_by(runtime)
    desk = kind(handle, now or HeldClock(), surroundings, display)
    async with desk.run_test(size=size) as pilot:
        house = House(desk, pilot, runtime, handle.port)
        if ready:
            await house.until(lambda: desk.view is not None and desk.view.proposals)
            await house.wait(0.15)
        try:
            yield house
        finally:
            handle.close("the test is over", TIMEOUT)


def _runtime(settings: Settings | None = None) -> VirtualRuntime:
    settings = settings or Settings()
    calendar, bars, proposed_at = market()
    start = bars[0].start
    engine = Engine("test", Mode.PAPER, calendar, MemoryJournal())
    engine.apply(start, settings, "test")
    pace = Pace(1.0)
    pace.free_until = proposed_at + timedelta(milliseconds=200)
    return VirtualRuntime(
        engine,
        SimulatedExchange(replace(config_of(settings, "test", "1"), **RULES), calendar, Notebook()),
        (bar_item(BarArrived(bar, "seed 1")) for bar in bars),
        start=start,
        switch=Switch(),
        link=Link(timedelta(milliseconds=20)),
        pace=pace,
    )
