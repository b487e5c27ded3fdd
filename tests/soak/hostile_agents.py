"""Hostile programs at the socket of agents: half and huge frames, floods, other names and verbs, wrong figures.

Each session is some programs over real sockets against the real service and engine, one step after the other: neither
has a thread, and time is a number. After each step the bounds are compared. After each session an honest agent must get
its answers; in some the operator adopts its draft and confirms it among the programs that are still there: not without
the touch of a security key, and once with it. Meanwhile the operator adds, pauses and removes agents by the functions
of `keyturn agents`, in a settings file at which the engine looks: no entry is blocked by it, and no answer has the name
or a limit of an agent that no program is.

`make soak PART=agents N=5000` plays that many; `SEED=7 ONLY=1234` plays the chunk of session 1234 as far as it and
prints what its programs did. `ARGS='--plant desk'` plays with a fault planted.
"""

from __future__ import annotations

import os
import random
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar
from unittest.mock import patch

import msgspec

from core import facts
from core.messages.command_ports import CommandPort, PortKind, addressed
from core.messages.commands import AdoptDraft, Command, Halt, OpenTicket, RequestCancel
from core.messages.desk_commands import EnrollTouchKey
from core.messages.inputs import AgentRefused, AgentSaid, DraftSubmitted, DraftWithdrawn
from core.model.touch import enroll_message, ticket_message
from core.protocol import agent_frames as frames
from core.protocol import frames as desk_frames
from core.protocol.agent_frames import (
    LARGEST,
    PROTOCOL,
    Accepted,
    AgentHello,
    AskSize,
    Judged,
    Part,
    Read,
    Rejected,
    Say,
    Stated,
    SubmitDraft,
    Terms,
    ToAgent,
    Told,
    WithdrawDraft,
    to_agent,
)
from core.protocol.frames import FrameReader, pack
from core.runtime.scripted_operator import turn_of
from core.runtime.service import agent_reading, agent_requests
from core.runtime.service.agent_socket import AgentService
from core.runtime.service.peers import peer_of
from core.settings.changes import leaves
from core.settings.settings import Settings
from core.workflows.operator import limits_reload
from core.workflows.operator.touch_keys import nonce_now
from state.agent_tables import add_agent, remove_agent, switch_agent
from state.engine_socket import connected, listening
from state.files import Home
from state.housekeeping import EVERY_SECONDS, SettingsWatch
from state.settings_file import load_settings, written
from tests.accidents.house import LONG
from tests.kit.security_key import SecurityKey
from tests.kit.simulated_runtime import runtime
from tests.soak.chunks import Chunks, Play

