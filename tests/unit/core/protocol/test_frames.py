"""Frames are what they were at the other end, and a stream of bytes comes apart into them wherever it was cut."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.messages.commands import Halt
from core.protocol import frames as of
from core.protocol.codec import FrameError, decode_command, decode_view, encode
from core.protocol.frames import (
    LARGEST,
    LARGEST_HELLO,
    LENGTH,
    PROTOCOL,
    FrameReader,
    Role,
    from_desk,
    from_engine,
    pack,
)
from core.views.desk import EngineLoading
from tests.kit.rows import table

AT = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)
FROM_DESK: list[of.FromDesk] = [
    of.Hello(PROTOCOL, "0.1.0", Role.DESK, "pts/1", "ann", "10.0.0.1", "token"),
    of.Say(1, msgspec.Raw(encode(Halt("key"))), 3), of.Attend(True), of.Watch(None), of.Watch("SPY"), of.Seen(7),
    of.Detach(), of.Press(1, of.PressKind.KILL, "token"),
]  # fmt: skip
FROM_ENGINE: list[of.FromEngine] = [
    of.Welcome(PROTOCOL, "0.1.0", 1, "token", "paper", {"kill": "f12"}),
    of.Refused(of.RefusalCode.OTHER_PROTOCOL, "start the same release at both ends"),
    of.Preparing("reading the journal"), of.Snapshot(1, AT, 1.0, 0, msgspec.Raw(encode(EngineLoading("x")))),
    of.Changed(2, 1, None, 60.0, 2, msgspec.Raw(b"\x90")), of.Answered(1, ""), of.Pressed(1),
    of.Ended(("a stop of SPY",)), of.Pulse(AT, 60.0, 2), of.Pulse(),
]  # fmt: skip


def the_frames_of(data: bytes, largest: int = LARGEST) -> list[bytes]:
    return list(FrameReader(largest).feed(data))


@table("frame", *FROM_DESK)
def test_a_frame_of_a_desk_arrives(frame: of.FromDesk) -> None:
    """SY-01"""
    (data,) = the_frames_of(pack(frame))

    assert from_desk(data) == frame
    with pytest.raises(FrameError):
        from_engine(data)


@table("frame", *FROM_ENGINE)
def test_a_frame_of_the_engine_arrives(frame: of.FromEngine) -> None:
    """SY-01"""
    (data,) = the_frames_of(pack(frame))

    assert from_engine(data) == frame
    with pytest.raises(FrameError):
        from_desk(data)


def test_what_a_frame_holds_is_read_out_of_it() -> None:
    """SY-01"""
    (said,) = the_frames_of(pack(of.Say(1, msgspec.Raw(encode(Halt("key"))), 3)))
    (shown,) = the_frames_of(pack(of.Snapshot(1, AT, 1.0, 0, msgspec.Raw(encode(EngineLoading("x"))))))

    say, picture = from_desk(said), from_engine(shown)

    assert isinstance(say, of.Say)
    assert isinstance(picture, of.Snapshot)
    assert decode_command(say.command) == Halt("key")
    assert decode_view(picture.value) == EngineLoading("x")


NO_FRAMES: tuple[object, ...] = (
    *(["hello"], ["hello", PROTOCOL, "1", "agent"], ["hello", PROTOCOL, "1", "desk", "t" * 1000]),
    *(["say", -1, None], ["say", True, 1], ["seen", "1"], ["attend", 1], ["detach", 1], ["press", 1, "halt", 1]),
    *(["x"], [], None),
)


@table("frame", *NO_FRAMES)
def test_what_is_no_frame_is_refused(frame: object) -> None:
    """SY-01"""
    with pytest.raises(FrameError):
        from_desk(msgspec.msgpack.encode(frame))


@settings(max_examples=24)
@given(st.binary(max_size=100))
def test_random_bytes_are_a_frame_or_one_error(data: bytes) -> None:
    """SY-01"""
    for read in (from_desk, from_engine):
        with suppress(FrameError):
            read(data)


def test_a_frame_that_is_too_large_is_not_sent() -> None:
    """SY-01"""
    with pytest.raises(FrameError, match="at most"):
        pack(of.Preparing("x" * LARGEST))


def test_a_text_that_is_none_is_not_sent() -> None:
    """SY-01"""
    with pytest.raises(FrameError):
        pack(of.Preparing("\ud800"))


@settings(max_examples=24)
@given(st.lists(st.binary(max_size=40), max_size=6), st.integers(1, 30), st.randoms(use_true_random=False))
def test_a_stream_parses_wherever_it_was_cut(sent: list[bytes], most: int, chance: random.Random) -> None:
    """SY-01"""
    stream = b"".join(len(each).to_bytes(LENGTH, "big") + each for each in sent)
    reader, got = FrameReader(LARGEST), []
    while stream:
        cut = chance.randint(1, most)
        got += reader.feed(stream[:cut])
        stream = stream[cut:]

    assert got == sent


def test_an_oversized_length_is_refused_at_once() -> None:
    """SY-01"""
    reader = FrameReader(LARGEST_HELLO)

    with pytest.raises(FrameError, match="4097"):
        list(reader.feed((LARGEST_HELLO + 1).to_bytes(LENGTH, "big")))
    with pytest.raises(FrameError, match="refused"):
        list(reader.feed(pack(of.Detach())))


def test_the_limit_rises_for_a_known_peer() -> None:
    """SY-01"""
    reader = FrameReader(LARGEST_HELLO)
    reader.largest = LARGEST

    assert len(list(reader.feed(pack(of.Preparing("x" * 10_000))))) == 1


def test_half_a_frame_waits_for_its_rest() -> None:
    """SY-01"""
    whole = pack(of.Detach())
    for cut in range(1, len(whole)):
        reader = FrameReader(LARGEST)
        assert list(reader.feed(whole[:cut])) == []
        assert len(list(reader.feed(whole[cut:]))) == 1
