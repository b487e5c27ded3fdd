"""The journal on a real disk: what is appended is read again, and whatever is wrong is found and placed."""

from __future__ import annotations

import errno
import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest

from core.facts import BarClosed, EngineStarted, EngineStopped
from core.facts.registry import BY_TYPE
from core.model.bar import Bar
from core.ports import JournalDamagedError, JournalWriteError, Recorded
from state.codec import RecordError
from state.files import AccountFolder
from state.journal import FileJournal, MemoryJournal, TimeWentBackError, days_of, read_day
from state.journal_files import last_line, lines_backwards, segments
from state.journal_inspection import fingerprint, tail, verify
from tests.kit.rows import table
from tests.unit.state.disks import a_disk_that_takes

NOON = datetime(2026, 11, 20, 17, 0, tzinfo=UTC)


def a_stop(number: int) -> EngineStopped:
    return EngineStopped(f"stop {number}")


def written(folder: AccountFolder, count: int, *, a_day: int = 1000) -> FileJournal:
    """A closed journal of `count` records a minute apart, `a_day` on each day."""
    journal = FileJournal(folder)
    first = journal.sequence
    for number in range(first, first + count):
        at = NOON + timedelta(days=number // a_day, minutes=number % a_day)
        journal.append(at, a_stop(number + 1))
    journal.close()
    return journal


def names(folder: AccountFolder) -> list[str]:
    return [path.name for path in segments(folder.journal)]


def only(folder: AccountFolder) -> Path:
    (segment,) = segments(folder.journal)
    return segment


def test_what_was_synced_is_read_again_in_order(folder):
    """SP-01"""
    journal = FileJournal(folder)
    assert journal.append(NOON, EngineStarted()) == 1
    assert journal.append(NOON, a_stop(2)) == 2
    journal.sync()

    reopened = FileJournal(folder)

    assert reopened.sequence == 2
    assert list(reopened.records()) == [Recorded(1, NOON, EngineStarted()), Recorded(2, NOON, a_stop(2))]
    assert list(reopened.records(after=1)) == [Recorded(2, NOON, a_stop(2))]
    assert list(reopened.records(after=2)) == []
    assert reopened.repairs == ()


def test_flushed_records_are_on_the_disk(folder):
    """SP-01"""
    journal = FileJournal(folder)
    journal.append(NOON, EngineStarted())
    assert only(folder).read_bytes() == b""
    journal.flush()
    assert only(folder).read_bytes().count(b"\n") == 1
    journal.append(NOON, a_stop(2))
    assert [recorded.sequence for recorded in journal.records()] == [1, 2]


def test_a_new_journal_is_empty(folder):
    """SP-01"""
    journal = FileJournal(folder)
    journal.flush()
    journal.sync()
    journal.close()
    assert (journal.sequence, list(journal.records()), names(folder), journal.syncs) == (0, [], [], 0)


def test_each_new_york_day_has_a_segment(folder):
    """SP-01: midnight in New York is 05:00 UTC in winter and 04:00 in summer."""
    journal = FileJournal(folder)
    for at in (
        datetime(2026, 10, 31, 3, 59, 59, tzinfo=UTC),
        datetime(2026, 10, 31, 4, 0, tzinfo=UTC),
        datetime(2026, 11, 2, 4, 59, 59, tzinfo=UTC),
        datetime(2026, 11, 2, 5, 0, tzinfo=UTC),
    ):
        journal.append(at, EngineStarted())
    journal.close()

    assert names(folder) == ["2026-10-30.jsonl", "2026-10-31.jsonl", "2026-11-01.jsonl", "2026-11-02.jsonl"]
    assert [recorded.sequence for recorded in FileJournal(folder).records(after=1)] == [2, 3, 4]
    assert verify(folder).records == 4


@pytest.mark.parametrize(
    "name", ["2026-99-99", "2026-02-30", "\u0662\u0660\u0662\u0666-01-06", "2026-11-2\uff11"], ids=ascii
)
def test_a_file_named_for_no_day_is_no_segment(folder, name):
    """SP-01, SY-06"""
    written(folder, 3)
    (folder.journal / f"{name}.jsonl").write_text("anything")

    assert [each.name for each in segments(folder.journal)] == ["2026-11-20.jsonl"]
    assert days_of(folder.journal) == (NOON.date(),)
    assert FileJournal(folder).sequence == 3


def test_a_restart_goes_on_in_the_days_segment(folder):
    """SP-01"""
    written(folder, 2)
    written(folder, 2)
    assert only(folder).read_bytes().count(b"\n") == 4
    assert verify(folder).is_sound


def test_time_never_goes_back(folder):
    """SP-01"""
    written(folder, 2)
    journal = FileJournal(folder)
    with pytest.raises(TimeWentBackError, match="2026-11-20 17:00:00"):
        journal.append(NOON, EngineStarted())
    with pytest.raises(TimeWentBackError):
        journal.append(NOON - timedelta(days=3), EngineStarted())
    assert journal.append(NOON + timedelta(minutes=1), EngineStarted()) == 3
    journal.close()
    assert verify(folder).is_sound


def test_an_unwritable_fact_keeps_the_chain(folder):
    """SP-01"""
    journal = FileJournal(folder)
    journal.append(NOON, EngineStarted())
    with pytest.raises(RecordError):
        journal.append(NOON, EngineStopped("\ud800"))
    assert journal.append(NOON, a_stop(2)) == 2
    journal.close()
    assert verify(folder).records == 2


def test_memory_and_disk_hold_the_same_bytes(folder):
    """MD-05"""
    memory, disk = MemoryJournal(), FileJournal(folder)
    for number in range(50):
        price = Decimal(590) + Decimal(number) / 100
        at = NOON + timedelta(hours=number)
        fact = BarClosed(Bar("SPY", at, price, price, price, price, Decimal(number)))
        assert memory.append(at, fact) == disk.append(at, fact)
    memory.flush()
    memory.sync()
    disk.sync()

    assert memory.fingerprint() == fingerprint(folder)
    assert list(memory.records(after=40)) == list(disk.records(after=40))
    assert memory.sequence == disk.sequence == 50
    with pytest.raises(TimeWentBackError):
        memory.append(NOON, EngineStarted())


def test_syncs_are_counted_and_timed(folder):
    """SP-06"""
    journal = FileJournal(folder)
    for number in range(3):
        journal.append(NOON, a_stop(number))
        journal.sync()
    assert journal.syncs == 3
    assert 0 < journal.last_sync_seconds <= journal.slowest_sync_seconds <= journal.seconds_in_syncs


def test_the_journal_is_private(folder):
    """SP-04"""
    written(folder, 1)
    assert only(folder).stat().st_mode & 0o777 == 0o600
    assert folder.journal.stat().st_mode & 0o777 == 0o700


def placed(told: str) -> tuple[str, ...]:
    """The segment, the line and the bytes that a text about a torn line names."""
    found = re.match(r"([\w.-]+), line (\d+): torn after (\d+) bytes", told)
    assert found is not None, told
    return found.groups()


# ── damage ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_flipped_byte_is_placed(folder):
    """SP-01"""
    written(folder, 4, a_day=2)
    for path in segments(folder.journal):
        sound = path.read_bytes()
        for place in range(len(sound)):
            path.write_bytes(sound[:place] + bytes([sound[place] ^ 0x20]) + sound[place + 1 :])
            line = sound.count(b"\n", 0, place) + 1
            report = verify(folder)
            is_last_newline = path == segments(folder.journal)[-1] and place == len(sound) - 1
            told = report.torn if is_last_newline else report.damage
            assert told is not None, (path.name, place, len(sound), report)
            assert told.startswith(f"{path.name}, line {line}: "), told
            if not is_last_newline:
                with pytest.raises(JournalDamagedError, match=f"{path.name}, line {line}: "):
                    FileJournal(folder)
        path.write_bytes(sound)
    assert verify(folder).is_sound


@pytest.mark.parametrize("gone", [0, 1])
def test_a_missing_segment_is_placed(folder, gone):
    """SP-01"""
    written(folder, 6, a_day=2)
    segments(folder.journal)[gone].unlink()
    after = segments(folder.journal)[gone].name
    expected = f"{after}, line 1: record {gone * 2 + 3} stands where {gone * 2 + 1} belongs: 2 missing"

    assert verify(folder).damage.startswith(expected)
    with pytest.raises(JournalDamagedError, match=expected):
        FileJournal(folder)


def test_dropped_doubled_and_swapped_lines_are_damage(folder):
    """SP-01"""
    written(folder, 4)
    first, second, third, fourth = only(folder).read_bytes().splitlines(keepends=True)
    for lines, place in (
        ([first, third, fourth], "line 2: record 3 stands where 2 belongs"),
        ([first, second, second, third, fourth], "line 3: its checksum"),
        ([second, first, third, fourth], "line 1: record 2 stands where 1"),
        ([first, second, b"\n", third, fourth], "line 3: its checksum"),
    ):
        only(folder).write_bytes(b"".join(lines))
        assert place in verify(folder).damage
        with pytest.raises(JournalDamagedError, match=place):
            FileJournal(folder)


@table(
    "content line",
    (b"", b""), (b"one", b""), (b"one\n", b"one"), (b"one\ntwo", b"one"), (b"one\n" + b"2" * 9_000, b"one"),
    (b"1" * 9_000 + b"\n" + b"2" * 5_000 + b"\n", b"2" * 5_000),
)  # fmt: skip
def test_the_last_whole_line_is_found_from_the_end(tmp_path, content, line):
    """SP-01: whatever its length, and behind a torn one"""
    file = tmp_path / "lines.jsonl"
    file.write_bytes(content)

    assert last_line(file) == line


def test_a_torn_last_line_is_repaired(folder):
    """SP-01, EX-20"""
    written(folder, 3)
    segment = only(folder)
    sound = segment.read_bytes()
    start = sound.rstrip(b"\n").rindex(b"\n") + 1
    for end in range(start + 1, len(sound) - 1):
        segment.write_bytes(sound[:end])
        report = verify(folder)
        assert report.is_sound
        assert report.torn is not None
        assert (segment.name, "3", str(end - start)) == placed(report.torn)

        journal = FileJournal(folder)

        side = segment.with_name(f"{segment.name}.torn")
        assert journal.sequence == 2
        assert len(journal.repairs) == 1
        assert (segment.name, "3", str(end - start)) == placed(journal.repairs[0])
        assert journal.repairs[0].endswith(side.name)
        assert segment.read_bytes() == sound[:start]
        assert side.read_bytes() == sound[start:end] + b"\n"
        side.unlink()
    assert FileJournal(folder).repairs == ()


def test_a_record_without_its_newline_is_kept(folder):
    """SP-01"""
    written(folder, 3)
    sound = only(folder).read_bytes()
    only(folder).write_bytes(sound[:-1])

    journal = FileJournal(folder)

    assert journal.sequence == 3
    assert "newline" in journal.repairs[0]
    assert only(folder).read_bytes() == sound


def test_unwritten_blocks_are_a_torn_line(folder):
    """SP-01"""
    written(folder, 3)
    sound = only(folder).read_bytes()
    start = sound.rstrip(b"\n").rindex(b"\n") + 1
    only(folder).write_bytes(sound[:start] + bytes(50) + sound[start + 50 :])
    journal = FileJournal(folder)
    assert (journal.sequence, len(journal.repairs)) == (2, 1)


def test_a_torn_line_in_an_older_segment_is_damage(folder):
    """SP-01"""
    written(folder, 4, a_day=2)
    older = segments(folder.journal)[0]
    sound = older.read_bytes()
    older.write_bytes(sound[:-1])
    with pytest.raises(JournalDamagedError, match=f"{older.name}, line 2: its newline is missing"):
        FileJournal(folder)
    older.write_bytes(sound[:-9])
    with pytest.raises(JournalDamagedError, match=f"{older.name}, line 2: "):
        FileJournal(folder)


def test_a_repaired_journal_goes_on(folder):
    """SP-01, EX-20"""
    written(folder, 3)
    os.truncate(only(folder), only(folder).stat().st_size - 5)
    journal = FileJournal(folder)
    journal.append(NOON + timedelta(hours=1), a_stop(3))
    journal.close()
    assert verify(folder).records == 3
    assert names(folder) == ["2026-11-20.jsonl"]


def test_an_empty_last_segment_is_no_damage(folder):
    """SP-01, EX-20"""
    written(folder, 2)
    (folder.journal / "2026-11-21.jsonl").touch()
    assert verify(folder).is_sound
    journal = FileJournal(folder)
    assert (journal.sequence, names(folder)) == (2, ["2026-11-20.jsonl"])


def test_a_journal_torn_in_its_first_line_restarts(folder):
    """SP-01, EX-20"""
    (folder.journal / "2026-11-20.jsonl").write_bytes(b'{"seq":1,"at"')
    journal = FileJournal(folder)
    assert (journal.sequence, len(journal.repairs), names(folder)) == (0, 1, [])


@pytest.mark.parametrize("verified_until", [1, 2, 3, 4, 5, 6, 99])
def test_a_checkpoint_skips_older_segments(folder, verified_until):
    """SP-01, SP-02"""
    written(folder, 6, a_day=2)
    first = segments(folder.journal)[0]
    first.write_bytes(first.read_bytes().replace(b"stop 1", b"stop x"))

    if verified_until <= 2:
        with pytest.raises(JournalDamagedError, match=f"{first.name}, line 1"):
            FileJournal(folder, verified_until)
    else:
        journal = FileJournal(folder, verified_until)
        assert journal.sequence == 6
        assert [recorded.sequence for recorded in journal.records(after=2)] == [3, 4, 5, 6]
    with pytest.raises(JournalDamagedError):
        list(FileJournal(folder, 6).records())


def test_the_chain_before_a_checkpoint_is_checked(folder):
    """SP-01"""
    written(folder, 6, a_day=2)
    middle = segments(folder.journal)[1]
    middle.write_bytes(middle.read_bytes().replace(b"stop 4", b"stop x"))
    with pytest.raises(JournalDamagedError, match=f"{middle.name}, line 2"):
        FileJournal(folder, 4)
    os.truncate(middle, middle.stat().st_size - 3)
    with pytest.raises(JournalDamagedError, match=f"{middle.name}, line 2"):
        FileJournal(folder, 6)


def test_long_lines_do_not_hide_the_last_one(folder):
    """SP-01"""
    journal = FileJournal(folder)
    for day in range(3):
        journal.append(NOON + timedelta(days=day), EngineStopped("x" * 50_000))
    journal.close()
    assert FileJournal(folder, 3).sequence == 3


def test_a_record_in_another_day_is_damage(folder):
    """SP-01"""
    written(folder, 2)
    only(folder).rename(folder.journal / "2026-11-19.jsonl")
    assert re.match(r"2026-11-19.jsonl, line 1: .* 2026-11-20", verify(folder).damage or "")


def test_a_record_of_a_newer_version_is_placed(folder, monkeypatch):
    """SP-01, SP-02"""
    journal = FileJournal(folder)
    monkeypatch.setitem(BY_TYPE, EngineStopped, replace(BY_TYPE[EngineStopped], version=2))
    journal.append(NOON, a_stop(1))
    journal.close()
    monkeypatch.undo()
    with pytest.raises(JournalDamagedError, match=r"2026-11-20.jsonl, line 1: EngineStopped is of version 2"):
        list(FileJournal(folder).records())


# ── a disk that refuses ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_full_disk_keeps_the_sound_part(folder):
    """SP-06: the very write fails, after it wrote a part"""
    journal = FileJournal(folder)
    journal.append(NOON, a_stop(1))
    journal.sync()
    with a_disk_that_takes(only(folder).stat().st_size + 70):
        journal.append(NOON, EngineStopped("lost"))
        with pytest.raises(JournalWriteError, match=os.strerror(errno.EFBIG)):
            journal.sync()
        for act in (journal.flush, journal.sync, lambda: journal.append(NOON, a_stop(2))):
            with pytest.raises(JournalWriteError):
                act()
        assert [recorded.sequence for recorded in journal.records()] == [1]
        journal.close()

    assert verify(folder).torn is None
    assert FileJournal(folder).sequence == 1


def test_a_device_without_space_is_told(folder):
    """SP-06: /dev/full answers ENOSPC to every write."""
    journal = FileJournal(folder)
    journal.append(NOON, EngineStarted())
    os.dup2(os.open("/dev/full", os.O_WRONLY), journal._descriptor)
    with pytest.raises(JournalWriteError, match=os.strerror(errno.ENOSPC)):
        journal.sync()
    with pytest.raises(JournalWriteError, match="nothing more is recorded"):
        journal.append(NOON, EngineStarted())
    journal.close()


def test_a_sync_that_fails_is_told(folder, monkeypatch):
    """SP-06"""
    journal = FileJournal(folder)
    journal.append(NOON, EngineStarted())

    def fails(_descriptor: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(JournalWriteError, match="could not sync"):
        journal.sync()
    with pytest.raises(JournalWriteError):
        journal.flush()
    assert journal.syncs == 0


def test_a_segment_that_cannot_be_made_is_told(folder):
    """SP-06"""
    journal = FileJournal(folder)
    (folder.journal / "2026-11-20.jsonl").mkdir()
    with pytest.raises(JournalWriteError, match="could not open"):
        journal.append(NOON, EngineStarted())


# ── readers beside a writer ──────────────────────────────────────────────────────────────────────────────────────────


def test_verify_only_reads(folder):
    """SP-01"""
    written(folder, 2)
    with only(folder).open("ab") as file:
        file.write(b'{"seq":3,"at":"20')
    before = only(folder).read_bytes()
    report = verify(folder)
    assert (report.records, report.segments, report.is_sound) == (2, 1, True)
    assert "line 3: torn" in report.torn
    assert only(folder).read_bytes() == before


def test_verify_of_nothing_is_sound(tmp_path):
    """SP-01"""
    assert verify(AccountFolder(tmp_path / "none")).records == 0


@pytest.mark.parametrize("count", [0, 1, 3, 5, 99])
def test_the_tail_reaches_back_over_segments(folder, count):
    """SP-01"""
    written(folder, 6, a_day=2)
    assert [recorded.sequence for recorded in tail(folder, count, follow=False)] == list(range(1, 7))[-count or 6 :]


def test_following_goes_on_to_the_next_day(folder):
    """SP-01"""
    journal = FileJournal(folder)
    at = iter([NOON, NOON + timedelta(minutes=1), NOON + timedelta(days=1)])

    def write_one() -> None:
        journal.append(next(at), EngineStarted())
        journal.flush()

    followed = tail(folder, 10, follow=True, wait=write_one)
    assert [recorded.sequence for recorded in islice(followed, 3)] == [1, 2, 3]


def test_the_tail_of_a_garbled_line_is_placed(folder):
    """SP-01"""
    written(folder, 1)
    with only(folder).open("ab") as file:
        file.write(b"noise\n")
    with pytest.raises(JournalDamagedError, match="line 2"):
        list(tail(folder, 5, follow=False))


@pytest.mark.parametrize("block", [16, 100, 65_536])
def test_a_segment_is_read_backwards_in_any_block_size(folder: AccountFolder, block: int) -> None:
    """SP-01"""
    written(folder, 20)
    path = only(folder)
    lines = path.read_bytes().split(b"\n")[:-1]
    with path.open("ab") as file:
        file.write(b'{"seq":21,"at')

    assert list(lines_backwards(path, block)) == lines[::-1]


def test_a_segment_without_whole_lines_reads_empty(tmp_path: Path) -> None:
    """SP-01"""
    for content in (b"", b'{"seq":1'):
        path = tmp_path / "2026-11-20.jsonl"
        path.write_bytes(content)
        assert list(lines_backwards(path, 4)) == []


def test_a_journal_is_read_backwards(folder: AccountFolder) -> None:
    """SP-01"""
    written(folder, 5, a_day=2)
    journal = FileJournal(folder)
    journal.append(NOON + timedelta(days=3), a_stop(6))

    newest = list(journal.backwards())
    journal.close()

    assert [record.sequence for record in newest] == [6, 5, 4, 3, 2, 1]
    assert newest[0].fact == a_stop(6)


def test_reading_backwards_stops_where_asked(folder: AccountFolder) -> None:
    """SP-01"""
    journal = FileJournal(folder)
    for number in range(10):
        journal.append(NOON, a_stop(number))
    journal.flush()
    whole = only(folder).read_bytes()
    only(folder).write_bytes(b"x" * 20 + whole[20:])

    backwards = journal.backwards()

    assert [next(backwards).sequence for _ in range(9)] == list(range(10, 1, -1))
    with pytest.raises(JournalDamagedError, match="it is no record"):
        next(backwards)


def test_one_day_is_read_alone(folder):
    """OP-06: the history turns to any day"""
    written(folder, 9, a_day=3)
    days = days_of(folder.journal)
    assert len(days) == 3
    assert [[recorded.sequence for recorded in read_day(folder.journal, day)] for day in days] == [
        [1, 2, 3],
        [4, 5, 6],
        [7, 8, 9],
    ]
    assert list(read_day(folder.journal, days[-1] + timedelta(days=1))) == []
    assert days_of(folder.journal / "nowhere") == ()


def test_a_broken_day_leaves_other_days_readable(folder):
    written(folder, 9, a_day=3)
    _, middle, last = days_of(folder.journal)
    path = folder.journal / f"{middle.isoformat()}.jsonl"
    path.write_bytes(path.read_bytes().replace(b"stop 5", b"stop 6"))
    with pytest.raises(JournalDamagedError, match=path.name):
        list(read_day(folder.journal, middle))
    assert [recorded.sequence for recorded in read_day(folder.journal, last)] == [7, 8, 9]
