"""The slice of the notifications: the queue of each channel, deliveries, and ongoing matters.

A channel has two queues: urgent notices do not wait for others (SY-03).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import field
from datetime import date, datetime, timedelta
from typing import Any

from core import facts
from core.execution.ledger import Ledger
from core.execution.order import Order
from core.model.codes import FAILED_CLOSES, AuthorizationCode, HaltCause
from core.model.delivery import SURELY_NOT, Tries
from core.model.lazy_dataclass import dataclass
from core.model.notice import Notice, NoticeKind
from core.model.notification_sanitizer import harmless
from core.model.order_terms import order_in_words
from core.model.staging import AuthorizationKind
from core.model.values import ProposalId, Symbol, TicketId
from core.staging.stage import Stage

ONE_MINUTE = timedelta(minutes=1)
MOST_FAILED_CLOSES = 20
"""Failed closes that are kept without a notice. Without rules for notices none is ever made."""


@dataclass(slots=True)
class Held:
    """A notice that waits for the end of quiet hours, or for a digest."""

    until: datetime
    notice: Notice


@dataclass(slots=True)
class Aside:
    """An urgent batch that failed and is retried at `again_at`, while others are sent."""

    batch: list[Notice]
    tries: int
    first_at: datetime | None
    again_at: datetime
    may_have_arrived: bool


@dataclass(slots=True)
class ChannelLine(Tries):
    """The queue of one channel and urgency.

    Attributes
    ----------
    batch
        Notices in delivery, or to retry at `again_at`; otherwise empty.
    left
        The times of the messages of the last minute.
    untold
        The number of notices suppressed since the last message; `told_untold` is the number that the batch reports.
    aside
        Urgent batches that failed earlier and wait for their next attempt.
    """

    waiting: list[Notice] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    batch: list[Notice] = field(default_factory=list)
    left: list[datetime] = field(default_factory=list)
    untold: int = 0
    told_untold: int = 0
    aside: list[Aside] = field(default_factory=list)

    def waits(self) -> Iterator[Notice]:
        """Yield all notices to send or to retry, without those in delivery."""
        yield from self.waiting
        yield from (each.notice for each in self.held)
        for each in self.aside:
            yield from each.batch
        if self.begun_at is None:
            yield from self.batch

    def owes(self, number: int) -> bool:
        """Whether it has the notice, in delivery or not."""
        return number in self.numbers or any(notice.number == number for notice in self.waits())

    def withdraw(self, numbers: Collection[int]) -> None:
        """Remove these notices from those of `waits`."""
        self.waiting = without(self.waiting, numbers)
        self.held = [each for each in self.held if each.notice.number not in numbers]
        for each in self.aside:
            each.batch = without(each.batch, numbers)
        self.aside = [each for each in self.aside if each.batch]
        if self.begun_at is None and self.batch:
            self.batch = without(self.batch, numbers)
            if not self.batch:
                self.untold += self.told_untold
                self.empty()

    def empty(self) -> None:
        """Clear the batch: it was sent, or is abandoned."""
        self.batch, self.tries = [], 0
        self.begun_at = self.first_at = self.again_at = None
        self.may_have_arrived, self.told_untold = False, 0

    @property
    def size(self) -> int:
        return len(self.waiting) + len(self.held)

    def ready(self, at: datetime) -> list[Notice]:
        """Return the notices that may be sent now, the oldest first."""
        if not self.held:
            return self.waiting
        return [*(each.notice for each in self.held if each.until <= at), *self.waiting]

    @property
    def numbers(self) -> tuple[int, ...]:
        return numbers_of(self.batch)

    def tried(self, numbers: tuple[int, ...]) -> tuple[int, bool]:
        """Return the number of attempts of these, and whether any may have arrived."""
        if numbers == self.numbers:
            return self.tries, self.may_have_arrived
        known = next((each for each in self.aside if numbers_of(each.batch) == numbers), None)
        return (0, False) if known is None else (known.tries, known.may_have_arrived)


def numbers_of(notices: list[Notice]) -> tuple[int, ...]:
    return tuple(notice.number for notice in notices)


def without(notices: list[Notice], numbers: Collection[int]) -> list[Notice]:
    return [notice for notice in notices if notice.number not in numbers]


KILL, NAKED_KILL, BREAKER, READ_ONLY, MARGIN = "kill", "kill naked", "breaker", "read-only", "margin"


def of_proposal(proposal_id: ProposalId) -> str:
    """The key in records from before an exit was named by its position."""
    return f"proposal {proposal_id}"


def of_thesis(strategy: str) -> str:
    return f"thesis {strategy}"


def of_halt(cause: HaltCause) -> str:
    return f"halt {cause.value}"


@dataclass(slots=True)
class Matter:
    """An ongoing matter, from its first notice to its end.

    Attributes
    ----------
    since
        The time of the first notice, UTC; later notices belong to the same matter.
    notice
        The last notice.
    steps
        The escalation steps taken.
    numbers
        The numbers of the notices of its escalation. The first notice is sent in any case.
    is_given_up
        Whether a channel gave up on the last notice.
    """

    since: datetime
    notice: Notice
    steps: list[str] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    is_given_up: bool = False


@dataclass(frozen=True, slots=True)
class FailedClose:
    """A signed close that failed, without a notice of it yet."""

    symbol: Symbol | None
    strategy: str
    words: str


@dataclass(slots=True)
class NotificationsState:
    """`last` is the last number given; queues are keyed by channel, matters by subject.

    `over` has the numbers of escalation notices still queued for matters that ended. `failed_closes` has the last ones
    without a notice, the oldest first: a crash may keep the end of a close and lose its notice.
    """

    last: int = 0
    urgent: dict[str, ChannelLine] = field(default_factory=dict)
    ordinary: dict[str, ChannelLine] = field(default_factory=dict)
    matters: dict[str, Matter] = field(default_factory=dict)
    over: list[int] = field(default_factory=list)
    failed_closes: list[FailedClose] = field(default_factory=list)
    reported: date | None = None
    sent: int = 0
    failed: int = 0
    suppressed: int = 0
    withdrawn: int = 0


class Notifications:
    """`day_of` returns the trading day of an instant."""

    name = "notifications"

    def __init__(self, day_of: Callable[[datetime], date], ledger: Ledger, stage: Stage) -> None:
        self._day_of = day_of
        self._ledger = ledger
        self._stage = stage
        self.state = NotificationsState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            facts.ReportMade: self._made,
            facts.NotificationDue: self._due,
            facts.NotificationSuppressed: self._suppressed,
            facts.NotificationBegun: self._begun,
            facts.NotificationSent: self._sent,
            facts.NotificationFailed: self._failed,
            facts.NotificationSettled: self._settled,
            facts.NotificationWithdrawn: self._withdrawn,
            facts.AuthorizationEnded: self._hear_of_close,
            facts.OrderStateChanged: self._hear_of_close,
            facts.PositionChanged: self._position_changed,
            facts.ProposalEnded: self._ended,
            facts.Resumed: self._resumed,
            facts.Rearmed: self._rearmed,
            facts.BreakerClosed: self._closed,
            facts.MarginWarned: self._margin,
            facts.ReconciliationPassed: self._agreed,
        }

    def restore(self, state: NotificationsState) -> None:
        self.state = state

    # ── queries ──────────────────────────────────────────────────────────────────────────────────────────────────

    def line(self, channel: str, *, is_urgent: bool) -> ChannelLine:
        """Return the queue of the channel and urgency; an empty one if there is none."""
        lines = self.state.urgent if is_urgent else self.state.ordinary
        return lines.get(channel) or ChannelLine()

    def free_at(self, channel: str, a_minute: int, *, is_urgent: bool) -> datetime | None:
        """Return when the next message may be sent; None for at once.

        All messages of a channel count; urgent ones only wait for urgent ones.
        """
        left = self.line(channel, is_urgent=True).left
        if not is_urgent:
            left = sorted([*left, *self.line(channel, is_urgent=False).left])
        return left[-a_minute] + ONE_MINUTE if len(left) >= a_minute else None

    def failed_close(self, fact: facts.Fact) -> FailedClose | None:
        """Return the close that failed with this fact and left its shares held; else None.

        A close that waited for a stop to make way fails with its authorization; any other with its order.
        """
        if isinstance(fact, facts.AuthorizationEnded) and fact.code in FAILED_CLOSES:
            return self._by_its_authorization(fact)
        if isinstance(fact, facts.OrderStateChanged):
            order = self._ledger.order(fact.client_order_id)
            if order is not None and order.has_failed and not self._is_told_by_its_authorization(order):
                return self._by_its_order(order)
        return None

    def _by_its_authorization(self, fact: facts.AuthorizationEnded) -> FailedClose:
        ticket_id = TicketId(fact.authorization_id.removesuffix(f"-{AuthorizationKind.CLOSE.value}"))
        signed = self._stage.state.confirmations.get(ticket_id)
        if signed is None:
            return FailedClose(None, "", f"a close did not go through: {fact.reason}; the position stands")
        is_named = fact.code is AuthorizationCode.NOT_THROUGH
        close = "a close" if is_named else order_in_words(signed.ticket.order)
        words = f"{close} did not go through: {fact.reason}; the position stands"
        return FailedClose(signed.proposal.symbol, signed.proposal.strategy, words)

    def _by_its_order(self, order: Order) -> FailedClose | None:
        if self._ledger.position(order.request.symbol, order.strategy) is None:
            return None
        why = order.reason or f"{order.status.value.lower()} at the broker"
        words = f"{order_in_words(order.request)} did not go through: {why}; the position stands"
        return FailedClose(order.request.symbol, order.strategy, words)

    def _is_told_by_its_authorization(self, order: Order) -> bool:
        signed = (c for c in self._stage.state.confirmations.values() if c.ticket.order.client_order_id == order.id)
        return any(confirmation.ticket.cancels for confirmation in signed)

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _line(self, channel: str, *, is_urgent: bool) -> ChannelLine:
        lines = self.state.urgent if is_urgent else self.state.ordinary
        return lines.setdefault(channel, ChannelLine())

    def _made(self, _at: datetime, fact: facts.ReportMade) -> None:
        self.state.reported = fact.day

    def _due(self, at: datetime, fact: facts.NotificationDue) -> None:
        self._number(at, fact.notice)
        for channel in fact.channels:
            line = self._line(channel, is_urgent=fact.notice.is_urgent)
            if fact.not_before is None:
                line.waiting.append(fact.notice)
            else:
                line.held.append(Held(fact.not_before, fact.notice))
        self._known(fact)

    def _suppressed(self, at: datetime, fact: facts.NotificationSuppressed) -> None:
        self._number(at, fact.notice)
        self.state.suppressed += 1
        for channel in fact.channels:
            self._line(channel, is_urgent=fact.notice.is_urgent).untold += 1
        self._known(fact)

    def _known(self, fact: facts.NotificationDue | facts.NotificationSuppressed) -> None:
        """Note the matter: it begins once and a step is taken once, whatever the delivery."""
        if not fact.matter:
            if fact.notice.kind is NoticeKind.EXIT_WAITING:
                self._keep_failed(lambda close: harmless(close.words) != fact.notice.words)
            return
        if fact.matter == NAKED_KILL and KILL in self.state.matters:  # the same kill goes on
            self.state.matters[NAKED_KILL] = self.state.matters.pop(KILL)
        matter = self.state.matters.get(fact.matter)
        if matter is None:
            if fact.step:
                return
            matter = self.state.matters[fact.matter] = Matter(fact.notice.at, fact.notice)
        if not fact.step:
            matter.notice, matter.is_given_up = fact.notice, False
            return
        if fact.notice.number not in matter.numbers[-1:]:
            matter.numbers.append(fact.notice.number)
        if fact.step not in matter.steps:
            matter.steps.append(fact.step)

    def _number(self, at: datetime, notice: Notice) -> None:
        self.state.last = max(self.state.last, notice.number)
        if notice.kind is NoticeKind.REPORT and notice.report is None:  # of an earlier release
            self.state.reported = self._day_of(at)

    def _begun(self, at: datetime, fact: facts.NotificationBegun) -> None:
        line = self._line(fact.channel, is_urgent=fact.is_urgent)
        if line.numbers != fact.numbers:
            # Let another batch go before one that waits for its next attempt.
            if line.batch and line.again_at is not None:
                kept = Aside(line.batch, line.tries, line.first_at, line.again_at, line.may_have_arrived)
                line.aside.append(kept)
            if not self._take_up(line, fact.numbers):
                self._take(line, fact.numbers, at)
        line.tries = fact.tries
        line.begun_at, line.again_at = at, None
        line.left = [*(each for each in line.left if at - each < ONE_MINUTE), at]

    @staticmethod
    def _take_up(line: ChannelLine, numbers: tuple[int, ...]) -> bool:
        """Make a batch that was put aside the current one again."""
        for each in line.aside:
            if numbers_of(each.batch) == numbers:
                line.aside.remove(each)
                line.batch, line.first_at, line.may_have_arrived = each.batch, each.first_at, each.may_have_arrived
                return True
        return False

    @staticmethod
    def _take(line: ChannelLine, numbers: tuple[int, ...], at: datetime) -> None:
        """Make waiting notices the batch."""
        wanted = set(numbers)
        found = {notice.number: notice for notice in line.ready(at) if notice.number in wanted}
        line.batch = [found[number] for number in numbers if number in found]
        line.waiting = [notice for notice in line.waiting if notice.number not in wanted]
        line.held = [each for each in line.held if each.notice.number not in wanted]
        line.first_at, line.may_have_arrived = at, False
        line.told_untold, line.untold = line.untold, 0

    def _sent(self, _at: datetime, fact: facts.NotificationSent) -> None:
        self.state.sent += 1
        self._empty(fact.channel, is_urgent=fact.is_urgent)

    def _failed(self, _at: datetime, fact: facts.NotificationFailed) -> None:
        self.state.failed += 1
        if fact.again_at is None:
            for matter in self.state.matters.values():
                matter.is_given_up |= matter.notice.number in fact.numbers
            self._empty(fact.channel, is_urgent=fact.is_urgent)
            return
        line = self._line(fact.channel, is_urgent=fact.is_urgent)
        line.begun_at, line.again_at = None, fact.again_at
        line.may_have_arrived |= fact.code not in SURELY_NOT

    def _empty(self, channel: str, *, is_urgent: bool) -> None:
        self._line(channel, is_urgent=is_urgent).empty()
        self._forget_what_nobody_owes()

    def _withdrawn(self, _at: datetime, fact: facts.NotificationWithdrawn) -> None:
        self.state.withdrawn += len(fact.numbers)
        self._line(fact.channel, is_urgent=fact.is_urgent).withdraw(frozenset(fact.numbers))
        self._forget_what_nobody_owes()

    def _end(self, matter: str) -> None:
        """End a matter: its queued notices are obsolete."""
        ended = self.state.matters.pop(matter, None)
        if ended is not None:
            self.state.over += ended.numbers
            self._forget_what_nobody_owes()

    def _forget_what_nobody_owes(self) -> None:
        if self.state.over:
            lines = [*self.state.urgent.values(), *self.state.ordinary.values()]
            self.state.over = [number for number in self.state.over if any(line.owes(number) for line in lines)]

    def _settled(self, _at: datetime, fact: facts.NotificationSettled) -> None:
        self._end(fact.matter)

    def _hear_of_close(self, _at: datetime, fact: facts.Fact) -> None:
        if (failed := self.failed_close(fact)) is not None:
            self.state.failed_closes = [*self.state.failed_closes, failed][-MOST_FAILED_CLOSES:]

    def _position_changed(self, _at: datetime, fact: facts.PositionChanged) -> None:
        """Forget failed closes of shares that are sold."""
        if not fact.quantity:
            self._keep_failed(lambda close: (close.symbol, close.strategy) != (fact.symbol, fact.strategy))

    def _keep_failed(self, is_kept: Callable[[FailedClose], bool]) -> None:
        if self.state.failed_closes:
            self.state.failed_closes = [close for close in self.state.failed_closes if is_kept(close)]

    def _ended(self, _at: datetime, fact: facts.ProposalEnded) -> None:
        self._end(of_proposal(fact.proposal_id))

    def _resumed(self, _at: datetime, fact: facts.Resumed) -> None:
        self._end(of_halt(fact.cause))

    def _rearmed(self, _at: datetime, _fact: facts.Rearmed) -> None:
        self._end(KILL)
        self._end(NAKED_KILL)

    def _closed(self, _at: datetime, _fact: facts.BreakerClosed) -> None:
        self._end(BREAKER)

    def _margin(self, _at: datetime, fact: facts.MarginWarned) -> None:
        if fact.distance >= 0:
            self._end(MARGIN)

    def _agreed(self, _at: datetime, _fact: facts.ReconciliationPassed) -> None:
        self._end(READ_ONLY)
