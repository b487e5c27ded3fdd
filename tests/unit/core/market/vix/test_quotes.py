"""The VIX in the day: what its source answers, how long that lasts, and when it counts over the last close."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from core.market.vix import (
    FRESH_FOR,
    QUOTE_FRESH_FOR,
    TIMEOUT,
    Kept,
    VixError,
    VixInTheDay,
    VixService,
    in_the_day,
    quote_lasts,
)
from core.market.vix_source import LARGEST_QUOTE, HttpVixQuote
from core.model.sizing import DailyValue, NoVix, VixLevel, VixReading
from core.settings.risk import CBOE_NOW, RegimeSettings
from state.home_files import DAMAGED, VixFile
from tests.kit.rows import cases, table
from tests.unit.core.market.vix.source import Source, a_quote

pytestmark = pytest.mark.usefixtures("timeline")

NOW = datetime(2026, 11, 19, 19, 30, tzinfo=UTC)
"""14:30 on a Thursday at the exchange."""
CLOSES = (DailyValue(date(2026, 11, 18), Decimal("23.40")),)
CLOSE = VixReading(Decimal("23.40"), date(2026, 11, 18), VixLevel.ELEVATED, CLOSES)


def a_value(value: str, at: datetime = NOW - timedelta(minutes=15), level: VixLevel = VixLevel.HIGH) -> VixReading:
    return VixReading(Decimal(value), at.date(), level, measured_at=at)


@pytest.fixture
def source() -> Iterator[Source]:
    with Source(a_quote("34.2", "2026-11-19T14:15:00")) as source:
        yield source


def asked(source: Source, **seconds: str) -> VixReading:
    terms = {name: Decimal(text) for name, text in seconds.items()}
    return HttpVixQuote(RegimeSettings(vix_now_url=source.url, **terms)).newest()


def refusal(source: Source, **seconds: str) -> str:
    with pytest.raises(VixError) as error:
        asked(source, **seconds)
    return str(error.value)


class Home:
    """A source, its file, and a process's service by one clock."""

    def __init__(self, source: Source, folder: Path) -> None:
        self.source, self.path, self.now = source, folder / "home" / "vix-now.json", NOW

    def service(self) -> VixService:
        quotes = HttpVixQuote(RegimeSettings(vix_now_url=self.source.url))
        return VixService(quotes, VixFile(self.path, lambda: self.now), lambda: self.now, quote_lasts)


@pytest.fixture
def home(source: Source, tmp_path: Path) -> Home:
    return Home(source, tmp_path)


# A time without an offset is the exchange's own, in winter and in summer.
@table(
    "told at",
    ("2026-11-19T14:15:00", NOW - timedelta(minutes=15)),
    ("2026-11-19 14:15:00", NOW - timedelta(minutes=15)),
    ("2026-11-19T14:15:00-05:00", NOW - timedelta(minutes=15)),
    ("2026-07-02T16:15:01", datetime(2026, 7, 2, 20, 15, 1, tzinfo=UTC)),
)
def test_a_quote_has_the_exchange_s_own_time(source: Source, told: str, at: datetime) -> None:
    """RK-19"""
    source.body = a_quote("15.440000000000001", told)

    assert asked(source) == VixReading(Decimal("15.44"), at.date(), VixLevel.NORMAL, measured_at=at)


@table(
    "body where",
    ("", "its text"),
    ("<html>Please enable JavaScript</html>", "its text"),
    ('{"data": ', "its text"),
    ("[]", "its text"),
    ("{}", "data"),
    ('{"data": null}', "data"),
    (a_quote("34.2", "soon"), "data.last_trade_time"),
    (a_quote("34.2", "2026-11-19"), "data.last_trade_time"),
    (a_quote("34.2", "0001-01-01T00:00:00+14:00"), "data.last_trade_time"),
    (a_quote("34.2", "", last_trade_time=None), "data.last_trade_time"),
    (a_quote("34.2", "", last_trade_time=1_700_000_000), "data.last_trade_time"),
    (a_quote("0", "2026-11-19T14:15:00"), "data.current_price"),
    (a_quote("0.001", "2026-11-19T14:15:00"), "data.current_price"),
    (a_quote("-3", "2026-11-19T14:15:00"), "data.current_price"),
    (a_quote("1000", "2026-11-19T14:15:00"), "data.current_price"),
    (a_quote("nan", "2026-11-19T14:15:00"), "data.current_price"),
    (a_quote("1", "2026-11-19T14:15:00", current_price=None), "data.current_price"),
    (a_quote("34.2", "2026-11-19T14:15:00", symbol="^SPX"), "data.symbol"),
    (b"\xff\xfe", "its text"),
)
def test_an_invalid_quote_is_refused_with_its_place(source: Source, body: str | bytes, where: str) -> None:
    """RK-19: in one line, without the source's own words"""
    source.body = body

    found = refusal(source)

    assert found.startswith(f"127.0.0.1 sent no quote of the VIX ({where}: ")
    assert "\n" not in found
    assert "JavaScript" not in found


