"""Look-ups of names that hang: others are begun, and the addresses that were good before are used (EX-22).

One thread plays the clock, the resolver and whoever asks: an answer comes after the seconds that a test gives it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from core.io import http_requests
from core.io.http_requests import AGAIN, AT_ONCE, Addresses, addresses_of, within

HOST, PORT = "api.example.invalid", 443
NEVER = float("inf")
Answer = Addresses | OSError


def found(text: str) -> Addresses:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, PORT))]


BEFORE, NOW = found("192.0.2.1"), found("192.0.2.2")
OUT_OF_REACH = socket.gaierror(socket.EAI_AGAIN, "temporary failure in name resolution")
GONE = socket.gaierror(socket.EAI_NONAME, "name or service not known")


class Resolver:
    """Each look-up takes the next of `answers`, (seconds, answer); without one it never ends."""

    def __init__(self) -> None:
        self.now = 0.0
        self.begun = 0
        self.starts_threads = True
        self.answers: list[tuple[float, Answer]] = []
        self._under_way: list[tuple[float, int, Answer, Callable[[], None]]] = []
        self._answer: Answer = []

    def begin(self, look_up: Callable[[], None]) -> None:
        if not self.starts_threads:
            raise RuntimeError("can't start new thread")
        self.begun += 1
        seconds, answer = self.answers.pop(0) if self.answers else (NEVER, [])
        self._under_way.append((self.now + seconds, self.begun, answer, look_up))
        self._answer_until(self.now)

    def passes(self, seconds: float) -> None:
        """Time passes until the next answer, or all of it."""
        due = min((at for at, *_ in self._under_way), default=NEVER)
        self._answer_until(min(due, self.now + seconds))

    def _answer_until(self, moment: float) -> None:
        self.now = moment
        ended = sorted((each for each in self._under_way if each[0] <= moment), key=lambda each: each[:2])
        self._under_way = [each for each in self._under_way if each[0] > moment]
        for _, _, self._answer, look_up in ended:
            look_up()

    def look_up(self, host: str, port: int, *_: Any, flags: int = 0, **__: Any) -> Addresses:
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "no number")
        if isinstance(self._answer, OSError):
            raise self._answer
        return self._answer


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    resolver = Resolver()

    class Changed:
        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

        def wait(self, seconds: float) -> None:
            resolver.passes(seconds)

        def notify_all(self) -> None: ...

    def thread(*, target: Callable[..., None], args: tuple[Any, ...], **_: Any) -> SimpleNamespace:
        return SimpleNamespace(start=lambda: resolver.begin(lambda: target(*args)))

    monkeypatch.setattr(socket, "getaddrinfo", resolver.look_up)
    monkeypatch.setattr(http_requests, "_asked", {})
    monkeypatch.setattr(http_requests, "time", SimpleNamespace(monotonic=lambda: resolver.now))
    monkeypatch.setattr(http_requests, "threading", SimpleNamespace(Condition=Changed, Thread=thread))
    return resolver


def asked(seconds: float = 60) -> Addresses:
    with within(seconds):
        return addresses_of(HOST, PORT)


def test_a_lookup_that_hangs_is_begun_again(resolver: Resolver) -> None:
    """EX-22: and the first answer counts."""
    resolver.answers = [(NEVER, []), (0, NOW)]

    assert asked() == NOW
    assert (resolver.begun, resolver.now) == (2, AGAIN)


def test_a_late_answer_serves_the_next_question(resolver: Resolver) -> None:
    """EX-22: it does not wait for a look-up of its own that hangs."""
    resolver.answers = [(5, NOW)]
    with pytest.raises(TimeoutError):
        asked(AGAIN / 2)

    assert asked() == NOW
    assert resolver.now == 5


def test_lookups_of_one_name_are_bounded(resolver: Resolver) -> None:
    """EX-22: each has a thread; they are few however long and often it is asked."""
    for _ in range(30):
        with pytest.raises(TimeoutError):
            asked(100)

    assert resolver.begun == AT_ONCE


def test_known_addresses_serve_while_lookups_hang(resolver: Resolver) -> None:
    """EX-22: also a question with little time; what a look-up finds later is used from then on."""
    resolver.answers = [(0, BEFORE), (20, NOW)]
    assert asked() == BEFORE

    taken = []
    for seconds in (60, AGAIN / 2, 60):
        begun = resolver.now
        assert asked(seconds) == BEFORE
        taken.append(resolver.now - begun)
    assert taken == [AGAIN, 0, 0]
    resolver.passes(100)
    assert resolver.now == 20
    resolver.answers = [(AGAIN / 3, NOW)]
    assert asked() == NOW


def test_only_a_resolver_out_of_reach_leaves_known_addresses(resolver: Resolver) -> None:
    """EX-22: one that says that there is no such name is believed."""
    resolver.answers = [(0, answer) for answer in (OUT_OF_REACH, BEFORE, OUT_OF_REACH, GONE, OUT_OF_REACH)]

    with pytest.raises(socket.gaierror):
        asked()
    assert [asked(), asked()] == [BEFORE] * 2
    with pytest.raises(socket.gaierror):
        asked()
    assert asked() == BEFORE
    assert resolver.begun == 5


def test_an_older_failure_ends_no_newer_lookup(resolver: Resolver) -> None:
    """EX-22"""
    resolver.answers = [(AGAIN + 1, OUT_OF_REACH), (2, NOW)]

    assert asked() == NOW
    assert resolver.now == AGAIN + 2


def test_a_lookup_without_a_thread_blocks_no_later_one(resolver: Resolver) -> None:
    """EX-22: who asked is told at once, and the next question is answered."""
    resolver.answers = [(0, NOW)]
    resolver.starts_threads = False
    with pytest.raises(OSError, match="can't start new thread"):
        asked()

    resolver.starts_threads = True
    assert asked() == NOW
    resolver.starts_threads = False
    assert asked() == NOW