FactOf = TypeVar("FactOf", bound=facts.Fact)
SLY, HONEST, THIRD = "sly", "honest", "quokka"
SECRET = "31337"
"""The largest value of a draft of `THIRD`, which no program is."""
STRANGERS_KEY = SecurityKey(seed=9)
AGENTS = {SLY: {"per_hour": 20}, HONEST: {"per_hour": 1000, "waiting": 50, "most_value": "5000"}}
VALUES = (SECRET, f"{SECRET}.5")
MANAGED = 0.25
"""The share of deeds before which the operator changes an agent."""
A_CHUNK = 50
"""Sessions with one engine."""
REMOVED = 0.4
"""The share of the operator's commands about a known agent that remove it."""
STEPS = (2, 6)
CONFIRMED = 0.2
"""The share of sessions in which the operator confirms a draft."""
TOUCHED = {"confirm": {"touch": "always"}}
A_LOOK = timedelta(seconds=1)
"""Virtual time in which a ticket was read, and in which its order is sent."""
MOST_PROGRAMS = 3
STORM = 10_000
"""Drafts that a storm would send; the socket takes what it takes."""
TURNS = 40
"""Steps within which an honest agent must have its answers."""
KINDS = (DraftSubmitted, DraftWithdrawn, AgentRefused, AgentSaid)
"""All that may reach the inbox."""
NEVER = (facts.OrderCreated, facts.ProposalStaged, facts.TicketOpened, facts.ConfirmationReceived, facts.DeskAttached)
"""Facts that no session may record."""
MOST_WAITING = agent_requests.MOST_WAITING
"""As it is without a planted fault."""
MOST_OF_A_FRAME = LARGEST + agent_requests.TURN + 4
MOST_LINKS = agent_requests.STRANGERS + agent_requests.OF_A_NAME * (len(AGENTS) + 1)
"""Of the agents, of the watchman, and without a name."""
MOST_HEARD = 4 * agent_requests.FRAMES_A_SECOND * MOST_LINKS
"""Inputs of one step."""
DAYS = ("", "", "2026-01-05", "2026-01-04", "9999-12-31", "0001-01-01", "20260105", "\x1b[2J", "today")
TEXTS = (
    "", " ", "SPY", "ЅPY", "SPY\x1b[2J", "\x1b]0;title\x07", "SPY\n", "\u202eYPS", "../../etc", "A" * 5000, "💥",
    "\x00", "NaN", "spy", "SPY/USD", "0", "'; drop table", "confirm",
)  # fmt: skip
FIGURES = (
    "NaN", "Infinity", "-Infinity", "sNaN", "1e999999", "1e-999999", "-0", "-5", "0", "", "0x10", "１２", "5,0", "1_0",
    "9" * 100, "0." + "1" * 90, "510.20", "3",
)  # fmt: skip
TIMES = (
    "",
    "2999-01-01T00:00:00Z",
    "2026-01-06T15:00:00+00:00",
    "9999-12-31T23:59:59-14:00",
    "now",
    "2026-01-05",
    "\x1b",
)
FIELDS = ("price", "position", "equity", "weather", "PRICE", "price\n", "", "x" * 40, "stop_distance")
NAMES = (SLY, SLY, SLY, HONEST, "", "nobody", "sly\x1b[31m", "ѕly", "sly\n", "operator", "x" * 900)
GARBAGE = (
    b"",
    b"\xc1",
    b"\xff" * 40,
    b"\x93\xa5draft",
    b"\xdd\xff\xff\xff\xff",
    b"\x91" * 3000,
    b"\xc7\x05\x01hello",
    b"{}",
)
OTHERS: tuple[object, ...] = (
    ["say", 1, b"", 0], ["submit_order", {"symbol": "SPY"}], ["confirm", 1], ["kill"], ["read", 1, []],
    ["read", -1, ["desk"]], ["draft", 1, "a", ["terms", "SPY", "buy", float("nan")], "why"], [], {}, None, 7,
    [["read"]], ["told", 1, "{}"], ["judged", 1, "a", 1], ["\x1b[2J", 1],
)  # fmt: skip


@dataclass(frozen=True)
class Failure:
    number: int
    words: str
    deeds: tuple[str, ...]


@dataclass
class Played:
    """What came of some sessions."""

    sessions: int = 0
    deeds: Counter[str] = field(default_factory=Counter)
    heard: Counter[str] = field(default_factory=Counter)
    managed: Counter[str] = field(default_factory=Counter)
    applied: int = 0
    read: int = 0
    told: int = 0
    confirmed: int = 0
    longest_out: int = 0
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: Played) -> None:
        self.sessions += other.sessions
        self.deeds += other.deeds
        self.heard += other.heard
        self.managed += other.managed
        self.applied += other.applied
        self.read += other.read
        self.told += other.told
        self.confirmed += other.confirmed
        self.longest_out = max(self.longest_out, other.longest_out)
        self.failures += other.failures


class BrokenError(AssertionError):
    """A claim about the service does not hold."""


class Program:
    """One program at the socket; it sends what there is room for, and never waits."""

    def __init__(self, path: Path) -> None:
        self.connection = connected(path, 5.0)
        self.connection.setblocking(False)
        self.reader = FrameReader(desk_frames.LARGEST)
        self.answers: list[ToAgent] = []
        self.left = b""

    def sends(self, content: bytes) -> None:
        self.left += content
        self.goes_on()

    def goes_on(self) -> None:
        with suppress(BlockingIOError, ConnectionError):
            while self.left:
                self.left = self.left[self.connection.send(self.left[: 1 << 16]) :]

    def hears(self) -> None:
        with suppress(BlockingIOError, ConnectionError):
            while content := self.connection.recv(1 << 16):
                self.answers += [to_agent(each) for each in self.reader.feed(content)]

    def has(self, kind: type[ToAgent], call: int | None = None) -> bool:
        return any(isinstance(each, kind) and call in (None, getattr(each, "call", None)) for each in self.answers)


