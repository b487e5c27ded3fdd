"""`keyturn backtest`: the one engine without a desk, what it measures, and what it writes."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from core.model.order import order_id_of
from tests.data import days_of
from tests.scenarios.backtests import Keyturn, minutes_of

BARE = ("--set", "strategies.sma.regime_filter=false", "--set", "strategies.sma.minimum_confidence=0")
# ── the same engine ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("strategy", ["vwap", "momentum", "mean_reversion", "sma"])
def test_without_what_goes_wrong_a_backtest_is_the_replay_that_is_always_confirmed(
    keyturn: Keyturn, minutes: Path, strategy: str
) -> None:
    """AN-04, MD-05: the same orders and trades, and the same journal, byte for byte."""
    replayed = keyturn("replay", minutes, "--headless", "--operator", "confirm-all", "--strategy", strategy, "--json")
    tested = keyturn("backtest", minutes, "--strategy", strategy, "--without-frictions", "--json")

    assert replayed.json["orders"]
    assert {name: tested.json[name] for name in replayed.json} == replayed.json


def test_a_backtest_of_days_is_the_replay_of_them(keyturn: Keyturn, days: Path) -> None:
    """AN-04, MD-05"""
    words = (days, "--strategy", "sma", "--json")

    replayed = keyturn("replay", *words, "--symbol", "QQQ", "--headless", "--operator", "confirm-all").json
    tested = keyturn("backtest", *words, "--without-frictions").json

    assert replayed["trades"]
    assert {name: tested[name] for name in replayed} == replayed


def test_what_goes_wrong_is_the_same_for_the_same_seed_alone(keyturn: Keyturn, minutes: Path) -> None:
    """AN-04"""
    often = ("--strategy", "vwap", "--set", "exchange.partial_fills=0.5", "--set", "exchange.rejections=0.2")

    def fingerprint(*words: object) -> object:
        return keyturn("backtest", minutes, *often, *words, "--json").json["fingerprint"]

    assert fingerprint() == fingerprint() != fingerprint("--seed", "2")
    assert fingerprint() != fingerprint("--without-frictions")


def test_market_orders_slip_in_a_backtest(keyturn: Keyturn, minutes: Path) -> None:
    """AN-04"""
    calm = ("--set", "exchange.partial_fills=0", "--set", "exchange.rejections=0", "--set", "exchange.halts=0")
    smooth = keyturn("backtest", minutes, "--strategy", "vwap", "--without-frictions", "--json").json
    rough = keyturn("backtest", minutes, "--strategy", "vwap", *calm, "--json").json

    assert len(rough["trades"]) == len(smooth["trades"])
    assert rough["metrics"]["slippage"] > smooth["metrics"]["slippage"]
    assert rough["metrics"]["profit"] < smooth["metrics"]["profit"]


def test_the_rule_of_day_trades_holds_in_a_backtest_of_a_broker_that_counts_them(
    keyturn: Keyturn, minutes: Path
) -> None:
    """AN-04, RK-15: on margin, under 25,000 USD, where the second of five business days must not be made."""
    margin = ("--strategy", "vwap", "--without-frictions", "--json", "--set", "exchange.multiplier=2")
    rule = "risk.protections.day_trades"

    free = keyturn("backtest", minutes, *margin).json
    ruled = keyturn(
        "backtest", minutes, *margin, "--set", f"{rule}.enabled=true", "--set", f"{rule}.trade_limit=2"
    ).json

    assert len(free["trades"]) > len(ruled["trades"]) == 1
    assert ruled["skipped"]["day trades"] > 0


# ── signals ──────────────────────────────────────────────────────────────────────────────────────────────────────────


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


PAIRS = [[[5, 15]], [[10, 30]], [[20, 50]], [[5, 15], [10, 30], [20, 50]]]


def said(keyturn: Keyturn, path: Path, pairs: list[list[int]]) -> dict[str, str]:
    words = ("--strategy", "sma", "--set", f"strategies.sma.pairs={pairs}", *BARE, "--json")
    return {signal["time"]: signal["side"] for signal in keyturn("backtest", path, *words).json["signals"]}


@pytest.mark.parametrize("pairs", PAIRS)
def test_the_bare_crossover_says_what_pandas_works_out_all_at_once(
    keyturn: Keyturn, days: Path, pairs: list[list[int]]
) -> None:
    """ST-05, AN-04"""
    expected = crossings(days, pairs)

    assert len(expected) >= 6
    assert said(keyturn, days, pairs) == expected


@pytest.mark.parametrize("pairs", PAIRS)
def test_the_bare_crossover_of_thirteen_years_is_that_of_pandas(keyturn: Keyturn, pairs: list[list[int]]) -> None:
    """ST-05, AN-04: SPY from 2008 to 2021."""
    path = days_of("SPY")

    assert said(keyturn, path, pairs) == crossings(path, pairs)


def test_a_signal_is_told_before_anything_judges_it(keyturn: Keyturn, minutes: Path) -> None:
    """AN-04: no risk is allowed, so that nothing is ordered; what the strategy said is the same."""
    words = ("backtest", minutes, "--strategy", "vwap", "--json", "--set")
    refused = keyturn(*words, "risk.portfolio.reserve=1000").json

    assert refused["orders"] == []
    assert refused["signals"]
    assert set(refused["signals"][0]) == {"time", "strategy", "symbol", "side", "confidence"}


# ── days ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_entry_of_a_day_lives_through_the_next_session(keyturn: Keyturn, days: Path) -> None:
    """ST-03, MD-05: it goes out at the next open, and ends at that session's close."""
    found = keyturn("backtest", days, "--strategy", "mean_reversion", "--without-frictions", "--json").json

    entries = [order for order in found["orders"] if order["type"] == "limit"]
    assert {order["status"] for order in entries} == {"FILLED", "EXPIRED"}
    assert {order["submitted_at"][14:16] for order in entries} == {"30"}  # at the open, summer and winter
    filled = {trade["entry_time"][11:16] for trade in found["trades"]}
    assert any(clock > "15:00" for clock in filled)  # long after 90 s


