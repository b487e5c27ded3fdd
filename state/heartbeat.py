"""The status of a running engine, for `status` and the watchdog: a small file, and its age (SY-02).

It is rewritten only after a change; otherwise only its modification time moves. It is never synced: nothing depends on
it.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

import orjson

from core.files.regular_file import bytes_of
from state.files import AccountFolder, naming, open_private, replace_file, write_all

LARGEST = 1_000_000
"""The maximum size of a heartbeat in bytes, with a line for each position."""
SILENCE_STEP = 30
"""Seconds: silence is rounded to these steps, so that an idle engine does not rewrite the file."""


@dataclass(frozen=True, slots=True)
class Status:
    """The status of the engine.

    Attributes
    ----------
    state
        `trading`, `halted`, `killed`, `read-only` …: the word on the status line.
    orders_sent
        The number since the trading day began.
    uncovered
        Shares without a known stop, as text: `SPY 2.5 no stop`.
    uncovered_kinds
        The reason of each of these: `no_stop`, `at_limit`, `in_doubt`.
    unattended
        Positions whose exits are sent without a key, and until when: `SPY until 16:00 London`.
    desks, key
        The users of the attached desks, and the one with control: `eve on pts/3`; empty if there is none.
    data_silent_seconds
        Seconds of an open session without a bar or a quote, in steps of `SILENCE_STEP`; None while no session is open,
        and from older engines without this field.
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
    """The heartbeat of the engine that holds the account."""

    def __init__(self, folder: AccountFolder) -> None:
        self._path = folder.heartbeat
        self._written: Status | None = None

    def beat(self, status: Status) -> None:
        """Write the status if it changed, and update the time. Raises OSError."""
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
            # Overwrite the file in place on a full disk; a reader may see it incomplete.
            descriptor = open_private(self._path, os.O_WRONLY)
            try:
                with naming(self._path):
                    write_all(descriptor, content)
                    os.ftruncate(descriptor, len(content))
            finally:
                os.close(descriptor)
        self._written = status


def read(folder: AccountFolder, now: float | None = None) -> tuple[Status, float] | None:
    """Return the last status and its age in seconds (at `now`, seconds since 1970), or None if it cannot be read.

    The age of a heartbeat from the future is its distance from now: a running engine uses the clock that is read here.
    """
    from pydantic import TypeAdapter, ValidationError  # not needed by a desk that starts

    try:
        content = bytes_of(folder.heartbeat, LARGEST)
        beaten = folder.heartbeat.stat().st_mtime
        status = TypeAdapter(Status).validate_json(content, strict=True)
    except (OSError, ValidationError):
        return None
    return status, abs((time.time() if now is None else now) - beaten)
