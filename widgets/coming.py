"""Upcoming corporate actions, in words short enough for a row."""

from __future__ import annotations

from core.model.reference_data import in_words
from core.views import ActionRow


def ex_day(row: ActionRow | None) -> str:
    """Format `ex Tue`."""
    return "" if row is None else f"ex {row.action.ex_date:%a}"


def coming_in_words(row: ActionRow) -> str:
    """Format `ex Tue 24 Nov: dividend 0.25 USD a share`."""
    return f"ex {row.action.ex_date:%a %d %b}: {in_words(row.action)}"
