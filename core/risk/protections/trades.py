"""A trade that is over, as the protections count it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from core.model.position import Ended, Trade
from core.model.signal import ExitReason
from core.model.values import Fraction, Money, Symbol

RATIO_PLACES = Decimal("1E-10")
"""Profit ratios are rounded to it once, so that sums of them are exact whatever their order."""

STOP_OUTS = frozenset({ExitReason.STOP_LOSS, ExitReason.TRAILING_STOP})
"""A stop ended them; where such a trade made money all the same, `required_profit` says whether it counts."""


class Direction(StrEnum):
    """Of a position."""

    LONG = "long"
    SHORT = "short"


@dataclass(frozen=True, slots=True)
class ClosedTrade:
    """One trade from open to flat.

    Attributes
    ----------
    ratio
        Profit as a part of what was paid (long) or received (short) to open it: -0.003.
    profit
        USD; None where only the ratio is known.
    is_shadow
        Nothing was sent: it is what a refused entry would have made.
    """

    symbol: Symbol
    direction: Direction
    opened_at: datetime
    closed_at: datetime
    ratio: Fraction
    exit_reason: ExitReason
    profit: Money | None = None
    strategy: str = ""
    is_shadow: bool = False

    @property
    def is_stop_out(self) -> bool:
        return self.exit_reason in STOP_OUTS


def direction_of(over: Ended) -> Direction:
    return Direction.LONG if over.is_long else Direction.SHORT


def closed(trade: Trade, direction: Direction) -> ClosedTrade:
    """The trade of the books; what was opened for nothing has a ratio of zero.

    Where an exit failed before, its reason is what closed it in the end: a stop-out stays one to the guards (RK-05).
    """
    staked = trade.entry_cost
    return ClosedTrade(
        symbol=trade.symbol,
        direction=direction,
        opened_at=trade.entry_time,
        closed_at=trade.exit_time,
        ratio=ratio_of(trade.profit / staked if staked else Decimal(0)),
        exit_reason=trade.meant or trade.exit_reason,
        profit=trade.profit,
        strategy=trade.strategy,
    )


def ratio_of(ratio: Decimal) -> Fraction:
    return Fraction(ratio.quantize(RATIO_PLACES))
