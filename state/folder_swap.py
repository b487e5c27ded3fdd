"""Replace an account's journal and documents by others; a crash at any point loses nothing (SP-04).

The new files are written completely into a staging folder. That folder's name records the progress of the swap, and
each rename is on the disk before the next step begins.

| folder | meaning | action of the next start |
| --- | --- | --- |
| `replacement.new` | being written; the account is unchanged | drops it |
| `replacement.ready` | decided; the old files are being moved into it | continues |
| `replacement.emptied` | all old files are moved away; the new ones are being moved in | continues |
| `replacement.done` | all files are in place; the old ones are being deleted | continues |

Every step may be repeated. Lock, kill switch, archives and the operator's files stay in place, and so does the
simulated exchange's log if there is no new one. The heartbeat, which has figures of the old journal, is deleted.
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
"""The subfolder for the old files."""
REASON = "reason"
"""The file in it with the name of the operation."""
LARGEST_REASON = 10_000
"""The maximum size of the reason file in bytes."""


def begin(folder: AccountFolder, reason: str) -> AccountFolder:
    """Return an empty staging folder; `reason` names the operation, such as `the reset`. The account's lock is held."""
    stage = AccountFolder(folder.path / NEW)
    make_folder(stage.path)
    replace_file(stage.path / REASON, reason.encode(), durable=False)
    for inner in (stage.journal, stage.backups, stage.stamps):
        make_folder(inner)
    return stage


def drop(folder: AccountFolder) -> None:
    """Remove a staging folder; the account is unchanged."""
    shutil.rmtree(folder.path / NEW, ignore_errors=True)


def carry_out(folder: AccountFolder) -> None:
    """Replace the old files by the staged ones. Raises OSError; the next start then finishes it."""
    stage = folder.path / NEW
    for place, _folders, files in os.walk(stage):
        for name in files:
            _sync_file(Path(place) / name)
        sync_folder(Path(place))
    _move(stage, folder.path / READY)
    _go_on(folder)


def is_half_done(folder: AccountFolder) -> bool:
    """Whether a crash interrupted a swap of journal and documents."""
    return any((folder.path / name).is_dir() for name in (READY, EMPTIED))


def refuse_half_done(folder: AccountFolder) -> None:
    """Raise `OperatorError` during an interrupted swap: neither the old nor the new files are complete."""
    if is_half_done(folder):
        raise OperatorError(f"account {folder.name!r}: {_UNNAMED} was cut off half-way; the next start finishes it")


def finish(folder: AccountFolder) -> tuple[str, ...]:
    """Finish or drop an interrupted swap, with the lock held. Return a description of what was done."""
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
    """Move the old files aside, and remove an empty folder that a start created meanwhile."""
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
    """Move the new files in; then move unrelated files back, such as torn lines set aside."""
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
    """Rename durably: first the new name reaches the disk, then the removal of the old one."""
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
