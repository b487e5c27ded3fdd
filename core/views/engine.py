"""Views in place of the desk view while the engine is not available."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineLoading:
    """The engine is loading."""

    what: str


@dataclass(frozen=True, slots=True)
class EngineFailed:
    """The engine failed; the message states the reason and the next step."""

    message: str
