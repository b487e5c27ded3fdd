"""Walk-forward: windows, purging, the choice, and the joined equity."""

from __future__ import annotations

from array import array
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from core.ports import OperatorError
from core.research.sweeps.results import Goal, RunResult, Span, closed_by_day
from core.research.sweeps.walk_forward import Window, WindowPlan, chosen, joined, purged, windows_of

FIRST = date(2024, 1, 1)
ENDLESS = Window(0, 4, 4, 6)


def day(number: int) -> date:
    """The trading day of return `number`."""
    return FIRST + timedelta(days=number + 1)


def a_run(*returns: float, held: tuple[int, int] | None = None, open_since: int | None = None) -> RunResult:
    """A run with these daily returns; `held` are the days of its only trade."""
    entry, left = held or (0, 0)
    equity = np.cumprod([100.0, *(1 + each for each in returns)])
    days = tuple(FIRST + timedelta(days=number) for number in range(len(returns) + 1))
    return RunResult(
        profit=Decimal(0),
        profits="0",
        open_profits="",
        open_since=None if open_since is None else day(open_since),
        closed=closed_by_day(days[1:], [day(left)]),
        overnight=() if entry == left else ((day(entry), day(left)),),
        days=days,
        equity=array("d", equity),
    )


def test_rolling_windows_move_together() -> None:
    """AN-05: the last test window may be shorter"""
    assert windows_of(10, WindowPlan(4, 3)) == [Window(0, 4, 4, 7), Window(3, 7, 7, 10)]
    assert windows_of(11, WindowPlan(4, 3, embargo=1)) == [Window(0, 4, 5, 8), Window(3, 7, 8, 11)]
    assert windows_of(8, WindowPlan(4, 3)) == [Window(0, 4, 4, 7), Window(3, 7, 7, 8)]


def test_anchored_windows_begin_on_the_first_day() -> None:
    """AN-05"""
    assert windows_of(10, WindowPlan(4, 3, is_anchored=True)) == [Window(0, 4, 4, 7), Window(0, 7, 7, 10)]


def test_windows_longer_than_the_days_are_refused() -> None:
    """AN-05"""
    with pytest.raises(OperatorError, match="4,3"):
        windows_of(5, WindowPlan(4, 3, embargo=1))


def test_a_trade_into_the_test_purges_its_days() -> None:
    """AN-05: from its entry on; one that ends before the test purges nothing"""
    returns = (0.01, 0.02, 0.03, 0.04, 0.05, 0.06)

    assert purged(a_run(*returns, held=(2, 4)), ENDLESS) == pytest.approx([0.01, 0.02])
    assert purged(a_run(*returns, held=(2, 3)), ENDLESS) == pytest.approx([0.01, 0.02, 0.03, 0.04])
    assert purged(a_run(*returns, open_since=1), ENDLESS) == pytest.approx([0.01])
    assert len(purged(a_run(*returns, open_since=0), ENDLESS)) == 0


def test_the_best_of_the_train_days_is_chosen() -> None:
    """AN-05: test days have no say, nor has a gain that was purged"""
    good, lucky_later = a_run(0.01, 0.02, 0.01, 0.02, -0.5, -0.5), a_run(0.0, 0.001, 0.0, 0.001, 0.5, 0.5)
    leaking = a_run(0.001, 0.0, 0.5, 0.6, 0.7, 0.8, held=(2, 5))

    choice = chosen([lucky_later, good, leaking], ENDLESS, Goal.SHARPE)

    assert choice is not None
    assert (choice.run, choice.purged) == (1, 0)
    assert chosen([a_run(*[0.0] * 6)], ENDLESS, Goal.PROFIT) is None


def test_tests_are_joined_without_their_gaps() -> None:
    """AN-05: each window's return on its own account compounds"""
    run = a_run(0.01, 0.03, 0.01, 0.03, 0.1, 0.2, 0.3)
    windows = windows_of(7, WindowPlan(2, 2, embargo=1))
    choices = [chosen([run], window, Goal.SHARPE) for window in windows]
    tests = [a_run(0, 0, 0, 0.1, 0.0), a_run(0, 0, 0, 0, 0, -0.5, 0.2)]

    found = joined([run], [(c, ("x",), t) for c, t in zip(choices, tests, strict=True) if c is not None], 0)

    assert [(w.test, w.train) for w in found.windows] == [
        (Span(day(3), day(4)), Span(day(0), day(1))),
        (Span(day(5), day(6)), Span(day(2), day(3))),
    ]
    assert found.days == (day(2), day(3), day(4), day(5), day(6))
    assert found.equity == pytest.approx((100, 110, 110, 55, 66))
    assert [w.test_return for w in found.windows] == pytest.approx([0.1, -0.4])
    assert found.efficiency == pytest.approx((0.1 + 0 - 0.5 + 0.2) / 4 / 0.02)
