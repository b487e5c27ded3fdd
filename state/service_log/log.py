"""The log of a running engine: a bounded queue, written by a separate thread.

Logging never ends, halts or slows the engine: it only queues a value. If the disk fails or is too slow, lines are
dropped, counted and reported. Every line is a copy: the journal is authoritative.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from itertools import count
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Self

from core.facts import RELEARNED, Fact
from core.io.wall_clock import utc_now
from core.ports import JournalError, Recorded
from core.runtime.call_record import CallMade
from core.runtime.runtime import Runtime
from state.files import AccountFolder
from state.service_log import lines as events
from state.service_log.files import Limits, RotatingFile, newest_records
from state.service_log.lines import Event, Hiding, Lines

WAITING_AT_MOST = 20_000
"""The maximum of queued events; more are dropped."""
LINGER = 0.05
"""Seconds between the first event of a batch and its writing: by then the logging act is finished."""
AT_ONCE = 2_000
"""Events per write."""
LAST_WRITE = 2.0
"""Seconds that a leaving engine waits for its last lines."""
CATCH_UP = 1_000
"""Records at the journal's end checked for missing log lines: a crash loses the last ones."""
HEARD_AGAIN = frozenset(RELEARNED)
"""Frequent facts that are not logged, because their source sends them again."""

_Heard = tuple[datetime, int, Fact]


