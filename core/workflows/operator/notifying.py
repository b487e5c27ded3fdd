"""Turn facts into notices for the recipients of the rules, and escalate matters that last (SY-03, OP-06).

It decides nothing about an order. Without a rule in `[notify]` nothing is recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from core import event_text, facts
from core.messages.effects import Effect, MakeReport
from core.messages.inputs import ConnectionChanged, ReportAnswered
from core.model.account import Channel, ConnectionState
from core.model.alert import in_words as alert_in_words
from core.model.codes import NEEDS_NOBODY, OwedReason
from core.model.holding import Concern
from core.model.lazy_dataclass import dataclass
from core.model.notice import USUAL, Notice, NoticeKind, Severity, SuppressionCode
from core.model.notification_sanitizer import harmless
from core.model.order import Side, is_payout
from core.model.order_terms import OWED, order_in_words
from core.model.report_sheet import ReportSheet
from core.model.session import ONE_DAY, Calendar, Session
from core.model.staging import MANUAL, Proposal
from core.model.text_sanitizer import is_news
from core.model.values import NO_MONEY, NO_SHARES, ZERO, Symbol, plain, priced
from core.settings.service import NotifySettings, RuleSettings
from core.trading_state.notifications import BREAKER, KILL, MARGIN, NAKED_KILL, READ_ONLY, of_halt, of_thesis
from core.trading_state.state import TradingState
from core.workflows.holding_health import guards_of, health_of
from core.workflows.operator.notification_delivery import (
    CLOCK,
    CRISIS,
    REGIME,
    WITHOUT_ACTION,
    exits_that_ended,
    is_high,
    labels_in_words,
    of_draft,
    of_exit,
    of_held,
    of_light,
    of_line,
    of_owed,
    of_unread,
    unattended_since,
)
from core.workflows.operator.notification_rules import channels_of, rules_for
from core.workflows.orders.request_reserve import TOO_LONG, HeldExit, begun_exits, held_exits, late_at
from core.workflows.strategy_signals import ExitRules
from core.workflows.workflow import answers, follows

MOST_WAITING = 100
"""Non-urgent notices that may wait for one channel; more are counted and not sent."""
MOST_WAIT = timedelta(seconds=4)
"""Upper bound of the settings: a notice that needs a person leaves within five seconds (EX-22)."""
AFTER_THE_CLOSE = timedelta(minutes=5)
"""Time after the close of the day's report: the last fills are in by then."""
TO_REPORT = timedelta(minutes=3)
"""Time for making it, beside its agent's: then its notice goes without it."""
LATE_DAYS = 7
"""Days for which a report is owed that no engine was there to send."""
AWAY = frozenset({ConnectionState.CONNECTING, ConnectionState.SILENT, ConnectionState.DOWN, ConnectionState.REFUSED})
DONE = {Side.BUY: "bought", Side.SELL: "sold"}
LACK = {
    OwedReason.LEAVING: "have a stop that may end at any moment",
    OwedReason.HELD_ELSEWHERE: "have no stop of this desk",
}
TOLD_BY_THE_LIGHT = frozenset({Concern.NO_STOP, Concern.AT_STOP, Concern.PAST_TIME})
"""Concerns of a red light that no other notice tells of."""
FILL, STOP, WAITING = NoticeKind.FILL, NoticeKind.STOP, NoticeKind.EXIT_WAITING


@dataclass(frozen=True, slots=True)
class Subject:
    """The subject of a notice; `matter` is empty if it does not last. Without a severity it has its kind's."""

    kind: NoticeKind
    words: str
    symbol: Symbol | None = None
    matter: str = ""
    grave: Severity | None = None
    report: ReportSheet | None = None

    @property
    def severity(self) -> Severity:
        return self.grave or USUAL[self.kind]


@dataclass(frozen=True, slots=True)
class AskedReport:
    """The report that is being made, and how long its notice waits for it."""

    day: date
    until: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an escalation: the matter, the step's name, and the rule with the channels of the step."""

    matter: str
    name: str
    rule: RuleSettings


