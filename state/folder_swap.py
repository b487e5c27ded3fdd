"""Putting another journal and its documents in the place of an account's; a crash at any instant loses nothing (SP-04).

What comes is written whole into a folder beside; that folder's name says how far the exchange of the two has gone, and
each name is on the disk before the next step begins.

| folder | what it means | what the next start does with it |
| --- | --- | --- |
| `replacement.new` | being written; the account is untouched | drops it |
| `replacement.ready` | decided; what was there is moved aside into it | goes on |
| `replacement.emptied` | nothing of the old is left; the new is moved in | goes on |
| `replacement.done` | all is in its place; the old is deleted | goes on |

Every step may be done twice. Lock, kill switch, archives and the operator's own files stay where they are, and so does
the simulated exchange's log where nothing comes in its place. The heartbeat, which states figures of the old journal,
is deleted.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from core.files.regular_file import bytes_of, open_regular
from core.ports import OperatorError
from state.archive import OURS
from state.files import make_folder, naming, replace_file, sync_folder
from state.folders import AccountFolder

NEW, READY, EMPTIED, DONE = (f"replacement.{word}" for word in ("new", "ready", "emptied", "done"))
REPLACED = "replaced"
"""The folder in it that takes what was there."""
REASON = "reason"
"""The file in it that says what is being done."""
LARGEST_REASON = 10_000
"""Bytes of it."""


def begin(folder: AccountFolder, reason: str) -> AccountFolder:
    """An empty place for what comes; `reason` names the deed, as in `the reset`. The account's lock is held."""
    stage = AccountFolder(folder.path / NEW)
    make_folder(stage.path)
    replace_file(stage.path / REASON, reason.encode(), durable=False)
    for inner in (stage.journal, stage.backups, stage.stamps):
        make_folder(inner)
    return stage


def drop(folder: AccountFolder) -> None:
    """Forget what `begin` began; the account is as it was."""
    shutil.rmtree(folder.path / NEW, ignore_errors=True)


def carry_out(folder: AccountFolder) -> None:
    """Put what was staged in the place of what is there. Raises OSError; the next start then finishes it."""
    stage = folder.path / NEW
    for place, _folders, files in os.walk(stage):
        for name in files:
            _sync_file(Path(place) / name)
        sync_folder(Path(place))
    _move(stage, folder.path / READY)
    _go_on(folder)


def is_half_done(folder: AccountFolder) -> bool:
    """Whether a crash has left journal and documents on their way."""
    return any((folder.path / name).is_dir() for name in (READY, EMPTIED))


def refuse_half_done(folder: AccountFolder) -> None:
    """Raises `OperatorError` where journal and documents are on their way: neither old nor new can be read."""
    if is_half_done(folder):
        raise OperatorError(f"account {folder.name!r}: {_UNNAMED} was cut off half-way; the next start finishes it")


def finish(folder: AccountFolder) -> tuple[str, ...]:
    """Finish or drop what a crash has left half done; its lock is held. Returns what was done, in words."""
    left = next((path for name in (NEW, READY, EMPTIED, DONE) if (path := folder.path / name).is_dir()), None)
    if left is None:
        return ()
    reason = _reason(left)
    if left.name == NEW:
        shutil.rmtree(left)
        return (f"{reason} was cut off before it had changed anything; it is dropped",)
    _go_on(folder)
    if left.name == DONE:
        return (f"{reason} was cut off after its last change; what it left is tidied away",)
    return (f"{reason} was cut off half-way; it is finished now",)


def _go_on(folder: AccountFolder) -> None:
    ready, emptied, done = (folder.path / name for name in (READY, EMPTIED, DONE))
    if ready.is_dir():
        _empty(folder, ready)
        _move(ready, emptied)
    if emptied.is_dir():
        _fill(folder, emptied)
        _move(emptied, done)
    shutil.rmtree(done)
    sync_folder(folder.path)


def _empty(folder: AccountFolder, ready: Path) -> None:
    """Move aside what is there. An empty folder that a start made meanwhile goes."""
    aside = ready / REPLACED
    make_folder(aside)
    for part in _parts(folder):
        if part == folder.exchange and not (ready / part.name).exists():
            continue
        if not part.exists():
            continue
        if (aside / part.name).exists():
            part.rmdir()
        else:
            _move(part, aside / part.name)


def _fill(folder: AccountFolder, emptied: Path) -> None:
    """Move in what comes; then back what is none of ours, as torn lines that were set aside."""
    with suppress(OSError):
        folder.heartbeat.unlink()
    for part in _parts(folder):
        if (emptied / part.name).exists():
            _move(emptied / part.name, part)
    for part in (folder.journal, folder.backups, folder.stamps):
        aside = emptied / REPLACED / part.name
        for path in sorted(aside.iterdir()) if aside.is_dir() else ():
            if not OURS.fullmatch(f"{part.name}/{path.name}"):
                _move(path, part / path.name)


def _parts(folder: AccountFolder) -> tuple[Path, ...]:
    folders = folder.journal, folder.backups, folder.stamps
    return *folders, folder.documents, folder.heads, folder.past_orders, folder.exchange, folder.runs


def _move(source: Path, target: Path) -> None:
    """A rename that is on the disk when this returns: the new name first, then the loss of the old one."""
    source.rename(target)
    sync_folder(target.parent)
    if source.parent != target.parent:
        sync_folder(source.parent)


def _sync_file(path: Path) -> None:
    descriptor = open_regular(path)
    try:
        with naming(path):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reason(left: Path) -> str:
    try:
        return bytes_of(left / REASON, LARGEST_REASON).decode(errors="replace") or _UNNAMED
    except OSError:
        return _UNNAMED


_UNNAMED = "a restore or a reset"
