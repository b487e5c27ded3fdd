"""The public API for user strategies: everything that one may import from this program.

`OwnStrategy` keeps its settings and its state, sizes entries as built-in strategies do (RK-10), and reports why no
entry is allowed now. docs/STRATEGIES.md shows a whole strategy.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar

from core.model.bar import Bar
from core.model.instrument import STOCK_TICKS
from core.model.order import StopHolder
from core.model.signal import Answer, EntrySignal, ExitReason, ExitSignal, NoTrade, NoTradeReason
from core.model.values import SUB_PENNY, ZERO, Price, Quantity, rounded_down
from core.risk.sizing import WantedEntry, size_of
from core.strategies.base import NO_SETUP, WARMING_UP, ZERO_SIZE, Context, Figures, leaving, not_now, shut

__all__ = [
    "NO_SETUP",
    "WARMING_UP",
    "ZERO_SIZE",
    "Answer",
    "Bar",
    "Context",
    "ExitReason",
    "Figures",
    "NoSettings",
    "NoTrade",
    "NoTradeReason",
    "OwnStrategy",
    "Price",
    "Quantity",
]


@dataclass(frozen=True, slots=True)
class NoSettings:
    """The settings of a strategy without settings."""


class OwnStrategy:
    """The base class of a user strategy. It reads complete bars and can only propose (OP-01).

    Attributes
    ----------
    name
        The name of its file, its settings table and its orders.
    Settings
        A dataclass or a pydantic model of its settings, beside those that the desk itself reads.
    State
        A dataclass with slots of plain values, which can be made without arguments: its whole memory (ST-01).
    quantity_step
        Shares; sizes are rounded down to it.
    """

    name: ClassVar[str]
    Settings: ClassVar[type] = NoSettings
    State: ClassVar[type]
    quantity_step: ClassVar[Decimal] = Decimal("0.001")

    def __init__(self, settings: Any, state: Any) -> None:
        self.settings = settings
        self.state = state

    def figures(self, day: date) -> Figures:
        """Return the trading day's figures for display: pairs of name and text."""
        return ()

    def refusal(self, bar: Bar, context: Context) -> NoTrade | None:
        """Return why no entry is allowed on this bar; None if one is (ST-03)."""
        return shut(context, is_enabled=True) or not_now(bar, context)

    def buy(
        self, bar: Bar, context: Context, *, stop: Decimal, reason: str, target: Decimal | None = None
    ) -> EntrySignal | NoTrade:
        """Enter at the bar's close with a stop at the broker; sized so that the stop loses the risk of a trade.

        `stop` and `target` are USD and are rounded to their tick.
        """
        limit, stop_price = Price(rounded_down(bar.close, STOCK_TICKS.at(bar.close))), STOCK_TICKS.nearest(stop)
        wanted = WantedEntry(
            risk=context.risk_per_trade,
            price=limit,
            way=limit - stop_price,
            max_notional=context.max_notional,
            step=self.quantity_step,
            least=context.min_notional,
        )
        quantity = size_of(wanted, context.conditions()).quantity if ZERO < stop_price < limit else Quantity(ZERO)
        if quantity <= ZERO:
            return ZERO_SIZE
        return EntrySignal(
            strategy=self.name,
            symbol=bar.symbol,
            bar_start=bar.start,
            limit_price=limit,
            stop_price=stop_price,
            stop_holder=StopHolder.BROKER,
            quantity=quantity,
            reference=Price(bar.close.quantize(SUB_PENNY)),
            reason=reason,
            target_price=None if target is None else STOCK_TICKS.nearest(target),
        )

    def sell(self, bar: Bar, context: Context, why: ExitReason, reason: str) -> ExitSignal:
        """Sell the whole position at the market."""
        return leaving(self.name, bar, context.held, (why, reason), None)
