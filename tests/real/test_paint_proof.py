"""A ticket counts as painted when the terminal says that it drew it: the real program, in terminals that answer at
once, late, never, and in tmux (OP-04)."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections import deque
from pathlib import Path

import pytest

from console.terminal.paint_proof import ANSWER, REQUEST
from tests.real.demo import PROGRAM, Demo, was_here_before

CONFIRMED = "ConfirmationReceived"


class Answering(Demo):
    """A terminal that answers each question `after` seconds; None is one that does not."""

    def __init__(self, home: Path, after: float | None) -> None:
        self.after = after
        self.answered = 0
        self._due: deque[float] = deque()
        super().__init__(home, speed=4)

    def _read(self, seconds: float) -> None:
        known = self.raw.count(REQUEST.encode())
        super()._read(min(seconds, 0.02))
        if self.after is not None:
            self._due += [time.monotonic() + self.after] * (self.raw.count(REQUEST.encode()) - known)
        while self._due and self._due[0] <= time.monotonic():
            self._due.popleft()
            self.answered += 1
            os.write(self.master, ANSWER.encode())

    def opens_a_ticket(self) -> None:
        self.until_it_shows("1 waiting")
        self.read_for(2 * (self.after or 0.0) + 0.7)
        self.type(b"\r")
        self.until_it_shows("BUY to open ─")
        self.until(lambda: self.shows("the broker holds it"))

    def confirms(self) -> None:
        self.type(b"B")
        self.until(lambda: self.journal_holds(CONFIRMED))


@pytest.mark.parametrize("after", [0.0, None])
def test_one_key_confirms_in_a_terminal_that_answers_and_in_one_that_does_not(
    tmp_path: Path, after: float | None
) -> None:
    """OP-04: the second one's picture counts by time"""
    with Answering(tmp_path, after) as desk:
        desk.opens_a_ticket()
        desk.until_armed()
        assert not desk.journal_holds(CONFIRMED)

        desk.confirms()

        assert bool(desk.answered) is (after is not None)


def test_a_key_before_a_slow_link_brought_the_proof_confirms_nothing(tmp_path: Path) -> None:
    """OP-04: the bytes left at once, the picture came two seconds later"""
    with Answering(tmp_path, 2.0) as desk:
        desk.opens_a_ticket()
        desk.read_for(0.9)
        answered = desk.answered
        desk.type(b"B")
        desk.read_for(0.6)
        assert not desk.journal_holds(CONFIRMED)
        assert desk.answered <= answered + 1

        desk.until_armed()
        desk.confirms()


def test_in_tmux_it_is_tmux_that_answers(tmp_path: Path) -> None:
    """OP-04"""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    server = ["tmux", "-L", f"keyturn-proof-{os.getpid()}", "-f", "/dev/null"]
    was_here_before(tmp_path)
    inside = f"env KEYTURN_HOME={tmp_path} {PROGRAM} demo --profile micro --speed 4"
    subprocess.run([*server, "new-session", "-d", "-x", "120", "-y", "40", inside], check=True)

    def shows(text: str) -> bool:
        told = subprocess.run([*server, "capture-pane", "-p"], capture_output=True, text=True, check=True)
        return any(text in line and "armed in" not in line for line in told.stdout.splitlines())

    def until(text: str) -> None:
        end = time.monotonic() + 40
        while not shows(text):
            assert time.monotonic() < end, f"{text} did not show"
            time.sleep(0.1)

    try:
        until("1 waiting")
        subprocess.run([*server, "send-keys", "Enter"], check=True)
        until("armed ")
        subprocess.run([*server, "send-keys", "B"], check=True)
        end = time.monotonic() + 20
        while not any(CONFIRMED in path.read_text() for path in tmp_path.rglob("*.jsonl")):
            assert time.monotonic() < end, "the key did not confirm"
            time.sleep(0.1)
    finally:
        subprocess.run([*server, "kill-server"], check=False)
