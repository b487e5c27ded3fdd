"""`keyturn backtest` over bars of a day: signals, entries, sizes and what they cost."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from core.model.order import order_id_of
from tests import data
from tests.scenarios.backtests import Keyturn, days_of, keyturn_at

BARE = ("--set", "strategies.sma.regime_filter=false", "--set", "strategies.sma.minimum_confidence=0")


@pytest.fixture
def year(tmp_path: Path) -> Path:
    """Its first half."""
    return days_of(tmp_path / "QQQ_daily_seeded.csv", 130)


@pytest.fixture(scope="module")
def reverted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Mean reversion over a year of days, which several tests read."""
    folder = tmp_path_factory.mktemp("played")
    days = days_of(folder / "QQQ_daily_seeded.csv", 200)
    words = ("--strategy", "mean_reversion", "--without-frictions", "--json")
    found: dict[str, Any] = keyturn_at(folder / "home")("backtest", days, *words).json
    return found


def test_frictionless_daily_backtest_equals_the_replay(keyturn: Keyturn, year: Path) -> None:
    """AN-04, MD-05: the same orders and trades, and the same journal, byte for byte."""
    words = (year, "--symbol", "QQQ", "--strategy", "sma", "--json", *BARE)
    replayed = keyturn("replay", *words, "--headless", "--operator", "confirm-all").json
    tested = keyturn("backtest", *words, "--without-frictions").json

    assert replayed["orders"]
    assert {name: tested[name] for name in replayed} == replayed


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


def test_daily_entry_lives_for_the_next_session(reverted: dict[str, Any]) -> None:
    """ST-03, MD-05: it goes out at the next open, and ends at that session's close."""
    entries = [order for order in reverted["orders"] if order["type"] == "limit"]
    assert {order["status"] for order in entries} == {"FILLED", "EXPIRED"}
    assert {order["submitted_at"][14:16] for order in entries} == {"30"}  # at the open, summer and winter
    filled = {trade["entry_time"][11:16] for trade in reverted["trades"]}
    assert any(clock > "15:00" for clock in filled)  # long after 90 s


def test_ids_of_daily_orders_name_the_timeframe(reverted: dict[str, Any]) -> None:
    """EX-04: `mean_reversion:QQQ:1day:…:buy`, and its stop with a child index."""
    ids = {kind: {o["client_order_id"] for o in reverted["orders"] if o["type"] == kind} for kind in ("limit", "stop")}
    entries = [p for p in reverted["proposals"] if p["effect"] == "open"]
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
