"""What a fill realized is one figure, in the ledger, in the reports and in the history."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.facts import CorporateActionApplied, OrderFilled, OwnerQuantity, PositionChanged, TradeClosed
from core.model.order import Effect, Side
from core.model.values import Quantity
from core.ports import Recorded
from core.post_mortem.trade_attribution import Stories
from core.views.builders.history import history_of
from tests.unit.core.brokers.trading_floor import SPY
from tests.unit.core.execution.books import Books, a_request

Step = tuple[Side, int, Decimal, Decimal]


class ToldBooks(Books):
    """Books that keep their records, as the desk writes them."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Recorded] = []
        self.realised: list[Decimal] = []

    def fold(self, fact: object) -> None:
        super().fold(fact)
        self.records.append(Recorded(len(self.records), self.at, fact))  # type: ignore[arg-type]

    def note(self, fact: PositionChanged | TradeClosed) -> None:
        self.records.append(Recorded(len(self.records), self.at, fact))

    def trades(self, side: Side, quantity: int, price: Decimal, fee: Decimal) -> None:
        """A fill of an order of its own; it may go through zero."""
        held, ended = self.ledger.position(SPY, "vwap"), len(self.ledger.state.trades)
        is_against = held is not None and (held.quantity > 0) is not (side is Side.BUY)
        closing = Effect.COVER if side is Side.BUY else Effect.CLOSE
        reduces = held is not None and is_against and quantity <= abs(held.quantity)
        opening = Effect.OPEN if side is Side.BUY else Effect.SHORT
        name = f"order-{len(self.records)}"
        order = self.creates(a_request(name, side, str(quantity), effect=closing if reduces else opening))
        self.later(minutes=1)
        self.fills(order, str(quantity), price, fee=str(fee))
        made, held = self.ledger.book.realised, self.ledger.position(SPY, "vwap")
        quantity_held = Quantity(Decimal(0)) if held is None else held.quantity
        self.note(PositionChanged(SPY, "vwap", quantity_held, None if held is None else held.average_price, made))
        if len(self.ledger.state.trades) > ended:
            self.note(TradeClosed(self.ledger.state.trades[-1]))
        self.realised.append(made)

    def splits(self, ratio: int) -> None:
        held = self.ledger.position(SPY, "vwap")
        if held is not None:
            after = Quantity(held.quantity * ratio)
            owners = (OwnerQuantity("vwap", after),)
            day = date(2026, 11, 19)
            self.fold(CorporateActionApplied((), day, SPY, Decimal(ratio), held.quantity, after, owners))


def by_hand(steps: list[Step | int]) -> list[Fraction]:
    """Each fill at average cost, in fractions."""
    held, average, made = Fraction(0), Fraction(0), []
    for step in steps:
        if isinstance(step, int):
            held, average = held * step, average / step
            continue
        side, quantity, price, fee = step
        signed = Fraction(quantity if side is Side.BUY else -quantity)
        closes = min(abs(held), abs(signed)) if held * signed < 0 else Fraction(0)
        sign = 1 if held > 0 else -1
        made.append(sign * closes * (Fraction(price) - average) - Fraction(fee))
        opens = abs(signed) - closes
        rest = held + signed
        if opens:
            before = abs(held) - closes
            average = (before * average + opens * Fraction(price)) / (before + opens)
        held = rest
    return made


FILLS = st.tuples(
    st.sampled_from(Side), st.integers(1, 12), st.decimals("90", "110", places=2), st.decimals("0", "3", places=2),
)  # fmt: skip


@settings(max_examples=60)
@given(st.lists(st.one_of(FILLS, FILLS, FILLS, st.sampled_from([2, 3])), min_size=1, max_size=12), st.integers(0, 40))
def test_each_place_realises_the_same(steps: list[Step | int], cut: int) -> None:
    """AN-01: partial closes, entries between them, fills through zero, fees and splits; from any record on."""
    books = ToldBooks()
    for step in steps:
        if isinstance(step, int):
            books.splits(step)
        else:
            books.trades(*step)
    told = Stories(books.records)

    assert [float(each) for each in books.realised] == pytest.approx([float(f) for f in by_hand(steps)], abs=1e-9)
    assert float(sum(f.realised for f in told.fills)) == pytest.approx(float(sum(books.realised)), abs=1e-9)
    realised = history_of(books.records)[1]
    assert realised == sum(books.realised)
    later = books.records[min(cut, len(books.records)) :]
    started = next((n for n, each in enumerate(later) if isinstance(each.fact, OrderFilled)), len(later))
    noted = [each.fact.realised for each in later[started:] if isinstance(each.fact, PositionChanged)]
    assert history_of(later[started:])[1] == sum(each for each in noted if each is not None)
    if not any(isinstance(step, int) for step in steps):
        older = [
            replace(each, fact=replace(each.fact, realised=None)) if isinstance(each.fact, PositionChanged) else each
            for each in books.records
        ]
        assert float(history_of(older)[1]) == pytest.approx(float(realised), abs=1e-9)
