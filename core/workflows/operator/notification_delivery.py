"""Write the messages of a notice and deliver them (SY-03, RK-19).

The attempt is recorded before the message leaves. A start retries urgent messages that were on their way and reports
the others as unknown. The wait grows with each failure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from core import facts
from core.messages.effects import Effect, SendNotification
from core.messages.inputs import Input, NotificationAnswered
from core.model.account import Channel, Mode
from core.model.codes import NEEDS_NOBODY
from core.model.delivery import SURELY_NOT, URGENT_ALONE, Delivery, DeliveryCode, Tries
from core.model.lazy_dataclass import dataclass
from core.model.notice import MOST_LINES, USUAL, Notice, NoticeKind, html_in, text_of, title_of, together
from core.model.notification_sanitizer import harmless
from core.model.session import Session
from core.model.signal import ExitReason
from core.model.sizing import MarketMeasure, Regime, VixLevel, VixReading
from core.model.staging import Proposal
from core.model.values import Symbol
from core.ports import JournalWriteError
from core.settings.service import NotifySettings
from core.trading_state.notifications import ChannelLine, numbers_of
from core.trading_state.state import TradingState
from core.workflows.operator.notification_rules import rules_for
from core.workflows.orders.request_reserve import begun_exits, held_exits
from core.workflows.workflow import answers, follows

# ── subjects and channels ────────────────────────────────────────────────────────────────────────────────────────────
# The subject of a notice, and the channels that it goes to (SY-03, RK-19).
#
# An exit that replaces another, with a different quantity or reason, is the same matter: its escalation does not
# restart.

EXIT, STOP, LINE, POSITION, HELD, DRAFT, LIGHT = "exit", "stop", "line", "position", "held", "draft", "light"
CLOCK = "clock"
REGIME, CRISIS = "regime", "crisis"
"""Another label of the market regime, and a high VIX while nobody acts."""
WITHOUT_ACTION = timedelta(minutes=30)
"""A high VIX for so long, with shares held and no key pressed, is urgent."""
BY_HAND = frozenset({ExitReason.MANUAL, ExitReason.KILL})
"""Exits that the operator requested: nobody needs to be called for them."""


def of_line(line: Channel) -> str:
    return f"{LINE} {line.value}"


def of_exit(proposal: Proposal) -> str | None:
    """Return the matter of an exit that waits for a key; else None. A waiting stop is reported as an owed one."""
    is_by_hand = proposal.exit_reason in BY_HAND and proposal.guard is None
    if not proposal.only_reduces or is_by_hand or proposal.is_guard:
        return None
    return f"{EXIT} {proposal.strategy} {proposal.symbol}"


def of_draft(number: int) -> str:
    """Return the matter of a draft that waits."""
    return f"{DRAFT} {number}"


def of_owed(symbol: Symbol, strategy: str) -> str:
    """Return the matter of shares that are owed a stop."""
    return f"{STOP} {strategy} {symbol}"


def of_unread(symbol: Symbol) -> str:
    """Return the matter of an unreadable position in the broker's books."""
    return f"{POSITION} {symbol}"


def of_held(symbol: Symbol, strategy: str) -> str:
    """Return the matter of a confirmed exit that waits for the broker: its request limit, or a cancel."""
    return f"{HELD} {strategy} {symbol}"


def of_light(symbol: Symbol, strategy: str) -> str:
    """Return the matter of a holding whose light is red."""
    return f"{LIGHT} {strategy} {symbol}"


def exits_that_ended(state: TradingState) -> list[str]:
    """Return the known matters of exits and stops that no longer wait for a key or room and are not owed.

    A red light ends here with its holding.
    """
    known = [key for key in state.notifications.state.matters if key.partition(" ")[0] in (EXIT, STOP, HELD, LIGHT)]
    if not known:
        return known
    waiting = {of_exit(proposal) for proposal in state.stage.state.proposals.values()}
    unsent = (*held_exits(state), *begun_exits(state))
    waiting |= {of_held(held.proposal.symbol, held.proposal.strategy) for held in unsent}
    waiting |= {
        of_owed(owing.symbol, owing.strategy)
        for owing in state.owed_stops.all()
        if state.why_owed(owing) not in NEEDS_NOBODY
    }
    waiting |= {of_light(held.symbol, held.strategy) for held in state.ledger.positions()}
    return [key for key in known if key not in waiting]


