"""Fill docs/SETTINGS.md: every key, its default in each profile, its looser direction and what it does.

.venv/bin/python docs/settings.py            writes the page
.venv/bin/python docs/settings.py --check    exits 1 where the page is not what it would write
.venv/bin/python docs/settings.py --readers  prints the keys that no file reads, and exits 1 if there are any; a minute

A key's readers are found by removing the keys from a copy of the program: mypy then reports each use. It does not find
keys that are read by a name in a variable; these are in `BY_NAME`.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from console.commands.state import Key, every_key
from core.settings.changes import leaves
from core.settings.settings import PROFILES, Settings
from core.settings.types import SettingsTable
from docs.pages import Tables, filled, table, written
from state.settings_file import written as as_written

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "SETTINGS.md"
PARTS = ("app.py", "console", "core", "state", "widgets", "pyproject.toml")
USE = re.compile(r'error: (?:Item )?"(?:type\[)?(\w+)\]?"(?: of .*?)? has no attribute "(\w+)"')
OF_SETTINGS = "core/settings/"
BY_NAME = frozenset(
    {
        *(f"staging.basket.{name}_seconds" for name in ("life", "run", "entries", "poll", "buys", "report")),
        *(f"reconciliation.{name}_seconds" for name in ("poll", "apart")),
    }
)
"""Keys that are read as `getattr(terms, name)`."""
LOOSER = {
    "more is looser": "more",
    "less is looser": "less",
    "each change counts as looser": "any change",
    "all but one are looser": "any other",
    "an earlier one is looser": "earlier",
    "a window more is looser, and none at all": "wider",
    "none": "–",
}
"""The direction of a key, as the page writes it."""


def keys() -> str:
    """Return one row for each key; strategies that share a key and its default share a row."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for key in every_key():
        strategy, _, rest = key.name.removeprefix("strategies.").partition(".")
        is_of_a_strategy = key.name.startswith("strategies.") and bool(rest)
        name = f"strategies.{{}}.{rest}" if is_of_a_strategy else key.name
        rows.setdefault((name, default_of(key), LOOSER[key.looser], key.meaning), []).append(strategy)
    return table(("key", "default", "looser", "what it does"), map(_row, rows.items()))


def _row(row: tuple[tuple[str, ...], list[str]]) -> tuple[str, ...]:
    (name, *cells), strategies = row
    whose = strategies[0] if len(strategies) == 1 else f"{{{','.join(strategies)}}}"
    return (f"`{name.replace('{}', whose)}`", *cells)


def default_of(key: Key) -> str:
    """Return the default of micro, and those of the other profiles where they differ."""
    others = {
        name: found for name in PROFILES if (found := IN_PROFILES[name].get(key.name, key.default)) != key.default
    }
    return " · ".join((f"`{key.default}`", *(f"{name} `{value}`" for name, value in others.items())))


def _values_in(profile: str) -> dict[str, str]:
    settings = Settings.model_validate({"profile": profile, **PROFILES[profile]})
    return {".".join(path): as_written(value) for path, value in leaves(settings)}


IN_PROFILES = {name: _values_in(name) for name in PROFILES}
"""The default of each key, by profile."""
TABLES: Tables = {"keys": keys}


def page(text: str) -> str:
    """Return the page with its table made again."""
    return filled(text, TABLES)


# ── keys without a reader ────────────────────────────────────────────────────────────────────────────────────────────


def tables_of(kind: type[SettingsTable], path: tuple[str, ...] = ()) -> Iterator[tuple[str, type[SettingsTable]]]:
    """Yield every key that holds a value, dotted, with the class whose field it is."""
    for name, field in kind.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, SettingsTable) and inner.__name__ != "AmountSettings":
            yield from tables_of(inner, (*path, name))
        else:
            yield ".".join((*path, name)), kind


def unread() -> list[str]:
    """Return the keys that nothing reads; the checks of a table within itself count as readers."""
    kinds = dict(tables_of(Settings))
    names = {(each.__name__, key.rpartition(".")[2]) for key, kind in kinds.items() for each in kind.__mro__}
    with TemporaryDirectory() as folder:
        copy = Path(folder)
        for part in PARTS:
            (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, copy / part)
        for file in (copy / OF_SETTINGS).glob("*.py"):
            file.write_text(without_keys(file.read_text(), names))
        command = (sys.executable, "-m", "mypy", "--strict", "app.py", "console", "core", "state", "widgets")
        ran = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    used = set(USE.findall(ran.stdout))
    found = {
        key
        for key, kind in kinds.items()
        if used & {(each, key.rpartition(".")[2]) for each in ("Self", *(of.__name__ for of in kind.__mro__))}
    }
    return sorted(kinds.keys() - found - BY_NAME)


def without_keys(text: str, names: set[tuple[str, str]]) -> str:
    """Return a file's source with each of those fields of its classes under another name."""
    lines = text.splitlines(keepends=True)
    for node in (node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)):
        for field in node.body:
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                line, at, name = field.target.lineno - 1, field.target.col_offset, field.target.id
                if (node.name, name) in names:
                    lines[line] = f"{lines[line][:at]}{name}__gone{lines[line][at + len(name) :]}"
    return "".join(lines)


if __name__ == "__main__":
    if "--readers" in sys.argv:
        missing = unread()
        print("\n".join(missing))
        sys.exit(bool(missing))
    sys.exit(written(PAGE, page))
