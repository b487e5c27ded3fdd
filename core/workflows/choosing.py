"""What the operator shuts and opens by hand: a strategy on a symbol. Exits are never shut."""

from __future__ import annotations

from collections.abc import Iterable

from core.desk import Desk
from core.effects import Effect
from core.facts import StrategyPaused, StrategyResumed
from core.inputs import PauseStrategy, ResumeStrategy


class Choosing:
    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def on_pause(self, command: PauseStrategy) -> Iterable[Effect]:
        """Pausing what is paused, or what does not run, changes nothing."""
        runner = self.desk.orchestrator.runner(command.strategy, command.symbol)
        if runner is not None and runner.state.paused_at is None:
            self.desk.record(StrategyPaused(command.strategy, command.symbol))
        return ()

    def on_resume(self, command: ResumeStrategy) -> Iterable[Effect]:
        runner = self.desk.orchestrator.runner(command.strategy, command.symbol)
        if runner is not None and runner.state.paused_at is not None:
            self.desk.record(StrategyResumed(command.strategy, command.symbol))
        return ()
