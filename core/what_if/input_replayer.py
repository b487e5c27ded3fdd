"""Replay the external inputs of a recorded run at their places, with the inputs of a change, matched to the proposals
of the changed day.

Manual proposals are numbered: after a missing one, its name and its key would otherwise go to the next.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from datetime import date, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any, NamedTuple

from core import facts
from core.messages import commands
from core.messages.command_ports import CommandPort, PortKind, addressed
from core.messages.desk_commands import ReloadLimits, SettingsFileSeen
from core.model.bar import Bar
from core.model.lazy_dataclass import dataclass
from core.model.order import OrderRequest, OrderStatus
from core.model.staging import Proposal
from core.model.values import ClientOrderId, Price, ProposalId, Quantity, Symbol, TicketId
from core.risk.recent_entries import word_of
from core.runtime.simulated_exchange import HeardFromOutside, RecordedRun, RunLeft, Said
from core.settings.changes import digest_of
from core.settings.settings import Settings
from core.trading_state.state import TradingState
from core.what_if.changes import Change, ChangeKind


def asks_the_same(one: Proposal, other: Proposal) -> bool:
    """Whether two proposals are equal apart from name, quantity and time."""
    return _asked(one) == _asked(other)


def _asked(proposal: Proposal) -> tuple[object, ...]:
    order = proposal.order
    what = (proposal.strategy, proposal.symbol, proposal.only_reduces, proposal.is_guard)
    if not isinstance(order, OrderRequest):
        return *what, order.effect
    prices = () if proposal.is_guard else (order.limit_price, order.stop_price)
    return *what, order.side, order.type, *prices


class NamesNow:
    """Current names of recorded proposals and orders; `then` has all recorded proposals."""

    def __init__(self, then: Mapping[ProposalId, Proposal], state: TradingState) -> None:
        self._then = then
        self._state = state
        self._now: dict[ProposalId, ProposalId] = {}

    def of_proposal(self, name: ProposalId) -> ProposalId | None:
        """Return the current name; None if no equal proposal waits."""
        then = self._then.get(name)
        if then is None:
            return name
        if name in self._now:
            return self._now[name]
        waiting = self._state.stage.state.proposals
        taken = set(self._now.values())
        alike = [each.id for each in waiting.values() if asks_the_same(each, then) and each.id not in taken]
        if not alike:
            return None
        found = self._now[name] = name if name in alike else alike[0]
        return found

    def of_order(self, name: ClientOrderId) -> ClientOrderId | None:
        """Return the current name; None if the order of that name is now a different one."""
        here = ProposalId(name)
        if here in self._now:
            return ClientOrderId(self._now[here])
        order, then = self._state.ledger.order(name), self._then.get(here)
        if order is None or then is None:
            return name
        return name if (order.strategy, order.request.symbol) == (then.strategy, then.symbol) else None


AT_ONCE = timedelta(milliseconds=100)
"""The delay of a change after the staged proposal, before any ticket is opened on it."""
AFTER_A_FILL = timedelta(seconds=1)
TRIES, BETWEEN_TRIES = 24, timedelta(seconds=5)
"""Attempts to move a stop."""


@dataclass(frozen=True, slots=True)
class Known:
    """Facts of the recorded day.

    Attributes
    ----------
    tickets
        The proposal of each ticket.
    words
        The word that a ticket required besides its key; empty for most.
    proposals
        All staged proposals.
    """

    day: date
    tickets: Mapping[TicketId, ProposalId]
    words: Mapping[TicketId, str]
    proposals: Mapping[ProposalId, Proposal]


@dataclass(frozen=True, slots=True)
class Changed:
    """A change; for a setting, with the function that derives the day's settings."""

    change: Change
    settings: Callable[[Settings], Settings] | None = None


@dataclass(slots=True)
class Taken:
    """The results of a change.

    Attributes
    ----------
    at
        When it first made a difference; None if it never did.
    refused
        The desk's reasons if it refused the change.
    unplaced
        The number of keys without a matching ticket.
    """

    at: datetime | None = None
    refused: list[str] = field(default_factory=list)
    unplaced: int = 0


