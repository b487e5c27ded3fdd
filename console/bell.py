"""The bell: for which news it rings, and again while an urgent exit waits (OP-06)."""

from __future__ import annotations

from core.views import WARNED, DeskView

AGAIN_AFTER = 30.0
"""Seconds after which a waiting exit rings again, unless a setting says otherwise."""


class Bell:
    """Rings once for a new proposal or draft, broker's warning, refused agent, alert, or missing stop.

    It repeats while an exit waits, shares lack their stop (EX-22), or authorized exits wait because the desk's clock is
    in doubt (EX-23).
    """

    def __init__(self, again_after: float = AGAIN_AFTER) -> None:
        self.again_after = again_after
        self._staged: int | None = None
        self._warned: frozenset[str] = frozenset()
        self._owed: frozenset[str] = frozenset()
        self._drafts: frozenset[int] = frozenset()
        self._oversteps: int | None = None
        self._rung: int | None = None
        self._rang_at = 0.0

    def rings(self, view: DeskView, now: float) -> bool:
        """Return whether to ring for this view; `now` is in seconds of the console's clock."""
        is_new = view.staged > self._staged if self._staged is not None else bool(view.proposals)
        warned = frozenset(row.id for row in view.orders if WARNED in row.marks)
        is_new = is_new or not warned <= self._warned
        drafts = frozenset(row.number for row in view.drafts)
        is_new = is_new or not drafts <= self._drafts
        self._drafts = drafts
        oversteps = view.agent_oversteps
        is_new = is_new or oversteps > (oversteps if self._oversteps is None else self._oversteps)
        is_new = is_new or (self._rung is not None and view.rung > self._rung)
        self._rung = view.rung
        self._staged, self._warned, self._oversteps = view.staged, warned, oversteps
        owed = frozenset(row.key for row in view.positions if row.calls_a_person)
        owed |= frozenset(f"clock {symbol}" for symbol in view.status.held_by_clock)
        is_new = is_new or not owed <= self._owed
        self._owed = owed
        is_urgent = bool(owed) or any(row.is_urgent for row in view.proposals)
        if is_new or (is_urgent and now - self._rang_at >= self.again_after):
            self._rang_at = now
            return True
        return False
