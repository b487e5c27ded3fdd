"""The half-hours of a study that may become the windows of a strategy, by a stated test (AN-05, RK-07).

An operator writes the windows into the settings; nothing here changes any.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import time
from decimal import Decimal

from core.model.lazy_dataclass import dataclass
from core.research.sweeps.report import SweepOutcome
from core.settings.entry_windows import EntryWindow, joined

LEAST_TRADES = 30
"""Fewer say nothing about a win rate: of 30 fair ones, 60 % or more win in every seventh half-hour."""
LEAST_WINS = Decimal("0.6")
HALVES = "its mean is above zero in the first and in the second half of its trades"
TEST = f"at least {LEAST_TRADES} trades, {LEAST_WINS * 100:.0f} % of them won, and {HALVES}"


@dataclass(frozen=True, slots=True)
class HalfHour:
    """The closed trades that a strategy entered in one half-hour; `means` are of both halves of them in time, USD."""

    start: str
    trades: int
    wins: Decimal
    means: tuple[Decimal, Decimal]

    @property
    def passes(self) -> bool:
        return self.trades >= LEAST_TRADES and self.wins >= LEAST_WINS and min(self.means) > 0


def half_hours_of(outcome: SweepOutcome) -> tuple[HalfHour, ...]:
    """Return each half-hour of a study that varies nothing else, the earliest first."""
    found = ((outcome.space.labels(point)[0], run.closed_profits) for point, run in outcome.runs.items())
    return tuple(sorted((_judged(start, profits) for start, profits in found), key=lambda each: each.start))


def windows_of(half_hours: Iterable[HalfHour]) -> tuple[EntryWindow, ...]:
    """Return the windows of those that pass; neighbours become one."""
    return joined(_window(each.start) for each in half_hours if each.passes)


def settings_lines(strategy: str, windows: Sequence[EntryWindow]) -> tuple[str, ...]:
    """Return the lines of settings.toml."""
    listed = ", ".join(f'"{window}"' for window in windows)
    return (f"[strategies.{strategy}.limits]", f"windows = [{listed}]")


def _judged(start: str, profits: Sequence[Decimal]) -> HalfHour:
    half, won = len(profits) // 2, sum(profit > 0 for profit in profits)
    means = _mean(profits[:half]), _mean(profits[half:])
    return HalfHour(start, len(profits), Decimal(won) / len(profits) if profits else Decimal(0), means)


def _mean(profits: Sequence[Decimal]) -> Decimal:
    return sum(profits, Decimal(0)) / len(profits) if profits else Decimal(0)


def _window(start: str) -> EntryWindow:
    """Return the 30 bars of a half-hour: 10:00 to 10:29, both included."""
    first = time.fromisoformat(start)
    return EntryWindow(first, first.replace(minute=first.minute + 29))
