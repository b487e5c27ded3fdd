"""What a run on the simulated exchange was given from outside: with it the same run can be played again (AN-06).

Its market, answers and deadlines follow from a seed or from files. What does not is how it began, what people and
keepers said, each after how many events, and when it was told to leave.
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
    """A file of recorded data, and the SHA-256 of what was in it."""

    path: str
    digest: str


@dataclass(frozen=True, slots=True)
class RunStarted:
    """How a run began.

    Attributes
    ----------
    sequence, requests
        Records that the journal had before it, and lines that the exchange's own log had.
    stage, seed
        The market of a demo by its name, and its seed.
    speed
        Virtual seconds a second, by which quotes are told; None is as fast as it can.
    operator
        Who pressed the keys: `none`, `confirm-all`, or the text of a script.
    files, quotes
        Of a replay.
    strategies
        The user's own that were on.
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


@dataclass(frozen=True, slots=True)
class HeardFromOutside:
    """`events` happened in the run before it. `terminal` and `user` are those of the door that it came through."""

    events: int
    at: datetime
    said: Said
    terminal: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class RunLeft:
    """It was told to leave after so many events, and why it says that it stopped."""

    events: int
    at: datetime


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """`left` is None of one that goes on, that came to its own end, or that died."""

    started: RunStarted
    heard: tuple[HeardFromOutside, ...] = ()
    left: RunLeft | None = None


class RunRecorder(Protocol):
    """Writes it down, in the runtime's thread. Never raises: a run goes on where its record does not."""

    def heard(self, what: HeardFromOutside) -> None: ...

    def left(self, what: RunLeft) -> None: ...
