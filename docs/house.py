"""The sizes of the house, who imports whom and who follows what, as docs/ARCHITECTURE.md shows them.

.venv/bin/python docs/house.py            writes them between the markers of the page
.venv/bin/python docs/house.py --print    prints them instead
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from core.market.calendar import load_calendar
from core.model.account import Mode
from core.trading_state.state import TradingState
from core.workflows.assembly import workflows_of
from core.workflows.base.declarations import ANSWERS, FOLLOWS, EndsActs, HasDeadline, declared
from state.journal import MemoryJournal

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "ARCHITECTURE.md"
HOUSE = "<!-- house: begin -->", "<!-- house: end -->"
FOLLOWED = "<!-- followed: begin -->", "<!-- followed: end -->"
DAY = date(2013, 10, 8)
TOPS = ("app.py", "console", "widgets", "core", "state")


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
    if parts[0] not in ("console", "widgets", "core", "state", "app"):
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


def followed() -> str:
    """Who follows which facts and what else each hears of, by the workflows' own declarations."""
    listed = workflows_of(TradingState("page", Mode.PAPER, load_calendar(DAY, DAY), MemoryJournal()))
    rows = ["| input | heard by, in this order |", "| --- | --- |"]
    for kind, who in sorted(_heard_by(listed, ANSWERS).items()):
        rows += [f"| `{kind}` | {', '.join(who)} |"] if len(who) > 1 else []
    arrows = [f"  {kind}([{kind}]) --> {name}" for kind, who in _heard_by(listed, FOLLOWS).items() for name in who]
    return "\n".join(
        [
            "```mermaid",
            "graph LR",
            *arrows,
            "```",
            "",
            "An arrow goes from a fact to the workflow that follows it; of one fact the first arrow hears first.",
            "",
            f"At the end of each act: {_names(w for w in listed if isinstance(w, EndsActs))}.",
            "",
            f"Due at times of their own: {_names(w for w in listed if isinstance(w, HasDeadline))}.",
            "",
            "Inputs that more than one takes in:",
            "",
            *rows,
        ]
    )


def _heard_by(listed: Iterable[object], table: str) -> dict[str, list[str]]:
    heard: dict[str, list[str]] = {}
    for workflow in listed:
        for kind, _ in declared(workflow, table):
            heard.setdefault(kind.__name__, []).append(type(workflow).__name__)
    return heard


def _names(listed: Iterable[object]) -> str:
    return ", ".join(type(workflow).__name__ for workflow in listed)


def between(text: str, marks: tuple[str, str], made: str) -> str:
    before, rest = text.split(marks[0])
    return f"{before}{marks[0]}\n{made}\n{marks[1]}{rest.split(marks[1])[1]}"


def main() -> None:
    house = f"{sizes()}\n\n{imports()}"
    if "--print" in sys.argv:
        sys.stdout.write(f"{house}\n\n{followed()}\n")
        return
    PAGE.write_text(between(between(PAGE.read_text(), HOUSE, house), FOLLOWED, followed()))


if __name__ == "__main__":
    main()
