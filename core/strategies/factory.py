"""Build a strategy from its settings and its memory, and restart it (ST-01)."""

from __future__ import annotations

from core.model.session import Calendar
from core.model.values import Symbol
from core.strategies.base import Strategy
from core.strategies.builtin import StrategyKinds, written_memory
from core.strategies.runner import Anew, CountedReasons, Hole, Made, PastBars, Runner, Step, ToldSignal
from core.strategies.user_strategies import MissingStrategy, UserStrategyRunning, error_in_words, started
from core.strategies.warm_up import bars_needed, keep_plan, shown


class StrategyFactory:
    """Builds and restarts strategies.

    Attributes
    ----------
    forgot
        Strategies whose memory did not fit, with the reason, until it is reported.
    """

    def __init__(self, calendar: Calendar, kinds: StrategyKinds) -> None:
        self.calendar = calendar
        self.kinds = kinds
        self.forgot: dict[tuple[str, Symbol], str] = {}

    def tell(self, runner: Runner, step: Step) -> None:
        """Apply an event other than a bar."""
        match step:
            case Made():
                self._make(runner, step)
            case Anew():
                self._anew(runner, is_late=step.is_late)
            case Hole() if step.is_forgotten or bars_needed(runner.strategy):
                self._anew(runner, is_late=True)
            case PastBars():
                self._take_history(runner, step)
            case CountedReasons():
                runner.memory.reasons.clear()
            case ToldSignal():
                self._anew(runner, is_late=step.is_late)
                self.forgot.pop((runner.name, runner.symbol), None)

    def give_up(self, runner: Runner, why: str) -> None:
        """Restart a strategy that could not be brought up to date."""
        self._anew(runner, is_late=True)
        self.forgot[runner.name, runner.symbol] = why

    def _make(self, runner: Runner, step: Made) -> None:
        runner.terms = step.terms
        before = runner.memory.state
        strategy = started(self.kinds, runner.name, step.terms, before)
        if isinstance(strategy, UserStrategyRunning) and strategy.forgot:
            self.forgot[runner.name, runner.symbol] = strategy.forgot
        if _goes_on(strategy, before):
            _takes_the_place(runner, strategy)
        else:
            self._begin(runner, strategy, is_late=step.is_late)

    def _anew(self, runner: Runner, *, is_late: bool) -> None:
        strategy = started(self.kinds, runner.name, runner.terms, None)
        if isinstance(strategy, MissingStrategy):  # its memory stays for when its file is back
            strategy.state = runner.memory.state
        self._begin(runner, strategy, is_late=is_late)

    def _begin(self, runner: Runner, strategy: Strategy, *, is_late: bool) -> None:
        """Start with a new memory; the plan of its trades is kept."""
        keep_plan(strategy, runner.memory.state)
        runner.memory.seen = 0
        runner.memory.wants_history = bars_needed(strategy) > 0 or is_late
        _takes_the_place(runner, strategy)

    def _take_history(self, runner: Runner, step: PastBars) -> None:
        """Replay past bars from the first one on and ignore the answers: a past bar proposes nothing."""
        if not runner.memory.wants_history:
            return
        self._anew(runner, is_late=True)
        try:
            runner.memory.seen = shown(runner.strategy, step.bars, self.calendar)
        except Exception as error:  # it continues like one that starts now (ST-07)
            self._anew(runner, is_late=True)
            runner.memory.last_answer = f"RAISED {error_in_words(error)}"
        runner.memory.state = runner.strategy.state
        runner.memory.wants_history = False


def _takes_the_place(runner: Runner, strategy: Strategy) -> None:
    runner.strategy = strategy
    runner.memory.state = strategy.state


def _goes_on(strategy: Strategy, memory: object) -> bool:
    """Return whether it took over that memory, or a plain one converted to its own type."""
    if strategy.state is memory:
        return True
    return isinstance(memory, dict) and written_memory(strategy.state, as_json=True) == memory
