"""A stream of bytes, taken apart into frames."""

from __future__ import annotations

from collections.abc import Iterator

from core.protocol.errors import FrameError
from core.protocol.frames import LENGTH


class FrameReader:
    """Holds what came of a frame until all of it is there, and no more than one.

    `largest` is how many bytes a frame may have; it may be raised once the peer is known. A longer one is refused by
    its length, before its bytes come; after that the reader takes nothing in.
    """

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self._held = bytearray()
        self._is_refused = False

    @property
    def is_midway(self) -> bool:
        """A part of a frame is here: where the stream ends now, it was cut off."""
        return bool(self._held)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The frames that are whole now, one at a time, without their lengths. Raises `FrameError`.

        All of them are taken before the next bytes are fed.
        """
        self._held += data
        while (end := self._end()) is not None:
            frame = bytes(memoryview(self._held)[LENGTH:end])
            del self._held[:end]
            yield frame

    def _end(self) -> int | None:
        """Where the frame ends that is here whole; None where none is."""
        if self._is_refused:
            raise FrameError("a frame after one that was refused")
        if len(self._held) < LENGTH:
            return None
        length = int.from_bytes(self._held[:LENGTH], "big")
        if length > self.largest:
            self._is_refused = True
            self._held.clear()
            raise FrameError(f"a frame of {length} bytes; here one has at most {self.largest}")
        end = LENGTH + length
        return end if len(self._held) >= end else None
