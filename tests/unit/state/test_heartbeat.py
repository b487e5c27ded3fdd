"""What `status` and the watchdog read."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from state.running_engine import Heartbeat, Status, read_heartbeat

STATUS = Status("trading", 7, "paper", 1, 2, 3, 4, 5, "paper")


def test_a_beat_is_read_with_its_age(folder):
    """SY-02"""
    Heartbeat(folder).beat(STATUS)
    os.utime(folder.heartbeat, (1000, 1000))
    assert read_heartbeat(folder, now=1061.5) == (STATUS, 61.5)
    assert read_heartbeat(folder, now=900) == (STATUS, 100), "a beat of the future is no fresh one"
    assert folder.heartbeat.stat().st_mode & 0o777 == 0o600


def test_an_unchanged_beat_only_moves_its_time(folder):
    """SY-02"""
    heart = Heartbeat(folder)
    heart.beat(STATUS)
    file = folder.heartbeat.stat().st_ino
    os.utime(folder.heartbeat, (1000, 1000))
    heart.beat(STATUS)
    assert folder.heartbeat.stat().st_ino == file
    assert folder.heartbeat.stat().st_mtime > 1000
    heart.beat(replace(STATUS, positions=9))
    assert read_heartbeat(folder)[0].positions == 9


def test_a_heartbeat_that_was_removed_comes_back(folder):
    """SY-02"""
    heart = Heartbeat(folder)
    heart.beat(STATUS)
    folder.heartbeat.unlink()
    heart.beat(STATUS)
    assert read_heartbeat(folder)[0] == STATUS


@pytest.mark.parametrize("content", [b"", b"{}", b"noise"])
def test_what_is_no_status_is_none(folder, content):
    """SY-02"""
    assert read_heartbeat(folder) is None
    folder.heartbeat.write_bytes(content)
    assert read_heartbeat(folder) is None


def test_a_heartbeat_needs_no_second_file(folder):
    """SP-06, SY-02: as on a full disk, where the first file still has room for the words."""
    heart = Heartbeat(folder)
    heart.beat(STATUS)
    (folder.path / ".heartbeat.new").mkdir()
    heart.beat(replace(STATUS, state="halted"))
    assert read_heartbeat(folder)[0] == replace(STATUS, state="halted")
