"""Build the rows of the log pane: facts grouped into stories, each with its symbol."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice

from core import facts
from core.event_text import in_words, kind_of, severity_of
from core.event_text.lines import ENGINE, SOURCES, level_of, strategy_of
from core.facts import Fact
from core.messages.commands import Halt, Kill
from core.model.codes import FAILED_CLOSES, MADE_WAY, RefusalKind
from core.model.desk import DeskNumber
from core.model.lazy_dataclass import dataclass
from core.model.order_terms import order_in_words, purpose_in_words
from core.model.staging import MANUAL
from core.model.text_sanitizer import WARN, SaidOnce
from core.model.values import ClientOrderId, Price, Symbol
from core.ports import Recorded
from core.trading_state.notifications import FailedClose
from core.trading_state.state import TradingState
from core.views import LogRow, NotEdited, NotStaged, ProposalOutcome
from core.views.order_chain import subject_of

PARTS = ("proposal", "order", "ticket", "fill", "trade", "signal")
"""Parts that a fact may contain; a ticket contains its order."""
NAMES = ("id", "client_order_id", "proposal_id", "ticket_id")
"""Fields by which later facts may name it."""
MOST = 2000
"""Names that are remembered."""


class SymbolOfFact:
    """Receives every fact in order: a fact that only names an order follows one that contained it."""

    def __init__(self) -> None:
        self._by_name: dict[str, Symbol] = {}

    def of(self, fact: Fact) -> Symbol | None:
        parts = [fact, *(part for name in PARTS if (part := getattr(fact, name, None)) is not None)]
        parts += [order for part in parts if (order := getattr(part, "order", None)) is not None]
        names = [name for part in parts for each in NAMES if isinstance(name := getattr(part, each, None), str)]
        told = (symbol for part in parts if isinstance(symbol := getattr(part, "symbol", None), str))
        symbol = next(told, None) or next((self._by_name[name] for name in names if name in self._by_name), None)
        if symbol is None:
            return None
        for name in names:
            self._by_name[name] = Symbol(symbol)
        while len(self._by_name) > MOST:
            del self._by_name[next(iter(self._by_name))]
        return Symbol(symbol)


REMEMBERED = 2_000
"""Proposals, tickets and orders that are remembered: many more than the log has rows, and a megabyte at most."""
STEPS = (
    facts.ProposalStaged,
    facts.ProposalEdited,
    facts.ProposalEnded,
    facts.TicketOpened,
    facts.TicketClosed,
    facts.ConfirmationReceived,
    facts.OrderApproved,
    facts.AuthorizationProlonged,
    facts.AuthorizationEnded,
    facts.ApprovalRedeemed,
    facts.OrderCreated,
    facts.OrderSent,
    facts.OrderStateChanged,
    facts.OrderFilled,
    facts.PositionChanged,
    facts.LegResized,
    facts.CancelRequested,
    facts.OrderKept,
    facts.KeptOrderReleased,
)
"""Facts shown in the line of their story; doubts, warnings, refusals, blocks and failures have their own lines."""


@dataclass(frozen=True, slots=True)
class Story:
    """`id` is that of its first proposal or order, `order` that of its first order; None before there is one."""

    id: str
    strategy: str = ""
    order: ClientOrderId | None = None


class Stories:
    """Receives every fact in order; it knows only facts that it received."""

    def __init__(self) -> None:
        self._by_subject: OrderedDict[str, Story] = OrderedDict()
        self._filled: Story | None = None

    def of(self, fact: facts.Fact) -> Story | None:
        """Return the story of a fact; a position directly after a fill belongs to the fill's story."""
        if isinstance(fact, facts.PositionChanged):
            filled, self._filled = self._filled, None
            return filled
        if not isinstance(fact, facts.OrderStateChanged):
            self._filled = None
        subject = subject_of(fact)
        if subject is None:
            return None
        story = self._begun(fact, subject)
        if isinstance(fact, facts.OrderFilled):
            self._filled = story
        return story

    def is_step(self, fact: facts.Fact) -> bool:
        """Whether a fact is shown in the line of its story; a failed close has its own line."""
        if isinstance(fact, facts.AuthorizationEnded):
            return fact.code not in FAILED_CLOSES
        return isinstance(fact, STEPS)

    def _begun(self, fact: facts.Fact, subject: str) -> Story:
        known = self._by_subject.get(subject)
        match fact:
            case facts.OrderCreated() if known is None or known.order is None:
                return self._keep(subject, self._of_order(fact))
            case facts.TicketOpened() | facts.BasketTurnBegun():
                proposal = fact.ticket.proposal_id if isinstance(fact, facts.TicketOpened) else fact.proposal_id
                ticket = fact.ticket.id if isinstance(fact, facts.TicketOpened) else fact.ticket_id
                return self._keep(ticket, self._by_subject.get(proposal) or Story(proposal))
            case facts.ApprovalRedeemed() if known is None:
                signed = self._by_subject.get(fact.approval.ticket_id)
                if signed is not None:
                    return signed
        if known is None:
            order = ClientOrderId(subject) if isinstance(fact, facts.OrderFilled | facts.OrderStateChanged) else None
            known = self._keep(subject, Story(subject, strategy_of(fact), order))
        return known

    def _of_order(self, fact: facts.OrderCreated) -> Story:
        """Return the story of a new order: the entry's for a leg or a stop, else the proposal's."""
        id = fact.order.client_order_id
        entry = None if fact.parent is None else self._by_subject.get(fact.parent)
        if entry is not None:
            return entry
        proposal = self._by_subject.get(fact.proposal_id)
        if proposal is not None and proposal.order is None and fact.parent is None:
            return self._keep(fact.proposal_id, Story(proposal.id, fact.strategy, id))
        return Story(id, fact.strategy, id)

    def _keep(self, subject: str, story: Story) -> Story:
        self._by_subject[subject] = story
        self._by_subject.move_to_end(subject)
        if len(self._by_subject) > REMEMBERED:
            self._by_subject.popitem(last=False)
        return story


