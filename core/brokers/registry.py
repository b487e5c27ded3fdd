"""The supported brokers, by the names of `account.broker`. Add one line for another."""

from __future__ import annotations

from core.brokers.alpaca.connection import ALPACA
from core.brokers.port import BrokerKind, SimulatedKind
from core.model.broker import EVERYTHING

SIMULATED = SimulatedKind("simulated", EVERYTHING)


BROKERS: dict[str, BrokerKind | SimulatedKind] = {
    ALPACA.name: ALPACA,
    SIMULATED.name: SIMULATED,
}
