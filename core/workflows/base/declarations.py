"""Declare the inputs that a workflow answers, the facts that it follows, and its deadlines.

    @answers(BarArrived)
    def on_bar(self, message: BarArrived) -> Iterable[Effect]: ...

    @follows(TradeClosed)
    def after_trade(self, fact: TradeClosed) -> Iterable[Effect] | None: ...

A fact is followed after its fold, and an exception there does not affect other workflows. A workflow with deadlines has
`next_due` and `due`; with `ACTS_BY_TIME = True` they wait while the clock is in doubt. A workflow that acts at the end
of every act has `settle`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

from core.messages.effects import Effect
from core.messages.inputs import Input
from core.settings.settings import Settings

Act = TypeVar("Act", bound=Callable[..., Any])

ANSWERS = "_answers"
FOLLOWS = "_follows"


@runtime_checkable
class HasDeadline(Protocol):
    """A workflow with deadlines."""

    def next_due(self) -> Iterable[datetime]: ...

    def due(self) -> Iterable[Effect] | None: ...


@runtime_checkable
class EndsActs(Protocol):
    """A workflow that runs at the end of each act and receives the effects requested so far."""

    def settle(self, asked: list[Effect]) -> Iterable[Effect] | None: ...


@runtime_checkable
class PacesRequests(Protocol):
    """The workflow that runs last: it selects the effects that leave now and keeps the others until there is room."""

    @property
    def is_holding(self) -> bool: ...

    def paced(self, asked: list[Effect]) -> list[Effect]: ...

    def count(self, leaving: Iterable[Effect]) -> None: ...


@runtime_checkable
class Starts(Protocol):
    """A workflow that receives the settings and the installation of a run before it starts."""

    def begin_with(self, settings: Settings, installation: str) -> None: ...


@runtime_checkable
class HearsDiskFailure(Protocol):
    """A workflow with effects that need no record, such as a cancel and its notice (SP-06)."""

    def without_disk(self, message: Input) -> Iterable[Effect]: ...


def answers(*kinds: type) -> Callable[[Act], Act]:
    """Declare that the method answers these inputs."""

    def declare(act: Act) -> Act:
        return cast(Act, _Declared(act, ANSWERS, kinds))

    return declare


def follows(*kinds: type) -> Callable[[Act], Act]:
    """Declare that the method follows these facts, after their fold and in the order of the engine's list."""

    def declare(act: Act) -> Act:
        return cast(Act, _Declared(act, FOLLOWS, kinds))

    return declare


def declared(workflow: object, table: str) -> Iterator[tuple[type, Callable[[Any], Any]]]:
    """Yield the types that a workflow answers or follows, each with its method."""
    for kind, name in getattr(type(workflow), table, {}).items():
        yield kind, getattr(workflow, name)


def declaring(protocol: Any, workflows: Iterable[object]) -> list[Any]:
    """Return the workflows whose class has the protocol's methods.

    The result is cached per class: `isinstance` with a protocol would take a third of an engine's start.
    """
    found = []
    for workflow in workflows:
        key = type(workflow), protocol
        if key not in _DECLARING:
            _DECLARING[key] = isinstance(workflow, protocol)
        if _DECLARING[key]:
            found.append(workflow)
    return found


_DECLARING: dict[tuple[type, Any], bool] = {}


class _Declared:
    """A decorated method; `__set_name__` enters it into the class's table and restores the plain method."""

    def __init__(self, act: Callable[..., Any], table: str, kinds: tuple[type, ...]) -> None:
        self.act, self.table, self.kinds = act, table, kinds

    def __set_name__(self, owner: type, name: str) -> None:
        entries = owner.__dict__.get(self.table)
        if entries is None:
            entries = {}
            setattr(owner, self.table, entries)
        entries.update(dict.fromkeys(self.kinds, name))
        if isinstance(self.act, _Declared):
            self.act.__set_name__(owner, name)
        else:
            setattr(owner, name, self.act)
