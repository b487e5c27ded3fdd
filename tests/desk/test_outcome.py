"""How the program ends: 0 after a clean leave, and every other end is an error that says so."""

from __future__ import annotations

import os
import sys
import threading

import pytest
from syrupy.assertion import SnapshotAssertion

from console.run import leave_with, outcome
from tests.desk.desk_house import open_desk


async def test_a_clean_leave_is_0_and_all_else_an_error_with_a_line(snapshot: SnapshotAssertion) -> None:
    """SP-06: one without its disk says so"""
    async with open_desk() as house:
        desk = house.desk
        assert outcome(desk, has_closed=True) == snapshot

        desk.closing.was_left = True
        assert outcome(desk, has_closed=True) == (0, None)
        status, words = outcome(desk, has_closed=False)
        assert (status, "did not close" in str(words)) == (1, True)

        desk.closing.failure = "the disk is full"
        assert outcome(desk, has_closed=True) == snapshot

        desk.closing.failure = None
        house.runtime.engine.lose_disk("the journal could not write: no space left")
        await house.sees("DISK: the journal could not write")
        status, words = outcome(desk, has_closed=True)
        assert status == 1
        assert words == snapshot


def test_a_thread_that_has_not_ended_aborts_nothing_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """SY-01: a daemon thread that is busy while the interpreter ends can abort the process; what was said is flushed"""
    told: list[object] = []
    monkeypatch.setattr(threading, "enumerate", lambda: [threading.main_thread()])
    monkeypatch.setattr(os, "_exit", told.append)
    monkeypatch.setattr(sys.stdout, "flush", lambda: told.append("flushed"))
    for has_ended in (True, False):
        with pytest.raises(SystemExit) as ended:
            leave_with(3, has_ended=has_ended)
        assert (ended.value.code, told) == (3, [] if has_ended else ["flushed", 3])
