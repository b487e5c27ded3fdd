"""The outcomes of a day with and without the change, and their differences."""

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
    """A proposal of the day and its end: `confirmed`, the way it ended, `blocked`, or `waits`."""

    record: Recorded
    proposal: Proposal
    end: str


@dataclass(frozen=True, slots=True)
class Base:
    """The unchanged replay of the day.

    Attributes
    ----------
    is_exact
        Whether it equals the recording byte for byte.
    records
        The number of compared records.
    first_other
        The number of the first record that differs; None if none does.
    modelled
        The model's assumptions, as text, for a day without recorded inputs.
    operator
        The scripted operator, as text, which also operates the changed replay; empty without one.
    """

    is_exact: bool
    records: int
    first_other: int | None = None
    modelled: tuple[str, ...] = ()
    operator: str = ""

    @property
    def heading(self) -> str:
        """The heading of the unchanged day's figures."""
        return "its model" if self.modelled else "as it was" if self.is_exact else "replayed"


@dataclass(frozen=True, slots=True)
class Row:
    """A trade of both days, or of one of them; USD."""

    name: str
    was: Money | None
    now: Money | None

    @property
    def difference(self) -> Money:
        return Money((self.now or ZERO) - (self.was or ZERO))


@dataclass(frozen=True, slots=True)
class WhatIf:
    """One change compared with the unchanged day.

    Attributes
    ----------
    at
        When the change first took effect; None if it never did.
    refused
        The desk's reasons for refusing it.
    unplaced
        The number of recorded keys without a matching ticket.
    first_other
        The first record that differs from the unchanged day; None if the whole day is equal.
    fate
        The end of the changed order; empty if the change is about no order.
    came
        Proposals that the unchanged day did not have.
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
    """A day and the results of its changes; `beside` compares the day's trades with its model's."""

    day: date
    base: Base
    decided: tuple[Decided, ...]
    beside: tuple[Row, ...]
    answers: tuple[WhatIf, ...]


def rows_of(was: PostMortem, now: PostMortem) -> tuple[Row, ...]:
    """Return the trades, matched by the order that opened each, the oldest first."""
    before, after = _by_entry(was), _by_entry(now)
    every = {**after, **before}
    return tuple(
        Row(_name(told), _result(before.get(key)), _result(after.get(key)))
        for key, told in sorted(every.items(), key=lambda each: each[1].story.trade.entry_time)
    )


def _by_entry(found: PostMortem) -> dict[tuple[str, int], TradeExplained]:
    """Index trades by entry order; that order may have closed another trade, so its occurrence counts too."""
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
    """Return the first differing record: the changed day's, or the other's if that one has ended."""
    for one, other in zip(was, now, strict=False):
        if (one.at, one.fact) != (other.at, other.fact):
            return other
    longer = now if len(now) > len(was) else was
    return longer[min(len(was), len(now))] if len(was) != len(now) else None


def decided_of(records: Sequence[Recorded]) -> tuple[Decided, ...]:
    """Return the proposals of a day in order."""
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
    """Return the last status of the changed order; empty if the change is about no order."""
    if change.proposal is None:
        return ""
    states = [
        record.fact.after
        for record in records
        if isinstance(record.fact, OrderStateChanged) and record.fact.client_order_id == change.name
    ]
    return f"its order ended {states[-1].value}" if states else "no order of it was sent"


def came_new(was: Sequence[Decided], now: Sequence[Decided]) -> tuple[Decided, ...]:
    """Return the new proposals, except for those blocked by checks."""
    known = {each.proposal.id: each.proposal for each in was}
    return tuple(each for each in now if each.end != BLOCKED and not _is_known(each.proposal, known))


def _is_known(proposal: Proposal, known: Mapping[ProposalId, Proposal]) -> bool:
    """Whether the proposal is known. The name alone is not enough: manual proposals are numbered."""
    return any(asks_the_same(proposal, each) for each in known.values()) and (
        proposal.strategy == MANUAL or proposal.id in known or proposal.exit_reason is ExitReason.MANUAL
    )
