"""Numbers as they are typed."""

from __future__ import annotations

from decimal import Decimal

from console.order_form import NUMBER


def number_in(text: str) -> Decimal | None:
    """A number above zero, or None."""
    stripped = text.strip()
    return Decimal(stripped) if NUMBER.fullmatch(stripped) and Decimal(stripped) else None