def test_the_ids_of_a_days_signals_and_of_their_stops_name_the_day(keyturn: Keyturn, days: Path) -> None:
    """EX-04: `mean_reversion:QQQ:1day:…:buy`, and its stop with a child index."""
    found = keyturn("backtest", days, "--strategy", "mean_reversion", "--without-frictions", "--json").json

    ids = {kind: {o["client_order_id"] for o in found["orders"] if o["type"] == kind} for kind in ("limit", "stop")}
    entries = [p for p in found["proposals"] if p["effect"] == "open"]
    assert ids["limit"]
    assert ids["limit"] <= {id_of(p, "1day", "buy") for p in entries}
    assert ids["stop"] & {id_of(p, "1day", "sell", "1") for p in entries}
    assert not ids["stop"] & {id_of(p, "1min", "sell", "1") for p in entries}


def id_of(proposal: dict[str, str], timeframe: str, *parts: str) -> str:
    return order_id_of(proposal["strategy"], proposal["symbol"], timeframe, proposal["time"], *parts)


def test_a_day_knows_no_window_and_no_flat_time(keyturn: Keyturn, days: Path) -> None:
    """RK-07, ST-09"""
    found = keyturn("backtest", days, "--strategy", "sma", "--json").json

    assert found["timeframe"] == "1day"
    assert "OUTSIDE_WINDOW" not in found["no_trade"]
    assert "FORCE_FLAT" not in {trade["exit_reason"] for trade in found["trades"]}
    assert any(trade["entry_time"][:10] < trade["exit_time"][:10] for trade in found["trades"])
    assert found["bars"] == len(days.read_text().splitlines()) - 1


def test_breakouts_of_days_are_counted_over_a_quarter_and_then_forgotten(keyturn: Keyturn) -> None:
    """ST-04, AN-04: 13 years of SPY; a session's worth of minutes would be a year and a half of days."""
    path = days_of("SPY")

    found = keyturn("backtest", path, "--strategy", "breakout", "--without-frictions", "--json").json
    written = keyturn(
        *("backtest", path, "--strategy", "breakout", "--without-frictions", "--json"),
        *("--set", "strategies.breakout.counted_bars=390"),
    ).json

    assert len(found["trades"]) >= 10
    assert found["no_trade"]["FALSE_BREAKOUTS"] > 0
    assert written["trades"] == []  # what the operator sets goes before it


@pytest.mark.parametrize("step", ["0.001", "1"])
def test_a_size_follows_the_equity_of_the_day_on_which_it_is_ordered(keyturn: Keyturn, days: Path, step: str) -> None:
    """RK-02, RK-10: half a percent of it, in fractions and in whole shares whose stop goes with them."""
    words = ("--strategy", "sma", "--profile", "swing", "--set", f"strategies.sma.quantity_step={step}", *BARE)

    found = keyturn("backtest", days, *words, "--without-frictions", "--json").json

    assert "ZERO_SIZE" not in found["no_trade"]
    assert len(found["trades"]) >= 3
    stops = {p["time"]: Decimal(p["stop_price"]) for p in found["proposals"] if p["effect"] == "open"}
    risks = [
        (Decimal(p["limit_price"]) - stops[p["time"]]) * Decimal(p["quantity"])
        for p in found["proposals"]
        if p["effect"] == "open"
    ]
    assert all(risk <= Decimal("510") for risk in risks)
    assert not found["skipped"]


def test_days_and_minutes_are_not_played_together(keyturn: Keyturn, days: Path, minutes: Path) -> None:
    """SY-07"""
    answer = keyturn("replay", days, minutes, "--symbol", "SPY", "--symbol", "QQQ", "--headless")

    assert answer.code == 2
    assert "QQQ_daily_seeded.csv is of days and SPY_seeded.csv of minutes; play them one by one" in answer.err