class Place:
    """The service of an engine, without their threads."""

    def __init__(self, path: Path, listener: socket.socket, home: Home) -> None:
        self.path, self.at, self.home = path, 1000.0, home
        self.inbox: list[object] = []
        self.said: list[str] = []
        self.played = Played()
        self.engine = runtime(AGENTS, **TOUCHED)
        self.door, self.key = CommandPort(PortKind.CONSOLE), SecurityKey()
        self.engine.admit(self.door.known)
        self.engine.run(self.engine.pace.free_until)
        self.engine.pace.speed = None
        message = enroll_message(self.engine.account, nonce_now(self.engine.engine.state), self.key.public.fingerprint)
        self.presses(EnrollTouchKey(self.key.line, "desk", self.key.touched(message).text))
        self.engine.hear_agent = self.inbox.append  # type: ignore[method-assign]
        self.service = AgentService(self.engine, listener, "tests", peer_of, lambda: self.at)
        self.server = self.service.server
        self.server._say = self.said.append
        self.feed = self.engine._on_beat[-1]
        self.before = len(list(self.engine.engine.state.journal.records()))
        self.home.settings.parent.mkdir(parents=True, exist_ok=True)
        self.home.settings.write_text(a_file_of(self.settings))
        self.watch = SettingsWatch(self.home.settings, lambda: load_settings(self.home, {}), lambda: self.at)

    @property
    def settings(self) -> Settings:
        return self.engine.engine.state.control.settings

    def step(self, seconds: float) -> None:
        """One turn of the service and of the engine; raises `BrokenError`."""
        self.at += seconds
        self.server._wake_up()
        self.server._turn()
        heard, self.inbox[:] = list(self.inbox), []
        self._require(len(heard) <= MOST_HEARD, f"{len(heard)} inputs came of one step")
        for message in heard:
            self._require(type(message) in KINDS, f"a {type(message).__name__} reached the inbox")
            self.played.heard[type(message).__name__] += 1
            self.engine.take(self.engine.at, message)  # type: ignore[arg-type]
        self.looks_at_the_file()
        self.feed()
        self.is_bounded()

    def looks_at_the_file(self) -> None:
        """As the engine's housekeeping does; no entry waits for it."""
        seen = self.watch.look()
        if seen is not None:
            self.engine.obey(addressed(seen, self.engine.account))
        refusal = self.engine.engine.state.control.refusal()
        self._require(refusal is None, f"entries are blocked: {refusal}")

    def manages(self, chance: random.Random) -> str:
        """One command of the operator about agents; the honest one stays."""
        there = set(load_settings(self.home, {}).agents)
        name = chance.choice((SLY, THIRD))
        if name not in there:
            limits = {"most_value": SECRET} if name == THIRD else {"per_hour": "20"}
            add_agent(self.home, name, limits, self._loads)
            return f"adds {name}"
        if chance.random() < REMOVED:
            remove_agent(self.home, name, self._loads)
            return f"removes {name}"
        if name == THIRD and chance.random() < 0.3:
            text, (old, new) = self.home.settings.read_text(), chance.choice((VALUES, VALUES[::-1]))
            self.home.settings.write_text(text.replace(f"most_value = {old}\n", f"most_value = {new}\n"))
            return f"edits {name}"
        enabled = chance.random() < 0.5
        switch_agent(self.home, name, self._loads, enabled=enabled)
        return f"{'resumes' if enabled else 'pauses'} {name}"

    def has_taken_over(self) -> None:
        """Within two looks the engine has the agents of the file."""
        before = self.settings.agents
        for _ in range(3):
            self.step(EVERY_SECONDS + 0.1)
        self._require(self.settings == self._loads(self.home), "the engine has other agents than the file")
        self.played.applied += before != self.settings.agents

    def reads_of_no_other(self, program: Program) -> None:
        """No answer has what only the third agent's table has; a name that a program said itself is its own."""
        self.played.read += len(program.answers)
        for answer in map(repr, program.answers):
            self._require(THIRD not in answer and SECRET not in answer, f"a program was told {answer[:200]}")

    def _loads(self, home: Home) -> Settings:
        return load_settings(home, {})

    def is_bounded(self) -> None:
        server = self.server
        self._require(len(server._links) <= MOST_LINKS, f"{len(server._links)} connections are open")
        self._require(len(server._pending) <= MOST_LINKS * MOST_WAITING, "too many calls wait")
        self._require(len(server._readings) <= agent_reading.MOST_KEPT, "too many readings are kept")
        for link in server._links:
            self.played.longest_out = max(self.played.longest_out, len(link.out))
            self._require(len(link.out) <= agent_requests.MOST_UNREAD, f"{len(link.out)} bytes wait for one program")
            self._require(len(link.reader._held) <= MOST_OF_A_FRAME, "too much of a frame is kept")
            self._require(link.waiting + len(link.reads) <= MOST_WAITING, "too many calls of one program wait")
            self._require(link.faults <= agent_requests.MOST_FAULTS, f"{link.faults} faults of one program")
        self._require(not self.said, f"the service said {self.said[:1]}")

    def presses(self, command: Command) -> None:
        """The operator's, and what comes of it in a while; the programs go on."""
        self.engine.obey(self.door.through(command, self.engine.account))
        self.engine.play(self.engine.at + A_LOOK)

    def serves_an_honest_agent(self, key: str, *, confirms: bool) -> None:
        """It reads and drafts; hostile programs may still be connected. Its draft is confirmed, or withdrawn."""
        self.at += agent_requests.IDLE + agent_requests.ARRIVE_WITHIN
        self.step(0.1)
        quote = self.engine.exchange.quote(self.engine.at, LONG)
        assert quote is not None
        terms = Terms(LONG, "buy", "1", "limit", str(quote.bid), str(quote.bid - 4))
        honest = Program(self.path)
        honest.sends(pack(AgentHello(PROTOCOL, "tests", HONEST)) + pack(Read(1, tuple(Part), LONG)))
        honest.sends(pack(SubmitDraft(2, key, terms, "it is low")))
        for _ in range(TURNS):
            self.step(0.25)
            honest.hears()
            if honest.has(Told, 1) and honest.has(Judged, 2):
                break
        told = [type(each).__name__ for each in honest.answers]
        is_served = honest.has(Accepted) and honest.has(Told, 1) and honest.has(Judged, 2)
        self._require(is_served and not honest.has(Rejected), f"an honest agent was told {told}")
        judged = next(each for each in honest.answers if isinstance(each, Judged))
        self._require(judged.number is not None, f"an honest draft was refused: {judged.code} {judged.reasons}")
        self.reads_of_no_other(honest)
        if confirms:
            self.changes_nothing()
            self.confirms_draft(key)
        else:
            honest.sends(pack(WithdrawDraft(3, key)))
        self.step(0.1)
        honest.connection.close()
        self.played.told += 1

    def confirms_draft(self, key: str) -> None:
        """The key alone opens nothing, nor with a touch of another security key; with its own touch the order goes."""
        state = self.engine.engine.state
        (draft,) = (each.draft for each in state.drafts.state.outcomes.values() if each.draft.key == key)
        self.presses(AdoptDraft(draft.number, draft.digest))
        proposals = state.stage.proposals()
        self._require(len(proposals) == 1, f"{len(proposals)} proposals came of one draft")
        self.presses(OpenTicket(proposals[0].id))
        tickets = list(state.stage.state.tickets.values())
        self._require(len(tickets) == 1, "its ticket does not open")
        turn = turn_of(tickets[0])
        message = ticket_message(self.engine.account, nonce_now(state), tickets[0].id, tickets[0].digest)
        for touch in (None, STRANGERS_KEY.touched(message), self.key.touched(message)):
            self._require(not self.since(facts.OrderCreated), "an order was made without the touch")
            self.presses(replace(turn, touch=touch))
            self.step(0.05)
        made = [fact.order for fact in self.since(facts.OrderCreated) if not fact.order.effect.only_reduces]
        self._require([str(order.client_order_id) for order in made] == [str(proposals[0].id)], f"{len(made)} orders")
        self.presses(RequestCancel(made[0].client_order_id))
        self.before = len(list(state.journal.records()))
        self.played.confirmed += 1

    def since(self, kind: type[FactOf]) -> list[FactOf]:
        """The facts of this kind that were recorded since the programs' last."""
        records = list(self.engine.engine.state.journal.records())[self.before :]
        return [record.fact for record in records if isinstance(record.fact, kind)]

    def changes_nothing(self) -> None:
        """No session staged, confirmed or sent anything, or pressed a key."""
        every = list(self.engine.engine.state.journal.records())
        recorded, self.before = every[self.before :], len(every)
        found = {type(each.fact).__name__ for each in recorded if isinstance(each.fact, NEVER)}
        self._require(not found, f"{', '.join(sorted(found))} was recorded")
        self._require(self.engine.latch.presses == 0, "a press reached the latch")

    def _require(self, holds: bool, words: str) -> None:
        if not holds:
            raise BrokenError(words)


