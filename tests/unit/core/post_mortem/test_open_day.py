"""The page of a day that still goes on."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from core.analytics.equity import Part
from core.model.values import Money
from core.post_mortem.day_attribution import DayExplained
from core.post_mortem.page import _day


@pytest.mark.parametrize(
    ("closing", "amounts", "made"),
    [
        (None, ("50.10", "-4"), "+46.10 USD so far"),
        (None, (), "– USD"),
        ("1046.10", ("50.10", "-4"), "+46.10 USD"),
    ],
)
def test_a_day_without_its_close_shows_what_its_parts_make(
    closing: str | None, amounts: tuple[str, ...], made: str
) -> None:
    """AN-06"""
    parts = tuple(Part(f"part {number}", Money(Decimal(amount))) for number, amount in enumerate(amounts))
    end = None if closing is None else Money(Decimal(closing))
    title, *_ = _day(DayExplained(date(2026, 11, 19), Money(Decimal(1000)), end, parts, None, ()))

    assert title.partition(": ")[2] == made
