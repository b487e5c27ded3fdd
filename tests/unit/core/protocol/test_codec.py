"""What crosses between a desk and its engine arrives as it was, and what is no such thing is refused in one way."""

from __future__ import annotations

import math
import random
import tracemalloc
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.messages.commands import Confirm, Halt, Kill, OpenTicket, ProposeOrder, Rearm
from core.messages.desk_commands import SettingsFault, SettingsFileSeen
from core.model.desk import Sender
from core.model.order import Effect, OrderType, StopHolder
from core.model.sizing import Size, SizeLimit
from core.model.staging import unsaid
from core.model.values import AccountId, ClientOrderId, Digest, Fraction, Price, ProposalId, Quantity, Symbol, TicketId
from core.protocol.codec import BY_KIND, SHAPES, FrameError, decode, decode_command, decode_view, encode
from core.views.desk import EngineFailed, EngineLoading
from core.views.results import ChartBar
from tests.kit.rows import table
from tests.unit.core.protocol.anything import a_value_of, is_the_same

SLOW = settings(deadline=None, suppress_health_check=list(HealthCheck))
AT = datetime(2026, 1, 5, 14, 30, 0, 123456, tzinfo=UTC)


def a_bar(close: object = "1.50", at: object = AT) -> list[object]:
    """As it crosses, a part of it whatever a peer may write there."""
    return [BY_KIND[ChartBar].number, at, "1", "1", "1", close, None, "0"]


def sent(value: object) -> bytes:
    return msgspec.msgpack.encode(value)


def an_order(quantity: str = "3") -> ProposeOrder:
    return ProposeOrder(
        Symbol("SPY"), Effect.OPEN, Quantity(Decimal(quantity)), OrderType.LIMIT, Price(Decimal("101.50")), None,
        StopHolder.BROKER, account=AccountId("paper"),
    )  # fmt: skip


def test_every_class_round_trips() -> None:
    """SY-01"""
    for shape in SHAPES:
        chance = random.Random(shape.number)
        for value in [a_value_of(shape, chance) for _ in range(8)]:
            assert is_the_same(decode(encode(value), shape.kind), value)


@table("text", "1.50", "1.5", "-0", "0.000", "1E+5", "1E-9", "-12345678901234567890.123456789")
def test_a_number_keeps_its_exact_text(text: str) -> None:
    """SY-01"""
    bar = ChartBar(AT, *(Price(Decimal(text)) for _ in range(4)), None)

    assert str(decode(encode(bar), ChartBar).close) == text


def test_a_time_of_another_zone_keeps_its_instant() -> None:
    """SY-01"""
    there = AT.astimezone(timezone(timedelta(hours=-5)))

    arrived = decode(sent(a_bar(at=there)), ChartBar).start

    assert arrived == there
    assert arrived.tzinfo is UTC


def test_a_text_and_an_equal_member_stay_apart() -> None:
    """SY-01"""
    member = next(iter(SizeLimit))

    for limited_by in (member, str(member.value)):
        size = Size(Quantity(Decimal(3)), limited_by)
        assert type(decode(encode(size), Size).limited_by) is type(limited_by)


def test_a_lazy_verdict_is_sent_with_its_reason() -> None:
    """SY-01"""
    from core.model.staging import Verdict

    arrived = decode(encode(unsaid("spread", lambda: "0.1 %")), Verdict)

    assert (type(arrived), arrived.reason) == (Verdict, "0.1 %")


def test_a_command_never_takes_its_sender_along() -> None:
    """OP-13"""
    key = Confirm(TicketId("t"), Digest("d"), Effect.OPEN, sender=Sender("pts/1", "ann", b"the door's secret"))

    data = encode(key)

    assert b"secret" not in data
    arrived = decode_command(data)
    assert isinstance(arrived, Confirm)
    assert arrived.sender is None


def test_a_command_naming_its_sender_is_refused() -> None:
    """OP-13: who speaks is said by the engine's own side, never by a field that the peer fills in."""
    honest = msgspec.msgpack.decode(encode(Rearm("REARM")))

    with pytest.raises(FrameError):
        decode_command(sent([*honest, ["pts/1", "ann", b"x"]]))
    assert "Sender" not in {shape.kind.__name__ for shape in SHAPES}


