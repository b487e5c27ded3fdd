"""Replay, backtest and demo measure the regime by files of daily figures, and know no day before it is over (RK-19)."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.facts import RegimeMeasured
from core.market.calendar import load_calendar
from core.model.sizing import MarketMeasure, NoMarket, NoVix, VixReading
from core.runtime.feed import RegimeFiles, regime_of_files
from state.files import Home
from tests.scenarios.backtests import Keyturn, only_before

FIRST, LAST = date(2026, 1, 5), date(2026, 1, 9)
DAYS = [s.day for s in load_calendar(date(2025, 1, 2), date(2026, 1, 15)).sessions()]
Write = Callable[..., Path]


@pytest.fixture
def vix(tmp_path: Path) -> Write:
    """A file of the VIX: 12 on every day that nothing else is said of."""

    def write(name: str = "VIX.csv", until: date = DAYS[-1], **others: str) -> Path:
        said = {date.fromisoformat(day[1:].replace("_", "-")): value for day, value in others.items()}
        rows = (f"{day},{said.get(day, '12')}" for day in DAYS if day <= until)
        path = tmp_path / name
        path.write_text("date,close\n" + "\n".join(rows) + "\n")
        return path

    return write


@pytest.fixture
def market(tmp_path: Path) -> Write:
    """A file of SPY's days, which swing by 2 USD, and by `wide` from a day on."""

    def write(name: str = "SPY_daily.csv", wide_from: date | None = None) -> Path:
        path = tmp_path / name
        swings = ((day, 15 if wide_from is not None and day >= wide_from else 1) for day in DAYS)
        rows = (f"{day},{400 + swing},{400 - swing},400" for day, swing in swings)
        path.write_text("date,high,low,close\n" + "\n".join(rows) + "\n")
        return path

    return write


@pytest.fixture
def bars(bars: Path) -> Path:
    """Two seeded days of SPY, each up to 11:00 New York."""
    return only_before("16:00", bars)


def played(keyturn: Keyturn, bars: Path, *words: object) -> Any:
    how = ("--headless", "--operator", "confirm-all", "--strategy", "vwap", "--json")
    answer = keyturn("replay", bars, *how, *words)
    assert answer.code == 0, answer.err
    return answer.json


def regimes(folder: Path) -> list[tuple[str, Any]]:
    """What was recorded of the regime, and when."""
    lines = (json.loads(line) for path in sorted(folder.glob("**/*.jsonl")) for line in path.open())
    return [(line["at"], line["data"]["regime"]) for line in lines if line["fact"] == "RegimeMeasured"]


def test_a_day_is_known_15_minutes_after_its_close(vix: Write, market: Write) -> None:
    """RK-19: the first moment knows the days before it; the last day, which ends after the last bar, is never told."""
    calendar = load_calendar(FIRST - timedelta(days=7), LAST + timedelta(days=7))
    start, end = datetime(2026, 1, 5, 14, 30, tzinfo=UTC), datetime(2026, 1, 7, 21, 0, tzinfo=UTC)

    told = regime_of_files(RegimeFiles(vix(), market()), calendar, start, end)

    known = [(at, item.regime) for at, _, item in told]  # type: ignore[union-attr]
    assert [f"{at:%d %H:%M}" for at, _ in known] == ["05 14:30", "05 21:15", "06 21:15"]
    days = [date(2026, 1, 2), date(2026, 1, 5), date(2026, 1, 6)]
    assert [regime.vix.measured_on for _, regime in known if isinstance(regime.vix, VixReading)] == days
    assert [regime.market.bars_to for _, regime in known if isinstance(regime.market, MarketMeasure)] == days


def test_what_no_file_was_named_for_is_unknown(vix: Write, market: Write, snapshot: SnapshotAssertion) -> None:
    """RK-19"""
    calendar = load_calendar(FIRST, LAST)
    start = datetime(2024, 1, 5, 14, 30, tzinfo=UTC)

    def known(files: RegimeFiles) -> tuple[object, object]:
        ((_, _, item),) = regime_of_files(files, calendar, start, start)
        return item.regime.vix, item.regime.market  # type: ignore[union-attr]

    assert regime_of_files(RegimeFiles(), calendar, start, start) == []
    found = known(RegimeFiles(vix=vix())), known(RegimeFiles(market=market()))
    assert [tuple(map(type, each)) for each in found] == [(NoVix, NoMarket)] * 2
    assert found == snapshot


def test_a_replay_with_files_is_deterministic(
    keyturn: Keyturn, bars: Path, vix: Write, market: Write, tmp_path: Path
) -> None:
    """RK-19, MD-05"""
    files = ("--vix", vix(d2026_01_05="34"), "--market", market())

    one, two = (played(keyturn, bars, *files, "--journal-dir", tmp_path / name) for name in ("one", "two"))

    assert one == two
    told = regimes(tmp_path / "one")
    found = [(at[:16], regime["vix"]["level"], regime["vix"]["measured_on"]) for at, regime in told]
    assert found == [("2026-01-05T14:30", "low", "2026-01-02"), ("2026-01-05T21:15", "high", "2026-01-05")]


