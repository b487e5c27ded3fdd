"""A desk that can be killed at any instant, a line that fails on order, and an exchange that outlives both.

Everything is the real thing but the line and the disk: the engine, the virtual runtime, the simulated exchange. The
journal remembers what a disk would have kept; the `Fuse` says where the process dies.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, lru_cache
from math import prod
from typing import Any

import orjson

from core.brokers.simulated.exchange import ExchangeConfig, SimulatedExchange
from core.brokers.simulated.log import CancelRequest, decoded
from core.brokers.simulated.order_book import BookedOrder
from core.engine import Engine
from core.execution.past_orders import PastInMemory
from core.facts import Fact, OrderCreated
from core.market.calendar import ExchangeCalendar, load_calendar
from core.messages.command_ports import CommandPort, PortKind
from core.messages.commands import Command, Confirm, Kill, Rearm, SignBasket
from core.messages.desk_commands import ServeDesks
from core.messages.effects import CancelOrder, Effect, FetchBooks, ReplaceOrder, SubmitOrder
from core.messages.inputs import BarArrived, BooksFetched, BrokerUpdated, Input, Priority, Start
from core.model.account import Mode
from core.model.bar import ONE_MINUTE, Bar
from core.model.broker import BrokerBooks, NoAnswer, OrderUpdate
from core.model.desk import DeskNumber, PaintProof
from core.model.order import OrderStatus
from core.model.session import Session
from core.model.values import ClientOrderId, Price, Quantity, Symbol
from core.ports import Checkpoint, NoCheckpoint, Recorded
from core.runtime.feed import BAR
from core.runtime.inbox import Link
from core.runtime.virtual import VirtualRuntime
from core.runtime.virtual_time import Request
from core.settings.settings import Settings
from core.trading_state import checkpoint
from core.views import IN_DOUBT, OrderRow
from core.views.builders.desk import ViewBuilder
from core.workflows.operator.kill_switch import REARM
from core.workflows.session_watch import AHEAD
from state.codec import GENESIS, checked_sum, decode
from state.journal import Chain, MemoryJournal
from tests.simulation.auditor import Act, Auditor
from tests.simulation.bareness import Meter
from tests.simulation.contradictions import Contradictions
from tests.simulation.corporate_actions import CorporateActions
from tests.simulation.disruptions import Disruptions
from tests.simulation.lane_watch import LaneWatch, role_of
from tests.simulation.odd_rows import OddRows
from tests.simulation.other_exchange import Manners, OtherExchange
from tests.simulation.plan_audit import PlanKeys
from tests.simulation.reckoning import LEG
from tests.simulation.surprises import Planned, Surprises

SPY = Symbol("SPY")
AAA, BBB, CCC = Symbol("AAA"), Symbol("BBB"), Symbol("CCC")
OTHERS = {
    AAA: lambda price: price + Decimal("0.10"),
    BBB: lambda price: Decimal(200) - price,
    CCC: lambda price: price / 2,
}
"""What a wide market trades beside SPY: one goes with it, one against it, one at half of its price."""
ACCOUNT = "SIM"
DAY = date(2013, 10, 8)
ENDLESS = 60_000
"""Events without the time moving on as far as it should: the desk is turning in circles."""


FEWEST = 8
"""Records of a folder that was used."""


class Crash(BaseException):
    """The process dies here. No `except Exception` may catch it."""


class Fuse:
    """Counts the places at which a process can die, and kills it at the one that was chosen.

    Or something else happens there, in another thread's time: see `instead`.
    """

    def __init__(self) -> None:
        self.passed = 0
        self.left: int | None = None
        self.named = ""
        self.instead: Callable[[], object] | None = None
        self.places: list[str] = []
        self.burnt_at: str | None = None
        self.burnt: Counter[str] = Counter()

    def light(self, places: int, named: str = "", instead: Callable[[], object] | None = None) -> None:
        """Die at the `places`-th place from now whose name holds `named`; or `instead` happens there."""
        self.left, self.named, self.instead = places, named, instead

    def snuff(self) -> None:
        self.left = None

    def burn(self, place: str) -> None:
        self.passed += 1
        if self.left is None:
            self.places.append(place)
            return
        if self.named not in place:
            return
        self.left -= 1
        if self.left <= 0:
            self.left = None
            if self.instead is not None:
                self.instead()
                return
            self.burnt_at = place
            self.burnt[place] += 1
            raise Crash(place)


_decoded_once = lru_cache(maxsize=4096)(decode)


class PastOnDisk(PastInMemory):
    """An index that knows what a crash would leave of it: all that was saved."""

    def __init__(self, rows: Iterable[tuple[int, ClientOrderId, bytes, str]] = ()) -> None:
        super().__init__()
        for row in rows:
            self.keep(*row)
        self.saved = list(self.rows())

    def save(self) -> None:
        self.saved = list(self.rows())


class Disk(MemoryJournal):
    """A journal that knows what a crash would leave of it: all that was synced, and any part of what was not."""

    def __init__(self, fuse: Fuse, lines: Iterable[bytes] = (), past: PastOnDisk | None = None) -> None:
        super().__init__()
        self.fuse = fuse
        self.past: PastOnDisk = past or PastOnDisk()
        self.lines = list(lines)
        self.synced = len(self.lines)
        total, at = GENESIS, datetime.min.replace(tzinfo=UTC)
        for line in self.lines:
            total = checked_sum(line[:-1], total)
        if self.lines:
            at = _decoded_once(self.lines[-1]).at
        self._chain = Chain(len(self.lines), total, at)

    def append(self, at: datetime, fact: Fact) -> int:
        name = type(fact).__name__
        self.fuse.burn(f"before {name} is written")
        sequence = super().append(at, fact)
        self.fuse.burn(f"after {name} is written")
        return sequence

    def records(self, after: int = 0) -> Iterator[Recorded]:
        """Each line is decoded once in its life, however many processes read it."""
        return (_decoded_once(line) for line in self.lines[after:])

    def backwards(self) -> Iterator[Recorded]:
        return (_decoded_once(line) for line in reversed(self.lines))

    def sync(self) -> None:
        if self.synced < len(self.lines):
            self.fuse.burn("before a sync")
        super().sync()
        if self.synced < len(self.lines):
            self.synced = len(self.lines)
            self.fuse.burn("after a sync")


class Drawer:
    """The state documents, kept as the text that a disk would hold."""

    def __init__(self) -> None:
        self.sequence = 0
        self.text = b""
        self.shape = ""

    def load(self) -> Checkpoint | NoCheckpoint:
        if not self.text:
            return NoCheckpoint("none was saved")
        return Checkpoint(self.sequence, orjson.loads(self.text), self.shape)

    def save(self, made: Checkpoint) -> None:
        self.sequence, self.text, self.shape = made.sequence, orjson.dumps(made.documents), made.shape


class Switch:
    """The kill switch's file."""

    def __init__(self) -> None:
        self.by: str | None = None

    def is_on(self) -> str | None:
        return None if self.by is None else "file"

    def latch(self, by: str) -> None:
        self.by = by

    def release(self) -> None:
        self.by = None


