"""The watchdog's time limits and thresholds. docs/SERVICE.md lists these figures; a test compares them."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes.

    Attributes
    ----------
    silent_seconds
        An engine with an older heartbeat hangs.
    starting_seconds
        The time limit from a start to its first heartbeat, which includes reading a journal of years.
    memory_bytes
        Resident memory of the engine's process alone; its strategies have separate limits.
    growth_bytes_a_day
        See `growth.py` for its calculation.
    days_at_once
        As many days' growth within hours is too much at once.
    data_silent_seconds
        The limit of an open session without a bar or a quote.
    data_again_seconds
        The minimum time between two restarts for silent data: otherwise the source itself is silent.
    holds_seconds
        Memory over its limit and silent data must last this long.
    restarts, within_seconds
        The maximum of restarts in this time; then the engine stays down.
    patience_seconds
        Between SIGTERM and SIGKILL: a leaving engine waits for answers, and writes its checkpoint.
    dump_seconds
        Time-out for the stack traces of a hanging engine.
    push_seconds
        How long an ending watchdog waits for the delivery of its alerts.
    look_seconds, first_look_seconds
        The interval of observations, and the one during a start.
    """

    silent_seconds: float = 60.0
    starting_seconds: float = 300.0
    memory_bytes: int = 512 * MEGABYTE
    growth_bytes_a_day: int = 10 * MEGABYTE
    days_at_once: int = 5
    data_silent_seconds: float = 300.0
    data_again_seconds: float = 3600.0
    holds_seconds: float = 10.0
    restarts: int = 3
    within_seconds: float = 600.0
    patience_seconds: float = 15.0
    dump_seconds: float = 1.0
    push_seconds: float = 30.0
    look_seconds: float = 1.0
    first_look_seconds: float = 0.1

    @property
    def gap_seconds(self) -> float:
        """A longer interval between two observations means that the watchdog itself stood still."""
        return max(self.silent_seconds / 4, 2 * self.look_seconds)
