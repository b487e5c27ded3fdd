"""What the source of the VIX answers, over real sockets: a sound table, or no answer at all."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError
from syrupy.assertion import SnapshotAssertion

from core.market.vix import VixError
from core.market.vix_source import LARGEST, HttpVixSource
from core.model.sizing import DailyValue
from core.settings.risk import CBOE, RegimeSettings
from tests.kit.rows import table
from tests.unit.core.market.vix.source import TWO_DAYS, Source

pytestmark = pytest.mark.usefixtures("timeline")


@pytest.fixture
def source() -> Iterator[Source]:
    with Source() as source:
        yield source


def asked(source: Source, **seconds: str) -> list[DailyValue]:
    terms = {name: Decimal(text) for name, text in seconds.items()}
    return HttpVixSource(RegimeSettings(vix_url=source.url, **terms)).history()


def refusal(source: Source, **seconds: str) -> str:
    with pytest.raises(VixError) as error:
        asked(source, **seconds)
    return str(error.value)


def test_every_close_is_read_exactly(source: Source) -> None:
    """RK-19"""
    assert asked(source) == [
        DailyValue(date(2026, 11, 17), Decimal("16.80")),
        DailyValue(date(2026, 11, 18), Decimal("23.40")),
    ]
    assert source.asked == ["/VIX_History.csv"]


def test_a_gzipped_answer_is_read(source: Source) -> None:
    """RK-19"""
    source.body = gzip.compress(b"\xef\xbb\xbf" + TWO_DAYS.encode())
    source.headers = {"Content-Encoding": "gzip"}

    assert [day.value for day in asked(source)] == [Decimal("16.80"), Decimal("23.40")]


@table(
    "body why",
    ("", "is empty"),
    ("<html>Please enable JavaScript</html>\n<p>\n", "no column date, close"),
    ("DATE,OPEN,HIGH,LOW,CLOSE\n", "no row after it"),
    (TWO_DAYS + "11/19/2026,24.00,25.10", "has 3 fields"),
    (TWO_DAYS + "11/19/2026,24,25,23,n/a\n", "is no number"),
    (TWO_DAYS + "11/19/2026,24,25,23,NaN\n", "is no number"),
    (TWO_DAYS + "11/19/2026,24,25,23,-1\n", "is none of the VIX"),
    (TWO_DAYS + "11/19/2026,24,25,23,0\n", "is none of the VIX"),
    (TWO_DAYS + "11/19/2026,24,25,23,2500\n", "is none of the VIX"),
    (TWO_DAYS + "11/18/2026,24,25,23,24\n", "is not after 2026-11-18"),
    (TWO_DAYS + "19.11.2026,24,25,23,24\n", "is no day"),
    (TWO_DAYS + "13/45/2026,24,25,23,24\n", "is no day"),
    (b"DATE,CLOSE\n\xff\xfe,1\n", "UnicodeDecodeError"),
)
def test_an_invalid_table_is_refused(source: Source, body: str | bytes, why: str) -> None:
    """RK-19: neither its last good row nor anything else of it is taken."""
    source.body = body

    assert why in refusal(source)


@table("status", 204, 301, 403, 404, 429, 500, 503)
def test_any_status_but_200_is_refused(source: Source, status: int) -> None:
    """RK-19"""
    source.asked.clear()
    source.status = status
    source.headers = {"Location": source.url + "?elsewhere"}
    source.body = "" if status == 204 else TWO_DAYS

    assert refusal(source) == f"127.0.0.1 answered {status}"
    assert len(source.asked) == 1


def test_a_hanging_source_is_left(source: Source, snapshot: SnapshotAssertion) -> None:
    """RK-19"""
    source.holds.clear()

    assert refusal(source, read_seconds="0.2") == snapshot


def test_a_dripping_source_is_left(source: Source, snapshot: SnapshotAssertion) -> None:
    """RK-19: each piece comes in time, the whole never does."""
    source.drips = True

    assert refusal(source, answer_seconds="0.3") == snapshot


def test_an_oversized_answer_is_refused(source: Source, snapshot: SnapshotAssertion) -> None:
    """RK-19: also where it came compressed, and small."""
    source.body = gzip.compress(b"0" * (LARGEST + 1))
    source.headers = {"Content-Encoding": "gzip"}

    assert refusal(source) == snapshot


def test_an_unreachable_source_says_what_to_do() -> None:
    """RK-19"""
    with Source() as gone:
        url = gone.url

    with pytest.raises(VixError, match=r"^127.0.0.1 cannot be reached \(ConnectError\); check the network and"):
        HttpVixSource(RegimeSettings(vix_url=url)).history()


@table("url", "http://example.org/vix.csv", "ftp://127.0.0.1/vix.csv", "ws://localhost/v", "vix.csv")
def test_plain_http_leads_to_this_machine_alone(url: str) -> None:
    """RK-19, SY-06"""
    with pytest.raises(ValidationError, match="https; plain http only on this machine"):
        RegimeSettings(vix_url=url)


def test_by_default_the_exchange_itself_is_asked() -> None:
    """RK-19"""
    assert RegimeSettings().vix_url == CBOE
    assert CBOE.startswith("https://cdn.cboe.com/")
