"""How a desk's connection to its engine is: since when it is gone, and when it stood still."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from core.ports import OperatorError

REMEMBERED = 16
"""Gaps that are known: each ends what was armed, so that older ones matter to nobody."""
GAP = 1.0
"""Seconds without a word from the engine after which what is on the screen is not confirmed (OP-04); it says one about
twice in that time."""

SILENT = 3.0
"""Seconds after which its silence is named over everything: one that hangs or is stopped breaks no link."""


class LinkBrokenError(OperatorError):
    """There is no way to the engine's machine, and why; it is said as it stands."""


class EngineLink:
    """One desk's. Written in the thread that reads the connection, read in any.

    Attributes
    ----------
    trouble
        Why nothing goes to the engine, in words; None while all does.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._gaps: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)
        self._heard_at = now()
        self._lost_at: float | None = None
        self.trouble: str | None = None

    def hear(self) -> None:
        """Something came from the engine."""
        now = self._now()
        if self._lost_at is not None or now - self._heard_at > GAP:
            self._gaps.append((self._heard_at, now))
        self._heard_at, self._lost_at, self.trouble = now, None, None

    def lose(self, trouble: str) -> None:
        """Nothing comes any more, for this reason."""
        if self._lost_at is None:
            self._lost_at = self._now()
        self.trouble = trouble

    @property
    def doubt(self) -> str | None:
        """Why no key that is typed now counts; None where it would."""
        if self.trouble is not None:
            return self.trouble
        silent = self._now() - self._heard_at
        return f"the engine has said nothing for {silent:.0f} s" if silent > GAP else None

    @property
    def silence(self) -> float | None:
        """Seconds for which nothing came over a link that is whole; None while that is no silence."""
        silent = self._now() - self._heard_at
        return silent if self.trouble is None and silent >= SILENT else None

    def had_gap(self, since: float, until: float) -> bool:
        """Whether it was gone or stood still between two instants of the console's clock."""
        if self.doubt is not None and self._heard_at < until:
            return True
        return any(begin < until and since < end for begin, end in list(self._gaps))
