"""What the command line says: which option is wrong, what is missing, and figures as people write them."""

from __future__ import annotations

import io
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import EngineStarted
from state.files import Home
from state.host_info import release
from state.journal import FileJournal
from tests.scenarios.backtests import Keyturn


@pytest.fixture(autouse=True)
def a_narrow_terminal_without_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.setattr("sys.stdin", io.StringIO())


def test_the_version_is_printed(keyturn: Keyturn) -> None:
    """SY-07: and of which commit (tests/unit/state/test_release.py)."""
    answer = keyturn("--version")

    assert (answer.code, answer.out) == (0, f"keyturn {release(version('keyturn'))}\n")


def test_completion_is_offered(keyturn: Keyturn) -> None:
    """SY-07: and README says how."""
    assert "--install-completion" in keyturn("--help").out
    assert "--install-completion" in (Path(__file__).resolve().parents[2] / "README.md").read_text()


MISSING = (
    ("replay", "nothing.csv", "--headless"),
    ("replay", "XX_nothing.csv", "--headless"),
    ("replay", "XX_nothing.csv", "--headless", "--profile", "swing"),
    ("replay", "BARS", "--headless", "--quotes", "nothing.csv"),
    ("backtest", "nothing.csv"),
    ("backtest", "BARS", "nothing.csv"),
    ("strategies", "check", "./nothing.csv"),
    ("basket", "nothing.csv", "--check"),
)
WRONG = (
    ("replay", "BARS", "--headless", "--profile", "bold"),
    ("backtest", "BARS", "--profile", "bold"),
    ("backtest", "BARS", "--profile", 'a"b'),
    ("replay", "BARS", "--headless", "--symbol", "S'Y"),
    ("backtest", "BARS", "--symbol", "x'"),
    ("backtest", "BARS", "--symbol", "Ä"),
    ("backtest", "BARS", "--set", "symbols=3"),
    ("protections", "check", "--trades", "TRADES", "--at", "2026-01-05T15:00:00Z", "--profile", "bold"),
)


def refusals(keyturn: Keyturn, bars: Path, calls: tuple[tuple[str, ...], ...]) -> list[str]:
    """The one line with which each call ends."""
    trades = bars.parent / "trades.csv"
    trades.write_text("open_time,close_time,symbol,side,profit_ratio,exit_reason\n")
    files: dict[str, Path] = {"BARS": bars, "TRADES": trades}
    said = []
    for words in calls:
        answer = keyturn(*(files.get(word, word) for word in words))
        assert (answer.code, answer.err.count("\n")) == (2, 1), words
        said.append(answer.err.replace(f"{bars.parent}/", ""))
    return said


def test_a_missing_file_is_named(
    keyturn: Keyturn, bars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    """MD-03: before anything is said of its name, its symbol or its columns."""
    monkeypatch.chdir(tmp_path)

    assert refusals(keyturn, bars, MISSING) == snapshot


def test_the_wrong_option_is_named(keyturn: Keyturn, bars: Path, snapshot: SnapshotAssertion) -> None:
    """OP-10, RK-09"""
    assert refusals(keyturn, bars, WRONG) == snapshot


def test_protections_read_the_trades_of_a_backtest(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """RK-09, AN-04"""
    folder = tmp_path / "tables"
    assert keyturn("backtest", bars, "--csv", folder).code == 0
    assert len((folder / "trades.csv").read_text().splitlines()) > 1

    answer = keyturn("protections", "check", "--trades", folder / "trades.csv", "--at", "2026-01-06T20:00:00Z")

    assert (answer.code, answer.err) == (0, "")
    assert "stop_loss_guard" in answer.out


def test_figures_are_as_people_write_them(
    keyturn: Keyturn, bars: Path, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """SY-07, EX-16, SP-01: money in cents, whole milliseconds, one in the singular; JSON and CSV have every digit"""
    folder = tmp_path / "journal"
    played = keyturn("replay", bars, "--headless", "--operator", "confirm-all", "--journal-dir", folder).out
    told = keyturn("latency", "--journal-dir", folder).out
    one = Home.of({"KEYTURN_HOME": str(tmp_path / "home")}).account("one")
    one.prepare()
    with closing(FileJournal(one)) as journal:
        journal.append(datetime(2026, 1, 5, 15, tzinfo=UTC), EngineStarted())

    proved = keyturn("journal", "verify", "--account", "one").out

    profits = [line.rpartition(" ")[2] for line in played.splitlines() if line.startswith("trade ")]
    assert profits
    assert all(len(profit.partition(".")[2]) == 2 for profit in profits)
    assert " ms" in told
    assert not any("." in word for word in told.split() if word[0].isdigit())
    assert proved == snapshot


def test_an_unknown_account_lists_the_known_ones(keyturn: Keyturn, tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """OP-08: nobody reads that nothing ran where something did."""
    Home.of({"KEYTURN_HOME": str(tmp_path / "home")}).account("demo").prepare()

    answer = keyturn("kill", "--account", "dmeo")

    assert answer.code == 2
    assert answer.err == snapshot
