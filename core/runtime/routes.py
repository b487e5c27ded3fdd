"""How an engine handles an input or a fact, read from its workflows and slices; for troubleshooting.

Nothing is listed here: inputs and followed facts come from the workflows' declarations, folds from the slices, and a
workflow's uses from its attributes. Nothing is run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from core.engine import COMMANDS, Engine
from core.facts.registry import BY_NAME, Fact, kind_of
from core.messages.inputs import DeadlineReached
from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError
from core.trading_state.slices import named_folds
from core.workflows.workflow import FOLLOWS, EndsActs, HasDeadline, declared

WORKFLOWS = "core.workflows."


@dataclass(frozen=True, slots=True)
class Step:
    """One workflow's part.

    Attributes
    ----------
    name
        Class and method: `Confirmations.on_confirm`.
    file
        The path of the class, from the top of the project.
    uses
        The workflows that its class was given, and may call.
    """

    name: str
    file: str
    uses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FactRoute:
    """The route of a fact: the slices that fold it, by document name, then the workflows that follow it."""

    name: str
    version: int
    folded_by: tuple[str, ...]
    followed_by: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class InputRoute:
    """The route of an input, in order.

    Attributes
    ----------
    is_command
        Whether it is a command of a person, a script or a file keeper.
    due
        For the deadline alone: the workflows that have deadlines.
    settled_by
        The workflows that run at the end of every act.
    """

    name: str
    is_command: bool
    answered_by: tuple[Step, ...]
    due: tuple[Step, ...]
    settled_by: tuple[Step, ...]


class Routes:
    """The routes of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._inputs = {kind.__name__: kind for kind in engine.handlers}
        self._folded = named_folds(engine.state.slices)

    @property
    def names(self) -> tuple[str, ...]:
        """Every input, then every fact, by its name in journals."""
        facts = (name for name, kind in BY_NAME.items() if name == kind.name)
        return (*sorted(self._inputs), *sorted(facts))

    def of(self, name: str) -> FactRoute | InputRoute:
        """Return the route of an input or a fact by name; an older name of a fact works too.

        Raises
        ------
        OperatorError
            There is none of that name.
        """
        if name in self._inputs:
            return self.of_input(self._inputs[name])
        if name in BY_NAME:
            return self.of_fact(BY_NAME[name].made)
        near = get_close_matches(name, (*self._inputs, *BY_NAME), cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "without a name all are listed"
        raise OperatorError(f"{name}: no input and no fact has this name; {hint}")

    def of_fact(self, fact: type[Fact]) -> FactRoute:
        kind = kind_of(fact)
        followed = (
            _step(workflow, act.__name__)
            for workflow in self._engine.workflows
            for followed, act in declared(workflow, FOLLOWS)
            if followed is fact
        )
        folded = tuple(name for name, _ in self._folded.get(fact, ()))
        return FactRoute(kind.name, kind.version, folded, tuple(followed))

    def of_input(self, kind: type) -> InputRoute:
        workflows = self._engine.workflows
        return InputRoute(
            kind.__name__,
            kind in COMMANDS,
            tuple(_step(act.__self__, act.__name__) for act in self._engine.handlers[kind]),  # type: ignore[attr-defined]
            tuple(_steps(workflows, HasDeadline, "due")) if kind is DeadlineReached else (),
            tuple(_steps(workflows, EndsActs, "settle")),
        )


def _steps(workflows: Iterable[object], trait: type, act: str) -> Iterator[Step]:
    return (_step(workflow, act) for workflow in workflows if isinstance(workflow, trait))


def _step(workflow: object, act: str) -> Step:
    given = (type(each) for each in vars(workflow).values() if type(each).__module__.startswith(WORKFLOWS))
    uses = () if isinstance(workflow, Engine) else tuple(kind.__name__ for kind in given)
    owner = type(workflow)
    return Step(f"{owner.__name__}.{act}", f"{owner.__module__.replace('.', '/')}.py", uses)
