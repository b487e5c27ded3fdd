"""A strategy of the user's as one of the desk's: what its class must be, how it is made, and what stands in for it.

The house never trusts its shape: whatever is wrong with it is a reason in words, and never keeps the desk from opening.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from core.model.bar import Bar
from core.model.order import StopHolder
from core.model.signal import Answer, EntrySignal, NoTrade, NoTradeReason
from core.own_terms import OWN_NAME, OwnTerms
from core.settings import HOUSE_NAMES, StrategiesSettings
from core.strategies.base import Context, Figures
from core.strategies.house import Kind

RESERVED = frozenset({*HOUSE_NAMES, *StrategiesSettings.model_fields, "manual", "house", "desk", "broker", "keyturn"})
MISSING = NoTrade(NoTradeReason.MISSING)


class UnfitError(ValueError):
    """What keeps a strategy of the user's from being made, in one line."""


def name_fault(name: str) -> str | None:
    """Why no strategy of the user's can have this name; None where one can."""
    if not OWN_NAME.fullmatch(name):
        return f"{name!r} is no name for a strategy: small letters, digits and _, a letter first, at most 24"
    if name in RESERVED:
        return f"{name} is a name of the house; give file and strategy another one"
    return None


def faults_of(made: Any, name: str) -> tuple[str, ...]:
    """What is wrong with the class in a file of that name, each with what to do."""
    found = []
    if getattr(made, "name", None) != name:
        found.append(f"its name is {getattr(made, 'name', None)!r}, and the file's is {name!r}; make them the same")
    if not callable(getattr(made, "on_bar", None)):
        found.append("it has no on_bar; write `def on_bar(self, bar, context)` and answer each bar there")
    found += [fault for fault in (_state_fault(made), _settings_fault(made)) if fault]
    if not found:
        found += [fault for fault in (_making_fault(made),) if fault]
    return tuple(found)


def kind_of(made: Any) -> Kind:
    """How one is made of a sound class."""
    of_settings, of_state = settings_reader(made), TypeAdapter(made.State)

    def make(terms: OwnTerms, memory: Any) -> OwnRunning:
        return OwnRunning(made(of_settings(terms.terms), _remembered(made, of_state, memory)))

    return Kind(make, made.State)


def settings_reader(made: Any) -> Callable[[Mapping[str, object]], object]:
    """Reads the strategy's own settings. What it returns raises `UnfitError`, naming the key."""
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


class OwnRunning:
    """One that runs: the same questions as to a strategy of the house, its stop always at the broker."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.name: str = inner.name
        self.state: Any = inner.state

    def on_bar(self, bar: Bar, context: Context) -> Answer:
        answer: Answer = self.inner.on_bar(bar, replace(context))  # its own copy: what it writes there is its own
        self.state = self.inner.state
        if isinstance(answer, NoTrade) and not isinstance(answer.reason, NoTradeReason):
            raise UnfitError(f"its reason {answer.reason!r} is none of NoTradeReason; answer with one of those")
        if isinstance(answer, EntrySignal) and answer.stop_holder is not StopHolder.BROKER:
            raise UnfitError("the stop of an own strategy is the broker's: set stop_holder to StopHolder.BROKER")
        return answer

    def figures(self, day: date) -> Figures:
        """What it says of itself; what cannot be shown is left out."""
        try:
            told = tuple((str(name), str(value)) for name, value in self.inner.figures(day))
        except Exception as error:  # the pane is drawn whatever it says
            return (("figures", f"raised {type(error).__name__}"),)
        return told


class MissingStrategy:
    """Stands in for one that does not load: it opens nothing, and keeps the memory untouched (SP-03)."""

    def __init__(self, name: str, memory: Any, reason: str) -> None:
        self.name = name
        self.state = memory
        self.reason = reason

    def on_bar(self, _bar: Bar, _context: Context) -> Answer:
        return MISSING

    def figures(self, _day: date) -> Figures:
        return ()


def _remembered(made: Any, of_state: TypeAdapter[Any], memory: Any) -> Any:
    """The memory as its own type; a new one where there is none, or where it no longer fits."""
    if memory is None or isinstance(memory, made.State):
        return made.State() if memory is None else memory
    try:
        return of_state.validate_python(memory)
    except ValidationError:
        return made.State()


def _fields(kind: Any) -> tuple[str, ...]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return tuple(kind.model_fields)
    return tuple(field.name for field in dataclasses.fields(kind))


def _state_fault(made: Any) -> str | None:
    state = getattr(made, "State", None)
    how = "give it `State = …`, a class under @dataclass(slots=True) whose fields have types and defaults"
    if not isinstance(state, type) or not dataclasses.is_dataclass(state):
        return f"it keeps no typed state; {how}"
    if "__slots__" not in vars(state):
        return f"its State {state.__name__} has no slots; write @dataclass(slots=True) over it"
    try:
        adapter, fresh = TypeAdapter(state), state()
        again = adapter.validate_json(adapter.dump_json(fresh, warnings="error"))
    except Exception as error:  # whatever a class can do while it is made and written
        return f"its State cannot be made, saved and restored: {_short(error)}; {how}"
    return None if again == fresh else f"its State is another one after it was saved and restored; {how}"


def _settings_fault(made: Any) -> str | None:
    kind: Any = getattr(made, "Settings", None)
    is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
    if not is_model and not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        return "it has no Settings; give it a dataclass or a pydantic model, or NoSettings of the kit"
    if taken := sorted(set(_fields(kind)) & set(OwnTerms.model_fields)):
        return f"its setting {taken[0]} is one that the desk reads itself; give it another name"
    try:
        TypeAdapter(kind).validate_python({})
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
    """The first line of an error, with its name."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