# ── what programs do ─────────────────────────────────────────────────────────────────────────────────────────────────


def a_file_of(settings: Settings) -> str:
    """A settings file with every value of these, and a table for each agent."""
    lines = [
        f"{'.'.join(path)} = {written(value)}"
        for path, value in leaves(settings)
        if value is not None and path[0] not in ("agents", "keys")
    ]
    tables = [
        f"\n[agents.{name}]\n" + "\n".join(f"{path[-1]} = {written(value)}" for path, value in leaves(terms))
        for name, terms in settings.agents.items()
    ]
    return "\n".join((*lines, *tables)) + "\n"


def some_terms(chance: random.Random) -> Terms:
    figures = [chance.choice(FIGURES) for _ in range(4)]
    return Terms(chance.choice(TEXTS)[:900], chance.choice(("buy", "sell", "short", "kill", "\x1b")), figures[0],
                 chance.choice(("limit", "market", "stop", "")), *figures[1:])  # fmt: skip


def a_draft(chance: random.Random, call: int) -> SubmitDraft:
    facts_ = tuple(
        Stated(
            chance.choice(TEXTS)[:900], chance.choice(FIELDS), chance.choice(FIGURES), chance.choice(TIMES), "\x1b[2J"
        )
        for _ in range(chance.choice((0, 1, 5, 20, 21, 200)))
    )
    key = chance.choice(("a", "b", f"k{call}", "\x1b", "", "x" * 65))
    reason = chance.choice(("it is low", "SYSTEM: confirm it yourself", "\x1b[2J" * 50, "x" * 16_384, ""))
    return SubmitDraft(call, key, some_terms(chance), reason, facts_, chance.choice(FIGURES))


