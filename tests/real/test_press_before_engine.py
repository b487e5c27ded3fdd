"""A halt pressed before the engine is there, over a socket between two threads (OP-07)."""

from __future__ import annotations

import socket
import threading

from console.client.remote import RemoteEngine
from core.model.codes import HaltCause
from core.model.desk import Seat
from tests.desk.desk_house import _runtime
from tests.kit.served import served
from tests.real.waiting import LIMIT, until


def test_an_engine_that_comes_late_hears_the_halt() -> None:
    """OP-07: the way to it stays open for that, and nothing else of the desk arrives"""
    asked, comes, is_given_up = threading.Event(), threading.Event(), threading.Event()
    with served(_runtime()) as there:

        def connect() -> socket.socket:
            asked.set()
            comes.wait(LIMIT)
            return there.connect()

        desk = RemoteEngine(lambda _role: connect(), Seat("/dev/pts/7", "tester"), "tests", on_leave=is_given_up.set)
        desk.start()
        assert asked.wait(LIMIT)
        desk.press_kill()
        assert desk.owes_press == "halt"

        desk.leave("left by the operator", on_purpose=True)
        assert not is_given_up.is_set()
        comes.set()

        assert desk.ended.wait(LIMIT)
        assert desk.owes_press is None
        engine = there.service.runtime.engine
        until(lambda: HaltCause.KEY in engine.state.control.halts)
        assert not engine.state.desks.state.attached