class Notifying:
    def __init__(self, state: TradingState) -> None:
        self.state = state
        self._away: dict[Channel, datetime] = {}
        self._asked: AskedReport | None = None

    @property
    def _terms(self) -> NotifySettings:
        return self.state.control.settings.notify

    # ── facts ────────────────────────────────────────────────────────────────────────────────────────────────────

    @follows(facts.OrderFilled)
    def after_fill(self, fact: facts.OrderFilled) -> None:
        order = self.state.ledger.order(fact.fill.client_order_id)
        if order is None or not self._terms.in_force:
            return
        request, fill = order.request, fact.fill
        rest = "" if not order.is_working else f", {plain(order.remaining)} to come"
        words = f"{DONE[request.side]} {plain(fill.quantity)} {request.symbol} at {priced(fill.price)}{rest}"
        if order.is_protective:
            self._tell(Subject(STOP, f"the stop {words}", request.symbol))
        else:
            self._tell(Subject(FILL, words, request.symbol))

    @follows(facts.FillReversed)
    def after_reversal(self, fact: facts.FillReversed) -> None:
        """Notify of fills that the broker took back or corrected: shares and results are others than were told."""
        order = self.state.ledger.order(fact.client_order_id)
        if order is None or not self._terms.in_force:
            return
        held = self.state.ledger.position(fact.symbol, fact.strategy)
        did = f"took back {plain(fact.quantity)}" if fact.quantity else "corrected the price"
        words = f"the broker {did} of {order_in_words(order.request)}; {fact.strategy} holds"
        if is_payout(order.id):
            words = f"{plain(fact.quantity)} {fact.symbol} that had been paid out are back; {fact.strategy} holds"
        held_words = plain(held.quantity if held else NO_SHARES)
        grave = Severity.WARNING if fact.quantity else None
        self._tell(Subject(FILL, f"{words} {held_words} {fact.symbol}", fact.symbol, grave=grave))

    @follows(facts.CorporateActionApplied)
    def after_action(self, fact: facts.CorporateActionApplied) -> None:
        """Notify of a corporate action of held shares: quantities, prices and orders are others than were told."""
        if (fact.owners or fact.is_paid_out) and self._terms.in_force:
            words = f"{event_text.in_words(fact)}; orders and tickets from before it have ended"
            if fact.to is not None:
                words += f"; strategies and settings that name {fact.symbol} do not follow {fact.to}"
            self._tell(Subject(FILL, words, fact.symbol_now, grave=Severity.WARNING))
        elif fact.is_dividend and self._terms.in_force and self.state.ledger.positions_in(fact.symbol):
            words = f"{event_text.in_words(fact)}; orders at the broker stay as they are unless it lowers them"
            self._tell(Subject(FILL, words, fact.symbol, grave=Severity.WARNING))
            if fact.is_spin_off:
                self._tell_of_unvalued(fact.symbol)

    def _tell_of_unvalued(self, symbol: Symbol) -> None:
        """Notify urgently of shares that only this desk guards, until a part that was spun off has a value (EX-25)."""
        for held in self.state.ledger.positions_in(symbol):
            mark, ledger = self.state.exits.mark(held), self.state.ledger
            is_watched = ExitRules(self.state).terms(held) is not None
            bare = abs(held.quantity) - ledger.exits.guarded(symbol, held.strategy)
            if mark.is_unvalued and is_watched and bare > ZERO:
                words = (
                    f"{plain(bare)} {symbol} have no stop: this desk's prices wait until the broker moves the cost of "
                    "the part that was spun off; its row in Positions proposes one"
                )
                self._tell(Subject(STOP, words, symbol, grave=Severity.URGENT))

    @follows(facts.StopOwed)
    def after_owed(self, fact: facts.StopOwed) -> None:
        """Notify urgently of shares without a stop for seconds, and again when the operator's options change."""
        waiting = self.state.stage.state.proposals.values()
        guards = (p for p in waiting if p.is_guard and (p.symbol, p.strategy) == (fact.symbol, fact.strategy))
        words = f"{plain(fact.quantity)} {fact.symbol} {LACK.get(fact.why, 'have no stop')}: {OWED[fact.why]}"
        if fact.why in NEEDS_NOBODY:
            self._tell(Subject(STOP, words, fact.symbol, grave=Severity.INFO))
            return
        if (elsewhere := self.state.stopped_elsewhere(fact.symbol)) > 0:
            words += f"; stops that were placed elsewhere are for {plain(elsewhere)}"
        if (guard := next(guards, None)) is not None:
            order = order_in_words(guard.order)
            words = f"{order} is owed and waits for your key at the desk: nothing guards these shares"
        matter = of_owed(fact.symbol, fact.strategy)
        self._tell(Subject(STOP, words, fact.symbol, matter, Severity.URGENT))

    @follows(facts.BarClosed)
    def after_bar(self, fact: facts.BarClosed) -> None:
        """Notify once of a light that turned red, unless an exit waits or its reason has a notice of its own (OT-06).

        The matter ends when the light is red no more and the price is away from the stop, or with the holding.
        """
        if not self.state.ledger.state.positions or not self._terms.in_force:
            return
        waiting = {(p.symbol, p.strategy) for p in self.state.stage.state.proposals.values() if p.is_exit}
        for held in self.state.ledger.positions_in(fact.bar.symbol):
            if (held.symbol, held.strategy) in waiting:
                continue
            matter, at = of_light(held.symbol, held.strategy), self.state.at
            concerns = health_of(self.state, held, at, guards_of(self.state, held, at)).concerns
            if told := [concern for concern in concerns if concern in TOLD_BY_THE_LIGHT]:
                kind = WAITING if told == [Concern.PAST_TIME] else STOP
                words = f"{held.symbol} of {held.strategy}: {', '.join(concern.value for concern in told)}"
                self._tell(Subject(kind, words, held.symbol, matter, Severity.WARNING))
            elif matter in self.state.notifications.state.matters and Concern.NEAR_STOP not in concerns:
                self.state.record(facts.NotificationSettled(matter))

    @follows(facts.AuthorizationEnded)
    def after_authorization(self, fact: facts.AuthorizationEnded) -> None:
        if self.state.notifications.failed_close(fact) is not None:
            self._tell_of_failed_closes()

    @follows(facts.OrderStateChanged)
    def after_order(self, fact: facts.OrderStateChanged) -> None:
        if self.state.notifications.failed_close(fact) is not None:
            self._tell_of_failed_closes()

    @follows(facts.EngineStarted)
    def after_start(self, _fact: facts.EngineStarted) -> None:
        """Notify of owed stops, theses, halts and kills whose notice a crash kept from the disk."""
        control, known = self.state.control, self.state.notifications.state.matters
        for owing in self.state.owed_stops.all():
            is_known = of_owed(owing.symbol, owing.strategy) in known
            if owing.told is not None and not is_known and self.state.why_owed(owing) not in NEEDS_NOBODY:
                self.after_owed(facts.StopOwed(owing.symbol, owing.strategy, owing.quantity, owing.since, owing.told))
        for each in self.state.theses.state.invalidations.values():
            if each.is_paused is None:
                self._tell_of_thesis(each.thesis.strategy)
        for cause, reason in control.state.halts.items():
            self.after_halt(facts.Halted(cause, reason))
        if (warned := self.state.margin.state.warned) is not None and warned.distance < 0 and MARGIN not in known:
            self.after_margin(facts.MarginWarned(warned.distance, warned.limit, warned.deficit))
        if control.state.killed_by is not None:
            self.after_kill(facts.Killed(control.state.killed_by, naked=control.naked_at is not None))

    def _tell_of_failed_closes(self) -> None:
        """Notify of signed closes that failed; after a start once the books were compared."""
        for close in dict.fromkeys(self.state.notifications.state.failed_closes):
            self._tell(Subject(WAITING, close.words, close.symbol))

    @follows(facts.ProtectionTripped)
    def after_protection(self, fact: facts.ProtectionTripped) -> None:
        self._tell_of(fact, NoticeKind.PROTECTION)

    @follows(facts.ThesisInvalidated)
    def after_thesis(self, fact: facts.ThesisInvalidated) -> None:
        self._tell_of_thesis(fact.thesis.strategy)

    @follows(facts.StrategySuspended, facts.ThesisPauseDeclined)
    def after_decision(self, fact: facts.StrategySuspended | facts.ThesisPauseDeclined) -> None:
        """End the matter once no pause of the strategy is proposed any more."""
        matter = of_thesis(fact.strategy)
        if matter in self.state.notifications.state.matters and not self.state.theses.proposed(fact.strategy):
            self.state.record(facts.NotificationSettled(matter))

    def _tell_of_thesis(self, strategy: str) -> None:
        """Notify of a proposed pause; nothing if its strategy is paused already."""
        if (why := self.state.theses.proposed(strategy)) and self._terms.in_force:
            words = f"{strategy}: a pause is proposed at the desk: thesis {why}"
            self._tell(Subject(NoticeKind.PROTECTION, words, matter=of_thesis(strategy)))

    @follows(facts.MarginWarned)
    def after_margin(self, fact: facts.MarginWarned) -> None:
        """Notify of each warning; under maintenance urgently, and of each larger deficit: its figure is the news."""
        if fact.limit is None or not self._terms.in_force:
            return
        words = event_text.in_words(fact)
        if fact.distance < 0:
            self._tell_anew(Subject(NoticeKind.PROTECTION, words, matter=MARGIN, grave=Severity.URGENT))
        else:
            self._tell(Subject(NoticeKind.PROTECTION, words))

    @follows(facts.AccountBlocked)
    def after_block(self, fact: facts.AccountBlocked) -> None:
        self._tell_of(fact, NoticeKind.PROTECTION)

    @follows(facts.BreakerOpened)
    def after_breaker(self, fact: facts.BreakerOpened) -> None:
        self._tell_of(fact, NoticeKind.BREAKER, BREAKER)

    @follows(facts.Halted)
    def after_halt(self, fact: facts.Halted) -> None:
        self._tell_of(fact, NoticeKind.HALT, of_halt(fact.cause))

    @follows(facts.ReconciliationFailed)
    def after_comparison(self, fact: facts.ReconciliationFailed) -> None:
        self._tell_of(fact, NoticeKind.HALT, READ_ONLY)
        self._tell_of_failed_closes()

    @follows(facts.ClockJumped)
    def after_jump(self, _fact: facts.ClockJumped) -> None:
        self._tell_of_clock()

    @follows(facts.ClockDiffered)
    def after_difference(self, _fact: facts.ClockDiffered) -> None:
        self._tell_of_clock()

    @follows(facts.ProposalStaged)
    def after_proposal(self, fact: facts.ProposalStaged) -> None:
        proposal = fact.proposal
        if proposal.is_exit:
            self._tell_of_clock()
        elif not proposal.only_reduces and proposal.strategy != MANUAL:
            words = f"{proposal.strategy}: {order_in_words(proposal.order)} waits for your key"
            self._tell(Subject(NoticeKind.PROPOSAL, words, proposal.symbol))

    @follows(facts.DraftReceived, facts.DesksServed, facts.DeskLeft, facts.DeskLost)
    def after_draft_or_desk(self, _fact: facts.Fact) -> None:
        """Notify of each draft that waits while no desk is attached; a desk shows it and rings (OP-09).

        The agent's reason is left out: a message has no text of an agent.
        """
        if self.state.attendance.absence is None or not self._terms.in_force:
            return
        for one in self.state.drafts.waiting:
            draft, until = one.draft, self.state.calendar.venue.clock(one.draft.expires_at)
            words = (
                f"{draft.agent} drafts {draft.in_words}: a draft, not an order; the desk alone adopts or declines it, "
                f"until {until}"
            )
            self._tell(Subject(NoticeKind.PROPOSAL, words, draft.terms.symbol, of_draft(draft.number)))

    @follows(facts.DraftEnded)
    def after_draft_ended(self, fact: facts.DraftEnded) -> None:
        if (matter := of_draft(fact.number)) in self.state.notifications.state.matters:
            self.state.record(facts.NotificationSettled(matter))

    @follows(facts.RegimeMeasured)
    def after_regime(self, fact: facts.RegimeMeasured) -> None:
        grave = Severity.WARNING if is_high(fact.regime) else None
        self._tell(Subject(NoticeKind.REGIME, labels_in_words(fact.regime), matter=REGIME, grave=grave))
        if grave is None and CRISIS in self.state.notifications.state.matters:
            self.state.record(facts.NotificationSettled(CRISIS))

    @follows(facts.SessionsAnnounced)
    def after_announcement(self, fact: facts.SessionsAnnounced) -> None:
        """Notify of other sessions, urgently of today's: deadlines of today have moved (MD-10)."""
        if self._terms.in_force:
            today = self.state.calendar.trading_day(self.state.at)
            grave = Severity.URGENT if any(each.day == today for each in fact.days) else None
            self._tell(Subject(NoticeKind.SESSION, event_text.in_words(fact), grave=grave))

    @follows(facts.ClockSettled)
    def after_settling(self, _fact: facts.ClockSettled) -> None:
        if CLOCK in self.state.notifications.state.matters:
            self.state.record(facts.NotificationSettled(CLOCK))

    def _tell_of_clock(self) -> None:
        """Notify at once: the desk's time may stand still while its clock is in doubt (EX-23)."""
        if (held := self.state.held_by_clock) != ():
            named = ", ".join(held)
            words = f"signed exits of {named} wait for your key: {self.state.control.state.clock}"
            self._tell(Subject(NoticeKind.HALT, words, matter=CLOCK))

    @follows(facts.ReconciliationPassed)
    def after_agreement(self, fact: facts.ReconciliationPassed) -> None:
        """Notify of an unreadable row when the books agree otherwise."""
        for found in fact.differences:
            if found.hides_what_is_held:
                matter = of_unread(found.symbol)
                self._tell(Subject(NoticeKind.HALT, found.in_words, found.symbol, matter, Severity.URGENT))
        self._tell_of_failed_closes()

    @follows(facts.PositionCorrected)
    def after_correction(self, fact: facts.PositionCorrected) -> None:
        """Notify of shares of a spin-off, of a correction that nothing explains, or beside a lost order.

        That order may have filled (EX-05, EX-09, EX-25).
        """
        lost = next(
            (order for order in self.state.ledger.lost_today(fact.symbol, self.state.at) if order.remaining), None
        )
        if fact.came_from is not None and fact.owners:
            words = f"{fact.reason}, and have no stop: its row in Positions proposes one"
            self._tell(Subject(STOP, words, fact.symbol, grave=Severity.URGENT))
        if fact.unexplained and lost is None:
            words = f"{fact.reason}; no order explains it: look at the broker"
            self._tell(Subject(NoticeKind.HALT, words, fact.symbol, grave=Severity.URGENT))
        if lost is None or fact.is_split:
            return
        words = (
            f"{fact.reason}; {order_in_words(lost.request)}, which the broker did not find, may have filled: "
            "look at the broker"
        )
        self._tell(Subject(NoticeKind.HALT, words, fact.symbol, grave=Severity.URGENT))

    @follows(facts.Killed)
    def after_kill(self, fact: facts.Killed) -> None:
        """Notify once until it is re-armed, and again if the stops go too or a channel gave up: another source is no
        news.
        """
        control, known = self.state.control, self.state.notifications.state.matters
        if not self._terms.in_force:
            return
        for matter in (KILL, NAKED_KILL):
            # An older release did not end NAKED_KILL at a re-arm: it is of an earlier kill.
            if matter in known and control.killed_at is not None and known[matter].since < control.killed_at:
                self.state.record(facts.NotificationSettled(matter))
        naked, told = control.naked_at is not None, known.get(NAKED_KILL) or known.get(KILL)
        words = event_text.in_words(facts.Killed(fact.by, naked))
        goes_further = naked and NAKED_KILL not in known
        if told is None or told.is_given_up or (goes_further and is_news(harmless(words), told.notice.words)):
            self._tell_anew(Subject(NoticeKind.KILL, words, matter=NAKED_KILL if naked else KILL))

    @follows(facts.AlertRang)
    def after_alert(self, fact: facts.AlertRang) -> None:
        symbol = fact.alert.terms.symbol
        self._tell(Subject(NoticeKind.ALERT, f"{symbol} {fact.seen}", symbol))

    @follows(facts.AlertDropped)
    def after_dropped_alert(self, fact: facts.AlertDropped) -> None:
        """Notify of an alert that ended without the operator."""
        if fact.reason:
            symbol = fact.alert.terms.symbol
            words = f"{alert_in_words(fact.alert.terms)} ended: {fact.reason}; set it again"
            self._tell(Subject(NoticeKind.ALERT, words, symbol))

    @answers(ConnectionChanged)
    def on_connection(self, message: ConnectionChanged) -> tuple[()]:
        """Remember the loss until the connection is back: each attempt to connect is a state change."""
        line = message.connection.line
        if message.connection.state in AWAY:
            self._away.setdefault(line, self.state.at)
            return ()
        since = self._away.pop(line, None)
        matter = of_line(line)
        if matter in self.state.notifications.state.matters:
            self.state.record(facts.NotificationSettled(matter))
            away = "" if since is None else f"; it was away since {self.state.calendar.venue.clock(since)}"
            self._tell(Subject(NoticeKind.DISCONNECT, f"{_line_in_words(line)} is back{away}"))
        return ()

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def next_due(self) -> Iterator[datetime]:
        if not self._terms.in_force:
            return
        yield from (at for at, _ in self._lasting())
        yield from (at for at, _ in self._steps())
        if (report := self._next_report()) is not None:
            yield report[0]

    def due(self) -> Iterator[Effect]:
        if not self._terms.in_force:
            return
        for at, subject in list(self._lasting()):
            if at <= self.state.at:
                self._tell(subject)
        for at, step in list(self._steps()):
            if at <= self.state.at:
                self._escalate(step)
        report = self._next_report()
        if report is not None and report[0] <= self.state.at:
            yield from self._report(report[1])

    def _lasting(self) -> Iterator[tuple[datetime, Subject]]:
        """Yield waiting exits and lost connections that a rule wants and nobody was notified of, with times."""
        known = self.state.notifications.state.matters
        wait = min(timedelta(seconds=float(self._terms.exit_seconds)), MOST_WAIT)
        for proposal in self.state.stage.state.proposals.values():
            subject = self._of_exit(proposal)
            if subject is not None and self._is_new(subject, proposal.staged_at) and self._is_wanted(subject):
                yield proposal.staged_at + wait, subject
        late = [(late_at(self.state, begun), begun) for begun in begun_exits(self.state)]
        for at, held in (*((held.since + TOO_LONG, held) for held in held_exits(self.state)), *late):
            subject = self._of_held(held)
            if self._is_new(subject, at) and self._is_wanted(subject):
                yield at, subject
        if CRISIS not in known and (since := unattended_since(self.state)) is not None:
            words = f"VIX high, shares held and no key pressed since {self.state.calendar.venue.clock(since)}"
            subject = Subject(NoticeKind.REGIME, words, matter=CRISIS, grave=Severity.URGENT)
            if self._is_wanted(subject):
                yield since + WITHOUT_ACTION, subject
        grace = timedelta(seconds=float(self._terms.disconnect_seconds))
        for line, since in self._away.items():
            words = f"{_line_in_words(line)} is away since {self.state.calendar.venue.clock(since)}"
            subject = Subject(NoticeKind.DISCONNECT, words, matter=of_line(line))
            if subject.matter not in known and self._is_wanted(subject):
                yield since + grace, subject

    def _is_new(self, subject: Subject, staged_at: datetime) -> bool:
        """Whether nobody was notified of the exit, or another one with different text has replaced it since."""
        known = self.state.notifications.state.matters.get(subject.matter)
        if known is None:
            return True
        return staged_at > known.notice.at and is_news(harmless(subject.words), known.notice.words)

    @staticmethod
    def _of_exit(proposal: Proposal) -> Subject | None:
        """Return the subject of an exit that waits for a key; else None."""
        matter = of_exit(proposal)
        if matter is None:
            return None
        order = order_in_words(proposal.order)
        why = "exit" if proposal.exit_reason is None else proposal.exit_reason.value.replace("_", " ").lower()
        words = f"{order} ({why}) waits for your key at the desk"
        return Subject(WAITING, words, proposal.symbol, matter)

    def _of_held(self, held: HeldExit) -> Subject:
        """Return the subject of a confirmed exit that waits too long for the broker: its limit, or a cancel (EX-22)."""
        since = self.state.calendar.venue.clock(held.since)
        order, matter = order_in_words(held.ticket.order), of_held(held.proposal.symbol, held.proposal.strategy)
        words = f"{order} waits for the broker's limit of requests since {since}; its stop stays in force"
        if held in begun_exits(self.state):
            what = "its stop" if any(stop.only_reduces for stop in held.stops) else "an entry in its way"
            words = f"{order} is not sent: the broker has not confirmed the cancel of {what} since {since}"
        return Subject(WAITING, words, held.proposal.symbol, matter, Severity.URGENT)

    @answers(ReportAnswered)
    def on_report(self, message: ReportAnswered) -> tuple[()]:
        """Notify of the report; ignore one that comes after its notice went without it."""
        if self._asked is not None and self._asked.day == message.day:
            self._tell_of_report(message)
        return ()

    def _next_report(self) -> tuple[datetime, date] | None:
        """Return when the next report is due and its day; None if no rule wants it, or it was sent."""
        if not self._is_wanted(Subject(NoticeKind.REPORT, "")):
            return None
        if self._asked is not None:
            return self._asked.until, self._asked.day
        today = self.state.calendar.trading_day(self.state.at)
        told, days = self.state.notifications.state.reported or date.min, self.state.results.state.days
        missed = (day for back in range(1, LATE_DAYS + 1) if (day := today - back * ONE_DAY) > told and day in days)
        for day in (*missed, today):
            if day > told and isinstance(session := self.state.calendar.session_on(day), Session):
                return session.close + AFTER_THE_CLOSE, day
        return None

    def _report(self, day: date) -> Iterator[Effect]:
        """Have it made, in a process of its own; if that took too long, notify without it.

        Nothing is recorded until then: an engine that ends meanwhile asks again at its next start.
        """
        if self._asked is not None:
            self._tell_of_report(ReportAnswered(day, (), fault="it was not made in time"))
            return
        agent = self.state.control.settings.report.agent
        limit = TO_REPORT + timedelta(seconds=agent.seconds if agent.name else 0)
        self._asked = AskedReport(day, self.state.at + limit)
        yield MakeReport(day, is_last_of_week(self.state.calendar, day))

    def _tell_of_report(self, made: ReportAnswered) -> None:
        self._asked = None
        self.state.record(facts.ReportMade(made.day, made.fault, made.agent, made.agent_fault))
        for sheet in made.sheets or (self._sheet_of_books(made.day, made.fault),):
            if sheet.words:
                self.state.record(facts.DaySummarised(sheet.agent, made.day, " ".join(sheet.words)))
            is_late = made.day != self.state.calendar.trading_day(self.state.at)
            self._tell(Subject(NoticeKind.REPORT, f"{'sent late; ' if is_late else ''}{sheet.head}", report=sheet))

    def _sheet_of_books(self, day: date, fault: str) -> ReportSheet:
        """Return the sums of the engine's own books, for a day whose report could not be made."""
        result = self.state.results.state.days.get(day)
        closed = [] if result is None else list(result.closed.values())
        trades, wins = sum(each.trades + each.failed for each in closed), sum(each.wins for each in closed)
        profit = sum((each.realised + each.failed_realised for each in closed), NO_MONEY)
        held = sum(1 for position in self.state.ledger.positions() if position.quantity)
        working = sum(1 for _ in self.state.ledger.working())
        words = f"{trades} trades closed, {wins} won, profit {profit:+,.2f} USD"
        head = f"{day}: {words}; {held} positions held, {working} orders work; no more: {fault}"
        return ReportSheet(f"{day:%A %d %B %Y}", head)

    # ── escalation ───────────────────────────────────────────────────────────────────────────────────────────────

    def _steps(self) -> Iterator[tuple[datetime, Step]]:
        """Yield each step of escalation still to be taken, with its time."""
        for key, matter in self.state.notifications.state.matters.items():
            notice = matter.notice
            for name, rule in self._rules(notice.kind, notice.severity, notice.symbol):
                for each in rule.escalate:
                    step = Step(key, f"{name} {each.minutes}", rule.model_copy(update={"channels": each.channels}))
                    if step.name not in matter.steps:
                        yield matter.since + timedelta(minutes=each.minutes), step

    def _escalate(self, step: Step) -> None:
        matter = self.state.notifications.state.matters.get(step.matter)
        if matter is None:
            return
        if not self._goes_on(step.matter):
            self.state.record(facts.NotificationSettled(step.matter))
            return
        said = matter.notice
        minutes = int((self.state.at - matter.since).total_seconds() // 60)
        words = f"for {minutes} min: {said.words}"
        self._record(Subject(said.kind, words, said.symbol, step.matter, said.severity), [step.rule], step.name)

    def _goes_on(self, matter: str) -> bool:
        """Whether the matter lasts, for matters that no fact ends."""
        control, breaker = self.state.control, self.state.breaker.state
        kind, _, rest = matter.partition(" ")
        match kind:
            case "exit" | "stop" | "held" | "light":
                return matter not in exits_that_ended(self.state)
            case "proposal":
                return any(proposal_id == rest for proposal_id in self.state.stage.state.proposals)
            case "draft":
                return any(of_draft(one.number) == matter for one in self.state.drafts.waiting)
            case "thesis":
                return bool(self.state.theses.proposed(rest))
            case "halt":
                return any(cause.value == rest for cause in control.halts)
            case "position":
                found = control.state.differences
                return any(each.hides_what_is_held and each.symbol == rest for each in found)
            case "regime":
                return is_high(self.state.regime.regime)
            case "crisis":
                since, known = unattended_since(self.state), self.state.notifications.state.matters[matter]
                return since is not None and since <= known.since
            case "clock":
                return bool(self.state.held_by_clock)
            case "line":
                return any(line.value == rest for line in self._away)
            case "kill":
                return control.killed_by is not None
            case "breaker":
                return breaker.opened_at is not None
        return not control.state.is_reconciled  # read-only

    # ── helpers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _rules(self, kind: NoticeKind, severity: Severity, symbol: Symbol | None) -> Iterator[tuple[str, RuleSettings]]:
        return rules_for(self._terms, kind, severity, symbol, self.state.account_name)

    def _is_wanted(self, subject: Subject) -> bool:
        return any(True for _ in self._rules(subject.kind, subject.severity, subject.symbol))

    def _tell_of(self, fact: facts.Fact, kind: NoticeKind, matter: str = "", grave: Severity | None = None) -> None:
        if self._terms.in_force:
            self._tell(Subject(kind, event_text.in_words(fact), matter=matter, grave=grave))

    def _tell(self, subject: Subject) -> None:
        """Notify once per matter, and again only if the text changed."""
        known = self.state.notifications.state.matters.get(subject.matter) if subject.matter else None
        if known is not None and not is_news(harmless(subject.words), known.notice.words):
            return
        self._tell_anew(subject)

    def _tell_anew(self, subject: Subject) -> None:
        rules = [rule for _, rule in self._rules(subject.kind, subject.severity, subject.symbol)]
        if rules:
            self._record(subject, rules)

    def _record(self, subject: Subject, rules: list[RuleSettings], step: str = "") -> None:
        state, at = self.state, self.state.at
        number = state.notifications.state.last + 1
        words = harmless(subject.words)
        notice = Notice(number, at, subject.kind, subject.severity, subject.symbol, words, subject.report)
        for release, channels in channels_of(rules, notice, self._terms, at, state.calendar.venue).items():
            full = () if notice.is_urgent else tuple(filter(self._is_full, channels))
            room = tuple(channel for channel in channels if channel not in full)
            if room:
                state.record(facts.NotificationDue(notice, room, release, subject.matter, step))
            if full:
                code = SuppressionCode.TOO_MANY
                state.record(facts.NotificationSuppressed(notice, full, code, subject.matter, step))

    def _is_full(self, channel: str) -> bool:
        return self.state.notifications.line(channel, is_urgent=False).size >= MOST_WAITING


def _line_in_words(line: Channel) -> str:
    return "the broker" if line is Channel.BROKER else f"the stream of {line.value}"


def is_last_of_week(calendar: Calendar, day: date) -> bool:
    """Whether its week has no later session; announced closed days count."""
    rest = (day + number * ONE_DAY for number in range(1, 7 - day.weekday()))
    return not any(isinstance(calendar.session_on(each), Session) for each in rest)
