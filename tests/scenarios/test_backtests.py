"""`keyturn backtest`: the one engine without a desk, what it measures, and what it writes."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from syrupy.assertion import SnapshotAssertion

from core.model.order import order_id_of
from tests import data
from tests.scenarios.backtests import Keyturn, days_of, keyturn_at, minutes_of, only_before

BARE = ("--set", "strategies.sma.regime_filter=false", "--set", "strategies.sma.minimum_confidence=0")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Backtests that several tests read: VWAP over a week of minutes, mean reversion over a year of days."""
    folder = tmp_path_factory.mktemp("played")
    keyturn = keyturn_at(folder / "home")
    tables = ("--csv", folder / "tables", "--html", folder / "page.html")
    week = keyturn(
        "backtest", only_before("16:30", minutes_of(folder / "SPY_seeded.csv")), "--strategy", "vwap", "--json", *tables
    )
    days = ("backtest", days_of(folder / "QQQ_daily_seeded.csv", 250), "--without-frictions", "--json", "--strategy")
    return {"folder": folder, "week": week.json, "mean_reversion": keyturn(*days, "mean_reversion").json}


@pytest.fixture
def year(tmp_path: Path) -> Path:
    """Its first half."""
    return days_of(tmp_path / "QQQ_daily_seeded.csv", 130)


@pytest.mark.parametrize("strategy", ["vwap", "momentum", "sma of days"])
def test_frictionless_backtest_equals_the_replay(keyturn: Keyturn, bars: Path, year: Path, strategy: str) -> None:
    """AN-04, MD-05: the same orders and trades, and the same journal, byte for byte."""
    path, symbol = (year, "QQQ") if "days" in strategy else (bars, "SPY")
    path = path if "days" in strategy else only_before("17:00", path)
    words = (path, "--symbol", symbol, "--strategy", strategy.split(maxsplit=1)[0], "--json")
    words = (*words, *BARE) if "days" in strategy else words
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


def crossings(path: Path, pairs: list[list[int]]) -> dict[str, str]:
    """Day and side of each crossing, all at once by pandas; of several on one day the slowest pair's. In cents."""
    table = pd.read_csv(path, dtype=str)
    close = table["close"].map(lambda text: int(Decimal(text) * 10_000))
    found: dict[str, str] = {}
    for fast, slow in sorted(pairs, key=lambda pair: (pair[1], pair[0])):
        gap = close.rolling(fast).sum() * slow - close.rolling(slow).sum() * fast
        before = gap.shift(1)
        found.update(dict.fromkeys(table["date"][(gap > 0) & (before <= 0)], "buy"))
        found.update(dict.fromkeys(table["date"][(gap < 0) & (before >= 0)], "sell"))
    return found


def said(keyturn: Keyturn, path: Path, pairs: list[list[int]]) -> dict[str, str]:
    words = ("--strategy", "sma", "--set", f"strategies.sma.pairs={pairs}", *BARE, "--json")
    return {signal["time"]: signal["side"] for signal in keyturn("backtest", path, *words).json["signals"]}


def test_crossover_signals_equal_those_of_pandas(keyturn: Keyturn, year: Path, tmp_path: Path) -> None:
    """ST-05, AN-04: a seeded year, and a recorded one of SPY."""
    recent = newest(tmp_path / "SPY_daily.csv", 140)
    for path, pairs in ((year, [[5, 15], [10, 30], [20, 50]]), (recent, [[10, 30]])):
        expected = crossings(path, pairs)

        assert len(expected) >= 4, pairs
        assert said(keyturn, path, pairs) == expected, (path, pairs)


def newest(path: Path, count: int) -> Path:
    """The last days of SPY's."""
    header, *rows = data.days_of("SPY").read_text().splitlines()
    path.write_text("\n".join([header, *rows[-count:]]) + "\n")
    return path


