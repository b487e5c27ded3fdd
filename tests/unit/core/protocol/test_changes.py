"""The changes between two values, applied to the old one, give the new one to the last digit; the rest stays."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.model.codes import HaltCause
from core.model.order import Effect, OrderStatus, OrderType, Side
from core.model.sizing import Size, SizeLimit
from core.model.values import ClientOrderId, Price, Quantity, Symbol
from core.protocol.changes import Arrange, Put, apply, apply_changes, changes, encode_changes
from core.protocol.codec import SHAPES, FrameError, encode
from core.views.desk import EngineFailed
from core.views.desk_status import HaltRow, KillView
from core.views.results import ChartBar, ChartView
from core.views.rows import OrderRow
from tests.kit.rows import table
from tests.unit.core.protocol.anything import a_value_of, another, is_the_same

SLOW = settings(deadline=None, suppress_health_check=list(HealthCheck))
AT = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)


def an_order(name: str, filled: str = "0") -> OrderRow:
    return OrderRow(
        id=ClientOrderId(name), strategy="vwap", side=Side.BUY, effect=Effect.OPEN, quantity=Quantity(Decimal(10)),
        symbol=Symbol("SPY"), type=OrderType.LIMIT, limit_price=Price(Decimal("1.50")), stop_price=None,
        status=OrderStatus.SUBMITTED, filled_quantity=Quantity(Decimal(filled)), average_price=None, created_at=AT,
        ended_at=None, expires_at=None, is_protective=False, marks=(), reason="",
    )  # fmt: skip


def a_list(*orders: OrderRow) -> KillView:
    return KillView(orders, (), ())


def both_ways(old: Any, new: Any, kind: type) -> Any:
    """Applied here, and as it crosses."""
    told = changes(old, new)
    here, there = apply(old, told), apply_changes(old, encode_changes(told), kind)
    assert is_the_same(here, new)
    assert is_the_same(there, new)
    return there


def test_any_value_becomes_any_other() -> None:
    """SY-01"""
    for shape, seed in product(SHAPES, range(6)):
        chance = random.Random(f"{shape.number} {seed}")
        old, other = a_value_of(shape, chance), a_value_of(shape, chance)
        both_ways(old, other, shape.kind)
        both_ways(old, another(old, chance), shape.kind)
        assert changes(old, old) == ()


@settings(SLOW, max_examples=30)
@given(st.lists(st.integers(0, 12), max_size=12), st.lists(st.integers(0, 12), max_size=12), st.randoms())
def test_rows_that_come_go_and_move(before: list[int], after: list[int], chance: random.Random) -> None:
    """SY-01: names that stand twice among them."""
    old = a_list(*(an_order(str(name)) for name in before))
    new = a_list(*(an_order(str(name), chance.choice("012")) for name in after))

    both_ways(old, new, KillView)


def test_a_dropped_first_row_is_one_arrangement() -> None:
    """SY-01: the log loses its oldest row and takes in a new one, at the same length."""
    orders = tuple(an_order(str(number)) for number in range(200))
    fresh = an_order("new")

    told = changes(a_list(*orders), a_list(*orders[1:], fresh))

    assert told == (Arrange((0,), ((1, 199, 1),), (fresh,)),)
    assert len(encode_changes(told)) < len(encode(fresh)) + 20


def test_a_row_that_moves_is_not_told_again() -> None:
    """SY-01"""
    one, two, three, four = (an_order(name) for name in "abcd")

    told = changes(a_list(one, two, three, four), a_list(four, one, two, three))

    assert told == (Arrange((0,), ((3, 1, 0), (0, 3, 0)), ()),)


def test_a_change_is_told_at_the_rows_new_place() -> None:
    """SY-01"""
    one, two = an_order("a"), an_order("b")

    told = changes(a_list(one, two), a_list(replace(two, filled_quantity=Quantity(Decimal(3))), one))

    assert told == (Arrange((0,), ((1, 1, 0), (0, 1, 0)), ()), Put((0, 0, 10), Decimal(3)))


def test_one_figure_is_one_change() -> None:
    """SY-01"""
    one, two = an_order("a"), an_order("b")

    told = changes(a_list(one, two), a_list(one, replace(two, filled_quantity=Quantity(Decimal(3)))))

    assert told == (Put((0, 1, 10), Decimal(3)),)


def test_a_row_mostly_changed_is_told_whole() -> None:
    """SY-01"""
    old, new = (ChartBar(AT, *(Price(Decimal(close)) for _ in range(4)), None) for close in ("1", "2"))
    chart = ChartView(Symbol("SPY"), (old,), (), (), ())

    assert changes(chart, replace(chart, bars=(new,))) == (Put((1, 0), new),)


def test_unchanged_parts_stay_the_same_object() -> None:
    """SY-01"""
    old = a_list(an_order("a"), an_order("b"), an_order("c"))
    equal = a_list(*(replace(each) for each in old.entries_working))
    new = replace(equal, entries_working=(*equal.entries_working[:2], an_order("c", "5"), an_order("d")))

    made = both_ways(old, new, KillView)

    assert made.entries_working[0] is old.entries_working[0]
    assert made.entries_working[1] is old.entries_working[1]
    assert made.stops_working is old.stops_working


def test_no_change_gives_the_same_object() -> None:
    """SY-01"""
    old, equal = a_list(an_order("a")), a_list(an_order("a"))

    assert changes(old, equal) == ()
    assert apply_changes(old, encode_changes(()), KillView) is old


@table("was now", ("1.0", "1.00"), ("0", "-0"), ("1E+2", "100"), ("1.00", "1.0"))
def test_equal_numbers_of_other_text_are_a_change(was: str, now: str) -> None:
    """SY-01"""
    old, new = a_list(an_order("a", was)), a_list(an_order("a", now))

    assert str(both_ways(old, new, KillView).entries_working[0].filled_quantity) == now


def test_equal_texts_of_other_type_are_a_change() -> None:
    """SY-01"""
    member = next(iter(SizeLimit))
    old, new = Size(Quantity(Decimal(1)), member), Size(Quantity(Decimal(1)), str(member.value))

    assert type(both_ways(old, new, Size).limited_by) is str
    assert type(both_ways(new, old, Size).limited_by) is SizeLimit


def test_a_value_of_another_class_is_told_whole() -> None:
    """SY-01"""
    halt, failed = HaltRow(HaltCause.KEY, "x"), EngineFailed("x")

    assert changes(halt, failed) == (Put((), failed),)


@table(
    "told",
    Put((0, 5), an_order("x")),
    Put((0, -1), an_order("x")),
    Put((0, 0, 10, 0), 1),
    Put((99,), 1),
    Put((0, 0, 10), "three"),
    Put((0, 0, 10), Decimal("NaN")),
    Put((0,), an_order("x")),
    Arrange((0,), ((0, 5, 0),), ()),
    Arrange((0,), ((-1, 1, 0),), ()),
    Arrange((0,), ((0, 2, 0), (0, 2, 0)), ()),
    Arrange((0,), ((0, 1, 1),), ()),
    Arrange((0,), ((0, 1, 0),), (an_order("x"),)),
    Arrange((0,), ((0, 1, 1),), ("x",)),
    Arrange((0, 0), ((0, 1, 0),), ()),
    Arrange((), ((0, 1, 0),), ()),
)
def test_changes_of_another_picture_are_refused(told: Put | Arrange) -> None:
    """SY-01"""
    with pytest.raises(FrameError):
        apply_changes(a_list(an_order("a"), an_order("b")), encode_changes((told,)), KillView)


@settings(SLOW, max_examples=40)
@given(st.binary(max_size=100))
def test_random_bytes_are_changes_or_one_error(data: bytes) -> None:
    """SY-01"""
    with suppress(FrameError):
        apply_changes(a_list(an_order("a")), data, KillView)


def test_altered_changes_are_read_or_one_error() -> None:
    """SY-01"""
    chance = random.Random(19)
    old = a_list(an_order("a"), an_order("b"))
    honest = encode_changes(changes(old, a_list(an_order("c"), an_order("b", "3"))))
    refused = 0
    for _ in range(1_000):
        data = bytearray(honest)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            apply_changes(old, bytes(data), KillView)
        except FrameError:
            refused += 1
    assert refused > 400
