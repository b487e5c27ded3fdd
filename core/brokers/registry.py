"""The brokers that a desk may trade at, by the names of `account.broker`. One more is one line more."""

from __future__ import annotations

from core.brokers.alpaca.connection import ALPACA
from core.brokers.kinds import BrokerKind, SimulatedKind
from core.model.capabilities import EVERYTHING

SIMULATED = SimulatedKind("simulated", EVERYTHING)


BROKERS: dict[str, BrokerKind | SimulatedKind] = {
    ALPACA.name: ALPACA,
    SIMULATED.name: SIMULATED,
}
