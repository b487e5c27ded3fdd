"""docs/SETTINGS.md walks every key: what it does, and a file that reads it. A key without an effect is a fault."""

from __future__ import annotations

import re
from pathlib import Path

from console.commands.settings import every_key
from docs.settings import BY_NAME, PAGE, kept, page

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_has_every_key() -> None:
    """RK-01: as the code has it, with its default and its direction."""
    assert PAGE.read_text() == page(kept())


def test_every_key_is_read_and_says_what_it_does() -> None:
    """RK-01: by the file that the page names."""
    places = kept()
    unread = [each.name for each in every_key() if each.name not in places]
    unsaid = [each.name for each in every_key() if not each.meaning]
    stale = [
        key
        for key, place in places.items()
        if not re.search(rf"(\.|[\"']){key.rpartition('.')[2]}\b", (ROOT / place).read_text())
    ]

    assert (unread, unsaid, stale) == ([], [], [])


def test_a_name_in_a_variable_is_one_of_a_few() -> None:
    """RK-01"""
    assert set(BY_NAME) <= {each.name for each in every_key()}
