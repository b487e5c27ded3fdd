"""The VIX for everybody: measured, remembered for an hour by all processes of a home, and never invented."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from core.market.vix.http_source import HttpVixSource
from core.market.vix.port import Kept
from core.market.vix.service import FRESH_FOR, PATIENCE, VixService
from core.model.regime import DailyValue, NoVix, VixLevel, VixReading
from core.settings.regime import RegimeSettings
from state.vix_file import VixFile
from tests.unit.core.market.vix.source import TWO_DAYS, Source

BEGINS = datetime(2026, 11, 19, 15, 0, tzinfo=UTC)
CLOSES = (
    DailyValue(date(2026, 11, 17), Decimal("16.80")),
    DailyValue(date(2026, 11, 18), Decimal("23.40")),
    DailyValue(date(2026, 11, 19), Decimal("34.20")),
)
ELEVATED = VixReading(Decimal("23.40"), date(2026, 11, 18), VixLevel.ELEVATED, CLOSES[:2])
A_DAY_LATER = TWO_DAYS + "11/19/2026,24,36,23,34.20\n"
HIGH = VixReading(Decimal("34.20"), date(2026, 11, 19), VixLevel.HIGH, CLOSES)
ROOT = Path(__file__).resolve().parents[5]


TOLD = [{"day": "2026-11-17", "value": "16.80"}, {"day": "2026-11-18", "value": "23.40"}]


def a_file(fetched_at: str | None = "2026-11-19T15:00:00Z", **changes: object) -> bytes:
    """A sound one, unless something in it is changed."""
    reading = {"value": "23.40", "measured_on": "2026-11-18", "level": "elevated", "closes": TOLD} | changes
    return json.dumps({"reading": reading, "fetched_at": fetched_at}).encode()


class Home:
    """A source, a file, and as many processes' services as a test wants, all by one clock."""

    def __init__(self, source: Source, folder: Path) -> None:
        self.source = source
        self.path = folder / "home" / "vix.json"
        self.now = BEGINS

    def service(self) -> VixService:
        terms = RegimeSettings(vix_url=self.source.url, read_seconds=Decimal(5))
        return VixService(HttpVixSource(terms), self.file(), lambda: self.now)

    def file(self) -> VixFile:
        return VixFile(self.path, lambda: self.now)

    def later(self, span: timedelta) -> None:
        self.now += span

    @property
    def requests(self) -> int:
        return len(self.source.asked)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Source() as source:
        yield Home(source, tmp_path)


# ── an hour ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_measured_is_not_asked_for_again_within_the_hour_by_nobody(home: Home) -> None:
    """RK-19"""
    first, second = home.service(), home.service()

    measured = first.last()
    home.source.body = A_DAY_LATER
    home.later(FRESH_FOR - timedelta(seconds=1))

    assert (measured.reading, measured.fetched_at) == (ELEVATED, BEGINS)
    assert first.last() == second.last() == home.service().last() == measured
    assert home.requests == 1


def test_after_the_hour_one_of_them_asks_and_all_know(home: Home) -> None:
    """RK-19"""
    first, second = home.service(), home.service()
    first.last()
    home.source.body = A_DAY_LATER
    home.later(FRESH_FOR)

    assert second.last().reading == first.last().reading == HIGH
    assert home.requests == 2


def test_a_clock_that_is_set_back_makes_nothing_fresh(home: Home) -> None:
    """RK-19"""
    home.service().last()
    home.later(-timedelta(minutes=30))

    home.service().last()

    assert home.requests == 2


# ── failures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_where_nothing_was_ever_measured_it_is_unknown_with_the_reason(home: Home) -> None:
    """RK-19"""
    home.source.status = 503

    kept = home.service().last()

    assert kept.reading == NoVix("127.0.0.1 answered 503")
    assert (kept.fetched_at, kept.failed_at) == (None, BEGINS)


def test_a_failure_leaves_the_last_known_value_with_its_own_day(home: Home) -> None:
    """RK-19"""
    home.service().last()
    home.source.status = 500
    home.later(timedelta(days=3))

    kept = home.service().last()

    assert kept == Kept(ELEVATED, BEGINS, failed_at=home.now, failure="127.0.0.1 answered 500")
    assert home.file().load() == kept


