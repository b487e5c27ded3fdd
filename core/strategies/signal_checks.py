"""Validation of a strategy's signals: a malformed one is never staged (EX-11)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from core.model.bar import Bar
from core.model.order import StopHolder
from core.model.signal import EntrySignal, ExitReason, ExitSignal
from core.model.values import Quantity, plain, priced

LONGEST_REASON = 500
"""Characters of a proposal's reason."""


@dataclass(frozen=True, slots=True)
class SignalFault:
    """An invalid answer of a strategy process in place of a signal, as text."""

    words: str


class UnfitError(ValueError):
    """A user strategy cannot be built, or its answer or memory cannot be used; one line."""


def fault_in(answer: object, strategy: str, bar: Bar, held: Quantity) -> str | None:
    """Return the fault of a signal that `strategy` gave on `bar` while it held `held` shares; None if it is valid."""
    if isinstance(answer, SignalFault):
        return answer.words
    if not isinstance(answer, EntrySignal | ExitSignal):
        return f"it answered a {type(answer).__name__}"
    if odd := _of_another_kind(answer):
        return odd
    if (answer.strategy, answer.symbol, answer.bar_start) != (strategy, bar.symbol, bar.start):
        return f"it is signed {answer.strategy} {answer.symbol} {answer.bar_start}, and not by this bar"
    for name, number in _numbers(answer):
        if not isinstance(number, Decimal) or not number.is_finite() or number <= 0:
            return f"its {name} is {number}"
    if isinstance(answer, EntrySignal) and answer.stop_price >= answer.limit_price:
        return f"its stop {priced(answer.stop_price)} is not below its limit {priced(answer.limit_price)}"
    if (
        isinstance(answer, EntrySignal)
        and answer.target_price is not None
        and answer.target_price <= answer.limit_price
    ):
        return f"its target {priced(answer.target_price)} is not above its limit {priced(answer.limit_price)}"
    if isinstance(answer, EntrySignal) and answer.confidence is not None and not 0 <= answer.confidence <= 1:
        return f"its confidence {answer.confidence} is not within 0 to 1"
    if isinstance(answer, ExitSignal) and answer.quantity > abs(held):
        return f"it would leave with {plain(answer.quantity)} of {plain(abs(held))}"
    return None


def _of_another_kind(answer: EntrySignal | ExitSignal) -> str | None:
    """Return a fault of type: a value that could not be compared, or not be serialised."""
    if not isinstance(answer.reason, str) or len(answer.reason) > LONGEST_REASON or not _is_text(answer.reason):
        return f"its reason is no text of at most {LONGEST_REASON} characters"
    if isinstance(answer, ExitSignal) and not isinstance(answer.exit_reason, ExitReason):
        return "its exit_reason is no ExitReason"
    if isinstance(answer, EntrySignal) and not isinstance(answer.stop_holder, StopHolder):
        return "its stop_holder is no StopHolder"
    confidence = answer.confidence if isinstance(answer, EntrySignal) else None
    if confidence is not None and not (isinstance(confidence, Decimal) and confidence.is_finite()):
        return f"its confidence is {confidence}"
    return None


def _is_text(text: str) -> bool:
    """Return whether it can be encoded: half a surrogate pair cannot."""
    return text.isascii() or text.encode(errors="ignore").decode() == text


def _numbers(answer: EntrySignal | ExitSignal) -> tuple[tuple[str, object], ...]:
    common = (("quantity", answer.quantity), ("reference", answer.reference))
    if isinstance(answer, EntrySignal):
        target = () if answer.target_price is None else (("target", answer.target_price),)
        return (*common, ("limit", answer.limit_price), ("stop", answer.stop_price), *target)
    return (*common, ("intended price", answer.intended_price))
