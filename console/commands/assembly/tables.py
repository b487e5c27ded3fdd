"""The folder of `--csv`: the tables of what a command prints (SY-08)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from core.ports import OperatorError
from state.files import naming

ROWS = "rows"
"""The name of the table of a result that is a list."""


def checked_folder(folder: Path | None) -> None:
    """Check that `--csv` can be written, before anything is read. Raises `OperatorError`."""
    if folder is not None and os.path.lexists(folder) and not folder.is_dir():
        raise OperatorError(f"{folder} is a file; name a new folder for the tables")
    if folder is not None and folder.is_dir() and any(folder.iterdir()):
        raise OperatorError(f"{folder} is not empty; name a new folder for the tables")


def write_result(folder: Path, found: object) -> None:
    """Write the tables of what a command prints as JSON. Raises OSError."""
    from core.views.export import tables_of

    write_tables(folder, dict(tables_of(found if isinstance(found, Mapping) else {ROWS: found})))


def write_tables(folder: Path, texts: Mapping[str, str]) -> None:
    """Write each table into the folder of `--csv`. Raises OSError."""
    with naming(folder):
        folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        with naming(folder / name):
            (folder / name).write_text(text, encoding="utf-8")
