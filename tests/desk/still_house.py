"""A desk before one picture that stands still: the engine's own, with what a test says otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from textual.pilot import Pilot

from console.client.access import Owed, nobody_looks
from console.client.handle import EngineHandle
from console.desk import DeskApp
from core.model.desk import DeskNumber
from core.model.holding import Health
from core.model.order import Effect, OrderStatus, OrderType, Side, StopHolder
from core.model.signal import ExitReason
from core.model.values import ClientOrderId, Fraction, Money, Price, ProposalId, Quantity, Symbol
from core.runtime.runtime import Runtime
from core.views import (
    ChartBar,
    ChartFill,
    ChartView,
    DeskView,
    OrderRow,
    PositionRow,
    ProposalRow,
    ProtectionRow,
    ResultRow,
    StatusView,
    StrategyRow,
    TradeRow,
)
from tests.desk.desk_house import SPY, House, _runtime, market
from tests.kit import virtual_time


class StillHandle(EngineHandle):
    """Shows what it is given; no engine runs behind it."""

    owes_press: Owed | None = None  # type: ignore[assignment]

    def __init__(self, view: DeskView) -> None:
        super().__init__(_nothing_to_run)
        self.view = view
        self.commands: list[object] = []
        self.watched: list[Symbol | None] = []
        self.number: DeskNumber | None = None

    @property
    def desk(self) -> DeskNumber | None:
        return self.number

    def start(self, on_news: Callable[[], None] = nobody_looks) -> None:
        """There is nothing to start."""

    def send(self, command: object) -> None:
        self.commands.append(command)

    def watch(self, symbol: Symbol | None) -> None:
        self.watched.append(symbol)

    def clock(self) -> datetime | None:
        return self.view.status.at if isinstance(self.view, DeskView) else None

    def show(self, **parts: Any) -> None:
        """The next picture differs in these parts."""
        assert isinstance(self.view, DeskView)
        self.view = replace(self.view, number=self.view.number + 1, **parts)


def _nothing_to_run(_stack: ExitStack) -> Runtime:
    raise AssertionError("this desk has no engine")


class StillHouse(House):
    """The desk, and the picture before it."""

    handle: StillHandle

    async def shows_next(self, **parts: Any) -> None:
        self.handle.show(**parts)
        await self.is_drawn()

    async def is_drawn(self) -> None:
        self.desk._look_at_once()
        await self.until(lambda: self.desk.view is self.handle.view)
        await self.pilot.pause()
        await self.pilot.pause()


_NO_ENGINE: Any = None


@asynccontextmanager
async def open_still(view: DeskView, size: tuple[int, int] = (120, 40), **terms: Any) -> AsyncIterator[StillHouse]:
    handle = StillHandle(view)
    desk = DeskApp(handle, **{"now": virtual_time.now, **terms})
    async with desk.run_test(size=size) as pilot:
        house = still_house(desk, pilot, handle)
        await house.is_drawn()
        yield house


def still_house(desk: DeskApp, pilot: Pilot[Any], handle: StillHandle) -> StillHouse:
    house = StillHouse(desk, pilot, _NO_ENGINE)
    house.handle = handle
    return house


@cache
def the_engines_view() -> DeskView:
    """The demo's desk as its first proposal waits."""
    runtime = _runtime()
    runtime.run(until=market()[2] + timedelta(milliseconds=100))
    return runtime.view()


def a_view(**parts: Any) -> DeskView:
    """That view with other parts; `status` is given as a mapping of what differs."""
    view = the_engines_view()
    status: StatusView = replace(view.status, **parts.pop("status", {}))
    return replace(view, status=status, **parts)


def dollars(text: str) -> Money:
    return Money(Decimal(text))


def a_trade(symbol: str = "SPY", **parts: Any) -> TradeRow:
    at = the_engines_view().status.at
    terms: dict[str, Any] = {
        "key": f"{symbol}/exit", "strategy": "vwap", "symbol": Symbol(symbol), "quantity": Quantity(Decimal("0.1")),
        "entry_time": at - timedelta(minutes=9), "entry_price": Price(Decimal("495.21")), "exit_time": at,
        "exit_price": Price(Decimal("496.40")), "exit_reason": ExitReason.MEAN_REVERSION, "profit": dollars("0.12"),
        "slippage": dollars("0.01"),
    }  # fmt: skip
    return TradeRow(**{**terms, **parts})


def a_result(strategy: str = "vwap", **parts: Any) -> ResultRow:
    terms: dict[str, Any] = {
        "trades": 2, "wins": 1, "realised": dollars("12.40"), "unrealised": dollars("-3.10"), "declined": 2,
        "shadow": dollars("-41"),
    }  # fmt: skip
    return ResultRow(strategy=strategy, **{**terms, **parts})


