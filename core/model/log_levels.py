"""How grave a line of the log is."""

from __future__ import annotations

INFO, WARN, ALERT, ERROR, CRITICAL = "INFO", "WARN", "ALERT", "ERROR", "CRITICAL"
GRAVER = (INFO, WARN, ERROR, CRITICAL)
"""From what is plain on; an alert that rang is beside them."""


def at_least(level: str) -> tuple[str, ...]:
    """The levels by which a line of this one is found: its own, and the less grave ones."""
    return GRAVER[: GRAVER.index(level) + 1] if level in GRAVER else (INFO, level)
