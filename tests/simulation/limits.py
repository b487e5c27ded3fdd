"""What shuts entries out of a simulated session, and what does not."""

from __future__ import annotations

from core.risk.protections.book import NAMES

UNGUARDED = {name: {"enabled": False} for name in NAMES}
"""Every protection off: else the first loss would end most of the trading, and little would be tried after it."""