def a_position(symbol: str = "SPY", **parts: Any) -> PositionRow:
    terms: dict[str, Any] = {
        "key": f"{symbol}/vwap", "symbol": Symbol(symbol), "strategy": "vwap", "quantity": Quantity(Decimal(47)),
        "average_price": Price(Decimal("166.76")), "last": Price(Decimal("167.00")),
        "last_at": the_engines_view().status.at, "profit": dollars("11.28"), "result_in_risk": Decimal("0.5"),
        "stop_price": Price(Decimal("166.26")), "holder": StopHolder.BROKER, "covered": Quantity(Decimal(47)),
        "is_closing": False, "health": Health(days_held=0, way_to_stop=Fraction(Decimal("0.0044"))),
    }  # fmt: skip
    return PositionRow(**{**terms, **parts})


def an_order(number: int = 1, symbol: str = "SPY", **parts: Any) -> OrderRow:
    at = the_engines_view().status.at
    terms: dict[str, Any] = {
        "id": ClientOrderId(f"order-{number}"), "strategy": "vwap", "side": Side.BUY, "effect": Effect.OPEN,
        "quantity": Quantity(Decimal(47)), "symbol": Symbol(symbol), "type": OrderType.LIMIT,
        "limit_price": Price(Decimal("166.76")), "stop_price": None, "status": OrderStatus.SUBMITTED,
        "filled_quantity": Quantity(Decimal(0)), "average_price": None, "created_at": at, "ended_at": None,
        "expires_at": None, "is_protective": False, "marks": (), "reason": "",
    }  # fmt: skip
    return OrderRow(**{**terms, **parts})


def an_exit(symbol: str = "SPY", **parts: Any) -> ProposalRow:
    at = the_engines_view().status.at
    terms: dict[str, Any] = {
        "id": ProposalId(f"exit-{symbol}"), "strategy": "vwap", "side": Side.SELL, "effect": Effect.CLOSE,
        "quantity": Quantity(Decimal(100)), "symbol": Symbol(symbol), "type": OrderType.MARKET, "limit_price": None,
        "stop_price": Price(Decimal("48.43")), "exit_reason": ExitReason.STOP_LOSS, "reference": None, "risk": None,
        "reason": "stop hit", "staged_at": at - timedelta(seconds=21), "expires_at": None, "is_confirming": False,
    }  # fmt: skip
    return ProposalRow(**{**terms, **parts})


def a_chart(symbol: str = "SPY", minutes: int = 60, **parts: Any) -> ChartView:
    """The market's own first minutes, with VWAP as it was at each."""
    bars, volume, value = [], Decimal(0), Decimal(0)
    for bar in market()[1][:minutes]:
        volume += bar.volume
        value += bar.volume * (bar.high + bar.low + bar.close) / 3
        bars.append(ChartBar(bar.start, bar.open, bar.high, bar.low, bar.close, Price(value / volume), bar.volume))
    terms: dict[str, Any] = {"bars": tuple(bars), "entries": (), "stops": (), "fills": ()}
    return ChartView(symbol=Symbol(symbol), **{**terms, **parts})


def a_held_chart(minutes: int = 75) -> ChartView:
    """Bought at the first proposal, sold in part later."""
    bars = market()[1]
    bought, sold = bars[53], bars[68]
    return a_chart(
        minutes=minutes,
        entries=(Price(bought.close),),
        stops=(Price((bought.close * Decimal("0.997")).quantize(Decimal("0.01"))),),
        fills=(ChartFill(bought.end, Side.BUY, bought.close), ChartFill(sold.end, Side.SELL, sold.close)),
    )


def a_protection(name: str = "Daily loss", used: str | None = "0", **parts: Any) -> ProtectionRow:
    terms: dict[str, Any] = {
        "key": name.lower(), "measure": "0.00 of 2,000 USD", "used": None if used is None else Decimal(used),
        "is_tripped": False, "reason": "equity since the day began", "since": None, "until": None,
    }  # fmt: skip
    return ProtectionRow(name=name, **{**terms, **parts})


def a_strategy(symbol: str = "SPY", **parts: Any) -> StrategyRow:
    terms: dict[str, Any] = {
        "key": f"vwap/{symbol}", "strategy": "vwap", "symbol": Symbol(symbol), "last_answer": "PRICE_ABOVE_THRESHOLD",
        "times": 12, "anomaly": "", "is_paused": False,
        "reasons": (("PRICE_ABOVE_THRESHOLD", 12), ("WARMING_UP", 20)), "figures": (("VWAP", "167.29"),),
    }  # fmt: skip
    return StrategyRow(**{**terms, **parts})


__all__ = ["SPY", "Price", "Symbol"]
