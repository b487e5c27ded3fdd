"""`make month`: 30 days of sessions in virtual time, with a desk that comes and goes every hour of them.

The engine is the busy demo in a process of its own, its log included. After each day: its memory, its file handles,
its threads, the bytes of its log and its journal; at the end a clean stop, and the start after it. Arguments: days,
and virtual seconds a second.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from datetime import date, datetime, timedelta
from pathlib import Path

from console.client.remote import RemoteEngine
from core.views import DeskView
from state.engine_socket import connected
from tests.bench.engine_alone import (
    RELEASE,
    Alone,
    alone,
    descriptors,
    memory,
    processor_seconds,
    seat,
    size_of,
    threads,
    waited,
)
from tests.real.waiting import pause

DAYS, SPEED = 30, 3600.0
HOUR = timedelta(hours=1)
LEAVES = 10.0
MOST_GROWTH = 0.05
"""Of the memory that no file backs, from the first day's end to the last one's."""
HEAD = "day        desks  RSS MiB  heap MiB  handles  threads  log kB  journal kB  orders  CPU s  load"


def visited(engine: Alone) -> tuple[datetime, int]:
    """A desk comes, sees a whole picture, and leaves; the engine's time, and how many orders the picture has."""
    desk = RemoteEngine(lambda _role: connected(engine.socket, 5.0), seat(), RELEASE)
    desk.start()
    waited(lambda: isinstance(desk.view, DeskView), f"a picture ({desk.view})")
    view = desk.view
    assert isinstance(view, DeskView)
    desk.leave("left", on_purpose=True)
    if not desk.close("left", LEAVES):
        raise TimeoutError("the desk did not leave")
    return view.status.at, len(view.orders)


def row(engine: Alone, day: date, desks: int, orders: int, before: tuple[int, int, float]) -> tuple[int, int, float]:
    """Prints a day; what the next one is counted from."""
    log = size_of(*(path for path in engine.folder.iterdir() if "log" in path.name and "exchange" not in path.name))
    journal, spent = size_of(engine.folder / "journal"), processor_seconds(engine.pid)
    held, opened = memory(engine.pid), f"{descriptors(engine.pid):7}  {threads(engine.pid):7}"
    print(
        f"{day}  {desks:4}  {held.resident:7.1f}  {held.heap:8.1f}  {opened}"
        f"  {(log - before[0]) / 1000:6.1f}  {(journal - before[1]) / 1000:10.1f}  {orders:6}  {spent - before[2]:5.1f}"
        f"  {os.getloadavg()[0]:4.1f}",
        flush=True,
    )
    return log, journal, spent


def main() -> None:
    days = int(sys.argv[1]) if len(sys.argv) > 1 else DAYS
    speed = float(sys.argv[2]) if len(sys.argv) > 2 else SPEED
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        with alone(home, "busy", speed) as engine:
            held = month(engine, days, speed)
            stopping = time.perf_counter()
            engine.stop()
            print(f"stopped in {time.perf_counter() - stopping:.2f} s")
        with alone(home, "busy", 1.0) as again:
            looking = time.perf_counter()
            visited(again)
            print(
                f"the start after it: listens after {again.started_in:.2f} s, {time.perf_counter() - looking:.2f} s "
                f"from there to a desk's picture and its leave; {memory(again.pid)}"
            )
    growth = held[-1] / held[0] - 1
    print(f"{days} days in {(time.perf_counter() - began) / 60:.1f} minutes; the heap grew by {growth:.1%} after day 1")
    sys.exit(growth > MOST_GROWTH)


def month(engine: Alone, days: int, speed: float) -> list[float]:
    """The memory of the engine that no file backs after each day, MiB."""
    print(HEAD)
    at, orders = visited(engine)
    day, desks, before, held = at.date(), 1, (0, 0, 0.0), []
    while len(held) < days:
        came = time.perf_counter()
        then, orders_then = visited(engine)
        if then.date() != day:
            before = row(engine, day, desks, orders, before)
            held.append(memory(engine.pid).heap)
            day, desks = then.date(), 0
        desks, orders = desks + 1, orders_then
        pause(max(0.0, HOUR.total_seconds() / speed - (time.perf_counter() - came)))
    return held


if __name__ == "__main__":
    main()
