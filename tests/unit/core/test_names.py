"""Look-ups of names that hang: others are begun, and the addresses that were good before are used (EX-22)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from core.io import time_limit
from core.io.time_limit import Addresses, addresses_of, within
from tests.kit.no_threads import no_thread_starts
from tests.kit.waiting import PATIENCE

HOST, PORT = "api.example.invalid", 443
A_MOMENT = 0.2
"""Seconds: enough to be told from for ever, short enough to wait for."""
BEFORE, NOW = "192.0.2.1", "192.0.2.2"


def found(*texts: str) -> Addresses:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, PORT)) for text in texts]


class Resolver:
    """Each look-up is answered by the next of `answers`, as soon as that is there; `begun` counts them."""

    def __init__(self) -> None:
        self.begun = 0
        self.answers: list[Future[Addresses]] = []
        self._lock = threading.Lock()

    def look_up(self, host: str, port: int, *_: Any, flags: int = 0, **__: Any) -> Addresses:
        if flags & socket.AI_NUMERICHOST:
            raise socket.gaierror(socket.EAI_NONAME, "no number")
        with self._lock:
            self.begun += 1
            answer = self.answers.pop(0) if self.answers else Future[Addresses]()
        return answer.result(PATIENCE)

    def answers_next(self, *answers: Addresses | Exception | None) -> list[Future[Addresses]]:
        """What the next look-ups say at once; None of one that hangs until the test answers it."""
        futures = [Future[Addresses]() for _ in answers]
        for future, answer in zip(futures, answers, strict=True):
            if isinstance(answer, Exception):
                future.set_exception(answer)
            elif answer is not None:
                future.set_result(answer)
        self.answers += futures
        return futures


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver.look_up)
    monkeypatch.setattr(time_limit, "AGAIN", A_MOMENT)
    monkeypatch.setattr(time_limit, "_asked", {})
    return resolver


def asked(seconds: float = PATIENCE) -> Addresses:
    with within(seconds):
        return addresses_of(HOST, PORT)


def beside(act: Callable[[], Addresses]) -> Future[Addresses]:
    pool = ThreadPoolExecutor(1)
    future = pool.submit(act)
    pool.shutdown(wait=False)
    return future


def eventually(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.001)


def test_a_look_up_that_hangs_is_begun_again_and_the_first_answer_counts(resolver: Resolver) -> None:
    """EX-22"""
    resolver.answers_next(None, found(NOW))

    assert asked() == found(NOW)
    assert resolver.begun == 2


def test_a_second_question_does_not_wait_for_the_look_up_of_the_first_that_hangs(resolver: Resolver) -> None:
    """EX-22: nor is the late answer of a look-up that hung lost on whoever still waits."""
    first, _, _ = resolver.answers_next(None, None, None)
    with pytest.raises(TimeoutError):
        asked(A_MOMENT / 2)
    waiting = beside(asked)
    first.set_result(found(NOW))

    assert waiting.result(PATIENCE) == found(NOW)


def test_look_ups_of_one_name_that_all_hang_are_few(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    """EX-22: each has a thread; they are bounded however long and often it is asked."""
    monkeypatch.setattr(time_limit, "AGAIN", 0.001)
    for _ in range(30):
        with pytest.raises(TimeoutError):
            asked(0.05)

    assert resolver.begun == time_limit.AT_ONCE


def test_addresses_that_were_good_before_are_used_where_look_ups_hang(resolver: Resolver) -> None:
    """EX-22: also by a question with little time; what the look-up finds later is used from then on."""
    late, *_ = resolver.answers_next(found(BEFORE), None, None, None)[1:]
    assert asked() == found(BEFORE)

    assert [asked(), asked(A_MOMENT / 2), asked()] == [found(BEFORE)] * 3
    late.set_result(found(NOW))
    eventually(lambda: asked() == found(NOW))


def test_a_resolver_that_is_out_of_reach_leaves_the_addresses_that_were_good_before(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EX-22: one that says that there is no such name is believed."""
    monkeypatch.setattr(time_limit, "AGAIN", PATIENCE)  # each question has one answer, however slow the machine is
    out_of_reach = socket.gaierror(socket.EAI_AGAIN, "temporary failure in name resolution")
    gone = socket.gaierror(socket.EAI_NONAME, "name or service not known")
    resolver.answers_next(out_of_reach, found(BEFORE), out_of_reach, gone, out_of_reach)

    with pytest.raises(socket.gaierror):
        asked()
    assert [asked(), asked()] == [found(BEFORE)] * 2
    with pytest.raises(socket.gaierror):
        asked()
    assert asked() == found(BEFORE)
    assert resolver.begun == 5


def test_the_failure_of_an_older_look_up_ends_no_newer_one(resolver: Resolver) -> None:
    """EX-22"""
    older, newer = resolver.answers_next(None, None)
    waiting = beside(asked)
    eventually(lambda: resolver.begun == 2)
    older.set_exception(socket.gaierror(socket.EAI_AGAIN, "temporary failure"))
    newer.set_result(found(NOW))

    assert waiting.result(PATIENCE) == found(NOW)


def test_a_look_up_whose_thread_cannot_start_leaves_nothing_that_blocks(resolver: Resolver) -> None:
    """EX-22: who asked is told at once, and the next question is answered."""
    resolver.answers_next(found(NOW))
    with no_thread_starts(), pytest.raises(OSError, match="can't start new thread"):
        asked()

    assert asked() == found(NOW)
    with no_thread_starts():
        assert asked() == found(NOW)
