"""Fills the last column of docs/REQUIREMENTS.md: the tests whose docstrings name each identifier.

.venv/bin/python docs/requirements.py          writes the page
.venv/bin/python docs/requirements.py --check  exits 1 where the page is not what it would write
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from pathlib import Path

from docs.pages import written

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "REQUIREMENTS.md"
ROW = re.compile(r"^\| ([A-Z]{2}-\d\d) \| (.*?) \|.*$", re.M)
NAMED = re.compile(r"[A-Z]{2}-\d\d")
SHOWN = 4


def tests_by_identifier() -> dict[str, list[str]]:
    """`folder/file::test`, for every identifier that a test's own docstring or its file's names."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                for identifier in sorted(set(NAMED.findall(ast.get_docstring(node) or ""))):
                    found[identifier].append(f"{path.relative_to(ROOT / 'tests')}::{node.name}")
    return found


def page(text: str) -> str:
    """The page with its last column made anew."""
    tests = tests_by_identifier()

    def row(match: re.Match[str]) -> str:
        identifier, words = match.groups()
        return f"| {identifier} | {words} | {_listed(tests.get(identifier, []))} |"

    return ROW.sub(row, text)


def _listed(names: list[str]) -> str:
    if not names:
        return "**none**"
    files: dict[str, list[str]] = defaultdict(list)
    for name in names:
        file, _, test = name.partition("::")
        files[file].append(test)
    first = [f"`{file}` ({len(tests)})" for file, tests in sorted(files.items(), key=lambda item: -len(item[1]))]
    return ", ".join(first[:SHOWN]) + (f" and {len(first) - SHOWN} files more" if len(first) > SHOWN else "")


if __name__ == "__main__":
    sys.exit(written(PAGE, page))
