"""Keys without a keyboard: a script of timed keys, and an operator that confirms everything.

Both press the same keys as a person, and are accepted only on the simulated exchange.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from pathlib import Path

from core.facts import ConfirmationRefused, Fact, ProposalStaged, TicketOpened
from core.files.regular_file import bytes_of
from core.messages import commands
from core.model.basket import BasketPhase, BasketSource
from core.model.lazy_dataclass import dataclass
from core.model.order import CONFIRMING_KEYS, REPLACING_KEY
from core.model.staging import Proposal, Ticket
from core.model.values import ProposalId
from core.ports import OperatorError
from core.risk.recent_entries import word_of
from core.risk.standard_gate import standard_gate
from core.trading_state.state import TradingState
from core.workflows.baskets import digest_now, rehearsed

TO_OPEN = timedelta(milliseconds=500)
TO_CONFIRM = timedelta(seconds=1)
ARMED_AFTER = timedelta(milliseconds=400)
ARMED_AFTER_IF_REDUCING = timedelta(milliseconds=200)
"""How long a ticket must have been open before its key counts (OP-04)."""


class ScriptError(OperatorError):
    """A script that cannot be read; the message names the line and the expected format."""


@dataclass(frozen=True, slots=True)
class TimedKey:
    at: datetime
    key: str


class ConfirmAll:
    """Press the right key on each proposal, entries and exits, 1 s after staging; later if its ticket opens later.

    An exit whose confirmation was refused is opened again. Proposals that are not `wanted` are ignored.
    """

    def __init__(self, state: TradingState, wanted: Callable[[Proposal], bool] = lambda _proposal: True) -> None:
        self.state = state
        self._wanted = wanted
        self._due: list[tuple[datetime, int, commands.Command]] = []
        self._numbers = count()
        self._staged: dict[ProposalId, datetime] = {}
        state.add_listener(self._hear)

    def next_at(self) -> datetime | None:
        return self._due[0][0] if self._due else None

    def press(self, at: datetime) -> Iterator[commands.Command]:
        yield heappop(self._due)[2]

    def retire(self) -> None:
        """Press nothing more."""
        self._due.clear()
        self.state.remove_listener(self._hear)

    def _hear(self, _sequence: int, at: datetime, fact: Fact) -> None:
        if isinstance(fact, ProposalStaged):
            if self._wanted(fact.proposal):
                self._open(at, fact.proposal.id)
        elif isinstance(fact, TicketOpened) and self._is_wanted(fact.ticket.proposal_id):
            ticket = fact.ticket
            aimed = self._staged.pop(ticket.proposal_id, at) + TO_CONFIRM
            wait = ARMED_AFTER_IF_REDUCING if ticket.order.effect.only_reduces else ARMED_AFTER
            self._at(max(aimed, at + wait), turn_of(ticket))
        elif isinstance(fact, ConfirmationRefused):
            stage = self.state.stage.state
            confirmed = stage.confirmations.get(fact.ticket_id)
            refused = confirmed.ticket if confirmed else stage.tickets.get(fact.ticket_id)
            proposal = stage.proposals.get(refused.proposal_id) if refused is not None else None
            if refused is not None and proposal is not None and proposal.is_exit:
                self._open(at, refused.proposal_id)

    def _is_wanted(self, proposal_id: ProposalId) -> bool:
        proposal = self.state.stage.state.proposals.get(proposal_id)
        return proposal is None or self._wanted(proposal)

    def _open(self, at: datetime, proposal_id: ProposalId) -> None:
        self._staged[proposal_id] = at
        self._at(at + TO_OPEN, commands.OpenTicket(proposal_id))

    def _at(self, at: datetime, command: commands.Command) -> None:
        heappush(self._due, (at, next(self._numbers), command))


class Script:
    """Press the keys of a script, each at its time, on the first list entry or the open ticket."""

    def __init__(self, state: TradingState, keys: Iterable[TimedKey]) -> None:
        self.state = state
        self._gate = standard_gate()
        self._keys = sorted(keys, key=lambda key: key.at)

    def next_at(self) -> datetime | None:
        return self._keys[0].at if self._keys else None

    def press(self, at: datetime) -> Iterator[commands.Command]:
        key = self._keys.pop(0).key
        ticket = next(iter(self.state.stage.state.tickets.values()), None)
        if key in (*CONFIRMING_KEYS.values(), REPLACING_KEY):
            yield from self._turn(ticket, key, at)
            return
        if key in PLAN_KEYS:
            yield from self._plan(key, at)
            return
        yield from self._act(key, ticket)

    def _turn(self, ticket: Ticket | None, key: str, at: datetime) -> Iterator[commands.Command]:
        if ticket is None or ticket.order.confirming_key != key:
            return
        wait = ARMED_AFTER_IF_REDUCING if ticket.order.effect.only_reduces else ARMED_AFTER
        if at >= ticket.opened_at + wait:
            yield turn_of(ticket)

    def _plan(self, key: str, at: datetime) -> Iterator[commands.Command]:
        """Press a key on the open or running basket; `space` marks the first unmarked line."""
        run = self.state.plans.run
        if key == "p":
            yield commands.OpenBasket(BasketSource.PROPOSALS)
        elif run is None:
            return
        elif key == "space":
            unmarked = [line for line in run.plan.lines if line.proposal.id not in run.marked]
            yield from (commands.MarkInBasket(run.id, line.proposal.id, True) for line in unmarked[:1])
        elif key == "P" and run.is_open and at >= run.plan.opened_at + ARMED_AFTER:
            tried = rehearsed(self.state, self._gate, run)
            going = [t for t in tried if t.fits and t.proposal.id in run.marked]
            yield commands.SignBasket(run.id, digest_now(self.state, run, going))
        elif key == "O" and run.phase is BasketPhase.ASKING:
            yield commands.AnswerBasket(run.id, True, run.phase_since)
        elif key == "s":
            yield commands.LeaveBasket(run.id)

    def _act(self, key: str, ticket: Ticket | None) -> Iterator[commands.Command]:
        state = self.state
        proposal = next(iter(state.stage.proposals()), None)
        position = next(iter(state.ledger.positions()), None)
        order = next(state.ledger.working(), None)
        match key:
            case "enter" if proposal is not None:
                yield commands.OpenTicket(proposal.id)
            case "x" if proposal is not None:
                yield commands.Decline(proposal.id, "")
            case "c" if position is not None:
                yield commands.ProposeClose(position.symbol)
            case "d" if order is not None:
                yield commands.RequestCancel(order.id)
            case "F":
                yield commands.ProposeFlattening()
            case "ctrl+k":
                yield commands.Halt("key")
            case "K" if state.control.halts:
                yield commands.Kill("key")
            case "escape":
                if ticket is not None:
                    yield commands.LeaveTicket(ticket.id)
            case "U":
                yield commands.Resume()
            case "REARM":
                yield commands.Rearm("REARM")


def turn_of(ticket: Ticket) -> commands.Confirm:
    """Return the confirmation of this ticket, with the word that it asks for."""
    return commands.Confirm(
        ticket.id, ticket.digest, ticket.order.effect, ticket.order.replaces, word=word_of(ticket.review)
    )


PLAN_KEYS = ("p", "space", "P", "O", "s")
KEYS = ("enter", "B", "H", "S", "C", "R", "x", "c", "d", "F", "ctrl+k", "K", "U", "escape", "REARM", *PLAN_KEYS)
"""The keys that a script may press."""

LARGEST_SCRIPT = 1_000_000
"""The maximum size of a script file, in bytes."""

_LINE = re.compile(r"(at|after)\s+(\S+)\s+key\s+(\S+)")


def text_of_script(path: Path) -> str:
    """Read the text of a script file. Raises `ScriptError`."""
    try:
        return bytes_of(path, LARGEST_SCRIPT).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ScriptError(f"{path} is not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise ScriptError(
            f"{path} cannot be read: {error.strerror or error}; name a script of keys, `none` or `confirm-all`"
        ) from None


def read_script(text: str, start: datetime, name: str) -> tuple[TimedKey, ...]:
    """Parse a script with one key per line, `at TIME key KEY` or `after SECONDS key KEY`.

    TIME is ISO 8601 with a zone (or Z); `after` counts from the previous line, or from `start`. Empty lines and lines
    that begin with # are skipped.

    Raises
    ------
    ScriptError
        Names the line.
    """
    keys: list[TimedKey] = []
    last = start
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        last = _time_of(stripped, last, f"{name}:{number}")
        keys.append(TimedKey(last, stripped.split()[3]))
    return tuple(keys)


def _time_of(line: str, last: datetime, place: str) -> datetime:
    found = _LINE.fullmatch(line)
    if found is None:
        raise ScriptError(f"{place}: {line!r}: a line reads `at TIME key KEY` or `after SECONDS key KEY`")
    word, moment, key = found.groups()
    if key not in KEYS:
        raise ScriptError(f"{place}: no such key {key!r}; one of {' '.join(KEYS)}")
    try:
        at = last + timedelta(seconds=float(moment)) if word == "after" else datetime.fromisoformat(moment)
    except (ValueError, OverflowError):
        raise ScriptError(f"{place}: {moment!r} is no {'number of seconds' if word == 'after' else 'time'}") from None
    if at.tzinfo is None:
        raise ScriptError(f"{place}: {moment!r} has no zone; write 2013-10-08T14:51:01Z")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ScriptError(f"{place}: {moment!r} is before the first year or after the last, in UTC") from None
