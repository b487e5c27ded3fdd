"""`keyturn` with a fault in it, to see whether the accidents find it. The first argument names the fault."""

from __future__ import annotations

import sys
from collections.abc import Callable


def the_desk_stays_armed() -> None:
    """An engine that says nothing, and one that is another, disarm nothing."""
    from console.client.engine_link import EngineLink

    EngineLink.doubt = property(lambda _self: None)  # type: ignore[method-assign, assignment]
    EngineLink.had_gap = lambda _self, _since, _until: False  # type: ignore[method-assign]


FAULTS: dict[str, Callable[[], None]] = {
    "the-desk-stays-armed": the_desk_stays_armed,
}


if __name__ == "__main__":
    FAULTS[sys.argv.pop(1)]()
    from app import main

    main()
