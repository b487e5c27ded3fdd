"""The logs of the simulated exchange: its requests, and the inputs of each run.

The request log of the simulated exchange: one JSON object per line, in its own file to survive a crash.
Each line ends with a checksum that is chained to the previous line, as in the journal. Lines of older logs have none
and are accepted up to the first one with a checksum; from there on every line must have one. A changed, dropped or
added line is reported, and then none of the log is trusted. A line torn by a crash is removed on opening and kept
beside the log: its request was never executed.

    {"run":{"kind":"demo","at":"…","sequence":0,…}}
    {"events":412,"at":"…","said":"Decline","data":{…},"terminal":"/dev/pts/3","user":"jo"}
    {"events":977,"at":"…","left":true}

No decision depends on it: after a line cut short by a crash or a failed write, the run cannot be played again exactly.
It holds no token and no secret.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, field, fields
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args

import orjson
from pydantic import TypeAdapter, ValidationError

from core.brokers.simulated.log import FIELDS, fault_in
from core.files.regular_file import reading
from core.messages import commands, desk_commands
from core.messages.desk_commands import SettingsFault, SettingsFileSeen
from core.messages.inputs import FromAgent, FromNotifier
from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError
from core.runtime.simulated_exchange import (
    HeardFromOutside,
    PlayedFile,
    RecordedRun,
    RunKind,
    RunLeft,
    RunStarted,
    Said,
)
from core.settings.history import put_down, taken_up
from core.settings.settings import Settings
from state.codec import GENESIS, RecordError, checked_sum, sum_of
from state.files import AccountFolder, naming, open_private, write_all

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


KINDS: dict[str, type] = {
    kind.__name__: kind for kind in (*get_args(commands.Command), *get_args(FromNotifier), *get_args(FromAgent))
}
"""The inputs that a line may hold, by name."""
AT_ONCE = 1 << 20


class RunLogError(OperatorError):
    """A record of runs that cannot be read; the message names the line."""


class RunLogFile:
    """Writes the record of one run, beginning with its start.

    After a failed line no more are written: a record with a gap would be replayed as if it were complete.
    """

    def __init__(self, folder: AccountFolder, started: RunStarted) -> None:
        self._descriptor: int | None = None
        with suppress(OSError):
            self._descriptor = open_private(folder.runs, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            _end_last_line(self._descriptor, folder.runs)
        values = {each.name: getattr(started, each.name) for each in fields(started)}
        self._write({"run": {**values, "settings": put_down(started.settings)}})

    def heard(self, what: HeardFromOutside) -> None:
        seat = {name: text for name, text in (("terminal", what.terminal), ("user", what.user)) if text}
        said = {"said": type(what.said).__name__, "data": _plain_data(what.said)}
        self._write({"events": what.events, "at": what.at, **said, **seat})

    def left(self, what: RunLeft) -> None:
        self._write({"events": what.events, "at": what.at, "left": True})

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, line: dict[str, Any]) -> None:
        if self._descriptor is None:
            return
        try:
            write_all(self._descriptor, orjson.dumps(line, _plain, orjson.OPT_UTC_Z) + b"\n")
        except (OSError, TypeError, ValueError):  # a full disk, or half a surrogate pair in typed text
            self.close()


def _end_last_line(descriptor: int, path: Path) -> None:
    """End a line that a crash cut short, so that the next one is separate."""
    size = os.fstat(descriptor).st_size
    if size:
        with reading(path) as file:
            file.seek(size - 1)
            if file.read(1) != b"\n":
                write_all(descriptor, b"\n")


def read_runs(folder: AccountFolder) -> list[RecordedRun]:
    """Return the runs, the oldest first, without those that a restore undid. Raises `RunLogError`."""
    if not folder.runs.exists():
        return []
    if not folder.runs.stat().st_size:
        raise RunLogError(f"{folder.runs.name} is empty: put a backup's in its place, or move it away")
    found: list[_Read] = []
    for number, line in enumerate(_whole_lines(folder.runs), 1):
        try:
            told = orjson.loads(line)
            if "run" in told:
                started = _started_of(told["run"])
                found = [*(each for each in found if each.started.sequence < started.sequence), _Read(started)]
            elif found:
                found[-1].take(told)
            else:
                raise ValueError("no run began before it")
        except (KeyError, TypeError, ValueError, ValidationError) as error:
            raise RunLogError(
                f"{folder.runs.name}, line {number}: {_in_a_line(error)}; the run cannot be played again"
            ) from error
    return [RecordedRun(each.started, tuple(each.heard), each.left) for each in found]


@dataclass(slots=True)
class _Read:
    """A run as far as it was read."""

    started: RunStarted
    heard: list[HeardFromOutside] = field(default_factory=list)
    left: RunLeft | None = None

    def take(self, told: dict[str, Any]) -> None:
        events, at = int(told["events"]), datetime.fromisoformat(told["at"])
        if "left" in told:
            self.left = RunLeft(events, at)
            return
        said = _said_of(told["said"], told["data"])
        self.heard.append(HeardFromOutside(events, at, said, told.get("terminal", ""), told.get("user", "")))


def _whole_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines without incomplete ones: the run died while writing those."""
    with reading(path) as file:
        for line in file:
            if line.endswith(b"}\n") or not line.startswith(b"{"):
                yield line


def file_played(path: Path) -> PlayedFile:
    """Return a file's path and digest. Raises OSError."""
    total = sha256()
    with reading(path) as file:
        while block := file.read(AT_ONCE):
            total.update(block)
    return PlayedFile(str(path.absolute()), total.hexdigest())


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _started_of(values: dict[str, Any]) -> RunStarted:
    def played(one: dict[str, str] | None) -> PlayedFile | None:
        return None if one is None else PlayedFile(**one)

    return RunStarted(
        kind=RunKind(values["kind"]),
        at=datetime.fromisoformat(values["at"]),
        sequence=values["sequence"],
        requests=values["requests"],
        settings=taken_up(values["settings"]),
        stage=values["stage"],
        seed=values["seed"],
        speed=values["speed"],
        operator=values["operator"],
        files=tuple(PlayedFile(**one) for one in values["files"]),
        quotes=tuple(PlayedFile(**one) for one in values["quotes"]),
        vix=played(values["vix"]),
        market=played(values["market"]),
        strategies=tuple(PlayedFile(**one) for one in values.get("strategies", ())),
        zone=values.get("zone", ""),
    )


def _plain_data(said: Said) -> dict[str, Any]:
    values = {each.name: getattr(said, each.name) for each in fields(said) if each.name != "sender"}
    if isinstance(said, SettingsFileSeen):
        answer = said.answer
        told = {"settings": put_down(answer)} if isinstance(answer, Settings) else asdict(answer)
        values["answer"] = told
    return values


def _said_of(name: str, values: dict[str, Any]) -> Said:
    kind = KINDS[name]
    if kind is not SettingsFileSeen:
        return _adapter(kind).validate_json(orjson.dumps(values), strict=True, extra="forbid")  # type: ignore[no-any-return]
    answer = values.pop("answer")
    held = SettingsFault(answer["reason"]) if "reason" in answer else taken_up(answer["settings"])
    left_out, sources = tuple(values.pop("left_out")), values.pop("sources")
    named = tuple(desk_commands.SettingsSource(tuple(one["path"]), one["words"]) for one in sources)
    return SettingsFileSeen(held, left_out, named, **values)


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _plain(value: object) -> object:
    return str(value)


def _in_a_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return f"{type(error).__name__} {error}"
