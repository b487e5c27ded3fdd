"""The way of a command to the agents' socket of a running engine."""

from __future__ import annotations

import socket

from core.ports import OperatorError
from state.files import AccountFolder
from state.running_engine import holder

NO_AGENTS = "serves no agents: none is set up; `keyturn agents add NAME` adds one"


def agent_connection(folder: AccountFolder, timeout: float) -> socket.socket:
    """Connect to the agents' socket of this account; `timeout` is in seconds. Raises `OperatorError`."""
    from state.engine_socket import connected

    if holder(folder) is None:
        raise OperatorError(f"{folder.name}: no engine runs; `keyturn engine start` or `keyturn demo` starts one")
    if not folder.agents_socket.exists():
        raise OperatorError(f"{folder.name}: the engine {NO_AGENTS}")
    return connected(folder.agents_socket, timeout)
