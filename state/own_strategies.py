"""The user's own strategies, out of their folder: found by name, read before they run, loaded where nothing speaks
against it.

Nothing here is a sandbox: a strategy that loads runs in the desk's own process. What is wrong with a file is one line
with the file, the line where there is one, and what to do; no file keeps a desk from opening.
"""

from __future__ import annotations

import linecache
import os
import stat
import sys
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from core.ports import OperatorError
from core.regular_file import bytes_of
from core.strategies.allowed import faults_in
from core.strategies.house import HOUSE, Kind, Kinds
from core.strategies.own import faults_of, kind_of, name_fault, said_of
from core.strategies.patience import OverdueError, within_patience
from state.example_strategy import example_strategy
from state.files import FILE_MODE, make_folder, naming, open_private, write_all

LARGEST = 1_000_000
"""Bytes of a file that is read as a strategy."""
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class Found:
    """A file of the folder: the class in it, or every reason why it is refused, one line each."""

    name: str
    path: Path
    made: Any = None
    kind: Kind | None = None
    faults: tuple[str, ...] = field(default=())


def found_in(folder: Path) -> tuple[Found, ...]:
    """Every strategy file of a folder, by name; none where there is no folder."""
    try:
        paths = sorted(path for path in folder.glob("*.py") if not path.name.startswith(("_", ".")))
    except OSError:
        return ()
    return tuple(look_at(path) for path in paths)


def kinds_in(folder: Path) -> Kinds:
    """What a desk may run: the house's, and those of the folder that load; of the others why they do not."""
    return kinds_of(found_in(folder))


def kinds_of(files: tuple[Found, ...]) -> Kinds:
    own = {found.name: found.kind for found in files if found.kind is not None}
    faults = {found.name: _one_line(found.faults) for found in files if found.kind is None and found.name not in HOUSE}
    return Kinds({**HOUSE, **own}, faults)


def look_at(path: Path) -> Found:
    """Load one file, or say why not. The text is judged before any of it runs, and that very text is what runs."""
    name = path.stem
    refused = Found(name, path)
    if fault := name_fault(name):
        return _with(refused, (f"{path.name}: {fault}",))
    try:
        text = _read(path)
    except (OSError, UnicodeDecodeError, OperatorError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return _with(refused, (f"{path.name}: it cannot be read: {said}",))
    try:
        if wrong := within_patience(faults_in, text):
            return _with(refused, tuple(f"{path.name}, line {fault.line}: {fault.words}" for fault in wrong))
        module = within_patience(_run, name, path, text)
        made = _class_in(module)
        faults = within_patience(faults_of, made, name)
    except OperatorError as error:
        return _with(refused, (f"{path.name}: {error}",))
    except OverdueError:
        return _with(refused, (f"{path.name}: it does not end while it is read; find the loop that has no end",))
    except BaseException as error:  # whatever it does while it is read: that is its fault, and said
        where = _line_of(error, path)
        return _with(refused, (f"{path.name}{where}: it raises {said_of(error)}; mend that line",))
    if faults:
        return _with(refused, tuple(f"{path.name}, line {_line(text, made)}: {fault}" for fault in faults))
    return Found(name, path, made, kind_of(made))


def write_new(folder: Path, name: str) -> Path:
    """Write the example as a strategy of that name. Raises OperatorError: no such name, or a file is there already."""
    if fault := name_fault(name):
        raise OperatorError(fault)
    path = folder / f"{name}.py"
    if path.exists():
        raise OperatorError(f"{path} is there already; nothing was written, give another name")
    for missing in (folder.parent, folder):
        if not missing.exists():  # one that is there is the operator's, and stays as open as it is
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


def _run(name: str, path: Path, text: str) -> ModuleType:
    """The file as a module of its own; nothing is written beside it."""
    module = ModuleType(f"own_strategy_{name}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses and pydantic look their types up there
    linecache.checkcache(str(path))
    exec(compile(text, str(path), "exec"), module.__dict__)
    return module


def _class_in(module: ModuleType) -> Any:
    from core.strategies.kit import OwnStrategy

    here = [kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == module.__name__]
    classes = [kind for kind in here if issubclass(kind, OwnStrategy) or callable(getattr(kind, "on_bar", None))]
    if not classes:
        raise OperatorError("it has no strategy; write a class that derives from OwnStrategy and has on_bar")
    if len(classes) > 1:
        names = ", ".join(kind.__name__ for kind in classes)
        raise OperatorError(f"it has {len(classes)} strategies, {names}; one file is one strategy, move the others")
    return classes[0]


def _line_of(error: BaseException, path: Path) -> str:
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""


def _line(text: str, made: Any) -> int:
    """Where the class begins."""
    lines = enumerate(text.splitlines(), 1)
    return next((number for number, line in lines if line.startswith(f"class {made.__name__}")), 1)


def _with(found: Found, faults: tuple[str, ...]) -> Found:
    return Found(found.name, found.path, None, None, faults)


def _one_line(faults: tuple[str, ...]) -> str:
    more = f" (and {len(faults) - 1} more, `keyturn strategies check`)" if len(faults) > 1 else ""
    return f"{faults[0]}{more}"
