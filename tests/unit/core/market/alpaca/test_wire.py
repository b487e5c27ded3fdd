"""What Alpaca's numbers and times become, and what becomes of those that are none."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import msgpack
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgpack import Timestamp
from syrupy.assertion import SnapshotAssertion

from core.market.alpaca.parsing import FIRST_YEAR, LAST_YEAR, read_bar, read_quote, shown
from core.market.alpaca.socket import messages_of
from core.messages.inputs import BarArrived, MarketDataBroken, QuoteArrived
from core.model.bar import Feed
from core.model.values import MOST, Symbol
from tests.kit.rows import table
from tests.kit.texts import texts

SPY = Symbol("SPY")
BAR = {
    "T": "b", "S": "SPY", "o": 165.31, "h": 165.4, "l": 165.3, "c": 165.35, "v": 12345, "n": 80, "vw": 165.33,
    "t": Timestamp.from_datetime(datetime(2013, 10, 8, 14, 50, tzinfo=UTC)),
}  # fmt: skip
QUOTE = {
    "T": "q", "S": "SPY", "bx": "V", "bp": 165.3, "bs": 2, "ax": "V", "ap": 165.32, "as": 3,
    "t": "2013-10-08T14:50:00.123456789Z",
}  # fmt: skip

json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts() | st.binary() | st.decimals(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts(3), inner, max_size=4),
    max_leaves=8,
)


def test_a_streamed_bar_is_read_to_the_digit(snapshot: SnapshotAssertion) -> None:
    """MD-01: a float's text becomes the Decimal, once, here."""
    arrived = read_bar(SPY, BAR, "stream")

    assert isinstance(arrived, BarArrived)
    bar = arrived.bar
    assert (bar.open, bar.high, bar.low, bar.close) == (
        Decimal("165.31"), Decimal("165.40"), Decimal("165.30"), Decimal("165.35"),
    )  # fmt: skip
    assert bar.volume == 12345
    assert bar.start == datetime(2013, 10, 8, 14, 50, tzinfo=UTC)
    assert arrived.place == snapshot


@table(
    "number price",
    (0.1 + 0.2, "0.3000"),
    (100.30000000000001, "100.30"),
    (Decimal("165.305"), "165.31"),
    (0.12345, "0.1235"),
    (165, "165.00"),
    (1e-7, "0.0000"),
)
def test_prices_stand_on_their_tick(number: object, price: str) -> None:
    """MD-01"""
    arrived = read_bar(SPY, BAR | {"c": number}, "stream")

    assert isinstance(arrived, BarArrived)
    assert str(arrived.bar.close) == price


def test_a_quote_with_nanoseconds_is_read() -> None:
    """MD-01"""
    arrived = read_quote(SPY, QUOTE, "stream", Feed.IEX)

    assert isinstance(arrived, QuoteArrived)
    assert arrived.quote.at == datetime(2013, 10, 8, 14, 50, 0, 123456, tzinfo=UTC)
    assert (arrived.quote.bid, arrived.quote.ask_size, arrived.quote.feed) == (Decimal("165.30"), 3, Feed.IEX)


@table(
    "change reason",
    ({"c": None}, "SPY bar: c is missing"),
    ({"c": "165.35"}, "SPY bar: c '165.35' is not a number"),
    ({"c": True}, "SPY bar: c True is not a number"),
    ({"c": float("nan")}, "SPY bar: c 'NaN' is no number to reckon with"),
    ({"h": float("inf")}, "SPY bar: h 'Infinity' is no number to reckon with"),
    ({"v": 10**15}, "SPY bar: v '1000000000000000' is no number to reckon with"),
    ({"v": 10**5000}, "SPY bar: v is beyond all measure"),
    ({"t": None}, "SPY bar: t, its time, is missing"),
    ({"t": "soon"}, "SPY bar: t 'soon' is no time"),
    ({"t": 1381243800}, "SPY bar: t 1381243800 is no time"),
    ({"t": "2013-10-08T14:50:00"}, "SPY bar: t '2013-10-08T14:50:00' has no zone"),
    ({"t": Timestamp(2**40, 0)}, "is no time"),
    ({"t": "1889-10-08T14:50:00Z"}, "is outside the years 1990 to 2100"),
)
def test_an_unreadable_field_is_named(change: dict[str, object], reason: str) -> None:
    """MD-03"""
    broken = read_bar(SPY, BAR | change, "Alpaca's stream")

    assert isinstance(broken, MarketDataBroken)
    assert broken.place == "Alpaca's stream"
    assert reason in broken.reason


def test_text_from_outside_is_short_and_clean() -> None:
    """SY-06"""
    assert shown("\x1b[2J" + "x" * 100) == "'\\x1b[2J" + "x" * 32 + "…"


@settings(max_examples=24)
@given(json_like)
@example({"o": 1.0, "h": 1e308, "l": -1e308, "c": 1, "v": 1, "t": "2013-10-08T14:50:00Z"})
def test_no_payload_raises(payload: object) -> None:
    """MD-03"""
    for arrived in (read_bar(SPY, payload, "x"), read_quote(SPY, payload, "x", Feed.IEX)):
        assert isinstance(arrived, BarArrived | QuoteArrived | MarketDataBroken)


@settings(max_examples=24)
@given(
    st.fixed_dictionaries(
        dict.fromkeys(("o", "h", "l", "c", "v"), json_like),
        optional={"t": json_like | st.datetimes(timezones=st.just(UTC)) | st.just(Timestamp(2**62, 5))},
    )
)
@example(BAR)
@example(BAR | dict.fromkeys(("o", "h", "l", "c", "v"), float(MOST)))
def test_a_hostile_bar_is_broken_or_finite(payload: dict[str, object]) -> None:
    """MD-03"""
    arrived = read_bar(SPY, payload, "x")

    if isinstance(arrived, BarArrived):
        bar = arrived.bar
        assert all(abs(figure) <= MOST for figure in (bar.open, bar.high, bar.low, bar.close, bar.volume))
        assert FIRST_YEAR <= bar.start.year <= LAST_YEAR


@settings(max_examples=24)
@given(st.binary())
@example(b"")
@example(msgpack.packb([1, None, {"T": "b"}]))
@example(b"\xc1")
@example(b"\x91" * 2000)
def test_no_frame_raises(frame: bytes) -> None:
    """MD-03: a frame of noise is counted, not fatal."""
    assert all(isinstance(message, dict) for message in messages_of(frame))