@table("status", 204, 301, 403, 404, 429, 500)
def test_any_status_but_200_is_no_quote(source: Source, status: int) -> None:
    """RK-19: a redirect is not followed"""
    source.asked.clear()
    source.status = status
    source.headers = {"Location": source.url + "?elsewhere"}
    source.body = "" if status == 204 else source.body

    assert refusal(source) == f"127.0.0.1 answered {status}"
    assert len(source.asked) == 1


def test_a_quote_that_hangs_or_never_ends_is_left(source: Source) -> None:
    """RK-19"""
    source.body = b"0" * (LARGEST_QUOTE + 1)
    too_large = refusal(source)
    source.holds.clear()
    hangs = refusal(source, read_seconds="0.2")
    source.holds.set()
    source.body, source.drips = "", True
    drips = refusal(source, answer_seconds="0.3")

    assert too_large == f"127.0.0.1 sent more than {LARGEST_QUOTE:,} bytes"
    assert (hangs, drips) == ("127.0.0.1 did not answer in time", "127.0.0.1 did not end its answer in 0.3 s")


def test_without_a_network_its_key_is_named() -> None:
    """RK-19"""
    with Source() as gone:
        url = gone.url

    with pytest.raises(VixError, match=r"cannot be reached \(ConnectError\); check the network and regime.vix_now_url"):
        HttpVixQuote(RegimeSettings(vix_now_url=url)).newest()


def test_the_exchange_itself_is_asked_for_quotes() -> None:
    """RK-19"""
    assert RegimeSettings().vix_now_url == CBOE_NOW
    assert CBOE_NOW.startswith("https://cdn.cboe.com/")


@table(
    "clock lasts",
    ("2026-11-19T09:31-05:00", QUOTE_FRESH_FOR),
    ("2026-11-19T04:00-05:00", QUOTE_FRESH_FOR),
    ("2026-11-19T16:59-05:00", QUOTE_FRESH_FOR),
    ("2026-11-19T17:00-05:00", FRESH_FOR),
    ("2026-11-19T02:59-05:00", FRESH_FOR),
    ("2026-11-21T11:00-05:00", FRESH_FOR),
)
def test_a_quote_is_asked_for_often_while_there_are_any(clock: str, lasts: timedelta) -> None:
    """RK-19"""
    assert quote_lasts(datetime.fromisoformat(clock)) == lasts


def test_a_fresh_quote_is_shared_by_processes(home: Home) -> None:
    """RK-19: two minutes, then one asks for all"""
    first = home.service().last()
    home.now += QUOTE_FRESH_FOR - timedelta(seconds=1)
    again = home.service().last()
    home.source.body = a_quote("36", "2026-11-19T14:17:00")
    home.now += timedelta(seconds=1)

    later = [home.service().last().reading for _ in range(2)]

    assert again == first == Kept(a_value("34.20"), NOW)
    assert later == [a_value("36.00", NOW - timedelta(minutes=13))] * 2
    assert len(home.source.asked) == 2


def test_a_late_quote_keeps_its_time(home: Home) -> None:
    """RK-19: the source says the same for hours; it is the last measured value, as old as it is"""
    home.service().last()
    home.now += timedelta(hours=3)

    kept = home.service().last()

    assert kept.reading == a_value("34.20")
    assert (kept.fetched_at, kept.failure) == (home.now, "")


