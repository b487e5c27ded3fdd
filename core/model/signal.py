"""What a strategy answers to a bar: a signal to enter or to leave, or a named reason for doing nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, StrEnum

from core.model.order import StopHolder
from core.model.values import Price, Quantity, Symbol


class NoTradeReason(StrEnum):
    """Why a strategy looked at a bar and did nothing (ST-03)."""

    DISABLED = "DISABLED"
    PAUSED = "PAUSED"
    DAY_DISABLED = "DAY_DISABLED"
    WARMING_UP = "WARMING_UP"
    NO_VWAP = "NO_VWAP"
    THIN_VOLUME = "THIN_VOLUME"
    OUTSIDE_WINDOW = "OUTSIDE_WINDOW"
    IN_POSITION = "IN_POSITION"
    MAX_TRADES_REACHED = "MAX_TRADES_REACHED"
    PROPOSAL_WAITING = "PROPOSAL_WAITING"
    PRICE_ABOVE_THRESHOLD = "PRICE_ABOVE_THRESHOLD"
    ZERO_SIZE = "ZERO_SIZE"
    WEAK_SETUP = "WEAK_SETUP"
    INCOMPLETE_BAR = "INCOMPLETE_BAR"


class ExitReason(Enum):
    """Why a trade ended (EX-18)."""

    STOP_LOSS = "STOP_LOSS"
    TAKE_PROFIT = "TAKE_PROFIT"
    TRAILING_STOP = "TRAILING_STOP"
    MEAN_REVERSION = "MEAN_REVERSION"
    TIME_EXIT = "TIME_EXIT"
    FORCE_FLAT = "FORCE_FLAT"
    MANUAL = "MANUAL"
    KILL = "KILL"
    EXECUTION_ERROR = "EXECUTION_ERROR"
    BROKER_REJECT = "BROKER_REJECT"


@dataclass(frozen=True, slots=True)
class EntrySignal:
    """Buy, at a limit, with a stop: what a strategy proposes.

    `bar_start` names the bar that made it; `reference` is the figure it was measured against (VWAP here), USD.
    """

    strategy: str
    symbol: Symbol
    bar_start: datetime
    limit_price: Price
    stop_price: Price
    stop_holder: StopHolder
    quantity: Quantity
    reference: Price
    reason: str


@dataclass(frozen=True, slots=True)
class ExitSignal:
    """Leave, at the market. `quantity` is what to sell, always within the position."""

    strategy: str
    symbol: Symbol
    bar_start: datetime
    quantity: Quantity
    exit_reason: ExitReason
    intended_price: Price
    reference: Price
    reason: str


@dataclass(frozen=True, slots=True)
class NoTrade:
    """Nothing to do, and why."""

    reason: NoTradeReason


Answer = EntrySignal | ExitSignal | NoTrade
