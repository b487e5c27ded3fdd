"""The README and the page of use are true: short, their keys the desk's own, their commands the program's."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

import app
from console.commands.program import build
from console.keymap import KEYS
from docs.requirements import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MOST_LINES = 150
NAMED = re.compile(r"(?<!keyring set )keyturn ((?:[\w./:,=\[\]|-]|\\\||…| )+)")
LINK = re.compile(r"\]\((?!http)([^)#]*)(?:#([\w-]+))?\)")


def snippets() -> Iterator[str]:
    """What the README and docs/USE.md print as to be typed after `keyturn`."""
    for page in (ROOT / "README.md", ROOT / "docs" / "USE.md"):
        for code in re.findall(r"`[^`\n]+`|^```.*?^```", page.read_text(), re.MULTILINE | re.DOTALL):
            yield from (match.replace("\\|", "|") for match in NAMED.findall(code))


@cache
def program() -> TyperGroup:
    found = get_command(build(app.Keyturn({})))
    assert isinstance(found, TyperGroup)
    return found


def options_of(command: TyperGroup | TyperCommand) -> set[str]:
    return {name for option in command.params for name in option.opts}


def unknown_in(snippet: str) -> list[str]:
    """The commands and options of a snippet that the program does not have."""
    command: TyperGroup | TyperCommand = program()
    unknown = []
    for word in re.findall(r"[\w|-]+", snippet):
        if isinstance(command, TyperGroup) and not word.startswith("-"):
            below = {name: command.commands.get(name) for name in word.split("|")}
            unknown += [name for name, found in below.items() if found is None]
            command = next((one for one in below.values() if isinstance(one, TyperGroup | TyperCommand)), command)
        elif word.startswith("--") and word not in options_of(command):
            unknown.append(word)
    return unknown


def headings_of(page: Path) -> set[str]:
    """As links name them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_keys_of_the_page_are_those_of_the_desk() -> None:
    """SY-07"""
    answer = subprocess.run([sys.executable, str(ROOT / "docs" / "keys.py"), "--check"], check=False)

    assert answer.returncode == 0, "run .venv/bin/python docs/keys.py"


def test_the_readme_stays_short() -> None:
    """SY-07: depth belongs into docs/"""
    assert len((ROOT / "README.md").read_text().splitlines()) < MOST_LINES


def test_every_key_that_the_readme_names_is_one_of_the_desk() -> None:
    """SY-07"""
    table = (ROOT / "README.md").read_text().split("## Keys")[1].split("## ")[0]
    cells = [row.split("|") for row in table.splitlines() if row.startswith("| ") and "---" not in row][1:]
    written = {word for key in KEYS for word in key.written.split()}

    assert [key for _, _, keys, _ in cells for key in re.findall(r"`([^`]+)`", keys) if key not in written] == []


@pytest.mark.parametrize("snippet", sorted(set(snippets())))
def test_every_command_that_the_pages_name_is_there(snippet: str) -> None:
    """SY-07"""
    assert unknown_in(snippet) == []


def test_a_command_or_an_option_that_is_gone_is_found() -> None:
    """SY-07"""
    assert unknown_in("stop") == ["stop"]
    assert unknown_in("kill --gently") == ["--gently"]
    assert unknown_in("journal tail|cut") == ["cut"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    """SY-07"""
    lost = []
    for target, heading in LINK.findall(page.read_text()):
        file = page.parent / target if target else page
        if not file.exists() or (heading and heading not in headings_of(file)):
            lost.append((target, heading))

    assert lost == []
