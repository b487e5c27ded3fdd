"""A file of ours that a page or a docstring names stands in the tree: who follows the name finds it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOPS = ("app.py", "console", "core", "docs", "setup.py", "state", "tests", "widgets")
NAMED = re.compile(r"`([\w./-]+\.py)`")
THE_USERS = {"dips.py"}
"""Files that the pages tell an operator to write."""


def ours() -> list[Path]:
    return [path for top in TOPS for path in ([ROOT / top] if top.endswith(".py") else (ROOT / top).rglob("*.py"))]


def test_every_file_that_is_named_is_there() -> None:
    """SY-07: by its whole path, or by its end"""
    files = ours()
    there = {f"/{path.relative_to(ROOT)}" for path in files}
    speak = [path for path in files if "tests" not in path.relative_to(ROOT).parts]
    speak += [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]

    found = [(page.name, name) for page in speak for name in NAMED.findall(page.read_text()) if name not in THE_USERS]

    assert len(found) > 100
    assert [(page, name) for page, name in found if not any(path.endswith(f"/{name}") for path in there)] == []
