"""The forms in which agents write values and times: each is read as it is meant, or not taken (OP-14, SY-06)."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal

import pytest

from core.model.fact_fields import Unit
from core.protocol.agent_drafts import TermsError, draft_of
from core.protocol.agent_frames import Stated, SubmitDraft, Terms
from core.protocol.fact_values import time_in, value_in

NOON = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)

READ = {
    ("510.20", Unit.PRICE): "510.20",
    ("$510.20", Unit.PRICE): "510.20",
    ("1,234.50", Unit.MONEY): "1234.50",
    ("-$1,234.50", Unit.MONEY): "-1234.50",
    ("$-5", Unit.MONEY): "-5",
    ("12500 USD", Unit.MONEY): "12500",
    ("1.2M", Unit.SHARES): "1200000",
    ("3k", Unit.SHARES): "3000",
    ("2.5%", Unit.FRACTION): "0.025",
    ("2.5 %", None): "0.025",
    ("-0.4%", Unit.FRACTION): "-0.004",
    ("0.025", Unit.FRACTION): "0.025",
    ("+3", Unit.COUNT): "3",
    ("1e3", None): "1000",
}


@pytest.mark.parametrize("stated", READ, ids=str)
def test_a_value_is_read_as_it_is_meant(stated: tuple[str, Unit | None]) -> None:
    """OP-14"""
    assert value_in(*stated) == Decimal(READ[stated])


NOT_READ = [
    ("2.5%", Unit.PRICE), ("$5", Unit.SHARES), ("$0.02", Unit.FRACTION), ("5,0", Unit.PRICE), ("1.234,50", Unit.PRICE),
    ("12,34.5", Unit.MONEY), ("1,2345", Unit.MONEY), ("(5.00)", Unit.MONEY), ("1_000", Unit.COUNT), ("１２", None),
    ("NaN", None), ("", None), ("5 5", None), ("1.2MM", None), ("--5", None), ("-$-5", Unit.MONEY), ("2M%", None),
    ("€5", Unit.PRICE), ("1.2M%", Unit.FRACTION), ("true", None),
]  # fmt: skip


@pytest.mark.parametrize("stated", NOT_READ, ids=str)
def test_a_value_of_two_meanings_is_not_taken(stated: tuple[str, Unit | None]) -> None:
    """OP-14"""
    assert value_in(*stated) is None


TIMES = {
    "2026-01-05T12:00:00Z": NOON,
    "2026-01-05T07:00:00-05:00": NOON,
    "2026-01-05 12:00:00+00:00": NOON,
    "1767614400": NOON,
    "1767614400.5": NOON.replace(microsecond=500_000),
    "1767614400250": NOON.replace(microsecond=250_000),
    "09:45": time(9, 45),
    "09:45:10": time(9, 45, 10),
}


@pytest.mark.parametrize("text", TIMES)
def test_a_time_is_read_as_it_is_meant(text: str) -> None:
    """OP-14"""
    assert time_in(text) == TIMES[text]


@pytest.mark.parametrize(
    "text",
    ["2026-01-05T12:00:00", "2026-01-05", "9:45", "24:00", "09:60", "12", "176761440", "17676144000", "now",
     "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00Z", "1767614400.1234567", "9:45 AM"],
)  # fmt: skip
def test_a_time_without_a_zone_or_a_day_is_not_taken(text: str) -> None:
    """OP-14"""
    assert time_in(text) is None


def test_a_refusal_names_what_to_write() -> None:
    """OP-14"""
    for stated, word in ((Stated("SPY", "bid", "2.5%"), "510.20"), (Stated("SPY", "bid", "1", "noon"), "09:45")):
        with pytest.raises(TermsError, match=word):
            draft_of(SubmitDraft(1, "a", Terms("SPY", "buy", "1", "limit", "5", "4"), "it is low", (stated,)))