def test_a_sudden_fall_waits_for_a_later_value(home: Home) -> None:
    """RK-19, RK-10: one wrong value never raises a size; the same value again confirms nothing"""
    service, found = home.service(), []
    service.last()
    for value, at in (("17.05", "14:16"), ("17.05", "14:16"), ("33", "14:20"), ("16", "14:25"), ("15.90", "14:30")):
        home.source.body = a_quote(value, f"2026-11-19T{at}:00")
        home.now += TIMEOUT
        reading = service.last().reading
        assert isinstance(reading, VixReading)
        found.append(str(reading.value))

    assert found == ["34.20", "34.20", "33.00", "33.00", "15.90"]


@cases(
    "body why",
    (a_quote("31", "2026-11-19T14:33:00"), "and it is 14:32"),
    (a_quote("31", "2026-11-20T14:10:00"), "ends 2026-11-20 14:10"),
    (a_quote("31", "2026-11-19T14:14:59"), "before what is known"),
    ("<html>", "sent no quote"),
)
def test_an_impossible_quote_keeps_the_last_one(home: Home, body: str, why: str) -> None:
    """RK-19: one of the future, or older than the last; then a pause"""
    home.service().last()
    home.source.body = body
    home.now += QUOTE_FRESH_FOR

    kept = home.service().last()
    home.now += TIMEOUT - timedelta(seconds=1)
    home.service().last()

    assert kept.reading == a_value("34.20")
    assert why in kept.failure
    assert len(home.source.asked) == 2


@cases(
    "changes",
    {"measured_at": "2026-11-19T19:31:00Z"},
    {"measured_at": "2026-11-19T19:15:00"},
    {"measured_at": "2026-11-18T19:15:00Z"},
    {"measured_at": "soon"},
)
def test_a_damaged_file_of_quotes_is_ignored(home: Home, changes: dict[str, str]) -> None:
    """RK-19"""
    home.service().last()
    sound = home.path.read_text()
    damaged = sound.replace("2026-11-19T19:15:00Z", changes["measured_at"])
    assert damaged != sound
    home.path.write_text(damaged)

    assert VixFile(home.path, lambda: home.now).load().reading == NoVix(f"vix-now.json {DAMAGED}")


EARLY, LATE = NOW.replace(hour=9), NOW.replace(hour=21, minute=21)
"""04:30 and 16:21 at the exchange."""


@table(
    "quote counts",
    (a_value("34.20"), True),
    (a_value("12.00", level=VixLevel.LOW), True),
    (a_value("199", level=VixLevel.HIGH), True),
    (a_value("11.69", level=VixLevel.LOW), False),
    (a_value("34.20", NOW - timedelta(days=1)), False),
    (a_value("34.20", EARLY), True),
    (a_value("23.40", EARLY, VixLevel.ELEVATED), False),
    (a_value("18.00", LATE, VixLevel.NORMAL), False),
    (a_value("11", NOW + timedelta(days=8), VixLevel.LOW), True),
)
def test_a_quote_counts_where_it_is_newer_and_credible(quote: VixReading, counts: bool) -> None:
    """RK-19: outside regular hours over the close alone, under half of a recent close never"""
    found, _ = in_the_day(CLOSE, quote)

    assert isinstance(found, VixReading)
    assert found.closes == CLOSES
    assert (found.measured_at == quote.measured_at) is counts


def test_one_source_counts_without_the_other() -> None:
    """RK-19"""
    nobody = NoVix("nobody answered")

    assert in_the_day(nobody, a_value("34.20")) == (a_value("34.20"), "")
    assert in_the_day(CLOSE, nobody) == (CLOSE, "")
    assert in_the_day(nobody, NoVix("neither")) == (nobody, "")


class Told:
    def __init__(self, kept: Kept) -> None:
        self.kept = kept

    def last(self) -> Kept:
        return self.kept


def test_what_is_not_believed_is_reported() -> None:
    """RK-19: as a failure, beside those of the sources; each once"""
    odd = VixInTheDay(Told(Kept(CLOSE, NOW, NOW, "HTTP 500")), Told(Kept(a_value("9.10"), NOW))).last()
    neither = VixInTheDay(Told(Kept(NoVix("HTTP 500"), None, NOW, "HTTP 500")), Told(Kept(NoVix("x"), failure="x")))

    assert odd.reading == CLOSE
    assert odd.failure.startswith("HTTP 500; 9.10 of 2026-11-19 14:15")
    assert neither.last().failure == "x"
