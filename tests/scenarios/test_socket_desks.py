"""The ordinary way of desks over an engine's socket: what each is shown, what each may say, and how it comes back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from random import Random
from typing import Any, TypeVar, get_args

import pytest

from console.client.remote import RemoteEngine
from core import facts
from core.messages.command_ports import LATE, STOOD_STILL, addressed
from core.messages.commands import Command, Confirm, ExplainKill, Halt, Kill, OpenTicket, RequestCancel, Resume
from core.messages.desk_commands import EnrollTouchKey, KeyPressed, LookAt, RemoveTouchKey, StopEngine, TakeKey
from core.model.codes import Denial, TicketEnd
from core.model.desk import DeskNumber, PaintProof
from core.model.order import Effect
from core.model.reference_data import AssetList, AssetsFound, ListedAsset
from core.model.values import ClientOrderId, Price, Symbol
from core.ports import OperatorError
from core.protocol.codec import BY_KIND
from core.protocol.frames import PROTOCOL, Ended, Hello, Role, Snapshot
from core.runtime.service.desk_connections import NOT_FOR_DESKS
from core.runtime.service.service import A_BREATH, Peer, peer_of
from core.runtime.virtual import VirtualRuntime
from core.views import DeskView
from core.views.tickets import TicketView
from tests.accidents.house import LONG
from tests.kit.served import Served, served
from tests.kit.simulated_runtime import order_in, runtime
from tests.kit.timeline import timeline
from tests.kit.waiting import TIMEOUT, until
from tests.scenarios.test_socket_attacks import HELLO, Client
from tests.unit.core.protocol.anything import a_value_of

pytestmark = pytest.mark.usefixtures("timeline")

F = TypeVar("F")
EVERYBODYS = Halt | Kill | ExplainKill | LookAt | TakeKey | KeyPressed | RequestCancel | EnrollTouchKey | RemoveTouchKey
"""What a watcher may say; what it cancels is an entry, and a key of a person proves itself."""
KINDS = [kind for kind in get_args(Command) if kind not in get_args(NOT_FOR_DESKS)]


class Told:
    """What an engine recorded."""

    def __init__(self, engine: VirtualRuntime) -> None:
        self._facts: list[facts.Fact] = []
        engine.engine.state.add_listener(self._hear)

    def _hear(self, _sequence: int, _at: datetime, fact: facts.Fact) -> None:
        self._facts.append(fact)

    def of(self, kind: type[F]) -> list[F]:
        return [fact for fact in list(self._facts) if isinstance(fact, kind)]


@pytest.fixture
def engine() -> VirtualRuntime:
    return runtime()


@pytest.fixture
def told(engine: VirtualRuntime) -> Told:
    return Told(engine)


@pytest.fixture
def there(engine: VirtualRuntime, told: Told) -> Iterator[Served]:
    begins = engine.pace.free_until
    assert begins is not None
    with served(engine) as found:
        until(lambda: engine.at >= begins)  # until there its time has no pace, and a minute is nothing
        yield found


@contextmanager
def attached(there: Served, desk: RemoteEngine | None = None) -> Iterator[RemoteEngine]:
    desk = desk or there.a_desk()
    desk.start()
    try:
        until(lambda: isinstance(desk.view, DeskView))
        yield desk
    finally:
        desk.close("the test is over", TIMEOUT)


def view_of(desk: RemoteEngine) -> DeskView:
    assert isinstance(desk.view, DeskView)
    return desk.view


def holds(desk: RemoteEngine) -> bool:
    return view_of(desk).status.key.is_held_by(desk.desk)


def takes_the_key(desk: RemoteEngine) -> None:
    desk.send(TakeKey("TAKE", view_of(desk).status.key.hold))
    until(lambda: holds(desk))


def with_a_ticket(engine: VirtualRuntime, desk: RemoteEngine) -> TicketView:
    """Of a typed entry, open on that desk."""
    quote = engine.exchange.quote(engine.at, LONG)
    desk.send(order_in(LONG, Effect.OPEN, Price(quote.ask)))  # type: ignore[union-attr]
    until(lambda: view_of(desk).proposals)
    desk.send(OpenTicket(view_of(desk).proposals[0].id))
    until(lambda: view_of(desk).tickets)
    return view_of(desk).tickets[0]


def without_a_terminal(connection: socket.socket) -> Peer:
    return replace(peer_of(connection), terminal="", address="")


def key_on(seen: TicketView, hold: int) -> Confirm:
    order = seen.ticket.order
    return Confirm(
        seen.ticket.id, seen.ticket.digest, order.effect, order.replaces, hold=hold, proof=PaintProof.ANSWERED
    )


def test_the_first_desk_has_control(there: Served, told: Told) -> None:
    """SY-01, OP-13"""
    with attached(there) as first:
        until(lambda: holds(first))
        with attached(there) as second:
            until(lambda: len(view_of(first).status.key.desks) == 2)
            assert (first.desk, second.desk) == (1, 2)
            assert not holds(second)
            assert view_of(first).status.key.hold == view_of(second).status.key.hold == 1
        assert [fact.desk for fact in told.of(facts.KeyTaken)] == [1]


def test_both_desks_are_shown_a_proposal(there: Served, engine: VirtualRuntime, told: Told) -> None:
    """SY-01: an entry is typed, its ticket opened and its key turned, all of it over the socket."""
    with attached(there) as first, attached(there) as second:
        seen = with_a_ticket(engine, first)
        until(lambda: view_of(second).tickets)
        assert view_of(second).tickets[0].ticket == seen.ticket
        first.send(key_on(seen, 1))
        until(lambda: told.of(facts.ConfirmationReceived))
        confirmed = told.of(facts.ConfirmationReceived)[0]
        assert confirmed.terminal == "/dev/pts/7"
        assert confirmed.turn is not None
        assert (confirmed.turn.desk, confirmed.turn.hold) == (1, 1)


def test_a_hand_over_voids_the_ticket(there: Served, engine: VirtualRuntime, told: Told) -> None:
    """OP-13, OP-04: the ticket that stood armed is closed, and the key on it is refused and recorded."""
    with attached(there) as first, attached(there) as second:
        seen = with_a_ticket(engine, first)
        takes_the_key(second)
        first.send(key_on(seen, 1))
        until(lambda: told.of(facts.CommandRefused))

    refused = told.of(facts.CommandRefused)[-1]
    assert (refused.command, refused.code, refused.desk) == ("Confirm", Denial.NOT_HOLDER, 1)
    assert [fact.code for fact in told.of(facts.TicketClosed)] == [TicketEnd.HANDED_OVER]
    assert told.of(facts.ConfirmationReceived) == told.of(facts.OrderCreated) == []
    assert [(fact.desk, fact.before, fact.was_active) for fact in told.of(facts.KeyTaken)][1:] == [(2, 1, True)]


def test_a_key_from_a_standstill_confirms_nothing(
    there: Served, engine: VirtualRuntime, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OP-04, OP-02: whoever pressed it may have put its ticket aside since."""
    monkeypatch.setattr(
        "core.runtime.service.desk_connections.CATCHES_UP", TIMEOUT
    )  # on a busy machine it is sent late
    desks, stood_still = there.service.desks, 0.0
    desks._now = lambda: timeline().monotonic() + stood_still
    with attached(there) as desk:
        ticket = with_a_ticket(engine, desk)
        stood_still += 5.0
        desk.send(key_on(ticket, 1))
        until(lambda: told.of(facts.ConfirmationRefused))
        assert told.of(facts.ConfirmationRefused)[0].reasons == (LATE,)
        until(lambda: view_of(desk).tickets[0].refused_because == (LATE,))
    assert told.of(facts.ConfirmationReceived) == []


