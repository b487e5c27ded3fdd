"""The terminals that pictures are taken in, and what a picture is called."""

from __future__ import annotations

SMALL, USUAL, WIDE = (80, 24), (120, 40), (200, 60)
TOO_SMALL = (60, 20)


def named(*parts: str | tuple[int, int]) -> str:
    """As `NewOrderScreen-80x24`."""
    return "-".join(part if isinstance(part, str) else f"{part[0]}x{part[1]}" for part in parts)
