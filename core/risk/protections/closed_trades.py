"""Closed trades as the protections count them, and rolling windows of them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from core.model.lazy_dataclass import dataclass
from core.model.position import Ended, Trade
from core.model.signal import ExitReason
from core.model.values import ZERO, Fraction, Money, Symbol

RATIO_PLACES = Decimal("1E-10")
"""Profit ratios are rounded to it once, so that sums of them are exact in any order."""

STOP_OUTS = frozenset({ExitReason.STOP_LOSS, ExitReason.TRAILING_STOP})
"""Exits by a stop; if such a trade made money, `required_profit` decides whether it counts."""


class Direction(StrEnum):
    """Direction of a position."""

    LONG = "long"
    SHORT = "short"


@dataclass(frozen=True, slots=True)
class ClosedTrade:
    """One trade from open to flat.

    Attributes
    ----------
    ratio
        Profit as a share of the opening cost (long) or proceeds (short): -0.003.
    profit
        USD; None if only the ratio is known.
    is_shadow
        Not sent: the trade that a refused entry would have made.
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
    """Convert a trade of the books; a trade with zero cost has a ratio of zero.

    If an earlier exit failed, the reason is the exit's original one: a stop-out still counts as one (RK-05).
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


@dataclass(slots=True)
class RollingSum:
    """Count and sum of the figures within a window."""

    times: list[datetime] = field(default_factory=list)
    figures: list[Decimal] = field(default_factory=list)
    total: Decimal = ZERO

    def add(self, at: datetime, figure: Decimal = ZERO) -> None:
        self.times.append(at)
        self.figures.append(figure)
        self.total += figure

    def drop_until(self, at: datetime) -> None:
        """Drop figures as old as `at`, or older."""
        old = bisect_right(self.times, at)
        if old:
            self.total -= sum(self.figures[:old], ZERO)
            del self.times[:old], self.figures[:old]

    def since(self, at: datetime) -> tuple[int, Decimal]:
        """Return count and sum of the figures after `at`, without changes."""
        old = bisect_right(self.times, at)
        return len(self.times) - old, self.total - sum(self.figures[:old], ZERO)

    def __len__(self) -> int:
        return len(self.times)


@dataclass(slots=True)
class RunningTotal:
    """Running totals by time, back to a cut-off. A late figure counts at the newest time."""

    times: list[datetime] = field(default_factory=list)
    totals: list[Decimal] = field(default_factory=list)
    forgotten: Decimal = ZERO

    def add(self, at: datetime, figure: Decimal) -> None:
        self.totals.append((self.totals[-1] if self.totals else self.forgotten) + figure)
        self.times.append(max([at, *self.times[-1:]]))

    def by(self, at: datetime) -> Decimal:
        """Return the total up to `at`, forgotten figures included."""
        count = bisect_right(self.times, at)
        return self.totals[count - 1] if count else self.forgotten

    def forget_until(self, at: datetime) -> None:
        self.forgotten, old = self.by(at), bisect_right(self.times, at)
        del self.times[:old], self.totals[:old]


@dataclass(frozen=True, slots=True)
class EquityCourse:
    """The course of a cumulative profit that starts at zero.

    Attributes
    ----------
    end, peak, low
        Its end, and its highest and lowest point, the start included.
    drawdown
        The largest fall below an earlier point.
    """

    end: Decimal = ZERO
    peak: Decimal = ZERO
    low: Decimal = ZERO
    drawdown: Decimal = ZERO

    def then(self, after: EquityCourse) -> EquityCourse:
        """Join another course after this one."""
        return EquityCourse(
            end=self.end + after.end,
            peak=max(self.peak, self.end + after.peak),
            low=min(self.low, self.end + after.low),
            drawdown=max(self.drawdown, after.drawdown, self.peak - self.end - after.low),
        )


def course_of(profit: Decimal) -> EquityCourse:
    return EquityCourse(profit, max(profit, ZERO), min(profit, ZERO), max(-profit, ZERO))


@dataclass(slots=True)
class RollingCourse:
    """The course of the profits in a window, kept in two stacks: each profit is joined twice, whatever the window's
    size.

    `front` holds the older ones, the oldest last, each with the course from it to the newest of `front`.
    """

    front: list[tuple[datetime, EquityCourse]] = field(default_factory=list)
    back: list[tuple[datetime, Decimal]] = field(default_factory=list)
    back_course: EquityCourse = EquityCourse()

    def add(self, at: datetime, profit: Decimal) -> None:
        self.back.append((at, profit))
        self.back_course = self.back_course.then(course_of(profit))

    def drop_until(self, at: datetime) -> None:
        """Drop profits as old as `at`, or older."""
        while self._pop_front(at):
            pass
        if not self.front and self.back and self.back[0][0] <= at:
            self._turn_over()
            while self._pop_front(at):
                pass

    def since(self, at: datetime) -> tuple[int, EquityCourse]:
        """Return count and course of the profits after `at`, without changes."""
        for old, (when, course) in enumerate(reversed(self.front)):
            if when > at:
                return len(self) - old, course.then(self.back_course)
        if self.back and self.back[0][0] > at:
            return len(self.back), self.back_course
        young, joined = [profit for when, profit in self.back if when > at], EquityCourse()
        for profit in young:
            joined = joined.then(course_of(profit))
        return len(young), joined

    @property
    def newest(self) -> datetime | None:
        if self.back:
            return self.back[-1][0]
        return self.front[0][0] if self.front else None

    def __len__(self) -> int:
        return len(self.front) + len(self.back)

    def _pop_front(self, at: datetime) -> bool:
        if not self.front or self.front[-1][0] > at:
            return False
        self.front.pop()
        return True

    def _turn_over(self) -> None:
        joined = EquityCourse()
        for at, profit in reversed(self.back):
            joined = course_of(profit).then(joined)
            self.front.append((at, joined))
        self.back, self.back_course = [], EquityCourse()
