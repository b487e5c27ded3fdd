"""The venues that this desk knows. The only place with New York's name, clock and hours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import time
from zoneinfo import ZoneInfo

from core.model.values import VenueId
from core.model.venue import ExtendedHours, Venue

XNYS = Venue(
    id=VenueId("XNYS"),
    name="New York",
    short="NY",
    zone=ZoneInfo("America/New_York"),
    calendar="XNYS",
    opens=time(9, 30),
    closes=time(16),
    currency="USD",
    extended=ExtendedHours(begin=time(4), end=time(20), early=time(14), end_of_a_half_day=time(17)),
)
"""The New York Stock Exchange; its extended hours as US exchanges keep them, and Alpaca with them."""

KIN = ("XNAS", "XASE", "ARCX", "BATS", "IEXG")
"""Exchanges of the same hours and holidays: Nasdaq, NYSE American, NYSE Arca, Cboe BZX, IEX."""

VENUES: Mapping[VenueId, Venue] = {
    venue.id: venue for venue in (XNYS, *(replace(XNYS, id=VenueId(code)) for code in KIN))
}

HOME = XNYS
"""The venue of times on the screen, in the log and in the settings. Decisions use their calendar's venue."""
