"""What every runtime is: one inbox for one engine, the gateway before the wire, and pictures for a desk that looks.

The two runtimes differ in who orders the inputs and carries the requests; both leave alike (`shutdown.py`).
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Protocol, TypeGuard

from core.engine import Engine
from core.execution.gateway import Gateway
from core.facts import CancelDropped, CancelRequested, Fact, OrderStateChanged
from core.messages.command_ports import KnownPort
from core.messages.commands import Command, Halt, Kill, Rearm, Resume
from core.messages.effects import (
    Effect,
    EndEngine,
    LatchKill,
    ReleaseKill,
    ReplaceOrder,
    SendNotification,
    SubmitOrder,
    WithdrawOrder,
    WriteWatchlist,
)
from core.messages.inputs import Input, Leaving, NotificationAnswered, Stop, WatchlistWritten
from core.messages.lateness import STOOD_STILL, as_late
from core.model.authority import only_for_people
from core.model.desk import DeskNumber
from core.model.listed_asset import AssetsFound
from core.model.notice import Delivery, DeliveryCode
from core.model.order import OrderStatus
from core.model.order_text import order_in_words
from core.model.values import AccountId, ClientOrderId, Symbol, TicketId
from core.ports import KillSwitch
from core.runtime.call_record import CallListener, CallMade
from core.runtime.chart_history import ChartBook
from core.runtime.link import HaltLatch
from core.runtime.listed_assets import AssetBook
from core.runtime.pace import BEAT, RESTING_BEAT
from core.views import ChartView, DeskView
from core.views.builders.desk import ViewBuilder
from core.workflows.staging.confirmation import Confirmations


def answer_kept_here(effect: SendNotification) -> NotificationAnswered:
    """In virtual time nobody is told."""
    kept = Delivery(DeliveryCode.KEPT_HERE)
    return NotificationAnswered(effect.channel, effect.is_urgent, effect.numbers, effect.tries, kept)


NOT_CANCELLED = "its cancel is not answered; the next start asks again"
KILLED_LATE = "the kill came as the desk left, and the next start cancels it"


class Keeping(Protocol):
    """Who keeps an engine's files while it runs."""

    def look(self, runtime: Runtime) -> None:
        """At every beat: the kill switch's file, the settings file, the checkpoint."""
        ...

    def close(self, runtime: Runtime) -> None:
        """At a clean stop."""
        ...

    @property
    def has_lists(self) -> bool:
        """Whether watchlists have files here."""
        ...

    def keep_list(self, name: str, symbols: Sequence[Symbol]) -> str:
        """Write a watchlist's file, or remove it where there are no symbols; why not, in words, empty where it is."""
        ...


class Carrier(Protocol):
    """Who carries messages to people (SY-03)."""

    def send(self, effect: SendNotification, put: Callable[[NotificationAnswered], None]) -> None:
        """Never waits and does not raise; `put` is called once, from any thread."""
        ...

    def close(self) -> None: ...


