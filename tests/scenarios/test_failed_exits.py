"""Months of a real desk whose broker refuses orders: its failed exits in every command, against pandas (EX-18)."""

from __future__ import annotations

import json
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.model.signal import FAILED_WORDS
from tests.scenarios.backtests import Keyturn, days_of, keyturn_at

CENT = Decimal("0.01")
OFTEN = (
    *("--strategy", "sma", "--set", "strategies.sma.pairs=[[2,5]]", "--set", "strategies.sma.regime_filter=false"),
    *("--set", "strategies.sma.minimum_confidence=0", "--set", "strategies.breakout.enabled=true"),
    *("--set", "strategies.breakout.bars=5", "--set", "exchange.rejections=0.3", "--set", "exchange.cash=100000"),
)


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory) -> Keyturn:
    return keyturn_at(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def journal(called: Keyturn, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of 250 sessions, each proposal confirmed; read alone."""
    folder = tmp_path_factory.mktemp("played")
    days = days_of(folder / "QQQ_daily_seeded.csv", 250)
    words = ("replay", days, "--symbol", "QQQ", "--headless", "--operator", "confirm-all", *OFTEN)
    assert called(*words, "--journal-dir", folder / "journal").code == 0
    return folder / "journal"


@pytest.fixture(scope="module")
def trades(journal: Path) -> pd.DataFrame:
    """The closed trades, read as plain JSON."""
    lines = [line for path in sorted(journal.glob("**/*.jsonl")) for line in path.read_text().splitlines()]
    rows = [json.loads(line)["data"]["trade"] for line in lines if '"TradeClosed"' in line]
    table = pd.DataFrame(rows)[["strategy", "exit_reason", "exit_time", "profit"]]
    failed = table["exit_reason"].isin(["EXECUTION_ERROR", "BROKER_REJECT"])
    times = pd.to_datetime(table["exit_time"], utc=True, format="ISO8601").dt.tz_convert("America/New_York")
    return table.assign(profit=table["profit"].map(Decimal), failed=failed, day=times.dt.strftime("%Y-%m-%d"))


def cents(amounts: pd.Series) -> Decimal:
    return Decimal(sum(amounts, Decimal(0))).quantize(CENT, ROUND_HALF_EVEN)


def test_measures_of_a_desk_leave_failed_exits_out(called: Keyturn, journal: Path, trades: pd.DataFrame) -> None:
    """EX-18, AN-01"""
    found = called("measures", "--journal-dir", journal, "--json").json

    good, failed = trades[~trades["failed"]], trades[trades["failed"]]
    assert min(len(good), len(failed)) > 2
    assert found["measures"]["win_rate"] == pytest.approx((good["profit"] > 0).mean())
    assert Decimal(str(found["measures"]["profit"])) == cents(good["profit"])
    assert found["failed"] == {"trades": len(failed), "profit": float(cents(failed["profit"]))}
    reasons = found["groups"]["reason"]
    assert {name: each["trades"] for name, each in reasons.items()} == trades.groupby("exit_reason").size().to_dict()
    for groups in found["groups"].values():
        assert sum(Decimal(str(each["profit"])) for each in groups.values()) == cents(trades["profit"])


def test_a_report_adds_up_with_a_line_of_failed_exits(called: Keyturn, journal: Path, trades: pd.DataFrame) -> None:
    """EX-18, AN-06: strategies and exit reasons are the day's result to the cent"""
    for day, its in trades[trades["day"].isin(trades.loc[trades["failed"], "day"])].groupby("day"):
        told: dict[str, Any] = called("report", "--day", day, "--journal-dir", journal, "--json").json

        whole = told["whole"]
        assert Decimal(whole["result"]) == cents(its["profit"])
        assert (whole["trades"], whole["failed"]) == (len(its), its["failed"].sum())
        assert whole["won"] == (its.loc[~its["failed"], "profit"] > 0).sum()
        for key in ("strategies", "exit_reasons"):
            assert sum(Decimal(each["result"]) for each in told[key]) == cents(its["profit"])
            apart = [each for each in told[key] if each["failed"]]
            assert sum(each["trades"] for each in apart) == its["failed"].sum()
            assert {each["won"] for each in apart} == {None}
        assert [each["strategy"] for each in told["strategies"] if each["failed"]] == [FAILED_WORDS]
        assert f"{FAILED_WORDS}: " in called("report", "--day", day, "--journal-dir", journal).out
        assert "By exit reason" in page_of(called, journal, str(day))


def page_of(called: Keyturn, journal: Path, day: str) -> str:
    file = journal.parent / f"{day}.html"
    assert called("report", "--day", day, "--journal-dir", journal, "--html", file).code == 0
    return file.read_text()


def test_theses_are_judged_without_failed_exits(called: Keyturn, journal: Path, trades: pd.DataFrame) -> None:
    """EX-18, AN-07"""
    good = trades[~trades["failed"] & (trades["strategy"] == "sma")]
    file = journal.parent / "theses.toml"
    file.write_text(f'[s]\nsays = "x"\nstrategy = "sma"\ninvalid_if = ["profit < 0 USD over {len(good)} trades"]\n')

    found = called("theses", "--file", file, "--journal-dir", journal, "--json").json

    (evidence,) = found["theses"][0]["evidence"]
    assert (evidence["trades"], Decimal(evidence["value"])) == (
        len(good),
        sum(good["profit"], Decimal(0)).quantize(Decimal("0.0001")).normalize(),
    )


def test_a_backtest_leaves_failed_exits_out(called: Keyturn, journal: Path) -> None:
    """EX-18, AN-04: metrics of the page and of metrics.csv"""
    days = journal.parent / "QQQ_daily_seeded.csv"
    found = called("backtest", days, "--symbol", "QQQ", "--json", *OFTEN).json

    table = pd.DataFrame(found["trades"])
    failed = table["exit_reason"].isin(["EXECUTION_ERROR", "BROKER_REJECT"])
    profits = table["profit"].astype(float)
    left = [float(each["profit"]) for each in found["open"]]
    good = [*profits[~failed], *left]
    metrics = found["metrics"]
    assert (metrics["failed"], metrics["failed_profit"]) == (failed.sum(), pytest.approx(profits[failed].sum()))
    assert (metrics["trades"], metrics["win_rate"]) == (len(good), pytest.approx(sum(p > 0 for p in good) / len(good)))
    assert failed.sum() > 0
