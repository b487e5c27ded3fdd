"""Stops from outside the journal: the kill switch, and a halt that is left for the next start (OP-08, SY-02).

The existence of the file's name is the latch: a file, a dangling link, a pipe or a folder. Its content only names the
source. So even a full disk can latch. If the name cannot be checked, the latch counts as shut.

The watchdog writes it when it gives up. The file's existence is the request, with any content. The engine removes it
once the halt is recorded, so that it survives a crash in between.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from core.files.regular_file import bytes_of
from core.model.text_sanitizer import foreign
from state.files import AccountFolder, naming, open_private, replace_file, sync_folder, write_all

VARIABLE = "KEYTURN_KILL"
FLATTEN = "flatten"
BECAUSE = " because "
"""Precedes the reason in a line of the file."""
LARGEST = 1_000_000
"""The maximum size of the file in bytes, with a line for each latching."""


class FileKillSwitch:
    """Implements `core.ports.KillSwitch`. `is_on` costs one stat, because the gateway calls it before each request."""

    def __init__(self, folder: AccountFolder, environ: Mapping[str, str]) -> None:
        self._path = folder.kill_switch
        self._ready = self._path.with_name(".kill_switch_ready")
        self._parting = self._path.with_name(".kill_switch_released")
        self._name = os.fspath(self._path)
        self._environ = environ
        self._told = 0
        self._own: list[str] = []

    def is_on(self) -> str | None:
        """Return `environment` or `file`, or None. In doubt it is on: any value but an empty one or 0 kills."""
        if self._environ.get(VARIABLE, "0") not in ("", "0"):
            return "environment"
        try:
            os.lstat(self._name)  # a dangling link kills as well
        except FileNotFoundError:
            return None
        except OSError:
            return "file"
        return "file"

    def latched_by(self) -> str | None:
        """Return the source of the latch for people; None if it is off."""
        where = self.is_on()
        if where is None:
            return None
        return f"{VARIABLE} in the environment" if where == "environment" else "; ".join(self.set_by()) or "file"

    def prepare(self) -> None:
        """Create an empty file beside it, so that a kill on a full disk only needs a new name for it.

        Raises OSError.
        """
        if self._is_ready_of_another():
            self._ready.unlink(missing_ok=True)
        os.close(open_private(self._ready, os.O_WRONLY | os.O_CREAT))

    def latch(self, by: str, *, flatten: bool = False, reason: str = "") -> None:
        """Create the file, or add a line with the source, whether to flatten the positions, and the reason.

        Raises OSError: the line could not be written; after `prepare` the file exists all the same.
        """
        because = f"{BECAUSE}{foreign(reason)}" if reason.strip() else ""
        line = " ".join(by.split()) + (f" {FLATTEN}" if flatten else "") + because + "\n"
        while not self._add(line):
            """Retry: another process released it meanwhile, and this kill is newer."""
        sync_folder(self._path.parent)
        self._own.append(line.strip())

    def _add(self, line: str) -> bool:
        """Whether the line is in the file that has the latch's name now."""
        self._replace_what_takes_no_words()
        self._name_what_is_ready()
        descriptor = open_private(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            with naming(self._path):
                write_all(descriptor, line.encode())
                os.fsync(descriptor)
            try:
                return os.path.samestat(os.fstat(descriptor), os.stat(self._name))
            except FileNotFoundError:
                return False
        finally:
            os.close(descriptor)

    def _replace_what_takes_no_words(self) -> None:
        """Replace a dangling link or a pipe by the empty file in one step: the name always exists.

        A folder cannot be replaced; it kills, and the line is lost.
        """
        try:
            if not os.path.lexists(self._name) or stat.S_ISREG(os.stat(self._name).st_mode):
                return
        except OSError:
            pass  # a dangling or circular link
        if not stat.S_ISDIR(os.lstat(self._name).st_mode):
            self.prepare()
            os.replace(self._ready, self._path)

    def _name_what_is_ready(self) -> None:
        """Give the latch's name to the empty file if the name is free, so that no other kill is overwritten.

        Anything else in the file's place, like a folder or a link, prevents no kill.
        """
        try:
            if not stat.S_ISREG(os.lstat(self._ready).st_mode):
                return
            if self._is_ready_of_another():
                self._ready.unlink(missing_ok=True)
        except OSError:
            return
        try:
            os.link(self._ready, self._path)
        except (FileExistsError, FileNotFoundError):
            return
        except OSError:  # a file system without hard links, or without room for one
            if self._ready.exists() and not os.path.lexists(self._name):
                self._ready.rename(self._path)
            return
        self._ready.unlink(missing_ok=True)

    def _is_ready_of_another(self) -> bool:
        """Whether the prepared file belongs to an earlier kill whose process died while naming it."""
        try:
            found = os.lstat(self._ready)
        except FileNotFoundError:
            return False
        return stat.S_ISREG(found.st_mode) and (found.st_size > 0 or found.st_nlink > 1)

    def release(self) -> None:
        """Remove the file, unless there was a kill since the last look: then it stays shut (OP-07).

        It is renamed before the last read, so that no concurrent line is lost: a writer checks afterwards that its file
        still has the latch's name.

        Raises OSError: a non-empty folder has its name, or its parent folder is not writable: it stays shut.
        """
        if self._others(self.set_by()[self._told :]):
            return
        if self._path.is_dir() and not self._path.is_symlink():
            self._path.rmdir()
        try:
            self._path.rename(self._parting)
        except FileNotFoundError:
            pass
        else:
            if self._others(_lines_of(self._parting)[self._told :]) and not self._path.exists():
                self._parting.rename(self._path)
                return
            self._parting.unlink()
        self._told, self._own = 0, []
        self.prepare()
        sync_folder(self._path.parent)

    def news(self) -> tuple[str, ...]:
        """Return the lines that others wrote since the last look; at first all of them."""
        lines = self.set_by()
        told = self._told if self._told <= len(lines) else 0  # the file was replaced manually
        new = self._others(lines[told:])
        for line in lines[told:]:
            if line in self._own:
                self._own.remove(line)
        self._told = len(lines)
        return new

    def _others(self, lines: tuple[str, ...]) -> tuple[str, ...]:
        """Return the lines that this desk did not write."""
        own = list(self._own)
        found = []
        for line in lines:
            if line in own:
                own.remove(line)
            else:
                found.append(line)
        return tuple(found)

    def set_by(self) -> tuple[str, ...]:
        """Return the sources, one per line; empty if the file has none or cannot be read."""
        return _lines_of(self._path)


def asks_to_flatten(lines: Iterable[str]) -> bool:
    """Whether any of these kills asked to stage the flattening."""
    return any(FLATTEN in line.partition(BECAUSE)[0].split() for line in lines)


def reason_in(lines: Iterable[str]) -> str:
    """Return the last reason that these kills gave; empty without one."""
    return next(filter(None, (line.partition(BECAUSE)[2] for line in reversed([*lines]))), "")


def _lines_of(path: Path) -> tuple[str, ...]:
    try:
        return tuple(bytes_of(path, LARGEST).decode(errors="replace").splitlines())
    except OSError:
        return ()


LONGEST = 400
"""The maximum length of the kept reason."""
LARGEST_REQUEST = 4_000
UNREADABLE = "a request whose words cannot be read (halt.request)"


class HaltRequest:
    """The halt request of one account."""

    def __init__(self, folder: AccountFolder) -> None:
        self._path = folder.halt_request

    def leave(self, by: str) -> None:
        """Ask the next start to halt. Raises OSError."""
        replace_file(self._path, " ".join(by.split())[:LONGEST].encode() + b"\n")

    def asked_by(self) -> str | None:
        """Return requester and reason, or None without a request, which costs one stat."""
        if not os.path.lexists(self._path):
            return None
        try:
            words = " ".join(bytes_of(self._path, LARGEST_REQUEST).decode(errors="replace").split())
        except OSError:
            return UNREADABLE
        return words[:LONGEST] or UNREADABLE

    def take(self) -> None:
        """Remove the request after the halt was recorded. Raises OSError."""
        try:
            self._path.unlink()
        except IsADirectoryError:
            self._path.rmdir()
