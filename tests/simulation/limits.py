"""What shuts entries out of a simulated session, and what does not."""

from __future__ import annotations

from core.risk.protections.protection_registry import NAMES

CONTROLS: dict[str, object] = {
    "collar": {"band": "0.03", "spreads": "10", "period_band": "0.05"},
    "order_size": {"shares": "10000", "of_volume": "0.01"},
    "max_day_value": {"usd": "1000000"},
    "portfolio": {"symbol_exposure": "5", "sector_exposure": "5"},
    "sectors": {"SPY": "index", "AAA": "index", "BBB": "banks"},
    "margin": {"deficit_limit": 3},
}
"""All that a member firm checks of an order, on: a session trades within them, unless its prices run away."""
UNGUARDED = {name: {"enabled": False} for name in NAMES}
"""Every protection off: else the first loss would end most of the trading, and little would be tried after it."""
URGENT = {
    "command": ["/bin/true"],
    "exit_seconds": "3",
    "rules": {"urgent": {"channels": ["command"], "at_least": "urgent"}},
}
"""Somebody is told of what is urgent."""