def test_signals_are_reported_before_the_risk_checks(keyturn: Keyturn, bars: Path) -> None:
    """AN-04: no risk is allowed, so that nothing is ordered; what the strategy said is the same."""
    words = ("backtest", bars, "--strategy", "vwap", "--json", "--set")
    refused = keyturn(*words, "risk.portfolio.reserve=1000").json

    assert refused["orders"] == []
    assert refused["signals"]
    assert set(refused["signals"][0]) == {"time", "strategy", "symbol", "side", "confidence"}


def test_daily_entry_lives_for_the_next_session(played: dict[str, Any]) -> None:
    """ST-03, MD-05: it goes out at the next open, and ends at that session's close."""
    found = played["mean_reversion"]

    entries = [order for order in found["orders"] if order["type"] == "limit"]
    assert {order["status"] for order in entries} == {"FILLED", "EXPIRED"}
    assert {order["submitted_at"][14:16] for order in entries} == {"30"}  # at the open, summer and winter
    filled = {trade["entry_time"][11:16] for trade in found["trades"]}
    assert any(clock > "15:00" for clock in filled)  # long after 90 s


def test_ids_of_daily_orders_name_the_timeframe(played: dict[str, Any]) -> None:
    """EX-04: `mean_reversion:QQQ:1day:…:buy`, and its stop with a child index."""
    found = played["mean_reversion"]

    ids = {kind: {o["client_order_id"] for o in found["orders"] if o["type"] == kind} for kind in ("limit", "stop")}
    entries = [p for p in found["proposals"] if p["effect"] == "open"]
    assert ids["limit"]
    assert ids["limit"] <= {id_of(p, "1day", "buy") for p in entries}
    assert ids["stop"] & {id_of(p, "1day", "sell", "1") for p in entries}
    assert not ids["stop"] & {id_of(p, "1min", "sell", "1") for p in entries}


def id_of(proposal: dict[str, str], timeframe: str, *parts: str) -> str:
    return order_id_of(proposal["strategy"], proposal["symbol"], timeframe, proposal["time"], *parts)


def test_daily_bars_have_no_entry_window(keyturn: Keyturn, year: Path) -> None:
    """RK-07, ST-09"""
    found = keyturn("backtest", year, "--strategy", "sma", "--json", *BARE).json

    assert found["timeframe"] == "1day"
    assert "OUTSIDE_WINDOW" not in found["no_trade"]
    assert "FORCE_FLAT" not in {trade["exit_reason"] for trade in found["trades"]}
    assert any(trade["entry_time"][:10] < trade["exit_time"][:10] for trade in found["trades"])
    assert found["bars"] == len(year.read_text().splitlines()) - 1


def test_daily_breakouts_are_counted_over_a_quarter(keyturn: Keyturn, tmp_path: Path) -> None:
    """ST-04, AN-04: a session's worth of minutes would be a year and a half of days."""
    words = ("backtest", newest(tmp_path / "SPY_daily.csv", 300), "--strategy", "breakout", "--without-frictions")

    found = keyturn(*words, "--json").json
    written = keyturn(*words, "--json", "--set", "strategies.breakout.counted_bars=390").json

    assert found["trades"]
    assert found["no_trade"]["FALSE_BREAKOUTS"] > 0
    assert written["no_trade"] != found["no_trade"]  # what the operator sets goes before it


def test_size_follows_the_equity_of_its_day(keyturn: Keyturn, year: Path) -> None:
    """RK-02, RK-10: half a percent of it, in fractions and in whole shares whose stop goes with them."""
    for step in ("0.001", "1"):
        words = ("--strategy", "sma", "--profile", "swing", "--set", f"strategies.sma.quantity_step={step}", *BARE)

        found = keyturn("backtest", year, *words, "--without-frictions", "--json").json

        assert "ZERO_SIZE" not in found["no_trade"], step
        assert len(found["trades"]) >= 2, step
        risks = [
            (Decimal(p["limit_price"]) - Decimal(p["stop_price"])) * Decimal(p["quantity"])
            for p in found["proposals"]
            if p["effect"] == "open"
        ]
        assert all(risk <= Decimal("510") for risk in risks), (step, risks)
        assert not found["skipped"], step


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
