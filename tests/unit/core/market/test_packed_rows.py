"""Rows in a few bytes: the same item comes out, at any place, whatever its digits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from core.market.packed_rows import BrokenRow, PackedRows, figure_in
from core.model.values import number_in

BEGIN = datetime(1990, 1, 1, tzinfo=UTC)
Item = tuple[datetime, Decimal, Decimal]

TEXTS = st.one_of(
    st.from_regex(r"-?[0-9]{1,40}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.decimals(min_value=0, max_value=10**6, places=2).map(str),
    st.sampled_from(
        ["100", "0.0001", "1e-300", "1E+5", "0.300", ".5", "5.", "-0.0", " 7 ", "9223372036854775808", "2147483648"]
    ),
)
TIMES = st.builds(
    lambda seconds, micros: BEGIN + timedelta(seconds=seconds, microseconds=micros),
    st.integers(0, 110 * 365 * 86_400),
    st.sampled_from([0, 0, 0, 1]),
)
ROWS = st.lists(st.one_of(st.none(), st.tuples(TIMES, TEXTS, TEXTS)), min_size=1)


@given(ROWS)
def test_packed_rows_come_out_as_they_went_in(rows: list[tuple[datetime, str, str] | None]) -> None:
    """MD-05"""
    packed = PackedRows[Item](lambda at, *figures: (at, *figures), 2)
    expected: list[Item | BrokenRow] = []
    for number, row in enumerate(rows):
        if row is None:
            expected.append(BrokenRow(f"SPY.csv:{number}", "bad"))
            packed.keep(expected[-1])
            continue
        at, *texts = row
        first, second = (figure for text in texts if (figure := figure_in(text)) is not None)
        packed.add(at, [first, second])
        expected.append((at, *(Decimal(text) for text in texts)))

    found = [
        [*packed],
        [packed[at] for at in range(len(packed))],
        [packed[at - len(packed)] for at in range(len(packed))],
    ]

    assert [[*map(repr, each)] for each in found] == [[*map(repr, expected)]] * 3


@given(st.text(alphabet="0123456789.eE+-_ ٣", max_size=8))
def test_a_figure_is_a_number_in_plain_digits(text: str) -> None:
    """MD-05"""
    figure, number = figure_in(text), number_in(text.strip())

    assert (None if figure is None else str(figure[0])) == (None if number is None else str(number))


def test_a_minute_takes_a_few_bytes() -> None:
    """MD-05: five figures and a time in 29 bytes; objects of their own take 500"""
    packed = PackedRows[object](lambda *_: None, 5)
    for minute in range(1000):
        figures = [figure for text in ("99.99", "100.04", "99.9", "100.00", str(minute)) if (figure := figure_in(text))]
        packed.add(BEGIN + timedelta(minutes=minute), figures)

    held = (packed._seconds, packed._integers, packed._powers)

    assert sum(len(each) * each.itemsize for each in held) == 29 * 1000
