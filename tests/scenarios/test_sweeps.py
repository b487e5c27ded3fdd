"""A sweep as its user calls it: the runs, their best, their trials, and what is refused before anything runs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from console.commands.assembly.engine_runs import BarFiles, EngineRunner
from core.research.sweeps.results import Span
from tests.kit.rows import cases
from tests.scenarios.backtests import Answer, keyturn_at, minutes_of, only_before

DEVIATION, STOP = "strategies.vwap.entry_deviation", "strategies.vwap.stop_fraction"
GRID = ("--strategy", "vwap", "--grid", f"{DEVIATION}=0.001,0.003", "--grid", f"{STOP}=0.003,0.004")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home and three mornings of SPY."""
    place = tmp_path_factory.mktemp("sweeps")
    only_before("17:00", minutes_of(place / "SPY_seeded.csv", last=date(2026, 1, 7)))
    return place


def sweep(place: Path, *words: object) -> Answer:
    return keyturn_at(place / "home")("sweep", place / "SPY_seeded.csv", "--workers", "1", *words)


@pytest.fixture(scope="module")
def swept(place: Path) -> Answer:
    return sweep(place, *GRID, "--walk-forward", "1,1", "--json")


def test_each_run_is_the_backtest_of_its_settings(place: Path, swept: Answer) -> None:
    """AN-04, AN-05: the same figures, on the same engine"""
    assert swept.code == 0
    assert len(swept.json["runs"]) == 4
    for run in swept.json["runs"]:
        options = [word for key, value in run["settings"].items() for word in ("--set", f"{key}={value}")]
        alone = keyturn_at(place / "home")(
            "backtest", place / "SPY_seeded.csv", "--strategy", "vwap", *options, "--json"
        ).json
        assert run["trades"] == alone["metrics"]["trades"]
        assert float(run["profit"]) == pytest.approx(alone["metrics"]["profit"], abs=1e-9)
        assert run["total_return"] == alone["metrics"]["total_return"]
    assert {run["trades"] for run in swept.json["runs"]} != {0}


def test_the_best_run_agrees_to_the_cent(swept: Answer) -> None:
    """AN-05: ranked by the daily Sharpe ratio, and run again"""
    sharpes = [run["sharpe"] for run in swept.json["runs"] if run["sharpe"] is not None]

    assert sharpes == sorted(sharpes, reverse=True)
    assert swept.json["best"]["settings"] == swept.json["runs"][0]["settings"]
    assert float(swept.json["best"]["engine_difference"]) == 0


def test_a_test_window_trades_its_own_days(swept: Answer) -> None:
    """AN-05: two windows of one day each, and the equity joined"""
    found = swept.json["walk_forward"]
    windows = found["windows"]

    assert len(windows) + found["not_chosen"] == 2
    assert [each["day"] for each in found["equity"][1:]] == [each["test_first"] for each in windows]
    assert all(each["train_last"] < each["test_first"] for each in windows)


def test_a_span_enters_on_its_days_alone(place: Path) -> None:
    """AN-05: with indicators of all bars before, an untouched account, and no bar after it"""
    bars = BarFiles((place / "SPY_seeded.csv",), "vwap", None, (f"{DEVIATION}=0.001",), True, 1, None, None, "")
    engine = EngineRunner({"KEYTURN_HOME": str(place / "home")}, bars)
    settings, second = engine.recording.settings, engine.days[1]

    whole, part = engine(settings, None), engine(settings, Span(second, second))

    assert part.days == whole.days[:3]
    assert part.equity[:2].tolist() == [whole.equity[0]] * 2
    assert part.closed.tolist() == [0, whole.closed[1]]
    assert 0 < whole.closed[1] < sum(whole.closed)


def test_earlier_sweeps_count_as_trials(place: Path, swept: Answer) -> None:
    """AN-05: only new settings are run, and are new trials"""
    before = sweep(place, *GRID, "--json").json["trials"]

    more = sweep(place, *GRID[:-1], f"{STOP}=0.003,0.005")

    assert more.code == 0
    assert "2 of them kept from before" in more.out
    again = sweep(place, *GRID, "--json").json
    assert again["trials"] == before + 2
    assert again["runs"] == swept.json["runs"]


def test_few_days_have_no_deflated_ratio(swept: Answer) -> None:
    """AN-05, AN-01"""
    assert (swept.json["returns"], swept.json["least_returns"]) == (3, 63)
    assert swept.json["deflated_sharpe"] is None
    assert swept.json["overfitting"] is None


def test_the_page_fits_in_80_columns(place: Path, swept: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    """AN-05: with a map of both settings"""
    monkeypatch.setenv("COLUMNS", "80")

    shown = sweep(place, *GRID)

    assert max(map(len, shown.lines)) <= 80
    assert f"rows: {DEVIATION}, columns: {STOP}" in shown.lines


def test_runs_that_never_trade_have_no_best(place: Path) -> None:
    """AN-05: an empty result says what to do, and is no error"""
    told = sweep(place, "--strategy", "vwap", "--grid", f"{DEVIATION}=0.5,0.6", "--json")

    assert told.code == 0
    assert told.json["best"] is None
    assert [run["trades"] for run in told.json["runs"]] == [0, 0]


@cases(
    "words said",
    (("--grid", f"{STOP}=2"), STOP),
    (("--grid", "strategies.vwap.none=2"), "strategies.vwap.none"),
    (("--grid", f"{STOP}=0.1", "--grid", f"{STOP}=0.2"), STOP),
    ((), "--grid"),
    (("--study", "none"), "none"),
    (("--study", "entry-stop", "--strategy", "sma"), "sma"),
    ((*GRID, "--by", "luck"), "luck"),
    ((*GRID, "--random", "2", "--sampler", "optuna", "--trials", "2"), "--random"),
    ((*GRID, "--sampler", "optuna"), "--trials"),
    ((*GRID, "--walk-forward", "3"), "--walk-forward"),
    ((*GRID, "--walk-forward", "0,2"), "--walk-forward"),
    ((*GRID, "--walk-forward", "2,1", "--embargo", "1"), "--walk-forward"),
    ((*GRID, "--anchored"), "--walk-forward"),
)
def test_a_wrong_option_is_named_in_one_line(place: Path, words: tuple[str, ...], said: str) -> None:
    """AN-05, SY-07"""
    told = sweep(place, *words)

    assert told.code != 0
    assert told.out == ""
    assert said in told.err
    assert told.err.count("\n") == 1
