"""What the service manager hears, on a real datagram socket."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from state.watchdog.engine_process import NotifySocket, waited_for, without_notify
from tests.kit.rows import table

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="abstract sockets are Linux's")


@pytest.fixture(params=["a path", pytest.param("@abstract", marks=linux)])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A manager that listens, and the name that it gives its socket."""
    name = str(tmp_path / "notify") if request.param == "a path" else f"@keyturn-{uuid4().hex}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(name if name.startswith("/") else "\0" + name[1:])
        listening.setblocking(False)
        yield listening, name


def heard(listening: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(listening.recv(4096).decode())
        except BlockingIOError:
            return found


def test_the_manager_hears_every_word(manager: tuple[socket.socket, str]) -> None:
    """SY-02: by a path and by an abstract name."""
    listening, name = manager
    sender = NotifySocket({"NOTIFY_SOCKET": name})

    sender.ready("starting")
    sender.alive()
    sender.status("on")
    sender.stopping("asked to end")

    assert heard(listening) == [
        "READY=1\nSTATUS=starting",
        "WATCHDOG=1",
        "STATUS=on",
        "STOPPING=1\nSTATUS=asked to end",
    ]


def test_no_words_of_another_become_a_message(manager: tuple[socket.socket, str]) -> None:
    """SY-02, SY-06"""
    listening, name = manager

    NotifySocket({"NOTIFY_SOCKET": name}).status("on\nREADY=1\nMAINPID=1 " + "x" * 999)

    (said,) = heard(listening)
    assert said.startswith("STATUS=on READY=1 MAINPID=1 xxx")
    assert "\n" not in said
    assert len(said) < 220


@table("name", "", "relative", "vsock:2:3", "/nowhere/at/all", "@nobody-listens")
def test_without_a_manager_nothing_happens(name: str) -> None:
    """SY-02"""
    sender = NotifySocket({"NOTIFY_SOCKET": name} if name else {})

    sender.ready("on")
    sender.alive()


def test_a_deaf_manager_blocks_nobody(manager: tuple[socket.socket, str]) -> None:
    """SY-02: its queue is full after a few."""
    listening, name = manager
    sender = NotifySocket({"NOTIFY_SOCKET": name})

    for _ in range(5_000):
        sender.alive()

    assert 0 < len(heard(listening)) < 5_000


@table(
    "environ seconds",
    ({}, None),
    ({"WATCHDOG_USEC": "30000000"}, 15.0),
    ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
    ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
    ({"WATCHDOG_USEC": "often"}, None),
    ({"WATCHDOG_USEC": "0"}, None),
)
def test_it_reports_twice_in_each_interval(environ: dict[str, str], seconds: float | None) -> None:
    """SY-02"""
    assert NotifySocket(environ).watchdog_seconds == seconds


def test_children_do_not_report_for_the_service() -> None:
    """SY-02"""
    environ = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "1", "WATCHDOG_PID": "2", "HOME": "/h"}

    assert without_notify(environ) == {"HOME": "/h"}


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOTCONN, errno.ESTALE, errno.EIO])
def test_a_home_that_cannot_be_looked_at_is_not_there_yet(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SY-10: a mount of another machine without its connection, a folder of another user"""

    def fails(_path: Path) -> os.stat_result:
        raise OSError(number, os.strerror(number))

    said: list[str] = []
    with monkeypatch.context() as mounted:
        mounted.setattr(Path, "stat", fails)
        was_missing = waited_for(tmp_path, NotifySocket({}), said.append, lambda _seconds: mounted.undo())

    assert (was_missing, len(said)) == (True, 1)
