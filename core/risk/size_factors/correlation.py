"""A position that moves with another adds to its risk: over a correlation of 0.7 the risk is cut (RK-16).

A short beside a long that moves with it reduces risk, and is not cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from core.model.sizing import WHOLE, LeftOut, Term
from core.model.values import CENT, ZERO, Fraction
from core.risk.size_factors.base import Conditions, Likeness, WantedEntry, told


class CorrelationScale:
    name = "correlation"

    def weigh(self, wanted: WantedEntry, conditions: Conditions) -> Term | LeftOut | None:
        terms = conditions.settings.correlation
        if not terms.enabled:
            return None
        if not conditions.held:
            return Term(self.name, WHOLE, "nothing else is held")
        measured = [(correlation, h) for h in conditions.held if (correlation := _felt(h, wanted)) is not None]
        if measured:
            highest, like = max(measured, key=lambda pair: pair[0])
            if highest > terms.limit:
                return Term(self.name, told(terms.factor), f"{highest.quantize(CENT)} with {like.symbol}")
        unknown = [held for held in conditions.held if held.correlation is None]
        if unknown:
            few = min(unknown, key=lambda held: held.days)
            return LeftOut(self.name, f"{few.days} of {terms.days} days with {few.symbol}")
        return Term(self.name, WHOLE, f"{measured[0][0].quantize(CENT)} with {measured[0][1].symbol}")


def _felt(held: Likeness, wanted: WantedEntry) -> Decimal | None:
    """Return the correlation with its sign by direction: positive if the two win and lose together."""
    if held.correlation is None:
        return None
    return held.correlation if held.is_long is wanted.is_long else -held.correlation


def correlation(first: Sequence[Decimal], second: Sequence[Decimal]) -> Fraction | None:
    """Pearson's correlation of returns of the same days; None if one of the two did not move.

    The sum of the products of the deviations, over the root of the product of the sums of their squares.
    """
    count = len(first)
    if count != len(second):
        raise ValueError(f"{count} returns beside {len(second)}")
    if not count:
        return None
    mean_1, mean_2 = sum(first, ZERO) / count, sum(second, ZERO) / count
    apart_1, apart_2 = [x - mean_1 for x in first], [y - mean_2 for y in second]
    square_1, square_2 = sum((x * x for x in apart_1), ZERO), sum((y * y for y in apart_2), ZERO)
    if not square_1 or not square_2:
        return None
    together = sum((x * y for x, y in zip(apart_1, apart_2, strict=True)), ZERO)
    one = Decimal(1)
    return Fraction(max(-one, min(one, together / (square_1.sqrt() * square_2.sqrt()))))
