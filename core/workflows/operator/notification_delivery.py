"""Write messages and deliver them (SY-03).

The attempt is recorded before the message leaves. A start retries urgent messages that were on their way and reports
the others as unknown. The wait grows with each failure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.facts import (
    EngineStarted,
    NotificationBegun,
    NotificationDue,
    NotificationFailed,
    NotificationSent,
    NotificationSettled,
    NotificationWithdrawn,
)
from core.messages.effects import Effect, SendNotification
from core.messages.inputs import Input, NotificationAnswered
from core.model.account import Mode
from core.model.harmless_words import harmless
from core.model.notice import (
    NEVER_AGAIN,
    SURELY_NOT,
    UNTIL_MENDED,
    URGENT_ALONE,
    USUAL,
    Delivery,
    DeliveryCode,
    Notice,
    NoticeKind,
)
from core.model.session import Venue
from core.ports import JournalWriteError
from core.settings.service import NotifySettings
from core.trading_state.notifications import ChannelLine, numbers_of
from core.trading_state.state import TradingState
from core.workflows.operator.notice_routing import exits_that_ended, rules_for
from core.workflows.workflow import answers, follows

MOST_LINES = 20
"""Notices that one message spells out."""
REPEAT = "REPEAT"


def title_of(notices: Sequence[Notice], desk: str, *, is_repeat: bool) -> str:
    """Return the title: `Keyturn paper demo: exit waiting SPY`, `REPEAT Keyturn LIVE A1: 3 messages`."""
    first = notices[0]
    what = f"{first.kind.words} {first.symbol or ''}".strip() if len(notices) == 1 else f"{len(notices)} messages"
    return harmless(f"{REPEAT if is_repeat else ''} Keyturn {desk}: {what}")


def text_of(notices: Sequence[Notice], untold: int, at: datetime, venue: Venue, *, is_repeat: bool) -> str:
    """Return a line for each, time first; notices beyond `MOST_LINES` and suppressed ones are counted."""
    lines = [_repeat_in_words(notices)] if is_repeat else []
    lines += [f"{_time(notice.at, at, venue)} {notice.kind.words}: {notice.words}" for notice in notices[:MOST_LINES]]
    if rest := notices[MOST_LINES:]:
        lines.append(f"and {len(rest)} more: {_counted(rest)}")
    if untold:
        lines.append(f"{untold} more were too many to be told; the desk has them")
    return "\n".join(lines)


def _repeat_in_words(notices: Sequence[Notice]) -> str:
    return f"{REPEAT}: you may have {'this' if len(notices) == 1 else 'these'} already"


def _counted(notices: Sequence[Notice]) -> str:
    return ", ".join(f"{count} {kind.words}" for kind, count in Counter(n.kind for n in notices).most_common())


def _time(then: datetime, now: datetime, venue: Venue) -> str:
    """Return `14:03 London`, with the day if it differs."""
    return venue.dated(then, now)


FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=5)
"""Wait after the first failure, tripled after each more, and its maximum."""
A_MOMENT = timedelta(seconds=0.25)
"""Interval of checks whether a confirmed order has left."""
LONGEST_TURN = timedelta(seconds=5)
"""Longest time that messages wait for a confirmation: its approval lapses then (OP-02)."""
GRACE = timedelta(seconds=10)
"""Time beyond the time-out of a try after which its answer is not waited for."""
FEW = 6
"""Tries of an urgent message whose failure a person has to fix: over eight minutes."""
UNWRITTEN = (0,)
"""The number of a notice that is not in the journal."""


@dataclass(slots=True)
class Unwritten:
    """A notice owed to one channel while nothing can be recorded: kept in memory only (SP-06)."""

    notice: Notice
    again_at: datetime | None
    tries: int = 0
    begun_at: datetime | None = None
    may_have_arrived: bool = False


class NotificationDelivery:
    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._unwritten: dict[str, Unwritten] | None = None

    @property
    def _terms(self) -> NotifySettings:
        return self.state.control.settings.notify

    # ── facts and answers ────────────────────────────────────────────────────────────────────────────────────────────

    @follows(NotificationDue)
    def after_notice(self, fact: NotificationDue) -> Iterator[Effect]:
        for channel in fact.channels:
            yield from self._send_what_may(channel, is_urgent=fact.notice.is_urgent)

    @follows(EngineStarted)
    def after_start(self, _fact: EngineStarted) -> Iterator[Effect]:
        """Treat messages that were on their way as the engine ended as possibly delivered."""
        for channel, is_urgent, line in self._lines():
            if line.begun_at is not None:
                self._fail(channel, line, Delivery(DeliveryCode.CUT_OFF), is_urgent=is_urgent)
            yield from self._send_what_may(channel, is_urgent=is_urgent)

    @answers(NotificationAnswered)
    def on_answer(self, message: NotificationAnswered) -> Iterator[Effect]:
        """Record the answer; ignore one that comes after its try was given up."""
        channel, is_urgent = message.channel, message.is_urgent
        if message.numbers == UNWRITTEN:
            self._answered_unwritten(message)
            return
        line = self.state.notifications.line(channel, is_urgent=is_urgent)
        if line.begun_at is None or (line.numbers, line.tries) != (message.numbers, message.tries):
            return
        if message.delivery.code is DeliveryCode.DELIVERED:
            self.state.record(NotificationSent(channel, is_urgent, message.numbers))
        else:
            self._fail(channel, line, message.delivery, is_urgent=is_urgent)
        yield from self._send_what_may(channel, is_urgent=is_urgent)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        earliest = self.state.at + A_MOMENT if self._is_at_a_key else None
        yield from (at for each in (self._unwritten or {}).values() if (at := self._look_at(each)) is not None)
        if exits_that_ended(self.state) or any(self._over_of(line) for _, _, line in self._lines()):
            yield earliest or self.state.at
        for channel, is_urgent, line in self._lines():
            if (at := self._due_at(channel, line, is_urgent=is_urgent)) is not None:
                yield at if earliest is None or line.begun_at is not None else max(at, earliest)

    def due(self) -> Iterator[Effect]:
        """Send due messages. Raises JournalWriteError if an unrecorded one is owed: `without_disk` sends that."""
        if any(self._is_due(each) for each in (self._unwritten or {}).values()):
            raise JournalWriteError(self.state.sightings.disk.trouble or "the journal cannot be written")
        if not self._is_at_a_key:
            self._withdraw_what_is_over()
        for channel, is_urgent, line in self._lines():
            at = self._due_at(channel, line, is_urgent=is_urgent)
            if at is None or at > self.state.at:
                continue
            if line.begun_at is not None:
                self._fail(channel, line, Delivery(DeliveryCode.TIMED_OUT), is_urgent=is_urgent)
            yield from self._send_what_may(channel, is_urgent=is_urgent)

    @property
    def _is_at_a_key(self) -> bool:
        """Whether a confirmed order is about to leave: no message may cause a journal sync before it."""
        turned = self.state.stage.state.confirmations.values()
        since = self.state.at - LONGEST_TURN
        return any(not c.is_decided and not c.is_void and c.received_at > since for c in turned)

    def _due_at(self, channel: str, line: ChannelLine, *, is_urgent: bool) -> datetime | None:
        """Return the next time to look at the line; None if nothing waits."""
        if line.begun_at is not None:
            return line.begun_at + timedelta(seconds=self._terms.seconds) + GRACE
        if line.batch and not is_urgent:
            return line.again_at
        free_at = self._free_at(channel, is_urgent=is_urgent)
        moments = [each.again_at for each in line.aside] + [each.until for each in line.held]
        if line.waiting:
            moments.append(self.state.at)
        if line.aside and line.again_at is not None:
            moments.append(line.again_at)
        found = [max(each, free_at or each) for each in moments]
        if not line.aside and line.again_at is not None:
            found.append(line.again_at)  # a single failed batch does not count against the limit
        return min(found, default=None)

    # ── while nothing can be recorded ────────────────────────────────────────────────────────────────────────────────

    def without_disk(self, _message: Input) -> list[Effect]:
        """Send the notice without a record until each channel has accepted it, as the journal fails (SP-06)."""
        if self._unwritten is None:
            self._unwritten = self._of_the_disk()
        return [self._begin_unwritten(name, each) for name, each in self._unwritten.items() if self._is_due(each)]

    def _of_the_disk(self) -> dict[str, Unwritten]:
        words = harmless(f"HALTED: the journal cannot be written, no order leaves: {self.state.sightings.disk.trouble}")
        kind, at = NoticeKind.HALT, self.state.at
        notice = Notice(0, at, kind, USUAL[kind], None, words)
        rules = rules_for(self._terms, kind, USUAL[kind], None, self.state.account_name)
        return {channel: Unwritten(notice, at) for _, rule in rules for channel in rule.channels}

    def _look_at(self, owed: Unwritten) -> datetime | None:
        if owed.begun_at is not None:
            return owed.begun_at + timedelta(seconds=self._terms.seconds) + GRACE
        return owed.again_at

    def _is_due(self, owed: Unwritten) -> bool:
        at = self._look_at(owed)
        return at is not None and at <= self.state.at

    def _begin_unwritten(self, channel: str, owed: Unwritten) -> SendNotification:
        """Begin a try. A try without an answer may have been delivered."""
        owed.may_have_arrived |= owed.begun_at is not None
        owed.tries, owed.begun_at, owed.again_at = owed.tries + 1, self.state.at, None
        return self._message(channel, [owed.notice], UNWRITTEN, owed.tries, 0, is_repeat=owed.may_have_arrived)

    def _answered_unwritten(self, message: NotificationAnswered) -> None:
        owed = (self._unwritten or {}).get(message.channel)
        if owed is None or owed.begun_at is None or owed.tries != message.tries:
            return
        code = message.delivery.code
        owed.begun_at = None
        owed.may_have_arrived |= code not in SURELY_NOT
        if code is not DeliveryCode.DELIVERED:
            owed.again_at = self._next_try(code, owed.tries, owed.notice.at)

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _lines(self) -> Iterable[tuple[str, bool, ChannelLine]]:
        """Return all lines, urgent ones first."""
        known = self.state.notifications.state
        urgent = [(channel, True, line) for channel, line in known.urgent.items()]
        return [*urgent, *((channel, False, line) for channel, line in known.ordinary.items())]

    def _send_what_may(self, channel: str, *, is_urgent: bool) -> Iterator[Effect]:
        """Send the retried batch or the next one, if it is due and none is on its way."""
        if self._is_at_a_key:
            return
        self._withdraw_what_is_over()
        line = self.state.notifications.line(channel, is_urgent=is_urgent)
        if line.begun_at is not None or not (notices := self._next(channel, line, is_urgent=is_urgent)):
            return
        numbers = numbers_of(notices)
        tried, is_repeat = line.tried(numbers)
        tries = tried + 1
        self.state.record(NotificationBegun(channel, is_urgent, numbers, tries, is_repeat))
        if channel not in self._terms.names:
            self._fail(channel, line, Delivery(DeliveryCode.NO_CHANNEL), is_urgent=is_urgent)
            return
        yield self._message(channel, notices, numbers, tries, line.told_untold, is_repeat=is_repeat)

    def _withdraw_what_is_over(self) -> None:
        """Withdraw ended matters before anything leaves. Messages on their way are handled after their answer."""
        for matter in exits_that_ended(self.state):
            self.state.record(NotificationSettled(matter))
        for channel, is_urgent, line in self._lines():
            if numbers := self._over_of(line):
                self.state.record(NotificationWithdrawn(channel, is_urgent, numbers))

    def _over_of(self, line: ChannelLine) -> tuple[int, ...]:
        """Return the notices of the line that can be withdrawn."""
        over = self.state.notifications.state.over
        return tuple(notice.number for notice in line.waits() if notice.number in over) if over else ()

    def _message(
        self, channel: str, notices: list[Notice], numbers: tuple[int, ...], tries: int, untold: int, *, is_repeat: bool
    ) -> SendNotification:
        desk = f"{'LIVE' if self.state.mode is Mode.LIVE else 'paper'} {self.state.account_name}"
        title = title_of(notices, desk, is_repeat=is_repeat)
        text = text_of(notices, untold, self.state.at, self.state.calendar.venue, is_repeat=is_repeat)
        return SendNotification(channel, notices[0].is_urgent, numbers, tries, title, text)

    def _next(self, channel: str, line: ChannelLine, *, is_urgent: bool) -> list[Notice]:
        """Return the notices of the next message; empty if none is due.

        An urgent notice does not wait for another's retry.
        """
        at = self.state.at
        free_at = self._free_at(channel, is_urgent=is_urgent)
        is_free = free_at is None or free_at <= at
        if is_free and (is_urgent or not line.batch) and (ready := line.ready(at)):
            return ready[:MOST_LINES] if is_urgent else [*ready]
        if line.batch and line.again_at is not None and line.again_at <= at and (is_free or not line.aside):
            return line.batch
        again = min(line.aside, key=lambda each: each.again_at, default=None)
        return again.batch if again is not None and is_free and again.again_at <= at else []

    def _free_at(self, channel: str, *, is_urgent: bool) -> datetime | None:
        return self.state.notifications.free_at(channel, self._terms.a_minute(channel), is_urgent=is_urgent)

    def _fail(self, channel: str, line: ChannelLine, delivery: Delivery, *, is_urgent: bool) -> None:
        again_at = self._again_at(line, delivery.code, is_urgent=is_urgent)
        fact = NotificationFailed(channel, is_urgent, line.numbers, delivery.code, delivery.status, again_at)
        self.state.record(fact)

    def _again_at(self, line: ChannelLine, code: DeliveryCode, *, is_urgent: bool) -> datetime | None:
        """Return when to retry. A message that is not urgent is not retried once it may have arrived."""
        at = self.state.at
        may_arrive_twice = line.may_have_arrived or code not in SURELY_NOT
        if not is_urgent and (may_arrive_twice or code in URGENT_ALONE):
            return None
        return at if code is DeliveryCode.CUT_OFF else self._next_try(code, line.tries, line.first_at or at)

    def _next_try(self, code: DeliveryCode, tries: int, first_at: datetime) -> datetime | None:
        """Return the time of the next try; None if it is given up."""
        if code in NEVER_AGAIN or (code in UNTIL_MENDED and tries >= FEW):
            return None
        again_at = self.state.at + min(FIRST_WAIT * 3 ** min(tries - 1, 10), LONGEST_WAIT)
        return again_at if again_at <= first_at + timedelta(minutes=self._terms.give_up_minutes) else None
