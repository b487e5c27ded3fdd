"""Fills docs/SETTINGS.md: every key, its default, which way it is looser, what it does, where it is read.

.venv/bin/python docs/settings.py          writes the page; it takes a minute, because mypy checks the whole program
.venv/bin/python docs/settings.py --quick  the same, and keeps the places that the page names already

A key's readers are found by removing the keys from a copy of the program: mypy then reports each use. It does not find
keys that are read by a name in a variable; these are in `BY_NAME`.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from console.commands.settings import Key, every_key
from core.settings.settings import Settings
from core.settings.types import SettingsTable
from docs.pages import Tables, filled, table

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "SETTINGS.md"
PARTS = ("app.py", "console", "core", "state", "widgets", "pyproject.toml")
ASKED = re.compile(r'(\S+?):\d+: error: (?:Item )?"(?:type\[)?(\w+)\]?"(?: of .*?)? has no attribute "(\w+)"')
ROW = re.compile(r"^\| `([\w.]+)` \|.*\| `([\w/]+\.py)` \|$", re.MULTILINE)
BASKETS = "core/workflows/baskets/basket_execution.py"
TIMES = "core/workflows/reconciliation/reconciliation_times.py"
OF_SETTINGS = "core/settings/"
BY_NAME: Mapping[str, str] = {
    "staging.basket.life_seconds": "core/workflows/baskets/baskets.py",
    "staging.basket.run_seconds": "core/workflows/baskets/baskets.py",
    **dict.fromkeys(
        (f"staging.basket.{name}_seconds" for name in ("entries", "poll", "buys", "report")),
        BASKETS,
    ),
    "reconciliation.poll_seconds": TIMES,
    "reconciliation.apart_seconds": TIMES,
}
"""Who reads what mypy cannot find, as `getattr(terms, name)`."""


def tables_of(kind: type[SettingsTable], path: tuple[str, ...] = ()) -> Iterator[tuple[str, type[SettingsTable]]]:
    """Every key that holds a value, dotted, with the class whose field it is."""
    for name, field in kind.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, SettingsTable) and inner.__name__ != "AmountSettings":
            yield from tables_of(inner, (*path, name))
        else:
            yield ".".join((*path, name)), kind


def readers() -> dict[str, str]:
    """Of each key, the first file outside of the settings that reads it, or that of the settings that answers by it."""
    kinds = dict(tables_of(Settings))
    names = {(kind.__name__, key.rpartition(".")[2]) for key, kind in kinds.items() for kind in kind.__mro__}
    asked: dict[tuple[str, str], set[str]] = defaultdict(set)
    with TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in PARTS:
            (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, copy / part)
        for file in (copy / OF_SETTINGS).glob("*.py"):
            file.write_text(without_keys(file.read_text(), names))
        words = (sys.executable, "-m", "mypy", "--strict", "app.py", "console", "core", "state", "widgets")
        said = subprocess.run(words, cwd=copy, capture_output=True, text=True, check=False).stdout
        for file_name, kind, name in ASKED.findall(said):
            asked[kind, name].add(file_name)
    found = dict(BY_NAME)
    for key, kind in kinds.items():
        files = set().union(*(asked.get((each.__name__, key.rpartition(".")[2]), set()) for each in kind.__mro__))
        own = f"{kind.__module__.replace('.', '/')}.py"
        files |= {own} & asked.get(("Self", key.rpartition(".")[2]), set())
        if files:
            found.setdefault(key, min(files, key=lambda name: (name.startswith(OF_SETTINGS), name)))
    return found


def without_keys(text: str, names: set[tuple[str, str]]) -> str:
    """The classes of a file with each of those fields under another name."""
    lines = text.splitlines(keepends=True)
    for node in (node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)):
        for field in node.body:
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                line, at, name = field.target.lineno - 1, field.target.col_offset, field.target.id
                if (node.name, name) in names:
                    lines[line] = f"{lines[line][:at]}{name}__gone{lines[line][at + len(name) :]}"
    return "".join(lines)


def kept() -> dict[str, str]:
    """The places that the page names."""
    return dict(ROW.findall(PAGE.read_text()))


def keys(places: Mapping[str, str]) -> str:
    return table(
        ("key", "default (micro)", "looser", "what it does", "read in"),
        [row_of(each, places.get(each.name, "")) for each in every_key()],
    )


def row_of(key: Key, place: str) -> tuple[str, ...]:
    return (f"`{key.name}`", f"`{key.default}`", key.looser, key.meaning, f"`{place}`" if place else "")


def page(places: Mapping[str, str]) -> str:
    tables: Tables = {"keys": lambda: keys(places)}
    return filled(PAGE.read_text(), tables)


if __name__ == "__main__":
    PAGE.write_text(page(kept() if "--quick" in sys.argv else readers()))
