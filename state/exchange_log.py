"""The request log of the simulated exchange: one JSON object a line, on its own, so that it outlives the desk's crash.

A line torn by a crash is cut off when the log is opened: the request behind it was never acted on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

import orjson

from core.ports import OperatorError
from core.regular_file import reading
from state.files import open_private, write_all
from state.folders import AccountFolder


class ExchangeLogError(OperatorError):
    """A log that cannot be read; the message names the line."""


class ExchangeLog:
    """Implements the log of `core.brokers.simulated`.

    Parameters
    ----------
    durable
        Wait for the disk at each line. Without it a line survives a crash of the program, not a power cut.

    Attributes
    ----------
    repairs
        What opening had to mend, in words.
    """

    def __init__(self, folder: AccountFolder, *, durable: bool = False) -> None:
        self._path = folder.exchange
        self._durable = durable
        self._descriptor = open_private(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        self._length = os.fstat(self._descriptor).st_size
        self.repairs: tuple[str, ...] = self._cut_torn_line()

    def append(self, record: Mapping[str, object]) -> None:
        """Write one line now. Raises OSError; of a line that was cut short nothing stays."""
        content = orjson.dumps(record, default=str, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
        try:
            write_all(self._descriptor, content)
        except OSError:
            os.ftruncate(self._descriptor, self._length)
            raise
        self._length += len(content)
        if self._durable:
            os.fsync(self._descriptor)

    def records(self) -> Iterator[dict[str, str | None]]:
        """Every record, in order. Raises `ExchangeLogError`."""
        with reading(self._path) as file:
            for number, line in enumerate(file, 1):
                try:
                    yield orjson.loads(line)
                except orjson.JSONDecodeError as error:
                    raise ExchangeLogError(
                        f"{self._path.name}, line {number}: {error}; put that of a backup in its place"
                    ) from error

    def close(self) -> None:
        os.close(self._descriptor)

    def _cut_torn_line(self) -> tuple[str, ...]:
        content = os.pread(self._descriptor, self._length, 0)
        sound = content.rfind(b"\n") + 1
        if sound == len(content):
            return ()
        os.ftruncate(self._descriptor, sound)
        self._length = sound
        return (f"{self._path.name}: a torn last line of {len(content) - sound} bytes was cut off",)
