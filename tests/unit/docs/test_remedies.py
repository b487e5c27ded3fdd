"""docs/MESSAGES.md has a remedy for every code of an error, and for nothing that the program no longer has."""

from __future__ import annotations

import errno
import inspect
import re
from collections.abc import Callable
from enum import Enum
from importlib import import_module
from pathlib import Path

import app
from console.commands.state import UNDONE
from console.commands.status import STOPPED
from core.event_text import SEVERITIES
from core.market.alpaca.stream_failover import REFUSALS
from core.model import codes
from core.model.signal import FAILED
from core.model.staging import AT_THE_KEY
from core.risk.standard_gate import standard_gate
from state.watchdog.watchdog import GAVE_UP

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "MESSAGES.md"
CODE = ("console", "core", "state", "widgets")
TABLE = re.compile(r"<!-- answers: ([\w.]+) -->\n\n\|[^\n]*\n\|[ -|]*\n((?:\|[^\n]*\n)+)")
CLASS = re.compile(r"^class (\w+)\(([\w, ]*)\):", re.MULTILINE)
SMALLEST_REMEDY = 5
"""Characters: shorter ones say nothing."""


def source() -> str:
    return "\n".join(file.read_text() for top in CODE for file in sorted((ROOT / top).rglob("*.py")))


def operator_errors() -> set[str]:
    """The classes of errors that end a command with one line."""
    bases = {name: {base.strip() for base in of.split(",")} for name, of in CLASS.findall(source())}
    found = {"OperatorError", "JournalError"}
    while more := {name for name, of in bases.items() if of & found} - found:
        found |= more
    return found


def exit_codes() -> set[str]:
    failed = inspect.signature(app.fail).parameters["code"].default
    return {*map(str, (0, UNDONE, failed, STOPPED, GAVE_UP, app.OUR_FAULT)), "128 + N"}


SOURCES: dict[str, Callable[[], set[str]]] = {
    "alpaca_stream": lambda: set(map(str, REFUSALS)),
    "checks": lambda: {*AT_THE_KEY, *(check.name for check in standard_gate().checks)},
    "exit_codes": exit_codes,
    "failed_exits": lambda: {reason.value for reason in FAILED},
    "marked_facts": lambda: {fact.__name__ for fact in SEVERITIES},
    "operator_errors": operator_errors,
    "system_errors": lambda: {errno.errorcode[number] for number in app.REMEDIES},
}
"""What a table answers that is no enumeration."""


def tables() -> dict[str, list[list[str]]]:
    """The rows of each table, cell by cell, by what it answers."""
    return {
        name: [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows.splitlines()]
        for name, rows in TABLE.findall(PAGE.read_text())
    }


def codes_of(name: str) -> set[str]:
    if name in SOURCES:
        return SOURCES[name]()
    module, _, enumeration = name.rpartition(".")
    return {str(code.value) for code in getattr(import_module(module), enumeration)}


def test_every_code_has_one_remedy() -> None:
    """SY-07: and none is for a code that is gone; where this fails, add or remove the row in docs/MESSAGES.md"""
    for name in tables().keys() - {"words"}:
        rows = [row[0].strip("`") for row in tables()[name]]
        assert sorted(rows) == sorted(codes_of(name)), name


def test_every_list_of_codes_has_a_table() -> None:
    """SY-07: a new enumeration in core/model/codes.py needs its table"""
    enumerations = {
        f"{codes.__name__}.{name}"
        for name, found in vars(codes).items()
        if inspect.isclass(found) and issubclass(found, Enum) and found.__module__ == codes.__name__
    }

    assert enumerations | SOURCES.keys() | {"words"} <= tables().keys()
    assert len(tables()) == PAGE.read_text().count("<!-- answers:")


def test_every_remedy_says_what_to_do() -> None:
    """SY-07"""
    assert [row for rows in tables().values() for row in rows if len(row[-1].strip(" |")) < SMALLEST_REMEDY] == []
