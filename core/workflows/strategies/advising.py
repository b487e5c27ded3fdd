"""Advisers are heard: what they say is written down; what they do beyond that is refused and told (OP-09).

Everything that comes from an adviser stands in one envelope with its name. Only words are taken out of it: a command in
it, or anything else, is refused here, by the engine itself.
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
"""What the engine takes from others; among an adviser's words it is no slip of the tongue."""


class Advising:
    """`_failures` counts those of each adviser since the start."""

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
        """Each advice once while it is good; of too many, the first."""
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
        """The first failure is told; the others are counted."""
        if not self._failures[adviser]:
            self.state.record(AdviserFailed(adviser, plain_text(reason)))
        self._fail(adviser)

    def _fail(self, adviser: str) -> None:
        self._failures[adviser] += 1

    def _pause(self, adviser: str) -> None:
        failures = self._failures[adviser]
        if failures >= self.state.control.settings.advisers.failures:
            self.state.record(AdviserPaused(adviser, f"it failed {failures} times; the next start asks it again"))
