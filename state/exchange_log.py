"""The request log of the simulated exchange: one JSON object per line, in its own file to survive a crash.

Each line ends with a checksum that is chained to the previous line, as in the journal. Lines of older logs have none
and are accepted up to the first one with a checksum; from there on every line must have one. A changed, dropped or
added line is reported, and then none of the log is trusted. A line torn by a crash is removed on opening and kept
beside the log: its request was never executed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson

from core.brokers.simulated.log import FIELDS, fault_in
from core.files.regular_file import reading
from core.ports import OperatorError
from state.codec import GENESIS, RecordError, checked_sum, sum_of
from state.files import naming, open_private, write_all
from state.folders import AccountFolder

SUM = "sum"
MARK = b"\xef\xbb\xbf"
"""A byte order mark, which some editors put before the first line."""

Line = tuple[dict[str, str | None], str]
"""A record without its checksum, and the chained sum up to it."""


class ExchangeLogError(OperatorError):
    """A log that cannot be read; the message names the line."""


class ExchangeLogFile:
    """Implements the log of `core.brokers.simulated`.

    Parameters
    ----------
    durable
        Wait for the disk at each line. Without it a line survives a crash of the program, not a power cut.

    Attributes
    ----------
    repairs
        Descriptions of repairs made on opening.

    Raises
    ------
    ExchangeLogError
        A line is not valid; the log is unchanged.
    """

    def __init__(self, folder: AccountFolder, *, durable: bool = False) -> None:
        self._path = folder.exchange
        self._durable = durable
        self._descriptor = open_private(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            self._length = os.fstat(self._descriptor).st_size
            self._sum = GENESIS
            self.repairs: tuple[str, ...] = self._mended_end()
            for _, total in lines_of(self._path):
                self._sum = total
        except (ExchangeLogError, OSError):
            self.close()
            raise

    def append(self, record: Mapping[str, object]) -> None:
        """Write one line now. Raises OSError; an incomplete line is removed."""
        body = orjson.dumps(record, default=str, option=orjson.OPT_UTC_Z)
        total = sum_of(body, self._sum)
        content = body[:-1] + b',"sum":"' + total.encode() + b'"}\n'
        with naming(self._path):
            try:
                write_all(self._descriptor, content)
            except OSError:
                os.ftruncate(self._descriptor, self._length)
                raise
            self._length += len(content)
            self._sum = total
            if self._durable:
                os.fsync(self._descriptor)

    def records(self) -> Iterator[dict[str, str | None]]:
        """Yield every record, in order. Raises `ExchangeLogError`."""
        return (record for record, _ in lines_of(self._path))

    def close(self) -> None:
        os.close(self._descriptor)

    def _mended_end(self) -> tuple[str, ...]:
        """Move a torn last line to a file beside the log; a line that lacks only its newline stays."""
        content = os.pread(self._descriptor, self._length, 0)
        sound = content.rfind(b"\n") + 1
        rest = content[sound:]
        if not rest:
            return ()
        if _is_whole(rest):
            with naming(self._path):
                write_all(self._descriptor, b"\n")
            self._length += 1
            return (f"{self._path.name}: the newline after its last line was missing and is there again",)
        if _is_whole(rest[:-1]):  # a crash never writes another byte in the newline's place
            return ()
        aside = self._path.with_name(f"{self._path.name}.torn")
        with naming(aside):
            _keep(aside, rest + b"\n")
        os.ftruncate(self._descriptor, sound)
        self._length = sound
        return (f"{self._path.name}: a torn last line of {len(rest)} bytes was cut off; it is kept in {aside.name}",)


def lines_of(path: Path) -> Iterator[Line]:
    """Yield every line of a log, in order. Raises `ExchangeLogError` with the first invalid line, and OSError."""
    total, is_summed = GENESIS, False
    with reading(path) as file:
        for number, ended in enumerate(file, 1):
            line = ended.removeprefix(MARK) if number == 1 else ended
            try:
                record = _record_in(line, total, is_summed)
            except RecordError as error:
                raise ExchangeLogError(
                    f"{path.name}, line {number}: {error}; put that of a backup in its place"
                ) from error
            is_summed = is_summed or SUM in record
            total = str(record.pop(SUM, None) or sum_of(line.removesuffix(b"\n"), total))
            yield record, total


def _record_in(line: bytes, previous: str, is_summed: bool) -> dict[str, str | None]:
    """Return the record of a line with its checksum. Raises `RecordError` with the fault."""
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise RecordError(f"it is no JSON ({error})") from error
    if not isinstance(record, dict):
        raise RecordError(f"it is no record but {_kind(record)}")
    if not line.endswith(b"\n"):
        raise RecordError("it has no end")
    if SUM in record:
        checked_sum(line.removesuffix(b"\n"), previous)
    elif is_summed:
        raise RecordError("its checksum is gone")
    elif unknown := sorted(record.keys() - FIELDS):
        raise RecordError(f"it has a field {unknown[0]!r}, which no request has")
    if fault := fault_in({name: value for name, value in record.items() if name != SUM}):
        raise RecordError(fault)
    return record


def _kind(value: object) -> str:
    names = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _is_whole(line: bytes) -> bool:
    try:
        return isinstance(orjson.loads(line), dict)
    except orjson.JSONDecodeError:
        return False


def _keep(path: Path, content: bytes) -> None:
    descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
