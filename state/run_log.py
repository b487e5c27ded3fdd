"""The record of runs on the simulated exchange: their start and external inputs, one JSON object per line.

    {"run":{"kind":"demo","at":"…","sequence":0,…}}
    {"events":412,"at":"…","said":"Decline","data":{…},"terminal":"/dev/pts/3","user":"jo"}
    {"events":977,"at":"…","left":true}

No decision depends on it: after a line cut short by a crash or a failed write, the run cannot be played again exactly.
It holds no token and no secret.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, get_args

import orjson
from pydantic import TypeAdapter, ValidationError

from core.files.regular_file import reading
from core.messages import commands
from core.messages.commands import SettingsFault, SettingsFileSeen
from core.messages.inputs import NotificationAnswered
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
from state.files import open_private, write_all
from state.folders import AccountFolder

KINDS: dict[str, type] = {kind.__name__: kind for kind in (*get_args(commands.Command), NotificationAnswered)}
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
        self._write({"run": _started_as_json(started)})

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


def _started_as_json(started: RunStarted) -> dict[str, Any]:
    values = {each.name: getattr(started, each.name) for each in fields(started)}
    return {**values, "settings": put_down(started.settings)}


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
    named = tuple(commands.SettingsSource(tuple(one["path"]), one["words"]) for one in sources)
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
