"""Minutes of the live runtime in virtual time: streams that break, and crashes inside rotations of the log."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path

from state.service_log.files import Limits
from tests.soak.live_days import MONDAY, Day, Outage, Place, a_world, moment

AT = moment(MONDAY, time(10, 0))
SMALL = Limits(file=1_500)
"""Bytes: a rotation every few minutes."""
A_LOST_RECORD = b'{"at":"2026-11-09T15:02:00Z","level":"info","event":"Halted","words":"lost","record":10000}\n'


def at(minutes: int) -> datetime:
    return AT + timedelta(minutes=minutes)


def test_crashes_inside_rotations_lose_nothing(tmp_path: Path) -> None:
    """SY-05, SP-05, EX-20: at each place once; the exchange goes on, and the desk starts from what was left"""
    crashes = ((at(2), Place.BETWEEN), (at(6), Place.TORN), (at(10), Place.BEFORE))
    with a_world(tmp_path, begins=AT, limits=SMALL) as world:
        row = world.play(Day(at(15), (at(1), at(5), at(9), at(14)), crashes=crashes))

    assert world.words == []
    assert row.wrong == 0
    assert row.lives == 4
    assert row.orders >= 2


def test_streams_that_break_leave_no_handle(tmp_path: Path) -> None:
    """EX-09, SY-01"""
    broken = [("disconnect", "trades"), ("cut-mid-frame", "data"), ("gone", ""), ("disconnect", "data")]
    with a_world(tmp_path, begins=AT) as world:
        before = world.play(Day(at(2), (at(1),)))
        outages = tuple(Outage(at(2 + 2 * n), name, of, 20) for n, (name, of) in enumerate(broken))
        after = world.play(Day(at(12), (at(11),), outages))

    assert world.words == []
    assert after.wrong == 0
    assert after.handles <= before.handles
    assert after.threads <= before.threads


def test_a_number_that_the_journal_lost_repeats_no_line(tmp_path: Path) -> None:
    """SY-05, SP-06: a disk that was full took the line of a record, and not the record"""
    with a_world(tmp_path, begins=AT) as world:
        world.play(Day(at(2), (at(1),)))
        world.life.end()
        with world.life.folder.log.open("ab") as file:
            file.write(A_LOST_RECORD)
        world.start()
        row = world.play(Day(at(4)))

    assert world.words == []
    assert row.wrong == 0