def test_after_a_failure_nobody_asks_for_some_minutes_and_then_the_value_comes(home: Home) -> None:
    """RK-19"""
    home.source.status = 500
    home.service().last()
    home.source.status = 200
    home.later(PATIENCE - timedelta(seconds=1))
    waiting = home.service().last()
    home.later(timedelta(seconds=1))

    assert isinstance(waiting.reading, NoVix)
    assert home.service().last() == Kept(ELEVATED, home.now)
    assert home.requests == 2


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (TWO_DAYS.rsplit("11/18", 1)[0], "ends 2026-11-17, before what is known"),
        (TWO_DAYS + "11/20/2026,24,25,23,24\n", "ends 2026-11-20, and today is 2026-11-19"),
    ],
)
def test_a_history_that_goes_back_or_knows_the_future_is_not_believed(home: Home, body: str, why: str) -> None:
    """RK-19"""
    home.service().last()
    home.source.body = body
    home.later(FRESH_FOR)

    kept = home.service().last()

    assert kept.reading == ELEVATED
    assert why in kept.failure


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "content",
    [
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
    ],
)
def test_a_damaged_file_is_not_believed_and_the_source_is_asked_again(home: Home, content: bytes) -> None:
    """RK-19"""
    home.path.parent.mkdir()
    home.path.write_bytes(content)

    assert home.file().load().reading == NoVix("vix.json is damaged; the source is asked again")
    assert home.service().last().reading == ELEVATED


def test_a_sound_file_is_believed(home: Home) -> None:
    """RK-19"""
    home.path.parent.mkdir()
    home.path.write_bytes(a_file())

    assert home.file().load() == Kept(ELEVATED, BEGINS)


def test_a_level_that_holds_until_the_value_is_a_point_under_its_border_is_believed(home: Home) -> None:
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
    }  # fmt: skip


def test_where_nothing_can_be_kept_this_process_remembers_for_itself(home: Home) -> None:
    """RK-19: a file stands where the folder should be."""
    home.path.parent.write_text("in the way")
    service = home.service()

    told = service.last()
    again = service.last()

    assert told.reading == again.reading == ELEVATED
    assert "cannot be kept" in told.failure
    assert home.requests == 1


def test_a_reader_never_sees_half_a_file(home: Home) -> None:
    """RK-19: a hundred replacements while another reads."""
    file = home.file()
    with file.turn() as is_ours:
        assert is_ours
        file.save(Kept(ELEVATED, BEGINS))
    seen: set[str] = set()

    def reads() -> None:
        for _ in range(400):
            seen.add(type(home.file().load().reading).__name__)

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(reads)
        for number in range(100):
            long = "x" * (number * 500)
            file.save(Kept(ELEVATED, BEGINS, failed_at=BEGINS, failure=long))
        reading.result()

    assert seen == {"VixReading"}


# ── processes ────────────────────────────────────────────────────────────────────────────────────────────────────────

ASKS = """
import sys
from datetime import datetime
from pathlib import Path
from core.market.vix.http_source import HttpVixSource
from core.market.vix.service import VixService
from core.settings.regime import RegimeSettings
from state.vix_file import VixFile
url, path, now = sys.argv[1:]
source = HttpVixSource(RegimeSettings(vix_url=url))
clock = lambda: datetime.fromisoformat(now)
kept = VixService(source, VixFile(Path(path), clock), clock).last()
print(kept.reading, kept.failure)
"""


def a_process(home: Home) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ASKS, home.source.url, str(home.path), home.now.isoformat()],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=dict(os.environ),
    )


def test_while_one_process_asks_another_takes_what_is_known_and_asks_nobody(home: Home) -> None:
    """RK-19"""
    home.service().last()
    home.later(FRESH_FOR)
    home.source.came.clear()
    home.source.holds.clear()
    asking = a_process(home)
    assert home.source.came.wait(30)

    meanwhile = home.service().last()
    home.source.holds.set()
    said, _ = asking.communicate(timeout=30)

    assert meanwhile == Kept(ELEVATED, BEGINS, failure="another process asks for it now")
    assert "23.40" in said
    assert home.service().last() == Kept(ELEVATED, home.now)
    assert home.requests == 2


def test_a_process_that_dies_in_its_turn_leaves_the_turn_to_others(home: Home) -> None:
    """RK-19"""
    home.source.holds.clear()
    asking = a_process(home)
    assert home.source.came.wait(30)
    asking.kill()
    asking.wait(30)
    home.source.holds.set()

    assert home.service().last().reading == ELEVATED
    assert home.requests == 2


def test_many_processes_at_once_send_one_request(home: Home) -> None:
    """RK-19"""
    processes = [a_process(home) for _ in range(4)]
    for process in processes:
        process.communicate(timeout=60)

    assert home.requests == 1
    assert home.service().last().reading == ELEVATED
