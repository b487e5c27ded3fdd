"""`make bench-attach`: a desk on an engine of another process: attach, bytes, keys, the latch, memory, processor time.

The desk is the stress desk (30 positions, 60 orders, 2,000 quotes a second); at rest it is the demo's. What has a
baseline is measured beside it in the same run: Textual's own start, and the engine in this process.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from console.client.access import terminal
from console.client.handle import EngineHandle
from console.client.remote import RemoteEngine
from console.client.ssh_link import SshLink
from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, stress_runtime
from core.messages.commands import PauseStrategy, ResumeStrategy
from core.messages.desk_commands import TakeKey
from core.protocol.frames import PROTOCOL, FrameReader, Hello, Press, Pressed, PressKind, Role, Seen, from_engine, pack
from core.views import DeskView, KeyView, StrategyRow
from state.engine_socket import connected
from state.host_info import release
from tests.bench.desk import Watched, opened
from tests.bench.engine_alone import RELEASE, ROOT, Alone, alone, memory, processor_seconds, seat, waited
from tests.real.ssh_server import SSHD, Server
from tests.real.waiting import pause

ATTACHED = [sys.executable, str(ROOT / "tests" / "bench" / "attached_desk.py")]
SIZE = 120, 40
STARTS, KEYS, PRESSES = 5, 100, 200
LOOKED_ON, RESTED, SETTLES = 10.0, 20.0, 3.0
FLOODS = 4
"""Processor-bound threads of the client that floods, a connection each."""

Row = tuple[str, str]


def spread(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    return (
        f"p50 {statistics.median(ordered) * 1000:6.2f} ms, p99 {ordered[len(ordered) * 99 // 100] * 1000:6.2f} ms, "
        f"least {ordered[0] * 1000:.2f} ms"
    )


# ── attach ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def shown_after(words: list[str], holds: Callable[[bytes], bool]) -> float:
    began = time.perf_counter()
    with opened(words, SIZE) as desk:
        return desk.until(holds, "the first picture", 30.0) - began


def a_remote(engine: Alone, connect: Callable[[Role], socket.socket] | None = None) -> RemoteEngine:
    return RemoteEngine(connect or (lambda _role: connected(engine.socket, 2.0)), seat(), RELEASE)


def attached_in(engine: Alone) -> float:
    desk, began = a_remote(engine), time.perf_counter()
    desk.start()
    waited(lambda: isinstance(desk.view, DeskView), "a picture", step=0.0002)
    took = time.perf_counter() - began
    desk.leave("left", on_purpose=True)
    desk.close("left", 5.0)
    return took


def starts(engine: Alone) -> Iterator[Row]:
    own, ours, links = [], [], []
    for _ in range(STARTS):
        own.append(shown_after(ATTACHED, lambda seen: b"READY" in seen))
        ours.append(shown_after([*ATTACHED, str(engine.socket)], lambda seen: b"ENTRIES " in seen))
        links.append(attached_in(engine))
    beyond = statistics.median(ours) - statistics.median(own)
    yield "attach, from the link's start to a whole picture", spread(links)
    yield (
        "attach, from the process's start to a whole picture on the glass",
        f"p50 {statistics.median(ours):.2f} s, least {min(ours):.2f} s; "
        f"Textual's own start {statistics.median(own):.2f} s, least {min(own):.2f} s; "
        f"beyond it {beyond:.2f} s, of the least {min(ours) - min(own):.2f} s (aim under 0.2 s)",
    )


# ── bytes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Counted(socket.socket):
    """A connection that counts what it reads."""

    read = 0

    def recv(self, *size: Any) -> bytes:
        content = super().recv(*size)
        Counted.read += len(content)
        return content


def bytes_a_second(engine: Alone, seconds: float) -> str:
    desk = a_remote(engine, lambda _role: Counted(fileno=connected(engine.socket, 2.0).detach()))
    desk.start()
    waited(lambda: isinstance(desk.view, DeskView), "a picture")
    whole, pictures, shown = Counted.read, 0, desk.view
    began, spent, own = time.perf_counter(), processor_seconds(engine.pid), time.process_time()
    while time.perf_counter() - began < seconds:
        pictures += desk.view is not shown
        shown = desk.view
        pause(0.005)
    passed = time.perf_counter() - began
    rate, spent, own = (Counted.read - whole) / passed, processor_seconds(engine.pid) - spent, time.process_time() - own
    desk.leave("left", on_purpose=True)
    desk.close("left", 5.0)
    Counted.read = 0
    return (
        f"{rate / 1000:.1f} kB/s, {pictures / passed:.1f} pictures/s; engine {spent / passed:.1%} of a core, "
        f"the desk's link {own / passed:.1%}"
    )


# ── keys, and the latch ──────────────────────────────────────────────────────────────────────────────────────────────


def keys_of(desk: RemoteEngine | EngineHandle) -> list[float]:
    """From a command to the picture that has what it did: a strategy is paused, and resumed."""
    taken = []
    waited(lambda: isinstance(desk.view, DeskView) and desk.desk is not None, "a picture")
    if not key_of(desk).is_held_by(desk.desk):  # of a desk before this one, whose terminal was hung up
        desk.send(TakeKey("TAKE", key_of(desk).hold))
        waited(lambda: key_of(desk).is_held_by(desk.desk), "the key")
    for number in range(KEYS):
        pauses, began = number % 2 == 0, time.perf_counter()
        row = strategy_of(desk)
        desk.send((PauseStrategy if pauses else ResumeStrategy)(row.strategy, row.symbol))
        waited(lambda pauses=pauses: strategy_of(desk).is_paused is pauses, "what the key did", 5.0, 0.0002)
        taken.append(time.perf_counter() - began)
        pause(0.03)
    return taken


def key_of(desk: RemoteEngine | EngineHandle) -> KeyView:
    view = desk.view
    assert isinstance(view, DeskView)
    return view.status.key


def strategy_of(desk: RemoteEngine | EngineHandle) -> StrategyRow:
    view = desk.view
    assert isinstance(view, DeskView)
    return view.strategies[0]


def keys(engine: Alone) -> Iterator[Row]:
    if not terminal():
        yield "key to the picture that has it", "not measured: a key is held at a terminal, so run this in one"
        return
    desk = a_remote(engine)
    desk.start()
    over = keys_of(desk)
    desk.leave("left", on_purpose=True)
    desk.close("left", 5.0)
    with tempfile.TemporaryDirectory() as home:
        host = Host.of({"KEYTURN_HOME": home})
        handle = EngineHandle(lambda stack: stress_runtime(host, DemoOptions(), stack))
        handle.start()
        here = keys_of(handle)
        handle.leave("left", on_purpose=True)
        handle.close("left", 5.0)
    ratio = statistics.median(over) / statistics.median(here)
    yield "key to the picture that has it, over the socket", f"{spread(over)}; ratio {ratio:.2f}"
    yield "baseline: the same, the engine in this process", spread(here)


def keys_through_ssh() -> Iterator[Row]:
    """The same at the demo's engine, by a relay behind a real sshd on loopback, and without one."""
    if not SSHD.exists() or not terminal():
        why = "a key is held at a terminal, so run this in one" if SSHD.exists() else "install openssh-server"
        yield "key to the picture that has it, over ssh", f"not measured: {why}"
        return
    with tempfile.TemporaryDirectory(prefix="keyturn-bench-") as folder:
        server = Server(Path(folder))
        server.opens()
        server.starts_engine()
        ssh = f"/usr/bin/ssh -F {server.folder / 'ssh_config'} -o StrictHostKeyChecking=no"
        link = SshLink("keyturn-server", ssh, lambda _line: None)
        try:
            path = next(server.home.glob("state/*/engine.sock"))
            plain = keys_at(lambda _role: connected(path, 2.0))
            link.begin(lambda _words: None)
            over = keys_at(link.connect)
        finally:
            link.close()
            server.ends()
    ratio = statistics.median(over) / statistics.median(plain)
    yield "key to the picture that has it, over ssh on loopback", f"{spread(over)}; ratio {ratio:.2f}"
    yield "baseline: the same engine over its socket", spread(plain)


