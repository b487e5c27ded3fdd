"""The desk under load, through a pty: keys to paint, CPU, bytes, memory; beside a DataTable desk of the same cells.

What is looked at is `keyturn demo --stress` at three sizes: the real program, its engine and its exchange included. A
key counts from its write into the pty to the read of the bytes that show what it did. Alone: `make bench-desk`.
"""

from __future__ import annotations

import os
import pty
import re
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fcntl import ioctl
from itertools import product
from pathlib import Path
from queue import Empty, SimpleQueue
from random import Random
from threading import Thread

import pyte

from tests.desk.still_house import a_chart
from tests.real.demo import mark_guide_as_read
from widgets.chart import Look, chart_lines
from widgets.chart_scales import OVERLAYS, TIMEFRAMES

ROOT = Path(__file__).resolve().parents[2]
KEYTURN = str(ROOT / ".venv" / "bin" / "keyturn")
OURS = [KEYTURN, "demo", "--stress"]
WATCHING = [*OURS, "--watch", "200"]
BASELINE = [sys.executable, str(ROOT / "tests" / "bench" / "datatable_desk.py")]
QUIET = [KEYTURN, "demo", "--profile", "micro", "--set", "strategies.vwap.enabled=false"]
"""At rest: the plain demo, its market open, a bar a minute and a clock, nothing that waits for a key."""

SIZES = ((80, 24), (120, 40), (200, 60))
PRESSES, TICKETS = 240, 50
A_SESSION, DRAWN_OF_EACH, OVERLAID = 390, 4, 100
"""Minutes of one, and how often a chart of them is drawn: each way of it, and by a key."""
A_WHILE = 8.0
"""Seconds in which a chart at ×60 gets some bars."""
STREAMED = 6.0
"""Seconds of looking on, for CPU and bytes."""
BEATEN = 3.0
"""Seconds of listening to the engine's heartbeat."""
HOUR_AT_60 = 60.0
CALM = 1.5
"""Seconds after the start or a dialog until the figures are those of the steady desk."""

OUR_MARK = re.compile("▸ ([A-Z]+)")
THEIR_CURSOR = re.compile(rb"48;2;1;2;3m *([A-Z]+)")
UP, DOWN, HOME, ENTER, ESCAPE = b"\x1b[A", b"\x1b[B", b"\x1b[H", b"\r", b"\x1b"
TICKS = os.sysconf("SC_CLK_TCK")
TURN = 0.0005
"""Seconds for which the drawing here may keep the listening from its reads."""


