"""Text in a page of HTML: no markup of its own, and no character that would do something instead of being seen."""

from __future__ import annotations

from html import escape

from core.model.harmless_text import harmless


def escaped(text: str) -> str:
    """By the terminal's rule, then by that of HTML (SY-06)."""
    return escape(harmless(text))