def test_a_key_late_in_the_inbox_confirms_nothing(there: Served, engine: VirtualRuntime, told: Told) -> None:
    """OP-04: its thread stood still, and the desks' own did not."""
    with attached(there) as desk:
        ticket = with_a_ticket(engine, desk)
        late = there.service.books.port.through(addressed(key_on(ticket, 1), engine.account), desk=DeskNumber(1))
        engine._commands.append((0, timeline().monotonic() - 2 * STOOD_STILL, late))
        engine.wake()
        until(lambda: told.of(facts.ConfirmationRefused))
    assert told.of(facts.ConfirmationReceived) == []


def test_a_watcher_may_only_stop_and_look(there: Served, told: Told) -> None:
    """OP-13: every kind of command is tried; a press goes over its own line."""
    chance = Random(13)
    refused = {kind for kind in KINDS if not issubclass(kind, EVERYBODYS)}
    with attached(there) as _holder, attached(there) as watcher:
        for kind in sorted(refused, key=lambda kind: kind.__name__):
            watcher.send(replace(a_value_of(BY_KIND[kind], chance), account=None, desk=None))
        until(lambda: len(told.of(facts.CommandRefused)) == len(refused))
        assert {fact.command for fact in told.of(facts.CommandRefused)} == {kind.__name__ for kind in refused}
        assert {fact.code for fact in told.of(facts.CommandRefused)} == {Denial.NOT_HOLDER}
        watcher.send(LookAt(LONG))
        watcher.send(RequestCancel(ClientOrderId("none of ours")))
        watcher.send(Halt("key"))
        watcher.send(Kill("key"))
        until(lambda: told.of(facts.Killed))
        assert Denial.NOT_HOLDER not in {fact.code for fact in told.of(facts.CommandRefused)[len(refused) :]}
        takes_the_key(watcher)


