"""The advisers of the house: by their names, and how each is made of its settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.advisers.base import Adviser
from core.advisers.watchman import Watchman
from core.settings.desk import AdvisersSettings

HOUSE: Mapping[str, Callable[[AdvisersSettings], Adviser | None]] = {
    Watchman.name: lambda terms: Watchman(terms.watchman, terms.most) if terms.watchman.enabled else None,
}
"""By the name that its settings have; None where it is turned off."""


def advisers_of(terms: AdvisersSettings) -> tuple[Adviser, ...]:
    """Those that are turned on."""
    made = (make(terms) for make in HOUSE.values())
    return tuple(adviser for adviser in made if adviser is not None)
