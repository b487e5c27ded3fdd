"""Static checks of a user's strategy file, and loading it in its own process (OP-01, ST-01).

Imports are limited because they are loaded before the process gives up file access; a clock, random numbers or threads
would make a replay differ. These checks find mistakes only; the sandbox enforces the limits (`sandbox.py`).
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from traceback import walk_tb
from types import ModuleType
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from core.model.lazy_dataclass import dataclass
from core.settings.strategies import UserStrategySettings
from core.strategies.kit import OwnStrategy
from core.strategies.trade_plan import UnfitError

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
    "core.strategies.indicators",
    "core.model.bar",
    "core.model.order",
    "core.model.recommendation",
    "core.model.session",
    "core.model.signal",
    "core.model.values",
    "core.risk.sizing",
)
"""Modules of this program: the vocabulary, the indicators, and position sizing."""
ABOVE_THEM = ("core", "core.model", "core.strategies", "core.risk")
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


CONTAINERS = (list, dict, set, frozenset, tuple, deque)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The class in a file, or every reason for its refusal, one line each."""

    made: Any = None
    faults: tuple[str, ...] = ()


def loaded(name: str, where: str, text: str) -> Loaded:
    """Load the text of a file; `where` is the file's path in messages. Text with faults is not run."""
    file = where.rpartition("/")[2]
    if slips := faults_in(text):
        return Loaded(None, tuple(f"{file}, line {slip.line}: {slip.words}" for slip in slips))
    module = ModuleType(f"own_strategy_{name}")
    module.__file__ = where
    sys.modules[module.__name__] = module  # dataclasses and pydantic look up their types there
    try:
        exec(compile(text, where, "exec"), module.__dict__)
        made = _class_in(module)
        if isinstance(made, str):
            return Loaded(None, (f"{file}: {made}",))
        faults = faults_of(made, name)
    except MemoryError:
        raise
    except BaseException as error:  # any error while the code is loaded is a fault of the strategy
        return Loaded(None, (f"{file}{_line_of(error, where)}: it raises {said_of(error)}; fix that line",))
    return Loaded(made, tuple(f"{file}, line {_line(text, made)}: {fault}" for fault in faults))


def said_of(error: BaseException) -> str:
    """Return an exception's name and message; the message may itself raise."""
    try:
        words = str(error)
    except BaseException:
        words = ""
    return f"{type(error).__name__}: {words}".removesuffix(": ")


def _class_in(module: ModuleType) -> Any:
    """Return the one strategy class; a message if there is none or more than one.

    Base classes within the file do not count.
    """
    here = [kind for kind in vars(module).values() if isinstance(kind, type) and kind.__module__ == module.__name__]
    classes = [kind for kind in here if issubclass(kind, OwnStrategy) or callable(getattr(kind, "on_bar", None))]
    last = [kind for kind in classes if not any(kind in other.__mro__[1:] for other in classes)]
    if not last:
        return "it has no strategy; write a class that derives from OwnStrategy and has on_bar"
    if len(last) > 1:
        names = ", ".join(kind.__name__ for kind in last)
        return f"it has {len(last)} strategies, {names}; one file is one strategy, move the others"
    return last[0]


def _line_of(error: BaseException, where: str) -> str:
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}"
    lines = [line for frame, line in walk_tb(error.__traceback__) if frame.f_code.co_filename == where]
    return f", line {lines[-1]}" if lines else ""


def _line(text: str, made: Any) -> int:
    """Return the line where the class begins."""
    lines = enumerate(text.splitlines(), 1)
    return next((number for number, line in lines if line.startswith(f"class {made.__name__}")), 1)


# ── its settings ─────────────────────────────────────────────────────────────────────────────────────────────────────


def settings_reader(made: Any) -> Callable[[Mapping[str, object]], object]:
    """Return a reader of the strategy's own settings, which raises `UnfitError` with the key's name."""
    adapter, known = TypeAdapter(made.Settings), _fields(made.Settings)

    def read(values: Mapping[str, object]) -> object:
        if unknown := sorted(set(values) - set(known)):
            inside = ", ".join(known) or "none"
            raise UnfitError(f"strategies.{made.name}.{unknown[0]}: there is no such setting; it has {inside}")
        try:
            return adapter.validate_python(dict(values))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(("strategies", made.name, *map(str, first["loc"])))
            words = first["msg"].replace("Input should", "must").removeprefix("Value error, ")
            raise UnfitError(f"{place} = {first['input']!r}: {words}; change it in the settings") from None

    return read


def _fields(kind: Any) -> tuple[str, ...]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return tuple(kind.model_fields)
    return tuple(field.name for field in dataclasses.fields(kind))