def is_high(regime: Regime) -> bool:
    return isinstance(regime.vix, VixReading) and regime.vix.level is VixLevel.HIGH


def labels_in_words(regime: Regime) -> str:
    """`market regime: VIX high, SPY trend down, volatility wild`. No figures: only another label is news."""
    vix = regime.vix.level.value if isinstance(regime.vix, VixReading) else "unknown"
    market = regime.market
    if not isinstance(market, MarketMeasure) or market.trend is None or market.volatility is None:
        return f"market regime: VIX {vix}"
    return f"market regime: VIX {vix}, {market.symbol} trend {market.trend.value}, volatility {market.volatility.value}"


def unattended_since(state: TradingState) -> datetime | None:
    """When the time without an action began, in a session with a high VIX and shares held; None in any other."""
    if not is_high(state.regime.regime) or not any(position.quantity for position in state.ledger.positions()):
        return None
    session = state.calendar.session_at(state.at)
    if not isinstance(session, Session):
        return None
    told = state.notifications.state.matters.get(REGIME)
    times = (told.notice.at if told else None, state.attendance.state.key_at, state.sightings.key_at)
    return max((session.open, *(at for at in times if at is not None)))


# ── delivery ─────────────────────────────────────────────────────────────────────────────────────────────────────────

A_MOMENT = timedelta(seconds=0.25)
"""Interval of checks whether a confirmed order has left."""
LONGEST_TURN = timedelta(seconds=5)
"""Longest time that messages wait for a confirmation: its approval lapses then (OP-02)."""
GRACE = timedelta(seconds=10)
"""Time beyond the time-out of a try after which its answer is not waited for."""
UNWRITTEN = (0,)
"""The number of a notice that is not in the journal."""


@dataclass(slots=True, kw_only=True)
class Unwritten(Tries):
    """A notice owed to one channel while nothing can be recorded: kept in memory only (SP-06)."""

    notice: Notice


