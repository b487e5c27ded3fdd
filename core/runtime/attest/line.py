"""The simulated connection of an attestation run: a silent or slow broker, and extra market messages."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

from core.messages.inputs import RegimeArrived, TradingHaltHeard
from core.runtime.link import Link
from core.runtime.simulated_exchange import link_of
from core.settings.settings import Settings

SLOW = timedelta(seconds=30)


class Line:
    """Connection faults that the runtime reads before each request and each key.

    Attributes
    ----------
    link
        The current latency of requests and answers.
    is_silent
        Whether orders that open a position get no answer.
    told
        Market messages that the runtime has not read yet.
    """

    def __init__(self, settings: Settings) -> None:
        self._sound = self.link = link_of(settings)
        self.is_silent = False
        self.told: deque[TradingHaltHeard | RegimeArrived] = deque()

    def falls_silent(self) -> None:
        self.is_silent = True

    def slows_down(self) -> None:
        """Delay the answers to orders by half a minute."""
        self.link = Link(self._sound.latency, SLOW, patience=2 * SLOW)

    def mends(self) -> None:
        self.is_silent, self.link = False, self._sound

    def tells(self, message: TradingHaltHeard | RegimeArrived) -> None:
        self.told.append(message)
