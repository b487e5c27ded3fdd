"""Split a trade's result into parts that add up to it: the signal's profit, and the losses of execution (AN-03).

The signal is the entry's profit at its intended price, held to the close of the exit's day. The exit choice is the
difference made by leaving at its intended price. Then each fill is followed from its intended price to its own, by the
recorded quotes:

    intended → middle when it was staged → middle at the key → middle at the broker's answer → touch → fill

After A. F. Perold, "The Implementation Shortfall: Paper versus Reality", Journal of Portfolio Management 14 (1988),
with the delay separated as in R. Kissell and M. Glantz, "Optimal Trading Strategies" (2003). A step without a quote is
merged into the next one that has one, and is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from core.analytics.equity_change import Part, in_cents
from core.model.order import Side
from core.model.values import ZERO, Money, Price
from core.post_mortem.stories import FillStory, Step, TradeStory


class Cause(StrEnum):
    """The cause of a part of a result, in the order of the report."""

    SIGNAL = "signal"
    EXIT = "exit choice"
    STAGED = "delay until staged"
    KEY = "confirmation delay"
    SENT = "delay until the broker answered"
    SPREAD = "spread"
    SLIPPAGE = "slippage"
    FEES = "fees"
    UNTOLD = "what its fills do not tell"


OF_A_DIVISION = Decimal("1e-9")
"""USD: a smaller amount is the remainder of a divided fee."""
ALWAYS = (Cause.SIGNAL, Cause.EXIT, Cause.SLIPPAGE, Cause.FEES)
"""Parts of every trade; any other part needs a recorded quote."""
STEPS = ((Step.STAGED, Cause.STAGED), (Step.KEY, Cause.KEY), (Step.ANSWERED, Cause.SENT))


@dataclass(frozen=True, slots=True)
class Split:
    """`parts` add up to the trade's profit, USD, to the cent. `unknown` names the steps without a record."""

    parts: tuple[Part, ...]
    unknown: tuple[str, ...]

    def of(self, cause: Cause) -> Money:
        return next((part.amount for part in self.parts if part.name == cause), Money(ZERO))


def split_of(story: TradeStory, close: Price | None) -> Split:
    """Return the split of one trade.

    Parameters
    ----------
    close
        The last price of the exit's day, USD; None if not recorded.
    """
    sums: dict[Cause, Decimal] = dict.fromkeys(ALWAYS, ZERO)
    unknown: list[str] = []
    trade = story.trade
    last = close if close is not None else trade.intended_exit or trade.exit_price
    if close is None:
        unknown.append("no price of the day's end: the exit's choice is in the signal")
    for fill in story.fills:
        aimed = intended(fill)
        cause = Cause.SIGNAL if fill.opens else Cause.EXIT
        sums[cause] += gained(fill, aimed, last)
        for step, amount in _on_the_way(fill, aimed, unknown):
            sums[step] = sums.get(step, ZERO) + amount
        sums[Cause.FEES] -= fill.fee
    left = trade.profit - sum(sums.values(), ZERO)
    cause = Cause.UNTOLD if abs(left) > OF_A_DIVISION else Cause.SLIPPAGE
    sums[cause] = sums.get(cause, ZERO) + left
    if not story.fills:
        unknown.append("its fills do not tell it: the broker's books corrected it, or a split came between")
    return Split(
        in_cents(Part(each.value, Money(sums[each])) for each in Cause if each in sums), tuple(dict.fromkeys(unknown))
    )


def intended(fill: FillStory) -> Price:
    """Return the reference price of a fill, USD: the order's intended price, otherwise the fill's own."""
    return fill.price if fill.order.intended is None else fill.order.intended


def gained(fill: FillStory, first: Decimal, then: Decimal) -> Decimal:
    """Return the profit of its shares between two prices, USD."""
    return fill.order.order.instrument.notional(fill.quantity, then - first) * fill.sign


def _on_the_way(fill: FillStory, aimed: Decimal, unknown: list[str]) -> Iterator[tuple[Cause, Decimal]]:
    """Yield the parts from the intended price to the fill: a higher price costs a buyer and gains a seller."""
    here, touch = aimed, None
    for step, cause in STEPS:
        seen = fill.order.at_step(step)
        if seen is None or seen.mid is None:
            if seen is not None:
                unknown.append(f"no quote where it was {step}: in the step after it")
            continue
        yield cause, -gained(fill, here, seen.mid)
        here, touch = seen.mid, seen.ask if fill.order.order.side is Side.BUY else seen.bid
    if touch is not None:
        yield Cause.SPREAD, -gained(fill, here, touch)
        here = touch
    yield Cause.SLIPPAGE, -gained(fill, here, fill.price)
