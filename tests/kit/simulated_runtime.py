"""A runtime on the simulated exchange with one morning of bars, and an order to propose to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from core.brokers.simulated.exchange import SimulatedExchange
from core.engine import Engine
from core.messages.commands import ProposeOrder
from core.messages.inputs import BarArrived
from core.model.account import Mode
from core.model.order import Effect, OrderType, StopHolder
from core.model.values import Price, Quantity, Symbol
from core.runtime.feed import bar_item
from core.runtime.inbox import Link
from core.runtime.simulated_exchange import config_of
from core.runtime.virtual import VirtualRuntime
from core.runtime.virtual_time import Pace
from core.settings.settings import Settings
from state.journal import MemoryJournal
from tests.accidents.house import OPENED_AFTER, market, settings
from tests.scenarios.house import Switch
from tests.unit.core.brokers.trading_floor import STORIES, Notebook


def runtime(agents: Mapping[str, Mapping[str, object]] | None = None, **tables: object) -> VirtualRuntime:
    """With these agents, and other tables, in its settings."""
    calendar, bars = market()
    begin = bars[0].start + OPENED_AFTER
    engine = Engine("test", Mode.PAPER, calendar, MemoryJournal())
    terms = Settings.model_validate({**settings().model_dump(), "agents": agents or {}, **tables})
    engine.apply(bars[0].start, terms, "test")
    pace = Pace(1.0)
    pace.free_until = begin
    return VirtualRuntime(
        engine,
        SimulatedExchange(replace(config_of(settings(), "test", "1"), **STORIES), calendar, Notebook()),
        (bar_item(BarArrived(bar, "seed 1")) for bar in bars),
        start=bars[0].start,
        switch=Switch(),
        link=Link(timedelta(milliseconds=20)),
        pace=pace,
    )


def order_in(symbol: Symbol, effect: Effect, price: Decimal) -> ProposeOrder:
    sign = 1 if effect is Effect.OPEN else -1
    limit = price + sign * Decimal("0.30")
    stop = limit - sign * 4
    return ProposeOrder(
        symbol, effect, Quantity(Decimal(3)), OrderType.LIMIT, Price(limit), Price(stop), StopHolder.BROKER
    )
