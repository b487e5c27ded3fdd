"""The record of a run on the simulated exchange: its external inputs, with which the run can be played again (AN-06).

Market, answers and deadlines follow from a seed or from files. The record has the rest: how the run began, each command
of people and file keepers with the number of events before it, and when the run was told to leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from core.messages.commands import Command
from core.messages.inputs import NotificationAnswered
from core.settings.settings import Settings

Said = Command | NotificationAnswered


class RunKind(Enum):
    DEMO = "demo"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class PlayedFile:
    """A file of recorded data, and the SHA-256 of its content."""

    path: str
    digest: str


@dataclass(frozen=True, slots=True)
class RunStarted:
    """How a run began.

    Attributes
    ----------
    sequence, requests
        The number of earlier records in the journal, and of earlier lines in the exchange's log.
    stage, seed
        The name of a demo's market, and its seed.
    speed
        Virtual seconds per second, which sets the quote interval; None is unlimited.
    operator
        The operator: `none`, `confirm-all`, or the text of a script.
    files, quotes
        The files of a replay.
    strategies
        The enabled strategies of the user.
    zone
        The time zone that was named for times without one in the files of bars; empty if none was.
    """

    kind: RunKind
    at: datetime
    sequence: int
    requests: int
    settings: Settings
    stage: str
    seed: int
    speed: float | None
    operator: str
    files: tuple[PlayedFile, ...] = ()
    quotes: tuple[PlayedFile, ...] = ()
    vix: PlayedFile | None = None
    market: PlayedFile | None = None
    strategies: tuple[PlayedFile, ...] = ()
    zone: str = ""


@dataclass(frozen=True, slots=True)
class HeardFromOutside:
    """An external input after `events` events of the run; `terminal` and `user` belong to the port it came through."""

    events: int
    at: datetime
    said: Said
    terminal: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class RunLeft:
    """The run was told to leave after this many events, and the reason recorded with its stop."""

    events: int
    at: datetime


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A run; `left` is None if it continues, reached its own end, or crashed."""

    started: RunStarted
    heard: tuple[HeardFromOutside, ...] = ()
    left: RunLeft | None = None


class RunRecorder(Protocol):
    """Writes the record, in the runtime's thread. Never raises: a failed record does not stop the run."""

    def heard(self, what: HeardFromOutside) -> None: ...

    def left(self, what: RunLeft) -> None: ...
