"""Closed trades of the last while, kept so that one more costs the same however many there are."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from core.model.values import ZERO


@dataclass(slots=True)
class RollingSum:
    """Figures that are not older than a window: how many, and their sum."""

    times: list[datetime] = field(default_factory=list)
    figures: list[Decimal] = field(default_factory=list)
    total: Decimal = ZERO

    def add(self, at: datetime, figure: Decimal = ZERO) -> None:
        self.times.append(at)
        self.figures.append(figure)
        self.total += figure

    def drop_until(self, at: datetime) -> None:
        """What is as old as `at`, or older, counts no more."""
        old = bisect_right(self.times, at)
        if old:
            self.total -= sum(self.figures[:old], ZERO)
            del self.times[:old], self.figures[:old]

    def since(self, at: datetime) -> tuple[int, Decimal]:
        """Count and sum of what is younger than `at`; changes nothing."""
        old = bisect_right(self.times, at)
        return len(self.times) - old, self.total - sum(self.figures[:old], ZERO)

    def __len__(self) -> int:
        return len(self.times)


@dataclass(slots=True)
class RunningTotal:
    """What figures came to by any time, back to where they were forgotten. One that comes late counts as the newest."""

    times: list[datetime] = field(default_factory=list)
    totals: list[Decimal] = field(default_factory=list)
    forgotten: Decimal = ZERO

    def add(self, at: datetime, figure: Decimal) -> None:
        self.totals.append((self.totals[-1] if self.totals else self.forgotten) + figure)
        self.times.append(max([at, *self.times[-1:]]))

    def by(self, at: datetime) -> Decimal:
        """The sum of all until then, what was forgotten included."""
        count = bisect_right(self.times, at)
        return self.totals[count - 1] if count else self.forgotten

    def forget_until(self, at: datetime) -> None:
        self.forgotten, old = self.by(at), bisect_right(self.times, at)
        del self.times[:old], self.totals[:old]


@dataclass(frozen=True, slots=True)
class EquityCourse:
    """A run of profits, as the sum of them goes from zero.

    Attributes
    ----------
    end, peak, low
        Where it ends, and its highest and lowest point, its start included.
    drawdown
        The farthest that it fell below a point before.
    """

    end: Decimal = ZERO
    peak: Decimal = ZERO
    low: Decimal = ZERO
    drawdown: Decimal = ZERO

    def then(self, after: EquityCourse) -> EquityCourse:
        """One run after the other."""
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
    """The course of the profits of a window, by two stacks: each profit is joined twice, whatever the window holds.

    `front` holds the older ones, the oldest last, each with the course from it to the newest of `front`.
    """

    front: list[tuple[datetime, EquityCourse]] = field(default_factory=list)
    back: list[tuple[datetime, Decimal]] = field(default_factory=list)
    back_course: EquityCourse = EquityCourse()

    def add(self, at: datetime, profit: Decimal) -> None:
        self.back.append((at, profit))
        self.back_course = self.back_course.then(course_of(profit))

    def drop_until(self, at: datetime) -> None:
        """What is as old as `at`, or older, counts no more."""
        while self._pop_front(at):
            pass
        if not self.front and self.back and self.back[0][0] <= at:
            self._turn_over()
            while self._pop_front(at):
                pass

    def since(self, at: datetime) -> tuple[int, EquityCourse]:
        """How many are younger than `at`, and their course; changes nothing."""
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
