"""The colours: calm on paper, and safe for red-green blindness (gain is blue, loss is orange)."""

from __future__ import annotations

from textual.theme import Theme

KEYTURN = Theme(
    name="keyturn",
    primary="#4C7FB0",
    secondary="#6C8EAD",
    accent="#7FB2E5",
    foreground="#D8DEE6",
    background="#11151A",
    surface="#171C23",
    panel="#222A34",
    success="#6FB7FF",
    warning="#F2C14E",
    error="#FF9B54",
    dark=True,
)
