"""The socket for agents of a running engine: its server, and the views that it reads (OP-09).

The server is given two functions and not the runtime: one takes drafts, the other returns the agents of the settings.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from core.runtime.runtime import Runtime
from core.runtime.service.agent_reading import AgentView
from core.runtime.service.agent_requests import AgentServer
from core.runtime.service.peers import Peer, peer_of

APART = 1.0
"""Seconds between two views that are drawn for agents."""


class AgentService:
    """Serve the agents of `runtime` at `listener`, from `begin` until `end`. Made before the runtime runs.

    Parameters
    ----------
    release
        The version of Keyturn, for a program of another version.
    now
        Wall time in seconds, by which agents are served.
    """

    def __init__(
        self,
        runtime: Runtime,
        listener: socket.socket,
        release: str = "",
        peer_of: Callable[[socket.socket], Peer] = peer_of,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        state = runtime.engine.state
        self.server = AgentServer(
            listener,
            runtime.hear_agent,
            lambda: state.control.settings.all_agents,
            runtime.account,
            state.mode,
            release,
            runtime.engine.say,
            peer_of,
            now,
        )
        runtime.answer_agent = self.server.answer
        runtime.each_beat(AgentFeed(runtime, self.server.is_wanted, self.server.show, now).look)

    def begin(self) -> None:
        self.server.thread.start()

    def end(self) -> None:
        """Stop serving after the runtime has ended."""
        self.server.close()


class AgentFeed:
    """Draws the views.

    Parameters
    ----------
    is_wanted
        Whether an agent waits for one.
    show
        Takes a view; called in the engine's thread, never waits.
    """

    def __init__(
        self,
        runtime: Runtime,
        is_wanted: Callable[[], bool],
        show: Callable[[AgentView], None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._runtime = runtime
        self._is_wanted = is_wanted
        self._show = show
        self._now = now
        self._drawn_at = -APART

    def look(self) -> None:
        """Draw a view if one is due; called at every beat of the engine."""
        if self._is_wanted() and self._now() - self._drawn_at >= APART:
            self._drawn_at = self._now()
            self._show(self._drawn())

    def _drawn(self) -> AgentView:
        runtime, state = self._runtime, self._runtime.engine.state
        preparing, at = runtime.preparing(), runtime.clock()
        return AgentView(
            view=None if preparing is not None else runtime.view_for_agents(),
            preparing=preparing or "",
            drawn_at=self._drawn_at,
            settings=state.control.settings,
            drafts=tuple(state.drafts.state.outcomes.values()),
            sent={name: state.drafts.sent_within_an_hour(name, at) for name in state.control.settings.agents},
            closes={symbol: tuple(closes) for symbol, closes in state.price_history.state.closes.items()},
            market_time=state.calendar.venue.local(at),
        )
