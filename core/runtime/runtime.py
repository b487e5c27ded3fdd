"""The base of both runtimes: one inbox for one engine, the gateway to the broker, and views for a desk.

The runtimes differ in who orders the inputs and who carries the requests; both stop in the same way (`shutdown.py`).
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
from core.execution.gateway import Gateway, Withheld
from core.facts import BreakerOpened, CancelDropped, CancelRequested, Fact, OrderStateChanged
from core.messages.command_ports import STOOD_STILL, KnownPort, as_late
from core.messages.commands import Command, Halt, Kill, Rearm, Resume
from core.messages.effects import (
    AnswerAgent,
    CancelOrder,
    Effect,
    EndEngine,
    LatchKill,
    MakeReport,
    ReleaseKill,
    ReplaceOrder,
    SendNotification,
    SubmitOrder,
    WithdrawOrder,
    WriteWatchlist,
)
from core.messages.inputs import (
    FromAgent,
    FromNotifier,
    Input,
    Leaving,
    NotificationAnswered,
    ReportAnswered,
    Stop,
    WatchlistWritten,
)
from core.model.delivery import Delivery, DeliveryCode
from core.model.desk import DeskNumber
from core.model.order import OrderStatus
from core.model.order_terms import order_in_words
from core.model.reference_data import AssetsFound
from core.model.values import AccountId, ClientOrderId, Symbol, TicketId
from core.ports import KillSwitch
from core.runtime.call_record import CallListener, CallMade
from core.runtime.inbox import HaltLatch
from core.runtime.reference_data import AssetBook, ChartBook
from core.runtime.shutdown import not_sent
from core.runtime.virtual_time import BEAT, RESTING_BEAT
from core.views import ChartView, DeskView
from core.views.builders.desk import ViewBuilder
from core.views.builders.figures import FigureReader
from core.workflows.staging.confirmation import LEFT, Confirmations


def answer_kept_here(effect: SendNotification) -> NotificationAnswered:
    """Answer a notification that is not sent: in virtual time no message leaves the machine."""
    kept = Delivery(DeliveryCode.KEPT_HERE)
    return NotificationAnswered(effect.channel, effect.is_urgent, effect.numbers, effect.tries, kept)


NOT_MADE_HERE = "in virtual time no report is made"
NOT_CANCELLED = "its cancel is not answered; the next start asks again"
KILLED_LATE = "the kill came as the desk left, and the next start cancels it"


BESIDE = 0.9
"""Seconds within which a desk's view also serves readers that are no desk."""
AGENT_TURN = 4
"""Messages of agents that are taken before the rest of the inbox has its turn again."""


class Keeping(Protocol):
    """Keeps an engine's files while it runs."""

    def look(self, runtime: Runtime) -> None:
        """Check the kill switch's file, the settings file and the checkpoint; called at every beat."""
        ...

    def close(self, runtime: Runtime) -> None:
        """Write the files of a clean stop."""
        ...

    @property
    def has_lists(self) -> bool:
        """Whether watchlists have files here."""
        ...

    def keep_list(self, name: str, symbols: Sequence[Symbol]) -> str:
        """Write a watchlist's file, or remove it if there are no symbols.

        Return the reason of a failure, or an empty string.
        """
        ...


class Carrier(Protocol):
    """Carries messages to people (SY-03)."""

    def send(self, effect: SendNotification, put: Callable[[NotificationAnswered], None]) -> None:
        """Send without waiting; never raises. `put` is called once, from any thread."""
        ...

    def report(self, effect: MakeReport, put: Callable[[ReportAnswered], None]) -> None:
        """Make a report without waiting; never raises. `put` is called once, from any thread."""
        ...

    def close(self) -> None: ...


