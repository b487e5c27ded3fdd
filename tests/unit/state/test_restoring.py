"""An archive in the place of what is there: what is refused, what is kept, and what the restored journal says of it."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from core.facts import EngineStarted, InstallationNamed, Killed, Rearmed, StateRestored
from core.facts.registry import BY_NAME
from state.documents import newest_checkpoint
from state.files import AccountFolder
from state.folder_swap import ArchiveError, backup, look
from state.restoring import Restored, RestorePlan, SuccessionError, restore
from state.running_engine import AlreadyRunningError, EngineLock
from tests.unit.state.accounts import NOW, a_longer_life, add, an_account, everything_in, facts_of, is_sound, modes_in


def agreeing(_plan: RestorePlan) -> bool:
    return True


def restored(folder: AccountFolder, archive: Path) -> Restored:
    done = restore(folder, archive, look(archive), NOW, agreeing)
    assert done is not None
    return done


@pytest.fixture
def folder(tmp_path) -> AccountFolder:
    return an_account(tmp_path / "state" / "paper")


def test_a_restore_takes_everything_of_the_archive(folder, tmp_path):
    """SP-04"""
    before = everything_in(folder)
    archive = backup(folder, tmp_path)
    a_longer_life(folder)

    done = restored(folder, archive)

    assert (done.plan.records, done.plan.present, done.plan.lost) == (2, 5, 3)
    after = everything_in(folder)
    assert after["exchange.jsonl"] == before["exchange.jsonl"]
    assert after["documents.json"] == before["documents.json"]
    assert after["journal/2026-01-05.jsonl"].startswith(before["journal/2026-01-05.jsonl"])
    assert is_sound(folder)
    assert modes_in(folder) == {(True, 0o700), (False, 0o600)}


def test_the_replaced_account_is_archived(folder, tmp_path):
    """SP-04"""
    archive = backup(folder, tmp_path)
    a_longer_life(folder)
    kept = restored(folder, archive).backup
    assert kept is not None

    again = restored(folder, kept)

    assert kept.parent == folder.archives
    assert again.plan.records == 5
    assert [type(fact).__name__ for fact in facts_of(folder)][:5] == [
        "InstallationNamed",
        "EngineStarted",
        "EngineStopped",
        "EngineStarted",
        "EngineStopped",
    ]


def test_a_restored_journal_records_the_restore(folder, tmp_path):
    """SP-04, EX-04"""
    archive = backup(folder, tmp_path)
    a_longer_life(folder)

    kept = restored(folder, archive).backup

    said, named = facts_of(folder)[2:]
    assert isinstance(said, StateRestored)
    assert (said.when, said.archive, said.lost) == (NOW, archive.name, 3)
    assert kept is not None
    assert said.backup == kept.name
    assert isinstance(named, InstallationNamed)
    assert named.name.startswith("desk+")
    first = named.name
    restored(folder, archive)
    assert facts_of(folder)[3] != InstallationNamed(first)


def test_a_restore_resets_only_a_simulated_exchange(tmp_path):
    """SP-04, EX-04: what a bar ordered since then may be on the broker's books."""
    ours = an_account(tmp_path / "a" / "paper")
    theirs = an_account(tmp_path / "b" / "paper", exchange=False)
    for folder in (ours, theirs):
        archive = backup(folder, folder.path.parent)
        add(folder, [EngineStarted()])
        restored(folder, archive)

    simulated, real = facts_of(ours)[2], facts_of(theirs)[2]

    assert isinstance(simulated, StateRestored)
    assert isinstance(real, StateRestored)
    assert (simulated.forgotten_until.day, real.forgotten_until) == (5, NOW)


@pytest.mark.parametrize(
    ("then", "since", "expected"),
    [
        ([], [Killed("key")], "key"), ([Killed("key")], [Rearmed()], "key"), ([Killed("key")], [], "key"),
        ([], [], None), ([Killed("key"), Rearmed()], [], None), ([], [Killed("file"), Rearmed()], None),
    ],
    ids=["killed since", "killed then", "killed throughout", "never", "re-armed then", "re-armed since"],
)  # fmt: skip
def test_a_kill_is_never_cleared_by_a_restore(tmp_path, then, since, expected):
    """SP-04, OP-07: neither the one that is in force now nor the one that the archive's journal ends with."""
    folder = an_account(tmp_path / "paper", *then)
    archive = backup(folder, tmp_path)
    add(folder, since)

    done = restored(folder, archive)

    assert done.plan.killed_by == expected
    turned = [fact for fact in facts_of(folder) if isinstance(fact, Killed | Rearmed)]
    assert (bool(turned) and isinstance(turned[-1], Killed)) == (expected is not None)


def test_the_kill_switch_and_own_files_stay(folder, tmp_path):
    """SP-04, OP-08"""
    archive = backup(folder, tmp_path)
    mine = {folder.kill_switch: b"command\n", folder.path / "log.txt": b"mine", folder.backups / "note": b"mine too"}
    torn = {folder.journal / "2026-01-05.jsonl.torn": b"evidence"}
    for path, content in (mine | torn).items():
        path.write_bytes(content)

    restored(folder, archive)

    assert {path: path.read_bytes() for path in mine | torn} == mine | torn


def test_documents_missing_in_the_archive_go(folder, tmp_path):
    """SP-04, SP-02: they would know more than the restored journal."""
    folder.documents.unlink()
    archive = backup(folder, tmp_path)
    a_longer_life(folder)

    restored(folder, archive)

    assert newest_checkpoint(folder) is None
    assert is_sound(folder)


