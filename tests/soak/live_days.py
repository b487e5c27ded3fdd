"""Days of the live runtime in virtual time: streams that break, a disk that is nearly full, crashes inside a rotation.

The desk is the real composition with its adapters, threads, sockets, journal, checkpoints and log; the exchange is the
loopback one, which outlives it. What a crash leaves is the folder as it stands in the middle of the log's rotation,
with the exchange out of reach by then. Each day buys, holds a stop and sells, and ends with a row of figures.

`make soak PART=live N=5 SEED=7` plays five days; `ONLY=3` plays one with every outage and order.
"""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from console.commands.assembly.at_a_broker import live_runtime
from console.commands.assembly.host import Host
from console.commands.assembly.settings import settings_of
from core.brokers.alpaca.connection import ALPACA
from core.facts import OrderCreated
from core.messages.commands import Confirm, OpenTicket, ProposeClose, ProposeOrder
from core.model.account import Mode
from core.model.order import OrderStatus, StopHolder
from core.model.values import ClientOrderId, Price
from core.runtime import runtime as runtimes
from core.views import DeskView
from state.credentials import find_keys
from state.files import AccountFolder
from state.journal import read
from state.service_log import files as log_files
from state.service_log.files import Limits, LogReader
from state.service_log.lines import DROPPED, Hiding
from state.service_log.log import HEARD_AGAIN, ServiceLog
from tests.bench.engine_alone import descriptors, memory, size_of, threads
from tests.kit import timeline
from tests.kit.timeline import Timeline, installed
from tests.real.tools import may_mount
from tests.soak.chunks import Chunks, Play
from tests.wire.exchange import server
from tests.wire.exchange.clocks import RunningClock
from tests.wire.exchange.server import LoopbackExchange
from tests.wire.open_desk import LOOSE, SPY, Open, a_buy, environ, is_held

MONDAY = date(2026, 11, 9)
"""Two weeks without a holiday begin."""
NEW_YORK = ZoneInfo("America/New_York")
SLOWER, OVERNIGHT = 5.0, 60.0
"""Seconds between two beats, of a day and of a night: ten a second would take hours for five days."""
LOOKS_FOR_BYTES = 50
"""Bytes that were cut off in the middle of a frame never come; each time they are waited for less."""
EARLY, LATE = time(9, 0), time(20, 0)
"""When the desk of a day is looked at first, and when it is measured."""
ORDERS_AT = tuple(time(hour, minute) for hour in range(10, 16) for minute in (5, 35))
STOP_AT = Decimal("0.997")
"""Of the last price."""
PATIENCE = 60.0
"""Seconds that the operator waits for a ticket, an order or a price before leaving it for the next time."""
DEAD = 30.0
"""Seconds from a crash to the start after it."""
OUTAGES = 8
"""Of a day."""
SHORTEST, LONGEST = 2.0, 3600.0
"""Seconds of an outage."""
LOG_FILE = Limits(file=60_000)
"""Bytes of a file of the log: several rotations a day."""
DISK = "24m"
NEARLY = 16 * 1024
"""Bytes that something else leaves free on a nearly full disk: for the journal of a minute, not for a checkpoint."""
NEARLY_FULL = (time(10, 30), time(13, 20))
FULL = (time(15, 10), time(15, 40))
PACED = ((runtimes, "BEAT"), (runtimes, "RESTING_BEAT"), (server, "LOOKS_EVERY"))
SETTINGS = {
    "KEYTURN_RISK__ENTRIES_A_DAY": "40",
    "KEYTURN_RISK__PROTECTIONS__EQUITY_CURVE__ENABLED": "false",
    "KEYTURN_RISK__PROTECTIONS__LOSS_STREAK__ENABLED": "false",
    "KEYTURN_RISK__PROTECTIONS__COOLDOWN__ENABLED": "false",
    "KEYTURN_STRATEGIES__VWAP__ENABLED": "false",
    "KEYTURN_SYMBOLS": '["SPY"]',
    **LOOSE,
}
HEAD = (
    "day         heap MiB  objects  handles  threads  log kB  journal kB  folder kB  outages  orders  fills"
    "  lost  doubled  differing  lines lost  refused by disk  lives"
)


def moment(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock, NEW_YORK).astimezone(UTC)


FIRST_LOOK = moment(MONDAY, EARLY)


class Place:
    """Where the process dies within a rotation of the log."""

    BEFORE = "the old file is closed, and not renamed"
    BETWEEN = "the old file is renamed, and there is no new one"
    TORN = "half of the first write is in the new file"


