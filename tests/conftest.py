"""What is measured, what runs at full speed, and what begins first. No example has a time to keep."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

HERE = Path(__file__).parent
MEASURED = ("unit", "scenarios")
LONG = frozenset(
    {
        "test_backtests",
        "test_backtests_of_odd_files",
        "test_dying_between_two_records",
        "test_dying_in_a_plan",
        "test_indicators",
        "test_recorded_days",
        "test_replacing",
        "test_signals",
        "test_simulated_rebuild",
        "test_starting_in_the_middle_of_a_session",
        "test_the_command_line",
        "test_the_night_that_judges",
        "test_the_stress_desk",
        "test_unattended_exits",
        "test_warming",
        "test_weeks_of_losses",
        "test_weeks_of_the_market",
        "test_weeks_of_trades",
        "test_what_passes_when",
    }
)
"""Files that play the same ways over and over, or weigh memory: others measure those."""
FIRST = ("simulation", "accidents", "service", "terminal")
"""Rooms whose single tests take longest: begun last, one of them would keep a worker busy while the others are done."""


def is_measured(path: Path) -> bool:
    return path.relative_to(HERE).parts[0] in MEASURED and path.stem not in LONG


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Of a file that the run leaves out nothing is read: each worker would rewrite all of its assertions first."""
    wanted = {"measured": True, "not measured": False}.get(config.getoption("markexpr"))
    is_file_of_tests = collection_path.is_file() and collection_path.is_relative_to(HERE)
    return True if wanted is not None and is_file_of_tests and is_measured(collection_path) is not wanted else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Coverage is of the units and of the short stories alone, in a run of their own (SY-07)."""
    for item in items:
        if is_measured(item.path):
            item.add_marker(pytest.mark.measured)
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    room = item.path.relative_to(HERE).parts[0]
    if room in FIRST:
        return FIRST.index(room)
    return len(FIRST) if item.path.stem in LONG else len(FIRST) + 1
