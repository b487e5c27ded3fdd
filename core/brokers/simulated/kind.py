"""The simulated exchange as a broker of the house."""

from __future__ import annotations

from core.brokers.kinds import SimulatedKind
from core.model.capabilities import EVERYTHING

SIMULATED = SimulatedKind("simulated", EVERYTHING)
