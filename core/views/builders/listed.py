"""Access of the views to the broker's list of symbols, which is not part of the state."""

from __future__ import annotations

from collections.abc import Callable

from core.model.values import Symbol

Listed = Callable[[Symbol], bool | None]
"""Whether the broker's list has a symbol; None without a list."""


def no_list(_symbol: Symbol) -> bool | None:
    """Return None: there is no list."""
    return None
