"""What pictures ask of the broker's list, which stands in no state."""

from __future__ import annotations

from collections.abc import Callable

from core.model.values import Symbol

Listed = Callable[[Symbol], bool | None]
"""Whether the broker's list has it; None where there is no list."""


def no_list(_symbol: Symbol) -> bool | None:
    """Nobody has one."""
    return None