CRASHES = ((time(10, 50), Place.BETWEEN), (time(12, 20), Place.TORN), (time(13, 50), Place.BEFORE))
"""All on the last day of five, after four days of one life."""


@dataclass(frozen=True)
class Outage:
    """`of` is the stream that is broken; the whole exchange is gone where it is empty."""

    at: datetime
    name: str
    of: str
    seconds: float

    @property
    def ends(self) -> datetime:
        return self.at + timedelta(seconds=self.seconds)


@dataclass(frozen=True)
class Day:
    """What is done to the desk until a moment; `crashes` are the places of crashes, each from a moment on."""

    ends: datetime
    orders: tuple[datetime, ...] = ()
    outages: tuple[Outage, ...] = ()
    crashes: tuple[tuple[datetime, str], ...] = ()
    is_disk_nearly_full: bool = False
    is_disk_full: bool = False

    @property
    def day(self) -> date:
        return self.ends.astimezone(NEW_YORK).date()


@dataclass(frozen=True)
class Row:
    """What a day's end shows; the counts are of all days so far.

    Handles and threads include the exchange's, and some that ended lives left to their process, which is this one.
    """

    day: date
    heap: float
    objects: int
    handles: int
    threads: int
    log: int
    journal: int
    folder: int
    outages: int
    orders: int
    fills: int
    lost: int
    doubled: int
    differing: int
    lines_lost: int
    lines_refused: int
    lives: int

    @property
    def wrong(self) -> int:
        return self.lost + self.doubled + self.differing + self.lines_lost

    def __str__(self) -> str:
        return (
            f"{self.day}  {self.heap:8.1f}  {self.objects:7}  {self.handles:7}  {self.threads:7}"
            f"  {self.log / 1000:6.1f}  {self.journal / 1000:10.1f}  {self.folder / 1000:9.1f}  {self.outages:7}"
            f"  {self.orders:6}  {self.fills:5}  {self.lost:4}  {self.doubled:7}  {self.differing:9}"
            f"  {self.lines_lost:10}  {self.lines_refused:15}  {self.lives:5}"
        )


# ── the plan ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def planned(seed: int, many: int, *, has_disk: bool, first: date = MONDAY) -> list[Day]:
    """The third day's disk is nearly full for hours; on the fifth the process dies three times and the disk is full."""
    days: list[Day] = []
    for number in range(many):
        day = first + timedelta(days=number + 2 * (number // 5))
        chance = Random(f"{seed} {number}")
        when, is_last = partial(moment, day), number % 5 == 4
        days.append(
            Day(
                when(LATE),
                tuple(map(when, ORDERS_AT)),
                outages_of(day, chance),
                tuple((when(clock), place) for clock, place in CRASHES if is_last),
                has_disk and number % 5 == 2,
                has_disk and is_last,
            )
        )
    return days


def outages_of(day: date, chance: Random, many: int = OUTAGES) -> tuple[Outage, ...]:
    """Between the first look and the close, of seconds to an hour, each length as likely as ten times as long."""
    found: list[Outage] = []
    for _ in range(many):
        at = moment(day, EARLY) + timedelta(minutes=chance.uniform(5, 400))
        name, of = chance.choice(
            [("mute", "trades"), ("mute", "data"), ("disconnect", "trades"), ("disconnect", "data"),
             ("cut-mid-frame", "trades"), ("cut-mid-frame", "data"), ("gone", "")]
        )  # fmt: skip
        found.append(Outage(at, name, of, SHORTEST * (LONGEST / SHORTEST) ** chance.random()))
    return tuple(sorted(found, key=lambda outage: outage.at))


def pace(seconds: float) -> None:
    """Let the desk beat, and the exchange look at its market, as often."""
    for module, name in PACED:
        setattr(module, name, seconds)


# ── the disk ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def own_disk(folder: Path) -> Iterator[bool]:
    """A file system of a few megabytes for the folder, where one may be mounted."""
    folder.mkdir(mode=0o700, exist_ok=True)
    if not may_mount(folder):
        yield False
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "keyturn-days", str(folder)], check=True)
    try:
        yield True
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def leave_room(disk: Path, room: int | None) -> None:
    """Something else on the disk leaves so many bytes; None is all of them."""
    ballast = disk / "ballast"
    if room is None:
        ballast.unlink(missing_ok=True)
        return
    found = os.statvfs(disk)
    grow = found.f_bavail * found.f_frsize - room
    size = ballast.stat().st_size if ballast.exists() else 0
    with ballast.open("ab") as file:
        if grow > 0:
            os.posix_fallocate(file.fileno(), size, grow)
        else:
            file.truncate(max(0, size + grow))


