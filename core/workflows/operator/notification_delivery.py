"""The delivery of notices: urgent ones at least once, a repeat marked as one; all else at most once (SY-03).

That a message leaves is written before it does. A start tries again what was on its way if it is urgent, and says of
the rest that nobody knows. Failures wait longer each time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
from core.ports import JournalWriteError
from core.settings.notify import NotifySettings
from core.trading_state.notice_lines import ChannelLine, numbers_of
from core.trading_state.state import TradingState
from core.workflows.base.declarations import answers, follows
from core.workflows.operator.notice_matters import exits_that_ended
from core.workflows.operator.notice_routes import rules_for
from core.workflows.operator.notice_text import MOST_LINES, text_of, title_of

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(minutes=5)
"""After a failure: three times as long after each more."""
A_MOMENT = timedelta(seconds=0.25)
"""After which it is looked again whether the order of a turned key has left."""
LONGEST_TURN = timedelta(seconds=5)
"""For which messages wait for one: an approval lapses then (OP-02)."""
GRACE = timedelta(seconds=10)
"""Beyond the time that a try may take: then its answer is not waited for."""
FEW = 6
"""Tries of what is urgent, where a person has to mend something first: over eight minutes."""
UNWRITTEN = (0,)
"""The number of what no journal takes."""


@dataclass(slots=True)
class Unwritten:
    """What one channel is owed while nothing can be written: kept in memory alone (SP-06)."""

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

    # ── what happens ─────────────────────────────────────────────────────────────────────────────────────────────

    @follows(NotificationDue)
    def after_notice(self, fact: NotificationDue) -> Iterator[Effect]:
        for channel in fact.channels:
            yield from self._send_what_may(channel, is_urgent=fact.notice.is_urgent)

    @follows(EngineStarted)
    def after_start(self, _fact: EngineStarted) -> Iterator[Effect]:
        """What was on its way as the engine ended may have arrived."""
        for channel, is_urgent, line in self._lines():
            if line.begun_at is not None:
                self._fail(channel, line, Delivery(DeliveryCode.CUT_OFF), is_urgent=is_urgent)
            yield from self._send_what_may(channel, is_urgent=is_urgent)

    @answers(NotificationAnswered)
    def on_answer(self, message: NotificationAnswered) -> Iterator[Effect]:
        """One that comes after it was given up says nothing any more."""
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
        """Raises JournalWriteError where what cannot be written is owed: `without_disk` sends that."""
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
        """A key was turned just now and its order has not left: no message asks for a sync of the journal before it."""
        turned = self.state.stage.state.confirmations.values()
        since = self.state.at - LONGEST_TURN
        return any(not c.is_decided and not c.is_void and c.received_at > since for c in turned)

    def _due_at(self, channel: str, line: ChannelLine, *, is_urgent: bool) -> datetime | None:
        """When it is looked at next; None where nothing of it waits."""
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
            found.append(line.again_at)  # the only one that failed is not counted against others
        return min(found, default=None)

    # ── while nothing can be written ─────────────────────────────────────────────────────────────────────────────

    def without_disk(self, _message: Input) -> list[Effect]:
        """Without a record, until each channel took it: the journal takes none, and no order leaves (SP-06)."""
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
        """One whose answer never came may have arrived."""
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

    # ── how ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _lines(self) -> Iterable[tuple[str, bool, ChannelLine]]:
        """What is urgent first."""
        known = self.state.notifications.state
        urgent = [(channel, True, line) for channel, line in known.urgent.items()]
        return [*urgent, *((channel, False, line) for channel, line in known.ordinary.items())]

    def _send_what_may(self, channel: str, *, is_urgent: bool) -> Iterator[Effect]:
        """The batch that is tried again, or the next one, where its time has come and none is on its way."""
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
        """Before anything leaves: nobody is called about what has ended. What is on its way is looked at after it."""
        for matter in exits_that_ended(self.state):
            self.state.record(NotificationSettled(matter))
        for channel, is_urgent, line in self._lines():
            if numbers := self._over_of(line):
                self.state.record(NotificationWithdrawn(channel, is_urgent, numbers))

    def _over_of(self, line: ChannelLine) -> tuple[int, ...]:
        """What can be withdrawn of it."""
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
        """What the next message tells; nothing where its time has not come. What is urgent waits for no other's try."""
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
        """When it is tried again. What is not urgent is not, once it may have arrived."""
        at = self.state.at
        may_arrive_twice = line.may_have_arrived or code not in SURELY_NOT
        if not is_urgent and (may_arrive_twice or code in URGENT_ALONE):
            return None
        return at if code is DeliveryCode.CUT_OFF else self._next_try(code, line.tries, line.first_at or at)

    def _next_try(self, code: DeliveryCode, tries: int, first_at: datetime) -> datetime | None:
        """After so many; None where it is given up."""
        if code in NEVER_AGAIN or (code in UNTIL_MENDED and tries >= FEW):
            return None
        again_at = self.state.at + min(FIRST_WAIT * 3 ** min(tries - 1, 10), LONGEST_WAIT)
        return again_at if again_at <= first_at + timedelta(minutes=self._terms.give_up_minutes) else None
