"""What the text of a user's strategy may say, judged before any of it runs (OP-01, ST-01).

A strategy proposes: it imports no broker, no execution and no staging, opens nothing, and reads no clock but the bar's.
This reads the text alone. It finds slips and is no sandbox: whoever wants to get around it can, so run only what you
trust.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

LIBRARIES = frozenset(
    {
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
    }
)
"""They reckon and describe; none reaches a file, a network, a clock or chance."""
ROOMS = (
    "core.strategies.kit",
    "core.strategies.base",
    "core.strategies.answers",
    "core.strategies.indicators",
    "core.model.bar",
    "core.model.order",
    "core.model.recommendation",
    "core.model.session",
    "core.model.signal",
    "core.model.values",
    "core.risk.scaling.contract",
    "core.risk.sizing",
)
"""Of this program: the vocabulary, the indicators, the size of an order."""
TO_THE_OUTSIDE = frozenset(
    {
        "__import__",
        "breakpoint",
        "compile",
        "delattr",
        "eval",
        "exec",
        "exit",
        "getattr",
        "globals",
        "help",
        "input",
        "locals",
        "open",
        "print",
        "quit",
        "setattr",
        "vars",
    }
)
CLOCKS = frozenset({"now", "today", "utcnow"})
"""Of datetime and date: they read the machine's clock."""
SHARED = frozenset({"getcontext", "setcontext"})
"""Of decimal: the desk's own sums are made in that context."""
OWN_DUNDERS = frozenset({"__class__", "__init__", "__name__", "__post_init__"})


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that may not stand there: its line, what it is, and what to do instead."""

    line: int
    words: str


def faults_in(text: str) -> tuple[Fault, ...]:
    """Everything in the text of a strategy that may not be there, in order of its lines."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        return (Fault(line or 1, f"it is no Python: {getattr(error, 'msg', error)}; mend that line"),)
    found = (Fault(getattr(node, "lineno", 1), words) for node in ast.walk(tree) for words in _said_of(node))
    return tuple(sorted(found, key=lambda fault: (fault.line, fault.words)))


def _said_of(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import():
            for alias in node.names:
                yield from _of_import(alias.name)
        case ast.ImportFrom():
            if shared := sorted(SHARED & {alias.name for alias in node.names}):
                yield _of_the_context(shared[0])
            if node.level:
                yield "it imports from beside itself; a strategy is one file, put what it needs into it"
            elif node.module in ("core", "core.model", "core.strategies", "core.risk", "core.risk.scaling"):
                for alias in node.names:
                    yield from _of_import(f"{node.module}.{alias.name}")
            else:
                yield from _of_import(node.module or "")
        case ast.Name(id=name) if name in TO_THE_OUTSIDE:
            yield f"it uses {name}; a strategy looks at bars and answers, and reaches nothing else: take it out"
        case ast.Attribute(attr=name) if name in CLOCKS:
            yield f"it asks for .{name}; there is no clock but the bar's: use bar.start or bar.end"
        case ast.Attribute(attr=name) if name in SHARED:
            yield _of_the_context(name)
        case ast.Attribute(attr=name) if name.startswith("__") and name not in OWN_DUNDERS:
            yield f"it reaches for {name}; take it out"
        case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
            yield "it waits for something; a bar is answered at once: take async and await out"


def _of_the_context(name: str) -> str:
    return f"it uses {name}, and would change the sums of the whole desk: use decimal.localcontext"


def _of_import(module: str) -> Iterator[str]:
    if module.partition(".")[0] in LIBRARIES or any(module == room or module.startswith(f"{room}.") for room in ROOMS):
        return
    if module.startswith(("core.brokers", "core.execution", "core.staging", "core.workflows")):
        yield f"it imports {module}; a strategy may only propose: answer with a signal and take the import out"
    elif module.partition(".")[0] in ("core", "state", "console", "widgets", "wiring", "app"):
        yield f"it imports {module}, which is not for strategies; core.strategies.kit has what they need"
    else:
        yield f"it imports {module}, which a strategy may not: take it out; docs/STRATEGIES.md says what it may import"
