"""What stands in the picture's place while the engine is not there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineLoading:
    """The engine is being taken up."""

    what: str


@dataclass(frozen=True, slots=True)
class EngineFailed:
    """The engine is not there, and why; the message says what to do."""

    message: str
