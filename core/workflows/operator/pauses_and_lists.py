"""Pause and resume strategies, and keep the lists that block entries of a symbol (RK-26)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from core import facts
from core.messages import commands
from core.messages.effects import Effect
from core.model.codes import CancelCode
from core.model.instrument import LONGEST_REASON, ListKind
from core.model.staging import MANUAL
from core.model.values import Symbol
from core.trading_state.state import TradingState
from core.workflows.operator.limits_reload import WORD
from core.workflows.orders.cancellation import Cancellation
from core.workflows.staging.proposal_lifecycle import Proposals
from core.workflows.workflow import answers, apart, follows


class PausesAndBans:
    def __init__(self, state: TradingState, proposals: Proposals) -> None:
        self.state = state
        self.proposals = proposals

    @answers(commands.PauseStrategy)
    def on_pause(self, command: commands.PauseStrategy) -> Iterable[Effect]:
        """Pause the strategy; nothing changes if it is paused already or does not run."""
        runner = self.state.orchestrator.roster.runner(command.strategy, command.symbol)
        if runner is not None and runner.state.paused_at is None:
            self.state.record(facts.StrategyPaused(command.strategy, command.symbol))
        return ()

    @answers(commands.ResumeStrategy)
    def on_resume(self, command: commands.ResumeStrategy) -> Iterable[Effect]:
        runner = self.state.orchestrator.roster.runner(command.strategy, command.symbol)
        if runner is not None and runner.state.paused_at is not None:
            self.state.record(facts.StrategyResumed(command.strategy, command.symbol))
        return ()

    @answers(commands.RefuseSymbol)
    def on_refuse_symbol(self, command: commands.RefuseSymbol) -> Iterable[Effect]:
        """Decline the symbol's entries, including one just confirmed; the gate blocks later ones."""
        day = self.state.calendar.trading_day(self.state.at)
        reason = command.reason or "refused by the operator"
        self.proposals.decline_entries_in(command.symbol, f"no {command.symbol} today: {reason}")
        if (
            self.state.control.refusal_of(command.symbol, day) is None
        ):  # last: a crash before it leaves no proposal waiting
            self.state.record(facts.SymbolRefused(command.symbol, day, reason))
        return ()


NO_REASON = "a reason is needed: what would you ask yourself when you see it there?"


NO_DAY = "restricted needs the day on which entries pass again, as in 2026-12-01, and a later one than today"


ONLY_RESTRICTED = "only a restriction has a day"


EARLIER = "an earlier end lets more pass: take it off the list with the word, then restrict it anew"


class SymbolListing:
    def __init__(self, state: TradingState, proposals: Proposals, cancellation: Cancellation) -> None:
        self.state = state
        self.proposals = proposals
        self.cancellation = cancellation

    @answers(commands.ListSymbol)
    def on_list(self, command: commands.ListSymbol) -> Iterator[Effect]:
        """List a symbol at once: decline its proposed entries and cancel its working ones."""
        if refusal := self._refusal(command):
            self._refuse(command.symbol, f"not listed: {refusal}")
            return
        day, reason = self.state.calendar.trading_day(self.state.at), command.reason[:LONGEST_REASON]
        words = f"its symbol is listed: {command.kind.value}, {reason}"
        self.proposals.decline_entries_in(command.symbol, words)
        self.state.record(facts.SymbolListed(command.symbol, command.kind, reason, day, command.until))
        for order in self.state.ledger.working_entries(command.symbol):
            if not order.is_cancelling:
                yield from apart(self.state, partial(self.cancellation.cancel, order, words, CancelCode.LISTED))

    def _refusal(self, command: commands.ListSymbol) -> str | None:
        if not command.reason.strip():
            return NO_REASON
        if command.kind is not ListKind.RESTRICTED:
            return None if command.until is None else ONLY_RESTRICTED
        if command.until is None or command.until <= self.state.calendar.trading_day(self.state.at):
            return NO_DAY
        held = self.state.lists.entry(command.symbol, command.kind)
        is_earlier = held is not None and held.until is not None and command.until < held.until
        return EARLIER if is_earlier else None

    @answers(commands.UnlistSymbol)
    def on_unlist(self, command: commands.UnlistSymbol) -> Iterable[Effect]:
        """Unlist a symbol only after the full typed word."""
        if self.state.lists.entry(command.symbol, command.kind) is None:
            self._refuse(command.symbol, f"it is not on {command.kind.value}")
        elif command.word != WORD:
            self._refuse(command.symbol, f"it stays on {command.kind.value}: the word is {WORD}")
        else:
            self.state.record(facts.SymbolUnlisted(command.symbol, command.kind))
        return ()

    @follows(facts.CorporateActionApplied)
    def after_action(self, fact: facts.CorporateActionApplied) -> Iterable[Effect]:
        """Block the shares of another symbol as they were blocked before: entries in both wait."""
        today = self.state.calendar.trading_day(self.state.at)
        if fact.to is None:
            return ()
        for listed in self.state.lists.on(fact.symbol, today):
            self.state.record(facts.SymbolListed(fact.to, listed.kind, listed.reason, listed.since, listed.until))
        if (refusal := self.state.control.refusal_of(fact.symbol, today)) is not None:
            self.state.record(facts.SymbolRefused(fact.to, today, refusal.reason))
        return ()

    def _refuse(self, symbol: Symbol, why: str) -> None:
        self.state.record(facts.ProposalSkipped(MANUAL, symbol, self.state.at, (f"{symbol}: {why}",)))
