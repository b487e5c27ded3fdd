"""The operator's layouts, one file each in `layouts/`, by its name.

An invalid one is reported and the others apply. Example:

one = ["proposals", "positions"]
[[two]]
panes = ["watch", "orders"]
width = 64
[[two]]
panes = ["chart"]
[[three]]
panes = ["watch", "orders", "positions"]
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from console.layouts import LOG, ColumnOfPanes, DeskLayout, fault_of
from console.panes import PANES

FOLDER = "layouts"
KNOWN = tuple(name for name in PANES if name != LOG)
"""Panes allowed in a column; the log is below all of them."""
COLUMNS = {"two": 2, "three": 3}
"""Most columns, by the key of a file."""
UNDER = 2
NARROWEST, WIDEST = 30, 120
"""Cells of a column with a fixed width."""


@dataclass(frozen=True, slots=True)
class OwnLayouts:
    """Layouts by name; `faults` lists rejected entries with their place."""

    each: Mapping[str, DeskLayout] = field(default_factory=dict)
    faults: Sequence[str] = ()


class _WrongError(Exception):
    """The error of one layout."""


def layouts_in(files: Mapping[str, str | None]) -> OwnLayouts:
    """Parse layout files by name; None is an unreadable file."""
    each, faults = {}, []
    for file, text in sorted(files.items()):
        name = file.removesuffix(".toml")
        try:
            if fault := fault_of(name):
                raise _WrongError(fault)
            each[name] = _read(name, text)
        except _WrongError as wrong:
            faults.append(f"{FOLDER}/{file[:24]}: {wrong}")
    return OwnLayouts(each, tuple(faults))


def file_of(layout: DeskLayout) -> str:
    """Return the text of its file."""
    lines = [f"one = {_list_of(layout.one)}"]
    for key, columns in (("two", layout.two), ("three", layout.three)):
        for column in columns:
            lines += [f"[[{key}]]", f"panes = {_list_of(column.panes)}"]
            lines += [f"width = {column.width}"] if column.width else []
    return "\n".join(lines) + "\n"


def _list_of(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"


def _read(name: str, text: str | None) -> DeskLayout:
    if text is None:
        raise _WrongError("cannot be read")
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise _WrongError(str(error)[:80]) from None
    if unknown := sorted(set(table) - {"one", *COLUMNS}):
        raise _WrongError(f"there is no {unknown[0][:20]}; it has one, two and three")
    one = _panes("one", table.get("one"))
    if len(one) != UNDER:
        raise _WrongError("one: two panes, the first always there, the second until another is asked for")
    two, three = (_columns(key, table.get(key)) for key in COLUMNS)
    return DeskLayout(name, (one[0], one[1]), two, three, two[0].panes[-1])


def _columns(key: str, said: object) -> tuple[ColumnOfPanes, ...]:
    """Parse columns; at least one must have no fixed width and takes the rest."""
    if not isinstance(said, list) or not 1 <= len(said) <= COLUMNS[key]:
        raise _WrongError(f"{key}: one to {COLUMNS[key]} columns, each [[{key}]] with its panes")
    columns = tuple(_column(key, each) for each in said)
    names = [name for column in columns for name in column.panes]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise _WrongError(f"{key}: {twice} stands there twice")
    if all(column.width for column in columns):
        raise _WrongError(f"{key}: one column without a width takes what is left")
    return columns


def _column(key: str, said: object) -> ColumnOfPanes:
    if not isinstance(said, dict) or set(said) - {"panes", "width"}:
        raise _WrongError(f"{key}: a column has panes, and perhaps a width")
    width = said.get("width", 0)
    if type(width) is not int or (width and not NARROWEST <= width <= WIDEST):
        raise _WrongError(f"{key}: a width is {NARROWEST} to {WIDEST} cells")
    return ColumnOfPanes(_panes(key, said.get("panes")), width)


def _panes(key: str, said: object) -> tuple[str, ...]:
    if not isinstance(said, list) or not said:
        raise _WrongError(f"{key}: a list of panes")
    if odd := next((each for each in said if each not in KNOWN), None):
        raise _WrongError(f"{key}: there is no pane {str(odd)[:20]!r}; there are {', '.join(KNOWN)}")
    return tuple(said)
