"""One account with a real engine, a real desk in a terminal, and a random instant at which one of them is hit.

A ticket stands open, keys are typed, and somewhere among them the engine, the desk or both are killed, stopped for a
while, or the terminal hangs up. Then the journal and the exchange's log are read: they were written by the processes
themselves, whatever the screen said.

The keys and the hits follow from the seed; the engine's instruction at which a hit falls does not, so a fault that
depends on it may need the seed more than once.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.real.account import CONFIRMED, PATIENT_PROGRAM, Account, Desk, Engine, Record, lost_and_doubled
from tests.soak import planted_fault
from tests.soak.chunks import Chunks, Play

KEY = b"B"
NO_KEYS = (b"S", b"y", b"\r", b"j", b"BB", b"\x1b[200~B\x1b[201~", b"\x1b", b" ")
"""What is typed besides the key; a burst and a paste have the key in them."""
SILENCE = 2.5
"""Seconds after which a desk knows that its engine says nothing: it hears a word twice a second, and waits for two."""
APART = 0.6
"""Seconds between two keys of which each was typed alone."""
ANEW = 3.5
"""Seconds after which the same key is one that was pressed anew, whatever was typed before."""
STOPS = (0.3, 1.5, 3.0, 4.0)
LONG_STOP = 2.5
ACTS_IN = 20.0
UNMEANT = "was confirmed, and nobody meant it"
DROPPED = ("too early", "stood still", "has said nothing", "is lost")
"""What a desk says of a key that it dropped: of a machine that stood still just then."""
SETTLES = 0.8
A_HOUSE = 20
"""Accidents on one account; the next has a home of its own."""
DELIBERATE = 0.4
"""Of all accidents, those before which a key is meant, pressed and awaited."""


@dataclass
class Typed:
    """A key that was typed, at an instant of the hand's clock."""

    at: float
    what: bytes
    was_armed: bool
    ticket: str
    nobody_hears: bool


