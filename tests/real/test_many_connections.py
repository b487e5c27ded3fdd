"""Ten thousand connections that are held at once: the desk is shown its engine, and a halt is taken (SY-01)."""

from __future__ import annotations

import resource
import socket
from contextlib import ExitStack

import pytest

from state.engine_socket import connected
from tests.real.account import House

MANY = 10_000


def test_ten_thousand_connections_cost_the_desk_nothing(house: House) -> None:
    """SY-01, OP-07"""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= most < MANY + 500:
        pytest.skip(f"this machine lets a process open {most} files")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (MANY + 500, most))
    try:
        house.running()
        desk = house.desk()
        desk.until_attached()
        with ExitStack() as stack:
            held: list[socket.socket] = []
            for _ in range(MANY):
                held.append(stack.enter_context(connected(house.folder.engine_socket, 10.0)))
            desk.type(b"\x0b")
            desk.until(lambda: house.count("Halted"))
            assert len(held) == MANY
            assert desk.is_alive()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
