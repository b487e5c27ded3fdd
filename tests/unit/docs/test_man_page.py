"""docs/keyturn.1 is what the commands' own help says, and no command is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from console import commands
from console.commands import protections, service, state, strategies
from console.commands.engine import group as engine
from console.commands.journal import group as journal
from docs.man import PAGE, page

HERE = Path(commands.__file__).parent
NOT_A_COMMAND = {"__init__", "backtest_page", "program", "shared"}
NO_ROOM_OF_COMMANDS = {"assembly"}
GROUPS = {
    "engine": engine,
    "journal": journal,
    "protections": protections,
    "service": service,
    "state": state,
    "strategies": strategies,
}


def headings() -> set[str]:
    """The words of each command that the committed page describes."""
    found = re.findall(r"^\.SS\n(.*)$", PAGE.read_text().replace("\\-", "-"), re.MULTILINE)
    return {" ".join(re.match(r"[a-z ]+", heading)[0].split()) for heading in found}  # type: ignore[index]


def test_the_committed_page_is_what_a_fresh_generation_would_write() -> None:
    """SY-07: where this fails, run `.venv/bin/python docs/man.py`."""
    assert PAGE.read_text() == page()


def test_every_command_that_has_a_file_stands_on_the_page() -> None:
    """SY-07"""
    files = {path.stem for path in HERE.glob("*.py")} - NOT_A_COMMAND
    rooms = {path.parent.name for path in HERE.glob("*/__init__.py")} - NO_ROOM_OF_COMMANDS

    assert {heading.split()[1] for heading in headings()} == files | rooms


@pytest.mark.parametrize("name", GROUPS)
def test_every_command_of_a_group_stands_on_the_page(name: str) -> None:
    """SY-07"""
    known = {info.name or info.callback.__name__ for info in GROUPS[name].commands.registered_commands}

    assert known
    assert {f"keyturn {name} {word}" for word in known} <= headings()


def test_no_option_is_without_words() -> None:
    """SY-07"""
    lines = PAGE.read_text().splitlines()
    named = [number for number, line in enumerate(lines) if line.startswith(".B ")]

    assert all(lines[number + 1] and not lines[number + 1].startswith(".") for number in named)