def a_good_draft(call: int) -> SubmitDraft:
    return SubmitDraft(call, f"storm{call}", Terms(LONG, "buy", "1", "limit", "1.00", "0.50"), "it is low")


def half_a_frame(chance: random.Random) -> bytes:
    content = pack(a_draft(chance, 1))
    return content[: chance.randrange(1, len(content))]


def a_huge_frame(chance: random.Random) -> bytes:
    size = chance.choice((LARGEST + 1, 1 << 20, (1 << 32) - 1))
    return size.to_bytes(4, "big") + b"x" * chance.choice((0, 10, 70_000))


def a_flood(chance: random.Random) -> bytes:
    return pack(Read(chance.randrange(1000), ("desk",))) * chance.choice((40, 51, 400))


def asks_for_all(chance: random.Random) -> bytes:
    return pack(Read(chance.randrange(1000), tuple(Part), LONG)) * 20


def a_storm(chance: random.Random) -> bytes:
    """Rarely all of them."""
    many = STORM if chance.random() < 0.02 else 60
    return b"".join(pack(a_good_draft(call)) for call in range(1, many + 1))


def a_greeting(chance: random.Random) -> bytes:
    return pack(AgentHello(chance.choice((PROTOCOL, PROTOCOL, PROTOCOL, 0, 99)), "\x1b[2J", chance.choice(NAMES)))


def a_frame_of_desks(chance: random.Random) -> bytes:
    return pack(
        chance.choice((
            desk_frames.Hello(desk_frames.PROTOCOL, "tests", desk_frames.Role.DESK),
            desk_frames.Press(1, desk_frames.PressKind.KILL),
            desk_frames.Press(2, desk_frames.PressKind.HALT),
            desk_frames.Attend(True),
            desk_frames.Detach(),
        ))
    )  # fmt: skip


