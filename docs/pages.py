"""What the scripts of the pages share: tables between markers, and writing a page or only saying that it differs."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

BLOCK = re.compile(r"(<!-- (\w+): begin -->\n).*?(<!-- \2: end -->)", re.DOTALL)

Tables = Mapping[str, Callable[[], str]]
"""By the name of its markers, what makes a table."""


def filled(text: str, tables: Tables) -> str:
    """The page with every table made anew. Raises KeyError where it has a marker that no table is for."""
    return BLOCK.sub(lambda block: f"{block[1]}\n{tables[block[2]]()}\n{block[3]}", text)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def written(path: Path, page: Callable[[str], str]) -> int:
    """Write the page; with `--check` only return 1 where it is not what would be written."""
    before = path.read_text()
    after = page(before)
    if "--check" in sys.argv:
        return int(before != after)
    path.write_text(after)
    return 0
