"""A runtime behind a real socket in a folder of its own, and a desk's way to it: both halves, in one process."""

from __future__ import annotations

import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from console.client.agents import AgentClient
from console.client.remote import RemoteEngine
from core.model.desk import Seat
from core.runtime.runtime import Runtime
from core.runtime.service.agent_socket import AgentService
from core.runtime.service.service import EngineService, Peer, peer_of
from core.runtime.service.view_service import ViewService
from state.engine_socket import connected, listening
from tests.kit.waiting import TIMEOUT


def at_a_terminal(connection: socket.socket) -> Peer:
    """Tests run without a terminal of their own."""
    return replace(peer_of(connection), terminal="/dev/pts/7")


@dataclass
class Served:
    """An engine that listens at `path`."""

    path: Path
    service: EngineService
    thread: threading.Thread
    agents: AgentService

    @property
    def agents_path(self) -> Path:
        return self.path.with_name("agents.sock")

    def an_agent(self, name: str) -> AgentClient:
        return AgentClient(lambda: connected(self.agents_path, TIMEOUT), name, "tests")

    def connect(self) -> socket.socket:
        return connected(self.path, TIMEOUT)

    def a_desk(self, kind: type[RemoteEngine] = RemoteEngine) -> RemoteEngine:
        return kind(lambda _role: self.connect(), Seat("/dev/pts/7", "tester"), "tests")


@contextmanager
def served(runtime: Runtime) -> Iterator[Served]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "engine.sock"
        with listening(path) as listener, listening(path.with_name("agents.sock")) as for_agents:
            service = EngineService(runtime, listener, "tests", at_a_terminal)
            agents = AgentService(runtime, for_agents, "tests")
            agents.begin()
            thread = threading.Thread(target=service.run, args=("the test is over",), name="engine", daemon=True)
            thread.start()
            try:
                yield Served(path, service, thread, agents)
            finally:
                runtime.leave()
                thread.join(TIMEOUT)
                agents.end()


@contextmanager
def shown(runtime: Runtime, peer_of: Callable[[socket.socket], Peer] = at_a_terminal) -> Iterator[Path]:
    """Show the desk of a runtime to commands, as a demo does; yield the socket's path."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "views.sock"
        with listening(path) as listener:
            views = ViewService(runtime, listener, "tests", peer_of)
            views.begin()
            thread = threading.Thread(target=runtime.run, name="engine", daemon=True)
            thread.start()
            try:
                yield path
            finally:
                runtime.leave()
                thread.join(TIMEOUT)
                views.end()
