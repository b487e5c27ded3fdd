"""Takes the pictures of docs/SERVICE.md: two desks on one engine, and an engine that is away.

    .venv/bin/python docs/service_pictures.py    writes docs/watching.svg and docs/away.svg

The demo is served over a socket of its own home; the desks have no terminal here, so each is told which one it has.
"""

from __future__ import annotations

import asyncio
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from textual.pilot import Pilot

from console.client.remote import RemoteEngine
from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from console.desk import DeskApp
from console.screens.ticket import TicketPhase, TicketScreen
from core.model.desk import Seat
from core.runtime.runtime import Runtime
from core.runtime.service.service import EngineService, Peer, peer_of
from docs.picture import SIZE, save, until
from state.engine_socket import connected, listening

PATIENCE = 5.0
NAMES = ("adam", "eve")
ADDRESSES = ("", "10.0.0.7")


class Seats:
    """Who sits at each desk, in the order in which they attach."""

    def __init__(self) -> None:
        self.turn = 0

    def peer(self, connection: socket.socket) -> Peer:
        who = self.turn
        return replace(peer_of(connection), user=NAMES[who], terminal=f"/dev/pts/{who + 3}", address=ADDRESSES[who])


@contextmanager
def served(home: Path, path: Path, seats: Seats) -> Iterator[Runtime]:
    with ExitStack() as stack:
        runtime = demo_runtime(Host.of({"KEYTURN_HOME": str(home)}), DemoOptions(), stack)
        service = EngineService(runtime, stack.enter_context(listening(path)), "", seats.peer)
        thread = threading.Thread(target=service.run, args=("the pictures are taken",), daemon=True)
        thread.start()
        yield runtime
        runtime.leave()
        thread.join(PATIENCE)


@contextmanager
def a_desk(path: Path, who: int) -> Iterator[DeskApp]:
    handle = RemoteEngine(lambda _role: connected(path, PATIENCE), Seat("", NAMES[who]), "")
    yield DeskApp(handle)
    handle.close("the picture was taken", PATIENCE)


async def take(home: Path) -> None:
    os.environ |= {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
    os.environ.pop("NO_COLOR", None)
    path, seats = home / "engine.sock", Seats()
    with served(home, path, seats) as runtime, a_desk(path, 0) as first:
        async with first.run_test(size=SIZE) as pilot:
            await until(pilot, lambda: bool(first.board.proposals.grid.selected))
            await buys(first, pilot)
            seats.turn = 1
            with a_desk(path, 1) as second:
                async with second.run_test(size=SIZE) as other:
                    await until(other, lambda: second.view is not None)
                    await other.press("T")
                    await other.pause(0.5)
                    save(second, "watching.svg")
            runtime.leave()
            await until(pilot, lambda: first.handle.link.trouble is not None)
            await pilot.pause(2.5)
            save(first, "away.svg")


async def buys(desk: DeskApp, pilot: Pilot[None]) -> None:
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(desk.screen, TicketScreen) and desk.screen.phase is TicketPhase.READY)
    await pilot.pause(1.0)
    await pilot.press("B")
    await until(pilot, lambda: bool(desk.board.positions.grid.selected))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(take(Path(folder)))
