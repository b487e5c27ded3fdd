"""The words of an agent's draft: its facts beside the desk's figures, and its agent's record (OP-09, OP-14).

Every mark has its word: ✓ matches, ✗ differs, ○ old, ? cannot be checked. A fact to review stands first and is never
left out of a ticket for lack of room without being counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal

from core.model.draft import SIDES, CheckedFact, FactResult
from core.model.fact_fields import TERMS, FactField, Unit, field_named
from core.model.order import Effect, Side
from core.views import DraftRow
from widgets import format as f
from widgets.lines import Tone, in_rows

MARKS = {FactResult.MATCHES: "✓", FactResult.DIFFERS: "✗", FactResult.OLD: "○", FactResult.UNKNOWN: "?"}
TONES: dict[FactResult, Tone] = {
    FactResult.MATCHES: "",
    FactResult.DIFFERS: "urgent",
    FactResult.OLD: "warning",
    FactResult.UNKNOWN: "warning",
}
NO_FACTS = "none stated"
BY_IMPORTANCE = (FactResult.DIFFERS, FactResult.OLD, FactResult.UNKNOWN, FactResult.MATCHES)
FIELD_WORDS = {
    FactField.STOP: "stop",
    FactField.CLOSE_BEFORE: "close before",
    FactField.DAY_CHANGE: "day's result",
    FactField.USED: "part of a guard used",
}
LARGEST = Decimal(10**12)
"""A figure from an agent beyond it is shown by its magnitude."""
LEAST_FALSE, FULL, BRIEF = 3, 6, 1
"""Facts that differ that a ticket always lists, and most lines of each kind with room and without; others are counted.
"""


def side_of(effect: Effect) -> Side:
    return Side.BUY if effect in (Effect.OPEN, Effect.ADD, Effect.COVER) else Side.SELL


def drafted_effect(row: DraftRow) -> str:
    """Format `draft BUY` for a column."""
    return f"draft {SIDES[row.effect].upper()}"


# ── facts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def fact_in_words(checked: CheckedFact, now: datetime) -> str:
    """Format `✗ SPY position 3, ours 0` or `? SPY earnings 2: the desk does not know this field`."""
    fact = checked.fact
    known = field_named(fact.field)
    name = fact.field if known is None else FIELD_WORDS.get(known, known.value.replace("_", " "))
    at = "" if fact.at is None else f" at {f.dated_clock(fact.at, now)}"
    words = " ".join(part for part in (fact.symbol, name, _figure(known, fact.value)) if part)
    said = f"{MARKS[checked.result]} {words}{at}"
    if checked.result is FactResult.OLD:
        ours = "" if checked.ours is None else f", now {_figure(known, checked.ours)}"
        return f"{said} is old{ours}: {checked.why}"
    if checked.result is FactResult.DIFFERS and checked.ours is not None:
        return f"{said}, ours {_figure(known, checked.ours)}"
    return f"{said}: {checked.why}" if checked.why else said


def _figure(field: FactField | None, value: Decimal) -> str:
    if not value.is_finite() or abs(value) >= LARGEST:
        return f"{value:.3E}" if value.is_finite() else str(value)
    match None if field is None else TERMS[field].unit:
        case Unit.PRICE:
            return f.price(value)
        case Unit.MONEY:
            return f"{f.money(value)} USD"
        case Unit.FRACTION:
            return f.percent(value, 2)
        case _:
            return f.quantity(value)


def sorted_facts(facts: Iterable[CheckedFact]) -> list[CheckedFact]:
    """Return those that differ first, then the old ones and those that cannot be checked."""
    return sorted(facts, key=lambda checked: BY_IMPORTANCE.index(checked.result))


def fact_texts(facts: Sequence[CheckedFact], now: datetime, width: int, most: int = FULL) -> list[tuple[str, Tone]]:
    """Return the facts for a ticket with `width` cells: each to review by itself, the others together.

    `most` is the number of lines for each kind.
    """
    false = [checked for checked in sorted_facts(facts) if checked.needs_review]
    listed = max(most, LEAST_FALSE)
    said: list[tuple[str, Tone]] = [(fact_in_words(checked, now), "urgent") for checked in false[:listed]]
    if len(false) > listed:
        said.append((f"✗ {len(false) - listed} more differ", "urgent"))
    for result in BY_IMPORTANCE[1:]:
        texts = [
            fact_in_words(checked, now) for checked in facts if checked.result is result and not checked.needs_review
        ]
        if texts:
            said.append((_together(texts, MARKS[result], width, most), TONES[result]))
    return said


def _together(texts: Sequence[str], mark: str, width: int, most: int) -> str:
    """Join as many as fit in the lines that they may take, and count the others."""
    for count in range(len(texts), 0, -1):
        left = len(texts) - count
        joined = " · ".join([*texts[:count], *([f"{mark} {left} more"] if left else [])])
        if len(in_rows(joined, width)) <= most:
            return joined
    return f"{mark} {len(texts)} facts"


def facts_in_brief(facts: Sequence[CheckedFact]) -> str:
    """Count the facts: `✗1 ?1 ✓3`; empty if it states none."""
    counts = {result: sum(checked.result is result for checked in facts) for result in FactResult}
    return " ".join(f"{MARKS[result]}{counts[result]}" for result in BY_IMPORTANCE if counts[result])


def record_in_words(row: DraftRow) -> str:
    """Format `12 drafts before it; 3 of 20 facts in them were false`."""
    if not row.earlier:
        return f"the first draft of {row.agent} that this desk remembers"
    drafts = f"{row.earlier} draft{'s' if row.earlier > 1 else ''} before it"
    if not row.checkable:
        return f"{drafts}, without a fact that could be checked"
    return f"{drafts}; {row.false} of {row.checkable} facts in them were false"
