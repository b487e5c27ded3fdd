"""The state of a desk's connection to its engine: its losses and gaps."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from core.ports import OperatorError

REMEMBERED = 16
"""The number of remembered gaps: each one disarms tickets, so older ones do not matter."""
GAP = 1.0
"""Seconds of silence after which the screen is unconfirmed (OP-04); the engine sends twice in that time."""

SILENT = 3.0
"""Seconds after which the silence is shown prominently: a hanging engine does not break the link."""


class LinkBrokenError(OperatorError):
    """The engine's machine cannot be reached; the message is shown unchanged."""


class EngineLink:
    """The link of one desk. Written in the thread that reads the connection, read in any.

    Attributes
    ----------
    trouble
        Why nothing reaches the engine, as text; None while the link works.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._gaps: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)
        self._heard_at = now()
        self._lost_at: float | None = None
        self.trouble: str | None = None

    def hear(self) -> None:
        """Note a message from the engine."""
        now = self._now()
        if self._lost_at is not None or now - self._heard_at > GAP:
            self._gaps.append((self._heard_at, now))
        self._heard_at, self._lost_at, self.trouble = now, None, None

    def lose(self, trouble: str) -> None:
        """Note the loss of the connection and its reason."""
        if self._lost_at is None:
            self._lost_at = self._now()
        self.trouble = trouble

    @property
    def doubt(self) -> str | None:
        """Why a key typed now would not count; otherwise None."""
        if self.trouble is not None:
            return self.trouble
        silent = self._now() - self._heard_at
        return f"the engine has said nothing for {silent:.0f} s" if silent > GAP else None

    @property
    def silence(self) -> float | None:
        """Seconds of silence over a working link; None if too short to count."""
        silent = self._now() - self._heard_at
        return silent if self.trouble is None and silent >= SILENT else None

    def had_gap(self, since: float, until: float) -> bool:
        """Whether it was lost or silent between two instants of the console's clock."""
        if self.doubt is not None and self._heard_at < until:
            return True
        return any(begin < until and since < end for begin, end in list(self._gaps))