@dataclass
class Watched:
    """A program in a terminal of ours; `seen` holds what it wrote since `forget`."""

    pid: int
    master: int
    screen: pyte.Screen
    home: Path
    seen: bytes = b""
    written: int = 0
    read_at: float = 0.0
    lost: int = 0

    def __post_init__(self) -> None:
        self._stream = pyte.ByteStream(self.screen)
        self._undrawn = b""
        self._came: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        """Each read at its own instant, whatever is done meanwhile with the one before."""
        with suppress(OSError):
            while data := os.read(self.master, 1 << 16):
                self._came.put((time.perf_counter(), data))

    def drawn(self) -> list[str]:
        """The lines of the screen as they are now."""
        self._stream.feed(self._undrawn)
        self._undrawn = b""
        return list(self.screen.display)

    def forget(self) -> None:
        self.seen = b""

    def press(self, key: bytes) -> float:
        at = time.perf_counter()
        os.write(self.master, key)
        return at

    def read(self, seconds: float) -> float:
        """What comes within the time; the instant at which it was there."""
        try:
            at, data = self._came.get(timeout=max(0.0, seconds))
        except Empty:
            return time.perf_counter()
        self.read_at = at
        self.seen += data
        self._undrawn += data
        self.written += len(data)
        return at

    def read_for(self, seconds: float) -> None:
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)

    def until(self, holds: Callable[[bytes], bool], what: str, seconds: float = 15.0) -> float:
        """The instant of the read after which it holds."""
        end = time.perf_counter() + seconds
        while True:
            at = self.read(0.5)
            if holds(self.seen):
                return at
            if at > end:
                raise TimeoutError(f"{what}: not in {seconds:.0f} s; the last bytes were {self.seen[-300:]!r}")

    def after(self, key: bytes, holds: Callable[[bytes], bool], what: str) -> float:
        """When the key was pressed whose effect was then read. On a starved machine the desk may take its link for
        stalled and drop what is typed (OP-04): such a key is pressed again, and counted in `lost`.
        """
        for _ in range(3):
            self.forget()
            began = self.press(key)
            try:
                self.until(holds, what, 4.0)
            except TimeoutError:
                self.lost += 1
            else:
                return began
        raise TimeoutError(f"{what}: not after three presses")

    def threads(self) -> dict[int, float]:
        """CPU seconds of each thread so far."""
        spent = {}
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
            spent[int(task.name)] = (int(fields[11]) + int(fields[12])) / TICKS
        return spent

    def resident(self) -> float:
        """MiB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


@contextmanager
def opened(words: list[str], size: tuple[int, int]) -> Iterator[Watched]:
    with tempfile.TemporaryDirectory() as home:
        mark_guide_as_read(Path(home))
        pid, master = pty.fork()
        if pid == 0:
            ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
            outside = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
            os.execve(
                words[0], words, {**outside, "KEYTURN_HOME": home, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
            )
        desk = Watched(pid, master, pyte.Screen(*size), Path(home))
        try:
            yield desk
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            os.close(master)


@dataclass
class Figures:
    """One desk at one size. Times in seconds, CPU as a part of one core, bytes a second."""

    opened: float = 0.0
    arrows: list[float] = field(default_factory=list)
    dialogs: list[float] = field(default_factory=list)
    tickets: list[float] = field(default_factory=list)
    cpu: float = 0.0
    main: float = 0.0
    busiest_other: float = 0.0
    rate: float = 0.0
    beats: list[float] = field(default_factory=list)
    lost: int = 0


# ── the measurements ─────────────────────────────────────────────────────────────────────────────────────────────────


def looked_on(desk: Watched, seconds: float) -> Figures:
    """CPU and bytes of a desk that nobody types at."""
    before, written, began = desk.threads(), desk.written, time.perf_counter()
    desk.read_for(seconds)
    passed = time.perf_counter() - began
    spent = {tid: (cpu - before.get(tid, 0.0)) / passed for tid, cpu in desk.threads().items()}
    others = [cpu for tid, cpu in spent.items() if tid != desk.pid]
    return Figures(
        cpu=sum(spent.values()),
        main=spent[desk.pid],
        busiest_other=max(others, default=0.0),
        rate=(desk.written - written) / passed,
    )


def heartbeats(desk: Watched, seconds: float) -> list[float]:
    """The times between two beats of the engine, by its file."""
    (file,) = desk.home.glob("state/*/heartbeat")
    gaps, last, end = [], file.stat().st_mtime_ns, time.perf_counter() + seconds
    while time.perf_counter() < end:
        desk.read(0.002)
        if (beaten := file.stat().st_mtime_ns) != last:
            gaps.append((beaten - last) / 1e9)
            last = beaten
    return gaps


def our_selection(desk: Watched) -> str:
    """The symbol behind the mark: of a row that scrolled below it, only the cells that differ were sent."""
    found = [match[1] for line in desk.drawn() if (match := OUR_MARK.search(line))]
    return found[0] if found else ""


def their_selection(desk: Watched) -> str:
    """The symbol that was last drawn in the cursor's own colour; DataTable sends its rows whole."""
    found = THEIR_CURSOR.findall(desk.seen)
    return found[-1].decode() if found else ""


def arrows(desk: Watched, selection: Callable[[Watched], str], presses: int, pane: bytes = b"2") -> list[float]:
    """From each arrow key to the bytes that show another symbol selected, up and down through the rows of a pane."""
    chance = Random(7)
    desk.press(pane)
    desk.read_for(0.3)
    desk.press(HOME)
    desk.read_for(0.5)
    taken, selected = [], selection(desk)
    for number in range(presses):
        key = UP if number // 20 % 2 else DOWN
        began = desk.after(key, lambda _, was=selected: selection(desk) not in ("", was), f"arrow {number}")  # type: ignore[misc]
        taken.append(desk.read_at - began)
        selected = selection(desk)
        desk.read_for(chance.uniform(0.005, 0.06))
    return taken


def our_tickets(desk: Watched, many: int) -> tuple[list[float], list[float]]:
    """From Enter on a waiting exit to its dialog, and to its ticket with the figures that the exchange gave."""
    chance = Random(7)
    desk.press(b"2")
    desk.read_for(0.3)
    desk.press(HOME)
    desk.read_for(0.3)
    desk.forget()
    desk.press(b"c")
    desk.until(lambda _: any("Enter stages" in line for line in desk.drawn()), "how much to close is asked")
    desk.press(ENTER)
    desk.until(lambda seen: b"armed" in seen, "the exit is staged and its ticket open")
    desk.press(ESCAPE)
    desk.read_for(0.3)
    desk.press(b"1")
    desk.read_for(0.5)
    dialogs, tickets = [], []
    for number in range(many):
        began = desk.after(ENTER, lambda seen: b"PAPER \xe2\x94\x80 SELL" in seen, f"dialog {number}")
        dialogs.append(desk.read_at - began)
        at = desk.until(lambda seen: b"armed" in seen, f"ticket {number}")
        tickets.append(at - began)
        desk.after(ESCAPE, lambda _: not is_ticket_open(desk), f"ticket {number} is closed")
        desk.read_for(chance.uniform(0.05, 0.15))
    return dialogs, tickets


