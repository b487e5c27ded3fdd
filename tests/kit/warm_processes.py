"""Strategy processes without their start: forks of one warm template, and all of them ended with the module.

What begins a real one imports for a third of a second. All that it does from there on is the same: what it gives up,
its limits, its pipe. `tests/real` and what is `cold` begin the real ones.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakSet

import pytest

from core.runtime.strategy_host import process
from core.runtime.strategy_host.process import StrategyProcess
from state.user_strategies import Found

TEMPLATE = Path(__file__).with_name("warm_template.py")
HEAR_OF_GRANDCHILDREN = 36
"""`PR_SET_CHILD_SUBREAPER`: whose parent has ended is a child of this process."""


of_this_module: dict[tuple[str, str], Found] = {}
"""Files that were found, by name and text: what began for one serves all cases of a module."""


class Template(NamedTuple):
    """The ends of its two pipes."""

    lines: int
    numbers: int

    def fork(self, folder: str, reads: int, writes: int) -> int:
        """Not by a socket or `Popen`: under virtual time others would go on meanwhile."""
        os.write(self.lines, f"{folder}\t{reads}\t{writes}\n".encode())
        return int(os.read(self.numbers, 20))


@cache
def template() -> Template:
    """Begun once; it ends with this process, whose end closes the pipe."""
    ctypes.CDLL(None).prctl(HEAR_OF_GRANDCHILDREN, 1, 0, 0, 0)
    (its_lines, lines), (numbers, its_numbers) = os.pipe(), os.pipe()
    os.posix_spawn(
        sys.executable,
        [sys.executable, "-P", "-s", str(TEMPLATE)],
        {"PARENT": str(os.getpid()), **process.ENVIRONMENT},
        file_actions=[(os.POSIX_SPAWN_DUP2, its_lines, 0), (os.POSIX_SPAWN_DUP2, its_numbers, 1)],
    )
    os.close(its_lines)
    os.close(its_numbers)
    return Template(lines, numbers)


class Forked(subprocess.Popen[bytes]):
    """A process that the template begins."""

    def _execute_child(self, *args: Any) -> None:
        folder, (reads, writes, answers, told, *errors) = args[5], args[10:16]
        self.pid = template().fork(folder, reads, told)
        self._child_created = True
        self._close_pipe_fds(reads, writes, answers, told, *errors)  # type: ignore[attr-defined]


@contextmanager
def warm() -> Iterator[None]:
    """What begins in here is a fork."""
    with pytest.MonkeyPatch.context() as patch:
        if sys.platform.startswith("linux"):
            patch.setattr(process, "Popen", Forked)
        yield


@contextmanager
def ended() -> Iterator[None]:
    """What begins in here ends with it."""
    begun, begin = WeakSet[StrategyProcess](), StrategyProcess.begin

    def noted(self: StrategyProcess) -> None:
        begun.add(self)
        begin(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StrategyProcess, "begin", noted)
        yield
    of_this_module.clear()
    for each in list(begun):
        each.end()


@contextmanager
def cold() -> Iterator[None]:
    """What begins in here begins as it does for an operator."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "Popen", subprocess.Popen)
        yield
