"""The demo's opening state: a swing account in the lively market, with three positions and several strategies.

A script buys the positions before the desk opens, with regular proposals, tickets and fills; then it hands over the
keyboard for good. Tickets and proposals live longer than usual: a first ticket takes a minute to read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from core.messages.commands import Command, ProposeOrder
from core.model.bar import Bar
from core.model.instrument import STOCK_TICKS
from core.model.order import Effect, OrderType, StopHolder
from core.model.session import Session
from core.model.staging import MANUAL
from core.model.values import Price, Quantity, Symbol
from core.runtime.demo_market import DemoMarket
from core.runtime.scripted_operator import ConfirmAll
from core.trading_state.state import TradingState

BOUGHT = {Symbol("AAPL"): 40, Symbol("IBM"): 27, Symbol("XOM"): 60}
"""Shares, bought manually; the strategies do not trade these symbols."""
TRADED = ("SPY", "QQQ", "IWM", "MSFT", "BAC")
LOOKS = {"symbols": list(TRADED), "quantity_step": "1"}
PLANS = {"enabled": True, "stop_ranges": "4", "target_ranges": "6", **LOOKS}
STAGE: Mapping[str, object] = {
    "profile": "swing",
    "symbols": [*TRADED, *BOUGHT],
    "staging": {"ticket_seconds": "180", "signal_seconds": "240"},
    "risk": {"entries_a_day": 40, "window_start": "10:05"},
    "strategies": {
        "vwap": {"entry_deviation": "0.0015", "stop_fraction": "0.004", **LOOKS},
        "momentum": {"bars": 6, "minimum_gain": "0.002", "volume_factor": "0.9", **PLANS},
        "breakout": {"bars": 12, "volume_factor": "0.9", "maximum_false": 1000, **PLANS},
        "mean_reversion": {"deviations": "1.5", **PLANS, "target_ranges": "0"},
        "sma": {"pairs": [[3, 9]], "regime_filter": False, "minimum_confidence": "0", **PLANS},
    },
}
"""Overlaid on the profile, and below the operator's own settings."""

LEAD_BARS = timedelta(minutes=35)
"""Time of the first session before the desk opens: by then the strategies know their averages and may enter."""
BUY_AFTER = LEAD_BARS + timedelta(seconds=2)
ROOM, STOP_BELOW, TARGET_ABOVE = Decimal("1.003"), Decimal("0.985"), Decimal("1.03")
"""Fractions of the price: a limit that certainly fills, the stop and the target."""


@dataclass(frozen=True, slots=True)
class Purchase:
    symbol: Symbol
    shares: int
    price: Price


class OpeningScript:
    """Buy the demo's opening positions, confirm their tickets, and hand over the keyboard.

    Attributes
    ----------
    ends
        When the script ends in any case.
    """

    def __init__(self, state: TradingState, market: DemoMarket, seed: int, session: Session, ends: datetime) -> None:
        self.state = state
        self.ends = ends
        self._at: datetime | None = session.open + BUY_AFTER
        self._confirming = ConfirmAll(state, lambda proposal: proposal.strategy == MANUAL)
        self._purchases = [
            Purchase(symbol, shares, price)
            for symbol, shares in BOUGHT.items()
            if (price := _price_at(market.minutes(seed, symbol, session), session.open + BUY_AFTER)) is not None
        ]

    def next_at(self) -> datetime | None:
        return min((at for at in (self._at, self._confirming.next_at()) if at is not None), default=None)

    def press(self, at: datetime) -> Iterator[Command]:
        if self._at is None or self._at > at:
            yield from self._confirming.press(at)
        elif self._purchases:
            yield _bought(self._purchases.pop(0))
            self._at = at + timedelta(seconds=5) if self._purchases else self.ends
        else:
            self._confirming.retire()
            self._at = None

    def in_words(self) -> str | None:
        """Describe the progress; None when done."""
        if self._at is None:
            return None
        return f"preparing the demo: {len(self.state.ledger.positions())} of {len(BOUGHT)} positions"


def _price_at(minutes: Sequence[Bar], at: datetime) -> Price | None:
    return next((bar.open for bar in minutes if bar.start >= at), None)


def _bought(purchase: Purchase) -> ProposeOrder:
    limit, stop, target = (STOCK_TICKS.nearest(purchase.price * part) for part in (ROOM, STOP_BELOW, TARGET_ABOVE))
    quantity = Quantity(Decimal(purchase.shares))
    return ProposeOrder(
        purchase.symbol, Effect.OPEN, quantity, OrderType.LIMIT, limit, stop, StopHolder.BROKER, target_price=target
    )
