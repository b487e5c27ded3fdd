"""A crash at any instant of a restore or a reset: the next start finds the old account or the new one, whole."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from core.facts import Fact, Killed, StateReset, StateRestored
from core.ports import OperatorError
from state.files import AccountFolder
from state.folder_swap import DONE, EMPTIED, NEW, READY, backup, is_half_done, look
from state.restoring import SuccessionError, reset, restore
from state.running_engine import EngineLock
from tests.unit.state.accounts import NOW, a_longer_life, add, an_account, everything_in, facts_of, is_sound, modes_in

CHANGES = ("rename", "replace", "mkdir", "rmdir", "unlink", "write", "fsync")
"""What a program can do to a disk here. None of it is buffered, so a crash loses nothing that was written."""
MOST_STEPS = 400

Action = Callable[[AccountFolder, Path], object]
Copies = Callable[[int], tuple[AccountFolder, Path]]


class Crash(BaseException):
    """The process ends here: whatever runs after it can change nothing on the disk either."""


def restores(folder: AccountFolder, archive: Path) -> object:
    return restore(folder, archive, look(archive), NOW, lambda _plan: True)


def resets(folder: AccountFolder, _archive: Path) -> object:
    return reset(folder, NOW, lambda _plan: True)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An account that was killed, with an archive of an earlier day, and a torn line that a start has set aside."""
    path = tmp_path_factory.mktemp("original")
    folder = an_account(path / "paper")
    backup(folder, path / "then.tar.gz")
    a_longer_life(folder)
    add(folder, [Killed("key")])
    (folder.journal / "2026-01-05.jsonl.torn").write_bytes(b"evidence")
    return path


@pytest.fixture
def copies(original: Path, tmp_path: Path) -> Copies:
    def copied(number: int) -> tuple[AccountFolder, Path]:
        shutil.copytree(original, tmp_path / str(number))
        return AccountFolder(tmp_path / str(number) / "paper"), tmp_path / str(number) / "then.tar.gz"

    return copied


def crashes_at(step: int, action: Callable[[], object]) -> bool:
    """Run it up to just before its n-th change of the disk; False where it had fewer. Its locks end with it."""
    left, locked = [step], set[int]()
    flock = fcntl.flock

    def fused(change: Callable[..., object]) -> Callable[..., object]:
        def burn(*words: object, **named: object) -> object:
            left[0] -= 1
            if left[0] < 0:
                raise Crash
            return change(*words, **named)

        return burn

    def noted(descriptor: int, operation: int) -> None:
        flock(descriptor, operation)
        locked.add(descriptor)

    with pytest.MonkeyPatch.context() as patch:
        for name in CHANGES:
            patch.setattr(os, name, fused(getattr(os, name)))
        patch.setattr(fcntl, "flock", noted)
        try:
            action()
        except Crash:
            for descriptor in locked:
                with suppress(OSError):
                    os.close(descriptor)
            return True
    return False


def left_in(folder: AccountFolder) -> str | None:
    """The folder that says how far a replacement came."""
    return next((name for name in (NEW, READY, EMPTIED, DONE) if (folder.path / name).is_dir()), None)


def is_replaced(facts: list[Fact]) -> bool:
    return any(isinstance(fact, StateReset | StateRestored) for fact in facts)


@pytest.mark.parametrize("action", [restores, resets])
def test_a_crash_leaves_the_old_account_or_the_new(copies: Copies, action: Action, snapshot):
    """SP-04, EX-20: whole in either case, killed in either case, and the start says which."""
    outcomes, notes = set[tuple[str | None, bool]](), set[str]()
    for step in range(MOST_STEPS):
        folder, archive = copies(step)
        before = everything_in(folder)
        was_killed = crashes_at(step, lambda folder=folder, archive=archive: action(folder, archive))
        left, was_half_done = left_in(folder), is_half_done(folder)
        folder.prepare()

        with EngineLock(folder) as lock:
            facts = facts_of(folder)
            is_new = is_replaced(facts)
            assert is_new or everything_in(folder) == before
            assert is_new or not was_half_done
            assert is_sound(folder)
            assert [fact for fact in facts if isinstance(fact, Killed)] == [Killed("key")]
            assert (folder.journal / "2026-01-05.jsonl.torn").read_bytes() == b"evidence"
            assert not [path for path in folder.path.iterdir() if path.name.startswith("replacement")]
            assert modes_in(folder) <= {(True, 0o700), (False, 0o600), (False, 0o644)}
            assert len(lock.notes) == (left is not None)
            outcomes.add((left, is_new))
            notes |= {f"{left}: {note}" for note in lock.notes}
        if not was_killed:
            break
    assert not was_killed
    assert outcomes == {(None, False), (NEW, False), (READY, True), (EMPTIED, True), (DONE, True), (None, True)}
    assert sorted(notes) == snapshot


@pytest.mark.parametrize("action", [restores, resets])
def test_finishing_may_crash_at_every_step(copies: Copies, action: Action):
    """SP-04, EX-20: every step may be done twice."""
    first = 2
    while True:
        folder, archive = copies(first)
        assert crashes_at(first, lambda folder=folder, archive=archive: action(folder, archive))
        if left_in(folder) == READY:
            break
        first += 1
    second = 0
    while crashes_at(second, lambda: EngineLock(folder).acquire()):
        folder.prepare()
        second += 1

    assert second > 2
    assert is_sound(folder)
    assert is_replaced(facts_of(folder))
    assert not is_half_done(folder)


def test_a_half_done_account_is_not_backed_up(copies: Copies, tmp_path: Path):
    """SP-04: a backup of it would be worth nothing."""
    for step in range(MOST_STEPS):
        folder, archive = copies(step)
        assert crashes_at(step, lambda folder=folder, archive=archive: restores(folder, archive))
        if is_half_done(folder):
            break

    with pytest.raises(OperatorError, match="half-way"):
        backup(folder, tmp_path / "now.tar.gz")
    assert not (tmp_path / "now.tar.gz").exists()


def test_the_next_start_finishes_after_a_disk_error(copies: Copies, monkeypatch):
    """SP-04, SP-06"""
    folder, archive = copies(0)
    rename = os.rename

    def failing(source: object, target: object, **named: object) -> None:
        if Path(str(target)).name == "documents.json" and "replacement" in str(source):
            raise OSError(5, "Input/output error", str(target))
        rename(source, target, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(SuccessionError, match=r"Input/output error; it is half done"):
        restores(folder, archive)
    monkeypatch.setattr(os, "rename", rename)

    assert is_half_done(folder)
    with EngineLock(folder) as lock:
        assert len(lock.notes) == 1
        assert is_sound(folder)
        assert is_replaced(facts_of(folder))


def test_a_start_that_cannot_finish_frees_the_account(copies: Copies, monkeypatch):
    """SP-04"""
    folder, archive = copies(0)

    def fails(_folder: AccountFolder) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("state.folder_swap._go_on", fails)
    with pytest.raises(SuccessionError):
        restores(folder, archive)
    with pytest.raises(OSError, match="Input/output"):
        EngineLock(folder).acquire()
    monkeypatch.undo()

    with EngineLock(folder):
        assert is_sound(folder)