# ── its class ────────────────────────────────────────────────────────────────────────────────────────────────────────


def faults_of(made: Any, name: str) -> tuple[str, ...]:
    """Return the faults of the class in a file of that name, each with a remedy."""
    found = []
    if getattr(made, "name", None) != name:
        found.append(f"its name is {getattr(made, 'name', None)!r}, and the file's is {name!r}; make them the same")
    if not callable(getattr(made, "on_bar", None)):
        found.append("it has no on_bar; write `def on_bar(self, bar, context)` and answer each bar there")
    elif fault := _on_bar_fault(made):
        found.append(fault)
    found += [fault for fault in (_state_fault(made), _settings_fault(made)) if fault]
    if not found:
        found += [fault for fault in (_making_fault(made),) if fault]
    return tuple(found)


def _on_bar_fault(made: Any) -> str | None:
    """Return why `on_bar` cannot be called with a bar and a context, or cannot answer at once; None if it can."""
    found = inspect.getattr_static(made, "on_bar")
    call = getattr(found, "__func__", found)
    if inspect.isgeneratorfunction(call) or inspect.iscoroutinefunction(call):
        return "its on_bar is a generator, which answers nothing; write `return` in the place of `yield`"
    try:
        inspect.signature(call).bind(*(None,) * (2 if isinstance(found, staticmethod) else 3))
    except (TypeError, ValueError):
        return "its on_bar does not take a bar and a context; write `def on_bar(self, bar, context)`"
    return None


def _untyped(kind: Any) -> str | None:
    """Return the first field of a dataclass, also nested, whose type does not specify its content."""
    hints = get_type_hints(kind, include_extras=True)
    for name, value in vars(kind).items():
        is_plain = not isinstance(value, classmethod | staticmethod | property) and not inspect.isroutine(value)
        if not name.startswith("__") and name not in hints and is_plain and not isinstance(value, type):
            return f"{kind.__name__}.{name} has no type"
    for name, hint in hints.items():
        if get_origin(hint) is not ClassVar and (what := _says_nothing(hint, {kind})):
            return f"{kind.__name__}.{name} is {what}"
    return None


def _says_nothing(hint: Any, seen: set[Any]) -> str | None:
    if hint is Any or hint is object:
        return "Any" if hint is Any else "object"
    if hint in CONTAINERS:
        return f"a {hint.__name__} of anything"
    if isinstance(hint, type) and dataclasses.is_dataclass(hint) and hint not in seen:
        return _untyped(hint)
    inside = (each for each in get_args(hint) if isinstance(each, type) or get_origin(each) or each is Any)
    return next((what for each in inside if (what := _says_nothing(each, seen))), None)


def _state_fault(made: Any) -> str | None:
    state = getattr(made, "State", None)
    how = "give it `State = …`, a class under @dataclass(slots=True) whose fields have types and defaults"
    if not isinstance(state, type) or not dataclasses.is_dataclass(state):
        return f"it keeps no typed state; {how}"
    if "__slots__" not in vars(state):
        return f"its State {state.__name__} has no slots; write @dataclass(slots=True) over it"
    try:
        if untyped := _untyped(state):
            return f"its State does not say what is in it: {untyped}; give it a type such as int, Decimal or list[str]"
        adapter, fresh = TypeAdapter(state), state()
        again = adapter.validate_json(adapter.dump_json(fresh, warnings="error"))
    except Exception as error:  # any error while the class is created and saved
        return f"its State cannot be made, saved and restored: {_short(error)}; {how}"
    return None if again == fresh else f"its State is another one after it was saved and restored; {how}"


def _settings_fault(made: Any) -> str | None:
    kind: Any = getattr(made, "Settings", None)
    is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
    if not is_model and not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        return "it has no Settings; give it a dataclass or a pydantic model, or NoSettings of the kit"
    if taken := sorted(set(_fields(kind)) & set(UserStrategySettings.model_fields)):
        return f"its setting {taken[0]} is one that the desk reads itself; give it another name"
    try:
        adapter = TypeAdapter(kind)
        adapter.validate_python(adapter.dump_python(adapter.validate_python({}), warnings=False))
    except Exception as error:
        return f"its Settings cannot be made of their defaults: {_short(error)}; give every field a type and a default"
    return None


def _making_fault(made: Any) -> str | None:
    try:
        running = made(TypeAdapter(made.Settings).validate_python({}), made.State())
        is_kept = isinstance(running.state, made.State)
    except Exception as error:
        return f"it cannot be made with its settings and its state: {_short(error)}; take (self, settings, state)"
    return None if is_kept else "it keeps another state than it was given; keep it as self.state"


def _short(error: Exception) -> str:
    """Return the first line of an error, with its name."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
