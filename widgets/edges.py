"""Text in the edges of a frame, without markup or control characters (SY-06), redrawn only when it changes."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from core.model.harmless_text import harmless


def put_title(frame: Widget, text: str) -> None:
    """Write the upper edge."""
    content = Content(harmless(text))
    if content.markup != (frame.border_title or ""):
        frame.border_title = content


def put_note(frame: Widget, text: str) -> None:
    """Write the lower edge."""
    content = Content(harmless(text))
    if content.markup != (frame.border_subtitle or ""):
        frame.border_subtitle = content
