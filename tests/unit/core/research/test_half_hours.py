"""Which half-hours of a study may become windows of a strategy (AN-05, RK-07)."""

from __future__ import annotations

import tomllib
from array import array
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from console.commands.assembly.sweep_space import space_of
from console.commands.sweep import _half_hours, _show_half_hours
from core.research.sweeps.half_hours import half_hours_of, settings_lines, windows_of
from core.research.sweeps.report import SweepOutcome
from core.research.sweeps.results import Goal, RunResult
from core.settings.settings import Settings
from tests.kit.rows import table

GOOD = ("2",) * 18 + ("-1",) * 12
"""Of thirty trades 60 % won, and more is won than lost."""


def a_run(profits: Sequence[str]) -> RunResult:
    days = (date(2026, 1, 2), date(2026, 1, 5))
    return RunResult(Decimal(0), " ".join(profits), "", None, array("i", [0, 0]), (), days, array("d", [100, 100]))


def a_study(profits: Mapping[str, Sequence[str]]) -> SweepOutcome:
    space = space_of((), "half-hours")
    runs = {
        point: a_run(profits.get(space.labels(point)[0], ())) for point in ((index,) for index in range(space.size))
    }
    return SweepOutcome(space, Goal.SHARPE, "vwap", runs, {}, {}, 0, 0)


def mixed(profits: Sequence[str]) -> tuple[str, ...]:
    """Every other one of the second half after one of the first."""
    half = len(profits) // 2
    return tuple(each for pair in zip(profits[:half], profits[half:], strict=True) for each in pair)


@table(
    "profits passes",
    (mixed(GOOD), True),
    (mixed(GOOD)[:-1], False),
    (mixed(("2",) * 17 + ("-1",) * 13), False),
    (mixed(("2",) * 18 + ("-4",) * 12), False),
    (GOOD, False),
    ((), False),
)
def test_a_half_hour_passes_by_the_stated_test(profits: Sequence[str], passes: bool) -> None:
    """RK-07: trades, wins, and a gain in both halves of the time"""
    found = {each.start: each for each in half_hours_of(a_study({"10:30": profits}))}

    assert found["10:30"].passes is passes
    assert not found["10:00"].passes
    assert len(found) == 13


def test_neighbours_become_one_window_of_the_settings() -> None:
    """RK-07: the lines are what the settings read"""
    good = mixed(GOOD)
    windows = windows_of(half_hours_of(a_study({"10:00": good, "10:30": good, "15:30": good})))
    read = tomllib.loads("\n".join(settings_lines("vwap", windows)))

    assert list(map(str, windows)) == ["10:00-10:59", "15:30-15:59"]
    assert Settings.model_validate(read).strategies.vwap.limits.windows == windows


def test_the_study_prints_lines_and_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """RK-07, AN-05: and the same figures as JSON"""
    report: Any = SimpleNamespace(outcome=a_study({"10:00": mixed(GOOD)}))
    none: Any = SimpleNamespace(outcome=a_study({}))

    _show_half_hours(report)
    shown = capsys.readouterr().out
    _show_half_hours(none)
    told: Any = _half_hours(report)["half_hours"]

    assert shown.splitlines()[-2:] == ["[strategies.vwap.limits]", 'windows = ["10:00-10:29"]']
    assert "[strategies.vwap.limits]" not in capsys.readouterr().out
    assert told["windows"] == ["10:00-10:29"]
    assert [each["start"] for each in told["each"] if each["passes"]] == ["10:00"]
