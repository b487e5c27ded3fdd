"""How a connection to the world stands, as a lamp on the status line shows it, and how long an order's way took.

Sightings: never restored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from core.model.values import Symbol


class Channel(Enum):
    """Which connection."""

    BROKER = "broker"
    """Requests to the broker."""
    TRADES = "trades"
    """The stream of order updates."""
    DATA = "data"
    """The stream of bars and quotes."""


class ConnectionState(Enum):
    CONNECTING = "connecting"
    UP = "up"
    SILENT = "silent"
    """Open, and nothing comes although something should."""
    POLLING = "polling"
    """The stream is down; what it would tell is asked for instead."""
    DOWN = "down"
    """Not there; tried again."""
    REFUSED = "refused"
    """The other side said no; not tried again by itself before the operator acts."""


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """One connection as it stands.

    Attributes
    ----------
    since
        When it came into this state.
    heard_at
        When anything came over it last; None where nothing ever did.
    tries
        Attempts since it was last up; 0 while it is.
    words
        What is wrong and what to do, in one line; empty where nothing is.
    polled
        Symbols that the stream has no room for: polled each minute, and their trading halts are not heard.
    """

    line: Channel
    state: ConnectionState
    since: datetime
    heard_at: datetime | None = None
    tries: int = 0
    words: str = ""
    polled: tuple[Symbol, ...] = ()


PERCENTILES = (50, 90, 95, 99)


@dataclass(frozen=True, slots=True)
class LatencySpan:
    """One part of the way, over the orders of a day: `percentiles` are those of `PERCENTILES`, in that order."""

    name: str
    orders: int
    percentiles: tuple[timedelta, ...]
