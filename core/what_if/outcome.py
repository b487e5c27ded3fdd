"""What a day came to as it was, and with the change: what is the same, what is not, and by how much."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from core.facts import OrderApproved, OrderStateChanged, ProposalEnded, ProposalSkipped, ProposalStaged, TicketOpened
from core.model.signal import ExitReason
from core.model.staging import MANUAL, Proposal
from core.model.values import ZERO, Money, ProposalId, TicketId, plain
from core.ports import Recorded
from core.post_mortem.post_mortem import PostMortem, TradeExplained
from core.risk.shadow_trades import BLOCKED
from core.what_if.changes import Change
from core.what_if.same_proposal import asks_the_same


@dataclass(frozen=True, slots=True)
class Decided:
    """A proposal of the day and what became of it: `confirmed`, how it ended, `blocked`, or `waits`."""

    record: Recorded
    proposal: Proposal
    end: str


@dataclass(frozen=True, slots=True)
class Base:
    """The day played again unchanged.

    Attributes
    ----------
    is_exact
        Byte for byte as it was recorded.
    records
        How many records of the runs were compared.
    first_other
        The number of the first record that is not as it was; None where all are.
    modelled
        What the replay makes up, in words: of a day whose inputs were not recorded.
    operator
        Who pressed keys by script, in words, and does in what is changed too; empty where nobody did.
    """

    is_exact: bool
    records: int
    first_other: int | None = None
    modelled: tuple[str, ...] = ()
    operator: str = ""

    @property
    def heading(self) -> str:
        """Of the unchanged day, over its figures."""
        return "its model" if self.modelled else "as it was" if self.is_exact else "replayed"


@dataclass(frozen=True, slots=True)
class Row:
    """A trade in both days, or in one alone; USD."""

    name: str
    was: Money | None
    now: Money | None

    @property
    def difference(self) -> Money:
        return Money((self.now or ZERO) - (self.was or ZERO))


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One change beside the unchanged day.

    Attributes
    ----------
    at
        When the change first acted; None where it never did.
    refused
        Why the desk did not take it.
    unplaced
        Keys of then that found no ticket to turn on.
    first_other
        The first record that is not as in the unchanged day; None where the whole day is the same.
    fate
        What became of the order that was changed; empty where the change is of none.
    came
        Proposals that were not there on the unchanged day.
    """

    words: str
    at: datetime | None
    refused: tuple[str, ...]
    unplaced: int
    first_other: Recorded | None
    rows: tuple[Row, ...]
    was: PostMortem
    now: PostMortem
    fate: str
    came: tuple[Decided, ...]

    @property
    def change_of_equity(self) -> tuple[Money | None, Money | None]:
        return self.was.days[0].change, self.now.days[0].change


@dataclass(frozen=True, slots=True)
class PlayedAgain:
    """A day and what was asked of it; `beside` has the trades of the day itself and of its model, where it is one."""

    day: date
    base: Base
    decided: tuple[Decided, ...]
    beside: tuple[Row, ...]
    answers: tuple[WhatIf, ...]


def rows_of(was: PostMortem, now: PostMortem) -> tuple[Row, ...]:
    """By the order that opened each, the oldest first."""
    before, after = _by_entry(was), _by_entry(now)
    every = {**after, **before}
    return tuple(
        Row(_name(told), _result(before.get(key)), _result(after.get(key)))
        for key, told in sorted(every.items(), key=lambda each: each[1].story.trade.entry_time)
    )


def _by_entry(found: PostMortem) -> dict[tuple[str, int], TradeExplained]:
    """A trade may begin with the order that ended another; so its place among them counts too."""
    known: dict[tuple[str, int], TradeExplained] = {}
    for told in found.trades:
        entry = str(told.story.trade.entry_order)
        known[entry, sum(1 for name, _ in known if name == entry)] = told
    return known


def _name(told: TradeExplained) -> str:
    trade = told.story.trade
    return f"{trade.symbol} {trade.strategy} {plain(trade.quantity)} ({str(trade.entry_order)[:6]})"


def _result(told: TradeExplained | None) -> Money | None:
    return None if told is None else told.story.trade.profit


def first_other(was: Sequence[Recorded], now: Sequence[Recorded]) -> Recorded | None:
    """Of the two, what stands first where they part: of the changed day, or of the other where that has no more."""
    for one, other in zip(was, now, strict=False):
        if (one.at, one.fact) != (other.at, other.fact):
            return other
    longer = now if len(now) > len(was) else was
    return longer[min(len(was), len(now))] if len(was) != len(now) else None


def decided_of(records: Sequence[Recorded]) -> tuple[Decided, ...]:
    """The proposals of a day, in their order."""
    staged: dict[ProposalId, tuple[Recorded, Proposal]] = {}
    ends: dict[ProposalId, str] = {}
    tickets: dict[TicketId, ProposalId] = {}
    blocked: list[Decided] = []
    for record in records:
        match record.fact:
            case ProposalStaged(proposal=proposal):
                staged[proposal.id] = (record, proposal)
            case TicketOpened(ticket=ticket):
                tickets[ticket.id] = ticket.proposal_id
            case OrderApproved(ticket_id=ticket_id) if ticket_id in tickets:
                ends[tickets[ticket_id]] = "confirmed"
            case ProposalEnded(proposal_id=proposal_id, end=end):
                ends.setdefault(proposal_id, end.value)
            case ProposalSkipped(proposal=skipped) if skipped is not None:
                blocked.append(Decided(record, skipped, BLOCKED))
    found = [Decided(record, proposal, ends.get(name, "waits")) for name, (record, proposal) in staged.items()]
    return tuple(sorted([*found, *blocked], key=lambda each: each.record.sequence))


def sum_of(rows: Sequence[Row]) -> Decimal:
    return sum((row.difference for row in rows), ZERO)


def fate_of(change: Change, records: Sequence[Recorded]) -> str:
    """Of the order that the change is about, by its last record; empty where it is about none."""
    if change.proposal is None:
        return ""
    states = [
        record.fact.after
        for record in records
        if isinstance(record.fact, OrderStateChanged) and record.fact.client_order_id == change.name
    ]
    return f"its order ended {states[-1].value}" if states else "no order of it was sent"


def came_new(was: Sequence[Decided], now: Sequence[Decided]) -> tuple[Decided, ...]:
    """What checks blocked aside."""
    known = {each.proposal.id: each.proposal for each in was}
    return tuple(each for each in now if each.end != BLOCKED and not _is_known(each.proposal, known))


def _is_known(proposal: Proposal, known: Mapping[ProposalId, Proposal]) -> bool:
    """A name alone says nothing: those of what is typed count up."""
    return any(asks_the_same(proposal, each) for each in known.values()) and (
        proposal.strategy == MANUAL or proposal.id in known or proposal.exit_reason is ExitReason.MANUAL
    )