def test_a_desk_without_a_terminal_has_no_control(engine: VirtualRuntime, told: Told) -> None:
    """OP-13: whatever it says of itself in its hello."""
    with served(engine) as there:
        there.service.desk_listener._peer_of = without_a_terminal
        robot = Client(there, Hello(PROTOCOL, "tests", Role.DESK, "/dev/pts/7", "eve"))
        robot.until(Snapshot)
        with attached(there) as desk:
            assert view_of(desk).status.key.holder is None
            desk.send(TakeKey("TAKE", 0))
            until(lambda: told.of(facts.CommandRefused))
    assert [fact.code for fact in told.of(facts.CommandRefused)] == [Denial.NO_TERMINAL]
    assert [fact.seat.terminal for fact in told.of(facts.DeskAttached)] == ["", ""]
    assert told.of(facts.KeyTaken) == []


class Cut(RemoteEngine):
    """Its link can be cut, and kept cut."""

    def cuts(self) -> None:
        self.is_cut = True
        for connection in self.connections.values():
            with suppress(OSError):  # it is gone already
                connection.shutdown(socket.SHUT_RDWR)

    @classmethod
    def of(cls, there: Served) -> Cut:
        desk = there.a_desk(cls)
        assert isinstance(desk, Cut)
        desk.is_cut, desk.connections = False, {}

        def connect(role: Role) -> socket.socket:
            if desk.is_cut:
                raise OperatorError("the cable is out")
            desk.connections[role] = there.connect()
            return desk.connections[role]

        desk._connect = connect
        return desk

    is_cut: bool
    connections: dict[Role, socket.socket]


def test_a_cut_desk_returns_with_its_number(there: Served, told: Told) -> None:
    """OP-13, SY-05: within the minute that the key is kept for it."""
    desk = Cut.of(there)
    with attached(there, desk):
        until(lambda: holds(desk))
        desk.cuts()
        until(lambda: told.of(facts.DeskLost))
        until(lambda: desk.link.trouble is not None)
        desk.is_cut = False
        until(lambda: desk.link.trouble is None and holds(desk))
        assert desk.desk == 1
    assert [(fact.desk, fact.is_back) for fact in told.of(facts.DeskAttached)] == [(1, False), (1, True)]
    assert told.of(facts.KeyFreed) == []


