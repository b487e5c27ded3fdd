"""`keyturn bars` at the loopback exchange, with the broker's own client: pages, faults, and what research reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from errno import ENOSPC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.market.alpaca import requests
from core.market.alpaca.history import History
from core.market.csv_source import read_bars, read_days
from core.messages.inputs import BarArrived
from core.model.bar import ONE_MINUTE, Bar
from core.model.values import Price, Quantity, Symbol
from state import bar_files
from state.files import write_all
from tests.scenarios.backtests import Answer, Keyturn, keyturn_at
from tests.wire.exchange.clocks import StillClock
from tests.wire.exchange.server import MORNING, LoopbackExchange

SPY, QQQ = Symbol("SPY"), Symbol("QQQ")
NEW_YORK = ZoneInfo("America/New_York")
THURSDAY = MORNING.astimezone(NEW_YORK).date()
EVENING = MORNING + timedelta(hours=10)
DAYS = 30


def bars_of(symbol: Symbol, price: int) -> list[Bar]:
    """Five minutes of each of the last weekdays, the last one included; each day is a dollar higher."""
    days = sorted([day for n in range(DAYS * 2) if (day := THURSDAY - timedelta(days=n)).weekday() < 5][:DAYS])
    return [
        Bar(
            symbol,
            datetime.combine(day, time(9, 30), NEW_YORK).astimezone(MORNING.tzinfo) + minute * ONE_MINUTE,
            *(Price(Decimal(price + number)),) * 4,
            Quantity(Decimal(1000 + minute)),
        )
        for number, day in enumerate(days)
        for minute in range(5)
    ]


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackExchange]:
    """Pages of twelve bars, and no waiting between requests."""
    monkeypatch.setattr(requests, "PAGE", 12)
    monkeypatch.setattr(History, "_leaves_within", lambda _history, _seconds: False)
    with LoopbackExchange(clock=StillClock(EVENING), bars=bars_of(SPY, 100) + bars_of(QQQ, 300)) as house:
        yield house


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def keyturn(exchange: LoopbackExchange, home: Path, monkeypatch: pytest.MonkeyPatch) -> Keyturn:
    monkeypatch.setattr("core.io.wall_clock.utc_now", exchange.clock.now)
    monkeypatch.setenv("KEYTURN_ALPACA__DATA_URL", exchange.data_url)
    monkeypatch.setenv("APCA_API_KEY_ID", exchange.keys.id)
    monkeypatch.setenv("APCA_API_SECRET_KEY", exchange.keys.secret)
    return keyturn_at(home)


def rows_of(path: Path) -> list[str]:
    return path.read_text().splitlines()[1:]


def the_minutes(keyturn: Keyturn, *more: str) -> Answer:
    return keyturn("bars", "SPY", "--minutes", "--since", "2026-10-01", *more)


def test_pages_of_minutes_become_one_file_in_order(keyturn: Keyturn, home: Path, exchange: LoopbackExchange) -> None:
    """MD-11"""
    found = the_minutes(keyturn, "--json")

    path = home / "bars" / "SPY_1min_adjusted_iex.csv"
    assert (found.code, found.json[0]["new"], found.json[0]["file"]) == (0, 5 * DAYS, str(path))
    read = read_bars(path, SPY)
    assert [read[0], read[-1]] == [bars_of(SPY, 100)[0], bars_of(SPY, 100)[-1]]
    assert len(read) == 5 * DAYS
    assert len(exchange.received("GET", "/v2/stocks/bars")) == -(-5 * DAYS // 12)
    assert all("adjustment=split" in str(each) for each in exchange.received("GET", "/v2/stocks/bars"))


def test_a_request_leaves_a_second(keyturn: Keyturn, monkeypatch: pytest.MonkeyPatch) -> None:
    """MD-11, EX-17: an engine at the same account needs the rest of the limit"""
    waited: list[float] = []

    def waits(_history: History, seconds: float) -> bool:
        waited.append(seconds)
        return False

    monkeypatch.setattr(History, "_leaves_within", waits)

    the_minutes(keyturn)

    assert waited == [1.0] * (-(-5 * DAYS // 12) - 1)


def test_a_day_that_has_not_ended_is_left_out(keyturn: Keyturn, monkeypatch: pytest.MonkeyPatch) -> None:
    """MD-11, MD-03"""
    monkeypatch.setattr("core.io.wall_clock.utc_now", lambda: MORNING)

    today = keyturn("bars", "SPY", "--days", "--since", "2026-10-01", "--json").json[0]

    assert today["last"] == str(THURSDAY - timedelta(days=1))
    assert len(read_days(Path(today["file"]), SPY)) == DAYS - 1


def test_a_second_run_asks_for_the_last_day_alone(keyturn: Keyturn, exchange: LoopbackExchange) -> None:
    """MD-11: and for the first bar, which a split would have changed"""
    the_minutes(keyturn)
    before = len(exchange.received("GET", "/v2/stocks/bars"))

    again = keyturn("bars", "SPY", "--minutes", "--json").json[0]

    assert (again["new"], again["anew"], again["first"]) == (0, "", "2026-10-09")
    assert len(exchange.received("GET", "/v2/stocks/bars")) == before + 2


def test_an_earlier_day_is_put_before_what_is_there(keyturn: Keyturn, home: Path) -> None:
    """MD-11"""
    keyturn("bars", "SPY", "--minutes", "--since", "2026-11-02")

    found = the_minutes(keyturn, "--json").json[0]

    assert (found["new"], found["first"]) == (16 * 5, "2026-10-09")
    assert len(read_bars(Path(found["file"]), SPY)) == 5 * DAYS


@pytest.mark.parametrize("fault", ["drop", "html", "server-error", "rate-limited", "null-bars"])
def test_a_broken_off_run_goes_on_where_it_stopped(
    keyturn: Keyturn, home: Path, exchange: LoopbackExchange, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MD-11: no unfinished file is taken for a whole one, and no page is fetched twice"""
    whole = [f"{bar.start:%Y-%m-%dT%H:%M:%SZ}" for bar in bars_of(SPY, 100)]
    ask, pages = requests.DataRequests.bars_page, 0

    def breaks(self: requests.DataRequests, *words: object, **terms: object) -> requests.Page:
        nonlocal pages
        pages += 1
        if pages == 4:
            exchange.make(fault, of="bars", times=4 if fault != "null-bars" else 1)
        return ask(self, *words, **terms)  # type: ignore[arg-type]

    monkeypatch.setattr(requests.DataRequests, "bars_page", breaks)

    first = the_minutes(keyturn)
    path = home / "bars" / "SPY_1min_adjusted_iex.csv"
    if fault != "null-bars":
        assert (first.code, path.exists()) == (2, False)
        assert "goes on from there" in first.err
        kept = rows_of(path.with_name(f"{path.name}.part"))
        assert [row[:20] for row in kept] == whole[:36]
        asked = len(exchange.received("GET", "/v2/stocks/bars"))
        assert the_minutes(keyturn).code == 0
        assert len(exchange.received("GET", "/v2/stocks/bars")) - asked < 13

    assert [row[:20] for row in rows_of(path)] == whole
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name]


