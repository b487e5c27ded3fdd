"""The real desk in a terminal, on the real engine, which writes down the instant at which its gateway's latch was shut.

Arguments: the file, and whether the market floods it with 2,000 quotes a second.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from console.client.handle import EngineHandle
from console.desk import DeskApp
from console.frame_loop import choose_moments
from core.brokers.simulated.exchange import SimulatedExchange
from core.engine import Engine
from core.messages.commands import Command, Halt, Kill
from core.messages.inputs import BarArrived, QuoteArrived
from core.model.account import Mode
from core.model.bar import Feed, Quote
from core.model.values import Price
from core.runtime.feed import bar_item
from core.runtime.inbox import Link
from core.runtime.simulated_exchange import config_of
from core.runtime.virtual import VirtualRuntime
from core.runtime.virtual_time import Pace
from core.settings.settings import Settings
from state.journal import MemoryJournal
from tests.desk.desk_house import SPY, market
from tests.scenarios.house import Switch
from tests.unit.core.brokers.trading_floor import Notebook

A_BEAT = 40
"""Quotes a beat; fifty beats a second."""


class TimedRuntime(VirtualRuntime):
    """What `send` does is the latch: when it returns, nothing new leaves."""

    descriptor = -1

    def send(self, command: Command) -> None:
        super().send(command)
        if isinstance(command, Halt | Kill):
            os.write(self.descriptor, f"{time.monotonic():.9f}\n".encode())

    def flooded(self, act: Callable[[], None]) -> Callable[[], None]:
        def beat() -> None:
            act()
            at = self.clock()
            quote = self.exchange.quote(self.at, SPY)
            if not isinstance(quote, Quote) or self.at < at - timedelta(minutes=1):
                return
            for number in range(A_BEAT):
                bid = Price(quote.bid + Decimal(number % 7 - 3) / 100)
                moved = replace(quote, at=at, bid=bid, ask=Price(bid + Decimal("0.02")), feed=Feed.RECORDED)
                self.exchange.take_quote(moved)
                self.take(at, QuoteArrived(moved))

        return beat


def opened(path: str, is_flooded: bool) -> TimedRuntime:
    calendar, bars, proposed_at = market()
    settings = Settings()
    engine = Engine("bench", Mode.PAPER, calendar, MemoryJournal())
    engine.apply(bars[0].start, settings, "bench")
    pace = Pace(1.0)
    pace.free_until = proposed_at + timedelta(milliseconds=200)
    terms: dict[str, Any] = {"start": bars[0].start, "switch": Switch(), "link": Link(), "pace": pace}
    exchange = SimulatedExchange(config_of(settings, "bench", "1"), calendar, Notebook())
    runtime = TimedRuntime(engine, exchange, (bar_item(BarArrived(bar, "seed 1")) for bar in bars), **terms)
    runtime.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    if is_flooded:
        on_beat = runtime.on_beat
        runtime.on_beat = lambda act: on_beat(runtime.flooded(act))  # type: ignore[method-assign]
    return runtime


def main() -> None:
    path, flood = sys.argv[1:]
    sys.setswitchinterval(0.001)
    choose_moments()
    DeskApp(EngineHandle(lambda _stack: opened(path, flood == "flood"))).run()


if __name__ == "__main__":
    main()
