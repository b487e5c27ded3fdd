"""The VIX for everybody: measured, remembered for an hour by all processes of a home, and never invented."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Event

import pytest

from core.files.csv_files import daily_values
from core.market.vix import FRESH_FOR, TIMEOUT, Kept, VixError, VixService
from core.model.sizing import DailyValue, NoVix, VixLevel, VixReading
from core.risk.regime import last_reading
from state.home_files import DAMAGED, VixFile
from tests.kit.rows import cases
from tests.unit.core.market.vix.source import TWO_DAYS

BEGINS = datetime(2026, 11, 19, 15, 0, tzinfo=UTC)
CLOSES = (
    DailyValue(date(2026, 11, 17), Decimal("16.80")),
    DailyValue(date(2026, 11, 18), Decimal("23.40")),
    DailyValue(date(2026, 11, 19), Decimal("34.20")),
)
ELEVATED = VixReading(Decimal("23.40"), date(2026, 11, 18), VixLevel.ELEVATED, CLOSES[:2])
A_DAY_LATER = TWO_DAYS + "11/19/2026,24,36,23,34.20\n"
HIGH = VixReading(Decimal("34.20"), date(2026, 11, 19), VixLevel.HIGH, CLOSES)
TOLD = [{"day": "2026-11-17", "value": "16.80"}, {"day": "2026-11-18", "value": "23.40"}]


def a_file(fetched_at: str | None = "2026-11-19T15:00:00Z", **changes: object) -> bytes:
    """A sound one, unless something in it is changed."""
    reading = {"value": "23.40", "measured_on": "2026-11-18", "level": "elevated", "closes": TOLD} | changes
    return json.dumps({"reading": reading, "fetched_at": fetched_at}).encode()


class Source:
    """Answers each question with the closes of `body`, or with `failure`; while `holds` is not set it hangs."""

    def __init__(self) -> None:
        self.body, self.failure, self.requests = TWO_DAYS, "", 0
        self.came, self.holds = Event(), Event()
        self.holds.set()

    def history(self) -> list[DailyValue]:
        self.requests += 1
        self.came.set()
        self.holds.wait()
        if self.failure:
            raise VixError(self.failure)
        return daily_values(Path("source"), self.body)

    def newest(self) -> VixReading | None:
        return last_reading(self.history())


class Home:
    """A source, a file, and as many processes' services as a test wants, all by one clock."""

    def __init__(self, folder: Path) -> None:
        self.source = Source()
        self.path = folder / "home" / "vix.json"
        self.now = BEGINS

    def service(self) -> VixService:
        return VixService(self.source, self.file(), lambda: self.now)

    def file(self) -> VixFile:
        return VixFile(self.path, lambda: self.now)

    def later(self, span: timedelta) -> None:
        self.now += span


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_a_fresh_value_is_not_asked_for_again(home: Home) -> None:
    """RK-19"""
    first, second = home.service(), home.service()

    measured = first.last()
    home.source.body = A_DAY_LATER
    home.later(FRESH_FOR - timedelta(seconds=1))

    assert (measured.reading, measured.fetched_at) == (ELEVATED, BEGINS)
    assert first.last() == second.last() == home.service().last() == measured
    assert home.source.requests == 1


def test_after_an_hour_one_asks_for_all(home: Home) -> None:
    """RK-19"""
    first, second = home.service(), home.service()
    first.last()
    home.source.body = A_DAY_LATER
    home.later(FRESH_FOR)

    assert second.last().reading == first.last().reading == HIGH
    assert home.source.requests == 2


def test_a_clock_set_back_makes_nothing_fresh(home: Home) -> None:
    """RK-19"""
    home.service().last()
    home.later(-timedelta(minutes=30))

    home.service().last()

    assert home.source.requests == 2


def test_an_unmeasured_vix_has_its_reason(home: Home) -> None:
    """RK-19"""
    home.source.failure = "HTTP 503"

    kept = home.service().last()

    assert kept.reading == NoVix("HTTP 503")
    assert (kept.fetched_at, kept.failed_at) == (None, BEGINS)


def test_a_failure_keeps_the_last_value(home: Home) -> None:
    """RK-19"""
    home.service().last()
    home.source.failure = "HTTP 500"
    home.later(timedelta(days=3))

    kept = home.service().last()

    assert kept == Kept(ELEVATED, BEGINS, failed_at=home.now, failure="HTTP 500")
    assert home.file().load() == kept


def test_a_failure_is_followed_by_a_pause(home: Home) -> None:
    """RK-19"""
    home.source.failure = "HTTP 500"
    home.service().last()
    home.source.failure = ""
    home.later(TIMEOUT - timedelta(seconds=1))
    waiting = home.service().last()
    home.later(timedelta(seconds=1))

    assert isinstance(waiting.reading, NoVix)
    assert home.service().last() == Kept(ELEVATED, home.now)
    assert home.source.requests == 2


