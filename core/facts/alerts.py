"""The operator's alerts, and their triggers."""

from __future__ import annotations

from dataclasses import dataclass

from core.facts.registry import Fact, fact
from core.model.alert import Alert, AlertTerms


@fact()
@dataclass(frozen=True, slots=True)
class AlertKept(Fact):
    """An alert was added; the engine evaluates it from here on."""

    alert: Alert


@fact()
@dataclass(frozen=True, slots=True)
class AlertRefused(Fact):
    """An alert was not added, and why."""

    terms: AlertTerms
    reason: str


@fact()
@dataclass(frozen=True, slots=True)
class AlertDropped(Fact):
    """The operator removed an alert."""

    alert: Alert


@fact()
@dataclass(frozen=True, slots=True)
class AlertRang(Fact):
    """An alert triggered, with the seen figure; an alert with a level ends with it."""

    alert: Alert
    seen: str
