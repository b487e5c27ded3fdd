"""Channels on one stream come apart into what each end said, and what no relay sends is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.protocol.codec import FrameError
from core.protocol.frames import HELLO, LARGEST_PIECE, Channel, Kind, Piece, PieceReader, packed, pieces_of
from tests.kit.rows import table

PIECES = st.lists(st.builds(Piece, st.sampled_from(Kind), st.sampled_from(Channel), st.binary(max_size=40)), max_size=8)


@settings(max_examples=24)
@given(PIECES, st.integers(1, 50))
def test_a_stream_cut_anywhere_is_the_same(pieces: list[Piece], step: int) -> None:
    stream = HELLO + b"".join(packed(piece) for piece in pieces)
    reader = PieceReader()
    came = [piece for at in range(0, len(stream), step) for piece in reader.feed(stream[at : at + step])]
    assert came == pieces


def test_a_long_word_is_sent_in_pieces() -> None:
    said = bytes(range(256)) * 700
    came = list(PieceReader().feed(HELLO + b"".join(pieces_of(Channel.DESK, said))))
    assert len(came) > 1
    assert b"".join(piece.data for piece in came) == said


@table(
    "stream words",
    (b"keyturn relay 2\n", "install the same Keyturn"),
    (b"Welcome to server\n", "does its shell print"),
    (b"\n", "does its shell print"),
    (b"keyturn relay " + b"1" * 80, "no relay of Keyturn"),
    (HELLO + bytes((9, 1, 0, 0, 0, 0)), "no relay sends"),
    (HELLO + bytes((1, 9, 0, 0, 0, 0)), "no relay sends"),
    (HELLO + bytes((2, 1)) + (LARGEST_PIECE + 1).to_bytes(4, "big"), "at most"),
)
def test_a_foreign_relay_word_is_refused(stream: bytes, words: str) -> None:
    reader = PieceReader()
    with pytest.raises(FrameError, match=words):
        list(reader.feed(stream))
    with pytest.raises(FrameError, match="after one that was refused"):
        list(reader.feed(HELLO))


def test_a_piece_too_long_is_not_sent() -> None:
    with pytest.raises(FrameError, match="at most"):
        packed(Piece(Kind.DATA, Channel.DESK, bytes(LARGEST_PIECE + 1)))
