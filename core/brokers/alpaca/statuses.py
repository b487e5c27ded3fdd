"""Alpaca's order statuses and events, each in one table. An unknown one is kept raw, never guessed.

The statuses are the state machine's own table (`core.execution.order_states`), so that there is one.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.execution.order_states import BROKER_STATUSES
from core.model.broker import UpdateEvent
from core.model.order import OrderStatus

EVENTS: Mapping[str, UpdateEvent] = {event.value: event for event in UpdateEvent if event is not UpdateEvent.OTHER}
"""Every event of the trade updates, by Alpaca's name."""

FILLS = frozenset({UpdateEvent.FILL, UpdateEvent.PARTIAL_FILL})
"""Events that carry an execution."""


def status_of(word: str) -> OrderStatus | None:
    """Return None for an unknown status."""
    return BROKER_STATUSES.get(word)


def event_of(word: str) -> UpdateEvent:
    """Return `OTHER` for an unknown event: the order that comes with it is authoritative."""
    return EVENTS.get(word, UpdateEvent.OTHER)
