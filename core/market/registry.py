"""The sources of market data that a live desk may listen to, by their names. One more is one line more."""

from __future__ import annotations

from core.market.alpaca.source import ALPACA_DATA
from core.market.kinds import SourceKind

SOURCES: dict[str, SourceKind] = {
    ALPACA_DATA.name: ALPACA_DATA,
}