# ── the line ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Trouble:
    """What the line does to the next message of a kind.

    Attributes
    ----------
    to
        `request`, `answer` or `update`.
    of
        The effect's name or its role (`an entry`, `a stop`, `an exit`, `a cancel`, `a question`). For an update it is
        `fill`, or empty for any.
    fate
        `lost`, `late`, `twice`, `unreadable` (an answer that says nothing), or `trickling` (one that comes byte by
        byte for so long).
    seconds
        How late.
    """

    to: str
    of: str
    fate: str
    seconds: float = 0.0


@dataclass(frozen=True)
class BadLine(Link):
    """Carries everything once, unless it was told of trouble for it.

    Attributes
    ----------
    waiting
        Trouble to come, each for the next message that it fits.
    met
        Trouble that there was.
    is_mute
        While its one value is true, no update is heard.
    troubled
        Of orders, what the line did to their request or its answer.
    untold
        Orders of which an update was lost or late.
    """

    waiting: list[Trouble] = field(default_factory=list)
    is_mute: list[bool] = field(default_factory=lambda: [False])
    met: Counter[str] = field(default_factory=Counter)
    troubled: dict[str, str] = field(default_factory=dict)
    untold: set[str] = field(default_factory=set)

    def carry(self, effect: Effect) -> Iterator[timedelta]:
        trouble = self._trouble("request", effect)
        if trouble is None:
            yield self.latency
        elif trouble.fate == "late":
            yield self.latency + timedelta(seconds=trouble.seconds)

    def bring(self, effect: Effect, answer: Input) -> Iterator[tuple[timedelta, Input]]:
        trouble = self._trouble("answer", effect)
        delay = timedelta(seconds=trouble.seconds if trouble else 0.0)
        if trouble is None or trouble.fate in ("late", "trickling"):
            yield self.latency + delay, answer
        elif trouble.fate == "twice":
            yield self.latency, answer
            yield self.latency + delay, answer
        elif trouble.fate == "unreadable":
            yield self.latency, _unreadable(answer)

    def tell(self, update: OrderUpdate) -> Iterator[timedelta]:
        if self.is_mute[0]:
            self.met["an update while the stream was gone"] += 1
            self.untold.add(update.report.client_order_id)
            return
        trouble = self._trouble("update", update)
        if trouble is not None:
            self.untold.add(update.report.client_order_id)
        delay = timedelta(seconds=trouble.seconds if trouble else 0.0)
        if trouble is None:
            yield self.latency
        elif trouble.fate == "late":
            yield self.latency + delay
        elif trouble.fate == "twice":
            yield self.latency
            yield self.latency + delay

    def _trouble(self, to: str, effect: Effect | OrderUpdate) -> Trouble | None:
        if not self.waiting:
            return None
        if isinstance(effect, OrderUpdate):
            of = ("", "" if effect.execution is None else "fill")
        else:
            of = (type(effect).__name__, role_of(effect))
        for trouble in self.waiting:
            if trouble.to == to and trouble.of in of:
                self.waiting.remove(trouble)
                self.met[f"{trouble.of or 'an'} {to} {trouble.fate}".strip()] += 1
                if isinstance(effect, SubmitOrder | ReplaceOrder):
                    self.troubled[effect.order.client_order_id] = f"{to} was {trouble.fate}"
                return trouble
        return None


