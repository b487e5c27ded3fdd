"""A strategy of the user's as one of the desk's: what its class must be, how it is made, and what stands in for it.

The house never trusts its shape: whatever is wrong with it is a reason in words, and never keeps the desk from opening.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, ClassVar, get_args, get_origin, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError

from core.model.bar import Bar
from core.model.order import StopHolder
from core.model.signal import Answer, EntrySignal, NoTrade, NoTradeReason
from core.own_terms import OWN_NAME, OwnTerms
from core.settings import HOUSE_NAMES, StrategiesSettings
from core.strategies.base import Context, Figures, Strategy
from core.strategies.house import HOUSE, Kind, Kinds
from core.strategies.patience import OverdueError, within_patience
from core.strategies.sound_state import Memory, UnfitError, misfit

RESERVED = frozenset({*HOUSE_NAMES, *StrategiesSettings.model_fields, "manual", "house", "desk", "broker", "keyturn"})
CONTAINERS = (list, dict, set, frozenset, tuple, deque)
MISSING = NoTrade(NoTradeReason.MISSING)


class RaisedError(Exception):
    """A strategy of the user's raised something: its name and its words (ST-07)."""


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
    elif fault := _on_bar_fault(made):
        found.append(fault)
    found += [fault for fault in (_state_fault(made), _settings_fault(made)) if fault]
    if not found:
        found += [fault for fault in (_making_fault(made),) if fault]
    return tuple(found)


def kind_of(made: Any) -> Kind:
    """How one is made of a sound class."""
    of_settings, of_state = settings_reader(made), TypeAdapter(made.State)

    def make(terms: OwnTerms, memory: Any) -> OwnRunning:
        remembered, forgot = _remembered(made, of_state, memory)
        inner = within_patience(made, of_settings(terms.terms), remembered)
        return OwnRunning(inner, Memory(made.State, of_state, remembered), forgot)

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
    """One that runs: the same questions as to a strategy of the house, its stop always at the broker.

    Attributes
    ----------
    forgot
        What of the memory that it was given did not fit, so that it begins anew; empty where all did.
    """

    def __init__(self, inner: Any, memory: Memory, forgot: str = "") -> None:
        self.inner = inner
        self.name: str = inner.name
        self.state: Any = inner.state
        self.forgot = forgot
        self._memory = memory

    def on_bar(self, bar: Bar, context: Context) -> Answer:
        own_copy = replace(context)  # what it writes there is its own
        try:
            answer: Answer = _asked(self.inner.on_bar, bar, own_copy)
        except OverdueError:  # as far as it came with this bar, it saw none of it
            raise
        except RaisedError:
            self._keep_state()
            raise
        self._keep_state()
        if isinstance(answer, NoTrade) and not isinstance(answer.reason, NoTradeReason):
            raise UnfitError(f"its reason {answer.reason!r} is none of NoTradeReason; answer with one of those")
        if isinstance(answer, EntrySignal) and answer.stop_holder is not StopHolder.BROKER:
            raise UnfitError("the stop of an own strategy is the broker's: set stop_holder to StopHolder.BROKER")
        return answer

    def miss(self) -> None:
        """It had no answer to a bar in time: it goes on as one that was not shown it."""
        self.state = self.inner.state = self._memory.last_sound()

    def _keep_state(self) -> None:
        """The state, which can be saved and comes back as it is; else the last that could (ST-01)."""
        try:
            self._memory.look_at(self.inner.state)
        except Exception:
            self.inner.state = self._memory.last_sound()
            raise
        finally:
            self.state = self.inner.state

    def figures(self, day: date) -> Figures:
        """What it says of itself; what cannot be shown is left out."""
        try:
            told = within_patience(self._told, day)
        except BaseException as error:  # the pane is drawn whatever it says
            return (("figures", f"raised {type(error).__name__}"),)
        return told

    def _told(self, day: date) -> Figures:
        return tuple((str(name), str(value)) for name, value in self.inner.figures(day))


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


def started(kinds: Kinds, name: str, terms: Any, memory: Any) -> Strategy:
    """The strategy of that name with its table in the settings; where one of the user's cannot start, its stand-in."""
    kind = kinds.known.get(name)
    if kind is None:
        words = kinds.faults.get(name, f"{name}.py is not among your strategies; put it back, or turn it off")
        return MissingStrategy(name, memory, words)
    try:
        return kind.make(terms, memory)
    except BaseException as error:
        if name in HOUSE:
            raise
        return MissingStrategy(name, memory, str(error) if isinstance(error, UnfitError) else said_of(error))


def error_in_words(error: Exception) -> str:
    """What a strategy raised, for a person."""
    return str(error) if isinstance(error, RaisedError) else f"{type(error).__name__}: {error}"


def said_of(error: BaseException) -> str:
    """The name of what foreign code raised, and its words where it has any that can be asked for."""
    try:
        words = within_patience(str, error)
    except BaseException:
        words = ""
    return f"{type(error).__name__}: {words}".removesuffix(": ")


def _asked(call: Callable[..., Answer], *args: object) -> Answer:
    """What it answers. Whatever it raises is its failure, also what would pass every guard and end the program."""
    try:
        return within_patience(call, *args)
    except OverdueError:
        raise
    except BaseException as error:
        raise RaisedError(said_of(error)) from None


def _remembered(made: Any, of_state: TypeAdapter[Any], memory: Any) -> tuple[Any, str]:
    """The memory as its own type, and what did not fit: it is a new one then, as it is where there was none."""
    if memory is None or isinstance(memory, made.State):
        return (made.State() if memory is None else memory), ""
    try:
        return of_state.validate_python(memory), ""
    except ValidationError as error:
        return made.State(), misfit(error)


def _fields(kind: Any) -> tuple[str, ...]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return tuple(kind.model_fields)
    return tuple(field.name for field in dataclasses.fields(kind))


def _on_bar_fault(made: Any) -> str | None:
    """Whether it can be called with a bar and a context, and answers then and there."""
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
    """The first field of a dataclass, or of one inside of it, whose type does not say what is in it."""
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
    """The first line of an error, with its name."""
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}"
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
