"""Shortened identifiers on the screen: six characters tell a day's orders apart. Copied or written, they are whole."""

from __future__ import annotations

import re

from core.model.values import SHORT_ID, ClientOrderId

OURS = r"\b([0-9a-f]{6})[0-9a-f]{10}\b"
"""Pattern of this desk's identifiers (orders, proposals, tickets, digests), shortened to the first six characters."""
BROKERS = r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{6}([0-9a-f]{6})\b|\b(?:leg-)?sim-\d*(\d{6})\b"
"""Pattern of the broker's or simulated order ids, shortened to the last six characters because they begin alike."""
IDENTIFIER = re.compile(f"{OURS}|{BROKERS}")


def short_ids(text: str) -> str:
    """Shorten each identifier in a text."""
    return IDENTIFIER.sub(lambda found: str(found[found.lastindex or 0]), text)


def short_id(id: ClientOrderId) -> str:
    """Return the short form, such as `3f9a02`; the last six characters of a broker's id."""
    short = short_ids(id)
    return short if len(short) <= SHORT_ID else id[-SHORT_ID:]