def _unreadable(answer: Input) -> Input:
    values = {name: getattr(answer, name) for name in answer.__slots__}
    return type(answer)(**{**values, "answer": NoAnswer("an HTML page")})


class Wire(VirtualRuntime):
    """The virtual runtime, watched: it knows what is in the air, and can die at each of its steps.

    The feed never ends: bars are handed to it one by one.
    """

    def __init__(self, world: World, start: datetime) -> None:
        super().__init__(
            world.engine, world.exchange, (), start=start, switch=world.switch, link=world.line
        )  # fmt: skip
        self.world = world
        self.watch = LaneWatch(world, world.waited)
        self.in_the_air: list[tuple[datetime, Effect]] = []
        self._commands = Interrupted(self)

    def play(self, bars: Iterable[Bar]) -> None:
        """Bars of one minute."""
        assert self._next is None
        self._feed = iter([(bar.start, BAR, BarArrived(bar, "made up")) for bar in bars])
        self._next = next(self._feed)

    def carry_over(self, arriving: Iterable[BarArrived], requests: Iterable[tuple[datetime, Effect]]) -> None:
        """What the process before left in the air: requests arrive, and nobody waits for their answers."""
        self._arriving.extend(arriving)
        for at, effect in requests:
            self.in_the_air.append((at, effect))
            self._later(at, Priority.KILL, lambda effect=effect: self._reach_unheard(effect))  # type: ignore[misc]

    def _reach_unheard(self, effect: Effect) -> None:
        self._has_landed(effect)
        self.ask(effect)
        self._pass_updates_on()

    def ask(self, effect: Effect) -> Input:
        return self.world.surprises.answer(effect, self.at, super().ask)

    def replay(self, update: OrderUpdate) -> None:
        self._later(self.at, Priority.BROKER, lambda: self.take(self.at, BrokerUpdated(update)))

    def expect(self, thing: Planned) -> None:
        """Something that the broker does on its own later."""

        def happens() -> None:
            thing.happen(self.at)
            self._pass_updates_on()

        self._later(thing.at, Priority.KILL, happens)

    def _pass_updates_on(self) -> None:
        surprises, updates = self.world.surprises, self.exchange.take_updates()
        if updates:
            self.world.meter.hear(updates, self.at)
        for update in updates:
            surprises.told.append(update)
            if not self.world.contradictions.heard(update):
                self.world.line.untold.add(update.report.client_order_id)
                continue
            for heard in self.world.odd_rows.frames(surprises.as_told(update)):
                for delay in self.link.tell(update):
                    self._later(
                        max(update.at + delay, self.at),
                        Priority.BROKER,
                        lambda heard=heard: self.take(self.at, heard),  # type: ignore[misc]
                    )

    def _perform(self, effect: Effect) -> None:
        if not self._is_shut:
            self.watch.asks(effect, self.at)
        super()._perform(effect)

    def _send(self, request: Request) -> None:
        fuse, name = self.world.fuse, type(request.effect).__name__
        fuse.burn(f"before {name} leaves")
        self.world.auditor.leaves(request.effect)
        self.world.disruptions.leaves(request.effect, self.at)
        self.watch.leaves(request)
        if isinstance(request.effect, SubmitOrder | ReplaceOrder):
            self.world.ever_left.add(request.effect.order.client_order_id)
        super()._send(request)
        fuse.burn(f"after {name} left")

    def _carried(self, request: Request) -> tuple[timedelta, ...]:
        delays = super()._carried(request)
        if isinstance(request.effect, SubmitOrder | ReplaceOrder | CancelOrder):
            self.in_the_air += [(self.at + delay, request.effect) for delay in delays]
        return delays

    def _reach(self, request: Request) -> None:
        self._has_landed(request.effect)
        super()._reach(request)

    def _has_landed(self, effect: Effect) -> None:
        self.in_the_air = [(at, flying) for at, flying in self.in_the_air if flying is not effect]

    def take(self, at: datetime, message: Input) -> None:
        name = type(message).__name__
        is_word = name.endswith(("Answered", "Fetched", "Updated"))
        if is_word:
            self.world.fuse.burn(f"before {name} is heard")
        if isinstance(message, BooksFetched) and isinstance(message.answer, BrokerBooks):
            self.world.auditor.differences.hear_books(message.answer, at)
        super().take(at, message)
        if is_word:
            self.world.fuse.burn(f"after {name} was heard")

    def _is_over(self, at: datetime | None) -> bool:
        return at is None


