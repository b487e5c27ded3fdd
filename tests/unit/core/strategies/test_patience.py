"""How long a call of foreign code may take, and that one that is broken off interrupts nothing but itself (ST-07)."""

from __future__ import annotations

import multiprocessing
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.strategies import patience
from core.strategies.patience import KEEPER, OverdueError, within_patience


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LOOK", 0.002)


def never_ends() -> None:
    """As a slip does it, the usual exceptions caught."""
    while True:
        try:
            sum((1, 2))
        except Exception:
            continue


def test_what_ends_is_handed_through() -> None:
    """ST-07"""
    assert within_patience(max, 3, 7) == 7
    with pytest.raises(ZeroDivisionError):
        within_patience(lambda: 1 // 0)
    assert KEEPER.open == {}


def test_a_loop_without_an_end_is_broken_off() -> None:
    """ST-07"""
    with pytest.raises(OverdueError, match="no answer in 2 s; it was broken off"):
        within_patience(never_ends)
    assert KEEPER.open == {}


def test_each_thread_is_broken_off_by_itself() -> None:
    """ST-07: the thread that waits beside it does not notice."""
    ended: list[str] = []

    def tries() -> None:
        try:
            within_patience(never_ends)
        except OverdueError:
            ended.append("broken off")

    other = threading.Thread(target=tries)
    other.start()
    other.join()

    assert ended == ["broken off"]


@pytest.fixture
def threads_that_change_often() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(0.0001)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("threads_that_change_often")
def test_nothing_that_comes_after_a_call_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """ST-07: calls that end just as they are broken off, and work after each that must not be hit."""
    monkeypatch.setattr(patience, "LOOK", 0.0005)
    moments = random.Random(20261121)
    outcomes = set()
    for _ in range(300):
        ends = time.perf_counter() + moments.uniform(0.002, 0.012)
        outcomes.add(_outcome_of(lambda ends=ends: _busy_until(ends)))
        assert sum(range(5_000)) == 12_497_500

    assert outcomes == {"ended", "broken off"}


def test_a_traced_interpreter_goes_on_after_a_call_was_broken_off() -> None:
    """ST-07: a mark left behind would have a debugger's or a coverage's step repeat itself for good."""
    traced = f"import sys; from {__name__.rsplit('.', 1)[-1]} import *; is_broken_off_and_traced()"
    subprocess.run([sys.executable, "-c", traced], cwd=Path(__file__).parent, timeout=60, check=True)


def test_a_forked_process_has_a_keeper_of_its_own() -> None:
    """ST-07: a backtest of several files runs in several processes."""
    within_patience(int)
    forked = multiprocessing.get_context("fork").Process(target=_outcome_is_broken_off)
    forked.start()
    forked.join(30)

    assert forked.exitcode == 0


def _busy_until(ends: float) -> None:
    while time.perf_counter() < ends:
        sum((1, 2))


def _outcome_of(call: Callable[[], None]) -> str:
    try:
        within_patience(call)
    except OverdueError:
        return "broken off"
    return "ended"


def is_broken_off_and_traced() -> None:
    assert _outcome_of(never_ends) == "broken off"
    sys.settrace(lambda *_: None)
    _busy_until(0)
    sys.settrace(None)


def _outcome_is_broken_off() -> None:
    raise SystemExit(0 if _outcome_of(never_ends) == "broken off" else 1)
