"""The latch outside the journal (OP-08): the file `.kill_switch`, or `KEYTURN_KILL=1` in the environment.

That the file exists is the latch; the words in it only say who set it. So a full disk still latches. Where the file
cannot be looked at, the latch counts as shut.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from core.regular_file import bytes_of
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
        self._name = os.fspath(self._path)
        self._environ = environ

    def is_on(self) -> str | None:
        """`environment` or `file`, or None. In doubt it is on: any value but an empty one or 0 kills."""
        if self._environ.get(VARIABLE, "0") not in ("", "0"):
            return "environment"
        try:
            os.stat(self._name)
        except FileNotFoundError:
            return None
        except OSError:
            return "file"
        return "file"

    def prepare(self) -> None:
        """Lay an empty file beside it, so that a kill on a full disk is a mere change of its name. Raises OSError."""
        os.close(open_private(self._ready, os.O_WRONLY | os.O_CREAT))

    def latch(self, by: str, *, flatten: bool = False) -> None:
        """Create the file, or add a line to it: who, and whether the positions should be flattened too.

        Raises
        ------
        OSError
            The words could not be written; the file is there all the same where `prepare` has run.
        """
        line = " ".join(by.split()) + (f" {FLATTEN}" if flatten else "") + "\n"
        if not self._path.exists() and self._ready.exists():
            self._ready.rename(self._path)
        descriptor = open_private(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            with naming(self._path):
                write_all(descriptor, line.encode())
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_folder(self._path.parent)

    def release(self) -> None:
        self._path.unlink(missing_ok=True)
        self.prepare()
        sync_folder(self._path.parent)

    def set_by(self) -> tuple[str, ...]:
        """Who latched it, a line each; empty where the file says nobody, or cannot be read."""
        try:
            return tuple(bytes_of(self._path, LARGEST).decode(errors="replace").splitlines())
        except OSError:
            return ()

    def asks_to_flatten(self) -> bool:
        """Whether anybody who latched it also asked to stage the flattening."""
        return any(FLATTEN in line.split() for line in self.set_by())
