"""Answers of a strategy to a bar, and the nightly evaluation of a strategy (ST-10)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, StrEnum

from core.model.lazy_dataclass import dataclass
from core.model.order import StopHolder
from core.model.values import Fraction, Price, Quantity, Symbol


class NoTradeReason(StrEnum):
    """Why a strategy did nothing on a bar (ST-03)."""

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
    BACK_PRESSURE = "BACK_PRESSURE"
    PRICE_ABOVE_THRESHOLD = "PRICE_ABOVE_THRESHOLD"
    ZERO_SIZE = "ZERO_SIZE"
    WEAK_SETUP = "WEAK_SETUP"
    NO_SETUP = "NO_SETUP"
    WRONG_REGIME = "WRONG_REGIME"
    LOW_CONFIDENCE = "LOW_CONFIDENCE"
    FALSE_BREAKOUTS = "FALSE_BREAKOUTS"
    NO_RECOMMENDATION = "NO_RECOMMENDATION"
    RECOMMENDATION_INVALID = "RECOMMENDATION_INVALID"
    RECOMMENDATION_EXPIRED = "RECOMMENDATION_EXPIRED"
    RECOMMENDATION_AWAY = "RECOMMENDATION_AWAY"
    RECOMMENDATION_CONTRADICTED = "RECOMMENDATION_CONTRADICTED"
    INCOMPLETE_BAR = "INCOMPLETE_BAR"
    MISSING = "MISSING"


class ExitReason(Enum):
    """Why a trade ended (EX-18).

    The last two mean that it should have ended before: the broker refused the last exit, or it never arrived there, and
    another order closed the trade. That order's purpose is recorded beside it.
    """

    STOP_LOSS = "STOP_LOSS"
    TAKE_PROFIT = "TAKE_PROFIT"
    TRAILING_STOP = "TRAILING_STOP"
    MEAN_REVERSION = "MEAN_REVERSION"
    SIGNAL = "SIGNAL"
    TIME_EXIT = "TIME_EXIT"
    FORCE_FLAT = "FORCE_FLAT"
    MANUAL = "MANUAL"
    KILL = "KILL"
    EXECUTION_ERROR = "EXECUTION_ERROR"
    BROKER_REJECT = "BROKER_REJECT"


EXIT_WORDS: Mapping[ExitReason, tuple[str, str]] = {
    ExitReason.STOP_LOSS: ("STOP HIT", "stop"),
    ExitReason.TAKE_PROFIT: ("target reached", "target"),
    ExitReason.TRAILING_STOP: ("trailing stop", "trail"),
    ExitReason.MEAN_REVERSION: ("back at mean", "mean"),
    ExitReason.SIGNAL: ("signal turned", "signal"),
    ExitReason.TIME_EXIT: ("held too long", "time"),
    ExitReason.FORCE_FLAT: ("flat by close", "close"),
    ExitReason.MANUAL: ("manual", "manual"),
    ExitReason.KILL: ("flatten", "kill"),
    ExitReason.EXECUTION_ERROR: ("execution error", "error"),
    ExitReason.BROKER_REJECT: ("broker reject", "reject"),
}
"""Text of each: on a waiting exit, at most 14 letters, and on a closed trade, six."""
FAILED = frozenset({ExitReason.EXECUTION_ERROR, ExitReason.BROKER_REJECT})
"""Reasons that are no trading result: counted apart (`Trade.is_failed`)."""
FAILED_WORDS = "failed in execution"
"""The line of these trades beside those of strategies and other groups (EX-18)."""


@dataclass(frozen=True, slots=True)
class EntrySignal:
    """A strategy's proposal to buy, at a limit, with a stop.

    Attributes
    ----------
    bar_start
        Start of the bar that made it.
    reference
        The figure it was measured against, USD.
    target_price
        USD; None if only the strategy knows when it exits.
    confidence
        0 to 1; None if the strategy does not rate its signals.
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
    target_price: Price | None = None
    confidence: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ExitSignal:
    """Exit at the market. `quantity` is the quantity to sell, always within the position."""

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
    """No action, and why."""

    reason: NoTradeReason


Answer = EntrySignal | ExitSignal | NoTrade


class SuspensionCause(Enum):
    """Why the desk itself blocks a strategy's entries."""

    RETIRED = "retired"
    THESIS = "thesis"
    REGIME = "regime"
    WEEK = "weekly loss"
    VIX = "VIX"


RESUME = "RESUME"
"""The word that resumes a strategy whose thesis is invalidated."""


@dataclass(frozen=True, slots=True)
class NoFigure:
    """A figure that cannot be computed, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class EvaluationFigures:
    """Figures of a strategy's recent closed trades (see `core.risk.strategy_evaluation` for the formulas).

    Attributes
    ----------
    since
        The first day that counts.
    win_rate
        A fraction.
    sharpe
        Annualized; in records of version 3 on, none of fewer than 63 sessions (AN-01).
    losses_in_a_row
        Up to its last trade, however long ago they began.
    failed
        Further trades whose first exit failed: no trading result (EX-18).
    daily_sharpe
        The same of a session, not annualized: what is judged. None in records of earlier versions.
    """

    since: date
    trades: int
    wins: int
    losses_in_a_row: int
    win_rate: Fraction | NoFigure
    sharpe: Decimal | NoFigure
    profit_factor: Decimal | NoFigure
    failed: int = 0
    daily_sharpe: Decimal | NoFigure | None = None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One strategy's nightly evaluation: its figures, and the verdict as text."""

    strategy: str
    figures: EvaluationFigures
    verdict: str
