"""The order of two keys that the engine hears in one breath (OP-07)."""

from __future__ import annotations

from datetime import timedelta

from core.messages.command_ports import CommandPort, PortKind
from core.messages.commands import Halt, Resume
from core.model.codes import HaltCause
from tests.desk.desk_house import _runtime
from tests.scenarios.house import to


def test_escape_before_the_chord_keeps_the_halt() -> None:
    """OP-07: the chord is heard first, and what was typed before it acts no more"""
    runtime, door = _runtime(), CommandPort(PortKind.CONSOLE)
    runtime.admit(door.known)
    runtime.run(runtime.at + timedelta(minutes=1))

    runtime.send(Halt("key"))
    runtime._look_around()
    runtime.send(door.through(to(runtime, Resume())))
    runtime.send(Halt("key"))
    runtime._look_around()

    assert HaltCause.KEY in runtime.engine.state.control.halts


def test_an_escape_after_the_chord_ends_its_halt() -> None:
    """OP-07"""
    runtime, door = _runtime(), CommandPort(PortKind.CONSOLE)
    runtime.admit(door.known)
    runtime.run(runtime.at + timedelta(minutes=1))

    runtime.send(Halt("key"))
    runtime.send(door.through(to(runtime, Resume())))
    runtime._look_around()

    assert HaltCause.KEY not in runtime.engine.state.control.halts
