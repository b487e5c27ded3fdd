"""Record what advisers say; refuse and report anything else that they try (OP-09).

Everything from an adviser arrives in one envelope with its name. Only text is taken from it: a command or anything else
in it is refused here, by the engine itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import get_args

from core.facts import AdviceGiven, AdviserFailed, AdviserOverstepped, AdviserPaused
from core.messages.effects import Effect
from core.messages.inputs import FromAdviser, Input
from core.model.advice import AdviserFault
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers
from core.workflows.strategies.advice_reading import LONGEST_WORD, plain_text, read_advice

INPUTS: tuple[type, ...] = get_args(Input)
"""The engine's input types; one among an adviser's output is a deliberate attempt."""


class Advising:
    """`_failures` counts each adviser's failures since the start."""

    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._failures: Counter[str] = Counter()

    @answers(FromAdviser)
    def on_heard(self, message: FromAdviser) -> Iterable[Effect]:
        adviser = plain_text(message.adviser, LONGEST_WORD)
        if adviser in self.state.advice.state.paused:
            return ()
        answer = message.answer
        for attempt in message.attempts:
            self._refuse(adviser, attempt)
        if isinstance(answer, AdviserFault):
            self._tell(adviser, answer.reason)
        elif isinstance(answer, tuple):
            self._hear(adviser, answer)
        else:
            self._overstep(adviser, answer)
        self._pause(adviser)
        return ()

    def _hear(self, adviser: str, said: tuple[object, ...]) -> None:
        """Record each advice once while it is valid; of too many, only the first ones."""
        state, most = self.state, self.state.control.settings.advisers.most
        for each in said[:most]:
            if isinstance(each, INPUTS):
                self._overstep(adviser, each)
                return
            advice = read_advice(each)
            if isinstance(advice, AdviserFault):
                self._tell(adviser, advice.reason)
                return
            if not state.advice.is_said(adviser, advice.text, state.at):
                number = state.advice.state.numbers + 1
                state.record(AdviceGiven(number, adviser, advice.text, advice.idea, state.at + advice.valid_for))
        if len(said) > most:
            self._tell(adviser, f"said more than {most} advices at once")

    def _overstep(self, adviser: str, sent: object) -> None:
        self._refuse(adviser, f"send the engine a {type(sent).__name__}")

    def _refuse(self, adviser: str, attempt: str) -> None:
        self._fail(adviser)
        self.state.record(AdviserOverstepped(adviser, plain_text(attempt, LONGEST_WORD)))

    def _tell(self, adviser: str, reason: str) -> None:
        """Report the first failure, and count the others."""
        if not self._failures[adviser]:
            self.state.record(AdviserFailed(adviser, plain_text(reason)))
        self._fail(adviser)

    def _fail(self, adviser: str) -> None:
        self._failures[adviser] += 1

    def _pause(self, adviser: str) -> None:
        failures = self._failures[adviser]
        if failures >= self.state.control.settings.advisers.failures:
            self.state.record(AdviserPaused(adviser, f"it failed {failures} times; the next start asks it again"))
