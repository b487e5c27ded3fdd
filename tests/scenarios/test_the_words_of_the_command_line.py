"""What the command line says: which option is wrong, what is missing, and figures as people write them."""

from __future__ import annotations

import io
from contextlib import closing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pytest

from core.facts import EngineStarted
from state.folders import Home
from state.journal import FileJournal
from state.release import release
from tests.scenarios.backtests import Keyturn


@pytest.fixture(autouse=True)
def a_narrow_terminal_without_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "110")
    monkeypatch.setattr("sys.stdin", io.StringIO())


def test_it_says_which_version_it_is(keyturn: Keyturn) -> None:
    """SY-07: and of which commit (tests/unit/state/test_release.py)."""
    answer = keyturn("--version")

    assert (answer.code, answer.out) == (0, f"keyturn {release(version('keyturn'))}\n")


def test_it_offers_completion(keyturn: Keyturn) -> None:
    """SY-07: and README says how."""
    assert "--install-completion" in keyturn("--help").out
    assert "--install-completion" in (Path(__file__).resolve().parents[2] / "README.md").read_text()


@pytest.mark.parametrize(
    "words",
    [
        ("replay", "nothing.csv", "--headless"),
        ("replay", "XX_nothing.csv", "--headless"),
        ("replay", "XX_nothing.csv", "--headless", "--profile", "swing"),
        ("replay", "BARS", "--headless", "--quotes", "nothing.csv"),
        ("backtest", "nothing.csv"),
        ("backtest", "BARS", "nothing.csv"),
        ("strategies", "check", "./nothing.csv"),
        ("basket", "nothing.csv", "--check"),
    ],
)
def test_a_missing_file_is_said_to_be_missing(
    keyturn: Keyturn, bars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """MD-03: before anything is said of its name, its symbol or its columns."""
    monkeypatch.chdir(tmp_path)

    answer = keyturn(*(bars if word == "BARS" else word for word in words))

    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert answer.err.endswith("nothing.csv: no such file; check the path\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("replay", "BARS", "--headless", "--profile", "bold"), '--profile = "bold": must be one of micro, swing'),
        (("backtest", "BARS", "--profile", "bold"), '--profile = "bold": must be one of'),
        (("backtest", "BARS", "--profile", 'a"b'), "--profile = "),
        (("replay", "BARS", "--headless", "--symbol", "S'Y"), '--symbol = "S\'Y": must match'),
        (("backtest", "BARS", "--symbol", "x'"), '--symbol = "X\'": must match'),
        (("backtest", "BARS", "--symbol", "Ä"), "--symbol = "),
        (("backtest", "BARS", "--set", "symbols=3"), "--set symbols = 3: must be a list"),
    ],
)
def test_the_option_that_is_wrong_is_the_one_that_is_named(
    keyturn: Keyturn, bars: Path, words: tuple[str, ...], said: str
) -> None:
    """OP-10"""
    answer = keyturn(*(bars if word == "BARS" else word for word in words))

    assert (answer.code, answer.err.count("\n")) == (2, 1)
    assert answer.err.startswith(f"keyturn: {said}")


def test_protections_name_the_option_too(keyturn: Keyturn, tmp_path: Path) -> None:
    """OP-10, RK-09"""
    trades = tmp_path / "trades.csv"
    trades.write_text("open_time,close_time,symbol,side,profit_ratio,exit_reason\n")

    answer = keyturn("protections", "check", "--trades", trades, "--at", "2026-01-05T15:00:00Z", "--profile", "bold")

    assert answer.err.startswith('keyturn: --profile = "bold": must be one of')


def test_protections_take_the_trades_that_a_backtest_writes(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """RK-09, AN-04"""
    folder = tmp_path / "tables"
    assert keyturn("backtest", bars, "--csv", folder).code == 0
    assert len((folder / "trades.csv").read_text().splitlines()) > 1

    answer = keyturn("protections", "check", "--trades", folder / "trades.csv", "--at", "2026-01-06T20:00:00Z")

    assert (answer.code, answer.err) == (0, "")
    assert "stop_loss_guard" in answer.out


def test_money_is_in_cents(keyturn: Keyturn, bars: Path) -> None:
    """SY-07: in words; JSON and CSV have every digit."""
    told = keyturn("replay", bars, "--headless", "--operator", "confirm-all").out

    profits = [line.rpartition(" ")[2] for line in told.splitlines() if line.startswith("trade ")]
    assert profits
    assert all(len(profit.partition(".")[2]) == 2 for profit in profits)


def test_milliseconds_are_whole_and_one_is_one(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """EX-16, SP-01"""
    folder = tmp_path / "journal"
    keyturn("replay", bars, "--headless", "--operator", "confirm-all", "--journal-dir", folder)
    told = keyturn("latency", "--journal-dir", folder).out
    one = Home.of({"KEYTURN_HOME": str(tmp_path / "home")}).account("one")
    one.prepare()
    with closing(FileJournal(one)) as journal:
        journal.append(datetime(2026, 1, 5, 15, tzinfo=UTC), EngineStarted())

    proved = keyturn("journal", "verify", "--account", "one").out

    assert " ms" in told
    assert not any("." in word for word in told.split() if word[0].isdigit())
    assert proved == "1 record in 1 segment holds\n"


def test_an_account_that_is_not_here_is_told_with_those_that_are(keyturn: Keyturn, tmp_path: Path) -> None:
    """OP-08: nobody reads that nothing ran where something did."""
    Home.of({"KEYTURN_HOME": str(tmp_path / "home")}).account("demo").prepare()

    answer = keyturn("kill", "--account", "dmeo")

    assert answer.err == "keyturn: no account 'dmeo'; there are demo; name one of them with --account\n"
