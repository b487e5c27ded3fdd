"""The state of a desk's connection to its engine, its losses and gaps, and what came over it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime

from console.client.access import EngineAccess, LinkToEngine
from core.model.desk import DeskNumber
from core.model.values import AccountId
from core.ports import OperatorError
from core.views import DeskView
from core.views.desk import EngineFailed, EngineLoading

REMEMBERED = 16
"""The number of remembered gaps: each one disarms tickets, so older ones do not matter."""
GAP = 1.0
"""Seconds of silence after which the screen is unconfirmed (OP-04); the engine sends twice in that time."""

SILENT = 3.0
"""Seconds after which the silence is shown prominently: a hanging engine does not break the link."""


class LinkBrokenError(OperatorError):
    """The engine's machine cannot be reached; the message is shown unchanged."""


class EngineLink(LinkToEngine):
    """The link of one desk to another process. Written in the thread that reads the connection, read in any."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._gaps: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)
        self._heard_at = now()
        self._lost_at: float | None = None

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
        if self.trouble is not None:
            return self.trouble
        silent = self._now() - self._heard_at
        return f"the engine has said nothing for {silent:.0f} s" if silent > GAP else None

    @property
    def silence(self) -> float | None:
        silent = self._now() - self._heard_at
        return silent if self.trouble is None and silent >= SILENT else None

    def had_gap(self, since: float, until: float) -> bool:
        if self.doubt is not None and self._heard_at < until:
            return True
        return any(begin < until and since < end for begin, end in list(self._gaps))


WAITS_FOR_ANSWER = "waiting for the engine to answer"
WAITS_FOR_BOOKS = "the engine answers; waiting for its positions and orders"
"""What a desk waits for that has not received a view yet, in order."""


class EngineReports(EngineAccess):
    """What a conversation reports of a remote engine. Written in the link's thread, read in any.

    Attributes
    ----------
    presses
        The number of the engine's halts and kills included in the view.
    account
        The account of the engine that receives this desk's commands; None while there is none.
    """

    link: EngineLink

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(EngineLink(now), WAITS_FOR_ANSWER, "engine link")
        self.presses = 0
        self.account: AccountId | None = None
        self._now = now
        self._clock: tuple[datetime, float, float] | None = None
        self._number: DeskNumber | None = None
        self._desk: DeskNumber | None = None

    @property
    def desk(self) -> DeskNumber | None:
        return self._desk

    @property
    def has_seen_it(self) -> bool:
        """Whether a view of the engine was received."""
        return self._clock is not None

    def welcome(self, desk: DeskNumber, account: AccountId, keys: Mapping[str, str]) -> None:
        self._number, self._keys, self.account, self.presses = desk, keys, account, 0
        if isinstance(self.view, EngineLoading):
            self.view = EngineLoading(WAITS_FOR_BOOKS)

    def lose(self, trouble: str) -> None:
        """Note the loss of the connection and its reason."""
        self.account = None
        self.link.lose(trouble)
        if isinstance(self.view, EngineLoading):
            self.view = EngineLoading(trouble)

    def prepare(self, words: str) -> None:
        self.view = EngineLoading(words)

    def fail(self, words: str) -> None:
        """Show that this engine cannot be used."""
        self.view = EngineFailed(words)

    def show(self, view: DeskView) -> None:
        """Show a view, and take the desk's number with it: in the previous view a returned desk has no control."""
        is_news = not isinstance(self.view, DeskView) or view.log is not self.view.log
        self.view, self._desk = view, self._number
        if is_news:
            self._on_news()

    def set_clock(self, clock: datetime, rate: float) -> None:
        self._clock = (clock, self._now(), rate)
