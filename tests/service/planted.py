"""`keyturn` with a fault in it, to see whether the accidents find it. The first argument names the fault."""

from __future__ import annotations

import sys
from collections.abc import Callable


def the_desk_stays_armed() -> None:
    """An engine that says nothing, and one that is another, disarm nothing."""
    from console.client.engine_link import EngineLink

    EngineLink.doubt = property(lambda _self: None)  # type: ignore[method-assign, assignment]
    EngineLink.had_gap = lambda _self, _since, _until: False  # type: ignore[method-assign]


def keys_typed_ahead_count() -> None:
    """A ticket is armed without having been painted, and whatever was typed before."""
    from console.arming import Arming

    Arming.seconds_left = lambda *_: 0.0  # type: ignore[method-assign]
    Arming.take = lambda self, shown, _now: self._turned is not None and self._turned[0] == shown  # type: ignore[method-assign]


FAULTS: dict[str, Callable[[], None]] = {
    "the-desk-stays-armed": the_desk_stays_armed,
    "keys-typed-ahead-count": keys_typed_ahead_count,
}


if __name__ == "__main__":
    FAULTS[sys.argv.pop(1)]()
    from app import main

    main()
