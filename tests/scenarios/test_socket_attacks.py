"""What comes to an engine's socket that is no honest desk: each is said, and neither the engine nor a desk minds."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from msgspec import Raw

from core.facts import CommandRefused, DeskAttached, Fact
from core.messages.commands import Command, Halt, OpenTicket
from core.messages.desk_commands import AttachDesk, DetachDesk, LookAt, LoseDesk
from core.model.desk import DeskNumber, Seat
from core.model.values import AccountId, ProposalId, Symbol
from core.protocol import frames
from core.protocol.codec import encode
from core.protocol.frames import (
    LARGEST,
    PROTOCOL,
    Answered,
    Attend,
    Changed,
    Detach,
    FrameReader,
    FromDesk,
    FromEngine,
    Hello,
    Press,
    Pressed,
    PressKind,
    RefusalCode,
    Refused,
    Role,
    Say,
    Seen,
    Snapshot,
    Watch,
    Welcome,
    from_engine,
    pack,
)
from core.runtime.service import desk_connections
from core.runtime.service.desk_connection import COMMANDS_A_SECOND, DeskConnection, FloodError
from core.runtime.service.desk_connections import BACK, NEW, TOKENS, WITHIN, Arrival
from core.runtime.service.service import LINES, STRANGERS, DeskListener, peer_of
from core.runtime.virtual import VirtualRuntime
from core.views import DeskView
from state.engine_socket import connected, listening
from tests.kit.served import Served, served
from tests.kit.simulated_runtime import runtime
from tests.kit.timeline import Timeline
from tests.kit.waiting import TIMEOUT, until

pytestmark = pytest.mark.usefixtures("timeline")

HELLO = Hello(PROTOCOL, "tests", Role.DESK)
LINE = Hello(PROTOCOL, "tests", Role.PRESS)


class Client:
    """Says whatever it is told to."""

    def __init__(self, there: Served, *frames: FromDesk) -> None:
        self.connection = there.connect()
        self.reader = FrameReader(LARGEST)
        self.heard: list[FromEngine] = []
        self.says(*frames)

    def says(self, *frames: FromDesk) -> None:
        self.connection.sendall(b"".join(pack(frame) for frame in frames))

    def until(self, kind: type[FromEngine]) -> FromEngine:
        """The next of its kind that is heard."""
        while True:
            for at, frame in enumerate(self.heard):
                if isinstance(frame, kind):
                    del self.heard[: at + 1]
                    return frame
            content = self.connection.recv(1 << 16)
            assert content, f"hung up before {kind.__name__}: {self.heard}"
            self.heard += [from_engine(each) for each in self.reader.feed(content)]

    def is_hung_up(self) -> bool:
        with suppress(ConnectionError):
            while self.connection.recv(1 << 16):
                pass
        return True


@pytest.fixture
def engine() -> VirtualRuntime:
    return runtime()


@pytest.fixture
def there(engine: VirtualRuntime) -> Iterator[Served]:
    with served(engine) as found:
        yield found


def is_well(there: Served, engine: VirtualRuntime) -> None:
    """A desk is attached and shown a picture, and a halt is taken."""
    desk = Client(there, HELLO)
    assert isinstance(desk.until(Welcome), Welcome)
    desk.until(Snapshot)
    line = Client(there, LINE, Press(1, PressKind.HALT))
    line.until(Pressed)
    assert engine.latch.presses > 0
    assert there.thread.is_alive()
    assert there.service.desks.thread.is_alive()
    assert there.service.desk_listener.thread.is_alive()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x00\x00\x00\x05rubbi", "no frame of this protocol"),
        (b"GET / HTTP/1.1\r\n\r\n", "a frame of 1195725856 bytes; here one has at most 4096"),
        ((1 << 30).to_bytes(4, "big"), "a frame of 1073741824 bytes"),
        (pack(Press(1, PressKind.KILL)), "the first word is hello"),
        (pack(Say(1, Raw(encode(Halt("key"))), 0)), "the first word is hello"),
    ],
)
def test_a_first_frame_must_be_hello(there: Served, engine: VirtualRuntime, content: bytes, words: str) -> None:
    """SY-01"""
    stranger = Client(there)
    stranger.connection.sendall(content)

    refused = stranger.until(Refused)

    assert isinstance(refused, Refused)
    assert words in refused.words
    assert stranger.is_hung_up()
    assert engine.latch.presses == 0
    is_well(there, engine)


def test_a_desk_of_another_release_is_refused(there: Served, engine: VirtualRuntime) -> None:
    """SY-01: and nothing else is said to it."""
    for role in Role:
        older = Client(there, Hello("0123", "keyturn 0.1", role), Press(1, PressKind.KILL))
        refused = older.until(Refused)
        assert isinstance(refused, Refused)
        assert refused.reason == "other-protocol"
        assert "keyturn 0.1" in refused.words
        assert "`keyturn engine restart`" in refused.words
        assert older.is_hung_up()
    assert engine.latch.presses == 0
    is_well(there, engine)


@pytest.mark.parametrize(
    "said",
    [
        ["hello", "0123", "keyturn 9.9", "robot", {"a": 1}, ["b"], None],
        ["hello", "0123", "keyturn 9.9"],
        ["hello", "0123", 99],
        ["hello", "0123" * 200, "keyturn 9.9" * 90, "desk"],
    ],
    ids=["says more", "says less", "says otherwise", "says at length"],
)
def test_a_malformed_hello_is_refused(there: Served, engine: VirtualRuntime, said: list[object]) -> None:
    """SY-01: a later release may say more in it."""
    content = msgspec.msgpack.encode(said)
    later = Client(there)
    later.connection.sendall(len(content).to_bytes(4, "big") + content)

    refused = later.until(Refused)

    assert isinstance(refused, Refused)
    assert refused.reason == "other-protocol"
    assert "`keyturn engine restart`" in refused.words
    assert later.is_hung_up()
    is_well(there, engine)


def test_silent_connections_make_way(there: Served, engine: VirtualRuntime) -> None:
    """SY-01: opened and held, and opened and closed."""
    with ExitStack() as stack:
        held = [stack.enter_context(there.connect()) for _ in range(4 * STRANGERS)]
        for _ in range(8 * STRANGERS):
            there.connect().close()
        is_well(there, engine)
        assert len(held) == 4 * STRANGERS


def test_a_returning_desk_has_its_place(there: Served, timeline: Timeline) -> None:
    """OP-13, SY-01: among as many connections as there may be; the last of them makes way."""
    operator = Client(there, HELLO)
    known = operator.until(Welcome)
    operator.connection.close()
    until(lambda: there.service.desks.count == 0, "the desk is lost")
    timeline.advance(WITHIN)
    strangers = [Client(there, HELLO) for _ in range(desk_connections.MOST)]
    numbers = [stranger.until(Welcome).desk for stranger in strangers]
    assert there.service.desks.count == desk_connections.MOST

    back = Client(there, msgspec.structs.replace(HELLO, token=known.token)).until(Welcome)

    assert back.desk == known.desk
    last = strangers[numbers.index(max(numbers))]
    assert last.until(Refused).reason == RefusalCode.TOO_MANY
    assert there.service.desks.count <= desk_connections.MOST


def test_returns_of_others_cost_the_holder_nothing(there: Served, timeline: Timeline) -> None:
    """OP-13, SY-01: a desk that reconnects up to its limit uses up no reconnection of another"""
    operator = Client(there, HELLO)
    known = operator.until(Welcome)
    other = Client(there, HELLO).until(Welcome)
    operator.connection.close()
    until(lambda: there.service.desks.count == 0, "both are lost")
    for _ in range(BACK):
        other = Client(there, msgspec.structs.replace(HELLO, token=other.token)).until(Welcome)
    assert Client(there, msgspec.structs.replace(HELLO, token=other.token)).is_hung_up()

    back = Client(there, msgspec.structs.replace(HELLO, token=known.token)).until(Welcome)

    assert back.desk == known.desk


def test_the_last_lost_desks_are_known(there: Served) -> None:
    """OP-13: and the one that has control, however many came after it"""
    known = Client(there, HELLO).until(Welcome)
    books, taken = there.service.books, [DeskNumber(100 + n) for n in range(2 * TOKENS)]
    tokens = [books.token_of(number) for number in taken]

    assert books.arrival_of(known.token) is Arrival.HOLDER
    assert [books.arrival_of(token) for token in tokens].count(Arrival.BACK) == TOKENS - 1
    assert books.arrival_of(tokens[-1]) is Arrival.BACK


def test_a_press_on_a_dropped_line_counts(tmp_path: Path) -> None:
    """OP-07: other lines in any number take none away."""
    path = tmp_path / "engine.sock"
    heard: list[int] = []
    is_held, goes_on = threading.Event(), threading.Event()

    def hears(press: Press) -> None:
        heard.append(press.number)
        is_held.set()
        goes_on.wait(TIMEOUT)

    with listening(path) as listener, ExitStack() as stack:
        desk_listener = DeskListener(listener, peer_of, hears, lambda *_: None, lambda _: None, lambda _: None)
        desk_listener.thread.start()
        another = stack.enter_context(connected(path, TIMEOUT))
        lines: list[socket.socket] = []
        for number in range(LINES):
            lines.append(stack.enter_context(connected(path, TIMEOUT)))
            lines[-1].sendall(pack(LINE) + pack(Press(number, PressKind.HALT)) * (number == LINES - 1))
        assert is_held.wait(TIMEOUT)
        another.sendall(pack(LINE))
        lines[0].sendall(pack(Press(100, PressKind.HALT)))
        goes_on.set()
        until(lambda: 100 in heard)
        desk_listener.close()


@pytest.mark.parametrize(
    "command",
    [AttachDesk(Seat("/dev/pts/9", "eve"), "link"), DetachDesk(), LoseDesk()],
    ids=lambda command: type(command).__name__,
)
def test_frames_of_the_service_are_refused(there: Served, engine: VirtualRuntime, command: Command) -> None:
    """OP-13: a desk speaks for itself alone."""
    desk = Client(there, HELLO)
    desk.until(Welcome)
    desk.says(Say(1, Raw(encode(command)), 0))

    answered = desk.until(Answered)

    assert answered == Answered(1, f"{type(command).__name__} is nothing that a desk says")
    assert there.service.desks.count == 1
    is_well(there, engine)


def test_an_invalid_chart_symbol_is_ignored(there: Served, engine: VirtualRuntime) -> None:
    """SY-01"""
    desk = Client(there, HELLO, *[Watch(symbol) for symbol in ("", "../../etc/passwd", "\x00", "É" * 256, "SPY")])
    desk.until(Welcome)
    desk.until(Snapshot)
    for symbol in ("", "NOSUCH", "\ud7ff"):
        desk.says(Watch(symbol), Say(1, Raw(encode(Halt("key"))), 0))
        desk.until(Answered)
    is_well(there, engine)


@pytest.mark.parametrize("frame", [HELLO, Press(1, PressKind.HALT)], ids=["hello", "press"])
def test_a_misplaced_frame_ends_the_connection(there: Served, engine: VirtualRuntime, frame: FromDesk) -> None:
    """SY-01"""
    desk = Client(there, HELLO)
    desk.until(Welcome)
    desk.says(frame)
    refused = desk.until(Refused)
    assert isinstance(refused, Refused)
    assert "is nothing that a desk says" in refused.words
    assert desk.is_hung_up()
    is_well(there, engine)


def test_frames_after_a_goodbye_are_ignored(there: Served, engine: VirtualRuntime) -> None:
    """OP-13"""
    desk = Client(there, HELLO)
    desk.until(Welcome)
    desk.says(Detach(), Say(1, Raw(encode(Halt("key"))), 0))
    assert desk.is_hung_up()
    assert engine.latch.presses == 0
    is_well(there, engine)


def test_frames_after_hello_wait_for_attachment(there: Served) -> None:
    """OP-13: and is answered then."""
    desk = Client(there, HELLO, Say(7, Raw(encode(DetachDesk())), 0))
    assert isinstance(desk.until(Welcome), Welcome)
    answered = desk.until(Answered)
    assert isinstance(answered, Answered)
    assert answered.number == 7


def test_a_flood_of_hellos_writes_little(there: Served, engine: VirtualRuntime, timeline: Timeline) -> None:
    """OP-13: of ten thousand hellos as many are recorded as there can be desks"""
    told: list[Fact] = []
    engine.engine.state.add_listener(lambda _sequence, _at, fact: told.append(fact))
    for _ in range(150):
        Client(there, HELLO).connection.close()
    timeline.settle()
    assert Counter(type(fact) for fact in told)[DeskAttached] == NEW

    timeline.advance(WITHIN)
    is_well(there, engine)


def test_a_flood_ends_its_desk(there: Served, engine: VirtualRuntime) -> None:
    """SY-01"""
    desk = Client(there, HELLO)
    desk.until(Welcome)
    with suppress(ConnectionError):
        desk.says(*[Attend(False)] * (COMMANDS_A_SECOND + 50))
        refused = desk.until(Refused)
        assert isinstance(refused, Refused)
        assert f"more than {COMMANDS_A_SECOND} frames in a second" in refused.words
    assert desk.is_hung_up()
    is_well(there, engine)


def test_a_desk_without_control_writes_little(there: Served, engine: VirtualRuntime) -> None:
    """OP-13: also where it comes back; its halts are taken all the same"""
    told: list[Fact] = []
    engine.engine.state.add_listener(lambda _sequence, _at, fact: told.append(fact))
    holder = Client(there, HELLO)
    holder.until(Welcome)
    say = Say(1, Raw(encode(OpenTicket(ProposalId("none")))), 0)
    token = ""
    for _ in range(3):
        other = Client(there, msgspec.structs.replace(HELLO, token=token))
        token = other.until(Welcome).token
        with suppress(ConnectionError):
            other.says(*[say] * 100)
            assert other.until(Refused).reason == RefusalCode.TOO_MANY
        assert other.is_hung_up()
    assert Counter(type(fact) for fact in told)[CommandRefused] == desk_connections.MOST_REFUSED
    holder.says(*[say] * 100)
    holder.until(Answered)
    is_well(there, engine)


def test_a_halt_is_set_during_floods(there: Served, engine: VirtualRuntime) -> None:
    """OP-07"""
    is_over = threading.Event()

    def floods(hello: Hello, frame: FromDesk) -> None:
        while not is_over.is_set():
            with suppress(OSError), there.connect() as connection:
                connection.sendall(pack(hello))
                while not is_over.is_set():
                    connection.sendall(pack(frame))

    floods_of = [(LINE, Press(1, PressKind.HALT)), (HELLO, Seen(0))]
    threads = [threading.Thread(target=floods, args=each, daemon=True) for each in floods_of]
    for thread in threads:
        thread.start()
    try:
        line = Client(there, LINE)
        for number in range(20):
            line.says(Press(number, PressKind.HALT))
            assert line.until(Pressed) == Pressed(number)
    finally:
        is_over.set()
        for thread in threads:
            thread.join(TIMEOUT)
    assert engine.latch.presses >= 1
    is_well(there, engine)


def test_a_latch_is_set_while_the_engine_is_busy(there: Served, engine: VirtualRuntime) -> None:
    """OP-07: an act that hangs keeps no press waiting."""
    is_busy, goes_on = threading.Event(), threading.Event()

    def hang() -> None:
        if not goes_on.is_set():
            is_busy.set()
            goes_on.wait(TIMEOUT)

    line = Client(there, LINE)
    engine.on_beat(hang)
    try:
        assert is_busy.wait(TIMEOUT)
        line.says(Press(1, PressKind.HALT))
        assert line.until(Pressed) == Pressed(1)
        assert engine.latch.presses == 1
    finally:
        goes_on.set()
    is_well(there, engine)


def test_an_uncounted_desk_is_dropped(there: Served, engine: VirtualRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    """OP-13: where the engine counts it after all, it counts as lost at once."""
    is_busy, goes_on = threading.Event(), threading.Event()

    def hang() -> None:
        if not goes_on.is_set():
            is_busy.set()
            goes_on.wait(TIMEOUT)

    monkeypatch.setattr(desk_connections, "COUNTED", 0.3)
    engine.on_beat(hang)
    try:
        assert is_busy.wait(TIMEOUT)
        given_up = Client(there, HELLO)
        assert given_up.is_hung_up()
        assert there.service.desks.count == 0
    finally:
        goes_on.set()
    books = engine.engine.state.desks
    until(lambda: books.state.counted == 1 and books.desk(DeskNumber(1)) is None)
    is_well(there, engine)


def test_an_unexpected_error_costs_one_desk(
    there: Served, engine: VirtualRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SY-01"""
    beside, unlucky = Client(there, HELLO), Client(there, HELLO)
    beside.until(Welcome)
    welcome = unlucky.until(Welcome)
    assert isinstance(welcome, Welcome)
    hear = there.service.books.hear

    def fails_for_one(number: DeskNumber, command: Command, seen: int, *, is_late: bool) -> str:
        if number == welcome.desk:
            raise ZeroDivisionError("a slip")
        return hear(number, command, seen, is_late=is_late)

    monkeypatch.setattr(there.service.books, "hear", fails_for_one)
    for desk in (unlucky, beside):
        desk.says(Say(1, Raw(encode(LookAt(Symbol("SPY")))), 0))

    assert unlucky.is_hung_up()
    assert beside.until(Answered) == Answered(1)
    assert f"desk {welcome.desk} was let go of (ZeroDivisionError: a slip)" in "".join(engine.engine.notes)
    is_well(there, engine)


