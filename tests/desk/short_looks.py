"""How the pilot sees that a key was taken: at looks of 4 ms.

Textual's own looks last 20 ms each and go on for up to a second while the process does more than 1 ms of work in one,
which a desk with an engine beside it nearly always does. These are shorter, and ask the queues besides.
"""

from __future__ import annotations

from asyncio import sleep
from time import monotonic, process_time

import textual.app
import textual.pilot
from textual._context import active_app
from textual.app import App

LOOK = 0.004
"""Seconds of one look."""
AT_REST = 0.001
"""Seconds of work in it, at most, of a process that waits: what Textual allows in 20 ms."""


async def until_at_rest(min_sleep: float = LOOK, max_sleep: float = 1) -> None:
    """Until the process waits and no widget has a message before it; `max_sleep` seconds at the longest."""
    begun = monotonic()
    while True:
        worked = process_time()
        await sleep(LOOK)
        passed = monotonic() - begun
        if passed >= max_sleep:
            return
        if passed > min_sleep and process_time() - worked < AT_REST and _all_is_heard():
            return


def _all_is_heard() -> bool:
    app: App[object] | None = active_app.get(None)
    if app is None:
        return True
    pumps = [app, *(widget for screen in app.screen_stack for widget in screen.walk_children(with_self=True))]
    return all(pump._message_queue.empty() for pump in pumps)


def look_shortly() -> None:
    """From here on every pilot of this process looks so."""
    for module in (textual.app, textual.pilot):
        assert module.wait_for_idle.__name__ in {"wait_for_idle", until_at_rest.__name__}
        module.wait_for_idle = until_at_rest  # type: ignore[attr-defined]