def test_a_split_fetches_an_adjusted_file_anew(keyturn: Keyturn, home: Path, exchange: LoopbackExchange) -> None:
    """MD-11: also where the last day of the file is of after it; a raw file stays as it is"""
    days = ("bars", "SPY", "QQQ", "--days", "--since", "2026-10-01", "--json")
    keyturn(*days)
    exchange.floor.splits[SPY] = datetime.combine(date(2026, 11, 19), time(), NEW_YORK), Decimal(4)

    split, other = keyturn(*days).json

    assert "0.25 times" in split["anew"]
    assert other["anew"] == ""
    closes = [Decimal(row.split(",")[4]) for row in rows_of(Path(split["file"]))]
    assert closes == [*(Decimal(100 + n) / 4 for n in range(DAYS - 1)), 100 + DAYS - 1]


def test_raw_beside_adjusted_is_refused(keyturn: Keyturn, home: Path) -> None:
    """MD-11: research reads one file of a symbol, and mixes neither prices nor feeds"""
    keyturn("bars", "SPY", "--days", "--since", "2026-10-01")

    for more in (("--raw",), ("--feed", "sip")):
        found = keyturn("bars", "SPY", "--days", *more)
        assert (found.code, len(found.err.splitlines())) == (2, 1), more
    assert keyturn("bars", "QQQ", "--days", "--since", "2026-10-01", "--feed", "sip").code == 0
    refused = keyturn("backtest", "--set", "symbols=['SPY', 'QQQ']")
    assert (refused.code, "QQQ_daily_adjusted_sip.csv" in refused.err) == (2, True)


def test_an_unknown_symbol_stops_no_other(keyturn: Keyturn, exchange: LoopbackExchange, home: Path) -> None:
    """MD-11: refused by its name, or without a bar"""
    exchange.make("unknown-symbol", symbol="XYZ")

    found = keyturn("bars", "XYZ", "NONE", "SPY", "--days", "--since", "2026-10-01", "--json")

    assert found.code == 1
    assert [bool(each["fault"]) for each in found.json] == [True, True, False]
    assert [each.name for each in (home / "bars").iterdir()] == ["SPY_daily_adjusted_iex.csv"]