class Interrupted(deque[tuple[int, Command]]):
    """The inbox of commands. A press may be caught between its shutting of the latch and its being queued (OP-07)."""

    def __init__(self, wire: Wire) -> None:
        super().__init__()
        self.wire = wire
        self.between: Callable[[], object] | None = None

    def appendleft(self, waiting: tuple[int, Command]) -> None:
        between, self.between = self.between, None
        if between is not None:
            between()
        super().appendleft(waiting)


# ── the world ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _priced(price: Decimal) -> Decimal:
    return max(price, Decimal(5)).quantize(Decimal("0.01"))


def _root_of(order: BookedOrder) -> str:
    """The order that the broker made it with."""
    while order.parent is not None:
        order = order.parent
    return str(order.request.client_order_id)


def _may_be_there(row: OrderRow) -> bool:
    """As the kill screen asks."""
    return IN_DOUBT in row.marks or (row.status is OrderStatus.PENDING and not row.effect.only_reduces)


@cache
def calendar() -> ExchangeCalendar:
    return load_calendar(DAY - timedelta(days=7), DAY + timedelta(days=60))


@dataclass(slots=True)
class Exchanged:
    """The exchange's log: hands each request to the auditor before it is acted upon."""

    world: World
    records: list[Mapping[str, str | None]] = field(default_factory=list)

    def append(self, record: Mapping[str, str | None]) -> None:
        self.records.append(record)
        self.world.auditor.arrives(record)


A_WORD_ON_ITS_WAY = timedelta(seconds=5)
"""Longer than the broker takes to tell of an order."""


