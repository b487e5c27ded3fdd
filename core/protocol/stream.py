"""Split a stream of bytes into frames."""

from __future__ import annotations

from collections.abc import Iterator

from core.protocol.errors import FrameError
from core.protocol.frames import LENGTH


class FrameReader:
    """Buffers an incomplete frame, and no more than one.

    `largest` is the maximum size of a frame in bytes; it may be raised once the peer is accepted. A longer one is
    refused by its length, before its content arrives; after that the reader accepts nothing.
    """

    def __init__(self, largest: int) -> None:
        self.largest = largest
        self._held = bytearray()
        self._is_refused = False

    @property
    def is_midway(self) -> bool:
        """Whether a frame is incomplete: if the stream ends now, it was cut off."""
        return bool(self._held)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the complete frames without their lengths. Raises `FrameError`.

        Take all of them before feeding more bytes.
        """
        self._held += data
        while (end := self._end()) is not None:
            frame = bytes(memoryview(self._held)[LENGTH:end])
            del self._held[:end]
            yield frame

    def _end(self) -> int | None:
        """Return the end of a complete frame, or None."""
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
