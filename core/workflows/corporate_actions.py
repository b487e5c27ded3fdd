"""Splits on the broker's books: applied to ours, and orders and tickets from before them ended (EX-25).

1. A split is recognised where the broker's quantity and average price differ from ours by one ratio. Two readings prove
   it; its activity may follow days later, and then counts as the same split.
2. An announced split of another ratio contradicts it: a person decides, with both ratios shown.
3. Working orders from before it are cancelled: an old stop would sell at today's price. What the broker restated by the
   same ratio is of today.
4. Waiting proposals have prices from before it, and are withdrawn. Shares without a stop are owed one: its ticket has
   the price for a share of today.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from core.event_text import in_words
from core.execution.reconciliation import Comparison
from core.facts import ActionEvidence, CorporateActionApplied, ProposalEnded
from core.messages.effects import Effect
from core.model.codes import CancelCode, ProposalEnd
from core.model.reconciliation import APART, Difference
from core.model.reference_data import ActionKind
from core.model.values import Quantity, Symbol, plain
from core.trading_state.state import TradingState
from core.workflows.orders.cancellation import Cancellation
from core.workflows.workflow import apart, follow_up, follows

NEAR = timedelta(days=10)
"""Days between an announced split and the books that show it."""
BEFORE = "its symbol was split: its prices are of before"
SPLITS = frozenset({ActionKind.SPLIT, ActionKind.REVERSE_SPLIT})


class CorporateActions:
    def __init__(self, state: TradingState, cancellation: Cancellation) -> None:
        self.state = state
        self.cancellation = cancellation

    def follow(
        self,
        positions: Sequence[Difference],
        comparison: Comparison,
        readings: Mapping[Symbol, tuple[datetime, Quantity]],
    ) -> Iterator[Effect]:
        """Apply the splits that two readings of the books show, and that no announcement contradicts."""
        day = self.state.calendar.trading_day(self.state.at)
        for symbol in [difference.symbol for difference in positions if difference.note]:
            is_proven = self.state.at - readings[symbol][0] >= APART
            if is_proven and (found := comparison.split(symbol, day)) and not self._contradiction(found):
                self.state.record(found)
                yield from follow_up(self.state, CorporateActionApplied)

    def accept(self, symbol: Symbol, comparison: Comparison) -> str | None:
        """Apply the split that the operator accepted with the broker's books, and return its text; None without one."""
        found = comparison.split(symbol, self.state.calendar.trading_day(self.state.at))
        if found is None:
            return None
        self.state.record(replace(found, evidence=ActionEvidence.OPERATOR))
        return in_words(found)

    def contradiction(self, symbol: Symbol, comparison: Comparison) -> str:
        """Return the announced split that contradicts the one of the books; empty if none does."""
        found = comparison.split(symbol, self.state.calendar.trading_day(self.state.at))
        return "" if found is None else self._contradiction(found)

    def _contradiction(self, found: CorporateActionApplied) -> str:
        tolerance = self.state.control.settings.reconciliation.split_tolerance
        for each in self.state.sightings.corporate_actions.get(found.symbol, ()):
            if each.kind not in SPLITS or each.old_rate is None or each.new_rate is None:
                continue
            announced = each.new_rate / each.old_rate
            if abs(each.ex_date - found.day) <= NEAR and abs(announced - found.ratio) > tolerance * announced:
                return f"announced is {plain(each.new_rate)} for {plain(each.old_rate)} of {each.ex_date}"
        return ""

    @follows(CorporateActionApplied)
    def after_action(self, fact: CorporateActionApplied) -> Iterator[Effect]:
        """End what has prices from before it: proposals, and working orders."""
        if not fact.owners:
            return
        self.state.sightings.quotes.pop(fact.symbol, None)
        words = f"{fact.symbol} was split {ratio_in_words(fact.ratio)}: its prices are of before"
        for proposal in self.state.stage.proposals():
            if proposal.symbol == fact.symbol:
                self.state.record(ProposalEnded(proposal.id, ProposalEnd.WITHDRAWN, words))
        yield from self._cancel(words, fact.symbol)

    def resume(self) -> Iterator[Effect]:
        """Cancel orders from before a split that a crash, or a close that was given up, left at the broker."""
        yield from self._cancel(BEFORE)

    def _cancel(self, words: str, symbol: Symbol | None = None) -> Iterator[Effect]:
        for order in self.state.ledger.working():
            is_asked = order.is_cancelling and order.cancel_code is CancelCode.SPLIT
            if order.is_before_split and symbol in (None, order.request.symbol) and not is_asked:
                yield from apart(self.state, partial(self.cancellation.cancel, order, words, CancelCode.SPLIT))


def ratio_in_words(ratio: Decimal) -> str:
    """As in `2 for 1`, `3 for 2`, `1 for 10`."""
    for old in (1, 2, 4):
        new = (ratio * old).quantize(Decimal("1.000000"))
        if ratio > 1 and new == new.to_integral_value():
            return f"{plain(new)} for {old}"
    inverse = (1 / ratio).quantize(Decimal("1.000000")).normalize()
    return f"1 for {plain(inverse)}" if ratio < 1 else f"{plain(ratio.quantize(Decimal('1.0000')).normalize())} for 1"