class World:
    """One exchange, and one desk after another on the same journal.

    Attributes
    ----------
    clock
        Everything before it has happened.
    next_crash
        How the next start is to be, after the fuse has burnt: see `restart`.
    a_minute
        Requests that the broker takes in a minute; None if it has no limit.
    again
        At which of its places the next start dies too; 0 where it lives.
    meddled, foreign
        Orders of ours that somebody else took away at the broker, and orders there that are not ours.
    restored
        Of those, orders of this desk's own that an older folder knows nothing of.
    forgotten
        How often an order of each name was refused that an older folder knows nothing of.
    said
        The person's last command.
    planned
        What the broker does on its own later, whether a desk runs or not.
    presses, plan_keys
        What a person did at tickets, and at plans.
    """

    def __init__(
        self,
        settings: Settings,
        config: ExchangeConfig,
        start: datetime,
        manners: Manners | None = None,
        *,
        has_desks: bool = False,
        mode: Mode = Mode.PAPER,
    ) -> None:
        self.settings = settings
        self.mode = mode
        self.has_desks = has_desks
        self.desk: DeskNumber | None = None
        self.hold = self.links = 0
        self.is_away = False
        self.desk_presses: set[tuple[str, int | None, int]] = set()
        self.clock = start
        self.fuse = Fuse()
        self.line = BadLine()
        self.switch = Switch()
        self.drawer = Drawer()
        self.presses: set[tuple[str, str, str, str | None]] = set()
        self.plan_keys = PlanKeys()
        self.restarts = 0
        self.next_crash: dict[str, Any] = {}
        self.again = 0
        self.a_minute: int | None = None
        self.next_leave = 1.0
        self.bars = 0
        self.tell: Callable[[str], None] | None = None
        self.meddled: set[str] = set()
        self.foreign: set[str] = set()
        self.adopted: set[str] = set()
        self.is_restored = False
        self.sent_again: set[str] = set()
        self.forgotten: Counter[str] = Counter()
        self.planned: list[Planned] = []
        self.surprises = Surprises(self)
        self.contradictions = Contradictions(self)
        self.disruptions = Disruptions(self)
        self.odd_rows = OddRows(self)
        self.actions = CorporateActions(self)
        self.log = Exchanged(self)
        self.table, self.calendar = calendar(), deepcopy(calendar())
        self.manners = manners
        self.exchange = (
            SimulatedExchange(config, self.calendar, self.log)
            if manners is None
            else OtherExchange(config, self.calendar, self.log, manners)
        )
        self.waited: Counter[str] = Counter()
        self.drawn: Counter[str] = Counter()
        self.ever_left: set[str] = set()
        self.left_behind: set[str] = set()
        self.meter = Meter(self)
        self.journal = Disk(self.fuse)
        self.auditor = Auditor(self)
        self.price = Decimal(100)
        self.traded: list[Bar] = []
        self.acts: list[Act] = []
        self.said: Command | None = None
        self.port = CommandPort(PortKind.SCRIPT)
        self._boot(with_checkpoint=False)

    # ── the desk's process ───────────────────────────────────────────────────────────────────────────────────────

    def _boot(
        self,
        *,
        with_checkpoint: bool,
        bars: Iterable[BarArrived] = (),
        requests: Iterable[tuple[datetime, Effect]] = (),
    ) -> None:
        self.engine = Engine(ACCOUNT, self.mode, self.table, self.journal)
        self.checkpoints = checkpoint.CheckpointEncoder(self.engine.state)
        self.engine.ports.admit(self.port.known)
        self.limit_requests(self.a_minute)
        notes = checkpoint.rebuild(self.engine.state, self.drawer if with_checkpoint else None, self.checkpoints)
        self.auditor.require(notes == (), f"the checkpoint was not used: {notes}")
        self.engine.state.add_listener(self.auditor.hear)
        self.engine.state.add_listener(self._tell)
        self.wire = Wire(self, self.clock)
        self.wire.carry_over(bars, requests)
        for thing in self.planned:
            self.wire.expect(thing)
        if self.again:
            self.fuse.light(self.again)
            self.again = 0
        today = self.calendar.trading_day(self.clock)
        self.engine.apply(self.clock, self.settings, "replay", self.exchange.sessions(today, today + AHEAD))
        self.wire.take(self.clock, Start())
        self.actions.tell_again(self.wire)
        if self.has_desks:
            self.wire.obey(self.port.through(ServeDesks(), self.engine.state.account_name))
        self.meter.up(self.clock)
        if self.switch.is_on() and self.engine.state.control.killed_by is None:
            self.wire.obey(Kill("file"))

    def limit_requests(self, a_minute: int | None) -> None:
        """From here on the broker has a limit; None is none."""
        self.a_minute, sightings = a_minute, self.engine.state.sightings
        sightings.capabilities = replace(sightings.capabilities, messages_a_minute=a_minute)

    def restart(self, *, kept: int = 0, with_checkpoint: bool = False, down: float = 1.0) -> None:
        """The process is gone, and another takes its journal up `down` seconds later.

        `kept` of the lines that were not synced reached the disk all the same.
        """
        self.restarts += 1
        self.fuse.snuff()
        dead = self.wire
        self.meter.down(max(self.clock, dead.at))
        lines = self.journal.lines[: self.journal.synced + kept]
        lost = [_decoded_once(line).fact for line in self.journal.lines[len(lines) :]]
        self.journal = Disk(self.fuse, lines, PastOnDisk(self.journal.past.saved))
        if self.drawer.sequence > len(lines):
            self.drawer = Drawer()
        self.auditor = Auditor(self, self.auditor)
        self.auditor.is_reading = True
        for recorded in self.journal.records():
            self.auditor.hear(recorded.sequence, recorded.at, recorded.fact)
        self.auditor.is_reading = False
        self._world_goes_on(dead, down)
        bars = [BarArrived(fact.bar, "asked again") for fact in lost if type(fact).__name__ == "BarClosed"]
        heard = {(message.bar.symbol, message.bar.start) for message in bars}
        waiting = [m for m in dead._arriving if (m.bar.symbol, m.bar.start) not in heard]
        try:
            self._boot(
                with_checkpoint=with_checkpoint,
                bars=sorted([*bars, *waiting], key=lambda message: message.bar.start),
                requests=[(at, effect) for at, effect in dead.in_the_air if at > self.clock],
            )
        except Crash:  # while it came up
            self.restart(kept=kept, with_checkpoint=with_checkpoint, down=min(down, 1.0))

    def restore(self, ago: float, down: float = 1.0) -> set[str]:
        """The folder is put back as it was `ago` seconds ago, and another process takes it up; the account is as it is.

        The orders of the account that the folder knows nothing of; they are nobody's from here on.
        """
        since = self.clock - timedelta(seconds=ago)
        lines = [line for line in self.journal.lines[: self.journal.synced] if _decoded_once(line).at <= since]
        is_sending = any(isinstance(effect, SubmitOrder | ReplaceOrder) for _, effect in self.wire.in_the_air)
        if len(lines) < FEWEST or len(lines) == self.journal.synced or is_sending:
            return set()  # nobody copies a folder back while a request is on its way
        self.journal.lines, self.journal.synced = lines, len(lines)
        rows = [row for row in self.journal.past.saved if row[0] <= len(lines)]
        self.journal.past = PastOnDisk(rows)
        self.plan_keys.go_back_to(len(lines))
        known = {one.fact.order.client_order_id for one in self.journal.records() if isinstance(one.fact, OrderCreated)}
        unknown = {
            str(order_id)
            for order_id, order in ((order.request.client_order_id, order) for order in self.exchange._book.every())
            if order_id not in known and not (order_id.startswith(LEG) and _root_of(order) in known)
        }  # a leg of an order that the folder knows is taken in with it
        self.foreign |= unknown
        self.is_restored = True
        self.sent_again |= self.auditor.story.sent_again
        requests = (request for request in map(decoded, self.log.records) if not isinstance(request, CancelRequest))
        asked = Counter(request.order.client_order_id for request in requests)
        for refused in self.auditor.sent.keys() - known - unknown:  # it never was an order: another may have its name
            del self.auditor.sent[refused]
            self.forgotten[refused] = asked[refused]
        for symbol in self.symbols:
            self.meter.give_up(symbol)
        self.restart(down=down)
        return unknown

    def _world_goes_on(self, dead: Wire, down: float) -> None:
        """While no desk runs: requests in the air arrive, the market moves, and nobody hears of it."""
        until = self.clock = max(self.clock, dead.at) + timedelta(seconds=down)
        while dead._next is not None:
            self.exchange.begin_bar(dead._next[2].bar)
            dead._arriving.append(dead._next[2])
            dead._next = next(dead._feed, None)
        dead.at = max(dead.at, self.exchange.last_at or dead.at)
        happening = [(at, effect) for at, effect in dead.in_the_air if at <= until]
        happening += [(thing.at, thing) for thing in self.planned if thing.at <= until]
        for at, one in sorted(happening, key=lambda due: due[0]):
            dead.at = max(dead.at, at)
            if isinstance(one, Planned):
                one.happen(dead.at)
            else:
                dead.ask(one)
        while (step := self.exchange.next_at) is not None and step < until:
            self.exchange.advance(step)
            self._nobody_hears(step)
        self.exchange.advance(until)
        self._nobody_hears(until)

    def _nobody_hears(self, at: datetime) -> None:
        updates = self.exchange.take_updates()
        self.surprises.told += updates
        self.meter.hear(updates, at)

    def plan(self, thing: Planned) -> None:
        """The broker does this on its own, at its time."""
        self.planned.append(thing)
        self.wire.expect(thing)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def run(self, seconds: float) -> None:
        self.run_until(self.clock + timedelta(seconds=seconds))

    def run_until(self, until: datetime) -> None:
        for _ in range(ENDLESS):
            if not self._survives(lambda: self.wire.step(until)):
                break
            self.meter.look(self.wire.at)
            self.wire.watch.look(self.wire.at)
            self.auditor.desks.look(self.wire.at)
            self.auditor.debts.look(self.wire.at)
            self.auditor.clocks.look(self.wire.at)
            self.auditor.differences.look(self.wire.at)
            self.auditor.actions.look(self.wire.at)
            self.auditor.compare_deadlines()
        else:
            self.auditor.wrong.append(f"the desk turns in circles at {self.wire.at}")
        self.clock = max(self.clock, until)
        self.wire.at = max(self.wire.at, self.clock)
        self.meter.look(self.wire.at)

    def do(self, *commands: Command) -> None:
        """A person's commands, one after the other, now."""
        for command in commands:
            self.said = command
            said = self._of_its_desk(command)
            self._survives(lambda said=said: self.wire.obey(said))  # type: ignore[misc]
            self.auditor.desks.look(self.wire.at)

    @property
    def holds_key(self) -> bool:
        """Whether the desk that the person is at may say more than halt; where there are no desks it may."""
        return self.desk is None or self.engine.state.desks.is_holder(self.desk)

    def _of_its_desk(self, command: Command) -> Command:
        """As the service hands it in: of the desk that the person is at, under the hold on its screen."""
        if self.desk is not None and isinstance(command, Confirm | SignBasket):
            command = replace(command, hold=self.hold, proof=PaintProof.ANSWERED)
            named = command.ticket_id if isinstance(command, Confirm) else command.plan_id
            self.desk_presses.add((named, self.desk, self.hold))
        return self.port.through(command, self.engine.state.account_name, self.desk)

    def rearm(self) -> None:
        """REARM, typed in sight of every order that the broker may have without a word of it (OP-07)."""
        if self.engine.state.control.killed_by is None:
            return
        unknown = [row.id for row in ViewBuilder(self.engine).draw(self.wire.at).orders if _may_be_there(row)]
        wire, refused = self.wire, self.auditor.story.counts["RearmRefused"]
        self.do(Rearm(REARM, tuple(unknown)))
        if self.wire is wire and self.auditor.story.counts["RearmRefused"] > refused:
            self.auditor.wrong.append(f"REARM was refused, and every order was named that the screen names: {unknown}")

    def hear(self, message: Input) -> None:
        """Something that no request asked for, now."""
        self._survives(lambda: self.wire.take(self.wire.at, message))

    def _survives(self, act: Callable[[], object]) -> object:
        """What the act returns; where the process died of it, True with the next one up."""
        try:
            done = act()
            if not self.wire.is_running:
                self._leave()
            return done
        except Crash as place:
            if self.tell is not None:
                self.tell(f"       the process dies {place}")
            self.restart(**self.next_crash)
            return True

    def leave(self, down: float) -> None:
        """The operator leaves the desk, now or where the fuse says; it is started anew `down` seconds later."""
        self.next_leave = down
        self.wire.leave()

    def _leave(self) -> None:
        self.wire.finish_what_is_owed()
        self.wire.stop("left")
        story = self.auditor.story  # what an earlier process died with is no order that this one kept
        pending = [o for o in story.orders.values() if o.status is OrderStatus.PENDING and o.sequence > story.started]
        owed = {o.order.client_order_id for o in pending} - self.ever_left
        self.left_behind |= owed
        if self.tell is not None:
            self.tell(f"       the desk is left, {len(owed)} orders never left it")
        self.drawer.save(self.checkpoints.encode())
        self.restart(with_checkpoint=True, down=self.next_leave)

    def bar(
        self, close: str | Decimal, *, gap: str = "0", volume: int = 1000, seconds: float = 60.0, is_wide: bool = True
    ) -> None:
        """The next whole minute trades from the last price, `gap` away from it, to `close`; `seconds` of it pass.

        Only SPY trades where it is not wide.
        """
        start = self._next_minute()
        if start >= self._session(start).close:
            start = self.calendar.next_session(start).open
        self.run_until(start)
        self.bars += 1
        opened, closed = _priced(self.price + Decimal(gap)), _priced(Decimal(close))
        self.price = closed
        traded = self.others if is_wide else ()
        others = [self._bar(o, start, self.price_of(o, opened), self.price_of(o), volume) for o in traded]
        bars = [self._bar(SPY, start, opened, closed, volume), *others]
        self.traded += bars
        self.wire.play(bars)
        self.run_until(start + timedelta(seconds=seconds))

    def _bar(self, symbol: Symbol, start: datetime, opened: Decimal, closed: Decimal, volume: int) -> Bar:
        cent = Decimal("0.01")
        return Bar(
            symbol, start, Price(opened), Price(max(opened, closed) + cent), Price(min(opened, closed) - cent),
            Price(closed), Quantity(Decimal(volume)),
        )  # fmt: skip

    def price_of(self, symbol: Symbol, price: Decimal | None = None) -> Decimal:
        """What a symbol trades at while SPY trades at `price`, its last one where none is given."""
        price = self.price if price is None else price
        of = next((act.symbol for act in self.acts if act.to == symbol), symbol)
        return price if symbol == SPY else _priced(OTHERS[of](price) / self._split_of(of))

    def traded_at(self, symbol: Symbol, since: timedelta) -> list[Decimal]:
        """The prices of its last minutes' bars."""
        bars = [bar for bar in self.traded if bar.symbol == symbol and self.wire.at - bar.start <= since]
        return [Decimal(price) for bar in bars for price in (bar.open, bar.close)]

    def _split_of(self, symbol: Symbol) -> Decimal:
        """Shares of today for one of the beginning."""
        its = (act for act in self.acts if act.symbol == symbol)
        return prod((Decimal(act.new) / act.old for act in its), start=Decimal(1))

    @property
    def others(self) -> tuple[Symbol, ...]:
        now = {act.symbol: act.to for act in self.acts if act.to != act.symbol}
        gone = {act.symbol for act in self.acts if act.cash is not None}
        listed = (symbol for symbol in OTHERS if symbol in self.settings.symbols and symbol not in gone)
        return tuple(now.get(symbol, symbol) for symbol in listed)

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        return (SPY, *self.others)

    def _tell(self, sequence: int, at: datetime, fact: Fact) -> None:
        if self.tell is not None:
            self.tell(f"{sequence:6} {at:%H:%M:%S.%f} {fact}")

    def _next_minute(self) -> datetime:
        whole = self.clock.replace(second=0, microsecond=0)
        if whole == self.clock and not any(m.bar.start == whole for m in self.wire._arriving):
            return whole
        return whole + ONE_MINUTE

    def _session(self, at: datetime) -> Session:
        found = self.calendar.session_at(at)
        return found if isinstance(found, Session) else self.calendar.next_session(at)

    # ── peace ────────────────────────────────────────────────────────────────────────────────────────────────────

    def settle(self) -> None:
        """The line is mended, all that is under way ends, and the books are compared."""
        self.line.waiting.clear()
        self.surprises.end()
        self.fuse.snuff()
        self.run(180)
        self.wire._perform(FetchBooks())
        self.run(10)
        self.wire._perform(FetchBooks())
        self.run(90)
        close = self._session(self.clock - A_WORD_ON_ITS_WAY).close
        if close <= self.clock < close + A_WORD_ON_ITS_WAY:
            self.run(A_WORD_ON_ITS_WAY.seconds)  # what ended with the session was not told yet

    def save_checkpoint(self) -> None:
        self._survives(lambda: self.drawer.save(self.checkpoints.encode()))