@dataclass
class Told:
    """What came of a row of accidents."""

    accidents: Counter[str] = field(default_factory=Counter)
    deliberate: int = 0
    acted: int = 0
    stalled: int = 0
    """Deliberate keys that the desk dropped, and said why: the machine stood still. They are not counted."""
    keys: int = 0
    armed_keys: int = 0
    """Keys that were typed alone on an armed ticket among the accidents: those may confirm."""
    confirmed: int = 0
    engines: int = 0
    desks: int = 0
    orders: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, other: Told) -> None:
        self.accidents += other.accidents
        self.wrong += other.wrong
        for name in ("deliberate", "acted", "stalled", "keys", "armed_keys", "confirmed", "engines", "desks", "orders"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Table:
    """One account, its engine, its desk, and the hand at it."""

    def __init__(self, house: Account, told: Told) -> None:
        self.house, self.told = house, told
        self.chance = Random(0)
        self.engine: Engine | None = None
        self.desk: Desk | None = None
        self.events: list[str] = []
        self.typed: list[Typed] = []
        self.began = time.monotonic()
        self.deaf_from = self.deaf_until = float("inf")
        """From when on no key can be meant: something stands still or is gone, and until when."""
        self.seen = 0
        """Records of the journal that were judged."""
        self.known: set[str] = set()
        """Orphans that were told of."""

    def note(self, what: str) -> None:
        self.events.append(f"{time.monotonic() - self.began:7.3f} {what}")

    # ── what must run

    def runs(self) -> Engine:
        if self.engine is None or self.engine.process.poll() is not None:
            self.engine = self.house.running()
            self.told.engines += 1
            self.note(f"engine {self.engine.pid} runs")
        return self.engine

    def sits(self) -> Desk:
        """A desk that is attached and holds the key, with nothing on top of its panes."""
        if self.desk is None or not self.desk.is_alive() or self.desk.master < 0:
            self.desk = self.house.desk()
            self.told.desks += 1
            self.note(f"desk {self.desk.pid} opens")
        desk = self.desk
        desk.until(
            lambda: desk.shows("ENTRIES ON") and not desk.shows("ENGINE AWAY") and not desk.shows("has said nothing")
        )
        for _ in range(8):
            desk.read_for(0.25)
            if desk.is_bare():
                if desk.shows("control: this desk"):
                    return desk
                self.takes_the_key()
            else:
                desk.type(b"\x1b")
                desk.read_for(0.3)
        raise AssertionError(f"the desk does not come to rest; it shows\n{desk.what_it_shows()}")

    def takes_the_key(self) -> None:
        """From a desk whose link is lost, by a question; from one that nobody knows to be gone yet, by the word."""
        desk = self.desk
        assert desk is not None
        desk.type(b"T")
        desk.read_for(0.8)
        if desk.shows("D  take it"):
            desk.until(lambda: desk.is_armed() or not desk.shows("D  take it"))
            desk.type(b"D")
        elif desk.shows("Take the key?"):
            for letter in b"TAKE":
                desk.type(bytes([letter]))
                desk.read_for(0.15)
        desk.read_for(0.6)

    def armed(self) -> str:
        """A ticket that stands armed on the screen of a desk that holds the key; its identifier."""
        self.runs()
        for _ in range(4):
            desk = self.sits()
            if desk.shows("No proposals."):
                ticket = desk.proposes("1", "500" if self.chance.random() < 0.3 else "480", "470")
            else:
                ticket = desk.opens_ticket()
            end = time.monotonic() + ACTS_IN
            while time.monotonic() < end:
                desk.read_for(0.05)
                if desk.is_armed():
                    self.note(f"ticket {ticket} is armed")
                    return ticket
                if any(desk.shows(word) for word in ("REFUSED", "EXPIRED", "RED ")):
                    desk.type(b"x")
                    desk.read_for(0.5)
                    break
        raise AssertionError(f"no ticket was armed; the desk shows\n{self.desk and self.desk.what_it_shows()}")

    # ── the hand

    def types(self, what: bytes) -> None:
        desk = self.desk
        assert desk is not None
        if desk.master < 0:
            return
        desk.read_for(0.0)
        now = time.monotonic()
        opened = self.house.records("TicketOpened")
        ticket = str(opened[-1]["data"]["ticket"]["id"]) if opened else ""
        is_deaf = self.deaf_from < now < self.deaf_until
        self.typed.append(Typed(now, what, desk.is_armed(), ticket, is_deaf))
        self.told.keys += 1
        self.note(f"types {what!r}{', armed' if desk.is_armed() else ''}{', nobody hears' if is_deaf else ''}")
        os.write(desk.master, what)

    def meant(self) -> set[str]:
        """Tickets on which a key was typed alone while they stood armed and were heard."""
        found = set()
        for number, each in enumerate(self.typed):
            before, behind = self.typed[:number][-1:], self.typed[number + 1 :][:1]
            gap_before = each.at - before[0].at if before else APART
            gap_behind = behind[0].at - each.at if behind else APART
            is_alone = each.what == KEY and gap_before >= APART / 2 and gap_behind >= APART / 4
            if is_alone and each.was_armed and not each.nobody_hears:
                found.add(each.ticket)
        return found

    def presses_deliberately(self) -> None:
        """Reads the armed ticket, presses its key once, and waits for what comes of it."""
        ticket = self.armed()
        desk = self.desk
        assert desk is not None
        desk.read_for(self.chance.uniform(0.3, 0.8))
        if not desk.is_armed():
            return
        orders = len(self.house.exchange_orders())
        self.told.deliberate += 1
        self.types(KEY)
        end = time.monotonic() + ACTS_IN
        while time.monotonic() < end:
            desk.read_for(0.05)
            is_sent = len(self.house.exchange_orders()) > orders
            if is_sent and self.confirmed_since(self.seen) == [ticket]:
                self.told.acted += 1
                desk.read_for(0.3)
                return
        if any(desk.shows(words) for words in DROPPED) and not self.confirmed_since(self.seen):
            self.told.stalled += 1
            self.told.deliberate -= 1
            self.note("the key was dropped, and the desk says why")
            return
        self.wrong(f"a deliberate key on {ticket} did not act; the desk shows\n{desk.what_it_shows()}")

    def wrong(self, what: str) -> None:
        self.told.wrong.append("\n  ".join([what, *self.events]))

    # ── what is judged

    def confirmed_since(self, number: int) -> list[str]:
        return [str(r["data"]["ticket_id"]) for r in self.house.records()[number:] if r["fact"] == CONFIRMED]

    def judges(self, kind: str) -> None:
        """What came of the last accident, by the files alone."""
        meant, confirmed = self.meant(), self.confirmed_since(self.seen)
        self.told.confirmed += len(confirmed)
        for ticket in confirmed:
            if ticket not in meant:
                self.wrong(f"{kind}: {ticket} {UNMEANT}")
        for ticket, many in Counter(confirmed).items():
            if many > 1:
                self.wrong(f"{kind}: {ticket} was confirmed {many} times")
        for words in orphans(self.house.records()):
            if words not in self.known:
                self.known.add(words)
                self.wrong(f"{kind}: {words}")
        self.seen = self.house.count()
        self.typed.clear()

    def closes(self) -> None:
        """At the end of an account: an engine that has had its time to look everything up, and whole books."""
        self.runs()
        self.sits()
        end = time.monotonic() + ACTS_IN
        while (faults := list(lost_and_doubled(self.house))) and time.monotonic() < end:
            assert self.desk is not None
            self.desk.read_for(0.3)
        for fault in faults:
            self.wrong(fault)
        assert self.engine is not None
        if self.engine.stopped() != 0:
            self.wrong(f"the engine did not leave cleanly: {self.engine.said()}")
        verified = self.house.run("journal", "verify")
        if verified.returncode != 0:
            self.wrong(f"the journal is not whole: {verified.stdout}{verified.stderr}")
        self.told.orders += len(self.house.exchange_orders())


def orphans(records: list[Record]) -> Iterator[str]:
    """Confirmations of a ticket that the engine of that time did not open."""
    opened: set[str] = set()
    for record in records:
        if record["fact"] == "EngineStarted":
            opened.clear()
        elif record["fact"] == "TicketOpened":
            opened.add(str(record["data"]["ticket"]["id"]))
        elif record["fact"] == CONFIRMED and str(record["data"]["ticket_id"]) not in opened:
            yield f"record {record['seq']} confirms {record['data']['ticket_id']}, which its engine never opened"


# ── the accidents ────────────────────────────────────────────────────────────────────────────────────────────────────


def a_row_of_keys(table: Table) -> list[tuple[float, bytes]]:
    """Seconds to wait before each, and what is typed: the key alone most often."""
    chance = table.chance
    return [
        (
            chance.choice((0.02, APART, APART, chance.uniform(APART, 2.2))),
            KEY if chance.random() < 0.65 else chance.choice(NO_KEYS),
        )
        for _ in range(chance.randint(2, 5))
    ]


def types_around(table: Table, hit: Callable[[], None], behind: float = 0.0) -> None:
    """Keys, and the hit somewhere before, between or after them; then so many seconds more of keys."""
    keys, chance = a_row_of_keys(table), table.chance
    at = chance.randint(0, len(keys)) if chance.random() < 0.6 else 0
    for number, (pause, what) in enumerate(keys):
        if number == at:
            looks(table, chance.uniform(0.0, 0.4))
            hit()
        looks(table, pause)
        table.types(what)
    if at == len(keys):
        looks(table, chance.uniform(0.0, 0.4))
        hit()
    until = time.monotonic() + behind
    while time.monotonic() < until:
        looks(table, chance.uniform(APART, 1.5))
        table.types(KEY)


def looks(table: Table, seconds: float) -> None:
    assert table.desk is not None
    table.desk.read_for(seconds)


def kills(table: Table, *whom: str) -> None:
    for who in whom:
        table.note(f"kills the {who}")
        if who == "engine":
            assert table.engine is not None
            table.engine.killed()
        else:
            assert table.desk is not None
            os.kill(table.desk.pid, signal.SIGKILL)
    table.deaf_from, table.deaf_until = time.monotonic() + 0.1, float("inf")


def engine_killed(table: Table) -> None:
    types_around(table, lambda: kills(table, "engine"))
    looks(table, table.chance.uniform(0.0, 0.8))
    fresh = table.house.engine()
    table.engine, table.told.engines = fresh, table.told.engines + 1
    table.note(f"engine {fresh.pid} starts")
    while table.house.listener() != fresh.pid:
        assert fresh.process.poll() is None, fresh.said()
        looks(table, table.chance.uniform(0.3, 0.9))
        table.types(KEY)
    table.deaf_until = time.monotonic()
    for _ in range(table.chance.randint(1, 2)):
        looks(table, table.chance.uniform(APART, ANEW))
        table.types(KEY)


def desk_killed(table: Table) -> None:
    types_around(table, lambda: kills(table, "desk"))
    types_ahead(table)


def both_killed(table: Table) -> None:
    order = ["engine", "desk"]
    table.chance.shuffle(order)
    types_around(table, lambda: kills(table, *order))
    types_ahead(table)


def types_ahead(table: Table) -> None:
    """Keys for a desk that is only starting."""
    table.runs()
    table.desk = table.house.desk()
    table.told.desks += 1
    table.note(f"desk {table.desk.pid} opens")
    for _ in range(table.chance.randint(1, 4)):
        looks(table, table.chance.uniform(0.1, 1.0))
        table.types(KEY)
    table.deaf_until = time.monotonic()


def hung_up(table: Table) -> None:
    def hangs_up() -> None:
        table.note("hangs the terminal up")
        assert table.desk is not None
        table.desk.hang_up()
        table.deaf_from = time.monotonic() + 0.1

    types_around(table, hangs_up)
    assert table.desk is not None
    table.desk.ended()
    types_ahead(table)


def engine_stopped(table: Table) -> None:
    _stands_still(table, "engine")


def desk_stopped(table: Table) -> None:
    _stands_still(table, "desk")


def _stands_still(table: Table, who: str) -> None:
    assert table.engine is not None
    assert table.desk is not None
    chance, pid = table.chance, table.engine.pid if who == "engine" else table.desk.pid
    seconds = chance.choice(STOPS)
    stopped = [0.0]

    def stops() -> None:
        os.kill(pid, signal.SIGSTOP)
        table.note(f"stops the {who} for {seconds:g} s at least")
        stopped[0] = time.monotonic()
        if seconds >= LONG_STOP:  # a shorter one is a slow machine: the ticket stands armed for all that anybody knows
            table.deaf_from = stopped[0] + (SILENCE if who == "engine" else 0.0)
            table.deaf_until = float("inf")

    if chance.random() < 0.5:
        types_around(table, stops)
    else:  # the first key comes late
        stops()
        looks(table, min(seconds, SILENCE + 0.1))
        table.types(KEY)
    while (left := stopped[0] + seconds - time.monotonic()) > 0:
        looks(table, min(left, APART))
        if chance.random() < 0.5:
            table.types(KEY)
    os.kill(pid, signal.SIGCONT)
    table.deaf_until = time.monotonic()
    table.note(f"the {who} goes on")
    if chance.random() < 0.5:
        looks(table, chance.uniform(0.0, 1.0))
        table.types(KEY)


KINDS: dict[str, Callable[[Table], None]] = {
    "engine killed": engine_killed,
    "desk killed": desk_killed,
    "both killed": both_killed,
    "engine stopped": engine_stopped,
    "desk stopped": desk_stopped,
    "terminal hung up": hung_up,
}


def run(chunks: Callable[[Play, int], Chunks], cores: int, plant: str | None) -> int:
    """Play them and print the table; 1 where a claim did not hold. With a fault planted: 0 where it is found."""
    whole, every = Told(), chunks(play, A_HOUSE)
    if plant is not None:
        program = (sys.executable, "-P", str(Path(planted_fault.__file__)), plant)
        for first in range(0, every.many, A_HOUSE):
            whole.add(play(every.seed, first, A_HOUSE, program))
            if any(UNMEANT in words for words in whole.wrong):
                tell(whole)
                return 0
        tell(whole)
        return 1
    for told in every.results(cores):
        whole.add(told)
    tell(whole)
    return int(bool(whole.wrong))


def replay(seed: int, only: int) -> int:
    first = only - only % A_HOUSE
    print(f"accident {only} of seed {seed}: the {only - first} before it on its account are played first")
    told = play(seed, first, only + 1 - first)
    tell(told)
    return int(bool(told.wrong))


def tell(told: Told) -> None:
    for kind in KINDS:
        print(f"  {kind:<44} {told.accidents[kind]:>6,}")
    rows = (
        ("accidents in all", told.accidents.total()),
        ("engines, desks that were started", f"{told.engines:,}, {told.desks:,}"),
        ("keys typed among them", told.keys),
        ("of these alone on a ticket that stood armed", told.armed_keys),
        ("confirmations", told.confirmed),
        ("orders at the exchange", told.orders),
        ("deliberate keys, and those that acted", f"{told.deliberate:,}, {told.acted:,}"),
        ("dropped on a machine that stood still", told.stalled),
        ("wrong", len(told.wrong)),
    )
    for name, figure in rows:
        print(f"  {name:<44} {figure if isinstance(figure, str) else format(figure, ','):>6}")
    for words in told.wrong:
        print(f"WRONG {words}")


def play(seed: int, first: int, many: int, program: tuple[str, ...] = PATIENT_PROGRAM) -> Told:
    """Accidents of these numbers on one account; what each is follows from seed and number, its instants from the
    machine too."""
    numbers, told = range(first, first + many), Told()
    folder = tempfile.TemporaryDirectory(prefix="keyturn")
    with folder, Account(Path(folder.name), program) as house:
        table = Table(house, told)
        for number in numbers:
            try:
                _one(table, Random(f"{seed}:{number}"), number)
            except AssertionError as error:
                table.wrong(f"accident {number} broke off: {error}")
                break
        else:
            try:
                table.closes()
            except AssertionError as error:
                table.wrong(f"the account of accidents {numbers} did not close: {error}")
    return told


def _one(table: Table, chance: Random, number: int) -> None:
    table.chance, table.events, table.began = chance, [], time.monotonic()
    table.deaf_from = table.deaf_until = float("inf")
    kind = chance.choice(tuple(KINDS))
    table.note(f"accident {number}, {kind}")
    if chance.random() < DELIBERATE:
        table.presses_deliberately()
        table.judges("a deliberate key")
    table.armed()
    table.seen = table.house.count()
    table.typed.clear()
    KINDS[kind](table)
    looks(table, SETTLES)
    table.told.accidents[kind] += 1
    table.told.armed_keys += len(table.meant())
    table.judges(kind)