def test_an_unrelated_journal_is_replaced_whole(folder, tmp_path):
    """SP-04"""
    other = an_account(tmp_path / "elsewhere" / "paper", EngineStarted(), EngineStarted())
    archive = backup(other, tmp_path)
    a_longer_life(folder)

    assert restored(folder, archive).plan.lost == 5


def test_an_archive_can_complete_a_journal(folder, tmp_path):
    """SP-04, SP-01"""
    a_longer_life(folder)
    archive = backup(folder, tmp_path)
    segment = folder.journal / "2026-01-05.jsonl"
    segment.write_bytes(b"".join(segment.read_bytes().splitlines(keepends=True)[:3]))

    done = restored(folder, archive)

    assert (done.plan.present, done.plan.lost) == (3, 0)
    assert is_sound(folder)


def test_a_damaged_journal_can_be_restored_over(folder, tmp_path):
    """SP-04, SP-01"""
    archive = backup(folder, tmp_path)
    segment = folder.journal / "2026-01-05.jsonl"
    segment.write_bytes(b"garbage\n" + segment.read_bytes())

    kept = restored(folder, archive).backup

    assert is_sound(folder)
    assert kept is not None
    with tarfile.open(kept) as file:
        content = file.extractfile("paper/journal/2026-01-05.jsonl")
        assert content is not None
        assert content.read().startswith(b"garbage\n")


def test_on_a_new_machine_the_account_is_made(folder, tmp_path):
    """SP-04"""
    archive = backup(folder, tmp_path)
    elsewhere = AccountFolder(tmp_path / "elsewhere" / "paper")

    done = restored(elsewhere, archive)

    assert (done.plan.present, done.plan.lost, done.backup) == (0, 0, None)
    assert is_sound(elsewhere)
    assert modes_in(elsewhere) == {(True, 0o700), (False, 0o600)}


def test_a_running_engine_prevents_a_restore(folder, tmp_path):
    """SP-04"""
    archive = backup(folder, tmp_path)

    with EngineLock(folder), pytest.raises(AlreadyRunningError, match="end it first"):
        restored(folder, archive)


def without_agreement(folder: AccountFolder, archive: Path) -> None:
    assert restore(folder, archive, look(archive), NOW, lambda _plan: False) is None


def test_an_unconfirmed_restore_changes_nothing(folder, tmp_path):
    """SP-04"""
    archive = backup(folder, tmp_path)
    a_longer_life(folder)
    before = everything_in(folder)

    without_agreement(folder, archive)

    assert everything_in(folder) == before
    assert not list(folder.archives.iterdir())
    assert not [path for path in folder.path.iterdir() if path.name.startswith("replacement")]
    elsewhere = AccountFolder(tmp_path / "elsewhere" / "paper")
    without_agreement(elsewhere, archive)
    assert not elsewhere.path.exists()


def changed(name: str, old: bytes, new: bytes):
    def harm(folder: AccountFolder) -> None:
        path = folder.path / name
        path.write_bytes(path.read_bytes().replace(old, new))

    return harm


SEGMENT = "journal/2026-01-05.jsonl"


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (changed(SEGMENT, b'"desk"', b'"dusk"'), "does not hold.*checksum"),
        (changed("exchange.jsonl", b"{", b""), "exchange.jsonl, line 1"),
        (lambda folder: (folder.path / SEGMENT).write_bytes(b""), "no journal"),
        (lambda folder: (folder.path / SEGMENT).unlink(), "no journal"),
        (
            lambda folder: (folder.path / SEGMENT).write_bytes(
                (folder.path / SEGMENT).read_bytes().splitlines(True)[0]
            ),
            "its end is lost",
        ),
    ],
    ids=["changed record", "changed exchange log", "empty journal", "no journal", "documents know more"],
)
def test_an_unstartable_archive_is_refused(folder, tmp_path, harm, words):
    """SP-04: and nothing is changed."""
    other = an_account(tmp_path / "elsewhere" / "paper")
    harm(other)
    archive = backup(other, tmp_path)
    before = everything_in(folder)

    with pytest.raises(ArchiveError, match=words):
        restored(folder, archive)

    assert everything_in(folder) == before


def test_an_archive_of_a_newer_version_is_refused(folder, tmp_path, monkeypatch):
    """SP-04: its chain holds, and this version cannot read what it says."""
    archive = backup(folder, tmp_path)
    monkeypatch.delitem(BY_NAME, "EngineStarted")

    with pytest.raises(ArchiveError, match="'EngineStarted' is no fact of this version"):
        restored(folder, archive)


def test_an_archive_too_large_for_the_disk_is_refused(folder, tmp_path, monkeypatch):
    """SP-04"""
    archive = backup(folder, tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _path: type("Usage", (), {"free": 100}))

    with pytest.raises(ArchiveError, match="and 100 are free; make room"):
        restored(folder, archive)


def test_a_disk_error_says_what_became_of_the_account(folder, tmp_path, monkeypatch):
    """SP-04, SP-06"""
    archive = backup(folder, tmp_path)
    a_longer_life(folder)
    before = everything_in(folder)

    def full(*_words: object) -> Path:
        raise OSError(28, "No space left on device", "archives")

    monkeypatch.setattr("state.restoring.keep", full)
    with pytest.raises(SuccessionError, match="archives: No space left on device; nothing was changed"):
        restored(folder, archive)
    assert everything_in(folder) == before
