"""Escape text for HTML: no markup, and no control characters."""

from __future__ import annotations

from html import escape

from core.model.harmless_text import harmless


def escaped(text: str) -> str:
    """Escape for the terminal, then for HTML (SY-06)."""
    return escape(harmless(text))
