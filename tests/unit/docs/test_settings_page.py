"""docs/SETTINGS.md lists every key and what it does. A key without an effect is a fault."""

from __future__ import annotations

import re
from pathlib import Path

from console.commands.state import every_key
from docs.settings import BY_NAME, PAGE, page

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_has_every_key() -> None:
    """RK-01: as the code has it, with its default and its direction."""
    assert PAGE.read_text() == page(PAGE.read_text())


def test_every_key_is_read_and_says_what_it_does() -> None:
    """RK-01: by name; `docs/settings.py --readers` finds those that only share a name"""
    source = "\n".join(
        file.read_text() for top in ("console", "core", "state", "widgets") for file in (ROOT / top).rglob("*.py")
    )
    used = set(re.findall(r"[.\"'](\w+)", source))
    unread = [each.name for each in every_key() if each.name.rpartition(".")[2] not in used]
    unsaid = [each.name for each in every_key() if not each.meaning]

    assert (unread, unsaid) == ([], [])


def test_a_name_in_a_variable_is_one_of_a_few() -> None:
    """RK-01"""
    assert {each.name for each in every_key()} >= BY_NAME
