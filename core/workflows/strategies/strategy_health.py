"""Ask the strategies for signals and watch their health (ST-07).

Each signal is recorded as given; a strategy that fails is reported and finally paused; a conflicting signal blocks the
entry. A crash between a bar and its signals leaves that bar unanswered: a start asks nothing about past bars, and an
exit whose condition holds signals again on the next one.
"""

from __future__ import annotations

from core.facts import SignalRaised, StrategyFailed, StrategyForgot, StrategyFound, StrategyMissing, StrategyPaused
from core.model.bar import Bar
from core.model.said_once import is_news
from core.model.signal import ExitSignal
from core.settings.settings import Settings
from core.strategies.memory import RunnerState
from core.strategies.opposite_signals import Signals, kept, opposed
from core.trading_state.state import TradingState
from core.workflows.staging.proposals import Proposals


class StrategyHealth:
    def __init__(self, state: TradingState, proposals: Proposals) -> None:
        self.state = state
        self.proposals = proposals

    def ask(self, bar: Bar) -> Signals:
        """Return the strategies' signals for a recorded bar."""
        state, signals = self.state, []
        for said in state.orchestrator.ask(bar):
            if isinstance(said, StrategyFailed):
                self._tell_of(said)
            else:
                state.record(SignalRaised(said))
                signals.append(said)
        return signals

    def _tell_of(self, failed: StrategyFailed) -> None:
        """Record a failure; too many in a row pause the strategy, counted over restarts, until it is resumed."""
        state = self.state
        state.record(failed)
        runner = state.orchestrator.state.runners[f"{failed.strategy}/{failed.symbol}"]
        if runner.faults >= state.control.settings.strategies.faults:
            is_slow = failed.milliseconds is not None
            state.record(StrategyPaused(failed.strategy, failed.symbol, _why(runner, is_slow=is_slow), is_slow))

    def agreed(self, bar: Bar, answers: Signals) -> Signals:
        """Return the signals of a bar without conflicting ones; a conflict is recorded."""
        found = opposed(answers, bar, self._may_wait)
        if found is not None:
            self.state.record(found)
        return kept(answers, found)

    def begin_with(self, _settings: Settings, _installation: str) -> None:
        self._tell_of_missing()
        self._tell_of_forgotten()

    def _tell_of_missing(self) -> None:
        """Record changes in which of the user's strategies load."""
        told, found = dict(self.state.orchestrator.state.missing), self.state.orchestrator.missing()
        for name, reason in sorted(found.items()):
            if is_news(reason, told.get(name)):
                self.state.record(StrategyMissing(name, reason))
        for name in sorted(told.keys() - found.keys()):
            self.state.record(StrategyFound(name))

    def _tell_of_forgotten(self) -> None:
        """Record, once, strategies whose saved memory did not fit."""
        for (name, symbol), reason in tuple(self.state.orchestrator.forgot.items()):
            self.state.record(StrategyForgot(name, symbol, reason))

    def _may_wait(self, answer: ExitSignal) -> bool:
        """Whether this exit signal was not held back before, and is not proposed yet."""
        position = self.state.ledger.position(answer.symbol, answer.strategy)
        if position is None or self.proposals.is_leaving(position):
            return False
        state = self.state.orchestrator.state.runners.get(f"{answer.strategy}/{answer.symbol}")
        before = state.held_back_at if state is not None else None  # a manual position has exit rules, and no runner
        return before is None or before < position.opened_at


def _why(state: RunnerState, *, is_slow: bool) -> str:
    rests = "; it is shown no bar while it holds nothing, and begins anew" if is_slow else ""
    return f"{state.faults} bars in a row it {state.fault}{rests}; mend it, then resume it"