def test_a_command_keeps_its_account() -> None:
    """OP-13"""
    assert decode_command(encode(an_order())).account == "paper"


def test_a_settings_file_input_never_crosses() -> None:
    """RK-13"""
    with pytest.raises(FrameError, match="SettingsFileSeen"):
        encode(SettingsFileSeen(SettingsFault("none")))


def test_a_picture_is_no_command() -> None:
    """OP-01"""
    with pytest.raises(FrameError):
        decode_command(encode(EngineLoading("reading")))


def test_loading_and_failed_views_cross() -> None:
    """SY-01"""
    for view in (EngineLoading("reading"), EngineFailed("no disk")):
        assert decode_view(encode(view)) == view


def test_a_class_that_does_not_cross_is_not_sent() -> None:
    """SY-06"""
    with pytest.raises(FrameError, match="Sender"):
        encode(Sender("", "", b""))


@table("number", 2**64, -(2**63) - 1)
def test_an_integer_beyond_64_bits_is_not_sent(number: int) -> None:
    """SY-01"""
    with pytest.raises(FrameError):
        encode(replace(an_order(), ttl_seconds=number))


TEXTS_OF_NO_NUMBER = ("NaN", "sNaN", "Infinity", "1E+999999999", "1E-999999999", "0E+999999", "9" * 1000, "", "x")
NO_NUMBERS = (math.inf, math.nan, True, [], {}, None, b"1", ["1"], "9" * 3_000_000, "0." + "9" * 3_000_000)


@table("close", *TEXTS_OF_NO_NUMBER, *NO_NUMBERS)
def test_a_non_finite_number_is_refused(close: object) -> None:
    """SY-01"""
    with pytest.raises(FrameError):
        decode(sent(a_bar(close)), ChartBar)


@table("at", "2026-01-05T14:30:00", "now", 5, None, [])
def test_a_time_without_a_zone_is_refused(at: object) -> None:
    """SY-01"""
    with pytest.raises(FrameError):
        decode(sent(a_bar(at=at)), ChartBar)


@table(
    "row",
    a_bar()[:-1],
    [*a_bar(), None],
    [10_000, *a_bar()[1:]],
    ["ChartBar", *a_bar()[1:]],
    [BY_KIND[Halt].number, *a_bar()[1:]],
    [True, *a_bar()[1:]],
    dict(enumerate(a_bar())),
    [],
    None,
    "x",
)
def test_what_has_the_wrong_fields_is_refused(row: object) -> None:
    """SY-01"""
    with pytest.raises(FrameError):
        decode(sent(row), ChartBar)


@table(
    "data", b"", b"\xc1", b"\x91" * 4_000_000, b"\x90" * 4_000_000, b"\xdc\xff\xff" + b"\x90" * 1_000_000,
    b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xdb\xff\xff\xff\xff", b"\xc9\xff\xff\xff\xff\x01",
    b"\xdd\x00\x3d\x09\x00" + b"\x90" * 4_000_000,
)  # fmt: skip
def test_deep_nesting_costs_no_memory(data: bytes) -> None:
    """SY-01"""
    with suppress(FrameError):
        decode_command(encode(an_order()))  # what is made once is made
    tracemalloc.start()
    try:
        with pytest.raises(FrameError):
            decode_command(data)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1_000_000


@settings(SLOW, max_examples=40)
@given(st.binary(max_size=200))
def test_random_bytes_are_a_command_or_one_error(data: bytes) -> None:
    """SY-01"""
    with suppress(FrameError):
        decode_command(data)


def test_an_altered_frame_is_read_or_one_error() -> None:
    """SY-01"""
    chance = random.Random(19)
    honest = [encode(each) for each in (an_order(), Kill("key", naked=True), Rearm("REARM", (ClientOrderId("a"),)))]
    honest.append(encode(OpenTicket(ProposalId("p"), unattended=True)))
    refused = 0
    for _ in range(4_000):
        data = bytearray(chance.choice(honest))
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            decode_command(bytes(data))
        except FrameError:
            refused += 1
    assert refused > 2_000


def test_a_part_of_a_share_is_a_number_too() -> None:
    """SY-01"""
    command = decode_command(encode(replace(an_order(), trail_fraction=Fraction(Decimal("0.010")))))

    assert str(command.trail_fraction) == "0.010"  # type: ignore[union-attr]
