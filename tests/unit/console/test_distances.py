"""What is typed as a way from the entry, and the prices that keys take and move: the rules, each alone."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from console.order_form.draft import (
    CHOICES,
    Distance,
    Measure,
    Measured,
    chosen,
    distance_in,
    lettered,
    priced_at,
    way_of,
)
from console.order_form.prefill import SHIPPED, fault_in, file_of, preset_in
from console.order_form.prices import ticked
from core.model.instrument import STOCK_TICKS
from tests.kit.rows import table

PRICES = st.decimals(min_value=Decimal("0.5"), max_value=Decimal(2000), places=4)
WAYS = st.decimals(min_value=Decimal("0.0001"), max_value=Decimal("0.4"), places=4)


@table(
    "text distance",
    ("1%", Distance(Decimal(1), Measure.PERCENT)),
    ("1.5atr", Distance(Decimal("1.5"), Measure.ATR)),
    ("1.5a", Distance(Decimal("1.5"), Measure.ATR)),
    (".5 ATR", Distance(Decimal("0.5"), Measure.ATR)),
    ("2R", Distance(Decimal(2), Measure.R)),
    ("1", None),
    ("0%", None),
    ("-1%", None),
    ("1%%", None),
    ("١%", None),
    ("1e3%", None),
    ("r", None),
)
def test_a_way_is_a_number_and_its_measure(text: str, distance: Distance | None) -> None:
    """RK-02"""
    assert distance_in(text) == distance


def test_what_is_not_known_measures_nothing() -> None:
    """RK-02"""
    nothing = Measured(None, None, None)

    assert all(isinstance(way_of(Distance(Decimal(1), measure), nothing), str) for measure in Measure)
    assert way_of(Distance(Decimal(100), Measure.PERCENT), Measured(Decimal(10), None, None)) == "under 100 %"


@given(PRICES, WAYS, st.booleans())
def test_distances_round_to_the_safe_side(entry: Decimal, way: Decimal, is_above: bool) -> None:
    """RK-02"""
    stop = priced_at(entry, way, STOCK_TICKS, is_above=is_above, is_stop=True)
    target = priced_at(entry, way, STOCK_TICKS, is_above=is_above, is_stop=False)

    assert stop is not None
    assert target is not None
    assert (stop - entry) * (1 if is_above else -1) <= way <= (target - entry) * (1 if is_above else -1)
    assert not any(price % STOCK_TICKS.at(price) for price in (stop, target))


@given(PRICES, st.integers(min_value=-20, max_value=20))
def test_a_tick_is_a_tradable_price(price: Decimal, steps: int) -> None:
    """EX-11"""
    moved = ticked(price, steps, STOCK_TICKS)

    assert moved > 0
    assert not steps or not moved % STOCK_TICKS.at(moved)
    assert (moved > price) is (steps > 0)
    assert (moved < price) is (steps < 0)


def test_ticks_across_a_dollar_use_each_sides_step() -> None:
    """EX-11"""
    assert [ticked(Decimal(price), steps, STOCK_TICKS) for price, steps in (("1.00", -1), ("0.9999", 1), ("1", 1))] == [
        Decimal("0.9999"),
        Decimal("1.00"),
        Decimal("1.01"),
    ]
    assert ticked(Decimal("0.0001"), -10, STOCK_TICKS) == Decimal("0.0001")


@table(
    "field text word",
    ("type", "m", "market"),
    ("type", "st", "stop"),
    ("type", "stop-", "stop-limit"),
    ("effect", "s", "s"),
    ("effect", "sh", "short"),
    ("lasts", "g", "gtc"),
    ("holder", "", ""),
    ("holder", "mum", "mum"),
)
def test_a_word_is_known_by_a_unique_beginning(field: str, text: str, word: str) -> None:
    """OP-01: what could be either is neither"""
    assert chosen(field, text) == word


@table("field", *CHOICES)
def test_every_word_can_be_typed(field: str) -> None:
    """OP-01"""
    for before in CHOICES[field]:
        for word in CHOICES[field]:
            now, begun = before, ""
            for letter in word:
                found = lettered(field, now, begun, letter)
                assert found is not None
                now, begun = found
            assert now == word


def test_shipped_presets_are_read_as_written() -> None:
    for preset in SHIPPED:
        assert not fault_in(preset)
        assert preset_in(file_of(preset)) == preset
