"""Virtual time for real threads, sockets and event loops: one thread runs at a time, and time moves when all wait.

While a `Timeline` is installed, every thread that is started is one of its own. A thread that waits (for a condition,
another thread, a socket, a selector, a pause) hands its turn to the next that can go on, in the order in which they
were woken. When none can, no byte is on its way between two sockets of this process, and nobody asked to be told of
that moment, time moves to the earliest limit of all that wait. Sockets, HTTP and WebSockets are the real ones; what a
test sees depends on no clock and no scheduler of the machine.

The thread of the test is one of them: while it runs, everything else stands still. `settle`, `advance` and `until` let
the others go on; so does anything that waits, as a request that the test makes itself.
"""

from __future__ import annotations

import _socket
import asyncio
import logging
import math
import os
import queue
import random
import select
import selectors
import socket
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.client.access import EngineLink
from console.client.remote import RemoteEngine
from core.brokers.alpaca.retries import Timeouts
from core.brokers.alpaca.stream import AlpacaOrderStream
from core.io import http_requests, wall_clock
from core.market.alpaca.data import AlpacaData
from core.runtime import inbox
from core.runtime.service.agent_socket import AgentService
from core.runtime.service.desk_connection import SnapshotFeed
from core.runtime.service.desk_connections import DeskServer
from core.runtime.service.service import DeskListener, EngineService
from core.runtime.virtual_time import Pace
from state.service_log import log

START = datetime(2026, 11, 19, 15, 5, tzinfo=UTC)
"""A Thursday, five past ten in New York: the market is open for hours."""
STEADY_START = 1000.0
STEP = 1e-6
"""Seconds by which time is over a limit when it has come, as on any machine: nobody has next to nothing left."""
LONGEST = 4 * 3600.0
"""Virtual seconds that one wait of the test may take: it hangs where others go on for ever and it never does."""
IN, OUT = select.POLLIN, select.POLLOUT
TCP_INFO_SIZE, RECEIVED_AT, SENT_AT = 232, 128, 200
"""Of the kernel's account of a connection (`struct tcp_info`)."""
ESTABLISHED = 1
LOOKS_FOR_BYTES = 2000
"""After so many the bytes are taken for lost."""

Wants = tuple[tuple[int, int], ...]


class NothingWillHappenError(AssertionError):
    """All wait, and nothing that could wake one of them is due or on its way."""


class _Ended(SystemExit):
    """Raised in a thread that outlives its test."""