def test_a_desk_back_after_a_minute_has_no_control(there: Served, told: Told, engine: VirtualRuntime) -> None:
    """OP-13: the engine's time runs fast meanwhile."""
    first = Cut.of(there)
    with attached(there, first), attached(there) as second:
        first.cuts()
        until(lambda: told.of(facts.DeskLost))
        engine.pace.speed = 600.0
        until(lambda: told.of(facts.KeyFreed))
        engine.pace.speed = 1.0
        until(lambda: view_of(second).status.key.holder is None)
        takes_the_key(second)
        first.is_cut = False
        until(lambda: first.link.trouble is None and view_of(first).status.key.hold == 2)
        assert first.desk == 1
        assert not holds(first)


def test_a_desk_gets_its_number_at_another_engine(there: Served) -> None:
    """OP-13: by the picture of before it would hold no key, and say that somebody else took it."""
    with attached(there) as desk:
        assert holds(desk)
        last = view_of(desk)

    desk.welcome(DeskNumber(7), last.account, {})
    assert holds(desk)

    desk.show(last)
    assert desk.desk == DeskNumber(7)
    assert not holds(desk)


def test_commands_lost_with_the_link_are_named(there: Served) -> None:
    """SY-05: and what is asked for while it is broken."""
    desk = Cut.of(there)
    with attached(there, desk):
        there.service.books.hear = lambda *_, **_late: breaks(desk)  # type: ignore[method-assign]
        desk.send(LookAt(LONG))
        until(lambda: desk.unsaid)
        assert "the link broke: what was asked last may not have arrived" in desk.unsaid.popleft()
        until(lambda: desk.link.trouble is not None)
        desk.send(LookAt(LONG))
        assert desk.unsaid.popleft().startswith("not asked: ")


def breaks(desk: Cut) -> str:
    desk.cuts()
    raise ConnectionResetError("cut before it was answered")


def test_a_press_arrives_when_the_engine_is_back(there: Served, engine: VirtualRuntime) -> None:
    """OP-07"""
    desk = Cut.of(there)
    with attached(there, desk):
        desk.cuts()
        until(lambda: desk.link.trouble is not None and engine.engine.state.desks.desk(DeskNumber(1)) is None)
        desk.press_kill()
        assert engine.latch.presses == 0
        desk.is_cut = False
        until(lambda: engine.latch.presses == 1)


def test_a_watchers_naked_kill_keeps_the_stops(there: Served, told: Told) -> None:
    """OP-13, OP-07: a press is everybody's; that the stops go too is the holder's alone"""
    with attached(there), attached(there) as watcher:
        until(lambda: view_of(watcher).status.key.holder is not None)
        watcher.press_kill_again(naked=True)
        until(lambda: told.of(facts.CommandRefused))
        until(lambda: told.of(facts.Killed))

        assert not any(fact.naked for fact in told.of(facts.Killed))
        assert [fact.code for fact in told.of(facts.CommandRefused)] == [Denial.NOT_HOLDER]


def test_the_holders_naked_kill_cancels_stops(there: Served, told: Told) -> None:
    """OP-07"""
    with attached(there) as desk:
        until(lambda: holds(desk))
        desk.press_kill_again(naked=True)

        until(lambda: any(fact.naked for fact in told.of(facts.Killed)))


def test_an_unheard_naked_is_not_asked_later(there: Served, told: Told) -> None:
    """OP-13, OP-07: the kill goes as soon as the link is back, and no more than that"""
    with attached(there) as desk:
        until(lambda: holds(desk))
        desk.lose("cut")
        desk.press_kill_again(naked=True)

        until(lambda: told.of(facts.Killed))
        assert "not asked" in desk.unsaid[-1]
        until(lambda: desk.link.trouble is None)
        timeline().advance(0.3)
        assert not any(fact.naked for fact in told.of(facts.Killed))