def test_an_accept_error_costs_one_connection(
    there: Served, engine: VirtualRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OP-07: the press that it was is not confirmed, so its desk says it again."""
    press, failures = there.service.books.press, [ZeroDivisionError("a slip")]

    def fails_once(token: str, *, kills: bool) -> None:
        if failures:
            raise failures.pop()
        press(token, kills=kills)

    monkeypatch.setattr(there.service.books, "press", fails_once)
    desk = there.a_desk()
    desk.start()
    try:
        until(lambda: isinstance(desk.view, DeskView))  # its press line is there before its own
        desk.press_kill()
        until(lambda: engine.latch.presses > 0)
    finally:
        desk.close("the test is over", TIMEOUT)
    assert "a connection was let go of (ZeroDivisionError: a slip)" in "".join(engine.engine.notes)
    is_well(there, engine)


def test_an_oversized_picture_costs_one_desk(
    there: Served, engine: VirtualRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SY-01: a desk that shows no chart has a picture all the same."""
    begins = engine.pace.free_until
    assert begins is not None
    until(lambda: engine.at >= begins)  # a chart that is not full yet is hardly larger than none
    engine.pace.attend(attended=True)  # and what trades on meanwhile makes every picture larger
    small = Client(there, HELLO).until(Snapshot)
    large = Client(there, HELLO, Watch("SPY")).until(Snapshot)
    sizes = sorted(len(pack(each)) for each in (small, large) if isinstance(each, Snapshot))
    monkeypatch.setattr(frames, "LARGEST", sum(sizes) // 2)
    beside, looks = Client(there, HELLO), Client(there, HELLO, Watch("SPY"))

    refused = looks.until(Refused)

    assert isinstance(refused, Refused)
    assert "a frame has at most" in refused.words
    assert looks.is_hung_up()
    assert isinstance(beside.until(Snapshot), Snapshot)
    is_well(there, engine)


def test_a_press_is_owed_until_it_arrives() -> None:
    """OP-07: what stood in the line of an engine that was killed is said again to the next one."""
    ends: list[socket.socket] = []
    first = runtime()
    with served(first) as there:
        is_deaf = True

        def connect(_role: Role) -> socket.socket:
            if not is_deaf:
                return there.connect()
            mine, other = socket.socketpair()
            ends.append(other)
            return mine

        desk = there.a_desk()
        desk._connect = connect
        desk.start()
        try:
            until(lambda: len(ends) >= 2)
            desk.press_kill()
            is_deaf = False
            for end in ends:
                end.close()
            until(lambda: first.latch.presses > 0)
            until(lambda: isinstance(desk.view, DeskView))
        finally:
            desk.close("the test is over", TIMEOUT)


def test_a_desk_that_reads_no_answers_is_dropped() -> None:
    """SY-01: what the engine keeps for it stays small, however slowly it asks."""
    mine, other = socket.socketpair()
    mine.setblocking(False)
    desk = DeskConnection(mine, "link", FrameReader(LARGEST), 0.0)
    list(desk.hear(0.0))
    asked, kept = pack(Say(1, Raw(encode(DetachDesk())), 0)), [0]

    def asks_and_takes_nothing() -> None:
        for turn in range(1, 100_000):
            other.sendall(asked)
            for _ in desk.hear(turn * 0.1):
                desk.say(Answered(1, "x" * 60))
            desk.send(turn * 0.1)
            kept.append(len(desk._out))

    with mine, other, pytest.raises(FloodError, match="answers were not taken"):
        asks_and_takes_nothing()
    assert 0 < max(kept) < 200_000


def test_a_command_for_another_account_is_refused(there: Served, engine: VirtualRuntime) -> None:
    """OP-13"""
    desk = Client(there, HELLO)
    desk.until(Welcome)
    refused: list[CommandRefused] = []

    def hears(_sequence: int, _at: datetime, fact: Fact) -> None:
        if isinstance(fact, CommandRefused):
            refused.append(fact)

    engine.engine.state.add_listener(hears)
    desk.says(Say(1, Raw(encode(LookAt(Symbol("SPY"), account=AccountId("another")))), 0))
    assert desk.until(Answered) == Answered(1)
    until(lambda: refused)
    assert "it is for account another" in refused[0].reason
    is_well(there, engine)


def test_a_desk_that_reads_nothing_delays_no_other(there: Served, engine: VirtualRuntime) -> None:
    """SY-01: and once it reads it is shown what is now, without what was between."""
    slow, beside = Client(there, HELLO), there.a_desk()
    slow.until(Snapshot)
    kept = next(iter(there.service.desks._desks.values()))
    kept.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    beside.start()

    def waits_over_pictures(many: int) -> bytes:
        """What waits for the slow desk before and after others were shown so many; nothing where it is not the same."""
        waiting = bytes(kept._out)
        for _ in range(many):
            seen = beside.view
            until(lambda seen=seen: beside.view is not seen)
        return waiting if kept._out == waiting else b""

    try:
        until(lambda: isinstance(beside.view, DeskView))
        engine.pace.speed = 60.0
        until(lambda: slow.says(Seen(0)) or waits_over_pictures(1))
        assert waits_over_pictures(4)  # one picture, and no queue of them behind it
        first = slow.until(Changed)
        second = slow.until(Changed)
    finally:
        beside.close("the test is over", TIMEOUT)
    assert isinstance(first, Changed)
    assert isinstance(second, Changed)
    assert second.since == first.number
