"""What a running engine says of itself, for `status` and the watchdog: a small file, and its age (SY-02).

Written whole, only when something changed; else only its time moves on. It is never synced: nothing rests on it.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import orjson
from pydantic import TypeAdapter, ValidationError

from core.files.regular_file import bytes_of
from state.files import naming, open_private, replace_file, write_all
from state.folders import AccountFolder

LARGEST = 1_000_000
"""Bytes of a heartbeat: a line for each position."""
SILENCE_STEP = 30
"""Seconds: a silence is told by steps, so that an engine that only waits writes nothing anew."""


@dataclass(frozen=True, slots=True)
class Status:
    """The engine at a glance.

    Attributes
    ----------
    state
        `trading`, `halted`, `killed`, `read-only` …: the word on the status line.
    orders_sent
        Since the trading day began.
    uncovered
        Shares that no stop is known to guard, in words: `SPY 2.5 no stop`.
    uncovered_kinds
        Why, of each of these: `no_stop`, `at_limit`, `in_doubt`.
    unattended
        Positions whose exits go out without a key, and until when: `SPY until 16:00 London`.
    desks, key
        Who is at a desk that is attached, and who holds the key: `eve on pts/3`; empty where nobody does.
    data_silent_seconds
        How long an open session has been without a bar or a quote, in steps of `SILENCE_STEP`; None while no session
        is open, and from an engine that does not say.
    """

    state: str
    pid: int
    mode: str
    positions: int
    orders_working: int
    orders_sent: int
    proposals_waiting: int
    journal_sequence: int
    account: str
    uncovered: tuple[str, ...] = ()
    unattended: tuple[str, ...] = ()
    uncovered_kinds: tuple[str, ...] = ()
    data_silent_seconds: int | None = None
    desks: tuple[str, ...] = ()
    key: str = ""


class Heartbeat:
    """Written by the engine that holds the account."""

    def __init__(self, folder: AccountFolder) -> None:
        self._path = folder.heartbeat
        self._written: Status | None = None

    def beat(self, status: Status) -> None:
        """Say that the engine lives, and how it is. Raises OSError."""
        if status == self._written:
            try:
                os.utime(self._path)
            except FileNotFoundError:
                pass
            else:
                return
        content = orjson.dumps(status, option=orjson.OPT_APPEND_NEWLINE)
        try:
            replace_file(self._path, content, durable=False)
        except OSError:
            self._overwrite(content)
        self._written = status

    def _overwrite(self, content: bytes) -> None:
        """Where a disk has no room for a second file, the words go into the first; a reader may once find them torn."""
        descriptor = open_private(self._path, os.O_WRONLY)
        try:
            with naming(self._path):
                write_all(descriptor, content)
                os.ftruncate(descriptor, len(content))
        finally:
            os.close(descriptor)


def read(folder: AccountFolder, now: float | None = None) -> tuple[Status, float] | None:
    """The last status and its age in seconds (against `now`, seconds since 1970); None without one that can be read.

    A beat of the future is as far from now as an old one: an engine that lives beats by the clock that is read here.
    """
    try:
        content = bytes_of(folder.heartbeat, LARGEST)
        beaten = folder.heartbeat.stat().st_mtime
        status = TypeAdapter(Status).validate_json(content, strict=True)
    except (OSError, ValidationError):
        return None
    return status, abs((time.time() if now is None else now) - beaten)