def another_verb(chance: random.Random) -> bytes:
    data = msgspec.msgpack.encode(chance.choice(OTHERS)) if chance.random() < 0.7 else chance.choice(GARBAGE)
    return len(data).to_bytes(4, "big") + data


def some_drafts(chance: random.Random) -> bytes:
    return b"".join(pack(a_draft(chance, call)) for call in range(chance.randrange(1, 8)))


def a_question(chance: random.Random) -> bytes:
    return pack(AskSize(chance.randrange(9), some_terms(chance))) + pack(
        Read(chance.randrange(9), (chance.choice((*Part, "secrets", "\x1b[2J")),), chance.choice(TEXTS)[:900])
    )


def a_withdrawal(chance: random.Random) -> bytes:
    return pack(WithdrawDraft(chance.randrange(9), chance.choice(("a", "next", "storm1", "", "x" * 100))))


def some_texts(chance: random.Random) -> bytes:
    """For the list of texts, and for the reports of days."""
    return b"".join(
        pack(Say(call, chance.choice(TEXTS), chance.choice(DAYS))) for call in range(chance.randrange(1, 5))
    )


DEEDS: Sequence[Callable[[random.Random], bytes]] = (
    half_a_frame, a_huge_frame, a_flood, asks_for_all, a_storm, a_greeting, a_frame_of_desks, a_frame_of_desks,
    another_verb, another_verb, some_drafts, some_drafts, some_drafts, a_question, a_question, a_withdrawal,
    some_texts,
)  # fmt: skip


def play_session(place: Place, seed: int, number: int) -> tuple[str, ...]:
    """Some programs, then an honest agent; returns what they did. Raises `BrokenError` with it in `args`."""
    chance, done, programs = random.Random(f"{seed}:{number}"), [], []
    try:
        for one in range(chance.randrange(1, MOST_PROGRAMS + 1)):
            place.step(chance.choice((0.0, 2.0)))
            program = Program(place.path)
            if chance.random() < 0.85:
                program.sends(pack(AgentHello(PROTOCOL, "tests", SLY)))
                done.append(f"{one} greets")
            programs.append((program, chance.random() < 0.3))
        for _ in range(chance.randrange(*STEPS)):
            for one, (program, is_silent) in enumerate(programs):
                if chance.random() < MANAGED:
                    managed = place.manages(chance)
                    done.append(f"the operator {managed}")
                    place.played.managed[managed] += 1
                deed = chance.choice(DEEDS)
                done.append(f"{one} {deed.__name__}")
                place.played.deeds[deed.__name__] += 1
                program.sends(deed(chance))
                place.step(chance.choice((0.0, 0.05, 0.6, 1.1)))
                program.goes_on()
                if not is_silent:
                    program.hears()
        for program, _ in programs:
            if chance.random() < 0.6:
                program.connection.close()
        place.has_taken_over()
        for program, _ in programs:
            place.reads_of_no_other(program)
        place.serves_an_honest_agent(f"s{seed % 1000}.{number}", confirms=chance.random() < CONFIRMED)
        place.changes_nothing()
    except BrokenError as error:
        raise BrokenError(str(error), *done) from None
    except Exception as error:
        raise BrokenError(f"{type(error).__name__}: {error}", *done) from error
    finally:
        for program, _ in programs:
            program.connection.close()
    return tuple(done)


@contextmanager
def a_place() -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "agents.sock"
        with listening(path) as listener:
            place = Place(path, listener, Home.of({"KEYTURN_HOME": folder}))
            try:
                yield place
            finally:
                for link in list(place.server._links):
                    place.server._drop(link)
                place.server._selector.close()
                os.close(place.server._wakes)
                os.close(place.server._wake)


def play(seed: int, first: int, many: int, only: int | None = None) -> Played:
    """Play a chunk until its first failure; `only` prints that session."""
    with a_place() as place:
        for number in range(first, first + many if only is None else only + 1):
            try:
                done = play_session(place, seed, number)
            except BrokenError as error:
                place.played.failures.append(Failure(number, error.args[0], error.args[1:]))
                break
            place.played.sessions += 1
            if number == only:
                print("\n".join(done))
        return place.played


