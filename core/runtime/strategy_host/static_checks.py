"""Static checks of a user's strategy file, with line numbers, before any of it runs (OP-01, ST-01).

Imports are limited because they are loaded before the process gives up file access; a clock, random numbers or threads
would make a replay differ. These checks find mistakes only; the sandbox enforces the limits (`sandbox.py`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

LIBRARIES = (
    "__future__",
    "abc",
    "bisect",
    "collections",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "fractions",
    "functools",
    "heapq",
    "itertools",
    "math",
    "operator",
    "pydantic",
    "statistics",
    "typing",
    "zoneinfo",
)
"""Libraries without input or output."""
ROOMS = (
    "core.strategies.kit",
    "core.strategies.base",
    "core.strategies.context",
    "core.strategies.answers",
    "core.strategies.indicators",
    "core.model.bar",
    "core.model.order",
    "core.model.recommendation",
    "core.model.session",
    "core.model.signal",
    "core.model.values",
    "core.risk.size_factors.base",
    "core.risk.sizing",
)
"""Modules of this program: the vocabulary, the indicators, and position sizing."""
ABOVE_THEM = ("core", "core.model", "core.strategies", "core.risk", "core.risk.size_factors")
"""Parents of `ROOMS`: an import from one must name one of those modules."""
CLOCKS = frozenset({"now", "today", "utcnow"})
"""Methods of datetime and date that read the machine's clock."""


@dataclass(frozen=True, slots=True)
class CodeFault:
    """A forbidden construct: its line, a description and a remedy."""

    line: int
    words: str


def faults_in(text: str) -> tuple[CodeFault, ...]:
    """Return every fault in the text of a strategy, by line."""
    try:
        tree = ast.parse(text)
    except (RecursionError, MemoryError):
        return (CodeFault(1, "it is nested too deeply to be read; write it plainer"),)
    except (SyntaxError, ValueError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        return (CodeFault(line or 1, f"it is no Python: {getattr(error, 'msg', error)}; fix that line"),)
    found = (CodeFault(getattr(node, "lineno", 1), words) for node in ast.walk(tree) for words in _said_of(node))
    return tuple(sorted(found, key=lambda fault: (fault.line, fault.words)))


def _said_of(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import():
            for alias in node.names:
                yield from _of_import(alias.name)
        case ast.ImportFrom() if node.level:
            yield "it imports from beside itself; a strategy is one file, put what it needs into it"
        case ast.ImportFrom():
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            for module in inside if node.module in ABOVE_THEM else [node.module or ""]:
                yield from _of_import(module)
        case ast.Attribute(attr=name) if name in CLOCKS:
            yield f"it asks for .{name}; there is no clock but the bar's: use bar.start or bar.end"
        case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
            yield "it waits for something; a bar is answered at once: take async and await out"


def _of_import(module: str) -> Iterator[str]:
    if module.partition(".")[0] in LIBRARIES:
        return
    if any(module == room or module.startswith(f"{room}.") for room in ROOMS):
        return
    if module.startswith(("core.brokers", "core.execution", "core.staging", "core.workflows")):
        yield f"it imports {module}; a strategy may only propose: answer with a signal and take the import out"
    elif module.partition(".")[0] in ("core", "state", "console", "widgets", "app"):
        yield f"it imports {module}, which is not for strategies; core.strategies.kit has what they need"
    else:
        yield f"it imports {module}, which a strategy may not: take it out; docs/STRATEGIES.md says what it may import"