class ServiceLog:
    """The log of one account.

    Attributes
    ----------
    dropped
        The number of lines dropped since the start.
    trouble
        The reason of the last failed write, as text; None after a successful one.
    """

    def __init__(
        self,
        folder: AccountFolder,
        hiding: Hiding,
        clock: Callable[[], datetime] = utc_now,
        limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> None:
        self.dropped = 0
        self.trouble: str | None = None
        self._path = folder.log
        self._clock = clock
        self._file = RotatingFile(folder.log, limits)
        self._lines = Lines(folder.name, hiding)
        self._queue: SimpleQueue[_Heard | Event | threading.Event | None] = SimpleQueue()
        self._left_out = 0
        self._counting = threading.RLock()  # a signal handler may log while its thread counts
        self._requests = count(1)
        self._notes: tuple[str, ...] = ()
        self._is_open = False
        self._is_closing = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="log", daemon=True)
        self._handler = _Handler(self)
        self._runtime: Runtime | None = None
        self._hooks_before = (threading.excepthook, sys.excepthook)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _where: TracebackType | None
    ) -> None:
        if error is not None:
            self.put(events.of_exception(self._clock(), "the engine ended", error))
        self.close()

    def open(self) -> None:
        """Start logging, including library records and uncaught exceptions. Never raises OSError."""
        self._is_open = True
        with suppress(RuntimeError):  # if no thread can start, the queue fills up and the rest is counted
            self._thread.start()
        logging.getLogger().addHandler(self._handler)
        self._hooks_before = (threading.excepthook, sys.excepthook)
        threading.excepthook, sys.excepthook = self._hear_thread, self._hear_program

    def attach(self, runtime: Runtime) -> None:
        """Listen to a runtime, after logging the journal's records that are missing. In its thread, before it runs."""
        self._runtime, self._clock = runtime, runtime.clock
        self.put(events.of_service(self._clock(), events.OPENED, "the log begins"))
        self._catch_up(runtime)
        runtime.engine.state.add_listener(self._hear)
        runtime.add_call_listener(self._hear_call)
        runtime.each_beat(self._look)
        self._look()

    def close(self) -> None:
        """Write the queue, within a time limit, and detach from everything."""
        if not self._is_open:
            return
        if self._runtime is not None:
            self._look()
            self._runtime.engine.state.remove_listener(self._hear)
        self.put(events.of_service(self._clock(), events.CLOSED, "the log ends"))
        self._is_open = False
        logging.getLogger().removeHandler(self._handler)
        if threading.excepthook == self._hear_thread:
            threading.excepthook = self._hooks_before[0]
        if sys.excepthook == self._hear_program:
            sys.excepthook = self._hooks_before[1]
        self._queue.put(None)
        self._is_closing.set()
        if self._thread.is_alive():
            self._thread.join(LAST_WRITE)

    def put(self, event: Event) -> None:
        """Queue an event. Any thread, also a signal handler; never waits and does not raise."""
        if self._is_open:
            self._enqueue(event)

    def now(self) -> datetime:
        """The time for lines without a fact's time. Any thread."""
        return self._clock()

    def settle(self) -> None:
        """Wait until everything queued so far is written or counted as dropped."""
        is_written = threading.Event()
        self._queue.put(is_written)
        is_written.wait()

    @property
    def waiting(self) -> int:
        """Events not yet written."""
        return self._queue.qsize()

    # ── sources ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _hear(self, sequence: int, at: datetime, fact: Fact) -> None:
        if type(fact) not in HEARD_AGAIN:
            self._enqueue((at, sequence, fact))

    def _hear_call(self, call: CallMade) -> None:
        self.put(events.of_call(next(self._requests), call))

    def _hear_thread(self, raised: threading.ExceptHookArgs) -> None:
        if raised.exc_value is not None:
            name = raised.thread.name if raised.thread is not None else "unknown"
            self.put(events.of_exception(self._clock(), f"the thread {name} ended", raised.exc_value))
        self._hooks_before[0](raised)

    def _hear_program(self, kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        self.put(events.of_exception(self._clock(), "the program ended", error))
        self._hooks_before[1](kind, error, where)

    def _look(self) -> None:
        """Take the engine's messages, and report the log's own failures to it; at every beat."""
        if self._runtime is None:
            return
        engine = self._runtime.engine
        if self.trouble is not None:
            engine.say(f"{self._path} cannot be written: {self.trouble}; fix the disk, orders go on")
        if engine.notes is not self._notes:
            known = set(self._notes)
            self._notes = engine.notes
            for note in engine.notes:
                if note not in known:
                    self.put(events.of_note(self._clock(), note))

    def _catch_up(self, runtime: Runtime) -> None:
        """Log the records from before the listener: the start's own, and the last ones of a killed run.

        The log may have numbers that the journal never had, or has for others: of a reset, and of a disk that was full.
        """
        journal = runtime.engine.state.journal
        try:
            known = newest_records(self._path, CATCH_UP)
            lacking: list[Recorded] = []
            for number, recorded in enumerate(journal.backwards()):
                if (recorded.sequence, recorded.at) in known or number >= CATCH_UP:
                    break
                lacking.append(recorded)
        except (JournalError, OSError) as error:
            runtime.engine.say(f"what was recorded before this log began could not be read: {error}")
            return
        for recorded in reversed(lacking):
            self._hear(recorded.sequence, recorded.at, recorded.fact)

    # ── the queue ────────────────────────────────────────────────────────────────────────────────────────────────

    def _enqueue(self, item: _Heard | Event) -> None:
        if self._queue.qsize() < WAITING_AT_MOST:
            self._queue.put(item)
        else:
            self._leave_out(1)

    def _leave_out(self, lines: int) -> None:
        with self._counting:
            self.dropped += lines
            self._left_out += lines

    # ── in the log's thread ──────────────────────────────────────────────────────────────────────────────────────

    def _serve(self) -> None:
        is_over = False
        while not is_over:
            batch = [self._queue.get()]
            if batch[0] is not None:
                self._is_closing.wait(LINGER)
            with suppress(Empty):
                while batch[-1] is not None and len(batch) < AT_ONCE:
                    batch.append(self._queue.get_nowait())
            is_over = batch[-1] is None
            marks = [item for item in batch if isinstance(item, threading.Event)]
            self._write([self._event_of(i) for i in batch if i is not None and not isinstance(i, threading.Event)])
            for mark in marks:
                mark.set()
        self._file.close()

    def _event_of(self, item: _Heard | Event) -> Event:
        if isinstance(item, dict):
            return item
        at, sequence, fact = item
        try:
            return events.of_fact(at, sequence, fact)
        except Exception as error:  # a fact whose text raises is in the journal all the same
            words = f"{type(fact).__name__} has no words: {type(error).__name__}: {error}"
            return events.of_service(at, events.UNWRITABLE, words, "error", record=sequence)

    def _write(self, batch: list[Event]) -> None:
        """Write the events by day, one file for each; count those that the disk refuses."""
        with self._counting:
            left_out, self._left_out = self._left_out, 0
        if left_out and batch:
            why = f": {self.trouble}" if self.trouble else ": more came than could be written"
            words = f"{left_out} lines before this one were not written{why}"
            told = events.of_service(batch[0]["at"], events.DROPPED, words, "error", lines=left_out)
            batch = [told, *batch]
        while batch:
            day = batch[0]["at"].date()
            size = next((n for n, event in enumerate(batch) if event["at"].date() != day), len(batch))
            today, batch = batch[:size], batch[size:]
            try:
                self._file.write(b"".join(map(self._lines.of, today)), day)
                self.trouble = None
            except Exception as error:  # this thread must survive any error of the disk
                self.trouble = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
                is_told = today[0]["event"] == events.DROPPED
                self._leave_out(len(today) - is_told)
                if is_told:
                    with self._counting:
                        self._left_out += left_out


class _Handler(logging.Handler):
    """Takes library records of WARNING and above."""

    def __init__(self, log: ServiceLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(Exception):  # a record that cannot be formatted must not break the caller
            self._log.put(events.of_record(self._log.now(), record))
