"""Record advice, and adopt it as a recommendation (SY-06, OP-09).

Everything from an adviser arrives in one envelope with its name. Only text is taken from it: a command or anything else
in it is refused here, by the engine itself.

Adopt an advice as a recommendation at the operator's command: its strategy evaluates it once, unchanged (ST-04).
It ends when the strategy acts on it, at its expiry, or by the operator. Its quantity never changes: beyond a limit it
is refused by the same checks as any entry, with the size that would pass (RK-10).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import get_args

from core import facts
from core.messages.commands import AdoptAdvice, DropRecommendation
from core.messages.effects import Effect
from core.messages.inputs import FromAdviser, Input
from core.model.instrument import SYMBOL
from core.model.recommendation import Advice, AdviserFault, Recommendation, TradeIdea
from core.model.signal import EntrySignal
from core.model.values import Symbol
from core.strategies.trade_plan import TradePlanStrategy
from core.trading_state.account_history import Given
from core.trading_state.state import TradingState
from core.workflows.workflow import answers

LONGEST = 300
"""Maximum length of an advice, in characters."""
LONGEST_WORD = 80
"""Maximum length of a reason, a type name or an attempt, in characters."""
MOST_DIGITS = 20
"""Maximum number of digits of a figure; no price or quantity has more."""
SHORTEST_LIFE, LONGEST_LIFE = timedelta(minutes=1), timedelta(days=7)
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


def plain_text(text: object, longest: int = LONGEST) -> str:
    """Return one printable line without control characters, of limited length."""
    try:
        words = str(text)[: longest * 4]
    except Exception:  # an adviser's own type may raise even here
        return "it cannot be said"
    seen = "".join(c if c.isprintable() else " " for c in words)
    line = " ".join(seen.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def read_advice(said: object) -> Advice | AdviserFault:
    """Return an advice that can be kept, or the fault."""
    if type(said) is not Advice:
        return AdviserFault(f"said a {plain_text(type(said).__name__, LONGEST_WORD)}, which is no advice")
    if type(said.text) is not str or not (text := plain_text(said.text)):
        return AdviserFault("said an advice without words")
    if not isinstance(said.valid_for, timedelta):
        return AdviserFault("said an advice without a time that it is good for")
    life = min(max(said.valid_for, SHORTEST_LIFE), LONGEST_LIFE)
    if said.idea is None:
        return replace(said, text=text, valid_for=life)
    idea = _read_idea(said.idea)
    return idea if isinstance(idea, AdviserFault) else Advice(text, idea, life)


def _read_idea(idea: object) -> TradeIdea | AdviserFault:
    if type(idea) is not TradeIdea:
        return AdviserFault("named a trade that cannot be read")
    figures = (idea.entry, idea.stop, idea.target, idea.quantity)
    if not all(type(figure) is Decimal and _is_short(figure) for figure in figures) or not idea.is_sound:
        return AdviserFault("named a trade whose figures are not stop, entry and target in their order")
    if type(idea.symbol) is not str or not SYMBOL.fullmatch(idea.symbol):
        return AdviserFault("named a trade without a symbol")
    if type(idea.strategy) is not str or not (idea.strategy == "" or NAME.fullmatch(idea.strategy)):
        return AdviserFault("named a strategy that cannot be read")
    return replace(idea, symbol=Symbol(idea.symbol))


def _is_short(figure: Decimal) -> bool:
    """Whether the figure has few digits and places."""
    parts = figure.as_tuple()
    return isinstance(parts.exponent, int) and max(len(parts.digits), abs(parts.exponent)) <= MOST_DIGITS


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
                state.record(facts.AdviceGiven(number, adviser, advice.text, advice.idea, state.at + advice.valid_for))
        if len(said) > most:
            self._tell(adviser, f"said more than {most} advices at once")

    def _overstep(self, adviser: str, sent: object) -> None:
        self._refuse(adviser, f"send the engine a {type(sent).__name__}")

    def _refuse(self, adviser: str, attempt: str) -> None:
        self._fail(adviser)
        self.state.record(facts.AdviserOverstepped(adviser, plain_text(attempt, LONGEST_WORD)))

    def _tell(self, adviser: str, reason: str) -> None:
        """Report the first failure, and count the others."""
        if not self._failures[adviser]:
            self.state.record(facts.AdviserFailed(adviser, plain_text(reason)))
        self._fail(adviser)

    def _fail(self, adviser: str) -> None:
        self._failures[adviser] += 1

    def _pause(self, adviser: str) -> None:
        failures = self._failures[adviser]
        if failures >= self.state.control.settings.advisers.failures:
            self.state.record(facts.AdviserPaused(adviser, f"it failed {failures} times; the next start asks it again"))


class Recommendations:
    ACTS_BY_TIME = True

    def __init__(self, state: TradingState) -> None:
        self.state = state

    @answers(AdoptAdvice)
    def on_adopt(self, command: AdoptAdvice) -> Iterable[Effect]:
        state = self.state
        given = state.advice.advice(command.number)
        reason = "it is no longer on the desk" if given is None else why_not(state, given, state.at)
        if given is None or given.idea is None or reason:
            state.record(facts.AdoptionRefused(command.number, (reason,)))
            return ()
        idea = given.idea
        recommendation = Recommendation(
            strategy=idea.strategy,
            symbol=idea.symbol,
            entry=idea.entry,
            stop=idea.stop,
            target=idea.target,
            quantity=idea.quantity,
            expires_at=given.expires_at,
            source=given.adviser,
        )
        state.record(facts.RecommendationAdopted(given.number, recommendation))
        return ()

    @answers(DropRecommendation)
    def on_drop(self, command: DropRecommendation) -> Iterable[Effect]:
        if self.state.advice.recommendation(command.strategy, command.symbol) is not None:
            self.state.record(
                facts.RecommendationDropped(command.strategy, command.symbol, "taken back by the operator")
            )
        return ()

    def after_entry(self, signal: EntrySignal) -> None:
        """End the recommendation after its entry was staged or refused: either way it is used."""
        told = self.state.advice.recommendation(signal.strategy, signal.symbol)
        if told is None or (told.entry, told.quantity) != (signal.limit_price, signal.quantity):
            return
        is_staged = self.state.stage.entry_waits(signal.symbol, signal.strategy)
        reason = "its proposal waits for your key" if is_staged else "its proposal was refused, the log says why"
        self.state.record(facts.RecommendationDropped(signal.strategy, signal.symbol, reason))

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        return (told.expires_at for told in self.state.advice.state.adopted.values())

    def due(self) -> Iterable[Effect]:
        for told in tuple(self.state.advice.state.adopted.values()):
            if self.state.at >= told.expires_at:
                self.state.record(facts.RecommendationDropped(told.strategy, told.symbol, "expired"))
        return ()


def why_not(state: TradingState, given: Given, at: datetime) -> str:
    """Return why the strategy named by an advice cannot adopt it now; empty if it can."""
    idea = given.idea
    if idea is None:
        return "it names no trade"
    if at >= given.expires_at:
        return "expired"
    if not idea.strategy:
        return "it names no strategy; n makes it an order of your own"
    runner = state.orchestrator.roster.runner(idea.strategy, idea.symbol)
    if runner is None:
        return f"no strategy {idea.strategy} runs on {idea.symbol}; n makes it an order of your own"
    if not isinstance(runner.strategy, TradePlanStrategy):
        return f"{idea.strategy} takes no recommendation; n makes it an order of your own"
    if not state.control.settings.strategies.of(idea.strategy).enabled:
        return f"{idea.strategy} is turned off; n makes it an order of your own"
    if state.advice.recommendation(idea.strategy, idea.symbol) is not None:
        return f"{idea.strategy} on {idea.symbol} has one that waits already; x takes that one back"
    return ""
