"""A sweep on the compiled kernel: the results of the engine, and what it does not model by name."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from console.commands.assembly.engine_runs import BarFiles, EngineRunner
from console.commands.assembly.kernel_runs import KernelRunner
from core.research.sweeps.results import Span
from tests.kit.kernel_cases import OFF
from tests.scenarios.backtests import Answer, keyturn_at, minutes_of, only_before

BUSY = (
    *OFF,
    "strategies.sma.pairs=[[2, 5]]",
    "strategies.sma.regime_filter=false",
    "strategies.sma.minimum_confidence=0",
    "risk.entries_a_day=3",
)
GRID = ("--grid", "strategies.sma.stop_ranges=1,2")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home and three mornings of SPY."""
    place = tmp_path_factory.mktemp("kernel")
    only_before("17:00", minutes_of(place / "SPY_seeded.csv", last=date(2026, 1, 7)))
    return place


def sweep(place: Path, *words: object, settings: tuple[str, ...] = BUSY) -> Answer:
    chosen = [word for each in settings for word in ("--set", each)]
    begin = ("sweep", place / "SPY_seeded.csv", "--workers", "1", "--strategy", "sma", "--on", "kernel")
    return keyturn_at(place / "home")(*begin, *chosen, *GRID, *words)


def test_a_run_on_the_kernel_is_the_engine_s(place: Path) -> None:
    """AN-08, AN-05: of all days, and of a part of them"""
    bars = BarFiles((place / "SPY_seeded.csv",), "sma", None, BUSY, False, 1, None, None, "")
    home = {"KEYTURN_HOME": str(place / "home")}
    engine, kernel = EngineRunner(home, bars), KernelRunner(home, bars)
    settings, second = engine.recording.settings, engine.days[1]

    for span in (None, Span(second, second)):
        result = engine(settings, span)
        assert kernel(settings, span) == result
        assert result.profits


def test_the_best_run_on_the_kernel_agrees_with_the_engine(place: Path) -> None:
    """AN-08"""
    told = sweep(place, "--without-frictions", "--by", "profit", "--json").json

    assert len(told["runs"]) == 2
    assert float(told["best"]["engine_difference"]) == 0


def test_what_the_kernel_does_not_model_is_named(place: Path) -> None:
    """AN-08: in one line, before anything runs"""
    told = sweep(place, "--set", "exchange.multiplier=4")

    assert told.code == 2
    assert "exchange.multiplier=4: margin accounts" in told.err
    assert "exchange.partial_fills=0.1: partial fills by chance" in told.err