def test_a_replay_without_files_records_no_regime(keyturn: Keyturn, bars: Path, tmp_path: Path) -> None:
    """MD-05: nothing is recorded of a regime that nobody measures."""
    played(keyturn, bars, "--journal-dir", tmp_path / "one")

    assert regimes(tmp_path / "one") == []


def test_no_later_figure_changes_a_replay(keyturn: Keyturn, bars: Path, vix: Write) -> None:
    """RK-19, MD-05: no look-ahead; the figure of a day that is over does change the journal."""
    whole = played(keyturn, bars, "--vix", vix())["fingerprint"]

    assert played(keyturn, bars, "--vix", vix(until=date(2026, 1, 5)))["fingerprint"] == whole
    assert played(keyturn, bars, "--vix", vix(d2026_01_06="80", d2026_01_07="80"))["fingerprint"] == whole
    assert played(keyturn, bars, "--vix", vix(d2026_01_05="80"))["fingerprint"] != whole


def test_a_backtest_names_what_is_not_measured(
    keyturn: Keyturn, bars: Path, vix: Write, market: Write, snapshot: SnapshotAssertion
) -> None:
    """RK-19, AN-04"""

    def told(*words: object) -> Any:
        return keyturn("backtest", bars, "--strategy", "vwap", *words, "--json").json["not_measured"]

    assert (told("--vix", vix()), told("--market", market())) == snapshot
    assert told("--market", market(), "--vix", vix()) == []
    whole = keyturn("backtest", bars, "--strategy", "vwap", "--market", market(), "--vix", vix())
    assert "not measured" not in whole.out


def test_a_daily_backtest_knows_only_the_day_before(keyturn: Keyturn, days: Path, tmp_path: Path) -> None:
    """RK-19: a day's bar is heard at the next open, and its VIX is known by then; a later one changes nothing."""
    header, *lines = days.read_text().splitlines()
    days.write_text("\n".join([header, *lines[-30:]]) + "\n")
    rows = [line.split(",")[0] for line in lines[-30:]]
    last = rows[-1]

    def found(value_of_last: str, value_before: str) -> object:
        path = tmp_path / "VIX.csv"
        values = {last: value_of_last, rows[-2]: value_before}
        later = "2024-01-31,70\n"
        path.write_text("date,close\n" + "".join(f"{day},{values.get(day, '12')}\n" for day in rows) + later)
        words = ("--strategy", "sma", "--without-frictions", "--vix", path, "--json")
        return keyturn("backtest", days, *words).json["fingerprint"]

    calm = found("12", "12")
    assert found("12", "70") != calm
    assert found("70", "12") != calm  # its bar is heard at the next open, after that close


def test_an_invalid_file_is_named_with_its_line(
    keyturn: Keyturn, bars: Path, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """SY-07"""
    path = tmp_path / "VIX.csv"
    path.write_text("date,close\n2026-01-02,-4\n")

    answer = keyturn("replay", bars, "--headless", "--vix", path)

    assert answer.code == 2
    assert f"{path}:2: " in answer.err.replace("\n", "")
    assert answer.err.replace("\n", "").replace(str(path), "VIX.csv") == snapshot


def test_the_demo_measures_by_its_files(tmp_path: Path, vix: Write, market: Write) -> None:
    """RK-19"""
    files = RegimeFiles(vix(d2026_01_02="34"), market())
    with ExitStack() as stack:
        home = Home.of({"KEYTURN_HOME": str(tmp_path / "home")})
        home.settings.parent.mkdir(parents=True)
        home.settings.write_text('symbols = ["SPY"]\n[strategies.vwap]\nenabled = false\n')
        program = Host.of({"KEYTURN_HOME": str(tmp_path / "home")})
        runtime = demo_runtime(program, DemoOptions(speed=1_000_000.0, vix=files.vix, market=files.market), stack)
        found: list[RegimeMeasured] = []
        runtime.engine.state.add_listener(
            lambda _number, _at, fact: found.append(fact) if isinstance(fact, RegimeMeasured) else None
        )
        runtime.run(datetime(2026, 1, 5, 21, 16, tzinfo=UTC))
        runtime.close()

    days = [fact.regime.vix.measured_on for fact in found if isinstance(fact.regime.vix, VixReading)]
    assert days == [date(2026, 1, 2), date(2026, 1, 5)]
    assert isinstance(found[-1].regime.market, MarketMeasure)


def test_the_stress_desk_refuses_such_files(keyturn: Keyturn, vix: Write, snapshot: SnapshotAssertion) -> None:
    """SY-07"""
    answer = keyturn("demo", "--stress", "--headless", "--vix", vix())

    assert answer.code == 2
    assert answer.err.replace("\n", " ") == snapshot
