"""Finished runs and trials on the disk: exact, in order, and never half used."""

from __future__ import annotations

from array import array
from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from core.research.sweeps.deflated_sharpe import SweepTrial
from core.research.sweeps.results import RunResult, Span
from core.settings.settings import Settings
from state.files import Home
from state.json_lines import JsonLinesError
from state.sweep_files import RunFile, TrialRegistry, digest_of_code, digest_of_settings, run_key
from tests.kit.rows import cases

AT = datetime(2026, 1, 5, 15, 0, 1, 250_000, UTC)
DAY = date(2026, 1, 5)
MADE_OF = {"data": ["a"], "seed": 1}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.of({"KEYTURN_HOME": str(tmp_path)})


def a_result(profit: str = "-0.16445") -> RunResult:
    held, equity = ((DAY, DAY),), array("d", [200.0, 1 / 3])
    return RunResult(Decimal(profit), profit, "0.10", DAY, array("i", [1]), held, (DAY, DAY), equity)


def a_trial(name: str = "a", strategy: str = "vwap") -> SweepTrial:
    return SweepTrial(strategy, name, AT, -0.25, 4)


@pytest.fixture
def run_path(home: Home) -> Path:
    """A run file with two runs."""
    with closing(RunFile(home, MADE_OF)) as runs:
        runs.append("first", a_result())
        runs.append("second", a_result("7"))
        runs.sync()
    return next(home.sweeps.glob("runs-*.jsonl"))


def kept(home: Home) -> dict[str, RunResult]:
    with closing(RunFile(home, MADE_OF)) as runs:
        return runs.results


def test_a_run_is_read_back_to_the_bit(home: Home, run_path: Path) -> None:
    """AN-05"""
    assert kept(home) == {"first": a_result(), "second": a_result("7")}
    assert run_path.stat().st_mode & 0o777 == 0o600


def test_other_bars_have_another_file(home: Home, run_path: Path) -> None:
    """AN-05"""
    with closing(RunFile(home, MADE_OF | {"seed": 2})) as runs:
        assert runs.results == {}


@cases("torn", 1, 40, 200)
def test_a_torn_line_is_cut_off(home: Home, run_path: Path, torn: int) -> None:
    """AN-05, SP-01: wherever the crash cut it"""
    content = run_path.read_bytes()
    run_path.write_bytes(content[:-torn])

    assert kept(home) == {"first": a_result()}
    with closing(RunFile(home, MADE_OF)) as runs:
        runs.append("second", a_result("7"))
    assert run_path.read_bytes() == content


@cases("old new", (b"0.16445", b"0.16446"), (b'"first"', b'"third"'), (b"{", b"["))
def test_a_changed_line_is_named(home: Home, run_path: Path, old: bytes, new: bytes) -> None:
    """AN-05, MD-08"""
    run_path.write_bytes(run_path.read_bytes().replace(old, new, 1))

    with pytest.raises(JsonLinesError, match="line 1: ") as raised:
        kept(home)
    assert "\n" not in str(raised.value)


def test_a_second_sweep_of_the_same_is_refused(home: Home, run_path: Path) -> None:
    """AN-05"""
    with closing(RunFile(home, MADE_OF)), pytest.raises(JsonLinesError):
        RunFile(home, MADE_OF)
    assert len(kept(home)) == 2


def test_a_trial_counts_once_for_its_strategy(home: Home) -> None:
    """AN-05: yesterday's too, and those of a process beside it"""
    with closing(TrialRegistry(home)) as one, closing(TrialRegistry(home)) as other:
        one.add([a_trial("a"), a_trial("b"), a_trial("a")])
        other.add([a_trial("b"), a_trial("c"), a_trial("a", "sma")])
        other.sync()

    with closing(TrialRegistry(home)) as registry:
        registry.add([a_trial("c")])
        assert [trial.trial for trial in registry.of("vwap")] == ["a", "b", "c"]
        assert registry.of("sma") == [a_trial("a", "sma")]
        assert registry.of("other") == []


def test_a_run_is_named_by_settings_and_days(tmp_path: Path) -> None:
    """AN-05: how the screen is drawn is no part of it"""
    plain = digest_of_settings(Settings())
    other = Settings.model_validate({"strategies": {"vwap": {"stop_fraction": "0.004"}}})

    assert digest_of_settings(other) != plain
    assert digest_of_settings(Settings.model_validate({"display": {"frames": 10}})) == plain
    assert run_key(plain, Span(DAY, DAY)) != run_key(plain, None)


def test_the_digest_of_the_code_follows_its_files(tmp_path: Path) -> None:
    """AN-05"""
    (tmp_path / "core").mkdir()
    before = digest_of_code(tmp_path)
    (tmp_path / "core" / "a.py").write_text("a = 1\n")
    first = digest_of_code(tmp_path)
    (tmp_path / "core" / "a.py").write_text("a = 2\n")

    assert len({before, first, digest_of_code(tmp_path)}) == 3
