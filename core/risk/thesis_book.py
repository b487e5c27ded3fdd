"""The slice of the theses: the trades that judge them, the last night's verdicts, and each invalidation (AN-07).

An invalidation stays on record whatever the file says later. The typed word that resumes its strategy ends it; so does
a later `since` in the file, once the operator has declined the pause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field, replace
from datetime import date, datetime
from typing import Any

from core import facts
from core.model.lazy_dataclass import dataclass
from core.model.signal import SuspensionCause
from core.model.thesis import EndedTrade, EndedTrades, Evidence, Status, Thesis, TradeKind, Verdict

FIRST = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Invalidation:
    """A thesis as it was invalidated.

    Attributes
    ----------
    earlier
        The thesis with the same sentence that was invalidated, and its strategy; empty if its own trades refute it.
    is_paused
        The operator's answer to the proposed pause; None while it waits.
    """

    thesis: Thesis
    kind: TradeKind
    evidence: Evidence
    earlier: str = ""
    is_paused: bool | None = None

    @property
    def in_words(self) -> str:
        trades = "" if self.kind is TradeKind.CLOSED else f" by {self.kind} trades"
        of = f", as {self.earlier}, which says the same" if self.earlier else ""
        return f"{self.thesis.name} is INVALIDATED{trades}{of}: {self.evidence.in_words}"


@dataclass(slots=True)
class ThesesState:
    """State of the theses.

    Attributes
    ----------
    closed
        The last closed trades of each strategy, oldest first; one that failed in execution says nothing of a thesis.
    resumed_on
        The day of the last typed word for a strategy: its trades up to then no longer count.
    excused
        Theses that the typed word ended: another strategy's invalidation of the same sentence no longer counts.
    """

    closed: dict[str, EndedTrades] = field(default_factory=dict)
    invalidations: dict[str, Invalidation] = field(default_factory=dict)
    resumed_on: dict[str, date] = field(default_factory=dict)
    excused: dict[str, list[Thesis]] = field(default_factory=dict)
    last: tuple[Verdict, ...] = ()
    checked_on: date | None = None


class ThesisBook:
    """Folds trades, verdicts and the operator's answers.

    Parameters
    ----------
    day_of
        The trading day of an instant.
    paper
        The paper trades of each strategy, oldest first.
    """

    name = "theses"

    def __init__(self, day_of: Callable[[datetime], date], paper: Callable[[], dict[str, EndedTrades]]) -> None:
        self.day_of, self.paper = day_of, paper
        self.state = ThesesState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            facts.TradeClosed: self._trade_closed,
            facts.FillReversed: self._fill_reversed,
            facts.ThesisInvalidated: self._invalidated,
            facts.ThesesChecked: self._checked,
            facts.StrategySuspended: self._suspended,
            facts.ThesisPauseDeclined: self._declined,
            facts.StrategyReinstated: self._reinstated,
        }

    def restore(self, state: ThesesState) -> None:
        self.state = state

    # ── queries ──────────────────────────────────────────────────────────────────────────────────────────────────

    def trades(self, strategy: str, kind: TradeKind, day: date) -> Sequence[EndedTrade]:
        """Return a strategy's trades that count on the night of `day`."""
        known = self.state.closed if kind is TradeKind.CLOSED else self.paper()
        after = self.state.resumed_on.get(strategy, FIRST)
        return [each for each in known.get(strategy, EndedTrades()).trades if after < each.day <= day]

    def judged_until(self, thesis: Thesis, kind: TradeKind) -> date:
        """Return the last night of a thesis, if it is unchanged since; else a day before all trades."""
        is_known = any(each.kind is kind and each.thesis == thesis for each in self.state.last)
        return self.state.checked_on if self.state.checked_on is not None and is_known else FIRST

    def on_record(self, thesis: Thesis, kind: TradeKind) -> Invalidation | None:
        """Return the invalidation that is on record for a thesis of the file."""
        found = self.state.invalidations.get(key_of(thesis, kind))
        if found is None or found.is_paused is not False or found.earlier:
            return found
        since, last = thesis.since, found.evidence.last
        return None if since is not None and last is not None and since > last else found

    def of_another(self, thesis: Thesis, kind: TradeKind) -> Invalidation | None:
        """Return the invalidation of a thesis with the same sentence, under another name or for another strategy."""
        if any(thesis.says_as(each) for each in self.state.excused.get(thesis.strategy, ())):
            return None
        others = (
            each
            for key, each in self.state.invalidations.items()
            if each.kind is kind and not each.earlier and key != key_of(thesis, kind)
        )
        return next((each for each in others if thesis.says_as(each.thesis)), None)

    def of_strategy(self, strategy: str) -> Iterator[Invalidation]:
        return (each for each in self.state.invalidations.values() if each.thesis.strategy == strategy)

    def proposed(self, strategy: str) -> str:
        """Return why a pause of the strategy is proposed; empty if none waits for the operator."""
        return "; ".join(each.in_words for each in self.of_strategy(strategy) if each.is_paused is None)

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _trade_closed(self, _at: datetime, fact: facts.TradeClosed) -> None:
        trade = fact.trade
        if trade.is_failed:
            return
        known = self.state.closed.get(trade.strategy, EndedTrades())
        ended = EndedTrade(self.day_of(trade.exit_time), trade.profit)
        self.state.closed[trade.strategy] = known.and_then(ended)

    def _fill_reversed(self, _at: datetime, fact: facts.FillReversed) -> None:
        trade = fact.undone
        if trade is None or trade.is_failed:
            return
        if (known := self.state.closed.get(trade.strategy)) is not None:
            self.state.closed[trade.strategy] = known.without(
                trade.profit, None if fact.corrected is None else fact.corrected.profit
            )

    def _invalidated(self, _at: datetime, fact: facts.ThesisInvalidated) -> None:
        """A strategy that is paused for another thesis is not proposed again."""
        is_paused = any(each.is_paused for each in self.of_strategy(fact.thesis.strategy))
        made = Invalidation(fact.thesis, fact.kind, fact.evidence, fact.earlier, True if is_paused else None)
        self.state.invalidations[key_of(fact.thesis, fact.kind)] = made

    def _checked(self, _at: datetime, fact: facts.ThesesChecked) -> None:
        """Keep the verdicts; one that a later `since` has cleared is invalidated no more."""
        self.state.last, self.state.checked_on = fact.verdicts, fact.day
        for each in fact.verdicts:
            if each.status is not Status.INVALIDATED:
                self.state.invalidations.pop(key_of(each.thesis, each.kind), None)

    def _suspended(self, _at: datetime, fact: facts.StrategySuspended) -> None:
        if fact.cause is SuspensionCause.THESIS:
            self._answer(fact.strategy, is_paused=True)

    def _declined(self, _at: datetime, fact: facts.ThesisPauseDeclined) -> None:
        self._answer(fact.strategy, is_paused=False)

    def _answer(self, strategy: str, *, is_paused: bool) -> None:
        for key, each in self.state.invalidations.items():
            if each.thesis.strategy == strategy and each.is_paused is None:
                self.state.invalidations[key] = replace(each, is_paused=is_paused)

    def _reinstated(self, at: datetime, fact: facts.StrategyReinstated) -> None:
        """Begin anew after the typed word."""
        if fact.cause is not SuspensionCause.THESIS:
            return
        state, strategy = self.state, fact.strategy
        ended = [each.thesis for each in self.of_strategy(strategy)]
        state.excused[strategy] = [*dict.fromkeys((*state.excused.get(strategy, ()), *ended))]
        state.invalidations = {k: each for k, each in state.invalidations.items() if each.thesis.strategy != strategy}
        state.resumed_on[strategy] = self.day_of(at)
        state.last = tuple(each for each in state.last if each.thesis.strategy != strategy)


def key_of(thesis: Thesis, kind: TradeKind) -> str:
    return f"{thesis.name}/{thesis.strategy}/{kind}"