class Runner:
    """One thread."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.gate = threading.Lock()
        self.gate.acquire()
        self.wants: Wants = ()
        self.deadline = math.inf
        self.is_last = False
        self.is_timed_out = False
        self.has_ended = False
        self.error: BaseException | None = None
        self.joining: list[Runner] = []


class Timeline:
    """`start` is the time when it is made, UTC."""

    def __init__(self, start: datetime = START) -> None:
        self._start = start
        self._passed = 0.0
        self._ready: deque[Runner] = deque()
        self._waiting: dict[Runner, None] = {}
        self._runners: dict[int, Runner] = {}
        self._test = self._runners[threading.get_ident()] = Runner("the test")
        self._is_over = self._is_interrupted = False
        self._of_threads: weakref.WeakKeyDictionary[threading.Thread, Runner] = weakref.WeakKeyDictionary()
        self._began_waiting = 0.0
        self._real = threading.local()
        self._sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._processes: weakref.WeakSet[subprocess.Popen[Any]] = weakref.WeakSet()
        self._accepted: set[tuple[Any, Any]] = set()
        self._is_on_its_way = True

    # ── for tests ────────────────────────────────────────────────────────────────────────────────────────────────────

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed)

    def monotonic(self) -> float:
        return STEADY_START + self._passed

    def settle(self) -> None:
        """Everybody goes on until all wait; time stands."""
        self._park(self._test, is_last=True)

    def advance(self, seconds: float) -> None:
        """All that is due by then happens, each thing at its time."""
        end = self._passed + seconds
        self.settle()
        while self._move(end):
            self.settle()
        self._passed = max(self._passed, end)

    def until(self, holds: Callable[[], object], what: str = "it did not come", seconds: float = 60.0) -> None:
        """Let things happen until this holds, looked at whenever all wait. Fails after so many virtual seconds."""
        end = self._passed + seconds
        self.settle()
        while not holds():
            if not self._move(end):
                raise AssertionError(f"{what}: not in {seconds:g} s")
            self.settle()

    def sleep(self, seconds: float) -> None:
        self._park(self._me(), deadline=self._passed + max(0.0, seconds))

    # ── turns ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _me(self) -> Runner:
        return self._runners[threading.get_ident()]

    def knows_this_thread(self) -> bool:
        return threading.get_ident() in self._runners and not getattr(self._real, "is_on", False)

    def _park(self, me: Runner, wants: Wants = (), deadline: float = math.inf, *, is_last: bool = False) -> bool:
        """Wait until woken, until a descriptor is ready, or until the limit; whether it was before the limit."""
        if self._is_over and me is not self._test:
            raise _Ended
        if self._is_interrupted:
            raise NothingWillHappenError("another thread has the turn for ever")
        if me is self._test:
            self._began_waiting = self._passed
        me.wants, me.deadline, me.is_last, me.is_timed_out = wants, deadline, is_last, False
        self._waiting[me] = None
        following = self._next()
        if following is not me:
            following.gate.release()
            self._await_turn(me)
        if me.error is not None:
            error, me.error = me.error, None
            raise error
        if self._is_over and me is not self._test:
            raise _Ended
        return not me.is_timed_out

    def _await_turn(self, me: Runner) -> None:
        try:
            me.gate.acquire()
        except BaseException:  # the test took too long: another thread has the turn for ever
            self._is_interrupted = True
            raise

    def wake(self, runner: Runner, *, is_timed_out: bool = False) -> None:
        if runner in self._waiting:
            del self._waiting[runner]
            runner.is_timed_out = is_timed_out
            self._ready.append(runner)

    def _next(self) -> Runner:
        while True:
            if self._ready:
                return self._ready.popleft()
            self._await_bytes()
            if self._wake_those_with_news():
                continue
            last = next((runner for runner in self._waiting if runner.is_last), None)
            if last is not None:
                self.wake(last)
            elif self._passed - self._began_waiting > LONGEST:
                self._fail(f"the test waits since {LONGEST:g} s")
            elif not self._move(math.inf):
                self._fail("nothing will happen any more")

    def _fail(self, why: str) -> None:
        waiting = ", ".join(runner.name for runner in self._waiting)
        self._test.error = NothingWillHappenError(f"{why}; what waits: {waiting}")
        self.wake(self._test)

    def _move(self, end: float) -> bool:
        """To the earliest limit, unless that is after `end`; whether there was one."""
        due = min((runner.deadline for runner in self._waiting), default=math.inf)
        if due > end or due == math.inf:
            return False
        self._await_processes()
        self._passed = max(self._passed, due + STEP)
        for runner in [runner for runner in self._waiting if runner.deadline <= self._passed]:
            self.wake(runner, is_timed_out=True)
        return True

    def _await_processes(self) -> None:
        """Time stands while a process that was started works."""
        for process in list(self._processes):
            if process.returncode is None:
                with suppress(ChildProcessError):
                    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
            self._processes.discard(process)

    def _wake_those_with_news(self) -> bool:
        poll, owners = select.poll(), dict[int, list[Runner]]()
        wanted = dict[int, int]()
        for runner in self._waiting:
            for descriptor, events in runner.wants:
                wanted[descriptor] = wanted.get(descriptor, 0) | events
                owners.setdefault(descriptor, []).append(runner)
        for descriptor, events in wanted.items():
            poll.register(descriptor, events)
        ready = dict(poll.poll(0))
        for runner in [r for r in self._waiting if any(ready.get(d, 0) & (e | ~(IN | OUT)) for d, e in r.wants)]:
            self.wake(runner)
        return bool(ready)

    # ── bytes between two sockets of this process ────────────────────────────────────────────────────────────────────

    def know(self, new: socket.socket) -> None:
        if new.family == socket.AF_INET and new.type & socket.SOCK_STREAM:
            new.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else Nagle's algorithm holds small writes back
            self._sockets.add(new)
            self._is_on_its_way = True

    def know_process(self, new: subprocess.Popen[Any]) -> None:
        self._processes.add(new)

    def has_sent(self) -> None:
        self._is_on_its_way = True

    def _await_bytes(self) -> None:
        """Loopback delivers within the call that sends, but for a kernel that is busy: its own account says so."""
        if not self._is_on_its_way:
            return
        for _ in range(LOOKS_FOR_BYTES):
            if not self._are_bytes_on_their_way():
                break
            os.sched_yield()
        else:
            print("the timeline no longer waits for bytes that are on their way", file=sys.stderr)
        self._is_on_its_way = False

    def _are_bytes_on_their_way(self) -> bool:
        ends = {}
        for each in list(self._sockets):
            with_peer = _account_of(each)
            if with_peer is not None:
                key, state, sent, received = with_peer
                ends[key] = state, sent, received
        for (here, there), (state, sent, _) in ends.items():
            other = ends.get((there, here))
            if other is not None:
                self._accepted.add((here, there))
                if other[2] < sent:
                    return True
            elif state == ESTABLISHED and (here, there) in self._accepted:
                return True  # the other end is closed, and that has not come yet
        return False

    # ── threads ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def begin_thread(self, thread: threading.Thread, start: Callable[[threading.Thread], None]) -> None:
        """It waits for its turn; the one that starts it goes on."""
        runner, run = Runner(thread.name), thread.run

        def in_turn() -> None:
            runner.gate.acquire()
            self._runners[threading.get_ident()] = runner
            try:
                if not self._is_over:
                    run()
            except _Ended:
                pass  # the test is over
            finally:
                self._end(runner)

        thread.run = in_turn  # type: ignore[method-assign]
        self._of_threads[thread] = runner
        self._real.is_on = True
        try:
            start(thread)
        finally:
            self._real.is_on = False
        self._ready.append(runner)

    def _end(self, runner: Runner) -> None:
        runner.has_ended = True
        del self._runners[threading.get_ident()]
        for waiting in runner.joining:
            self.wake(waiting)
        try:
            following = self._next()
        except Exception as error:  # a thread that ends has nobody to tell: the test hears of it, and goes on
            self._test.error = error
            self.wake(self._test)
            following = self._next()
        following.gate.release()

    def join(self, thread: threading.Thread, seconds: float | None) -> bool:
        """Whether it has ended by then."""
        runner = self._of_threads.get(thread)
        deadline = math.inf if seconds is None else self._passed + max(0.0, seconds)
        if runner is None:
            return True
        while not runner.has_ended:
            runner.joining.append(self._me())
            if not self._park(self._me(), deadline=deadline) and not runner.has_ended:
                return False
        return True

    # ── what waits ───────────────────────────────────────────────────────────────────────────────────────────────────

    def wait(self, condition: threading.Condition, seconds: float | None) -> bool:
        """`threading.Condition.wait`, its lock held."""
        if seconds is not None and seconds <= 0:
            return False
        waiter = Waiter(self, self._me())
        condition._waiters.append(waiter)  # type: ignore[attr-defined]
        saved = condition._release_save()  # type: ignore[attr-defined]
        has_come = False
        try:
            self._park(waiter.runner, deadline=math.inf if seconds is None else self._passed + seconds)
            has_come = waiter.is_released
        finally:
            condition._acquire_restore(saved)  # type: ignore[attr-defined]
            if not has_come and waiter in condition._waiters:  # type: ignore[attr-defined]
                condition._waiters.remove(waiter)  # type: ignore[attr-defined]
        return has_come

    def await_descriptors(self, wants: Wants, seconds: float | None) -> bool:
        """Whether one is ready by then."""
        return self._park(self._me(), wants, math.inf if seconds is None else self._passed + max(0.0, seconds))

    # ── its end ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def close(self) -> None:
        """Threads that are left over end: the next test has its own."""
        if self._is_interrupted:
            return
        self._is_over = True
        for runner in list(self._waiting):
            self.wake(runner)
        logging.disable(logging.CRITICAL)
        try:
            self.settle()
        finally:
            logging.disable(logging.NOTSET)


class Waiter:
    """In the place of the lock on which a condition lets a thread wait."""

    def __init__(self, timeline: Timeline, runner: Runner) -> None:
        self._timeline, self.runner, self.is_released = timeline, runner, False

    def release(self) -> None:
        self.is_released = True
        self._timeline.wake(self.runner)


def _account_of(end: socket.socket) -> tuple[tuple[Any, Any], int, int, int] | None:
    """Its two addresses, its state, and the bytes that it has sent and received; None where it is not connected."""
    try:
        key = end.getsockname(), end.getpeername()
        told = end.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_SIZE)
    except OSError:
        return None
    received = struct.unpack_from("Q", told, RECEIVED_AT)[0]
    sent, sent_again = struct.unpack_from("QQ", told, SENT_AT)
    return key, told[0], sent - sent_again, received


# ── where it is put ──────────────────────────────────────────────────────────────────────────────────────────────────


_installed: list[Timeline] = []


def is_installed() -> bool:
    return bool(_installed)


def timeline() -> Timeline:
    """That of the test that runs."""
    return _installed[-1]


@contextmanager
def installed(timeline: Timeline) -> Iterator[Timeline]:
    """Everything that waits in this process waits on it."""
    with pytest.MonkeyPatch.context() as patch:
        _read_its_clock(patch, timeline)
        _wait_in_turn(patch, timeline)
        _use_sockets_in_turn(patch, timeline)
        _installed.append(timeline)
        try:
            yield timeline
        finally:
            timeline.close()
            _installed.pop()


def _read_its_clock(patch: pytest.MonkeyPatch, timeline: Timeline) -> None:
    class Now(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return timeline.now().astimezone(tz)

    steady = time.monotonic
    patch.setattr(wall_clock, "datetime", Now)
    patch.setattr(wall_clock, "COUNTS_SLEEP", None)
    for module, name in ((time, "monotonic"), (threading, "_time"), (queue, "time")):
        patch.setattr(module, name, timeline.monotonic)
    patch.setattr(asyncio.BaseEventLoop, "time", lambda _: timeline.monotonic())
    exact = property(lambda _: 2.0**-30, lambda _, _value: None)  # over the last place of the seconds of weeks
    patch.setattr(asyncio.BaseEventLoop, "_clock_resolution", exact, raising=False)
    patch.setattr(time, "sleep", timeline.sleep)
    patch.setattr(http_requests, "_asked", {})
    chance = random.Random(1).random
    patch.setattr(Timeouts.__init__, "__defaults__", (None, timeline.monotonic, chance, wall_clock.utc_now))
    for kind in (EngineService, DeskListener, DeskServer, SnapshotFeed, AgentService, RemoteEngine, EngineLink, Pace):
        begin = kind.__init__
        plain = tuple(timeline.monotonic if each is steady else each for each in begin.__defaults__ or ())
        named = {
            name: timeline.monotonic if each is steady else each for name, each in (begin.__kwdefaults__ or {}).items()
        }
        patch.setattr(begin, "__defaults__", plain or None)
        patch.setattr(begin, "__kwdefaults__", named or None)
    for kind in (AlpacaOrderStream, AlpacaData):
        patch.setitem(kind.__init__.__kwdefaults__, "chance", chance)


def _wait_in_turn(patch: pytest.MonkeyPatch, timeline: Timeline) -> None:
    wait, start, join = threading.Condition.wait, threading.Thread.start, threading.Thread.join

    def wait_in_turn(self: threading.Condition, timeout: float | None = None) -> bool:
        return timeline.wait(self, timeout) if timeline.knows_this_thread() else wait(self, timeout)

    def start_in_turn(self: threading.Thread) -> None:
        if timeline.knows_this_thread():
            timeline.begin_thread(self, start)
        else:
            start(self)

    def join_in_turn(self: threading.Thread, timeout: float | None = None) -> None:
        if timeline.knows_this_thread() and self is not threading.current_thread():
            if timeline.join(self, timeout):
                join(self)
        else:
            join(self, timeout)

    patch.setattr(threading.Condition, "wait", wait_in_turn)
    patch.setattr(threading.Thread, "start", start_in_turn)
    patch.setattr(threading.Thread, "join", join_in_turn)
    begin = subprocess.Popen.__init__

    def begin_process(self: subprocess.Popen[Any], *args: Any, **named: Any) -> None:
        begin(self, *args, **named)
        timeline.know_process(self)

    patch.setattr(subprocess.Popen, "__init__", begin_process)
    for module in (inbox, log, queue):
        patch.setattr(module, "SimpleQueue", queue._PySimpleQueue)  # type: ignore[attr-defined]


def _use_sockets_in_turn(patch: pytest.MonkeyPatch, timeline: Timeline) -> None:
    begin = socket.socket.__init__

    def known(self: socket.socket, *args: Any, **named: Any) -> None:
        begin(self, *args, **named)
        timeline.know(self)

    def in_turn(name: str, events: int) -> Callable[..., Any]:
        act = getattr(_socket.socket, name)

        def do(self: socket.socket, *args: Any, **named: Any) -> Any:
            limit = self.gettimeout()
            is_in_turn = limit != 0 and timeline.knows_this_thread()
            if is_in_turn and not timeline.await_descriptors(((self.fileno(), events),), limit):
                raise TimeoutError("timed out")
            try:
                return act(self, *args, **named)
            finally:
                timeline.has_sent()

        return do

    def send_all(self: socket.socket, data: Any, flags: int = 0) -> None:
        left = memoryview(data).cast("B")
        while left:
            left = left[self.send(left, flags | socket.MSG_DONTWAIT) :]

    def connect(self: socket.socket, address: Any) -> None:
        timeline.has_sent()
        limit = self.gettimeout()
        if limit == 0 or not timeline.knows_this_thread():
            _socket.socket.connect(self, address)
            return
        _socket.socket.settimeout(self, 0)
        try:
            _socket.socket.connect(self, address)
        except BlockingIOError:
            if not timeline.await_descriptors(((self.fileno(), OUT),), limit):
                raise TimeoutError("timed out") from None
            error = self.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, os.strerror(error)) from None
        finally:
            _socket.socket.settimeout(self, limit)
            timeline.has_sent()

    def close(self: socket.socket, *_: Any) -> None:
        timeline.has_sent()
        _socket.socket.close(self)

    act_at_once = selectors.PollSelector.select  # time stands while a process is waited for
    patch.setattr(socket.socket, "__init__", known)
    for name, events in (("recv", IN), ("recv_into", IN), ("send", OUT), ("sendmsg", OUT), ("recvmsg", IN)):
        patch.setattr(socket.socket, name, in_turn(name, events), raising=False)
    patch.setattr(socket.socket, "_accept", in_turn("_accept", IN), raising=False)
    patch.setattr(socket.socket, "sendall", send_all, raising=False)
    patch.setattr(socket.socket, "connect", connect, raising=False)
    patch.setattr(socket.socket, "_real_close", close)
    patch.setattr(subprocess, "_PopenSelector", type("OfAProcess", (selectors.PollSelector,), {"select": act_at_once}))
    for kind in (selectors.EpollSelector, selectors.PollSelector, selectors.SelectSelector):
        patch.setattr(kind, "select", _selected_in_turn(kind.select, timeline))


def _selected_in_turn(act: Callable[..., Any], timeline: Timeline) -> Callable[..., Any]:
    def do(self: Any, timeout: float | None = None) -> Any:
        if (timeout is not None and timeout <= 0) or not timeline.knows_this_thread():
            return act(self, timeout)
        ready = act(self, 0)
        if not ready:
            timeline.await_descriptors(_wanted_by(self), timeout)
            ready = act(self, 0)
        return ready

    return do


def _wanted_by(selector: Any) -> Wants:
    if isinstance(selector, selectors.EpollSelector):
        return ((selector.fileno(), IN),)
    named = {selectors.EVENT_READ: IN, selectors.EVENT_WRITE: OUT}
    return tuple(
        (key.fd, sum(event for name, event in named.items() if key.events & name))
        for key in selector.get_map().values()
    )