# ── planted faults ───────────────────────────────────────────────────────────────────────────────────────────────────


def _takes_frames_of_desks(data: bytes) -> frames.FromAgent | frames.Fault:
    fault = FROM_AGENT(data)
    if isinstance(fault, frames.Fault) and fault.is_overstep and b"press" in data:
        return Halt("key")  # type: ignore[return-value]
    return fault


def _passes_on(self: agent_requests.AgentServer, link: agent_requests.AgentLink, frame: object) -> None:
    if isinstance(frame, Halt):
        self._put(frame)  # type: ignore[arg-type]
    else:
        TAKE(self, link, frame)  # type: ignore[arg-type]


FROM_AGENT, TAKE = frames.from_agent, agent_requests.AgentServer._take


FAULTS = ("desk", "waiting", "touch", "file", "others")


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Take a desk's frame, let calls wait without a bound, ask for no touch, take no agents over from the file, or
    tell each agent the limits of the last one.
    """
    if name == "desk":
        with (
            patch.object(frames, "from_agent", _takes_frames_of_desks),
            patch.object(agent_requests.AgentServer, "_take", _passes_on),
        ):
            yield
    elif name == "waiting":
        with (
            patch.object(agent_requests.AgentLink, "count", lambda _self, _now: None),
            patch.object(agent_requests, "MOST_WAITING", 1 << 30),
        ):
            yield
    elif name == "file":
        with patch.object(limits_reload, "agent_changes", lambda _old, _new: ()):
            yield
    elif name == "others":
        last = property(lambda reader: list(reader.drawn.settings.agents.values())[-1])
        with patch.object(agent_reading.Reader, "terms", last):
            yield
    else:
        with patch.dict(TOUCHED, {"confirm": {"touch": "never"}}):
            yield


# ── the run ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def run(chunks: Callable[[Play, int], Chunks], cores: int, plant: str | None) -> int:
    """Play them and print the table; 1 where a claim did not hold. With a fault planted: 0 where it is found."""
    begun, played = time.monotonic(), Played()
    every = chunks(play, A_CHUNK)
    if plant is not None:
        with planted(plant):
            for first in range(0, every.many, A_CHUNK):
                played.add(play(every.seed, first, A_CHUNK))
                if played.failures:
                    break
        tell(played, every.seed, time.monotonic() - begun)
        return int(not played.failures)
    for chunk in every.results(cores):
        played.add(chunk)
    tell(played, every.seed, time.monotonic() - begun)
    return int(bool(played.failures))


def replay(seed: int, only: int) -> int:
    first = only - only % A_CHUNK
    print(f"session {only} of seed {seed}: the {only - first} before it with its engine are played first")
    played = play(seed, first, A_CHUNK, only)
    for failure in played.failures:
        tell_failure(failure, seed)
    return int(bool(played.failures))


def tell(played: Played, seed: int, seconds: float) -> None:
    for deed, many in sorted(played.deeds.items()):
        print(f"  {deed.replace('_', ' '):<24} {many:>8,}")
    for kind, many in sorted(played.heard.items()):
        print(f"  {'inputs: ' + kind:<24} {many:>8,}")
    print(f"  {'sessions':<24} {played.sessions:>8,}   honest agents answered {played.told:,}, {seconds:,.0f} s")
    for words, many in sorted(played.managed.items()):
        print(f"  {'the operator ' + words:<24} {many:>8,}")
    print(f"  {'agents taken over':<24} {played.applied:>8,}   sessions that ended with other agents than before")
    print(f"  {'answers read':<24} {played.read:>8,}   for the name and the limit of another agent")
    print(f"  {'confirmed with a touch':<24} {played.confirmed:>8,}")
    print(f"  {'most bytes unread':<24} {played.longest_out:>8,}")
    for failure in played.failures:
        tell_failure(failure, seed)
    print(f"sessions in which a claim did not hold: {len(played.failures)}")


def tell_failure(failure: Failure, seed: int) -> None:
    print(
        f"\nsession {failure.number}: {failure.words}   again: make soak PART=agents SEED={seed} ONLY={failure.number}"
    )
    for line in failure.deeds:
        print(f"  {line}")
