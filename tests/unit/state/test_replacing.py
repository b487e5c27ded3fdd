"""A crash at any instant of a restore or a reset: the next start finds the old account or the new one, whole."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from core.facts import Killed, StateReset, StateRestored
from core.ports import OperatorError
from state.archive import look
from state.archive_swap import SuccessionError
from state.backups import backup
from state.folder_swap import READY, is_half_done
from state.folders import AccountFolder
from state.lock import EngineLock
from state.resetting import reset
from state.restoring import restore
from tests.unit.state.accounts import NOW, a_longer_life, add, an_account, everything_in, facts_of, is_sound, modes_in

CHANGES = ("rename", "replace", "mkdir", "rmdir", "unlink", "write", "fsync")
"""What a program can do to a disk here."""
MOST_STEPS = 400

Deed = Callable[[AccountFolder, Path], object]


def a_restore(folder: AccountFolder, archive: Path) -> object:
    return restore(folder, archive, look(archive), NOW, lambda _plan: True)


def a_reset(folder: AccountFolder, _archive: Path) -> object:
    return reset(folder, NOW, lambda _plan: True)


def an_account_with_a_past(path: Path) -> tuple[AccountFolder, Path]:
    """Killed, with an archive of an earlier day, and with a torn line that a start has set aside."""
    folder = an_account(path / "paper")
    archive = backup(folder, path / "then.tar.gz")
    a_longer_life(folder)
    add(folder, [Killed("key")])
    (folder.journal / "2026-01-05.jsonl.torn").write_bytes(b"evidence")
    return folder, archive


def killed_at(step: int, deed: Callable[[], object]) -> bool:
    """Do it in a process that is killed just before its n-th change of the disk; False where it had fewer."""
    child = os.fork()
    if child == 0:
        left = [step]
        for name in CHANGES:
            setattr(os, name, _fused(getattr(os, name), left))
        try:
            deed()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def _fused(change: Callable[..., object], left: list[int]) -> Callable[..., object]:
    def burn(*words: object, **named: object) -> object:
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1
        return change(*words, **named)

    return burn


@pytest.mark.timeout(600)
@pytest.mark.parametrize("deed", [a_restore, a_reset])
def test_killed_before_any_change_of_the_disk_it_is_finished_or_undone(tmp_path, deed: Deed):
    """SP-04, EX-20: whole in either case, killed in either case, and the start says which."""
    outcomes: set[str] = set()
    step = 0
    while True:
        folder, archive = an_account_with_a_past(tmp_path / str(step))
        before = everything_in(folder)
        was_killed = killed_at(step, lambda folder=folder, archive=archive: deed(folder, archive))
        was_half_done = is_half_done(folder)
        folder.prepare()

        with EngineLock(folder) as lock:
            is_new = any(isinstance(fact, StateReset | StateRestored) for fact in facts_of(folder))
            assert is_new or everything_in(folder) == before
            assert is_new or not was_half_done
            assert is_sound(folder)
            assert [fact for fact in facts_of(folder) if isinstance(fact, Killed)] == [Killed("key")]
            assert (folder.journal / "2026-01-05.jsonl.torn").read_bytes() == b"evidence"
            assert not [path for path in folder.path.iterdir() if path.name.startswith("replacement")]
            assert modes_in(folder) <= {(True, 0o700), (False, 0o600), (False, 0o644)}
            outcomes |= {"new" if is_new else "old", *(word for note in lock.notes for word in NOTES if word in note)}
        if not was_killed:
            break
        step += 1
        assert step < MOST_STEPS
    assert outcomes == {"old", "new", *NOTES}
    assert is_new


NOTES = ("before it had changed anything", "half-way; it is finished now", "after its last change")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("deed", [a_restore, a_reset])
def test_killed_again_and_again_while_it_is_finished_it_is_finished_in_the_end(tmp_path, deed: Deed):
    """SP-04, EX-20: every step may be done twice."""
    for first in range(2, MOST_STEPS):
        folder, archive = an_account_with_a_past(tmp_path / str(first))
        if not killed_at(first, lambda folder=folder, archive=archive: deed(folder, archive)):
            break
        if not (folder.path / READY).is_dir():
            continue
        second = 0
        while killed_at(second, lambda folder=folder: EngineLock(folder).acquire()):
            folder.prepare()
            second += 1
        assert is_sound(folder)
        assert any(isinstance(fact, StateReset | StateRestored) for fact in facts_of(folder))
        assert not is_half_done(folder)
        return
    raise AssertionError("no crash left anything half done")


def test_while_it_is_half_done_nobody_reads_half_of_it(tmp_path):
    """SP-04: a backup of it would be worth nothing."""
    for step in range(MOST_STEPS):
        folder, archive = an_account_with_a_past(tmp_path / str(step))
        assert killed_at(step, lambda folder=folder, archive=archive: a_restore(folder, archive))
        if is_half_done(folder):
            break

    with pytest.raises(OperatorError, match="cut off half-way; the next start finishes it"):
        backup(folder, tmp_path / "now.tar.gz")


def test_a_disk_that_fails_half_way_is_said_and_the_next_start_finishes(tmp_path, monkeypatch):
    """SP-04, SP-06"""
    folder, archive = an_account_with_a_past(tmp_path)
    real = os.rename

    def failing(source: object, target: object, **named: object) -> None:
        if Path(str(target)).name == "documents.json" and "replacement" in str(source):
            raise OSError(5, "Input/output error", str(target))
        real(source, target, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(SuccessionError, match=r"Input/output error; it is half done.*next start finishes it"):
        a_restore(folder, archive)
    monkeypatch.setattr(os, "rename", real)

    with EngineLock(folder) as lock:
        assert "the restore from then.tar.gz was cut off half-way" in lock.notes[0]
        assert is_sound(folder)
        assert any(isinstance(fact, StateRestored) for fact in facts_of(folder))


def test_a_start_that_cannot_finish_lets_go_of_the_account(tmp_path, monkeypatch):
    """SP-04"""
    folder, archive = an_account_with_a_past(tmp_path)
    monkeypatch.setattr(
        "state.folder_swap._go_on", lambda _folder: (_ for _ in ()).throw(OSError(5, "Input/output error"))
    )
    with pytest.raises(SuccessionError):
        a_restore(folder, archive)
    with pytest.raises(OSError, match="Input/output"):
        EngineLock(folder).acquire()
    monkeypatch.undo()

    with EngineLock(folder):
        assert is_sound(folder)