def test_a_press_is_recorded_with_its_desk(there: Served, told: Told) -> None:
    """OP-13"""
    with attached(there) as holder, attached(there) as watcher:
        until(lambda: holds(holder) and watcher.desk is not None)
        watcher.press_kill()
        until(lambda: told.of(facts.CommandGiven))

        assert [(fact.desk, fact.command) for fact in told.of(facts.CommandGiven)] == [(watcher.desk, "Halt")]


def test_an_earlier_resume_never_ends_a_halt(there: Served, engine: VirtualRuntime, told: Told) -> None:
    """OP-07: they go two ways, and the chord's is the quicker one."""
    with attached(there) as desk:
        until(lambda: holds(desk))
        desk.press_kill()
        until(lambda: view_of(desk).status.halts)
        hear, is_held, goes_on = there.service.books.hear, threading.Event(), threading.Event()

        def hears(number: DeskNumber, command: Command, seen: int, **how: Any) -> str:
            if isinstance(command, Resume):
                is_held.set()
                goes_on.wait(TIMEOUT)
            return hear(number, command, seen, **how)

        there.service.books.hear = hears  # type: ignore[method-assign]
        desk.send(Resume())
        assert is_held.wait(TIMEOUT)
        timeline().advance(2 * A_BREATH)  # the same press within one is not another
        desk.press_kill()
        until(lambda: engine.latch.presses == 2)
        goes_on.set()
        until(lambda: told.of(facts.CommandRefused))
        assert [fact.code for fact in told.of(facts.CommandRefused)] == [Denial.OUTRUN]
        assert told.of(facts.Resumed) == []
        there.service.books.hear = hear  # type: ignore[method-assign]

        until(lambda: desk.presses == 2)
        desk.send(Resume())
        until(lambda: told.of(facts.Resumed))


def test_every_desk_gets_the_last_words(there: Served, engine: VirtualRuntime) -> None:
    """EX-22: and the desks wait for another engine."""
    raw = Client(there, HELLO)
    raw.until(Snapshot)
    with attached(there) as desk:
        engine.leave()
        assert isinstance(raw.until(Ended), Ended)
        until(lambda: desk.link.trouble is not None)
        assert desk.last_words == engine.last_words
        assert not desk.ended.is_set()


def test_only_the_holder_stops_the_engine(there: Served, engine: VirtualRuntime, told: Told) -> None:
    """OP-13, SY-01"""
    with attached(there) as holder, attached(there) as watcher:
        watcher.send(StopEngine())
        until(lambda: told.of(facts.CommandRefused))
        assert (told.of(facts.CommandRefused)[0].command, told.of(facts.CommandRefused)[0].desk) == ("StopEngine", 2)
        assert there.thread.is_alive()
        holder.send(StopEngine())
        there.thread.join(TIMEOUT)
        assert not there.thread.is_alive()


def test_a_search_is_answered_to_its_desk(there: Served, engine: VirtualRuntime) -> None:
    """MD-06: no command, no fact"""
    with attached(there) as asks, attached(there) as other:
        recorded = engine.engine.state.journal.sequence
        asks.search("APPLE")
        until(lambda: asks.found is not None)
        assert asks.found == AssetsFound("APPLE", is_listed=False)

        apple = ListedAsset(Symbol("AAPL"), "Apple Inc.", "NASDAQ", is_shortable=True, is_fractionable=False)
        engine.assets.keep(AssetList([apple]))
        asks.search("app")

        until(lambda: asks.found is not None and asks.found.asked == "app")
        assert asks.found == AssetsFound("app", is_listed=True, matches=(apple,))
        assert other.found is None
        assert engine.engine.state.journal.sequence == recorded