class NotificationDelivery:
    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._unwritten: dict[str, Unwritten] | None = None

    @property
    def _terms(self) -> NotifySettings:
        return self.state.control.settings.notify

    @property
    def _time_out(self) -> timedelta:
        return timedelta(seconds=self._terms.seconds) + GRACE

    @property
    def _longest(self) -> timedelta:
        return timedelta(minutes=self._terms.give_up_minutes)

    # ── facts and answers ────────────────────────────────────────────────────────────────────────────────────────────

    @follows(facts.NotificationDue)
    def after_notice(self, fact: facts.NotificationDue) -> Iterator[Effect]:
        for channel in fact.channels:
            yield from self._send_what_may(channel, is_urgent=fact.notice.is_urgent)

    @follows(facts.EngineStarted)
    def after_start(self, _fact: facts.EngineStarted) -> Iterator[Effect]:
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
            self.state.record(facts.NotificationSent(channel, is_urgent, message.numbers))
        else:
            self._fail(channel, line, message.delivery, is_urgent=is_urgent)
        yield from self._send_what_may(channel, is_urgent=is_urgent)

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        earliest = self.state.at + A_MOMENT if self._is_at_a_key else None
        yield from (at for each in (self._unwritten or {}).values() if (at := each.look_at(self._time_out)) is not None)
        lines = self._lines()
        if any(self._over_of(line) for _, _, line in lines) or exits_that_ended(self.state):
            yield earliest or self.state.at
        for channel, is_urgent, line in lines:
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
        since = self.state.at - LONGEST_TURN
        return any(c.received_at > since for c in self.state.stage.undecided.values())

    def _due_at(self, channel: str, line: ChannelLine, *, is_urgent: bool) -> datetime | None:
        """Return the next time to look at the line; None if nothing waits."""
        if line.begun_at is not None:
            return line.begun_at + self._time_out
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
            words = harmless(
                f"HALTED: the journal cannot be written, no order leaves: {self.state.sightings.disk.trouble}"
            )
            kind, at = NoticeKind.HALT, self.state.at
            notice = Notice(0, at, kind, USUAL[kind], None, words)
            rules = rules_for(self._terms, kind, USUAL[kind], None, self.state.account_name)
            self._unwritten = {
                channel: Unwritten(notice=notice, again_at=at) for _, rule in rules for channel in rule.channels
            }
        return [self._begin_unwritten(name, each) for name, each in self._unwritten.items() if self._is_due(each)]

    def _is_due(self, owed: Unwritten) -> bool:
        at = owed.look_at(self._time_out)
        return at is not None and at <= self.state.at

    def _begin_unwritten(self, channel: str, owed: Unwritten) -> SendNotification:
        owed.begin(self.state.at)
        return self._message(channel, [owed.notice], UNWRITTEN, owed.tries, 0, is_repeat=owed.may_have_arrived)

    def _answered_unwritten(self, message: NotificationAnswered) -> None:
        owed = (self._unwritten or {}).get(message.channel)
        if owed is None or owed.begun_at is None or owed.tries != message.tries:
            return
        owed.end(message.delivery.code, self.state.at, self._longest)

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
        self.state.record(facts.NotificationBegun(channel, is_urgent, numbers, tries, is_repeat))
        if channel not in self._terms.names:
            self._fail(channel, line, Delivery(DeliveryCode.NO_CHANNEL), is_urgent=is_urgent)
            return
        yield self._message(channel, notices, numbers, tries, line.told_untold, is_repeat=is_repeat)

    def _withdraw_what_is_over(self) -> None:
        """Withdraw ended matters before anything leaves. Messages on their way are handled after their answer."""
        for matter in exits_that_ended(self.state):
            self.state.record(facts.NotificationSettled(matter))
        for channel, is_urgent, line in self._lines():
            if numbers := self._over_of(line):
                self.state.record(facts.NotificationWithdrawn(channel, is_urgent, numbers))

    def _over_of(self, line: ChannelLine) -> tuple[int, ...]:
        """Return the notices of the line that can be withdrawn."""
        over = self.state.notifications.state.over
        return tuple(notice.number for notice in line.waits() if notice.number in over) if over else ()

    def _message(
        self, channel: str, notices: list[Notice], numbers: tuple[int, ...], tries: int, untold: int, *, is_repeat: bool
    ) -> SendNotification:
        desk = f"{'LIVE' if self.state.mode is Mode.LIVE else 'paper'} {self.state.account_name}"
        title = title_of(notices, desk, is_repeat=is_repeat)
        at, venue = self.state.at, self.state.calendar.venue
        text = text_of(notices, untold, at, venue, is_repeat=is_repeat)
        html = html_in(notices, untold, at, venue, is_repeat=is_repeat)
        return SendNotification(channel, notices[0].is_urgent, numbers, tries, title, text, html)

    def _next(self, channel: str, line: ChannelLine, *, is_urgent: bool) -> list[Notice]:
        """Return the notices of the next message; empty if none is due.

        An urgent notice does not wait for another's retry.
        """
        at = self.state.at
        free_at = self._free_at(channel, is_urgent=is_urgent)
        is_free = free_at is None or free_at <= at
        if is_free and (is_urgent or not line.batch) and (ready := line.ready(at)):
            return ready[:MOST_LINES] if is_urgent else together(ready)
        if line.batch and line.again_at is not None and line.again_at <= at and (is_free or not line.aside):
            return line.batch
        again = min(line.aside, key=lambda each: each.again_at, default=None)
        return again.batch if again is not None and is_free and again.again_at <= at else []

    def _free_at(self, channel: str, *, is_urgent: bool) -> datetime | None:
        return self.state.notifications.free_at(channel, self._terms.a_minute(channel), is_urgent=is_urgent)

    def _fail(self, channel: str, line: ChannelLine, delivery: Delivery, *, is_urgent: bool) -> None:
        again_at = self._again_at(line, delivery.code, is_urgent=is_urgent)
        fact = facts.NotificationFailed(channel, is_urgent, line.numbers, delivery.code, delivery.status, again_at)
        self.state.record(fact)

    def _again_at(self, line: ChannelLine, code: DeliveryCode, *, is_urgent: bool) -> datetime | None:
        """Return when to retry. A message that is not urgent is not retried once it may have arrived."""
        at = self.state.at
        may_arrive_twice = line.may_have_arrived or code not in SURELY_NOT
        if not is_urgent and (may_arrive_twice or code in URGENT_ALONE):
            return None
        return at if code is DeliveryCode.CUT_OFF else line.next_try(code, at, self._longest)
