"""Walk-forward: choose the best settings on a train window, trade them on the test window after it, and join the tests.

Days are trading days. Train figures come from each combination's run over all days; what a test window leaks into them
is purged. Test figures come from a run of its own, with a new account that enters nothing before the window begins.

M. López de Prado, "Advances in Financial Machine Learning" (2018), chapter 7, for purging and embargo.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np

from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError
from core.research.sweeps.results import Floats, Goal, RunResult, Span, daily_sharpe


@dataclass(frozen=True, slots=True)
class WindowPlan:
    """How to cut the days.

    Attributes
    ----------
    train, test
        Trading days of a window.
    embargo
        Trading days left out between the two.
    is_anchored
        Whether every train window begins on the first day; otherwise it moves along with its test window.
    """

    train: int
    test: int
    embargo: int = 0
    is_anchored: bool = False


@dataclass(frozen=True, slots=True)
class Window:
    """Indices of trading days: train from `train_first` up to `train_end`, test likewise; the ends are excluded."""

    train_first: int
    train_end: int
    test_first: int
    test_end: int


@dataclass(frozen=True, slots=True)
class WindowChoice:
    """The best combination of a train window; `run` is its index.

    Attributes
    ----------
    purged
        Train days of the chosen run left out because a trade of theirs was open in the test window.
    """

    window: Window
    run: int
    score: float
    purged: int


@dataclass(frozen=True, slots=True)
class WindowResult:
    """A window's figures, in sample beside out of sample. Returns are fractions, Sharpe ratios are daily.

    Attributes
    ----------
    trades
        Closed in the test window.
    """

    choice: WindowChoice
    labels: tuple[str, ...]
    train: Span
    test: Span
    train_return: float
    train_sharpe: float | None
    test_return: float
    test_sharpe: float | None
    trades: int


@dataclass(frozen=True, slots=True)
class WalkForward:
    """All windows, and their tests joined to one equity.

    Attributes
    ----------
    days, equity
        The joined equity, USD; the first day is the one before the first test window.
    train_daily, test_daily
        Mean daily returns in sample, over all windows, and out of sample.
    not_chosen
        Windows without a train figure, whose test days are left out.
    """

    windows: tuple[WindowResult, ...]
    not_chosen: int
    days: tuple[date, ...]
    equity: tuple[float, ...]
    sharpe: float | None
    train_daily: float | None
    test_daily: float | None

    @property
    def efficiency(self) -> float | None:
        """Out-of-sample over in-sample mean daily return; None where the latter is not a gain."""
        if self.train_daily is None or self.test_daily is None or self.train_daily <= 0:
            return None
        return self.test_daily / self.train_daily


def windows_of(days: int, plan: WindowPlan) -> list[Window]:
    """Return the windows, in order; the last test window may be shorter. Raises `OperatorError` if none fits."""
    first = plan.train + plan.embargo
    if days <= first:
        gap = f", {plan.embargo} of embargo" if plan.embargo else ""
        raise OperatorError(
            f"--walk-forward {plan.train},{plan.test}: {plan.train} days of train{gap} and one of test are more than "
            f"the {days} there are; take shorter windows"
        )
    return [
        Window(
            0 if plan.is_anchored else start - plan.embargo - plan.train,
            start - plan.embargo,
            start,
            min(start + plan.test, days),
        )
        for start in range(first, days, plan.test)
    ]


def purged(result: RunResult, window: Window) -> Floats:
    """Return the train returns without the days on which a trade was open that lasted into the test window.

    From its entry on, such a trade's price depends on the same moves as the test.
    """
    days, test_day = result.trading_days, result.trading_days[window.test_first]
    entries = [first for first, last in result.overnight if first < test_day <= last]
    if result.open_since is not None and result.open_since < test_day:
        entries.append(result.open_since)
    first_entry = min(entries, default=test_day)
    is_kept = np.array([day < first_entry for day in days[window.train_first : window.train_end]], dtype=bool)
    train: Floats = result.returns[window.train_first : window.train_end]
    return np.asarray(train[is_kept], dtype=np.float64)


def chosen(runs: Sequence[RunResult], window: Window, goal: Goal) -> WindowChoice | None:
    """Return the best run of the train window, the first of equal ones; None if no run has a figure there."""
    best: WindowChoice | None = None
    for number, result in enumerate(runs):
        train = purged(result, window)
        figure = _figure(train, goal, result.cent)
        if figure is not None and (best is None or figure > best.score):
            left_out = window.train_end - window.train_first - len(train)
            best = WindowChoice(window, number, figure, left_out)
    return best


def _figure(returns: Floats, goal: Goal, cent: float) -> float | None:
    """Return the Sharpe ratio or the compounded return; None without a day on which the equity moved."""
    if not returns.any():
        return None
    return float(np.prod(1 + returns) - 1) if goal is Goal.PROFIT else daily_sharpe(returns, cent)


def span_of(result: RunResult, first: int, end: int) -> Span:
    """Return the trading days from `first` up to `end`, which is excluded."""
    days = result.trading_days
    return Span(days[first], days[end - 1])


def joined(
    runs: Sequence[RunResult],
    tests: Sequence[tuple[WindowChoice, tuple[str, ...], RunResult]],
    not_chosen: int,
) -> WalkForward:
    """Return the windows with their figures, and the equity over all tests.

    Parameters
    ----------
    runs
        The runs over all days, by the index of a choice.
    tests
        Each window's choice, the labels of its combination, and its run on the test window alone.
    not_chosen
        The number of windows without a choice.
    """
    windows: list[WindowResult] = []
    trains, outside = [], []
    for choice, labels, test in tests:
        window, run = choice.window, runs[choice.run]
        train_returns, span = purged(run, window), span_of(run, window.test_first, window.test_end)
        is_tested = np.array([span.first <= day <= span.last for day in test.trading_days], dtype=bool)
        test_returns = test.returns[is_tested]
        trains.append(train_returns)
        outside.append(test_returns)
        windows.append(
            WindowResult(
                choice,
                labels,
                span_of(run, window.train_first, window.train_end),
                span,
                float(np.prod(1 + train_returns) - 1),
                daily_sharpe(train_returns, run.cent),
                float(np.prod(1 + test_returns) - 1),
                daily_sharpe(test_returns, test.cent),
                int(np.asarray(test.closed)[is_tested].sum()),
            )
        )
    if not windows:
        return WalkForward((), not_chosen, (), (), None, None, None)
    days = [day for each in windows for day in runs[0].trading_days if each.test.first <= day <= each.test.last]
    before = runs[0].days[windows[0].choice.window.test_first]
    every = np.concatenate(outside)
    equity = runs[0].equity[0] * np.concatenate([[1.0], np.cumprod(1 + every)])
    return WalkForward(
        tuple(windows),
        not_chosen,
        (before, *days),
        tuple(map(float, equity)),
        daily_sharpe(every, max(test.cent for _, _, test in tests)),
        float(np.concatenate(trains).mean()),
        float(every.mean()),
    )