class Runtime(ABC):
    """One engine and its inbox.

    Attributes
    ----------
    at
        The time of the last input.
    last_words
        Lines to print on the way out: requests that were due and could not be sent (EX-22).
    ended_by
        The reason of the command that ended the engine; empty if none did.
    keeper
        Keeps the engine's files, at every beat and at the end; None without files.
    assets
        The symbols that a search looks in.
    charts
        Chart history from before the engine received anything.
    answer_agent
        Takes the engine's answers to agents; called in this runtime's thread, never waits. None without agents.
    wall
        The wall clock, in seconds; measures how long a command waited in the inbox.

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
        self.ports = engine.ports
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
        self._from_agents: deque[FromAgent] = deque()
        self._has_ended = self._is_leaving = self._is_shut = False
        self._views: ViewBuilder | None = None
        self._drawn: tuple[int, Symbol | None] = (0, None)
        self._last_view: tuple[float, DeskView] | None = None
        self._watched: Symbol | None = None
        self._is_quoted = False
        self._has_news = False
        self._figures = FigureReader(engine.state)
        self.assets = AssetBook() if assets is None else assets
        self.charts = ChartBook() if charts is None else charts
        self._notifier = notifier
        self.answer_agent: Callable[[AnswerAgent], None] | None = None

    # ── defined by each runtime ──────────────────────────────────────────────────────────────────────────────────

    @abstractmethod
    def run(self) -> None:
        """Process inputs until told to leave."""

    @abstractmethod
    def clock(self) -> datetime:
        """The current time, also between two inputs."""

    @property
    @abstractmethod
    def rate(self) -> float:
        """Seconds of runtime time that pass in one second of wall time."""

    @abstractmethod
    def wake(self) -> None:
        """Signal that the inbox has something to process. Any thread; never waits."""

    @abstractmethod
    def hurry(self) -> None:
        """Make the next beat due at once: a person may be waiting for a change."""

    @abstractmethod
    def depths(self) -> Mapping[str, int]:
        """The length of each queue: `inbox`, and each kind of lane. Only in this runtime's thread."""
        ...

    @abstractmethod
    def _queue(self, effect: Effect) -> None:
        """Queue a request behind the earlier ones of its lane; its outcome comes back as an input."""

    @abstractmethod
    def _withdraw(self, order_id: ClientOrderId) -> bool:
        """Withdraw an order that has not left yet. Return whether one was waiting."""

    @abstractmethod
    def _refuse(self, effect: SubmitOrder | ReplaceOrder, why: Withheld) -> None:
        """Stop an order before it is queued."""

    @abstractmethod
    def _keep(self, effect: SubmitOrder | ReplaceOrder) -> None:
        """Keep an order that never left, for the next start."""

    def admit(self, port: KnownPort) -> None:
        """Add a port whose commands may open positions and loosen limits. Only during assembly."""
        self.ports.admit(port)

    def add_call_listener(self, listener: CallListener) -> None:
        """Add a listener for each finished request, called in the thread that carried it.

        A listener only displays or counts; it never waits and does not raise.
        """
        self._call_listeners = (*self._call_listeners, listener)

    def _tell_call(self, call: CallMade) -> None:
        for listener in self._call_listeners:
            with suppress(Exception):  # an answer is never lost to a failing listener
                listener(call)

    @property
    def account(self) -> AccountId:
        """The account whose commands are accepted here."""
        return self.ports.account

    def desk_of(self, link: str) -> DeskNumber | None:
        """The number of the desk on a connection; None until it is attached. Any thread; never waits."""
        return self.engine.state.sightings.links.get(link)

    @property
    def key_holder(self) -> DeskNumber | None:
        """The desk that has control, also while its connection is lost. Any thread; never waits."""
        holder = self.engine.state.desks.holder
        return None if holder is None else holder.number

    # ── from other threads ───────────────────────────────────────────────────────────────────────────────────────

    def send(self, command: Command, seen: int | None = None) -> None:
        """Put a command into the inbox; a kill or a halt goes to its head.

        `seen` is the number of kill and halt presses that the sender had been shown; None means all of them.
        """
        if self._presses(command):
            self._commands.appendleft((self.latch.press(command.by), self.wall(), command))
        else:
            presses = self.latch.presses
            self._commands.append((presses if seen is None else min(seen, presses), self.wall(), command))
        self.wake()
        if self._has_ended:
            self._latch_late_kills()

    def hear_agent(self, message: FromAgent) -> None:
        """Put an agent's message into the inbox, behind everything else. Any thread; never waits."""
        self._from_agents.append(message)
        self.wake()

    def leave(self) -> None:
        """Finish the current act and stop. Any thread; also a signal handler, so it must take no lock."""
        self.is_running = False
        self.wake()

    @abstractmethod
    def attend(self, attended: bool) -> None:
        """Set whether a person has a ticket or the kill screen open: a runtime that can slow its time then does."""

    def watch(self, symbol: Symbol | None) -> None:
        """Include this symbol's chart from the next view on."""
        self._watched = symbol
        self.beat_soon()

    def search(self, text: str) -> AssetsFound:
        """Search the broker's symbols by symbol or name. Any thread; never waits. It is no command and no fact."""
        return self.assets.search(text)

    # ── views for desks ──────────────────────────────────────────────────────────────────────────────────────────

    def on_beat(self, act: Callable[[], None]) -> None:
        """Call `act` at every beat in this runtime's thread, and make views available."""
        self._views = ViewBuilder(self.engine, past=self.charts.of, listed=self.assets.has)
        self.engine.state.add_listener(self._hear_news)
        self._on_beat.append(act)

    def each_beat(self, act: Callable[[], None]) -> None:
        """Call `act` at every beat in this runtime's thread, without views."""
        self._on_beat.append(act)

    def rest_while(self, nobody_looks: Callable[[], bool]) -> None:
        """Beat less often while `nobody_looks` returns True, too; it is called in this runtime's thread."""
        self._nobody_looks = nobody_looks

    def beat_seconds(self) -> float:
        """Seconds of wall time between two beats."""
        return BEAT if self.has_changed() and not self._nobody_looks() else RESTING_BEAT

    def beat_soon(self) -> None:
        """Wake the runtime for a beat: a desk waits for a view although nothing was recorded. Any thread."""
        self.hurry()
        self.wake()

    def beat(self) -> None:
        """Run the tasks of a beat, in this runtime's thread.

        About fifty times a second while a desk waits for a changed view, ten times otherwise.
        """
        if self.keeper is not None:
            self.keeper.look(self)
        for act in self._on_beat:
            act()
        if self._views is not None and self._nobody_looks():
            self._views.draw_ahead(self.clock())

    def close(self) -> None:
        """Close the files at a clean stop."""
        if self.keeper is not None:
            self.keeper.close(self)

    def preparing(self) -> str | None:
        """Describe the preparation before a person gets the keyboard; None once it is done."""
        return None

    def keys(self) -> Mapping[str, str]:
        """The key bindings that the settings change."""
        return self.engine.state.control.settings.keys

    def view(self) -> DeskView:
        """Draw the desk's current view. Only in this runtime's thread."""
        self._drawn = (self.engine.state.journal.sequence, self._watched)
        self._is_quoted = self._has_news = False
        if self._views is None:
            self._views = ViewBuilder(self.engine, past=self.charts.of, listed=self.assets.has)
        self._views.watched = self._drawn[1]
        view = self._views.draw(self.clock())
        self._last_view = (self.wall(), view)
        return view

    def view_beside(self) -> DeskView:
        """Return a view for a reader that is no desk: the desks' last one, unless it is older than a second.

        What desks are still to be shown stays. Only in this runtime's thread.
        """
        if self._last_view is not None and self.wall() - self._last_view[0] <= BESIDE:
            return self._last_view[1]
        kept = self._drawn, self._is_quoted, self._has_news
        try:
            return self.view()
        finally:
            self._drawn, self._is_quoted, self._has_news = kept

    def view_for_agents(self) -> DeskView:
        """Return a view for agents, and note what it tells them. Only in this runtime's thread."""
        view = self.view_beside()
        self._keep_figures(self._figures.tell, view)
        return view

    def chart_of(self, symbol: Symbol, view: DeskView) -> ChartView | None:
        """Return the chart of a symbol that one of several desks watches, as of the time of `view`."""
        assert self._views is not None
        return self._views.chart(symbol, view.status.at, view.positions)

    def has_changed(self) -> bool:
        """Whether anything was recorded or quoted since the last view, or another symbol is watched."""
        return self._is_quoted or self._drawn != (self.engine.state.journal.sequence, self._watched)

    def has_news(self) -> bool:
        """Whether anything but bars was recorded since the last view: a person may be waiting for it."""
        return self._has_news

    def _hear_news(self, _sequence: int, _at: datetime, _fact: Fact) -> None:
        self._has_news = True
        self.hurry()

    # ── the engine ───────────────────────────────────────────────────────────────────────────────────────────────

    def take(self, at: datetime, message: Input) -> None:
        self._keep_figures(self._figures.hear_before, at, message)
        effects = self.engine.handle(at, message)
        if self._disk.trouble is not None:
            self._tell_the_latch()
        for effect in effects:
            if isinstance(effect, EndEngine):
                self.ended_by = effect.reason
                self.leave()
                continue
            if isinstance(effect, AnswerAgent):
                if self.answer_agent is not None:
                    self.answer_agent(effect)
                continue
            if isinstance(effect, WriteWatchlist):
                # Write a watchlist and process the answer at once. Without files only the journal keeps it.
                has_files = self.keeper is not None and self.keeper.has_lists
                unknown = next((symbol for symbol in effect.new if self.assets.has(symbol) is False), None)
                if unknown is not None:
                    fault = f"the broker's list does not have {unknown}"
                else:
                    fault = (
                        self.keeper.keep_list(effect.name, effect.symbols)
                        if self.keeper is not None and has_files
                        else ""
                    )
                self.take(self.at, WatchlistWritten(effect.name, effect.symbols, fault, has_files))
                continue
            if isinstance(effect, SubmitOrder | ReplaceOrder):
                order_id = effect.order.client_order_id
                self.gateway.queue(order_id, self._why_not_any_more(order_id))
                if isinstance(effect, SubmitOrder):
                    self.gateway.let_again(effect)
            self._perform(effect)
        self._keep_figures(self._figures.hear_after, message)  # no order waits for what agents may state

    def _keep_figures(self, read: Callable[..., None], *about: object) -> None:
        """Read figures for the facts of agents. A fault ends no order: without figures the facts cannot be checked."""
        try:
            read(*about)
        except Exception as error:
            if self._figures.forget():
                self.engine.say(f"the figures for agents cannot be kept ({type(error).__name__}: {error})")

    def _perform(self, effect: Effect) -> None:
        """Carry out an effect. While the desk leaves, only reducing orders are sent; then the next start asks."""
        if isinstance(effect, LatchKill | ReleaseKill):
            # Write or remove the kill switch's file. A disk failure does not prevent the kill; it is reported (OP-07).
            if (words := self._turned(effect)) is not None:
                self.engine.say(words)
        elif isinstance(effect, WithdrawOrder):
            self._withdraw(effect.client_order_id)
        elif isinstance(effect, SendNotification):
            if self._notifier is None:
                self._put_notified(answer_kept_here(effect))
            else:
                self._notifier.send(effect, self._put_notified)
        elif isinstance(effect, MakeReport):
            if self._notifier is None:
                self._put_notified(ReportAnswered(effect.day, (), NOT_MADE_HERE))
            else:
                self._notifier.report(effect, self._put_notified)
        elif isinstance(effect, SubmitOrder | ReplaceOrder):
            if self._is_shut:
                self._keep(effect)
            elif self._is_leaving and not effect.order.effect.only_reduces:
                self._refuse(effect, Withheld(LEFT))
                self.last_words += (not_sent(effect.order),)
            else:
                self._queue(effect)
        elif not self._is_shut and not (isinstance(effect, CancelOrder) and self._withdraw(effect.client_order_id)):
            self._queue(effect)

    @abstractmethod
    def _put_notified(self, message: FromNotifier) -> None:
        """Take the delivery result of a message, or a report. Any thread; never waits."""

    def lose_disk(self, trouble: str) -> None:
        """Enter the disk-failure state: the journal cannot be written. Only in this runtime's thread."""
        self.engine.lose_disk(trouble)
        self._tell_the_latch()

    def _tell_the_lanes(self, _sequence: int, _at: datetime, fact: Fact) -> None:
        """Pass on facts that can stop an order at its last check: a lane reads values, never the desk's state."""
        kind = type(fact)
        if kind in self._allowed_by:
            self._tell_the_latch()
        elif isinstance(fact, CancelRequested | CancelDropped | OrderStateChanged):
            self.gateway.tell(fact.client_order_id, self._why_not_any_more(fact.client_order_id))
        elif isinstance(fact, BreakerOpened):
            for order in self.engine.state.ledger.working_entries():
                if order.status is OrderStatus.PENDING:
                    self.gateway.tell(order.id, f"the breaker opened before it left: {fact.reason}")

    def _tell_the_latch(self) -> None:
        self.latch.note(self.engine.state.control.refusal())

    def _decide_keys(self) -> None:
        """Decide the pending confirmations while the desk leaves; a decision may start the next order of a basket."""
        known: list[TicketId] = []
        while (waiting := [c.ticket.id for c in self.engine.the(Confirmations).undecided()]) and waiting != known:
            known = waiting
            self.take(self.at, Leaving())

    def _why_not_any_more(self, order_id: ClientOrderId) -> str | None:
        """Return the reason why an order must not leave any more according to the ledger, or None."""
        order = self.engine.state.ledger.order(order_id)
        if order is not None and order.cancel_requested_at is not None:
            return "its cancel was asked for before it left"  # recorded in the same act, before any request was queued
        return None if order is None or order.status is OrderStatus.PENDING else f"it is {order.status.value} by now"

    def stop(self, reason: str) -> None:
        """Record a clean stop, and write the files for the next start.

        A kill that arrived during shutdown is recorded before the stop; a later one is only latched (OP-07).
        """
        self._obey_kills()
        self._name_what_may_still_work()
        self.take(self.at, Stop(reason))
        self.close()
        self.end()

    def end(self) -> None:
        """Stop recording: from now on a kill is written to its file, in the calling thread."""
        self._has_ended = True
        if self._notifier is not None:
            self._notifier.close()
        if self._latch_late_kills():
            opening = [
                o.request for o in self.engine.state.ledger.working() if not o.only_reduces and not o.is_cancelling
            ]
            self.last_words += tuple(f"{order_in_words(order)} still works: {KILLED_LATE}" for order in opening)

    def _name_what_may_still_work(self) -> None:
        """Name the entries whose cancellation was requested and is not confirmed (OP-07)."""
        leaving = [o.request for o in self.engine.state.ledger.working() if not o.only_reduces and o.is_cancelling]
        self.last_words += tuple(f"{order_in_words(order)} may still work: {NOT_CANCELLED}" for order in leaving)

    def _latch_late_kills(self) -> bool:
        """Latch the kills that arrived late; the next start finds the file. Return whether there was one."""
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
        """Carry out a command of a person or a script."""
        if self._presses(command):
            self._obey_press(self.latch.press(command.by), command)
        elif isinstance(command, Rearm) and self.latch.switch.is_on() == "environment":
            self.engine.say("the environment holds the kill: unset KEYTURN_KILL and start again")
        else:
            self.take(self.at, command)

    def _obey_press(self, press: int, command: Command) -> None:
        """Process a kill or halt, then release the latch; if the engine raises, the latch stays on."""
        self.take(self.at, command)
        self.latch.let_go(press)

    def _presses(self, command: Command) -> TypeGuard[Halt | Kill]:
        """Whether the command halts or kills this account; one for another account is refused and latches nothing."""
        return isinstance(command, Halt | Kill) and self.ports.is_for_this_account(command)

    def _obey_kills(self) -> None:
        """Process the kills and halts at the head of the queue."""
        while self._commands and self._presses(self._commands[0][2]):
            self._obey_next()

    def _obey_commands(self) -> None:
        while self._commands:
            self._obey_next()

    def _obey_next(self) -> None:
        """Process the next command. A Resume or Rearm typed before a kill or halt does not end it."""
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

    def _hear_agents(self) -> None:
        """Process some messages of agents; a kill goes before each."""
        for _ in range(min(AGENT_TURN, len(self._from_agents))):
            self._obey_kills()
            message = self._from_agents.popleft()
            self.at = max(self.at, self.clock())
            self._note_from_outside(message)
            self.take(self.at, message)
        if self._from_agents:
            self.wake()

    def _note_from_outside(self, message: Command | FromNotifier | FromAgent) -> None:
        """Record an input from outside; a runtime without such a record does nothing."""
        del message

    def _turned(self, effect: LatchKill | ReleaseKill) -> str | None:
        """Write or remove the kill switch's file; return the reason of a failure, or None. Any thread."""
        switch = self.latch.switch
        try:
            switch.latch(effect.by) if isinstance(effect, LatchKill) else switch.release()
        except OSError as error:
            holds = "it holds over a restart" if switch.is_on() else "it holds until this desk ends"
            return f"the kill switch could not be written ({error.strerror}); {holds}, fix the disk"
        return None
