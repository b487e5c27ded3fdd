"""A sweep whose processes are killed: it goes on where it was, and its table is the same to the byte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from tests.real.waiting import until
from tests.scenarios.backtests import minutes_of, only_before

RUNS = 6


@pytest.fixture
def bars(tmp_path: Path) -> Path:
    return only_before("16:00", minutes_of(tmp_path / "SPY_seeded.csv", last=date(2026, 1, 6)))


def started(home: Path, bars: Path) -> subprocess.Popen[bytes]:
    grid = "strategies.vwap.entry_deviation=0.001:0.0035:0.0005"
    words = [sys.executable, "-m", "app", "sweep", str(bars), "--strategy", "vwap", "--grid", grid, "--json"]
    return subprocess.Popen(words, stdout=subprocess.PIPE, env={**os.environ, "KEYTURN_HOME": str(home)})


def kept(home: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in (home / "state" / ".sweeps").glob("runs-*.jsonl"))


def test_a_killed_sweep_goes_on_where_it_was(tmp_path: Path, bars: Path) -> None:
    """AN-05: the same table to the byte, and finished runs are not run again"""
    whole, _ = started(tmp_path / "whole", bars).communicate()
    home = tmp_path / "home"
    killed = started(home, bars)
    until(lambda: kept(home) >= 2, "two runs are kept")
    killed.kill()
    killed.communicate()
    before = kept(home)

    resumed, _ = started(home, bars).communicate()

    assert 2 <= before < RUNS
    assert resumed == whole
    assert kept(home) == len(json.loads(resumed)["runs"]) == RUNS
