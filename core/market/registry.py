"""The market data sources of a live desk, by name. Add one line for another."""

from __future__ import annotations

from core.market.alpaca.source import ALPACA_DATA
from core.market.port import SourceKind

SOURCES: dict[str, SourceKind] = {
    ALPACA_DATA.name: ALPACA_DATA,
}
