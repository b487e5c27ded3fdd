"""The tasks that feed a live desk, and a delayed call on its loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from core.advisers.base import Adviser
from core.brokers.port import OrderStream
from core.engine import Engine
from core.market.port import MarketData
from core.model.account import ConnectionStatus
from core.model.values import Symbol
from core.runtime.advisers import AdviserPool
from core.runtime.chart_history import ChartWatch
from core.runtime.inbox import Inbox
from core.runtime.market_history import PastWatch, RegimeWatch
from core.runtime.reference_data import Announcements, AssetWatch, followed
from core.views.builders.desk import ViewBuilder


class _Stream(Protocol):
    async def run(self, hear: Callable[[Any], None], show: Callable[[ConnectionStatus], None], /) -> None: ...


class LiveStreams:
    """The streams of a live desk, in the engine's thread and loop; `LiveRuntime` documents its parts."""

    def __init__(
        self,
        engine: Engine,
        inbox: Inbox,
        clock: Callable[[], datetime],
        orders: OrderStream,
        market: MarketData,
        regime: RegimeWatch | None,
        past: PastWatch | None,
        announcements: Announcements | None,
        advisers: Sequence[Adviser],
        assets: AssetWatch | None = None,
        charts: ChartWatch | None = None,
    ) -> None:
        self.engine = engine
        self.inbox = inbox
        self.clock = clock
        self.orders = orders
        self.market = market
        self.regime = regime
        self.past = past
        self.announcements = announcements
        self.advisers = advisers
        self.assets = assets
        self.charts = charts
        self._followed: tuple[int, tuple[Symbol, ...]] = (-1, ())

    def begin(self) -> list[asyncio.Task[None]]:
        """Start the tasks, which run until cancelled; the order updates come first."""
        hear = self.inbox.hear_news
        found: dict[str, tuple[_Stream | None, Callable[[Any], None]]] = {
            "order updates": (self.orders, self.inbox.hear_update),
            "market data": (self.market, self.inbox.hear_market),
            "regime": (self.regime, hear),
            "days before today's": (self.past, hear),
            "corporate actions": (self.announcements, hear),
            "assets": (self.assets, hear),
            "charts": (self.charts, hear),
            "advisers": (self._consulting() if self.advisers else None, hear),
        }
        return [
            asyncio.create_task(self._keep_up(stream, hear), name=name)
            for name, (stream, hear) in found.items()
            if stream is not None
        ]

    async def _keep_up(self, stream: _Stream, hear: Callable[[Any], None]) -> None:
        """Run a stream; if it raises, which is a bug in it, report the error and restart it."""
        while True:
            try:
                await stream.run(hear, self.inbox.show)
            except asyncio.CancelledError:
                raise
            except Exception as error:
                self.engine.say(f"a stream ended unforeseen ({type(error).__name__}: {error}); it is begun again")
            await asyncio.sleep(1)

    def _consulting(self) -> AdviserPool:
        """Build the adviser pool; it draws its own views, so the operator's are not affected."""
        pictures, state = ViewBuilder(self.engine), self.engine.state
        terms = state.control.settings.advisers
        return AdviserPool(
            self.advisers,
            terms,
            lambda: pictures.draw(self.clock()),
            lambda name: name not in state.advice.state.paused,
        )

    def follow(self) -> None:
        """Follow every symbol that is held or on order, even if the settings do not name it."""
        sequence, before = self.engine.state.journal.sequence, self._followed[1]
        if sequence == self._followed[0]:
            return
        symbols = followed(self.engine.state)
        self._followed = (sequence, symbols)
        if symbols != before:
            self.market.follow(symbols)
            if self.past is not None:
                self.past.follow(symbols)
            if self.announcements is not None:
                self.announcements.follow(symbols)


class LaterCall:
    """`act` is the function to call."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act
        self._handle: asyncio.TimerHandle | None = None

    def unless_waiting(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        """Schedule the call; a pending one is kept."""
        if self._handle is None:
            self._handle = loop.call_later(seconds, self._run)

    def drop(self) -> None:
        """Cancel the pending call."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _run(self) -> None:
        self._handle = None
        self._act()
