"""What the operator shuts by hand: a strategy on a symbol, a symbol for the day. Exits are never shut."""

from __future__ import annotations

from collections.abc import Iterable

from core.desk import Desk
from core.effects import Effect
from core.facts import StrategyPaused, StrategyResumed, SymbolRefused
from core.inputs import PauseStrategy, RefuseSymbol, ResumeStrategy
from core.workflows.contract import answers
from core.workflows.proposing import Proposing


class Choosing:
    def __init__(self, desk: Desk, proposing: Proposing) -> None:
        self.desk = desk
        self.proposing = proposing

    @answers(PauseStrategy)
    def on_pause(self, command: PauseStrategy) -> Iterable[Effect]:
        """Pausing what is paused, or what does not run, changes nothing."""
        runner = self.desk.orchestrator.runner(command.strategy, command.symbol)
        if runner is not None and runner.state.paused_at is None:
            self.desk.record(StrategyPaused(command.strategy, command.symbol))
        return ()

    @answers(ResumeStrategy)
    def on_resume(self, command: ResumeStrategy) -> Iterable[Effect]:
        runner = self.desk.orchestrator.runner(command.strategy, command.symbol)
        if runner is not None and runner.state.paused_at is not None:
            self.desk.record(StrategyResumed(command.strategy, command.symbol))
        return ()

    @answers(RefuseSymbol)
    def on_refuse_symbol(self, command: RefuseSymbol) -> Iterable[Effect]:
        """Entries in it leave the stage, one whose key has just been turned included; the gate keeps others out."""
        day = self.desk.calendar.trading_day(self.desk.at)
        reason = command.reason or "refused by the operator"
        self.proposing.decline_entries_in(command.symbol, f"no {command.symbol} today: {reason}")
        if self.desk.control.refusal_of(command.symbol, day) is None:  # last: a crash between leaves nothing waiting
            self.desk.record(SymbolRefused(command.symbol, day, reason))
        return ()