@dataclass(frozen=True, slots=True)
class Ahead:
    """The next event of a run, without external inputs.

    Attributes
    ----------
    events
        The number of past events.
    at
        The time of the next event; None if there is none.
    is_bar
        Whether it is the arrival of a bar.
    """

    events: int
    at: datetime | None
    is_bar: bool


class Place(NamedTuple):
    """The place of an input: the number of bars before it, and of events after the last of them."""

    bars: int
    events: int


class SaidAgain:
    """Yields the external inputs in order, with the inputs of a change.

    `places` are the known places of late inputs: the desk was behind its clock, and received them before earlier
    events.
    """

    def __init__(
        self,
        run: RecordedRun,
        known: Known,
        state: TradingState,
        changed: Changed | None,
        taken: Taken,
        has_parted: bool,
        places: Sequence[Place | None],
    ) -> None:
        self._heard = list(reversed(run.heard))
        self._places = deque(places)
        self.places: list[Place | None] = []
        self._left = run.left
        self._known = known
        self._state = state
        self._change = None if changed is None else changed.change
        self._settings = None if changed is None else changed.settings
        self._taken = taken
        self._has_parted = has_parted
        self._has_begun = False
        self._moves: tuple[datetime, Symbol] | None = None
        self._names = NamesNow(known.proposals, state)
        self._file: Settings | None = None
        self._strategy, self._tries = "", 0
        self._own: list[tuple[datetime, int, commands.Command | facts.SettingsApplied]] = []
        self._numbers = count()
        self._script = CommandPort(PortKind.SCRIPT)
        self._ports = {
            (each.terminal, each.user): CommandPort(PortKind.CONSOLE, each.terminal, each.user)
            for each in run.heard
            if isinstance(each.said, commands.Keyed)
        }
        self._bars = self._bars_counted = self._events_at_bar = 0
        state.add_bar_listener(self._hear_bar)
        if changed is not None:
            state.add_listener(self._hear)

    def now(self, command: commands.Command) -> commands.Command | None:
        """Return a script's recorded press for the current run."""
        if not self._is_another:
            return command
        return self._as_it_is_now(command)  # type: ignore[return-value]

    def ports(self) -> Iterator[CommandPort]:
        yield self._script
        yield from self._ports.values()

    @property
    def has_more(self) -> bool:
        return bool(self._heard or self._own or self._left) or (self._change is not None and not self._has_begun)

    def has_left(self, ahead: Ahead) -> bool:
        """Whether the run was told to leave; call it before each event."""
        if self._bars != self._bars_counted:
            self._bars_counted, self._events_at_bar = self._bars, ahead.events
        left = self._left
        if left is None or self._heard or not self._is_due(left, ahead):
            return False
        self._note(left, ahead)
        return True

    @property
    def _is_another(self) -> bool:
        """Whether the events differ from the recording, so that their number has no meaning."""
        return self._has_parted or self._taken.at is not None

    def _hear_bar(self, _bar: Bar) -> None:
        self._bars += 1

    def next(
        self, ahead: Ahead, now: datetime, until: datetime | None
    ) -> tuple[datetime, Said | facts.SettingsApplied] | None:
        """Return the next input and its time; None if another event comes first."""
        self._begin_day(now if ahead.at is None else ahead.at)
        if self._own and _is_before(self._own[0][0], ahead):
            at, _, command = heappop(self._own)
            self._diverge(at)
            return at, command
        while self._heard:
            first = self._heard[-1]
            if (until is not None and first.at > until) or not self._is_due(first, ahead):
                return None
            self._heard.pop()
            self._note(first, ahead)
            if (said := self._placed(first)) is not None:
                return first.at, said
        return None

    def _is_due(self, first: HeardFromOutside | RunLeft, ahead: Ahead) -> bool:
        """Whether an input is due.

        By the number of events; once they differ, by its time, or for a late input by the number of bars and events.
        """
        if not self._is_another:
            return first.events <= ahead.events
        place = self._places[0] if self._places else None
        if place is None or ahead.at is None:
            return _is_before(first.at, ahead)
        here = self._here(ahead)
        return here >= place or (here.bars == place.bars and ahead.is_bar)

    def _note(self, first: HeardFromOutside | RunLeft, ahead: Ahead) -> None:
        self.places.append(None if _is_before(first.at, ahead) else self._here(ahead))
        if self._places:
            self._places.popleft()

    def _here(self, ahead: Ahead) -> Place:
        return Place(self._bars, ahead.events - self._events_at_bar)

    # ── the change ───────────────────────────────────────────────────────────────────────────────────────────────

    def is_to_be_confirmed(self, proposal: Proposal, has_script: bool) -> bool:
        """Whether to confirm: the proposal of the change, and new reducing proposals without a recorded key."""
        change = self._change
        if change is not None and change.kind is ChangeKind.CONFIRM and proposal.id == change.proposal:
            return True
        return not has_script and proposal.only_reduces and proposal.id not in self._known.proposals

    def _begin_day(self, at: datetime) -> None:
        """Apply the change of a day's start, right before the day's first event and input."""
        change = self._change
        if change is None or self._has_begun or self._state.calendar.venue.day_of(at) < self._known.day:
            return
        self._has_begun = True
        begins = self._state.calendar.venue.end_of(self._known.day - timedelta(days=1))
        settings = self._state.control.settings
        if change.kind is ChangeKind.OFF:
            for symbol in settings.symbols:
                self._say(begins, commands.PauseStrategy(change.name, Symbol(symbol)))
        elif self._settings is not None:
            self._say(begins, facts.SettingsApplied(self._settings(settings)))

    def _hear(self, _sequence: int, at: datetime, fact: facts.Fact) -> None:
        change = self._change
        if change is None:
            return
        match fact:
            case facts.ProposalStaged(proposal=proposal) if proposal.id == change.proposal:
                if change.kind is ChangeKind.CONFIRM:
                    self._diverge(at)
                elif change.kind is ChangeKind.DECLINE:
                    self._say(at + AT_ONCE, commands.Decline(proposal.id, "what if"))
                elif change.kind is ChangeKind.QUANTITY and change.number is not None:
                    self._say(at + AT_ONCE, commands.EditProposal(proposal.id, Quantity(change.number), None))
            case facts.OrderStateChanged(client_order_id=order_id, after=OrderStatus.FILLED) if order_id == change.name:
                self._on_filled(at, ClientOrderId(change.name), change)
            case facts.EditRefused(proposal_id=proposal_id, reasons=reasons) if proposal_id == change.proposal:
                self._taken.refused += reasons
            case facts.ConfirmationRefused(ticket_id=ticket_id, reasons=reasons) if self._is_of(ticket_id, change):
                self._taken.refused += reasons
            case facts.ProposalSkipped(symbol=symbol, reasons=reasons) if (at, symbol) == self._moves:
                # Retry like a person would: the broker may not have confirmed the stop yet.
                self._tries -= 1
                if self._tries:
                    self._move(at + BETWEEN_TRIES, symbol)
                else:
                    self._taken.refused += reasons

    def _on_filled(self, at: datetime, order_id: ClientOrderId, change: Change) -> None:
        order = self._state.ledger.order(order_id)
        if change.kind is ChangeKind.STOP and change.number is not None and order is not None:
            self._strategy, self._tries = order.strategy, TRIES
            self._move(at + AFTER_A_FILL, order.request.symbol)

    def _move(self, at: datetime, symbol: Symbol) -> None:
        assert self._change is not None
        assert self._change.number is not None
        self._moves = (at, symbol)
        self._say(at, commands.MoveStop(symbol, self._strategy, Price(self._change.number)))

    def _is_of(self, ticket_id: TicketId, change: Change) -> bool:
        stage = self._state.stage.state
        confirmed = stage.confirmations.get(ticket_id)
        ticket = confirmed.ticket if confirmed is not None else stage.tickets.get(ticket_id)
        return ticket is not None and ticket.proposal_id == change.proposal

    def _say(self, at: datetime, said: commands.Command | facts.SettingsApplied) -> None:
        if not isinstance(said, facts.SettingsApplied):
            said = self._script.through(addressed(said, self._state.account_name))
        heappush(self._own, (at, next(self._numbers), said))

    def _diverge(self, at: datetime) -> None:
        self._taken.at = self._taken.at or at

    # ── recorded inputs ──────────────────────────────────────────────────────────────────────────────────────────

    def _placed(self, heard: HeardFromOutside) -> Said | None:
        """Return an input for the current run; None if a change replaces it, or its target does not exist."""
        said: Any = heard.said
        if self._is_another:
            said = self._as_it_is_now(said)
        if said is None or not isinstance(said, commands.Keyed):
            return said
        return self._ports[heard.terminal, heard.user].through(said)

    def _as_it_is_now(self, said: Said) -> Said | None:
        match said:
            case SettingsFileSeen(answer=Settings() as answer) if self._settings is not None:
                self._file = self._settings(answer)
                return replace(said, answer=self._file)
            case ReloadLimits() if self._file is not None:
                return replace(said, digest=digest_of(self._file))
            case commands.ResumeStrategy(strategy=name) | commands.ReinstateStrategy(strategy=name) if self._is_off(
                name
            ):
                return None
            case commands.OpenTicket() | commands.Decline() | commands.EditProposal():
                return self._on_proposal(said)
            case commands.Confirm() | commands.LeaveTicket():
                return self._on_ticket(said)
            case commands.RequestCancel(client_order_id=order_id) | commands.EditOrder(client_order_id=order_id):
                now = self._names.of_order(order_id)
                return None if now is None else replace(said, client_order_id=now)
        return said

    def _is_off(self, strategy: str) -> bool:
        change = self._change
        return change is not None and change.kind is ChangeKind.OFF and change.name == strategy

    def _is_taken(self, proposal: ProposalId) -> bool:
        """Whether the change alone decides this proposal."""
        change = self._change
        return change is not None and change.kind in TAKES_THE_KEYS and proposal == change.proposal

    def _on_proposal(
        self, said: commands.OpenTicket | commands.Decline | commands.EditProposal
    ) -> commands.Command | None:
        if self._is_taken(said.proposal_id):
            return None
        now = self._names.of_proposal(said.proposal_id)
        return None if now is None else replace(said, proposal_id=now)

    def _on_ticket(self, said: commands.Confirm | commands.LeaveTicket) -> commands.Command | None:
        """Apply a key to the current ticket of the same proposal."""
        then = self._known.tickets.get(said.ticket_id)
        if then is None:
            return said
        if self._is_taken(then):
            return None
        now = self._names.of_proposal(then)
        ticket = next((t for t in self._state.stage.state.tickets.values() if t.proposal_id == now), None)
        if ticket is None:
            self._taken.unplaced += isinstance(said, commands.Confirm)
            return None
        if isinstance(said, commands.LeaveTicket):
            return replace(said, ticket_id=ticket.id)
        order, word = ticket.order, word_of(ticket.review)
        if not word or word == self._known.words.get(said.ticket_id):  # the word typed then applies
            word = said.word
        return replace(
            said, ticket_id=ticket.id, digest=ticket.digest, effect=order.effect, replaces=order.replaces, word=word
        )


def _is_before(at: datetime, ahead: Ahead) -> bool:
    return ahead.at is None or at < ahead.at


TAKES_THE_KEYS = frozenset({ChangeKind.CONFIRM, ChangeKind.DECLINE})
"""For these the change alone decides the proposal."""
