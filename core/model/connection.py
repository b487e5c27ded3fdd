"""Connection status as shown on the status line, and the latency of orders.

Observed values: never restored.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from core.model.values import Symbol


class Channel(Enum):
    """The connections."""

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
    """Open, but expected messages do not come."""
    POLLING = "polling"
    """The stream is down; its data is polled instead."""
    DOWN = "down"
    """Not connected; retried."""
    REFUSED = "refused"
    """The other side refused; not retried automatically before the operator acts."""


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """Status of one connection.

    Attributes
    ----------
    since
        When it came into this state.
    heard_at
        When anything was received last; None if never.
    tries
        Attempts since it was last up; 0 while it is.
    words
        The problem and the remedy, in one line; empty if there is none.
    polled
        Symbols beyond the stream's limit: polled each minute, and their trading halts are not received.
    odd
        What was left out of its messages since the start, in words, and how often (MD-03).
    """

    line: Channel
    state: ConnectionState
    since: datetime
    heard_at: datetime | None = None
    tries: int = 0
    words: str = ""
    polled: tuple[Symbol, ...] = ()
    odd: tuple[tuple[str, int], ...] = ()


PERCENTILES = (50, 90, 95, 99)


@dataclass(frozen=True, slots=True)
class LatencySpan:
    """One span of the latency, over the orders of a day: `percentiles` are those of `PERCENTILES`, in that order."""

    name: str
    orders: int
    percentiles: tuple[timedelta, ...]
