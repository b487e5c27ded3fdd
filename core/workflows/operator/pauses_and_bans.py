"""Manual blocks: a strategy on a symbol, or a symbol for the day. Exits are never blocked."""

from __future__ import annotations

from collections.abc import Iterable

from core.facts import StrategyPaused, StrategyResumed, SymbolRefused
from core.messages.commands import PauseStrategy, RefuseSymbol, ResumeStrategy
from core.messages.effects import Effect
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers
from core.workflows.staging.proposals import Proposals


class PausesAndBans:
    def __init__(self, state: TradingState, proposals: Proposals) -> None:
        self.state = state
        self.proposals = proposals

    @answers(PauseStrategy)
    def on_pause(self, command: PauseStrategy) -> Iterable[Effect]:
        """Pause the strategy; nothing changes if it is paused already or does not run."""
        runner = self.state.orchestrator.roster.runner(command.strategy, command.symbol)
        if runner is not None and runner.state.paused_at is None:
            self.state.record(StrategyPaused(command.strategy, command.symbol))
        return ()

    @answers(ResumeStrategy)
    def on_resume(self, command: ResumeStrategy) -> Iterable[Effect]:
        runner = self.state.orchestrator.roster.runner(command.strategy, command.symbol)
        if runner is not None and runner.state.paused_at is not None:
            self.state.record(StrategyResumed(command.strategy, command.symbol))
        return ()

    @answers(RefuseSymbol)
    def on_refuse_symbol(self, command: RefuseSymbol) -> Iterable[Effect]:
        """Decline the symbol's entries, including one just confirmed; the gate blocks later ones."""
        day = self.state.calendar.trading_day(self.state.at)
        reason = command.reason or "refused by the operator"
        self.proposals.decline_entries_in(command.symbol, f"no {command.symbol} today: {reason}")
        if (
            self.state.control.refusal_of(command.symbol, day) is None
        ):  # last: a crash before it leaves no proposal waiting
            self.state.record(SymbolRefused(command.symbol, day, reason))
        return ()
