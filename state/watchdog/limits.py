"""How long the watchdog waits, and how much it lets pass. docs/SERVICE.md lists these figures; a test compares."""

from __future__ import annotations

from dataclasses import dataclass

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds and bytes.

    Attributes
    ----------
    silent_seconds
        A heartbeat older than this is that of an engine that hangs.
    starting_seconds
        How long a start may take until its first heartbeat: a journal of years is read in it.
    memory_bytes
        Resident memory of the engine's process alone; its strategies have limits of their own.
    growth_bytes_a_day
        See `growth.py` for how it is reckoned, and from when.
    data_silent_seconds
        An open session without a bar or a quote.
    data_again_seconds
        A restart for silent data is not tried again for so long: it is the far side that is silent then.
    holds_seconds
        Memory over its limit, and silent data, are believed once they were seen for so long.
    restarts, within_seconds
        So many restarts in so much time; then the engine stays down.
    patience_seconds
        Between SIGTERM and SIGKILL: an engine that leaves waits for answers, and writes its checkpoint.
    dump_seconds
        How long the threads of an engine that hangs are waited for.
    push_seconds
        How long a watchdog that ends waits until its alerts have reached somebody.
    look_seconds, first_look_seconds
        Between two looks, and between two looks at an engine that starts.
    """

    silent_seconds: float = 60.0
    starting_seconds: float = 300.0
    memory_bytes: int = 512 * MEGABYTE
    growth_bytes_a_day: int = 10 * MEGABYTE
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
        """Between two looks: beyond it the watchdog itself stood still, and what it missed is no silence."""
        return max(self.silent_seconds / 4, 2 * self.look_seconds)
