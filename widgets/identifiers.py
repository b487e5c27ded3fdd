"""Identifiers as the screen shows them: six characters tell a day's orders apart. Copied or written they are whole."""

from __future__ import annotations

import re

from core.model.values import SHORT_ID, ClientOrderId

OURS = r"\b([0-9a-f]{6})[0-9a-f]{10}\b"
"""An order's, a proposal's, a ticket's or a digest's, as this desk gives them: by its first six."""
BROKERS = r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{6}([0-9a-f]{6})\b|\b(?:leg-)?sim-\d*(\d{6})\b"
"""An order's that a broker gave, or the simulated one: by its last six, for they begin alike."""
IDENTIFIER = re.compile(f"{OURS}|{BROKERS}")


def short_ids(text: str) -> str:
    """Each whole identifier in a text by its six characters."""
    return IDENTIFIER.sub(lambda found: str(found[found.lastindex or 0]), text)


def short_id(id: ClientOrderId) -> str:
    """`3f9a02`; of one that the broker gave, its last six."""
    short = short_ids(id)
    return short if len(short) <= SHORT_ID else id[-SHORT_ID:]
