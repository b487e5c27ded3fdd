"""`make month`: 30 days of sessions in virtual time, with a desk that stays and one that comes and goes every hour.

The engine is the busy demo in a process of its own, its log included. After each day: its memory, its file handles,
its threads, the bytes of its log and its journal, the day's orders; at the end a clean stop, and the start after it.
Arguments: days, and virtual seconds a second. Strategies open nothing without a desk at a terminal, so the desk that
stays gets a terminal of its own if this runs in none. Where time runs faster, signals expire before the engine's look.
"""

from __future__ import annotations

import os
import pty
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
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

DAYS, SPEED = 30, 1200.0
HOUR = timedelta(hours=1)
LEAVES = 10.0
WARM, FULL = 2, 6
"""Days after which every kind of work was done once, and after which a day's orders replace those of a week before."""
MOST_GROWTH = 0.05
"""Of the memory that no file backs, from the warm day to the last day's end."""
HEAD = "day        desks  RSS MiB  heap MiB  handles  threads  log kB  journal kB  orders  CPU s  load"


@contextmanager
def desk_of(engine: Alone) -> Iterator[DeskView]:
    """A desk comes, sees a whole picture, and leaves at the end."""
    desk = RemoteEngine(lambda _role: connected(engine.socket, 5.0), seat(), RELEASE)
    desk.start()
    waited(lambda: isinstance(desk.view, DeskView), f"a picture ({desk.view})")
    assert isinstance(desk.view, DeskView)
    yield desk.view
    desk.leave("left", on_purpose=True)
    if not desk.close("left", LEAVES):
        raise TimeoutError("the desk did not leave")


def visited(engine: Alone) -> tuple[datetime, int]:
    """The engine's time, and how many orders the picture of a desk has."""
    with desk_of(engine) as view:
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
    if not has_terminal():
        sys.exit(os.waitstatus_to_exitcode(pty.spawn([sys.executable, "-m", "tests.bench.month", *sys.argv[1:]])))
    days = int(sys.argv[1]) if len(sys.argv) > 1 else DAYS
    speed = float(sys.argv[2]) if len(sys.argv) > 2 else SPEED
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        with alone(home, "busy", speed) as engine:
            with desk_of(engine):
                held, orders = month(engine, days, speed)
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
    warm, full = min(WARM, days), min(FULL, days)
    growth = held[-1] / held[warm - 1] - 1
    print(
        f"{days} days with {orders:,} orders in {(time.perf_counter() - began) / 60:.1f} minutes; "
        f"the heap grew by {growth:.1%} after day {warm}, by {held[-1] / held[full - 1] - 1:.1%} after day {full}"
    )
    sys.exit(growth > MOST_GROWTH or not orders)


def has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return False
    return True


def month(engine: Alone, days: int, speed: float) -> tuple[list[float], int]:
    """The memory of the engine that no file backs after each day, MiB; and all orders."""
    print(HEAD)
    at, orders = visited(engine)
    day, desks, before, held, every = at.date(), 1, (0, 0, 0.0), [], 0
    while len(held) < days:
        came = time.perf_counter()
        then, orders_then = visited(engine)
        if then.date() != day:
            before = row(engine, day, desks, orders, before)
            held.append(memory(engine.pid).heap)
            every += orders
            day, desks = then.date(), 0
        desks, orders = desks + 1, orders_then
        pause(max(0.0, HOUR.total_seconds() / speed - (time.perf_counter() - came)))
    return held, every


if __name__ == "__main__":
    main()
