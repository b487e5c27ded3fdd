"""`keyturn` with a fault in it, to see whether the accidents find it. The first argument names the fault."""

from __future__ import annotations

import sys
from collections.abc import Callable


def late_keys_count() -> None:
    """An engine that says nothing, and one that is another, disarm nothing; and what lay there meanwhile counts."""
    from console.client.access import EngineLink
    from core.runtime import runtime
    from core.runtime.service import desk_connections

    EngineLink.doubt = property(lambda _self: None)  # type: ignore[method-assign, assignment]
    EngineLink.had_gap = lambda _self, _since, _until: False  # type: ignore[method-assign]
    runtime.as_late = desk_connections.as_late = lambda command: command  # type: ignore[attr-defined]


FAULTS: dict[str, Callable[[], None]] = {"late-keys-count": late_keys_count}


if __name__ == "__main__":
    FAULTS[sys.argv.pop(1)]()
    from app import main

    main()
