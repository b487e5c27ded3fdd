"""The user's strategies in their folder: found by name, each file loaded in its own process.

No code of a file runs in the desk's process. A fault is one line with the file, the line number if known, and a remedy;
no file prevents the desk from opening.
"""

from __future__ import annotations

import inspect
import os
import stat
from dataclasses import field
from pathlib import Path

from core.files.regular_file import bytes_of
from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError
from core.runtime.strategy_host.hosted import kind_of
from core.runtime.strategy_host.process import STARTING, LostError, StrategyProcess
from core.strategies.base import TIMEOUT, OverdueError
from core.strategies.builtin import HOUSE, StrategyKind, StrategyKinds, name_fault
from state.files import FILE_MODE, make_folder, naming, open_private, write_all

LARGEST = 1_000_000
"""The maximum size of a strategy file in bytes."""
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the folder: its strategy kind, or every reason for its refusal, one line each.

    Attributes
    ----------
    layers
        The sandbox layers of its process.
    """

    name: str
    path: Path
    kind: StrategyKind | None = None
    faults: tuple[str, ...] = field(default=())
    layers: tuple[str, ...] = ()


def found_in(folder: Path, *, waits: float = TIMEOUT) -> tuple[Found, ...]:
    """Return every strategy file of a folder, by name; empty without a folder."""
    paths = _paths_in(folder)
    asked = [_asked(path, waits, TIMEOUT) for path in paths]  # all processes start in parallel
    return tuple(
        each if isinstance(each, Found) else _answered(path, each) for path, each in zip(paths, asked, strict=True)
    )


def _paths_in(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.glob("*.py") if not path.name.startswith(("_", ".")))
    except OSError:
        return []


def kinds_in(folder: Path, *, waits: float = TIMEOUT) -> StrategyKinds:
    """Return the strategies that a desk may run, built-in and from the folder, with the faults of the others."""
    return kinds_of(found_in(folder, waits=waits))


def kinds_of(files: tuple[Found, ...]) -> StrategyKinds:
    own = {found.name: found.kind for found in files if found.kind is not None}
    faults = {found.name: _one_line(found.faults) for found in files if found.kind is None and found.name not in HOUSE}
    return StrategyKinds({**HOUSE, **own}, faults)


def look_at(path: Path, *, waits: float = TIMEOUT, timeout: float = TIMEOUT) -> Found:
    """Load one file in its own process, or return the faults.

    `waits` and `timeout` are in seconds: how long a bar waits for a starting process, and the time-out of an answer.
    """
    asked = _asked(path, waits, timeout)
    return asked if isinstance(asked, Found) else _answered(path, asked)


def _asked(path: Path, waits: float, timeout: float) -> Found | StrategyProcess:
    """Return a starting process, or the reason for none."""
    name = path.stem
    if fault := name_fault(name):
        return Found(name, path, faults=(f"{path.name}: {fault}",))
    try:
        text = _read(path)
    except (OSError, UnicodeDecodeError, OperatorError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Found(name, path, faults=(f"{path.name}: it cannot be read: {said}",))
    process = StrategyProcess(name, str(path), text, waits=waits, timeout=timeout)
    try:
        process.begin()
    except OSError as error:
        return Found(name, path, faults=(f"{path.name}: its process could not be started: {error}",))
    return process


def _answered(path: Path, process: StrategyProcess) -> Found:
    name = path.stem
    try:
        refused = process.ready(max(STARTING, process.waits))
    except OverdueError:
        words = f"{path.name}: it does not end while it is read; find the loop that has no end"
        return Found(name, path, faults=(words,))
    except LostError as error:
        return Found(name, path, faults=(f"{path.name}: while it was read, {error}",))
    if refused is not None:
        return Found(name, path, faults=refused.faults, layers=process.layers)
    return Found(name, path, kind_of(process), layers=process.layers)


def write_new(folder: Path, name: str) -> Path:
    """Write the example as a strategy of that name. Raises OperatorError for an invalid name or an existing file."""
    if fault := name_fault(name):
        raise OperatorError(fault)
    path = folder / f"{name}.py"
    if path.exists():
        raise OperatorError(f"{path} is there already; nothing was written, give another name")
    for missing in (folder.parent, folder):
        if not missing.exists():  # an existing folder is the operator's, and keeps its permissions
            make_folder(missing)
    descriptor = open_private(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        with naming(path):
            write_all(descriptor, example_strategy(name).encode())
    finally:
        os.close(descriptor)
    return path


def _read(path: Path) -> str:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OperatorError("it is no file of text; move it out of the folder")
    if found.st_mode & OTHERS_WRITE:
        raise OperatorError(f"others may write it; `chmod {FILE_MODE:o} {path.name}` makes it yours alone")
    if found.st_size > LARGEST:
        raise OperatorError(f"it has more than {LARGEST:,} bytes; a strategy is a page")
    return bytes_of(path, LARGEST).decode("utf-8-sig")


def _one_line(faults: tuple[str, ...]) -> str:
    more = f" (and {len(faults) - 1} more, `keyturn strategies check`)" if len(faults) > 1 else ""
    return f"{faults[0]}{more}"


def example_strategy(name: str) -> str:
    """Return the example `core/strategies/example.py` under another, valid name."""
    from core.strategies import example

    camel = "".join(part.capitalize() for part in name.split("_"))
    return inspect.getsource(example).replace("dips", name).replace("Dips", camel)
