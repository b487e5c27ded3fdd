"""Stop the engine from the desk in control (SY-01)."""

from __future__ import annotations

from collections.abc import Iterator

from core.messages.commands import StopEngine
from core.messages.effects import EndEngine
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers


class EngineStop:
    def __init__(self, state: TradingState) -> None:
        self.state = state

    @answers(StopEngine)
    def on_stop(self, command: StopEngine) -> Iterator[EndEngine]:
        who = "a script" if command.desk is None else self.state.desks.seat(command.desk).in_words
        yield EndEngine(f"stopped by {who}")