def keys_at(connect: Callable[[Role], socket.socket]) -> list[float]:
    desk = RemoteEngine(connect, seat(), release(version("keyturn")))
    desk.start()
    taken = keys_of(desk)
    desk.leave("left", on_purpose=True)
    desk.close("left", 5.0)
    return taken


def flood(path: Path) -> None:
    """What a client may do that means no good: words without end, doors that are opened and left, presses."""
    import threading

    def floods(kind: int) -> None:
        while True:
            with suppress(Exception), connected(path, 2.0) as connection:
                role = Role.PRESS if kind % 2 else Role.DESK
                connection.sendall(pack(Hello(PROTOCOL, RELEASE, role, "", "", "", "")))
                word = pack(Press(1, PressKind.HALT)) if kind % 2 else pack(Seen(0))
                for _ in range(2_000):
                    connection.sendall(word)

    for kind in range(FLOODS):
        threading.Thread(target=floods, args=(kind,), daemon=True).start()
    pause(600)


@contextmanager
def flooded(engine: Alone) -> Iterator[None]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bench.attach", "flood", str(engine.socket)], cwd=ROOT
    ) as client:
        try:
            pause(SETTLES)
            yield
        finally:
            client.kill()


def latched(engine: Alone) -> list[float]:
    """From a press to the word that the latch is set, over a press line that is open."""
    taken, reader = [], FrameReader(1 << 16)
    with connected(engine.socket, 5.0) as line:
        line.sendall(pack(Hello(PROTOCOL, RELEASE, Role.PRESS, "", "", "", "")))
        for number in range(1, PRESSES + 1):
            began = time.perf_counter()
            line.sendall(pack(Press(number, PressKind.HALT)))
            while not any(
                isinstance(told, Pressed) and told.number == number
                for told in map(from_engine, list(reader.feed(line.recv(1 << 16))))
            ):
                pass
            taken.append(time.perf_counter() - began)
            pause(0.03)
    return taken


