"""Months of a real desk whose broker refuses orders: its failed exits in every command, and pane 7, against pandas."""

from __future__ import annotations

import json
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.market.calendar import load_calendar
from core.model.account import Mode
from core.model.signal import FAILED_WORDS
from core.trading_state.checkpoint import rebuild
from core.trading_state.state import TradingState
from core.views import GroupRow
from core.views.builders.measures import MeasureRows
from core.views.builders.strategies import DayRows
from state.journal import MemoryJournal, read
from tests.scenarios.backtests import Keyturn, days_of, keyturn_at

CENT = Decimal("0.01")
OFTEN = (
    *("--strategy", "sma", "--set", "strategies.sma.pairs=[[2,5]]", "--set", "strategies.sma.regime_filter=false"),
    *("--set", "strategies.sma.minimum_confidence=0", "--set", "strategies.breakout.enabled=true"),
    *(
        "--set",
        "strategies.breakout.bars=5",
        "--set",
        "exchange.rejections=0.3",
        "--set",
        "exchange.cash=100000",
        "--profile",
        "swing",
    ),
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


@pytest.fixture(scope="module")
def desk(journal: Path) -> TradingState:
    """The desk after all records of the journal."""
    kept = MemoryJournal()
    for record in read(journal):
        kept.append(record.at, record.fact)
    found = TradingState("replay", Mode.PAPER, load_calendar(date(2021, 12, 1), date(2023, 1, 31)), kept)
    assert rebuild(found, None) == ()
    return found


def cents(amounts: pd.Series) -> Decimal:
    return Decimal(sum(amounts, Decimal(0))).quantize(CENT, ROUND_HALF_EVEN)


def test_measures_of_a_desk_leave_failed_exits_out(called: Keyturn, journal: Path, trades: pd.DataFrame) -> None:
    """EX-18, AN-01"""
    found = called("measures", "--journal-dir", journal, "--json").json

    good, failed = trades[~trades["failed"]], trades[trades["failed"]]
    assert min(len(good), len(failed)) > 2
    assert found["measures"]["win_rate"] == pytest.approx((good["profit"] > 0).mean())
    assert Decimal(str(found["measures"]["profit"])) == cents(good["profit"])
    apart = float(cents(trades["profit"]) - cents(good["profit"]))
    assert found["failed"] == {"trades": len(failed), "profit": apart}
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

    failed = trades.loc[trades["failed"], "profit"]
    assert (found["failed"]["trades"], Decimal(found["failed"]["profit"])) == (len(failed), sum(failed, Decimal(0)))
    assert f"{len(failed)} {FAILED_WORDS}" in called("theses", "--file", file, "--journal-dir", journal).out
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


def test_groups_of_pane_7_are_those_of_the_trades(desk: TradingState, trades: pd.DataFrame) -> None:
    """AN-01, EX-18: exact, of each month and of the last 63 sessions, by strategy and exit reason"""
    days = DayRows(desk).rows()
    rows = MeasureRows(desk).groups(days, days[-1].day)

    months = {f"{pd.Timestamp(day):%B %Y}" for day in trades["day"]}
    assert len(months) > 5
    for month in months:
        inside = trades[pd.to_datetime(trades["day"]).dt.strftime("%B %Y") == month]
        strategies = inside["strategy"].mask(inside["failed"], FAILED_WORDS)
        for by, names in (("strategy", strategies), ("reason", inside["exit_reason"])):
            found = {row.name: row for row in rows if (row.period, row.by) == (month, by)}
            assert found.keys() == {*names}
            for name, its in inside.groupby(names)["profit"]:
                assert as_told(found[str(name)]) == (len(its), (its > 0).sum(), sum(its, Decimal(0)))
    quarter = {row.name: row for row in rows if (row.period, row.by) == ("63 sessions", "reason")}
    last = trades[trades["day"] >= str(days[-63].day)]
    assert sum(row.trades for row in quarter.values()) == len(last)
    assert sum((row.profit for row in quarter.values()), Decimal(0)) == sum(last["profit"], Decimal(0))


def as_told(row: GroupRow) -> tuple[int, int, Decimal]:
    return row.trades, row.wins, row.profit


def test_measures_of_pane_7_are_those_of_the_closes(called: Keyturn, desk: TradingState, journal: Path) -> None:
    """AN-01: of the last 63 closes by pandas to six decimals, and as `keyturn measures` has them"""
    lines = [line for path in sorted(journal.glob("**/*.jsonl")) for line in path.read_text().splitlines()]
    began = [json.loads(line)["data"] for line in lines if '"DayStarted"' in line]
    equity = pd.Series([float(each["equity"]) for each in began])
    returns = equity.pct_change().iloc[-63:]
    worth = equity.iloc[-64:]
    total, fall = worth.iloc[-1] / worth.iloc[0] - 1, (1 - worth / worth.cummax()).max()
    downside = (returns.clip(upper=0) ** 2).mean() ** 0.5

    found = MeasureRows(desk).measures(desk.at)

    expected = [
        total, returns.mean() / returns.std() * 252**0.5, returns.mean() / downside * 252**0.5,
        ((1 + total) ** 4 - 1) / fall, fall,
    ]  # fmt: skip
    told = [found.total_return, found.sharpe, found.sortino, found.calmar, found.max_drawdown]
    assert [float(each) for each in told if each is not None] == pytest.approx(expected, abs=1e-6)
    rolled = called("measures", "--journal-dir", journal, "--json").json["rolling"][-1]
    names = ("total_return", "sharpe", "sortino", "calmar", "max_drawdown")
    assert [rolled[name] for name in names] == pytest.approx(expected, abs=1e-6)
    assert found.watermark == max(Decimal(each["equity"]) for each in began).quantize(CENT)
