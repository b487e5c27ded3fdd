"""File operations shared by this package: open files privately, replace them atomically, sync a folder.

Nothing here depends on a file's content.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EPERM
from pathlib import Path

from core.files.regular_file import open_regular

FILE_MODE = 0o600
FOLDER_MODE = 0o700


def make_folder(path: Path) -> str | None:
    """Make `path` a private folder (0700). Return a description of a repair, or None.

    A folder of another user raises PermissionError: its owner could read and swap everything in it.
    """
    path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    return mend_permissions(path, FOLDER_MODE)


def mend_permissions(path: Path, mode: int) -> str | None:
    """Remove every permission beyond `mode`; return a description of the repair, or None."""
    found = path.stat()
    if found.st_uid != os.geteuid():
        raise PermissionError(EPERM, "it belongs to another user; move it away, or run as its owner", str(path))
    wide = stat.S_IMODE(found.st_mode)
    if not wide & ~mode & 0o777:
        return None
    path.chmod(wide & mode)
    return f"{path.name}: permissions {wide:04o} were too wide, now {wide & mode:04o}"


def open_private(path: Path, flags: int) -> int:
    """Open a regular file for the owner alone (0600); a pipe or a device in its place is refused. Raises OSError."""
    return open_regular(path, flags, FILE_MODE)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Add this path to a disk error without a file name: errors of write and sync have none."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(path)
        raise


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of `content`; a short write is continued. Raises OSError."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def sync_folder(path: Path) -> None:
    """Return when the names in a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with naming(path):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_file(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Replace `path` by `content` atomically: a reader sees the old file or the new one, complete.

    With `durable` it also survives a power cut: the file is synced before the rename, and its folder after it.
    """
    temporary = path.with_name(f".{path.name}.new")
    descriptor = open_private(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        with naming(path):
            write_all(descriptor, content)
            if durable:
                os.fsync(descriptor)
    except OSError:
        temporary.unlink(missing_ok=True)  # a full disk needs the space elsewhere
        raise
    finally:
        os.close(descriptor)
    temporary.replace(path)
    if durable:
        sync_folder(path.parent)
