"""The way out to the terminal, stepped by hand: what is skipped, what is repainted, and when keys count again."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from console.terminal.keys import REQUEST
from console.terminal.writer import ONE_BREATH, PROOF_TIMEOUT, STALLED_AFTER, TOGETHER, PacedWriter


class Link:
    """A writer whose thread never starts: `sends` does one turn of it. The clock is ours."""

    def __init__(self) -> None:
        self.now = 100.0
        self.repaints = 0
        self.reads, self.writes = os.pipe()
        self.writer = PacedWriter(self.writes, self._repaint, lambda: self.now)

    def _repaint(self) -> None:
        self.repaints += 1

    def sends(self) -> str:
        """Everything that waits; what arrived."""
        while self.writer._waiting:
            data = self.writer._next()
            assert data is not None
            self.writer._send(data)
            self.writer._sent()
        return os.read(self.reads, 65536).decode()

    def stalls(self, seconds: float = STALLED_AFTER + 1) -> None:
        """The terminal takes nothing while frames go on."""
        for _ in range(TOGETHER + 5):
            self.writer.frame("old")
            self.now += seconds / TOGETHER


@pytest.fixture
def link() -> Iterator[Link]:
    made = Link()
    yield made
    os.close(made.reads)
    os.close(made.writes)


def test_frames_of_one_breath_go_together(link: Link) -> None:
    for number in range(TOGETHER):
        link.writer.frame(f"[{number}]")

    assert link.sends() == "[0][1][2][3]"
    assert (link.writer.frames_skipped, link.repaints) == (0, 0)


def test_a_link_that_is_behind_gets_fewer_frames(link: Link) -> None:
    """DESK: and a whole new picture once it has caught up, never a queue of old ones"""
    link.writer.frame("[first]")
    link.now += 2 * ONE_BREATH
    for number in range(50):
        link.writer.frame(f"[{number}]")
    link.writer.control("<mode>")

    assert link.sends() == "[first]<mode>"
    assert (link.writer.frames_skipped, link.repaints) == (50, 1)


def test_a_repeated_control_goes_once(link: Link) -> None:
    for _ in range(3):
        link.writer.control("<bell>")

    assert link.sends() == "<bell>"


def test_a_stalled_link_is_deaf_until_the_picture_is_proved(link: Link) -> None:
    """OP-04: what reaches the desk before the terminal's answer was typed at an older picture"""
    link.stalls()
    assert link.writer.is_deaf()

    link.sends()
    assert link.repaints == 1
    assert link.writer.is_deaf()
    link.writer.frame("new")
    assert link.sends() == f"new{REQUEST}"
    assert link.writer.is_deaf()

    link.writer.prove()
    assert not link.writer.is_deaf()


def test_a_stall_is_counted_while_output_waits(link: Link) -> None:
    """OP-04"""
    assert link.writer.stalled_for() == 0
    link.writer.frame("waits")
    link.now += 3
    assert link.writer.stalled_for() == 3

    link.sends()
    assert link.writer.stalled_for() == 0


def test_a_terminal_that_never_answers_gets_its_keys_back(link: Link) -> None:
    """OP-04"""
    link.stalls()
    link.sends()
    link.writer.frame("new")
    link.sends()
    link.now += PROOF_TIMEOUT
    assert link.writer.is_deaf()

    link.now += 0.1
    assert not link.writer.is_deaf()


def test_a_gap_is_remembered_for_its_time(link: Link) -> None:
    """OP-04"""
    began = link.now
    link.stalls()
    link.sends()
    ended = link.now

    assert link.writer.had_gap(began - 1, ended)
    assert not link.writer.had_gap(ended, ended + 5)
    assert not link.writer.had_gap(began - 5, began)


def test_no_frame_goes_out_after_the_end_of_painting(link: Link) -> None:
    link.writer.stop_painting()
    link.writer.frame("frame")
    link.writer.control("<restore>")

    assert link.sends() == "<restore>"


def test_a_terminal_that_is_gone_takes_nothing_more() -> None:
    """OP-07: and nobody waits for it"""
    reads, writes = os.pipe()
    writer = PacedWriter(writes, lambda: None, lambda: 0.0)
    os.close(reads)
    writer.frame("frame")
    data = writer._next()
    assert data is not None

    writer._send(data)
    writer._sent()
    writer.control("<mode>")

    assert writer.is_gone
    assert not writer._waiting
    os.close(writes)
