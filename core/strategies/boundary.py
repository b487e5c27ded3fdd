"""The boundary of a strategy: a signal that is not well formed passes it never (EX-11)."""

from __future__ import annotations

from decimal import Decimal

from core.model.bar import Bar
from core.model.signal import EntrySignal, ExitSignal
from core.model.values import Quantity, plain


def fault_in(answer: object, strategy: str, bar: Bar, held: Quantity) -> str | None:
    """What is wrong with a signal that `strategy` gave on `bar` while it held so many shares; None where nothing is."""
    if not isinstance(answer, EntrySignal | ExitSignal):
        return f"it answered a {type(answer).__name__}"
    if (answer.strategy, answer.symbol, answer.bar_start) != (strategy, bar.symbol, bar.start):
        return f"it is signed {answer.strategy} {answer.symbol} {answer.bar_start}, and not by this bar"
    for name, number in _numbers(answer):
        if not isinstance(number, Decimal) or not number.is_finite() or number <= 0:
            return f"its {name} is {number}"
    if isinstance(answer, EntrySignal) and answer.stop_price >= answer.limit_price:
        return f"its stop {plain(answer.stop_price)} is not below its limit {plain(answer.limit_price)}"
    if (
        isinstance(answer, EntrySignal)
        and answer.target_price is not None
        and answer.target_price <= answer.limit_price
    ):
        return f"its target {plain(answer.target_price)} is not above its limit {plain(answer.limit_price)}"
    if isinstance(answer, EntrySignal) and answer.confidence is not None and not 0 <= answer.confidence <= 1:
        return f"its confidence {answer.confidence} is not within 0 to 1"
    if isinstance(answer, ExitSignal) and answer.quantity > abs(held):
        return f"it would leave with {plain(answer.quantity)} of {plain(abs(held))}"
    return None


def _numbers(answer: EntrySignal | ExitSignal) -> tuple[tuple[str, object], ...]:
    common = (("quantity", answer.quantity), ("reference", answer.reference))
    if isinstance(answer, EntrySignal):
        target = () if answer.target_price is None else (("target", answer.target_price),)
        return (*common, ("limit", answer.limit_price), ("stop", answer.stop_price), *target)
    return (*common, ("intended price", answer.intended_price))
