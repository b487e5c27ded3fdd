"""The receipts of drafts: what each agent drafted on which facts, who decided, and what came of it (OP-14).

A receipt is a record of the journal, with its sequence number: the proof of that record proves the receipt (SP-08).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum

from core import facts
from core.model.draft import CheckedFact, Draft
from core.model.lazy_dataclass import dataclass
from core.model.session import HOME
from core.model.values import Money, plain
from core.ports import Recorded

RECEIPT_FACTS = (
    facts.DraftReceived,
    facts.DraftRejected,
    facts.AgentOverstepped,
    facts.DraftNotStaged,
    facts.DraftDiffered,
    facts.DraftReviewed,
    facts.DraftEnded,
    facts.ProposalEnded,
    facts.TicketOpened,
    facts.ConfirmationReceived,
    facts.OrderFilled,
    facts.FillReversed,
    facts.TradeClosed,
)
"""The facts that are read; no other is needed."""


STAMP = "%Y-%m-%d %H:%M:%S"


class ReceiptKind(StrEnum):
    DRAFTED = "drafted"
    REJECTED = "rejected"
    OVERSTEPPED = "overstepped"
    NOT_STAGED = "not_staged"
    ADOPTED = "adopted"
    ENDED = "ended"
    """Declined, expired or withdrawn as a draft."""
    DIFFERED = "differed"
    """Facts that could not be checked before differ at its ticket."""
    REVIEWED = "reviewed"
    """The operator reviewed the facts that differ."""
    PROPOSAL_ENDED = "proposal_ended"
    CONFIRMED = "confirmed"
    FILLED = "filled"
    REVERSED = "reversed"
    """The broker took fills back."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Receipt:
    """One step of one draft.

    Attributes
    ----------
    sequence
        Of its record in the journal.
    agent
        Empty if the record does not name a known draft.
    number
        Of the draft; None for one that was never accepted.
    person
        Who decided, as `user at terminal`; empty where nobody did.
    order_id
        Of its proposal and order; empty before.
    text
        The draft, the reason or the result.
    """

    sequence: int
    at: datetime
    kind: ReceiptKind
    agent: str
    number: int | None
    person: str = ""
    order_id: str = ""
    text: str = ""


def receipts_in(records: Iterable[Recorded]) -> Iterator[Receipt]:
    """Yield the receipts in these records, oldest first. Read whole days, so that the drafts are known."""
    drafts: dict[int, Draft] = {}
    orders: dict[str, int] = {}
    tickets: dict[str, str] = {}
    for record in records:
        fact, sequence, at = record.fact, record.sequence, record.at

        def step(
            kind: ReceiptKind,
            number: int,
            text: str,
            person: str = "",
            order_id: str = "",
            place: tuple[int, datetime] = (sequence, at),
        ) -> Receipt:
            agent = drafts[number].agent if number in drafts else ""
            return Receipt(*place, kind, agent, number, person, order_id, text)

        match fact:
            case facts.DraftReceived(draft=draft):
                drafts[draft.number] = draft
                stated = _stated(draft.facts)
                yield step(ReceiptKind.DRAFTED, draft.number, f"{draft.in_words}: {draft.reason} [{stated}]")
            case facts.DraftRejected():
                text = f"{fact.text}: {fact.code.value}: {'; '.join(fact.reasons)}"
                yield Receipt(sequence, at, ReceiptKind.REJECTED, fact.agent, None, text=text)
            case facts.AgentOverstepped():
                yield Receipt(sequence, at, ReceiptKind.OVERSTEPPED, fact.agent, None, text=fact.attempt)
            case facts.DraftNotStaged():
                yield step(ReceiptKind.NOT_STAGED, fact.number, "; ".join(fact.reasons))
            case facts.DraftDiffered():
                yield step(ReceiptKind.DIFFERED, fact.number, _stated(fact.differing))
            case facts.DraftReviewed():
                yield step(ReceiptKind.REVIEWED, fact.number, _stated(fact.differing))
            case facts.DraftEnded(proposal_id=None):
                text = f"{fact.end.value}: {fact.reason}"
                yield step(ReceiptKind.ENDED, fact.number, text, _person(fact.user, fact.terminal))
            case facts.DraftEnded():
                orders[str(fact.proposal_id)] = fact.number
                person = _person(fact.user, fact.terminal)
                yield step(ReceiptKind.ADOPTED, fact.number, "", person, str(fact.proposal_id))
            case facts.ProposalEnded(proposal_id=name) if str(name) in orders:
                text = f"{fact.end.value}: {fact.reason}"
                yield step(ReceiptKind.PROPOSAL_ENDED, orders[str(name)], text, "", str(name))
            case facts.TicketOpened(ticket=ticket) if str(ticket.proposal_id) in orders:
                tickets[ticket.id] = str(ticket.proposal_id)
            case facts.ConfirmationReceived(ticket_id=ticket_id) if ticket_id in tickets:
                signed, person = tickets[ticket_id], _person(fact.user, fact.terminal)
                yield step(ReceiptKind.CONFIRMED, orders[signed], "", person, signed)
            case facts.OrderFilled(fill=fill) if fill.client_order_id in orders:
                text = f"{plain(fill.quantity)} at {plain(fill.price)}"
                yield step(ReceiptKind.FILLED, orders[fill.client_order_id], text, "", fill.client_order_id)
            case facts.FillReversed(client_order_id=order) if order in orders:
                text = f"{plain(fact.quantity)} taken back by the broker"
                yield step(ReceiptKind.REVERSED, orders[order], text, "", order)
            case facts.TradeClosed(trade=trade) if trade.entry_order in orders:
                yield step(
                    ReceiptKind.CLOSED, orders[trade.entry_order], _usd(trade.profit), "", str(trade.entry_order)
                )


def _stated(checked: Iterable[CheckedFact]) -> str:
    words = (f"{one.fact.symbol} {one.fact.field} {plain(one.fact.value)} {one.result.value}" for one in checked)
    return "; ".join(each.strip() for each in words)


def _person(user: str, terminal: str) -> str:
    return f"{user} at {terminal}" if user else ""


def _usd(profit: Money) -> str:
    return f"{plain(profit)} USD"


def receipt_as_json(receipt: Receipt) -> dict[str, object]:
    return {
        "sequence": receipt.sequence,
        "at": receipt.at.isoformat(),
        "kind": receipt.kind.value,
        "agent": receipt.agent,
        "draft": receipt.number,
        "person": receipt.person,
        "order": receipt.order_id,
        "text": receipt.text,
    }


def receipt_in_words(receipt: Receipt) -> str:
    whose = f"{receipt.agent} draft {receipt.number}" if receipt.number is not None else receipt.agent
    by = f" by {receipt.person}" if receipt.person else ""
    said = f": {receipt.text}" if receipt.text else ""
    return (
        f"{HOME.told(receipt.at, STAMP)}  #{receipt.sequence}  {whose} {receipt.kind.value.replace('_', ' ')}{by}{said}"
    )
