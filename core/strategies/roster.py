"""Place strategies on symbols by settings and facts alone: VWAP always, another once it was enabled (ST-09)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from core.model.session import Venue
from core.model.values import Symbol
from core.risk.size_factors.base import Conditions
from core.settings.settings import Settings
from core.strategies.builtin import HOUSE, StrategyKinds
from core.strategies.context_refresh import HoldingsPort
from core.strategies.memory import OrchestratorState, RunnerState, StrategyMemory
from core.strategies.runner import Made, Runner, a_runner, key_of
from core.strategies.user_strategies import RESERVED
from core.strategies.vwap import VwapStrategy


class Roster:
    """Places strategies on symbols, and selects those that run.

    Attributes
    ----------
    places
        Every strategy that may run, by symbol.
    runners
        Those of them that run, since the last replay.
    left
        Those of earlier settings, which still have queued steps.
    is_built
        The places changed since the runners were selected.
    """

    def __init__(
        self, venue: Venue, kinds: StrategyKinds, holdings: HoldingsPort, conditions: Callable[[Runner], Conditions]
    ) -> None:
        self.kinds = kinds
        self.holdings = holdings
        self.places: dict[Symbol, list[Runner]] = {}
        self.runners: dict[Symbol, list[Runner]] = {}
        self.left: dict[str, Runner] = {}
        self.is_built = False
        self._venue = venue
        self._conditions = conditions
        self._settings = Settings()

    def runner(self, strategy: str, symbol: Symbol) -> Runner | None:
        """Return that strategy on that symbol; None if it does not run there."""
        for runner in self.runners.get(symbol, ()):
            if runner.name == strategy:
                return runner
        return None

    def runners_of(self, strategy: str) -> tuple[Runner, ...]:
        """Return that strategy on every symbol where it runs."""
        return tuple(r for runners in self.runners.values() for r in runners if r.name == strategy)

    def everyone(self) -> Iterator[Runner]:
        """All that run."""
        return (runner for runners in self.runners.values() for runner in runners)

    def everywhere(self) -> Iterator[Runner]:
        """All that may run."""
        return (runner for places in self.places.values() for runner in places)

    def place(self, strategy: str, symbol: Symbol) -> Runner | None:
        """Return that strategy on that symbol, whether it runs or not."""
        return next((runner for runner in self.places.get(symbol, ()) if runner.name == strategy), None)

    def build(self, settings: Settings, state: OrchestratorState, memories: dict[str, StrategyMemory]) -> None:
        """Rebuild the places; each strategy has to be built."""
        self._settings = settings
        self.left |= {runner.key: runner for runner in self.everywhere() if runner.steps}
        self.places = {}
        self.is_built = True
        for name in self._names(state):
            terms = settings.strategies.of(name)
            for text in terms.symbols or settings.symbols:
                symbol = Symbol(text)
                is_on = name == VwapStrategy.name or terms.enabled
                if is_on or key_of(name, symbol) in state.runners:
                    self._placed(name, symbol, state, memories).steps.append(Made(terms, symbol in state.marks))

    def _names(self, state: OrchestratorState) -> tuple[str, ...]:
        """Return built-in strategies, then user strategies by name: those that have a table, or ran once.

        Manual orders have no strategy; `manual` is reserved.
        """
        ran = {key.partition("/")[0] for key in state.runners}
        return (*HOUSE, *sorted({*self._settings.strategies.own, *ran} - RESERVED))

    def _placed(
        self, name: str, symbol: Symbol, state: OrchestratorState, memories: dict[str, StrategyMemory]
    ) -> Runner:
        """Place a new runner with the queued steps of the one before."""
        key = key_of(name, symbol)
        own, memory = state.runners.setdefault(key, RunnerState()), memories.setdefault(key, StrategyMemory())
        runner = a_runner(name, symbol, self._venue, own, memory, self._conditions)
        if (before := self.left.pop(runner.key, None)) is not None:
            runner.steps = before.steps
        self.places.setdefault(symbol, []).append(runner)
        return runner

    def let_run(self) -> None:
        """Select those that may run; drop the others' steps."""
        self.is_built = False
        self.runners = {}
        for runner in self.everywhere():
            if self._runs(runner):
                self.runners.setdefault(runner.symbol, []).append(runner)
            else:
                runner.steps.clear()

    def _runs(self, runner: Runner) -> bool:
        """Return whether it runs.

        A disabled user strategy that no longer loads runs only while it has a position or a waiting entry.
        """
        name, symbol = runner.name, runner.symbol
        if name in self.kinds.known or self._settings.strategies.of(name).enabled:
            return True
        return bool(self.holdings.held(symbol, name)[0]) or self.holdings.is_waiting(symbol, name)
