"""What a workflow declares: the inputs that it answers, the facts that it follows, and when it is due.

    @answers(BarArrived)
    def on_bar(self, message: BarArrived) -> Iterable[Effect]: ...

    @follows(TradeClosed)
    def after_trade(self, fact: TradeClosed) -> Iterable[Effect] | None: ...

A fact is followed once it is folded, and what raises there takes nothing else with it. Where a workflow is due it has
`next_due` and `due`; where these act by time alone (`ACTS_BY_TIME = True`), they wait while the clock is in doubt.
Where something follows from every act, whatever it was, it has `settle`.
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
    """A workflow that something is due in."""

    def next_due(self) -> Iterable[datetime]: ...

    def due(self) -> Iterable[Effect] | None: ...


@runtime_checkable
class EndsActs(Protocol):
    """A workflow that has its turn at the end of each act, with what the act asked for until then."""

    def settle(self, asked: list[Effect]) -> Iterable[Effect] | None: ...


@runtime_checkable
class PacesRequests(Protocol):
    """The workflow that says last which effects of an act leave now, and keeps the others until there is room."""

    @property
    def is_holding(self) -> bool: ...

    def paced(self, asked: list[Effect]) -> list[Effect]: ...

    def count(self, leaving: Iterable[Effect]) -> None: ...


@runtime_checkable
class Starts(Protocol):
    """A workflow that is told what a run begins with, before it starts."""

    def begin_with(self, settings: Settings, installation: str) -> None: ...


@runtime_checkable
class HearsDiskFailure(Protocol):
    """A workflow that asks for something although no record of it can be kept: a cancel, and the word of it (SP-06)."""

    def without_disk(self, message: Input) -> Iterable[Effect]: ...


def answers(*kinds: type) -> Callable[[Act], Act]:
    """The method takes these inputs in."""

    def declare(act: Act) -> Act:
        return cast(Act, _Declared(act, ANSWERS, kinds))

    return declare


def follows(*kinds: type) -> Callable[[Act], Act]:
    """The method is told of these facts, after their fold, in the order of the engine's list."""

    def declare(act: Act) -> Act:
        return cast(Act, _Declared(act, FOLLOWS, kinds))

    return declare


def declared(workflow: object, table: str) -> Iterator[tuple[type, Callable[[Any], Any]]]:
    """What it answers or follows, each with the method that does."""
    for kind, name in getattr(type(workflow), table, {}).items():
        yield kind, getattr(workflow, name)


def declaring(protocol: Any, workflows: Iterable[object]) -> list[Any]:
    """Those workflows whose class has the protocol's methods.

    Each class is asked once: `isinstance` of a protocol would take a third of an engine's start.
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
    """A method on its way into its class: what it is for is entered there by its name, and the method stays itself."""

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
