"""A clock that only its test moves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Seconds:
    """Seconds that stand still until `now` is set."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now
