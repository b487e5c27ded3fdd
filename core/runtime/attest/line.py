"""The line of an attestation's run: its broker can be silent or slow, and its market can say more than its feed."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

from core.messages.inputs import RegimeArrived, TradingHaltHeard
from core.runtime.link import Link
from core.runtime.simulated_exchange import link_of
from core.settings.settings import Settings

SLOW = timedelta(seconds=30)


class Line:
    """What the runtime looks at with each request and each key.

    Attributes
    ----------
    link
        How long requests and answers take now.
    is_silent
        Whether an order that opens is answered by nobody.
    told
        What the market said since the runtime looked.
    """

    def __init__(self, settings: Settings) -> None:
        self._sound = self.link = link_of(settings)
        self.is_silent = False
        self.told: deque[TradingHaltHeard | RegimeArrived] = deque()

    def falls_silent(self) -> None:
        self.is_silent = True

    def slows_down(self) -> None:
        """Answers to orders take half a minute."""
        self.link = Link(self._sound.latency, SLOW, patience=2 * SLOW)

    def mends(self) -> None:
        self.is_silent, self.link = False, self._sound

    def tells(self, message: TradingHaltHeard | RegimeArrived) -> None:
        self.told.append(message)