def is_ticket_open(desk: Watched) -> bool:
    return any("SELL to close ─" in line for line in desk.drawn())


def their_dialogs(desk: Watched, many: int) -> list[float]:
    """From Enter to the plain dialog of the baseline."""
    taken = []
    for number in range(many):
        began = desk.after(ENTER, lambda seen: b"not armed" in seen, f"dialog {number}")
        taken.append(desk.read_at - began)
        desk.read_for(0.05)
        desk.press(ESCAPE)
        desk.read_for(0.3)
    return taken


def ours(size: tuple[int, int]) -> Figures:
    began = time.perf_counter()
    with opened(OURS, size) as desk:
        ready = desk.until(lambda seen: b"30 open" in seen or b"SPY" in seen, "the desk opens")
        desk.read_for(CALM)
        figures = looked_on(desk, STREAMED)
        figures.opened = ready - began
        figures.beats = heartbeats(desk, BEATEN)
        figures.arrows = arrows(desk, our_selection, PRESSES)
        figures.dialogs, figures.tickets = our_tickets(desk, TICKETS)
        figures.lost = desk.lost
    return figures


def watching(size: tuple[int, int]) -> Figures:
    """200 watched symbols at 5,000 quotes a second: looked on in the list, arrows through it."""
    with opened(WATCHING, size) as desk:
        desk.until(lambda seen: b"30 open" in seen or b"SPY" in seen, "the desk opens")
        desk.read_for(CALM)
        desk.press(b"8")
        desk.until(lambda seen: b"of 200" in seen, "the list is there")
        desk.read_for(CALM)
        figures = looked_on(desk, STREAMED)
        figures.beats = heartbeats(desk, BEATEN)
        figures.arrows = arrows(desk, our_selection, PRESSES, pane=b"8")
        figures.lost = desk.lost
    return figures


def of_the_chart(size: tuple[int, int]) -> tuple[list[float], list[float]]:
    """A whole session's minutes over the full screen: each way of drawing worked out anew, and a key to its paint.

    The first is processor time of the drawing alone, for every overlay, as candles and as a line, at every timeframe.
    """
    chart = a_chart(minutes=A_SESSION)
    drawn = []
    for minutes, overlay, is_line in product(TIMEFRAMES, OVERLAYS, (False, True)):
        for _ in range(DRAWN_OF_EACH):
            began = time.process_time()
            chart_lines(chart, size[0] - 2, size[1] - 8, Look(minutes, is_line, overlay))
            drawn.append(time.process_time() - began)
    painted = []
    with opened([*OURS, "--speed", "60"], size) as desk:
        desk.until(lambda seen: b"SPY" in seen, "the desk opens")
        for key in (b"2", b"9", b"z"):
            desk.read_for(CALM)
            desk.press(key)
        desk.read_for(A_WHILE)
        for number in range(OVERLAID):
            overlay = OVERLAYS[(number + 1) % len(OVERLAYS)]
            words = f"{'down' if overlay == 'none' else overlay}   B bought"
            shown = lambda _, words=words: any(words in line for line in desk.drawn())  # noqa: E731
            began = desk.after(b"i", shown, f"overlay {number}")
            painted.append(desk.read_at - began)
            desk.read_for(0.1)
    return drawn, painted


