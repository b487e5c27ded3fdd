"""The sizes of the house and who imports whom, as docs/ARCHITECTURE.md shows them.

.venv/bin/python docs/house.py            writes them between the markers of the page
.venv/bin/python docs/house.py --print    prints them instead
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "ARCHITECTURE.md"
BEGIN, END = "<!-- house: begin -->", "<!-- house: end -->"
TOPS = ("app.py", "wiring", "console", "widgets", "core", "state")


def files(top: str) -> list[Path]:
    path = ROOT / top
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def room_of(path: Path) -> str:
    """The folder a file belongs to; files right below `core` are the engine itself."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    if parts[0] == "core" and len(parts) > 2:
        return f"core.{parts[1]}"
    return parts[0]


def room_of_module(name: str) -> str | None:
    parts = name.split(".")
    if parts[0] not in ("console", "widgets", "core", "state", "wiring", "app"):
        return None
    if parts[0] == "core" and len(parts) > 1 and (ROOT / "core" / parts[1]).is_dir():
        return f"core.{parts[1]}"
    return parts[0]


def sizes() -> str:
    rows = ["| folder | files | median lines | largest |", "| --- | --- | --- | --- |"]
    for top in (*TOPS, "tests"):
        lines = {path: len(path.read_text().splitlines()) for path in files(top)}
        lines = {path: count for path, count in lines.items() if count}
        largest = max(lines, key=lambda path: lines[path])
        name = largest.relative_to(ROOT)
        rows.append(f"| `{top}` | {len(lines)} | {statistics.median(lines.values()):.0f} | `{name}` {lines[largest]} |")
    every = [len(path.read_text().splitlines()) for top in TOPS for path in files(top)]
    rows.append(f"| all but tests | {len(every)} | {statistics.median(every):.0f} | {sum(every):,} lines in all |")
    return "\n".join(rows)


def imports() -> str:
    """A Mermaid picture: an arrow for each pair of folders, with how many imports it stands for."""
    arrows: Counter[tuple[str, str]] = Counter()
    for top in TOPS:
        for path in files(top):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
                names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                for name in names:
                    target = room_of_module(name)
                    if target is not None and target != room_of(path):
                        arrows[room_of(path), target] += 1
    skipped = ("core.model", "core")  # everything speaks the vocabulary: those arrows would hide the others
    lines = ["```mermaid", "graph LR"]
    lines += [
        f"  {a.replace('.', '_')}[{a}] -->|{count}| {b.replace('.', '_')}[{b}]"
        for (a, b), count in sorted(arrows.items())
        if b not in skipped
    ]
    return "\n".join(
        [*lines, "```", "", "Arrows to the vocabulary (`core.model`, `core`) are left out: everybody has one."]
    )


def main() -> None:
    made = f"{sizes()}\n\n{imports()}\n"
    if "--print" in sys.argv:
        sys.stdout.write(made)
        return
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{made}{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
