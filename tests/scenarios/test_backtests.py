"""`keyturn backtest`: the one engine without a desk, what it measures, and what it writes."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.scenarios.backtests import Keyturn, keyturn_at, minutes_of, only_before


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """VWAP over a week of mornings, which several tests read."""
    folder = tmp_path_factory.mktemp("played")
    mornings = only_before("16:30", minutes_of(folder / "SPY_seeded.csv"))
    tables = ("--csv", folder / "tables", "--html", folder / "page.html")
    week = keyturn_at(folder / "home")("backtest", mornings, "--strategy", "vwap", "--json", *tables)
    return {"folder": folder, "week": week.json}


@pytest.mark.parametrize("strategy", ["vwap", "momentum"])
def test_frictionless_backtest_equals_the_replay(keyturn: Keyturn, bars: Path, strategy: str) -> None:
    """AN-04, MD-05: the same orders and trades, and the same journal, byte for byte."""
    words = (only_before("17:00", bars), "--symbol", "SPY", "--strategy", strategy, "--json")
    replayed = keyturn("replay", *words, "--headless", "--operator", "confirm-all").json
    tested = keyturn("backtest", *words, "--without-frictions").json

    assert replayed["orders"]
    assert {name: tested[name] for name in replayed} == replayed


def test_frictions_depend_on_the_seed_alone(keyturn: Keyturn, bars: Path) -> None:
    """AN-04"""
    often = ("--strategy", "vwap", "--set", "exchange.partial_fills=0.5", "--set", "exchange.rejections=0.2")

    def fingerprint(*words: object) -> object:
        return keyturn("backtest", only_before("16:30", bars), *often, *words, "--json").json["fingerprint"]

    assert fingerprint() == fingerprint() != fingerprint("--seed", "2")
    assert fingerprint() != fingerprint("--without-frictions")


def test_market_orders_slip(keyturn: Keyturn, bars: Path) -> None:
    """AN-04"""
    calm = ("--set", "exchange.partial_fills=0", "--set", "exchange.rejections=0", "--set", "exchange.halts=0")
    smooth = keyturn("backtest", bars, "--strategy", "vwap", "--without-frictions", "--json").json
    rough = keyturn("backtest", bars, "--strategy", "vwap", *calm, "--json").json

    assert len(rough["trades"]) == len(smooth["trades"]) > 0
    assert rough["metrics"]["slippage"] > smooth["metrics"]["slippage"]
    assert rough["metrics"]["profit"] < smooth["metrics"]["profit"]


def test_day_trade_limit_applies(keyturn: Keyturn, bars: Path) -> None:
    """AN-04, RK-15: on margin, under 25,000 USD, where the second of five business days must not be made."""
    margin = ("--strategy", "vwap", "--without-frictions", "--json", "--set", "exchange.multiplier=2")
    rule = "risk.protections.day_trades"

    free = keyturn("backtest", bars, *margin).json
    ruled = keyturn("backtest", bars, *margin, "--set", f"{rule}.enabled=true", "--set", f"{rule}.trade_limit=2").json

    assert len(free["trades"]) > len(ruled["trades"]) == 1
    assert ruled["skipped"]["day trades"] > 0


def test_signals_are_reported_before_the_risk_checks(keyturn: Keyturn, bars: Path) -> None:
    """AN-04: no risk is allowed, so that nothing is ordered; what the strategy said is the same."""
    words = ("backtest", bars, "--strategy", "vwap", "--json", "--set")
    refused = keyturn(*words, "risk.portfolio.reserve=1000").json

    assert refused["orders"] == []
    assert refused["signals"]
    assert set(refused["signals"][0]) == {"time", "strategy", "symbol", "side", "confidence"}


def test_last_equity_is_the_sum_of_the_trades(played: dict[str, Any]) -> None:
    """AN-01, AN-04"""
    found = played["week"]

    measures = found["metrics"]
    assert [day["day"] for day in found["equity"]][1:] == [f"2026-01-0{day}" for day in range(5, 10)]
    assert found["equity"][0]["equity"] == 200
    assert measures["last_equity"] == pytest.approx(200 + measures["profit"])
    assert measures["trades"] == len(found["trades"]) > 2
    assert measures["sharpe"] is None


def test_user_strategy_reports_why_it_did_not_trade(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """ST-03, AN-04: as those of the house do."""
    keyturn("strategies", "new", "dips")
    (tmp_path / "home" / "settings.toml").write_text("[strategies.dips]\nenabled = true\n")

    answer = keyturn("backtest", bars, "--strategy", "dips", "--json")

    reasons = answer.json["reasons"]
    assert list(reasons) == ["dips"]
    assert reasons["dips"]["NO_SETUP"] > 0
    assert sum(reasons["dips"].values()) + len(answer.json["signals"]) == answer.json["bars"]


def test_tables_and_an_html_page_are_written(played: dict[str, Any]) -> None:
    """AN-04"""
    folder, found = played["folder"] / "tables", played["week"]

    assert {path.name for path in folder.iterdir()} == {
        f"{name}.csv" for name in ("trades", "equity", "orders", "signals", "reasons", "metrics")
    }
    with (folder / "trades.csv").open() as file:
        assert [row["profit"] for row in csv.DictReader(file)] == [trade["profit"] for trade in found["trades"]]
    text = (played["folder"] / "page.html").read_text()
    assert text.count("<figure") == 6
    assert "<script" not in text
    assert "http" not in text  # it asks nobody for anything
    assert found["trades"][0]["entry_time"] in text


REFUSED = (
    ("backtest", "--strategy", "scalping"),
    ("backtest", "--html", "page.csv"),
    ("backtest", "--html", "nowhere/page.html"),
    ("backtest", "--csv", "."),
    ("backtest", "--set", "strategies.vwap.adaptive.least=0.007"),
    ("backtest", "--set", "exchange.rejections=2"),
    ("replay", "QQQ_daily_seeded.csv", "--symbol", "SPY", "--symbol", "QQQ", "--headless"),
)


def test_impossible_requests_are_refused_in_one_line(
    keyturn: Keyturn, bars: Path, year: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    """SY-07"""
    monkeypatch.chdir(bars.parent)

    answers = {" ".join(words): keyturn(words[0], "SPY_seeded.csv", *words[1:]) for words in REFUSED}

    assert {(answer.code, answer.out, answer.err.count("\n")) for answer in answers.values()} == {(2, "", 1)}
    assert {words: answer.err for words, answer in answers.items()} == snapshot


def test_adaptive_thresholds_are_for_backtests_only(keyturn: Keyturn, bars: Path, snapshot: SnapshotAssertion) -> None:
    """ST-06"""
    adaptive = ("--set", "strategies.vwap.adaptive.enabled=true")

    assert keyturn("backtest", bars, *adaptive, "--json").code == 0
    refused = [keyturn(*words, *adaptive) for words in (("replay", bars, "--headless"), ("demo", "--headless"))]
    assert [answer.code for answer in refused] == [2, 2]
    assert {answer.err for answer in refused} == snapshot
