"""Levels of log lines."""

from __future__ import annotations

INFO, WARN, ALERT, ERROR, CRITICAL = "INFO", "WARN", "ALERT", "ERROR", "CRITICAL"
GRAVER = (INFO, WARN, ERROR, CRITICAL)
"""Levels by severity; ALERT, of a triggered alert, is separate."""


def at_least(level: str) -> tuple[str, ...]:
    """Return the filter levels that show a line of this level: its own, and the lower ones."""
    return GRAVER[: GRAVER.index(level) + 1] if level in GRAVER else (INFO, level)