def test_no_network_is_one_line(keyturn: Keyturn, monkeypatch: pytest.MonkeyPatch) -> None:
    """MD-11"""
    monkeypatch.setenv("KEYTURN_ALPACA__DATA_URL", "http://127.0.0.1:9")

    found = the_minutes(keyturn)

    assert (found.code, found.out, len(found.err.splitlines())) == (2, "", 1)
    assert "check the network" in found.err


def test_no_keys_name_the_built_in_exchange(keyturn: Keyturn, monkeypatch: pytest.MonkeyPatch) -> None:
    """MD-11"""
    monkeypatch.delenv("APCA_API_KEY_ID")
    monkeypatch.delenv("APCA_API_SECRET_KEY")

    found = the_minutes(keyturn)

    assert (found.code, "keyturn --simulated bars SPY --minutes" in found.err) == (2, True)


def test_a_bar_of_no_market_is_left_out_and_told(keyturn: Keyturn, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MD-11, MD-03: a reader would refuse it"""
    ask = requests.DataRequests.bars_page

    def odd(self: requests.DataRequests, *words: object, **terms: object) -> requests.Page:
        page = ask(self, *words, **terms)  # type: ignore[arg-type]
        bars = [
            replace(each, bar=replace(each.bar, high=Price(Decimal(1))))
            if isinstance(each, BarArrived) and each.bar.close == 120
            else each
            for each in page.bars
        ]
        return replace(page, bars=bars)

    monkeypatch.setattr(requests.DataRequests, "bars_page", odd)

    found = keyturn("bars", "SPY", "--days", "--since", "2026-10-01", "--json").json[0]

    assert (found["new"], found["left_out"]) == (DAYS - 1, 1)
    assert "120" in found["first_left_out"]
    assert len(read_days(Path(found["file"]), SPY)) == DAYS - 1


def test_a_day_without_a_session_is_left_out(
    keyturn: Keyturn, exchange: LoopbackExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MD-11: it would be refused where it is read"""
    day = bars_of(SPY, 100)[-1]
    exchange.call(lambda: exchange.floor.show(replace(day, start=day.start - timedelta(days=4))))

    found = keyturn("bars", "SPY", "--days", "--since", "2026-10-01", "--json").json[0]

    assert (found["new"], found["left_out"]) == (DAYS, 1)
    assert found["first_left_out"].startswith("2026-11-15")


def test_sessions_without_a_bar_are_counted(keyturn: Keyturn, exchange: LoopbackExchange) -> None:
    """MD-11: a source that lacks days in the middle; those before the first bar are no gap"""
    old = bars_of(SPY, 100)[0]
    exchange.call(lambda: exchange.floor.show(replace(old, start=old.start - timedelta(days=14))))

    found = keyturn("bars", "SPY", "--days", "--since", "2026-09-01")

    assert "; 9 of 40 sessions have no bar" in found.out
    assert keyturn("bars", "QQQ", "--days", "--json").json[0]["sessions_without_a_bar"] == 0


def test_a_full_disk_keeps_what_was_fetched(
    keyturn: Keyturn, home: Path, exchange: LoopbackExchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MD-11: a line that was cut off is written again"""
    written = 0

    def fills(descriptor: int, content: bytes) -> None:
        nonlocal written
        written += 1
        if written == 8:
            write_all(descriptor, content[: len(content) // 2])
            raise OSError(ENOSPC, "No space left on device")
        write_all(descriptor, content)

    monkeypatch.setattr(bar_files, "write_all", fills)

    full = the_minutes(keyturn)
    asked = len(exchange.received("GET", "/v2/stocks/bars"))
    after = the_minutes(keyturn)

    assert (full.code, after.code) == (2, 0)
    assert len(exchange.received("GET", "/v2/stocks/bars")) - asked < 11
    assert "No space left on device" in full.err
    assert len(read_bars(home / "bars" / "SPY_1min_adjusted_iex.csv", SPY)) == 5 * DAYS


def test_real_bars_take_the_place_of_simulated_ones(keyturn: Keyturn, home: Path) -> None:
    """MD-11: never the other way round"""
    days = ("bars", "SPY", "--days", "--since", "2026-11-02")
    made = keyturn("--simulated", *days)
    assert (made.code, "SIMULATED" in made.out) == (0, True)

    real, again = keyturn(*days), keyturn("--simulated", *days)

    assert (real.code, again.code) == (0, 2)
    assert [each.name for each in (home / "bars").iterdir()] == ["SPY_daily_adjusted_iex.csv"]
