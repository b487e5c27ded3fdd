"""Thousands of connections that are held at once: the desk is shown its engine, and a halt is taken (SY-01)."""

from __future__ import annotations

import resource
import socket
from contextlib import ExitStack

import pytest

from state.engine_socket import connected
from tests.real.account import Account
from tests.real.demo import CTRL_K
from tests.real.waiting import LIMIT

MANY = 3_000


def test_many_connections_cost_the_desk_nothing(account: Account) -> None:
    """SY-01, OP-07"""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = before[1]
    if 0 <= most < MANY + 500:
        pytest.skip(f"needs {MANY + 500} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (MANY + 500, most))
    try:
        account.running()
        desk = account.desk()
        desk.until_attached()
        with ExitStack() as stack:
            held: list[socket.socket] = []
            for _ in range(MANY):
                held.append(stack.enter_context(connected(account.folder.engine_socket, LIMIT)))
            desk.presses(CTRL_K, lambda: account.count("Halted"))
            assert len(held) == MANY
            assert desk.is_alive()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
