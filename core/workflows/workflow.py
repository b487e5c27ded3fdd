"""What a workflow declares, its deadlines, and the calls that follow from facts.

    @answers(BarArrived)
    def on_bar(self, message: BarArrived) -> Iterable[Effect]: ...

    @follows(TradeClosed)
    def after_trade(self, fact: TradeClosed) -> Iterable[Effect] | None: ...

A fact is followed after its fold, and an exception there does not affect other workflows. A workflow with deadlines has
`next_due` and `due`. With `ACTS_BY_TIME = True` they wait while the clock is in doubt. With `DUE_BY_FACTS = True` only
facts move them, neither time nor an answer that is not recorded. With `RUNS_WITH_OTHERS = True` it also runs with every
deadline of another workflow. A workflow that acts at the end of every act has `settle`.

The facts and effects of that step up to the exception stay valid: the gateway lets no entry out while the desk is
halted (EX-14, EX-22). A failing disk is not isolated: its JournalError propagates.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol, TypeVar, cast, runtime_checkable

from core.facts import Halted
from core.messages.effects import Effect
from core.messages.inputs import Input
from core.model.codes import HaltCause
from core.model.text_sanitizer import is_news
from core.ports import JournalError
from core.settings.settings import Settings
from core.trading_state.state import TradingState

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


def apart(state: TradingState, act: Callable[[], Iterable[Effect] | None]) -> Iterator[Effect]:
    """Yield the effects of `act`, up to an exception."""
    try:
        yield from act() or ()
    except JournalError:
        raise
    except Exception as error:  # an unexpected error is reported, whatever it is
        halt_for(state, error)


def done_apart(state: TradingState, act: Callable[[], None]) -> None:
    """Run an act without effects in the same isolation."""
    deque(apart(state, act), maxlen=0)


def halt_for(state: TradingState, error: Exception) -> None:
    """Halt for an unexpected error; record it only if its reason differs from the current halt's."""
    state.sightings.faults += 1
    reason = f"{type(error).__name__}: {error}"
    if is_news(reason, state.control.halts.get(HaltCause.INVARIANT)):
        state.record(Halted(HaltCause.INVARIANT, reason))


NEVER = datetime.max.replace(tzinfo=UTC)


class Deadlines:
    """The workflows' deadlines, each kept from the last plan until the next fact, which may move any of them.

    A workflow whose kept deadline is in the future is not run, unless it runs with others, and one whose deadlines only
    facts move is not asked again.

    A deadline whose workflow raised does not end a wait again: it would raise forever (EX-14). The workflow runs with
    every later deadline until it succeeds.
    """

    def __init__(self, state: TradingState, workflows: Sequence[HasDeadline]) -> None:
        self.state = state
        self.workflows = workflows
        self._all = tuple(enumerate(workflows))
        waiting = self._declaring("ACTS_BY_TIME")
        self._by_any_clock = tuple(each for each in self._all if each[0] not in waiting)
        """The workflows that also act while the clock is in doubt (EX-23)."""
        self._by_facts, self._with_others = self._declaring("DUE_BY_FACTS"), self._declaring("RUNS_WITH_OTHERS")
        self._first: dict[int, datetime] = {}
        """The first deadline of each workflow, `NEVER` if it has none."""
        self._failed: dict[int, datetime] = {}

    def _declaring(self, name: str) -> frozenset[int]:
        return frozenset(number for number, workflow in self._all if getattr(workflow, name, False))

    def hear(self) -> None:
        """Forget what is kept: a fact was recorded."""
        self._first.clear()

    def reach(self) -> Iterator[Effect]:
        """Run every workflow that is due or that failed, and each one behind it once a fact was recorded."""
        for number, workflow in self._not_waiting():
            is_due = self._first.get(number, self.state.at) <= self.state.at
            if not is_due and number not in self._with_others:
                continue
            faults = self.state.sightings.faults
            try:
                yield from workflow.due() or ()
            except JournalError:
                raise
            except Exception as error:  # as in `apart`
                halt_for(self.state, error)
            if self.state.sightings.faults > faults:
                self._failed[number] = self.state.at
            else:
                self._failed.pop(number, None)

    def next(self) -> datetime | None:
        return self._earliest(None)

    def next_later(self) -> datetime | None:
        """Return the next deadline in the future: the current ones have just failed."""
        return self._earliest(self.state.at)

    def give_up_what_is_due(self) -> None:
        self._failed = dict.fromkeys(range(len(self.workflows)), self.state.at)

    def forgive(self) -> None:
        """Call failed deadlines again after an operator has looked at the fault."""
        self._failed.clear()

    def _not_waiting(self) -> Sequence[tuple[int, HasDeadline]]:
        """Return each workflow with its number, except those that wait while the clock is in doubt (EX-23)."""
        return self._by_any_clock if self.state.control.is_clock_in_doubt else self._all

    def _earliest(self, after: datetime | None) -> datetime | None:
        """Return the earliest deadline after `after`, if given; for a failed workflow, after its failure.

        Nothing is kept of a workflow that raises: it runs with every deadline.
        """
        found, kept = [NEVER], self._first
        for number, workflow in self._not_waiting():
            since = after or (self._failed.get(number) if self._failed else None)
            if since is None and number in self._by_facts and number in kept:
                found.append(kept[number])
                continue
            first, is_known = NEVER, False
            try:
                for at in workflow.next_due():
                    if at < first and (since is None or at > since):
                        first = at
                is_known = since is None
            except JournalError:
                raise
            except Exception as error:  # as in `apart`
                halt_for(self.state, error)
            if is_known:
                kept[number] = first
            else:
                kept.pop(number, None)
            found.append(first)
        earliest = min(found)
        return None if earliest is NEVER else earliest


def follow_up(state: TradingState, only: type | None = None) -> Iterator[Effect]:
    """Run everything that follows from the facts recorded so far, before the caller's next step.

    Reactions at the end of the act need no call of this.
    """
    while news := state.news.take(only):
        for follower, fact in news:
            yield from apart(state, partial(follower, fact))
