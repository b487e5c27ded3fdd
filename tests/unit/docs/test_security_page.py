"""docs/SECURITY.md says of each neighbour what it can do, by a test that is there or in words that claim nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
LINES = [
    line
    for line in (ROOT / "docs" / "SECURITY.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith(("| what |", "| --- |"))
]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.split("|")[1].strip())
def test_each_line_names_a_test_that_is_there_or_says_that_it_cannot_be_denied(line: str) -> None:
    """SY-01, OP-13"""
    named = re.findall(r"`(test_\w+)`", line)
    assert named or "cannot be denied here" in line
    assert set(named) <= known_tests()


def known_tests() -> set[str]:
    written = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    return set(re.findall(r"def (test_\w+)", written))