def latch(engine: Alone) -> Iterator[Row]:
    calm = latched(engine)
    with flooded(engine):
        beside = latched(engine)
    yield "press to the latch, at 2,000 quotes a second", spread(calm)
    yield "press to the latch, with a client that floods beside it", f"{spread(beside)} (aim p99 under 100 ms)"


# ── memory and rest ──────────────────────────────────────────────────────────────────────────────────────────────────


def desk_of(engine: Alone) -> Any:
    return opened([*ATTACHED, str(engine.socket)], SIZE)


def settled(desk: Watched) -> None:
    desk.until(lambda seen: b"ENTRIES " in seen, "the first picture", 30.0)
    desk.read_for(SETTLES)


def spends(pid: int, seconds: float, reading: Watched | None = None) -> float:
    before, began = processor_seconds(pid), time.perf_counter()
    pause(seconds) if reading is None else reading.read_for(seconds)
    return (processor_seconds(pid) - before) / (time.perf_counter() - began)


def memories(engine: Alone, name: str) -> Iterator[Row]:
    yield f"{name}: the engine's memory", f"{memory(engine.pid)} (aim under 125)"
    with desk_of(engine) as desk:
        settled(desk)
        yield f"{name}: the desk's memory", f"{memory(desk.pid)} (aim under 60)"


def rest() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as home, alone(Path(home), "demo") as engine:
        pause(SETTLES)
        yield "at rest, nobody looks: the engine", f"{spends(engine.pid, RESTED):.2%} of a core (aim under 1 %)"
        yield "at rest, bytes to a desk", bytes_a_second(engine, LOOKED_ON)
        with desk_of(engine) as desk:
            settled(desk)
            yield "at rest, one desk: the engine", f"{spends(engine.pid, RESTED, desk):.2%} of a core"
            yield "at rest, one desk: the desk", f"{spends(desk.pid, RESTED, desk):.2%} of a core"
        yield from memories(engine, "demo")


def measure() -> Iterator[Row]:
    yield from rest()
    with tempfile.TemporaryDirectory() as home, alone(Path(home), "stress") as engine:
        attached_in(engine)
        desk = a_remote(engine)
        desk.start()
        waited(lambda: isinstance(desk.view, DeskView), "the stress desk is prepared")
        desk.leave("left", on_purpose=True)
        desk.close("left", 5.0)
        yield from starts(engine)
        yield "bytes to a desk at 2,000 quotes a second", bytes_a_second(engine, LOOKED_ON)
        yield from memories(engine, "stress")
        yield from keys(engine)
        yield from latch(engine)
    yield from keys_through_ssh()


def main() -> None:
    if sys.argv[1:2] == ["flood"]:
        flood(Path(sys.argv[2]))
        return
    for name, value in measure():
        print(f"{name:<66} {value}  [load {os.getloadavg()[0]:.1f}]", flush=True)


if __name__ == "__main__":
    main()
