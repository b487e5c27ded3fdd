"""The latch outside the journal (OP-08): the file `.kill_switch`, or `KEYTURN_KILL=1` in the environment.

That anything has the file's name is the latch: a file, a link that leads nowhere, a pipe, a folder. The words in it
only say who set it. So a full disk still latches. Where the name cannot be looked at, the latch counts as shut.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from core.files.regular_file import bytes_of
from state.files import naming, open_private, sync_folder, write_all
from state.folders import AccountFolder

VARIABLE = "KEYTURN_KILL"
FLATTEN = "flatten"
LARGEST = 1_000_000
"""Bytes of the file: a line for each time that it was set."""


class FileKillSwitch:
    """Implements `core.ports.KillSwitch`. `is_on` costs one stat: the gateway asks before each request."""

    def __init__(self, folder: AccountFolder, environ: Mapping[str, str]) -> None:
        self._path = folder.kill_switch
        self._ready = self._path.with_name(".kill_switch_ready")
        self._parting = self._path.with_name(".kill_switch_released")
        self._name = os.fspath(self._path)
        self._environ = environ
        self._told = 0
        self._own: list[str] = []

    def is_on(self) -> str | None:
        """`environment` or `file`, or None. In doubt it is on: any value but an empty one or 0 kills."""
        if self._environ.get(VARIABLE, "0") not in ("", "0"):
            return "environment"
        try:
            os.lstat(self._name)  # a link that leads nowhere kills as well
        except FileNotFoundError:
            return None
        except OSError:
            return "file"
        return "file"

    def latched_by(self) -> str | None:
        """Who latched it, for a person to read; None where it is off."""
        where = self.is_on()
        if where is None:
            return None
        return f"{VARIABLE} in the environment" if where == "environment" else "; ".join(self.set_by()) or "file"

    def prepare(self) -> None:
        """Lay an empty file beside it, so that a kill on a full disk is a mere name for it. Raises OSError."""
        if self._is_ready_of_another():
            self._ready.unlink(missing_ok=True)
        os.close(open_private(self._ready, os.O_WRONLY | os.O_CREAT))

    def latch(self, by: str, *, flatten: bool = False) -> None:
        """Create the file, or add a line to it: who, and whether the positions should be flattened too.

        Raises
        ------
        OSError
            The words could not be written; the file is there all the same where `prepare` has run.
        """
        line = " ".join(by.split()) + (f" {FLATTEN}" if flatten else "") + "\n"
        while not self._add(line):
            """Another process released it meanwhile: this kill is newer."""
        sync_folder(self._path.parent)
        self._own.append(line.strip())

    def _add(self, line: str) -> bool:
        """Whether the line stands in the file that has its name now."""
        self._replace_what_takes_no_words()
        self._name_what_is_ready()
        descriptor = open_private(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            with naming(self._path):
                write_all(descriptor, line.encode())
                os.fsync(descriptor)
            return self._has_its_name(descriptor)
        finally:
            os.close(descriptor)

    def _replace_what_takes_no_words(self) -> None:
        """A link that leads nowhere or a pipe makes way for the empty file in one step: the name is never free.

        A folder cannot; it kills, and the words go nowhere.
        """
        try:
            if not os.path.lexists(self._name) or stat.S_ISREG(os.stat(self._name).st_mode):
                return
        except OSError:
            pass  # it leads nowhere, or in a circle
        if not stat.S_ISDIR(os.lstat(self._name).st_mode):
            self.prepare()
            os.replace(self._ready, self._path)

    def _name_what_is_ready(self) -> None:
        """The empty file gets the latch's name where nothing has it: no kill of another is written over."""
        if self._is_ready_of_another():
            self._ready.unlink(missing_ok=True)
        try:
            os.link(self._ready, self._path)
        except (FileExistsError, FileNotFoundError):
            return
        except OSError:  # a disk that knows no second names, or has no room for one
            if self._ready.exists() and not os.path.lexists(self._name):
                self._ready.rename(self._path)
            return
        self._ready.unlink(missing_ok=True)

    def _is_ready_of_another(self) -> bool:
        """Whether the file that lies ready is an older kill's own: a process died as it named it."""
        try:
            found = os.stat(self._ready)
        except FileNotFoundError:
            return False
        return found.st_size > 0 or found.st_nlink > 1

    def _has_its_name(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self._name))
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Remove the file, unless somebody killed since the last look: then it stays shut (OP-07).

        It has another name while it is read for the last time, so that no line is lost that comes meanwhile: who
        writes one looks afterwards whether the file has its name yet.

        Raises
        ------
        OSError
            A folder that is not empty has its name, or the folder around it cannot be written: it stays shut.
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
        """The lines that others wrote since the last look; all of them at the first."""
        lines = self.set_by()
        told = self._told if self._told <= len(lines) else 0  # a file that was put there by hand
        new = self._others(lines[told:])
        for line in lines[told:]:
            if line in self._own:
                self._own.remove(line)
        self._told = len(lines)
        return new

    def _others(self, lines: tuple[str, ...]) -> tuple[str, ...]:
        """Those that this desk did not write itself."""
        own = list(self._own)
        found = []
        for line in lines:
            if line in own:
                own.remove(line)
            else:
                found.append(line)
        return tuple(found)

    def set_by(self) -> tuple[str, ...]:
        """Who latched it, a line each; empty where the file says nobody, or cannot be read."""
        return _lines_of(self._path)


def asks_to_flatten(lines: Iterable[str]) -> bool:
    """Whether anybody who latched it also asked to stage the flattening."""
    return any(FLATTEN in line.split() for line in lines)


def _lines_of(path: Path) -> tuple[str, ...]:
    try:
        return tuple(bytes_of(path, LARGEST).decode(errors="replace").splitlines())
    except OSError:
        return ()
