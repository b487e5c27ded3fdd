"""The outcomes of a day with and without the change, as values, text and JSON (AN-06)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from core.analytics.equity import to_the_cent
from core.facts import OrderApproved, OrderStateChanged, ProposalEnded, ProposalSkipped, ProposalStaged, TicketOpened
from core.model.lazy_dataclass import dataclass
from core.model.session import HOME
from core.model.signal import ExitReason
from core.model.staging import MANUAL, Proposal
from core.model.values import ZERO, Money, ProposalId, TicketId, plain
from core.ports import Recorded
from core.post_mortem.page import SHOWN, instant, told_of, usd
from core.post_mortem.post_mortem import PostMortem, TradeExplained
from core.risk.shadow_trades import BLOCKED
from core.what_if.changes import Change
from core.what_if.input_replayer import asks_the_same


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


WIDE = 34


def lines_of(found: PlayedAgain) -> Iterator[str]:
    yield from _base(found)
    if found.base.operator:
        yield f"  {found.base.operator}"
    if not found.answers:
        yield from _decided(found.decided)
    for answer in found.answers:
        yield ""
        yield from _answer(answer, found.base.heading)


def _base(found: PlayedAgain) -> Iterator[str]:
    base = found.base
    if base.modelled:
        yield f"{found.day} again, a model of it: its inputs were not recorded"
        yield from (f"  {words}" for words in base.modelled)
        yield f"  {'':<{WIDE}}{'the day':>12}{'its model':>12}{'difference':>12}"
        if not found.beside:
            yield "  no trade of either"
        yield from (_line(row.name, row.was, row.now) for row in found.beside)
    elif base.is_exact:
        yield f"{found.day} again: byte for byte as it was recorded, {base.records:,} records"
    else:
        yield (
            f"{found.day} again: NOT as it was recorded from record {base.first_other} on; what follows compares two "
            "replays"
        )


def _decided(decided: tuple[Decided, ...]) -> Iterator[str]:
    if not decided:
        yield "nothing was proposed on that day"
        return
    yield "proposals of the day, for --change:"
    blocked = [each for each in decided if each.end == BLOCKED]
    for each in decided:
        if each.end == BLOCKED:
            continue
        yield f"  {_proposal(each)}"
    if blocked:
        yield f"  and {len(blocked)} that checks blocked: only set: lets them by; `keyturn explain` has them"


def _proposal(each: Decided) -> str:
    order = each.proposal.order
    what = f"{order.side.value.upper()} {plain(order.quantity)} {each.proposal.symbol} {each.proposal.strategy}"
    return f"{str(each.proposal.id)[:8]} {instant(each.record)} {what}: {each.end}"


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _answer(answer: WhatIf, heading: str) -> Iterator[str]:
    yield f"what if {answer.words}"
    yield from (f"  the desk did not take it: {reason}" for reason in answer.refused)
    if answer.at is None:
        yield "  it never came to it: the day is the same"
        return
    other = answer.first_other
    if other is None:
        yield "  every record of the day is the same"
        return
    yield f"  from {HOME.local(other.at):%H:%M:%S} on the day is another: {told_of(other)}"
    if answer.fate:
        yield f"  {answer.fate}"
    if answer.unplaced:
        yield f"  {_many(answer.unplaced, 'key')} of then found no ticket to turn on"
    for each in answer.came[:SHOWN]:
        yield f"  was not there: {_proposal(each)}"
    if len(answer.came) > SHOWN:
        yield f"  and {len(answer.came) - SHOWN} more that were not there"
    yield f"  {'':<{WIDE}}{heading:>12}{'changed':>12}{'difference':>12}"
    was, now = answer.change_of_equity
    if was is None or now is None:
        yield _line("the day, by what is known of it", answer.was.days[0].explained, answer.now.days[0].explained)
    else:
        yield _line("equity of the day", was, now)
    is_long = len(answer.rows) > SHOWN
    for row in answer.rows:
        if row.was != row.now or not is_long:
            yield _line(row.name, row.was, row.now)
    rest = _rests(answer)
    if any(rest):
        yield _line("what is still held, and cents", *rest)
    same = sum(1 for row in answer.rows if row.was == row.now)
    yield f"  {_many(len(answer.rows), 'trade')}, {same} the same; results differ by {usd(sum_of(answer.rows))} USD"


def _rests(answer: WhatIf) -> tuple[Decimal, Decimal]:
    return (
        _rest(answer.was, (row.was for row in answer.rows)),
        _rest(answer.now, (row.now for row in answer.rows)),
    )


def _rest(post: PostMortem, results: Iterable[Decimal | None]) -> Decimal:
    """Return the part of the day's change that no closed trade made: open positions, and rounding."""
    day = post.days[0]
    whole = day.explained if day.change is None else day.change
    return whole - to_the_cent(sum((result or ZERO for result in results), ZERO))


def _line(name: str, was: Decimal | None, now: Decimal | None) -> str:
    difference = None if was is None and now is None else (now or ZERO) - (was or ZERO)
    return f"  {name:<{WIDE}}{usd(was):>12}{usd(now):>12}{usd(difference):>12}"


def as_json(found: PlayedAgain) -> dict[str, object]:
    return {
        "day": found.day,
        "base": {
            "is_exact": found.base.is_exact,
            "records": found.base.records,
            "first_other": found.base.first_other,
            "modelled": list(found.base.modelled),
            "operator": found.base.operator,
        },
        "beside": [_row_as_json(row) for row in found.beside],
        "proposals": [_decided_as_json(each) for each in found.decided],
        "changes": [_answer_as_json(answer) for answer in found.answers],
    }


def _decided_as_json(each: Decided) -> dict[str, object]:
    return {
        "id": str(each.proposal.id),
        "record": each.record.sequence,
        "at": each.record.at,
        "symbol": each.proposal.symbol,
        "strategy": each.proposal.strategy,
        "side": each.proposal.order.side.value,
        "quantity": str(each.proposal.order.quantity),
        "end": each.end,
    }


def _answer_as_json(answer: WhatIf) -> dict[str, object]:
    was, now = answer.change_of_equity
    other = answer.first_other
    return {
        "change": answer.words,
        "at": answer.at,
        "refused": list(answer.refused),
        "unplaced": answer.unplaced,
        "fate": answer.fate,
        "came": [_decided_as_json(each) for each in answer.came],
        "first_other": None if other is None else {"record": other.sequence, "at": other.at, "words": told_of(other)},
        "equity_change": {"was": _number(was), "now": _number(now)},
        "held_and_cents": {name: _number(rest) for name, rest in zip(("was", "now"), _rests(answer), strict=True)},
        "trades": [_row_as_json(row) for row in answer.rows],
    }


def _row_as_json(row: Row) -> dict[str, object]:
    return {
        "name": row.name,
        "was": _number(row.was),
        "now": _number(row.now),
        "difference": _number(row.difference),
    }


def _number(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:.2f}"
