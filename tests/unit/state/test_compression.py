"""Closed segments of the journal are compressed, and every reader reads the same records (SP-01)."""

from __future__ import annotations

import gzip
import os
import shutil
from datetime import date
from pathlib import Path

import pytest

from core.ports import JournalDamagedError, OperatorError
from state import folder_swap, journal_files
from state.files import AccountFolder
from state.folder_swap import backup, look
from state.journal import FileJournal, days_of, read, read_day
from state.journal_files import compress, lines_backwards, segments
from state.journal_inspection import fingerprint, tail, verify
from state.proof.heads import read_heads, sign_days
from state.restoring import restore
from tests.proof.journals import KEY, over, written
from tests.proof.journals import exported as exported_days
from tests.unit.state.disks import a_disk_that_takes

DAYS, A_DAY = 4, 150
LATER = over(DAYS + 40)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four days with one of every fact."""
    return written(tmp_path_factory.mktemp("original") / "paper", DAYS, A_DAY).path


@pytest.fixture
def folder(original: Path, tmp_path: Path) -> AccountFolder:
    return AccountFolder(Path(shutil.copytree(original, tmp_path / "paper")))


def endings(folder: AccountFolder) -> list[str]:
    return [path.suffix for path in segments(folder.journal)]


def test_all_but_the_newest_are_compressed(folder: AccountFolder) -> None:
    """SP-01"""
    sizes = [path.stat().st_size for path in segments(folder.journal)]

    done = list(compress(folder, LATER, 30))

    assert endings(folder) == [".gz"] * 3 + [".jsonl"]
    assert [each.before for each in done] == sizes[:3]
    assert [each.after for each in done] == [path.stat().st_size for path in segments(folder.journal)[:3]]
    assert all(each.after < each.before / 3 for each in done)
    assert {path.stat().st_mode & 0o777 for path in segments(folder.journal)} == {0o600}
    assert list(compress(folder, LATER, 30)) == []


def test_only_days_long_over_are_compressed(folder: AccountFolder) -> None:
    """SP-01"""
    done = list(compress(folder, over(2), 1))

    assert [each.day for each in done] == list(days_of(folder.journal))[:1]


def test_every_reader_reads_the_same(folder: AccountFolder) -> None:
    """SP-01, SP-08"""
    days = days_of(folder.journal)

    def all_that_is_read() -> list[object]:
        return [
            list(read(folder.journal)), list(read(folder.journal, A_DAY + 7)),
            [list(read_day(folder.journal, day)) for day in days],
            [line for path in segments(folder.journal) for line in lines_backwards(path, 512)],
            list(tail(folder, 2 * A_DAY + 3, follow=False)), verify(folder), fingerprint(folder),
            days_of(folder.journal),
        ]  # fmt: skip

    before = all_that_is_read()
    list(compress(folder, LATER, 30))

    assert all_that_is_read() == before


def test_signed_days_and_exports_stay_the_same(folder: AccountFolder, tmp_path: Path) -> None:
    """SP-08: also where the days are signed after they were compressed"""
    other = AccountFolder(Path(shutil.copytree(folder.path, tmp_path / "other")))
    for each in (folder, other):
        if each is other:
            list(compress(each, LATER, 30))
        sign_days(each, KEY, LATER)
    list(compress(folder, LATER, 30))

    assert read_heads(folder.heads) == read_heads(other.heads)
    assert exported_days(folder, DAYS) == exported_days(other, DAYS)


def test_the_journal_goes_on_behind_them(folder: AccountFolder) -> None:
    """SP-01"""
    (*_, last) = read(folder.journal)
    list(compress(folder, LATER, 30))

    journal = FileJournal(folder)
    journal.append(LATER, last.fact)
    journal.close()

    assert [verify(folder).records, verify(folder).damage] == [last.sequence + 1, None]
    assert endings(folder) == [".gz"] * 3 + [".jsonl"] * 2


def test_a_backup_of_them_is_restored(folder: AccountFolder, tmp_path: Path) -> None:
    """SP-04"""
    list(compress(folder, LATER, 30))
    whole = fingerprint(folder)
    archive = backup(folder, tmp_path)
    there = AccountFolder(tmp_path / "there" / "paper")

    restore(there, archive, look(archive), LATER, lambda _plan: True)

    assert endings(there)[:3] == [".gz"] * 3
    assert next(iter(read(there.journal))) == next(iter(read(folder.journal)))
    assert fingerprint(folder) == whole


def test_a_backup_reads_a_segment_compressed_meanwhile(
    folder: AccountFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SP-04"""
    listed = segments(folder.journal)
    monkeypatch.setattr(folder_swap, "_journal_paths", lambda _folder: listed)
    list(compress(folder, LATER, 30))

    found = look(backup(folder, tmp_path)).files

    assert [name for name in found if name.startswith("journal/")] == [
        f"journal/{path.name}" for path in segments(folder.journal)
    ]


