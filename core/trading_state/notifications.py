"""The slice of the notifications: what each channel is owed, what is on its way, and what goes on that people know of.

A channel has two lines: what is urgent waits for nothing that is not (SY-03).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from core.facts import (
    BreakerClosed,
    NotificationBegun,
    NotificationDue,
    NotificationFailed,
    NotificationSent,
    NotificationSettled,
    NotificationSuppressed,
    ProposalEnded,
    Rearmed,
    ReconciliationPassed,
    Resumed,
)
from core.model.codes import HaltCause
from core.model.notice import SURELY_NOT, Notice, NoticeKind
from core.model.values import ProposalId

ONE_MINUTE = timedelta(minutes=1)
KILL, BREAKER, READ_ONLY = "kill", "breaker", "read-only"


def of_proposal(proposal_id: ProposalId) -> str:
    return f"proposal {proposal_id}"


def of_halt(cause: HaltCause) -> str:
    return f"halt {cause.value}"


@dataclass(slots=True)
class Held:
    """What waits for the end of quiet hours, or for a digest."""

    until: datetime
    notice: Notice


@dataclass(slots=True)
class Aside:
    """An urgent batch that failed and is tried again at `again_at`, while others go."""

    batch: list[Notice]
    tries: int
    first_at: datetime | None
    again_at: datetime
    may_have_arrived: bool


@dataclass(slots=True)
class ChannelLine:
    """What one channel is owed, of one urgency.

    Attributes
    ----------
    batch
        What is on its way, or is tried again at `again_at`; empty where nothing is.
    begun_at
        When the message left that has no outcome yet; None where none is on its way.
    first_at
        When the first try of the batch left.
    may_have_arrived
        Whether any try of the batch may have.
    left
        When the messages of the last minute left.
    untold
        Notices that were suppressed since the last message; `told_untold` is what the batch says of them.
    aside
        Urgent batches that failed before this one and wait for their next try.
    """

    waiting: list[Notice] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    batch: list[Notice] = field(default_factory=list)
    tries: int = 0
    begun_at: datetime | None = None
    first_at: datetime | None = None
    again_at: datetime | None = None
    may_have_arrived: bool = False
    left: list[datetime] = field(default_factory=list)
    untold: int = 0
    told_untold: int = 0
    aside: list[Aside] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.waiting) + len(self.held)

    def ready(self, at: datetime) -> list[Notice]:
        """What may be told now, the oldest first."""
        if not self.held:
            return self.waiting
        return [*(each.notice for each in self.held if each.until <= at), *self.waiting]

    def free_at(self, a_minute: int) -> datetime | None:
        """From when on another message may leave; None where one may at once."""
        return self.left[-a_minute] + ONE_MINUTE if len(self.left) >= a_minute else None

    @property
    def numbers(self) -> tuple[int, ...]:
        return numbers_of(self.batch)

    def tried(self, numbers: tuple[int, ...]) -> tuple[int, bool]:
        """How often these were, and whether any try may have arrived."""
        if numbers == self.numbers:
            return self.tries, self.may_have_arrived
        known = next((each for each in self.aside if numbers_of(each.batch) == numbers), None)
        return (0, False) if known is None else (known.tries, known.may_have_arrived)


def numbers_of(notices: list[Notice]) -> tuple[int, ...]:
    return tuple(notice.number for notice in notices)


@dataclass(slots=True)
class Matter:
    """Something that lasts, and who was told of it: the steps of escalation that were taken."""

    notice: Notice
    steps: list[str] = field(default_factory=list)


@dataclass(slots=True)
class NotificationsState:
    """`last` is the number that was given last; lines stand by their channel, matters by what they are about."""

    last: int = 0
    urgent: dict[str, ChannelLine] = field(default_factory=dict)
    ordinary: dict[str, ChannelLine] = field(default_factory=dict)
    matters: dict[str, Matter] = field(default_factory=dict)
    reported: date | None = None
    sent: int = 0
    failed: int = 0
    suppressed: int = 0


class Notifications:
    """`day_of` gives the trading day of an instant."""

    name = "notifications"

    def __init__(self, day_of: Callable[[datetime], date]) -> None:
        self._day_of = day_of
        self.state = NotificationsState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            NotificationDue: self._due,
            NotificationSuppressed: self._suppressed,
            NotificationBegun: self._begun,
            NotificationSent: self._sent,
            NotificationFailed: self._failed,
            NotificationSettled: self._settled,
            ProposalEnded: self._ended,
            Resumed: self._resumed,
            Rearmed: self._rearmed,
            BreakerClosed: self._closed,
            ReconciliationPassed: self._agreed,
        }

    def restore(self, state: NotificationsState) -> None:
        self.state = state

    # ── questions ────────────────────────────────────────────────────────────────────────────────────────────────

    def line(self, channel: str, *, is_urgent: bool) -> ChannelLine:
        """What the channel is owed of that urgency; nothing of it is kept where there is none."""
        lines = self.state.urgent if is_urgent else self.state.ordinary
        return lines.get(channel) or ChannelLine()

    # ── folds ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _line(self, channel: str, *, is_urgent: bool) -> ChannelLine:
        lines = self.state.urgent if is_urgent else self.state.ordinary
        return lines.setdefault(channel, ChannelLine())

    def _due(self, at: datetime, fact: NotificationDue) -> None:
        self._number(at, fact.notice)
        for channel in fact.channels:
            line = self._line(channel, is_urgent=fact.notice.is_urgent)
            if fact.not_before is None:
                line.waiting.append(fact.notice)
            else:
                line.held.append(Held(fact.not_before, fact.notice))
        self._known(fact)

    def _suppressed(self, at: datetime, fact: NotificationSuppressed) -> None:
        self._number(at, fact.notice)
        self.state.suppressed += 1
        for channel in fact.channels:
            self._line(channel, is_urgent=fact.notice.is_urgent).untold += 1
        self._known(fact)

    def _known(self, fact: NotificationDue | NotificationSuppressed) -> None:
        """Whatever became of its notice, a matter begins once and a step is taken once."""
        if not fact.matter:
            return
        if not fact.step:
            self.state.matters[fact.matter] = Matter(fact.notice)
        elif (matter := self.state.matters.get(fact.matter)) is not None and fact.step not in matter.steps:
            matter.steps.append(fact.step)

    def _number(self, at: datetime, notice: Notice) -> None:
        self.state.last = max(self.state.last, notice.number)
        if notice.kind is NoticeKind.REPORT:
            self.state.reported = self._day_of(at)

    def _begun(self, at: datetime, fact: NotificationBegun) -> None:
        line = self._line(fact.channel, is_urgent=fact.is_urgent)
        if line.numbers != fact.numbers:
            self._put_aside(line)
            if not self._take_up(line, fact.numbers):
                self._take(line, fact.numbers, at)
        line.tries = fact.tries
        line.begun_at, line.again_at = at, None
        line.left = [*(each for each in line.left if at - each < ONE_MINUTE), at]

    @staticmethod
    def _put_aside(line: ChannelLine) -> None:
        """What waits for its next try lets another go."""
        if line.batch and line.again_at is not None:
            kept = Aside(line.batch, line.tries, line.first_at, line.again_at, line.may_have_arrived)
            line.aside.append(kept)

    @staticmethod
    def _take_up(line: ChannelLine, numbers: tuple[int, ...]) -> bool:
        """What was put aside is the batch again, if it is that."""
        for each in line.aside:
            if numbers_of(each.batch) == numbers:
                line.aside.remove(each)
                line.batch, line.first_at, line.may_have_arrived = each.batch, each.first_at, each.may_have_arrived
                return True
        return False

    @staticmethod
    def _take(line: ChannelLine, numbers: tuple[int, ...], at: datetime) -> None:
        """What waits becomes the batch."""
        wanted = set(numbers)
        found = {notice.number: notice for notice in line.ready(at) if notice.number in wanted}
        line.batch = [found[number] for number in numbers if number in found]
        line.waiting = [notice for notice in line.waiting if notice.number not in wanted]
        line.held = [each for each in line.held if each.notice.number not in wanted]
        line.first_at, line.may_have_arrived = at, False
        line.told_untold, line.untold = line.untold, 0

    def _sent(self, _at: datetime, fact: NotificationSent) -> None:
        self.state.sent += 1
        self._empty(fact.channel, is_urgent=fact.is_urgent)

    def _failed(self, _at: datetime, fact: NotificationFailed) -> None:
        self.state.failed += 1
        if fact.again_at is None:
            self._empty(fact.channel, is_urgent=fact.is_urgent)
            return
        line = self._line(fact.channel, is_urgent=fact.is_urgent)
        line.begun_at, line.again_at = None, fact.again_at
        line.may_have_arrived |= fact.code not in SURELY_NOT

    def _empty(self, channel: str, *, is_urgent: bool) -> None:
        line = self._line(channel, is_urgent=is_urgent)
        line.batch, line.tries = [], 0
        line.begun_at = line.first_at = line.again_at = None
        line.may_have_arrived, line.told_untold = False, 0

    def _settled(self, _at: datetime, fact: NotificationSettled) -> None:
        self.state.matters.pop(fact.matter, None)

    def _ended(self, _at: datetime, fact: ProposalEnded) -> None:
        self.state.matters.pop(of_proposal(fact.proposal_id), None)

    def _resumed(self, _at: datetime, fact: Resumed) -> None:
        self.state.matters.pop(of_halt(fact.cause), None)

    def _rearmed(self, _at: datetime, _fact: Rearmed) -> None:
        self.state.matters.pop(KILL, None)

    def _closed(self, _at: datetime, _fact: BreakerClosed) -> None:
        self.state.matters.pop(BREAKER, None)

    def _agreed(self, _at: datetime, _fact: ReconciliationPassed) -> None:
        self.state.matters.pop(READ_ONLY, None)