# ── one life of the desk ─────────────────────────────────────────────────────────────────────────────────────────────


class Life:
    """A process of the engine: from its start from the folder to its end."""

    def __init__(self, host: Host, limits: Limits) -> None:
        self._stack = ExitStack()
        keys = find_keys(host.environ, Mode.PAPER, ALPACA.keys)
        self.runtime = live_runtime(host, settings_of(host), Mode.PAPER, keys, self._stack)
        self.folder = host.home.account(self.runtime.engine.state.account_name)
        self.log = self._stack.enter_context(ServiceLog(self.folder, Hiding(), limits=limits))
        self.log.attach(self.runtime)
        self.desk = Open(self.runtime)
        self._thread = Thread(target=self.runtime.run, name="engine", daemon=True)
        self._thread.start()

    @property
    def view(self) -> DeskView | None:
        return self.desk.view

    def end(self) -> None:
        self.runtime.leave()
        self._thread.join(60)
        assert not self._thread.is_alive()
        self.runtime.stop("left")
        self._stack.close()


# ── the days ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class World:
    """The exchange, the disk and the desk of the moment, moved through the days by one script.

    Attributes
    ----------
    skipped
        Why the operator left an order for the next time.
    words
        What went wrong, for whoever reads the table.
    """

    line: Timeline
    exchange: LoopbackExchange
    host: Host
    disk: Path
    limits: Limits
    say: Callable[[str], None] = lambda _: None
    skipped: Counter[str] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)
    outages: int = 0
    lives: int = 0
    life: Life = field(init=False)
    _dies: str | None = None
    _left: Path | None = None
    _due: list[tuple[datetime, Callable[[], None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.start()

    # ── lives ────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        self.life = Life(self.host, self.limits)
        self.lives += 1

    def restart(self) -> None:
        self.life.end()
        self.start()

    def die_in_the_next_rotation(self, place: str) -> None:
        self._dies = place

    def reaches(self, place: str) -> None:
        """Called in the log's thread, in the middle of its rotation."""
        if self._dies != place:
            return
        self._dies = None
        self.exchange.make("gone", seconds=DEAD)
        left = Path(tempfile.mkdtemp(prefix="keyturn-left-"))
        shutil.copytree(self.life.folder.path, left / "folder", ignore=shutil.ignore_patterns("*.sock"))
        self._left = left

    def _bury(self) -> None:
        """Put what the crash left in the place of the folder, and start from it."""
        assert self._left is not None
        folder, left = self.life.folder.path, self._left
        self._left = None
        self.life.end()
        shutil.rmtree(folder)
        shutil.copytree(left / "folder", folder)
        shutil.rmtree(left)
        self.line.advance(DEAD)
        self.say(f"{self.line.now():%F %T} died in a rotation, started again")
        self.start()

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def at(self, when: datetime, act: Callable[[], None]) -> None:
        self._due = sorted([*self._due, (when, act)], key=lambda due: due[0])

    def until(self, when: datetime) -> None:
        while self._due and self._due[0][0] <= when:
            due, act = self._due.pop(0)
            self._advance(due)
            act()
        self._advance(when)

    def _advance(self, when: datetime) -> None:
        while (left := (when - self.line.now()).total_seconds()) > 0:
            self.line.advance(min(left, DEAD))
            if self._left is not None:
                self._bury()

    # ── what happens ─────────────────────────────────────────────────────────────────────────────────────────────

    def break_off(self, outage: Outage) -> None:
        self.outages += 1
        self.say(f"{self.line.now():%F %T} {outage.name} {outage.of} for {outage.seconds:.0f} s")
        if outage.name == "gone":
            self.exchange.make("gone", seconds=outage.seconds)
            self.line.advance(outage.seconds + 1)  # one at a time: its place must be free again
            return
        self.exchange.make(outage.name, of=outage.of)
        if outage.name != "mute":
            self.exchange.make("connection-limit", of=outage.of)
        self.at(outage.ends, self.exchange.end)

    def trade(self) -> None:
        """Close what is held, else buy; the operator leaves it where the desk does not let."""
        view = self.life.view
        if view is None or self._left is not None:
            return
        order = ProposeClose(SPY) if is_held(SPY)(view) else self._a_buy()
        why = self._turned(order)
        if why:
            self.skipped[why] += 1
            self.say(f"{self.line.now():%F %T} no {type(order).__name__}: {why}")

    def _a_buy(self) -> ProposeOrder:
        """Two shares, with a stop at the broker that some of the half hours reach."""
        last = self.exchange.call(lambda: self.exchange.floor.price(SPY))
        stop = Price((last * STOP_AT).quantize(Decimal("0.01")))
        return replace(a_buy(SPY, "2", StopHolder.BROKER), stop_price=stop)

    def _turned(self, order: ProposeOrder | ProposeClose) -> str:
        """Why there is no order; empty where there is one."""
        desk = self.life.desk
        known = {row.id for row in desk.view.proposals} if desk.view else set()
        desk.sends(order)
        if not self._comes(lambda view: {row.id for row in view.proposals} - known):
            return "no proposal"
        assert desk.view is not None
        (proposal, *_) = {row.id for row in desk.view.proposals} - known
        desk.sends(OpenTicket(proposal))
        if not self._comes(lambda view: any(row.ticket.proposal_id == proposal for row in view.tickets)):
            return "no ticket"
        ticket = next(row.ticket for row in desk.view.tickets if row.ticket.proposal_id == proposal)
        desk.sends(Confirm(ticket.id, ticket.digest, ticket.order.effect))
        ledger = desk.runtime.engine.state.ledger
        if not self._comes(lambda _: ledger.order(ticket.order.client_order_id)):
            return "not confirmed"
        return ""

    def _comes(self, holds: Callable[[DeskView], object]) -> bool:
        try:
            self.life.desk.waits(holds, "it", PATIENCE)
        except AssertionError:
            return False
        return True

    # ── a day ────────────────────────────────────────────────────────────────────────────────────────────────────

    def play(self, day: Day) -> Row:
        self.at(max(moment(day.day, EARLY), self.line.now()), partial(pace, SLOWER))
        self.at(day.ends, partial(pace, OVERNIGHT))
        for outage in day.outages:
            self.at(outage.at, partial(self.break_off, outage))
        for at in day.orders:
            self.at(at, self.trade)
        for at, place in day.crashes:
            self.at(at, partial(self.die_in_the_next_rotation, place))
        when = partial(moment, day.day)
        if day.is_disk_nearly_full:
            begin, end = when(NEARLY_FULL[0]), when(NEARLY_FULL[1])
            while begin < end:
                self.at(begin, partial(leave_room, self.disk, NEARLY))
                begin += timedelta(minutes=1)
            self.at(end, self._mend_the_disk)
        if day.is_disk_full:
            self.at(when(FULL[0]), partial(leave_room, self.disk, 0))
            self.at(when(FULL[1]), self._mend_the_disk)
        self.until(day.ends)
        return self.measured(day.day)

    def _mend_the_disk(self) -> None:
        """Room comes back; a desk that lost its journal says that it must be started again, and is."""
        leave_room(self.disk, None)
        trouble = self.life.runtime.engine.disk_trouble
        self.say(f"{self.line.now():%F %T} room is back: {trouble or 'the desk never lost its journal'}")
        if trouble is not None:
            self.restart()

    # ── figures ──────────────────────────────────────────────────────────────────────────────────────────────────

    def measured(self, day: date) -> Row:
        self.life.log.settle()
        self.exchange.call(self.exchange.door.received.clear)  # its notes of requests would be most of the growth
        gc.collect()
        self.line.settle()  # the idle threads of an earlier life end
        gc.collect()
        folder, exchange = self.life.folder, self.exchange
        facts = [(record.sequence, record.fact) for record in read(folder.journal)]
        lost, doubled = self._orders_lost_and_doubled([fact for _, fact in facts])
        lines_lost, refused = self._lines_lost(folder, facts)
        return Row(
            day,
            memory(os.getpid()).heap,
            len(gc.get_objects()),
            descriptors(os.getpid()),
            threads(os.getpid()),
            size_of(folder.log.parent),
            size_of(folder.journal),
            size_of(folder.path),
            self.outages,
            len(exchange.orders()),
            sum(report.status is OrderStatus.FILLED for report in exchange.orders()),
            lost,
            doubled,
            self._positions_that_differ(),
            lines_lost,
            refused,
            self.lives,
        )

    def _orders_lost_and_doubled(self, facts: Iterable[object]) -> tuple[int, int]:
        """By the exchange's book, the requests that it took, and the desk's ledger."""
        ledger = self.life.runtime.engine.state.ledger
        book = self.exchange.orders()
        created = {fact.order.client_order_id for fact in facts if isinstance(fact, OrderCreated)}
        known = {row.client_order_id: row for row in book}
        strange = [row for row in book if row.client_order_id not in created]
        lost: list[ClientOrderId] = [row.client_order_id for row in strange]
        for order_id in created - known.keys():
            order = ledger.order(order_id)
            if order is not None and order.status.is_working:
                lost.append(order_id)
        lost += [
            order_id
            for order_id, row in known.items()
            if (order := ledger.order(order_id)) is not None
            and row.status is not None
            and order.status.is_working != row.status.is_working
        ]
        doubled = [name for name, many in Counter(row.client_order_id for row in book).items() if many > 1]
        self.words += [f"lost: {name}" for name in lost] + [f"doubled: {name}" for name in doubled]
        return len(lost), len(doubled)

    def _positions_that_differ(self) -> int:
        ours = {p.symbol: p.quantity for p in self.life.runtime.engine.state.ledger.positions()}
        theirs = {p.symbol: p.quantity for p in self.exchange.positions()}
        differing = {symbol for symbol in ours.keys() | theirs.keys() if ours.get(symbol) != theirs.get(symbol)}
        self.words += [f"{s}: {ours.get(s)} here, {theirs.get(s)} there" for s in differing]
        return len(differing)

    def _lines_lost(self, folder: AccountFolder, facts: Sequence[tuple[int, Any]]) -> tuple[int, int]:
        """Records without exactly one line, without those that the log says it could not write; and these."""
        lines = list(LogReader(folder.log).lines(follow=False))
        logged = Counter((line["record"], line["at"]) for line in lines if isinstance(line.get("record"), int))
        refused = sum(line.get("lines", 0) for line in lines if line["event"] == DROPPED)
        wanted = {sequence for sequence, fact in facts if type(fact) not in HEARD_AGAIN}
        lacking = sorted(wanted - {sequence for sequence, _ in logged})
        twice = [sequence for (sequence, _), many in logged.items() if many > 1]
        self.words += [f"{len(lacking)} records without a line, {refused} refused"] if lacking else []
        self.words += [f"logged twice: {twice[:20]}"] if twice else []
        return max(0, len(lacking) - refused) + len(twice), refused


@contextmanager
def a_world(
    home: Path,
    say: Callable[[str], None] = lambda _: None,
    begins: datetime = FIRST_LOOK,
    limits: Limits = LOG_FILE,
) -> Iterator[World]:
    """A desk at the loopback exchange from a moment on."""
    with ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        line = stack.enter_context(installed(Timeline(begins)))
        for module, name in PACED:
            patch.setattr(module, name, SLOWER)
        patch.setattr(timeline, "LOOKS_FOR_BYTES", LOOKS_FOR_BYTES)
        exchange = stack.enter_context(
            LoopbackExchange(clock=RunningClock(), since=begins.date(), quote_every=timedelta(seconds=SLOWER))
        )
        world = World(line, exchange, Host.of(environ(exchange, home, **SETTINGS)), home, limits, say)
        rotate(patch, world)
        yield world
        world.life.end()


def rotate(patch: pytest.MonkeyPatch, world: World) -> None:
    """Tell the world of each place within a rotation."""
    turn, write = log_files.RotatingFile._turn, log_files.write_all
    just_turned: list[bool] = []

    def turning(self: log_files.RotatingFile) -> None:
        self._day_of()
        self.close()
        world.reaches(Place.BEFORE)
        turn(self)
        just_turned.append(True)
        world.reaches(Place.BETWEEN)

    def writing(descriptor: int, content: bytes) -> None:
        if just_turned:
            just_turned.clear()
            half = len(content) // 2
            write(descriptor, content[:half])
            world.reaches(Place.TORN)
            content = content[half:]
        write(descriptor, content)

    patch.setattr(log_files.RotatingFile, "_turn", turning)
    patch.setattr(log_files, "write_all", writing)


# ── the command ──────────────────────────────────────────────────────────────────────────────────────────────────────


def run(chunks: Callable[[Play, int], Chunks], cores: int, plant: str | None) -> int:
    """They follow one another, so one core plays them all."""
    del cores, plant
    asked = chunks(lambda *_: None, 1)
    return play(asked.seed, asked.many)


def play(seed: int, many: int, say: Callable[[str], None] = lambda _: None) -> int:
    """Play and print the days; 1 where anything is lost, doubled or different."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "home"
        has_disk = stack.enter_context(own_disk(home))
        if not has_disk:
            print("no file system may be mounted here: no disk is full")
        world = stack.enter_context(a_world(home, say))
        print(HEAD, flush=True)
        wrong = 0
        for day in planned(seed, many, has_disk=has_disk):
            row = world.play(day)
            wrong = max(wrong, row.wrong)
            print(row, flush=True)
        for words, times in world.skipped.items():
            print(f"orders left for later, {words}: {times}")
        for word in world.words:
            print(word)
        return int(bool(wrong))


def replay(seed: int, number: int) -> int:
    """The days up to this one, told."""
    return play(seed, number, print)
