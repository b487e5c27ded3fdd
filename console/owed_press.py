"""A halt or a kill that the engine has not heard as the desk is left: it is left behind, or said to be lost (OP-07)."""

from __future__ import annotations

import threading
from contextlib import suppress

from console.client.access import EngineAccess
from console.host_files import HostFiles
from core.ports import OperatorError


def not_heard(handle: EngineAccess) -> str:
    """For a banner; empty where all was heard."""
    owed = handle.owes_press
    return f"{owed.upper()} NOT HEARD YET: it is sent as soon as an engine hears it." if owed is not None else ""


class OwedPress:
    """One desk's. What is left in the account's folder halts the engine that runs there, or starts next."""

    def __init__(self, handle: EngineAccess, surroundings: HostFiles) -> None:
        self._handle = handle
        self._surroundings = surroundings
        self._lock = threading.Lock()
        self._left: set[str] = set()

    def leave_behind(self) -> None:
        """The desk is left, in any thread. A halt too many costs a key."""
        with self._lock:
            owed = self._handle.owes_press
            if owed is not None and owed not in self._left:
                with suppress(OperatorError, OSError):
                    self._surroundings.leave_press(kills=owed == "kill")
                    self._left.add(owed)

    def last_words(self) -> tuple[bool, str]:
        """Whether all was heard, or will be; and what stderr says of it, empty where there is nothing to say."""
        owed = self._handle.owes_press
        if owed is None:
            return True, ""
        if owed in self._left:
            return True, f"the {owed} was not heard yet: it is left for the engine, which takes it as it runs or starts"
        place = self._handle.place
        way = f"ssh {place} keyturn kill" if place else "keyturn kill"
        return False, f"THE {owed.upper()} WAS NOT HEARD by any engine, and is lost: run `{way}`"