def theirs(size: tuple[int, int]) -> Figures:
    began = time.perf_counter()
    with opened(BASELINE, size) as desk:
        ready = desk.until(lambda seen: b"press !" in seen, "the baseline opens")
        desk.read_for(CALM)
        figures = looked_on(desk, STREAMED)
        figures.opened = ready - began
        figures.arrows = arrows(desk, their_selection, PRESSES // 2)
        figures.dialogs = their_dialogs(desk, TICKETS // 3)
    return figures


def at_rest() -> Figures:
    with opened(QUIET, (120, 40)) as desk:
        desk.until(lambda seen: b"EXITS ON" in seen, "the demo opens")
        desk.read_for(3.0)
        figures = looked_on(desk, 10.0)
        figures.beats = heartbeats(desk, BEATEN)
        return figures


def an_hour() -> list[float]:
    """MiB every two seconds, through an hour of the desk's time at ×60."""
    with opened([*OURS, "--speed", "60"], (120, 40)) as desk:
        desk.until(lambda seen: b"SPY" in seen, "the desk opens")
        sizes = []
        for _ in range(round(HOUR_AT_60 / 2) + 1):
            desk.read_for(2.0)
            desk.forget()
            sizes.append(desk.resident())
        return sizes


# ── in words ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def percentile(values: list[float], part: float) -> float:
    return statistics.quantiles(values, n=1000, method="inclusive")[round(part * 1000) - 1]


def of_times(values: list[float]) -> str:
    return f"p50 {statistics.median(values) * 1000:.1f} ms, p99 {percentile(values, 0.99) * 1000:.1f} ms"


def in_words(mine: Figures, other: Figures) -> list[tuple[str, str]]:
    mine_p99, other_p99 = percentile(mine.arrows, 0.99), percentile(other.arrows, 0.99)
    return [
        ("arrow key to paint", f"{of_times(mine.arrows)} of {len(mine.arrows)} (aim p99 under 35)"),
        ("  baseline", f"{of_times(other.arrows)} of {len(other.arrows)}, ratio of p99 {mine_p99 / other_p99:.3f}"),
        (
            "Enter to ticket",
            f"{of_times(mine.tickets)} of {len(mine.tickets)} (aim p99 under 150; 100 of it are the line)",
        ),
        ("  to its dialog alone", of_times(mine.dialogs)),
        ("  baseline: an empty dialog", f"{of_times(other.dialogs)} of {len(other.dialogs)}"),
        (
            "CPU, engine and exchange included",
            f"{mine.cpu:.1%} of a core (aim under 15): {mine.main:.1%} drawing, {mine.busiest_other:.1%} engine",
        ),
        (
            "  baseline",
            f"{other.cpu:.1%}: {other.main:.1%}, {other.busiest_other:.1%}, ratio {mine.cpu / other.cpu:.2f}",
        ),
        ("to the terminal", f"{mine.rate / 1000:.1f} kB/s (aim under 50)"),
        ("  baseline", f"{other.rate / 1000:.1f} kB/s, ratio {mine.rate / other.rate:.2f}"),
        ("the engine's heartbeat, every 20 ms", f"{of_times(mine.beats)}, longest {max(mine.beats) * 1000:.0f} ms"),
        *([("keys that a starved machine lost", str(mine.lost))] if mine.lost else []),
        ("opened", f"{mine.opened:.1f} s, baseline {other.opened:.1f} s"),
    ]


def of_the_list(mine: Figures) -> list[tuple[str, str]]:
    return [
        ("  arrow key to paint", f"{of_times(mine.arrows)} of {len(mine.arrows)} (aim p99 under 35)"),
        (
            "  CPU, engine and exchange included",
            f"{mine.cpu:.1%} of a core (aim under 20): {mine.main:.1%} drawing, {mine.busiest_other:.1%} engine",
        ),
        ("  to the terminal", f"{mine.rate / 1000:.1f} kB/s (aim under 50)"),
        ("  the engine's heartbeat", f"{of_times(mine.beats)}, longest {max(mine.beats) * 1000:.0f} ms"),
        *([("  keys that a starved machine lost", str(mine.lost))] if mine.lost else []),
    ]


def measure(sizes: tuple[tuple[int, int], ...] = SIZES) -> Iterator[tuple[str, str]]:
    """Each line as soon as it is known."""
    for size in sizes:
        yield (f"{size[0]} × {size[1]}", f"load before {os.getloadavg()[0]:.2f}")
        yield from in_words(ours(size), theirs(size))
    yield ("200 watched, 5,000 quotes/s, 120 × 40", f"load before {os.getloadavg()[0]:.2f}")
    yield from of_the_list(watching((120, 40)))
    for size in ((120, 40), (200, 60)):
        drawn, painted = of_the_chart(size)
        yield (f"chart of a session, {size[0]} × {size[1]}", f"{of_times(drawn)} of {len(drawn)} (aim under 20)")
        yield ("  key to paint, full screen", f"{of_times(painted)} of {len(painted)} (aim p99 under 35)")
    rest = at_rest()
    yield ("at rest, 120 × 40", f"{rest.rate / 1000:.2f} kB/s (aim under 1), CPU {rest.cpu:.1%}")
    yield ("  its heartbeat", f"{of_times(rest.beats)}, longest {max(rest.beats) * 1000:.0f} ms")
    sizes_then = an_hour()
    begin, end = statistics.median(sizes_then[5:10]), statistics.median(sizes_then[-5:])
    yield (
        "memory over an hour at ×60 (aim flat)",
        f"{begin:.1f} MiB after 10 min of it, {end:.1f} at its end, highest {max(sizes_then):.1f}",
    )


def main() -> None:
    sys.setswitchinterval(TURN)
    chosen = tuple(size for size in SIZES if not sys.argv[1:] or f"{size[0]}x{size[1]}" in sys.argv[1:])
    for name, value in measure(chosen):
        print(f"{name:<40} {value}", flush=True)


if __name__ == "__main__":
    main()