class Runtime(ABC):
    """One engine and its inbox.

    Attributes
    ----------
    at
        The time of the last input.
    last_words
        What is to be said on the way out: what the desk owed and could not send (EX-22).
    ended_by
        Why the engine was told to end by a command; empty where it was not.
    keeper
        Whoever keeps the engine's files, at every beat and at the end; None where nobody does.
    assets
        What symbols are searched in.
    charts
        What charts have of the time before the engine heard anything.
    wall
        The wall's clock, in seconds: how long a command lay in the inbox.

    Without a `notifier` no message leaves the machine.
    """

    def __init__(
        self,
        engine: Engine,
        switch: KillSwitch,
        start: datetime,
        keeper: Keeping | None = None,
        assets: AssetBook | None = None,
        charts: ChartBook | None = None,
        notifier: Carrier | None = None,
    ) -> None:
        self.engine = engine
        self.doors = engine.doors
        self.at = start
        self.latch = HaltLatch(switch)
        self.latch.note(engine.state.control.refusal())
        self.gateway = Gateway(engine.state.account_name, self.latch, engine.state.calendar.venue)
        self._allowed_by, self._disk = frozenset(engine.state.control.folds), engine.state.sightings.disk
        engine.state.add_listener(self._tell_the_lanes)
        self.is_running = True
        self.wall: Callable[[], float] = time.monotonic
        self.last_words: tuple[str, ...] = ()
        self.ended_by = ""
        self.keeper = keeper
        self._on_beat: list[Callable[[], None]] = []
        self._nobody_looks: Callable[[], bool] = lambda: False
        self._call_listeners: tuple[CallListener, ...] = ()
        self._commands: deque[tuple[int, float, Command]] = deque()
        self._has_ended = False
        self._pictures: ViewBuilder | None = None
        self._drawn: tuple[int, Symbol | None] = (0, None)
        self._watched: Symbol | None = None
        self._is_quoted = False
        self._has_news = False
        self.assets = AssetBook() if assets is None else assets
        self.charts = ChartBook() if charts is None else charts
        self._notifier = notifier

    # ── what each runtime does its own way ───────────────────────────────────────────────────────────────────────

    @abstractmethod
    def run(self) -> None:
        """Take inputs in until told to leave."""

    @abstractmethod
    def clock(self) -> datetime:
        """The time now, between two events too."""

    @property
    @abstractmethod
    def rate(self) -> float:
        """Seconds of its time that pass in one of the wall."""

    @abstractmethod
    def wake(self) -> None:
        """There is something to look at. Any thread; never waits."""

    @abstractmethod
    def hurry(self) -> None:
        """The next beat is due at once: something happened that a person may be waiting for."""

    @abstractmethod
    def depths(self) -> Mapping[str, int]:
        """What waits, by its queue: `inbox`, and each kind of lane. In this runtime's thread."""
        ...

    @abstractmethod
    def _perform(self, effect: Effect) -> None:
        """See that what the engine asks for is done, and that its outcome comes back."""

    def admit(self, door: KnownPort) -> None:
        """Whose commands may open and loosen; said while the desk is put together, never later."""
        self.doors.admit(door)

    def add_call_listener(self, listener: CallListener) -> None:
        """From here on it hears of each request that has come to something, in the thread that carried it. It only
        shows or counts, never waits, and does not raise.
        """
        self._call_listeners = (*self._call_listeners, listener)

    def _tell_call(self, call: CallMade) -> None:
        for listener in self._call_listeners:
            with suppress(Exception):  # an answer is never lost because somebody could not count it
                listener(call)

    @property
    def account(self) -> AccountId:
        """Whose commands are taken here."""
        return self.doors.account

    def desk_of(self, link: str) -> DeskNumber | None:
        """The number of the desk at the end of a connection; None until it is attached. Any thread; never waits."""
        return self.engine.state.sightings.links.get(link)

    @property
    def key_holder(self) -> DeskNumber | None:
        """The desk that has control, also while its link is lost. Any thread; never waits."""
        holder = self.engine.state.desks.holder
        return None if holder is None else holder.number

    # ── from other threads ───────────────────────────────────────────────────────────────────────────────────────

    def send(self, command: Command, seen: int | None = None) -> None:
        """Put a command into the inbox; a kill or a halt goes to its head. Raises where an adviser calls.

        `seen` is how many presses whoever typed it had been shown; None where that is every one there was.
        """
        only_for_people(f"send {type(command).__name__}")
        if self._presses(command):
            self._commands.appendleft((self.latch.press(command.by), self.wall(), command))
        else:
            presses = self.latch.presses
            self._commands.append((presses if seen is None else min(seen, presses), self.wall(), command))
        self.wake()
        if self._has_ended:
            self._latch_late_kills()

    def leave(self) -> None:
        """Finish the act in hand and stop."""
        self.is_running = False
        self.wake()

    @abstractmethod
    def attend(self, attended: bool) -> None:
        """A person is at a ticket or at the kill screen: a time that can be slowed slows down."""

    def watch(self, symbol: Symbol | None) -> None:
        """From the next picture on this symbol's chart is in it."""
        self._watched = symbol

    def search(self, text: str) -> AssetsFound:
        """What the broker trades by that symbol or name. Any thread; never waits, and is no command and no fact."""
        return self.assets.search(text)

    # ── for a desk that looks ────────────────────────────────────────────────────────────────────────────────────

    def on_beat(self, act: Callable[[], None]) -> None:
        """Have `act` called at every beat, in this runtime's thread; from here on pictures can be had."""
        self._pictures = ViewBuilder(self.engine, past=self.charts.of, listed=self.assets.has)
        self.engine.state.add_listener(self._hear_news)
        self._on_beat.append(act)

    def each_beat(self, act: Callable[[], None]) -> None:
        """Have `act` called at every beat, in this runtime's thread; for whoever draws no pictures."""
        self._on_beat.append(act)

    def rest_while(self, nobody_looks: Callable[[], bool]) -> None:
        """Beat less often while this holds; asked in this runtime's thread."""
        self._nobody_looks = nobody_looks

    def beat_seconds(self) -> float:
        """Of the wall, between two beats."""
        return RESTING_BEAT if self._nobody_looks() else BEAT

    def beat(self) -> None:
        """About fifty times a second, ten while nobody looks, in this runtime's thread, whatever happens."""
        if self.keeper is not None:
            self.keeper.look(self)
        for act in self._on_beat:
            act()

    def close(self) -> None:
        """The last words of a clean stop."""
        if self.keeper is not None:
            self.keeper.close(self)

    def preparing(self) -> str | None:
        """What is prepared before a person has the keyboard, in words; None once they have."""
        return None

    def keys(self) -> Mapping[str, str]:
        """Which keys the settings move."""
        return self.engine.state.control.settings.keys

    def picture(self) -> DeskView:
        """The desk as it is now. Only in this runtime's thread."""
        self._drawn = (self.engine.state.journal.sequence, self._watched)
        self._is_quoted = self._has_news = False
        if self._pictures is None:
            self._pictures = ViewBuilder(self.engine, past=self.charts.of, listed=self.assets.has)
        self._pictures.watched = self._drawn[1]
        return self._pictures.draw(self.clock())

    def chart_of(self, symbol: Symbol, view: DeskView) -> ChartView | None:
        """Of a symbol that one of several desks watches, as it was when `view` was drawn."""
        assert self._pictures is not None
        return self._pictures.chart(symbol, view.status.at, view.positions)

    def has_changed(self) -> bool:
        """Whether anything was recorded or quoted since the last picture, or another symbol is watched."""
        return self._is_quoted or self._drawn != (self.engine.state.journal.sequence, self._watched)

    def has_news(self) -> bool:
        """Whether anything but bars was recorded since the last picture: what a person may be waiting for."""
        return self._has_news

    def _hear_news(self, _sequence: int, _at: datetime, _fact: Fact) -> None:
        self._has_news = True
        self.hurry()

    # ── the engine ───────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, at: datetime, message: Input) -> None:
        effects = self.engine.handle(at, message)
        if self._disk.trouble is not None:
            self._tell_the_latch()
        for effect in effects:
            if isinstance(effect, EndEngine):
                self.ended_by = effect.reason
                self.leave()
                continue
            if isinstance(effect, WithdrawOrder):
                self._withdraw(effect.client_order_id)
                continue
            if isinstance(effect, WriteWatchlist):
                self._write_list(effect)
                continue
            if isinstance(effect, SubmitOrder | ReplaceOrder):
                order_id = effect.order.client_order_id
                self.gateway.queue(order_id, self._why_not_any_more(order_id))
                if isinstance(effect, SubmitOrder):
                    self.gateway.let_again(effect)
            self._perform(effect)

    def _write_list(self, effect: WriteWatchlist) -> None:
        """Its answer is taken at once. Where nobody keeps files, it is kept by the journal alone."""
        has_files = self.keeper is not None and self.keeper.has_lists
        unknown = next((symbol for symbol in effect.new if self.assets.has(symbol) is False), None)
        if unknown is not None:
            fault = f"the broker's list does not have {unknown}"
        else:
            fault = self.keeper.keep_list(effect.name, effect.symbols) if self.keeper is not None and has_files else ""
        self.take(self.at, WatchlistWritten(effect.name, effect.symbols, fault, has_files))

    def _notify(self, effect: SendNotification) -> None:
        if self._notifier is None:
            self._put_notified(answer_kept_here(effect))
        else:
            self._notifier.send(effect, self._put_notified)

    @abstractmethod
    def _put_notified(self, message: NotificationAnswered) -> None:
        """What became of a message. Any thread; never waits."""

    def lose_disk(self, trouble: str) -> None:
        """The journal cannot be written. In this runtime's thread."""
        self.engine.lose_disk(trouble)
        self._tell_the_latch()

    def _tell_the_lanes(self, _sequence: int, _at: datetime, fact: Fact) -> None:
        """What holds an order back at its last look is told as it is recorded: a lane reads values, never the desk."""
        kind = type(fact)
        if kind in self._allowed_by:
            self._tell_the_latch()
        elif isinstance(fact, CancelRequested | CancelDropped | OrderStateChanged):
            self.gateway.tell(fact.client_order_id, self._why_not_any_more(fact.client_order_id))

    def _tell_the_latch(self) -> None:
        self.latch.note(self.engine.state.control.refusal())

    def _decide_keys(self) -> None:
        """While the desk leaves: each decision may begin the turn of another order of a basket."""
        known: list[TicketId] = []
        while (waiting := [c.ticket.id for c in self.engine.the(Confirmations).undecided()]) and waiting != known:
            known = waiting
            self.take(self.at, Leaving())

    def _withdraw(self, order_id: ClientOrderId) -> bool:
        """Keep an order here that has not left yet; whether one waited. Here none ever does."""
        del order_id
        return False

    def _why_not_any_more(self, order_id: ClientOrderId) -> str | None:
        """What the books say of an order that is about to leave."""
        order = self.engine.state.ledger.order(order_id)
        if order is not None and order.cancel_requested_at is not None:
            return "its cancel was asked for before it left"  # in the act that wrote it, when nothing of it waited yet
        return None if order is None or order.status is OrderStatus.PENDING else f"it is {order.status.value} by now"

    def stop(self, reason: str) -> None:
        """Record a clean stop, and write what a restart begins with.

        A kill that came while the desk left is recorded before it; one that comes later is latched alone (OP-07).
        """
        self._obey_kills()
        self._name_what_may_still_work()
        self.take(self.at, Stop(reason))
        self.close()
        self.end()

    def end(self) -> None:
        """Nothing is recorded any more: from here on a kill goes into its file, in the thread of whoever presses it."""
        self._has_ended = True
        if self._notifier is not None:
            self._notifier.close()
        if self._latch_late_kills():
            opening = [
                o.request for o in self.engine.state.ledger.working() if not o.only_reduces and not o.is_cancelling
            ]
            self.last_words += tuple(f"{order_in_words(order)} still works: {KILLED_LATE}" for order in opening)

    def _name_what_may_still_work(self) -> None:
        """An entry whose cancel was asked for, and is not known to have come through (OP-07)."""
        leaving = [o.request for o in self.engine.state.ledger.working() if not o.only_reduces and o.is_cancelling]
        self.last_words += tuple(f"{order_in_words(order)} may still work: {NOT_CANCELLED}" for order in leaving)

    def _latch_late_kills(self) -> bool:
        """The next start finds the file, and is killed. Whether there was one."""
        were_any = False
        with suppress(IndexError):  # another thread may take the last one first
            while True:
                _, _, command = self._commands.popleft()
                if self._presses(command) and isinstance(command, Kill):
                    words = self._turned(LatchKill(command.by))
                    self.last_words += () if words is None else (words,)
                    were_any = True
        return were_any

    def obey(self, command: Command) -> None:
        """A person's command, or a script's. Raises where an adviser calls."""
        only_for_people(f"send {type(command).__name__}")
        if self._presses(command):
            self._obey_press(self.latch.press(command.by), command)
        elif isinstance(command, Rearm) and self.latch.switch.is_on() == "environment":
            self.engine.say("the environment holds the kill: unset KEYTURN_KILL and start again")
        else:
            self.take(self.at, command)

    def _obey_press(self, press: int, command: Command) -> None:
        """Where the engine raised, the press goes on holding the latch."""
        self.take(self.at, command)
        self.latch.let_go(press)

    def _presses(self, command: Command) -> TypeGuard[Halt | Kill]:
        """Whether it halts or kills this account: one that is for another holds nothing here, and is refused."""
        return isinstance(command, Halt | Kill) and self.doors.is_for_this_account(command)

    def _obey_kills(self) -> None:
        """A halt or a kill stands at the head, before anything that waits."""
        while self._commands and self._presses(self._commands[0][2]):
            self._obey_next()

    def _obey_commands(self) -> None:
        while self._commands:
            self._obey_next()

    def _obey_next(self) -> None:
        """What was typed before a press ends none: it waited behind what was pressed after it."""
        press, sent_at, command = self._commands.popleft()
        self.at = max(self.at, self.clock())
        is_late = self.wall() - sent_at > STOOD_STILL
        is_outrun = isinstance(command, Resume | Rearm) and press < self.latch.presses
        said = as_late(command) if is_late or is_outrun else command
        self._note_from_outside(said)
        if self._presses(said):
            self._obey_press(press, said)
        else:
            self.obey(said)

    def _note_from_outside(self, message: Command | NotificationAnswered) -> None:
        """Whoever keeps a record of what came from outside writes it down; here nobody does."""
        del message

    def _turn_switch(self, effect: LatchKill | ReleaseKill) -> None:
        """A disk that fails keeps nobody from killing: what could not be written is said (OP-07)."""
        if (words := self._turned(effect)) is not None:
            self.engine.say(words)

    def _turned(self, effect: LatchKill | ReleaseKill) -> str | None:
        """Why it could not be written, or None. Any thread."""
        switch = self.latch.switch
        try:
            switch.latch(effect.by) if isinstance(effect, LatchKill) else switch.release()
        except OSError as error:
            holds = "it holds over a restart" if switch.is_on() else "it holds until this desk ends"
            return f"the kill switch could not be written ({error.strerror}); {holds}, mend the disk"
        return None
