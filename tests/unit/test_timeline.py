"""The bytes of one thread reach another before virtual time moves on."""

from __future__ import annotations

import socket
import threading

from tests.kit.timeline import Timeline, installed


def test_bytes_come_at_the_time_when_they_are_sent() -> None:
    """SY-07: also when the receiver acknowledges late."""
    came = list[float]()
    with (
        installed(Timeline()) as timeline,
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as sender,
        server.accept()[0] as receiver,
    ):

        def receive() -> None:
            for _ in range(4):
                receiver.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 0)
                receiver.recv(1)
                came.append(round(timeline.monotonic(), 3))

        threading.Thread(target=receive, daemon=True).start()
        for _ in range(4):
            sender.sendall(b"a")
            timeline.advance(0.25)

    assert came == [1000.0, 1000.25, 1000.5, 1000.75]
