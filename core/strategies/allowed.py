"""What the text of a user's strategy may say, judged before any of it runs (OP-01, ST-01).

A strategy proposes: it imports no broker, no execution and no staging, opens nothing, and reads no clock but the bar's.
This reads the text alone. It finds slips and is no sandbox: whoever wants to get around it can, so run only what you
trust.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

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
ABOVE_THEM = ("core", "core.model", "core.strategies", "core.risk", "core.risk.scaling")
"""Packages of rooms: one is named on the way to a room, and is nothing itself."""
TO_THE_OUTSIDE = frozenset(
    {
        "BaseException",
        "BaseExceptionGroup",
        "GeneratorExit",
        "KeyboardInterrupt",
        "SystemExit",
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
    except (RecursionError, MemoryError):
        return (Fault(1, "it is nested too deeply to be read; write it plainer"),)
    except (SyntaxError, ValueError) as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        return (Fault(line or 1, f"it is no Python: {getattr(error, 'msg', error)}; mend that line"),)
    modules = dict(_modules_named(tree))
    found = (Fault(getattr(node, "lineno", 1), words) for node in ast.walk(tree) for words in _said_of(node, modules))
    return tuple(sorted(found, key=lambda fault: (fault.line, fault.words)))


def _modules_named(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Which module each name stands for, as the imports say it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                if inner := _module_inside(node.module, alias.name):
                    yield alias.asname or alias.name, inner


def _module_inside(module: str, name: str) -> str | None:
    """The module that a name of an allowed module is; None where it is something else, or not known."""
    if module in ABOVE_THEM:
        return f"{module}.{name}"
    if any(_of_import(module)):
        return None
    try:
        inside = getattr(import_module(module), "__dict__", {}).get(name)
    except Exception:  # it would not load in the strategy either, and says so there
        return None
    if isinstance(inside, ModuleType):
        return inside.__name__
    return f"{module}.{name}" if f"{module}.{name}" in sys.modules else None


def _module_of(node: ast.AST, modules: Mapping[str, str]) -> str | None:
    """The module that an expression such as `pydantic.main` names."""
    if isinstance(node, ast.Name):
        return modules.get(node.id)
    if not isinstance(node, ast.Attribute):
        return None
    outer = _module_of(node.value, modules)
    return outer and _module_inside(outer, node.attr)


def _of_name_in(module: str, name: str) -> Iterator[str]:
    """What is wrong with a name out of a library or a room that may be imported."""
    if module not in ABOVE_THEM and any(_of_import(module)):
        return
    if name == "*":
        yield f"it imports everything of {module}; name what it needs"
    elif name.startswith("_"):
        yield f"it reaches for {name} of {module}, which is not for others; take it out"
    elif (inner := _module_inside(module, name)) and inner not in ABOVE_THEM and any(_of_import(inner)):
        yield f"it reaches for {inner} through {module}; a strategy may not import it: take it out"


def _said_of(node: ast.AST, modules: Mapping[str, str]) -> Iterator[str]:
    match node:
        case ast.Import():
            for alias in node.names:
                yield from _of_import(alias.name)
        case ast.ImportFrom():
            if shared := sorted(SHARED & {alias.name for alias in node.names}):
                yield _of_the_context(shared[0])
            if node.level:
                yield "it imports from beside itself; a strategy is one file, put what it needs into it"
            elif node.module in ABOVE_THEM:
                for alias in node.names:
                    yield from _of_import(f"{node.module}.{alias.name}")
            else:
                yield from _of_import(node.module or "")
                for alias in node.names:
                    yield from _of_name_in(node.module or "", alias.name)
        case ast.Name(id=name) if name in TO_THE_OUTSIDE:
            yield f"it uses {name}; a strategy looks at bars and answers, and reaches nothing else: take it out"
        case ast.Name(id=name, ctx=ast.Load()) if name.startswith("__") and name not in OWN_DUNDERS:
            yield f"it reaches for {name}; take it out"
        case ast.Attribute(value=value, attr=name) if (module := _module_of(value, modules)) and any(
            _of_name_in(module, name)
        ):
            yield from _of_name_in(module, name)
        case ast.Attribute(attr=name) if name in CLOCKS:
            yield f"it asks for .{name}; there is no clock but the bar's: use bar.start or bar.end"
        case ast.Attribute(attr=name) if name in SHARED:
            yield _of_the_context(name)
        case ast.Attribute(attr=name) if name.startswith("__") and name not in OWN_DUNDERS:
            yield f"it reaches for {name}; take it out"
        case ast.ExceptHandler(type=None):
            yield "it catches everything, also what ends it; write `except Exception:`"
        case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
            yield "it waits for something; a bar is answered at once: take async and await out"


def _of_the_context(name: str) -> str:
    return f"it uses {name}, and would change the sums of the whole desk: use decimal.localcontext"


def _of_import(module: str) -> Iterator[str]:
    if module.partition(".")[0] in LIBRARIES and "._" not in module:
        return
    if any(module == room or module.startswith(f"{room}.") for room in ROOMS):
        return
    if module.startswith(("core.brokers", "core.execution", "core.staging", "core.workflows")):
        yield f"it imports {module}; a strategy may only propose: answer with a signal and take the import out"
    elif module.partition(".")[0] in ("core", "state", "console", "widgets", "wiring", "app"):
        yield f"it imports {module}, which is not for strategies; core.strategies.kit has what they need"
    else:
        yield f"it imports {module}, which a strategy may not: take it out; docs/STRATEGIES.md says what it may import"