@cases(
    "body why",
    (TWO_DAYS.rsplit("11/18", 1)[0], "ends 2026-11-17, before what is known"),
    (TWO_DAYS + "11/20/2026,24,25,23,24\n", "ends 2026-11-20, and today is 2026-11-19"),
)
def test_an_impossible_history_is_refused(home: Home, body: str, why: str) -> None:
    """RK-19"""
    home.service().last()
    home.source.body = body
    home.later(FRESH_FOR)

    kept = home.service().last()

    assert kept.reading == ELEVATED
    assert why in kept.failure


@cases(
    "content",
    b"",
    b'{"reading": {"value": "23.40"',
    b"[]",
    a_file(value="NaN"),
    a_file(value="-3"),
    a_file(value="5000"),
    a_file(level="sky"),
    a_file(level="low"),
    a_file(level="high"),
    a_file(value="Infinity"),
    a_file(measured_on="2026-11-20"),
    a_file(measured_on="yesterday"),
    a_file(fetched_at="2026-11-19T15:00:00"),
    a_file(fetched_at=None),
    a_file(closes=TOLD[:1]),
    a_file(closes=TOLD[::-1]),
    a_file(closes=[{"day": "2026-11-17", "value": "NaN"}, TOLD[1]]),
    a_file(closes=[TOLD[0], {"day": "2026-11-18", "value": "31"}]),
    b'{"reading": {"reason": "none"}, "fetched_at": "2026-11-19T15:00:00Z"}',
)
def test_a_damaged_file_is_ignored(home: Home, content: bytes) -> None:
    """RK-19"""
    home.path.parent.mkdir()
    home.path.write_bytes(content)

    assert home.file().load().reading == NoVix(f"vix.json {DAMAGED}")
    assert home.service().last().reading == ELEVATED


def test_a_sound_file_is_believed(home: Home) -> None:
    """RK-19"""
    home.path.parent.mkdir()
    home.path.write_bytes(a_file())

    assert home.file().load() == Kept(ELEVATED, BEGINS)


def test_a_level_held_by_hysteresis_is_kept(home: Home) -> None:
    """RK-19: 29.50 leaves high where that stood before"""
    home.path.parent.mkdir()
    home.path.write_bytes(a_file(value="29.50", level="high", closes=[]))  # as it was kept before there were any

    assert home.file().load().reading == VixReading(Decimal("29.50"), date(2026, 11, 18), VixLevel.HIGH)


def test_the_file_is_the_owners_alone_and_exact(home: Home) -> None:
    """RK-19, SP-04"""
    home.service().last()

    assert home.path.stat().st_mode & 0o777 == 0o600
    assert home.path.parent.stat().st_mode & 0o777 == 0o700
    assert json.loads(home.path.read_bytes())["reading"] == {
        "value": "23.40", "measured_on": "2026-11-18", "level": "elevated", "closes": TOLD,
        "measured_at": None,
    }  # fmt: skip


def test_an_unwritable_home_is_remembered_in_memory(home: Home) -> None:
    """RK-19: a file stands where the folder should be."""
    home.path.parent.write_text("in the way")
    service = home.service()

    told = service.last()
    again = service.last()

    assert told.reading == again.reading == ELEVATED
    assert "cannot be kept" in told.failure
    assert home.source.requests == 1


def test_a_reader_never_sees_half_a_file(home: Home) -> None:
    """RK-19: 25 replacements while another reads."""
    file = home.file()
    with file.turn() as is_ours:
        assert is_ours
        file.save(Kept(ELEVATED, BEGINS))
    seen: set[str] = set()
    has_begun, has_ended = Event(), Event()

    def reads() -> None:
        while not has_ended.is_set():
            seen.add(type(home.file().load().reading).__name__)
            has_begun.set()

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(reads)
        has_begun.wait()
        for number in range(25):
            long = "x" * (number * 2000)
            file.save(Kept(ELEVATED, BEGINS, failed_at=BEGINS, failure=long))
        has_ended.set()
        reading.result()

    assert seen == {"VixReading"}


def test_one_asks_while_another_takes_what_is_known(home: Home) -> None:
    """RK-19: the lock is of an open file, so that two services of one process exclude each other too."""
    home.service().last()
    home.later(FRESH_FOR)
    home.source.came.clear()
    home.source.holds.clear()
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(home.service().last)
        home.source.came.wait()
        meanwhile = home.service().last()
        home.source.holds.set()

    assert (meanwhile.reading, meanwhile.fetched_at) == (ELEVATED, BEGINS)
    assert asking.result() == home.service().last() == Kept(ELEVATED, home.now)
    assert home.source.requests == 2


def test_many_at_once_send_one_request(home: Home) -> None:
    """RK-19"""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: home.service().last(), range(4)))

    assert home.source.requests == 1
    assert home.service().last().reading == ELEVATED
