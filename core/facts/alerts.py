"""What the operator wants to be rung for, and what rang."""

from __future__ import annotations

from dataclasses import dataclass

from core.facts.registry import Fact, fact
from core.model.alert import Alert, AlertTerms


@fact()
@dataclass(frozen=True, slots=True)
class AlertKept(Fact):
    """From here on the engine looks for it."""

    alert: Alert


@fact()
@dataclass(frozen=True, slots=True)
class AlertRefused(Fact):
    """It is not kept, and why."""

    terms: AlertTerms
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class AlertDropped(Fact):
    """The operator wants it no longer."""

    alert: Alert


@fact()
@dataclass(frozen=True, slots=True)
class AlertRang(Fact):
    """What it looks for has come, and what was seen; one with a level is over with it."""

    alert: Alert
    seen: str