# ── what is told ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_equity_series_ends_at_what_the_trades_made(keyturn: Keyturn, minutes: Path) -> None:
    """AN-01, AN-04"""
    found = keyturn("backtest", minutes, "--strategy", "vwap", "--json").json

    measures = found["metrics"]
    assert [day["day"] for day in found["equity"]][1:] == [f"2026-01-0{day}" for day in range(5, 10)]
    assert found["equity"][0]["equity"] == 200
    assert measures["last_equity"] == pytest.approx(200 + measures["profit"])
    assert measures["trades"] == len(found["trades"]) > 2
    assert measures["sharpe"] is not None


def test_a_person_sees_a_page_that_fits_80_columns(
    keyturn: Keyturn, days: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AN-04, SY-07"""
    monkeypatch.setenv("COLUMNS", "80")

    answer = keyturn("backtest", days, "--strategy", "sma")

    lines = answer.out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    for words in ("Sharpe", "profit factor", "equity, USD", "drawdown: from", "NO_SETUP", "trades"):
        assert any(words in line for line in lines), words
    assert sum("┤" in line for line in lines) == 12


def test_a_strategy_of_ones_own_tells_why_it_did_not_trade(keyturn: Keyturn, minutes: Path, tmp_path: Path) -> None:
    """ST-03, AN-04: as those of the house do."""
    keyturn("strategies", "new", "dips")
    (tmp_path / "home" / "settings.toml").write_text("[strategies.dips]\nenabled = true\n")

    answer = keyturn("backtest", minutes, "--strategy", "dips", "--json")

    reasons = answer.json["reasons"]
    assert list(reasons) == ["dips"]
    assert reasons["dips"]["NO_SETUP"] > 0
    assert sum(reasons["dips"].values()) + len(answer.json["signals"]) == answer.json["bars"]


def test_tables_and_a_page_are_written(keyturn: Keyturn, minutes: Path, tmp_path: Path) -> None:
    """AN-04"""
    folder, page = tmp_path / "tables", tmp_path / "page.html"

    found = keyturn("backtest", minutes, "--strategy", "vwap", "--csv", folder, "--html", page, "--json").json

    assert {path.name for path in folder.iterdir()} == {
        f"{name}.csv" for name in ("trades", "equity", "orders", "signals", "reasons", "metrics")
    }
    with (folder / "trades.csv").open() as file:
        assert [row["profit"] for row in csv.DictReader(file)] == [trade["profit"] for trade in found["trades"]]
    text = page.read_text()
    assert text.count("<svg") == 2
    assert "http" not in text  # it asks nobody for anything
    assert found["trades"][0]["entry_time"] in text


def test_several_files_are_played_beside_each_other(keyturn: Keyturn, minutes: Path, tmp_path: Path) -> None:
    """AN-04: each for itself, in a process of its own, told in the order in which they were named."""
    other = minutes_of(tmp_path / "IBM_seeded.csv", "IBM")
    words = ("--strategy", "vwap", "--json")

    found = keyturn("backtest", other, minutes, *words).json

    assert [each["file"] for each in found] == ["IBM_seeded.csv", "SPY_seeded.csv"]
    assert found[1] == keyturn("backtest", minutes, *words).json


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--strategy", "scalping"),
            "--strategy scalping: there is none; one of vwap, momentum, breakout, mean_reversion, sma",
        ),
        (("--html", "page.csv"), "--html page.csv: its name ends with .html, so that no other file is written over"),
        (
            ("--html", "nowhere/page.html"),
            "nowhere/page.html: there is no folder nowhere; make it, or name another file",
        ),
        (("--csv", "."), ". is not empty; name a new folder for the tables"),
        (("--set", "strategies.vwap.adaptive.least=0.007"), "strategies.vwap.adaptive.least is over"),
        (("--set", "exchange.rejections=2"), "exchange.rejections"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    keyturn: Keyturn, minutes: Path, words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SY-07"""
    monkeypatch.chdir(minutes.parent)

    answer = keyturn("backtest", minutes, *words)

    assert answer.code == 2
    assert said in answer.err
    assert answer.err.count("\n") == 1


def test_adaptive_thresholds_are_a_backtests_alone(keyturn: Keyturn, minutes: Path) -> None:
    """ST-06"""
    adaptive = ("--set", "strategies.vwap.adaptive.enabled=true")

    assert keyturn("backtest", minutes, *adaptive, "--json").code == 0
    for words in (("replay", minutes, "--headless"), ("demo", "--headless")):
        answer = keyturn(*words, *adaptive)
        assert answer.code == 2
        assert answer.err == (
            "keyturn: strategies.vwap.adaptive.enabled = true: only `keyturn backtest` may use it; set it to false\n"
        )