@pytest.mark.parametrize("act", ["replace", "unlink"])
def test_a_crash_loses_no_record(folder: AccountFolder, monkeypatch: pytest.MonkeyPatch, act: str) -> None:
    """SP-01: before the compressed file has its name, and between that and the end of the other one"""
    whole = fingerprint(folder)

    class _PowerCutError(BaseException):
        pass

    def cut(*_words: object, **_options: object) -> None:
        raise _PowerCutError

    with monkeypatch.context() as patch:
        patch.setattr(*(os, "replace", cut) if act == "replace" else (Path, "unlink", cut))
        with pytest.raises(_PowerCutError):
            list(compress(folder, LATER, 30))
    assert (fingerprint(folder), verify(folder).damage) == (whole, None)
    assert endings(folder) == [".jsonl"] * 4

    assert len(list(compress(folder, LATER, 30))) == 3
    assert (fingerprint(folder), verify(folder).damage) == (whole, None)


def test_a_full_disk_leaves_the_segment(folder: AccountFolder) -> None:
    """SP-06"""
    names = {path.name for path in folder.journal.iterdir()}

    with a_disk_that_takes(1000), pytest.raises(OSError, match="large"):
        list(compress(folder, LATER, 30))

    assert {path.name for path in folder.journal.iterdir()} == names


def test_a_copy_that_differs_is_not_taken(folder: AccountFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """SP-01"""
    names = {path.name for path in folder.journal.iterdir()}
    monkeypatch.setattr(journal_files, "_digest_of", lambda _file: (0, b""))

    with pytest.raises(OperatorError):
        list(compress(folder, LATER, 30))

    assert {path.name for path in folder.journal.iterdir()} == names


@pytest.mark.parametrize("harm", ["cut", "flipped", "emptied", "another record"])
def test_a_damaged_one_is_named(folder: AccountFolder, harm: str) -> None:
    """SP-01: with its file; nothing behind it is believed"""
    list(compress(folder, LATER, 30))
    path = segments(folder.journal)[1]
    content = path.read_bytes()
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
    lines = gzip.decompress(content).replace(b'"v":', b'"V":', 1)
    path.write_bytes(
        {"cut": content[:-9], "flipped": flipped, "emptied": b"", "another record": gzip.compress(lines)}[harm]
    )

    report = verify(folder)

    assert report.damage is not None
    assert path.stem in report.damage or segments(folder.journal)[2].stem in report.damage
    assert report.records < 2 * A_DAY
    with pytest.raises(JournalDamagedError):
        list(read(folder.journal))
    if harm != "another record":
        with pytest.raises(JournalDamagedError):
            list(lines_backwards(path))


def test_one_that_was_compressed_meanwhile_is_found(folder: AccountFolder) -> None:
    """SP-01: by a reader that has listed the segments before"""
    first = segments(folder.journal)[0]
    before = list(lines_backwards(first))

    list(compress(folder, LATER, 30))

    assert list(lines_backwards(first)) == before


def test_no_journal_is_nothing_to_compress(tmp_path: Path) -> None:
    """SP-01"""
    assert list(compress(AccountFolder(tmp_path / "paper"), LATER, 30)) == []
    assert date(2025, 11, 18) not in days_of(tmp_path)