ROWS = 500
REFUSALS = 20
LOOKED_AT = 20_000
"""Maximum records read from the journal's end at a start: a day of twenty symbols and its orders."""
NOTE = "note"
QUIET = (
    facts.BarClosed,
    facts.SignalRaised,
    facts.ReasonsCounted,
    facts.UpdateIgnored,
    facts.MarginSampled,
    facts.VixMeasured,
    facts.NotificationDue,
    facts.NotificationBegun,
    facts.NotificationSent,
    facts.NotificationSettled,
    facts.NotificationWithdrawn,
)
"""Facts that are not shown in the log pane."""
PRESSES = frozenset({Halt.__name__, Kill.__name__})
ASKED_AGAIN = frozenset({"account", "books"})
"""Requests that the desk repeats: the same failure is logged once, and again after a recovery."""
OF_A_DESK = (facts.CommandRefused, facts.KeyTaken, facts.KeyFreed)
REFUSING = (
    facts.CommandRefused,
    facts.ConfirmationRefused,
    facts.EditRefused,
    facts.ProposalSkipped,
    facts.SubmissionBlocked,
    facts.BasketRefused,
    facts.PromotionRefused,
)


class EventLog:
    """Receives every fact but bars.

    Attributes
    ----------
    endings, staged
        Counted since the start: earlier endings answer no open question.
    failed_closes
        Closes that failed since the start: the position is still there.
    signal_prices
        The price at which each waiting proposal was staged, unaffected by edits.
    """

    def __init__(self, failed_close: Callable[[facts.Fact], FailedClose | None]) -> None:
        self._failed_close = failed_close
        self.rows: deque[LogRow] = deque(maxlen=ROWS)
        self.refusals: deque[LogRow] = deque(maxlen=REFUSALS)
        self.endings: deque[ProposalOutcome] = deque(maxlen=REFUSALS)
        self.failed_closes: deque[LogRow] = deque(maxlen=REFUSALS)
        self.staged = 0
        self.signal_prices: dict[str, Price | None] = {}
        self._orders_of: dict[str, str] = {}
        self._symbols = SymbolOfFact()
        self._noted = 0
        self._asked_at: datetime | None = None
        """When a desk's last command was handled."""
        self._failing = SaidOnce()
        self._making_way: deque[str] = deque(maxlen=REFUSALS)
        """The last orders cancelled to make way for an exit; of a pair, the broker itself cancels the other."""
        self.stories = Stories()

    def recall(self, state: TradingState) -> None:
        """Load the last rows of the journal's last day from its end. Raises JournalError, OSError."""
        today = state.calendar.trading_day(state.journal.last_at) if state.journal.sequence else None
        found: list[Recorded] = []
        for recorded in islice(state.journal.backwards(), LOOKED_AT):
            if len(found) == ROWS or state.calendar.trading_day(recorded.at) != today:
                break
            if not isinstance(recorded.fact, QUIET):
                found.append(recorded)
        for recorded in reversed(found):
            if self._is_told(recorded.at, recorded.fact):
                continue
            row = self._write(recorded.sequence, recorded.at, recorded.fact)
            if isinstance(recorded.fact, REFUSING):
                self.refusals.append(row)

    def hear(self, sequence: int, at: datetime, fact: facts.Fact) -> None:
        if isinstance(fact, QUIET) or self._is_told(at, fact):
            return
        row = self._write(sequence, at, fact)
        if isinstance(fact, facts.ProposalStaged):
            self.staged += 1
        if isinstance(fact, REFUSING):
            self.refusals.append(row)
        if (failed := self._failed_close(fact)) is not None:
            words = fact.reason if isinstance(fact, facts.AuthorizationEnded) else failed.words
            self.failed_closes.append(replace(row, text=words))
        if isinstance(fact, facts.ProposalEnded):
            self.endings.append(ProposalOutcome(fact.proposal_id, fact.end, fact.reason))

    def note(self, notes: Sequence[str], at: datetime) -> None:
        """Add notes for the operator that are not recorded, such as problems of loading or a missing part.

        Their numbers are below zero.
        """
        for number, text in enumerate(notes[self._noted :], self._noted + 1):
            self.rows.append(LogRow(-number, at, NOTE, text, level=WARN, source=ENGINE))
        self._noted = len(notes)

    def _is_told(self, at: datetime, fact: facts.Fact) -> bool:
        """Whether the log already tells it, or its result.

        That is a repeated failure of a request that the desk repeats by itself, a command other than a press, and a
        failed cancel of an order that had ended already and was to make way.
        """
        if isinstance(fact, facts.CancelRequested) and fact.code in MADE_WAY:
            self._making_way.append(fact.client_order_id)
        if isinstance(fact, facts.CancelFailed) and fact.refusal is RefusalKind.NOT_WORKING:
            return fact.client_order_id in self._making_way
        if isinstance(fact, facts.CommandGiven):
            self._asked_at = at
            return fact.command not in PRESSES
        if isinstance(fact, facts.CallAnswered):
            self._failing.forget(fact.call)
        if not isinstance(fact, facts.CallFailed) or fact.call not in ASKED_AGAIN:
            return False
        return not self._failing.is_new(fact.reason, fact.call)

    def _write(self, sequence: int, at: datetime, fact: facts.Fact) -> LogRow:
        text = self._in_words(fact)
        kind, severity, story = kind_of(fact), severity_of(fact), self.stories.of(fact)
        row = LogRow(sequence, at, kind, text, severity, _refused(fact), _desk(fact), level=level_of(fact, severity))
        source = _source(fact, kind, story)
        row = replace(row, source=source, symbol=self._symbols.of(fact), is_own=self._is_own(at, fact, source))
        if story is not None and self.stories.is_step(fact):
            row = replace(row, order=story.order, story=story.id)
        self.rows.append(row)
        if isinstance(fact, facts.ProposalStaged | facts.ProposalEdited):
            self._orders_of[fact.proposal.id] = order_in_words(fact.proposal.order)
            self.signal_prices.setdefault(fact.proposal.id, fact.proposal.intended_price)
        if isinstance(fact, facts.ProposalEnded):
            self.signal_prices.pop(fact.proposal_id, None)
        return row

    def _is_own(self, at: datetime, fact: facts.Fact, source: str) -> bool:
        """Whether it refuses what the operator typed; a confirmed order is blocked, from any source."""
        match fact:
            case facts.EditRefused() | facts.BasketRefused() | facts.PromotionRefused():
                return True
            case facts.CommandRefused(desk=desk):
                return desk is not None
            case facts.ConfirmationRefused():
                return source == MANUAL
            case facts.ProposalSkipped():
                return at == self._asked_at == fact.signal_time  # a strategy's signal has the time of its bar
        return False

    def _in_words(self, fact: facts.Fact) -> str:
        """Return the text; a proposal that ended or was edited is named by its order if that is known."""
        if isinstance(fact, facts.ProposalEnded) and (order := self._orders_of.pop(fact.proposal_id, None)):
            return f"{order} {fact.end.with_reason(fact.reason)}"
        if isinstance(fact, facts.ProposalEdited) and (before := self._orders_of.get(fact.proposal.id)):
            after = order_in_words(fact.proposal.order)
            return f"{before} is now {after if after != before else purpose_in_words(fact.proposal.order)}"
        return in_words(fact)


def _desk(fact: facts.Fact) -> DeskNumber | None:
    return fact.desk if isinstance(fact, OF_A_DESK) else None


def _source(fact: facts.Fact, kind: str, story: Story | None) -> str:
    """Return a strategy, `manual`, or the part of the desk or of the world that it comes from."""
    told = strategy_of(fact) or ("" if story is None else story.strategy)
    return told or SOURCES.get(kind, ENGINE)


def _refused(fact: facts.Fact) -> NotStaged | NotEdited | None:
    match fact:
        case facts.ProposalSkipped():
            return NotStaged(fact.strategy, fact.symbol, fact.checks, "; ".join(fact.reasons))
        case facts.EditRefused():
            return NotEdited(fact.proposal_id, "; ".join(fact.reasons))
    return None
