"""One inbox, one writer: `handle(at, input)` records facts and returns effects.

A handler is drained, one sync is made, then its effects leave in order. An exception halts what opens (EX-14) and ends
what it came from, nothing beside it: what was asked for before it leaves, and an order that was written down and not
asked for is taken back (EX-22). A failed write ends submitting (SP-06). The engine has no clock: `at` comes with the
input and never decreases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import Any, get_args

from core import inputs
from core.advisers.authority import at_work, only_for_people
from core.deadlines import Deadlines
from core.desk import Desk
from core.doors import Doorkeeper
from core.effects import (
    CancelOrder,
    Effect,
    FetchAccount,
    FetchHistory,
    FetchPicture,
    ReplaceOrder,
    SubmitOrder,
)
from core.execution.order import Order
from core.facts import (
    RELEARNED,
    CommandRefused,
    Fact,
    HaltCause,
    InstallationNamed,
    OrderCreated,
    Resumed,
    SettingsApplied,
)
from core.model.account import Account, Mode
from core.model.session import Calendar
from core.model.values import ClientOrderId
from core.ports import Journal, JournalError, JournalWriteError
from core.risk.checks import standard_gate
from core.risk.reloading import changes_between, without_looser
from core.settings import Settings
from core.strategies.house import OF_THE_HOUSE, Kinds
from core.workflows.adopting import Adopting
from core.workflows.advising import Advising
from core.workflows.apart import apart, done_apart, halt_for
from core.workflows.beginning import Beginning
from core.workflows.breaking import CALLS, Breaking
from core.workflows.cancelling import Cancelling
from core.workflows.changing import Changing
from core.workflows.choosing import Choosing
from core.workflows.closing import Closing
from core.workflows.comparing import Comparing
from core.workflows.confirming import Confirming
from core.workflows.doubting import Doubting
from core.workflows.editing import Editing
from core.workflows.evaluating import Evaluating
from core.workflows.exiting import Exiting
from core.workflows.filling import Filling
from core.workflows.fitting import Fitting
from core.workflows.guarding import Guarding
from core.workflows.holding_over import HoldingOver
from core.workflows.lending import Lending
from core.workflows.market import Market
from core.workflows.measuring import Measuring
from core.workflows.minding import Minding
from core.workflows.owing import Owing
from core.workflows.planning import Planning
from core.workflows.proposing import Proposing
from core.workflows.protecting import Protecting
from core.workflows.recommending import Recommending
from core.workflows.reloading import Reloading
from core.workflows.renewing import Renewing
from core.workflows.replacing import Replacing
from core.workflows.running import Running
from core.workflows.starting import Starting
from core.workflows.stopping import Stopping
from core.workflows.submitting import Submitting
from core.workflows.timekeeping import Timekeeping
from core.workflows.trimming import Trimming
from core.workflows.unattended import Unattended
from core.workflows.unwritten import FAILED, NOT_SENT, Unwritten
from core.workflows.warming import Warming
from core.workflows.warned import Warned

Handler = Callable[[Any], Iterable[Effect]]
NOTHING: tuple[Effect, ...] = ()
QUESTIONS = frozenset({FetchAccount})
"""Effects that change nothing and that nobody waits for: they move no deadline."""

SUBMISSIONS = (SubmitOrder, ReplaceOrder)

UNSYNCED = QUESTIONS | {FetchPicture, FetchHistory}
"""Those that need no sync of their own; an answer to the picture is waited for, so it moves a deadline."""

REPLANNED = frozenset(
    {inputs.PictureFetched, inputs.HistoryFetched, inputs.LampChanged, inputs.ClockRead, inputs.SubmissionBegan}
)
"""Inputs that may move a deadline although nothing is recorded or asked for."""


class Engine:
    """The desk's state, the workflows that change it, and the journal that remembers."""

    def __init__(
        self, account: str, mode: Mode, calendar: Calendar, journal: Journal, kinds: Kinds = OF_THE_HOUSE
    ) -> None:
        self.desk = Desk(account, mode, calendar, journal, kinds)
        self.next_deadline: datetime | None = None
        self.disk_trouble: str | None = None
        self.notes: tuple[str, ...] = ()
        self._is_moved = False
        self._is_owed_a_sync = False
        self._written: set[ClientOrderId] = set()
        """Orders that this act wrote down."""
        self.desk.listeners.append(self._note)
        self.desk.folds[OrderCreated] = (self._note_written, *self.desk.folds[OrderCreated])
        self.doors = Doorkeeper()
        self.handlers: dict[type, Handler] = {}
        self._build()

    def _build(self) -> None:  # noqa: PLR0915 - a list, and one place to read it
        """Wire the workflows: who may call whom stands here and nowhere else."""
        desk, gate = self.desk, standard_gate()
        filling = Filling(desk)
        adopting = Adopting(desk, filling)
        doubting = Doubting(desk, filling)
        self._submitting = submitting = Submitting(desk, filling, doubting)
        cancelling = Cancelling(desk, filling, doubting)
        self.proposing = proposing = Proposing(desk, gate)
        protecting = Protecting(desk, submitting, cancelling, proposing, doubting)
        self.closing = closing = Closing(desk, submitting, cancelling, protecting)
        self.fitting = fitting = Fitting(desk, submitting, cancelling, protecting)
        changing = Changing(desk, proposing)
        renewing = Renewing(desk, changing)
        owing = Owing(desk, submitting, protecting)

        def ask_again(order: Order, why: str) -> None:
            if order.request.replaces is not None:
                changing.stage_move_again(order, why)
            elif order.is_protective and renewing.can_ask(order):
                renewing.ask(order, why)
            else:
                proposing.stage_again(order, why)

        owing.ask_again = self._ask_again = ask_again
        protecting.ask_for, fitting.ask_for = renewing.ask_for, renewing.ask_for_cut
        protecting.ask_for_blocked, submitting.after_block = renewing.ask_for_blocked, protecting.after_block
        cancelling.end_kept = owing.end
        replacing = Replacing(desk, doubting, cancelling)
        self.confirming = confirming = Confirming(desk, gate, changing, submitting, closing)
        self._stopping = stopping = Stopping(desk, cancelling, proposing)
        holding_over = HoldingOver(desk, proposing)
        comparing = Comparing(desk, filling, doubting, cancelling, protecting, closing, holding_over)
        comparing.awaits_legs, comparing.send_what_is_owed = adopting.awaits, owing.send
        self._unwritten = unwritten = Unwritten(desk, submitting)
        unwritten.ask_for, unwritten.ask_again = renewing.ask_for, ask_again
        unwritten.ask_for_books = comparing.ask_soon
        comparing.after_books, stopping.ask_for_books = stopping.take_back_others, comparing.ask_soon
        stopping.make_exits_fit = fitting.at_once

        def after_comparison() -> Iterator[Effect]:
            yield from fitting.after_comparison()
            renewing.resume()

        comparing.after_comparison = after_comparison
        confirming.after_refusal = comparing.guard
        self._starting = starting = Starting(desk, comparing, doubting)
        self.minding = minding = Minding(desk, proposing)
        market = Market(desk, proposing, minding, Exiting(desk))
        unattended = Unattended(desk, confirming)
        market.release_signed = unattended.look
        editing, choosing = Editing(desk, gate), Choosing(desk, proposing)
        self.trimming = Trimming(desk, gate)
        self.planning = planning = Planning(desk, gate, Running(desk, confirming, comparing, cancelling))

        def after_fill(order: Order) -> Iterator[Effect]:
            yield from apart(desk, lambda: replacing.after_fill(order))
            yield from apart(desk, lambda: protecting.after_fill(order))

        def after_end(order: Order) -> Iterator[Effect]:
            done_apart(desk, lambda: replacing.after_end(order))
            yield from apart(desk, lambda: closing.after_end(order))
            yield from apart(desk, lambda: protecting.after_end(order))
            done_apart(desk, lambda: renewing.after_end(order))
            yield from apart(desk, lambda: fitting.after_end(order))

        def after_look_up(order: Order) -> Iterator[Effect]:
            fitting.after_look_up(order)
            yield from protecting.after_look_up(order)

        filling.meet_legs, filling.follow_legs = adopting.meet, adopting.follow
        doubting.after_look_up = after_look_up
        filling.after_arrival, filling.after_fill = replacing.after_arrival, after_fill
        filling.after_end = submitting.after_end = doubting.after_end = after_end
        filling.after_late_fill = filling.after_others_word = doubting.ask_for_books = comparing.ask_soon
        guarding = Guarding(desk)
        lending = Lending(desk)

        def see_account(account: Account) -> None:
            guarding.see_account(account)
            guarding.look()
            lending.see(account)

        market.tell_of_guards = guarding.look
        starting.see_loss, starting.after_correction = see_account, guarding.on_corrected
        comparing.see = planning.seeing(starting.see)
        breaking = Breaking(desk)
        warned, warming = Warned(desk, cancelling), Warming(desk)
        reloading, timekeeping, measuring = Reloading(desk), Timekeeping(desk), Measuring(desk)
        reloading.after_reload, self._end_overrides = guarding.on_tightened, guarding.end_overrides
        submitting.take_warnings, starting.warm_up = warned.take, warming.begin

        recommending, evaluating = self._build_judgement(market)
        measuring.after_measurement = evaluating.after_measurement

        def after_trade() -> None:
            done_apart(desk, guarding.look)
            done_apart(desk, evaluating.after_trade)

        filling.after_trade = after_trade

        self._deadlines = Deadlines(
            desk,
            (
                self.proposing,
                warned,
                timekeeping,
                Beginning(desk),
                guarding,
                recommending,
                evaluating,
                market,
                submitting,
                doubting,
                cancelling,
                fitting,
                closing,
                confirming,
                comparing,
                warming,
                planning,
            ),
        )
        self.handlers |= {
            inputs.BarArrived: market.on_bar,
            inputs.QuoteArrived: market.on_quote,
            inputs.MarketDataBroken: market.on_broken,
            inputs.TradingStatusHeard: market.on_status,
            inputs.RegimeArrived: measuring.on_regime,
            inputs.PastArrived: measuring.on_past,
            inputs.SubmissionAnswered: submitting.on_answered,
            inputs.SubmissionBegan: submitting.on_began,
            inputs.SubmissionStopped: submitting.on_stopped,
            inputs.SubmissionKept: owing.on_kept,
            inputs.CancelAnswered: cancelling.on_answered,
            inputs.LookUpAnswered: doubting.on_answered,
            inputs.FiguresFetched: confirming.on_figures,
            inputs.AccountFetched: starting.on_account,
            inputs.PictureFetched: comparing.on_picture,
            inputs.AcceptBroker: comparing.on_accept,
            inputs.BrokerUpdated: filling.on_updated,
            inputs.LampChanged: starting.on_lamp,
            inputs.CallsCounted: starting.on_calls,
            inputs.OpenTicket: confirming.on_open_ticket,
            inputs.LookAt: confirming.on_look_at,
            inputs.LeaveTicket: proposing.on_leave_ticket,
            inputs.Confirm: confirming.on_confirm,
            inputs.Decline: proposing.on_decline,
            inputs.ProposeOrder: proposing.on_propose_order,
            inputs.ProposeClose: proposing.on_propose_close,
            inputs.ProposeFlattening: proposing.on_propose_flattening,
            inputs.OpenPlan: planning.on_open,
            inputs.MarkInPlan: planning.on_mark,
            inputs.SignPlan: planning.on_sign,
            inputs.AnswerPlan: planning.running.on_answer,
            inputs.LeavePlan: planning.on_leave,
            inputs.EditProposal: editing.on_edit,
            inputs.TakeBackExits: unattended.on_take_back,
            inputs.PauseStrategy: choosing.on_pause,
            inputs.ResumeStrategy: choosing.on_resume,
            inputs.RefuseSymbol: choosing.on_refuse_symbol,
            inputs.MoveStop: changing.on_move_stop,
            inputs.EditOrder: changing.on_edit_order,
            inputs.RequestCancel: cancelling.on_request,
            inputs.Halt: stopping.on_halt,
            inputs.Resume: stopping.on_resume,
            inputs.Kill: stopping.on_kill,
            inputs.ConfirmWarning: warned.on_confirm,
            inputs.ClearBreaker: breaking.on_clear,
            inputs.OverrideProtection: guarding.on_override,
            inputs.ReloadLimits: reloading.on_reload,
            inputs.SettingsFileSeen: reloading.on_seen,
            inputs.ClockRead: timekeeping.on_read,
            inputs.Rearm: stopping.on_rearm,
            inputs.Start: self._on_start,
            inputs.HistoryFetched: warming.on_fetched,
            inputs.DeadlineReached: self._on_deadline,
            inputs.Leaving: confirming.on_leaving,
            inputs.Stop: starting.on_stop,
        }
        for reply in CALLS:
            self.handlers[reply] = self._heard(breaking, self.handlers[reply])
        for keyed in get_args(inputs.Keyed):
            self.handlers[keyed] = self._through_a_door(self.handlers[keyed])

    def _through_a_door(self, handler: Handler) -> Handler:
        """What opens or loosens is taken from a known door alone; what comes past it is recorded and shown (OP-01)."""

        def handle(command: inputs.Keyed) -> Iterable[Effect]:
            refusal = self.doors.refusal(command.sender)
            if refusal is None:
                return handler(command)
            self.desk.record(CommandRefused(type(command).__name__, refusal))
            return NOTHING

        return handle

    def _build_judgement(self, market: Market) -> tuple[Recommending, Evaluating]:
        """Who speaks about trades and makes none: the advisers, and the night's evaluation."""
        recommending, evaluating = Recommending(self.desk), Evaluating(self.desk)
        market.after_entry = recommending.after_entry
        self.handlers |= {
            inputs.FromAdviser: Advising(self.desk).on_heard,
            inputs.AdoptAdvice: recommending.on_adopt,
            inputs.DropRecommendation: recommending.on_drop,
            inputs.ReinstateStrategy: evaluating.on_reinstate,
            inputs.DecidePromotion: evaluating.on_decide,
        }
        return recommending, evaluating

    # ── the inbox ────────────────────────────────────────────────────────────────────────────────────────────────

    def handle(self, at: datetime, message: inputs.Input) -> Iterable[Effect]:
        """Take one input in and return what is asked of the world, every fact before it being on the disk.

        Raises
        ------
        ValueError
            `at` is before the last input's.
        UnauthorizedAIActionError
            An adviser calls (OP-09).
        """
        if at_work() is not None:
            only_for_people("give the engine orders")
        desk = self.desk
        if at < desk.at:
            raise ValueError(f"time went back: {at} after {desk.at}")
        desk.at = at
        if self._written:
            self._written.clear()
        drained: list[Effect] = []
        failure: Exception | None = None
        kind = type(message)
        try:
            effects = self.handlers[kind](message)
            if kind in REPLANNED:
                self._is_moved = True
            if effects is NOTHING and not self._is_moved:
                return NOTHING
            drained.extend(effects)  # where it raises, what was asked for before is in it
        except JournalWriteError as error:
            return self._without_disk(message, error)
        except JournalError:
            raise
        except Exception as error:  # the engine's edge: what was not foreseen halts trading and says so (EX-14)
            failure = error
        return self._settled(message, drained, failure)

    def _settled(self, message: inputs.Input, drained: list[Effect], failure: Exception | None) -> Iterable[Effect]:
        """What follows from every act, whatever became of it; then its effects, every fact before them on the disk."""
        try:
            if failure is not None:
                self._fail(message, failure)
            drained += apart(self.desk, self.planning.running.go_on)
            drained += apart(self.desk, self.fitting.follow)
            done_apart(self.desk, self.trimming.follow)
            self._take_back_what_never_left(drained)
            drained += apart(self.desk, self._unwritten.follow)
            if self._is_moved or any(type(effect) not in QUESTIONS for effect in drained):
                self._plan_next()  # a fact may have moved a deadline, and what was asked for has a time-out
            if self._is_owed_a_sync or any(type(effect) not in UNSYNCED for effect in drained):
                self.desk.journal.sync()
                self._is_owed_a_sync = False
        except JournalWriteError as error:
            return self._without_disk(message, error)
        return drained

    def apply(self, at: datetime, settings: Settings, installation: str) -> None:
        """Put settings and the installation's name in force; recorded where they are new.

        Limits that are looser than those that held wait for their word, as while an engine runs (RK-13): no crash and
        no restart lets them in.
        """
        self.desk.at = max(at, self.desk.at)
        control = self.desk.control
        if control.state.installation is None:
            self.desk.record(InstallationNamed(installation))
        if control.state.starts > 0:
            settings = without_looser(control.settings, settings, self.desk.equity_of_today)
        if control.state.starts == 0 or control.settings != settings:
            changes = changes_between(control.settings, settings, self.desk.equity_of_today)
            self.desk.record(SettingsApplied(settings))
            self._end_overrides(changes)
        self.minding.tell_of_missing()
        self.minding.tell_of_forgotten()
        self.desk.journal.sync()
        self._is_owed_a_sync = False

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _on_start(self, message: inputs.Start) -> Iterable[Effect]:
        """From here on no further door is made known."""
        self.doors.shut()
        return self._starting.on_start(message)

    def _on_deadline(self, _message: inputs.DeadlineReached) -> Iterator[Effect]:
        yield from self._deadlines.reach()
        self._is_moved = True

    def _plan_next(self) -> None:
        self.next_deadline = self._deadlines.next()
        self._is_moved = False

    def _plan_later(self) -> None:
        self.next_deadline = self._deadlines.next_later()
        self._is_moved = False

    # ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────

    def _fail(self, message: inputs.Input, error: Exception) -> None:
        halt_for(self.desk, error)
        self._is_moved = True
        if isinstance(message, inputs.DeadlineReached):
            self._deadlines.give_up_what_is_due()

    def _take_back_what_never_left(self, drained: list[Effect]) -> None:
        """Orders that were written down and not asked for, because something raised in between (EX-22)."""
        while missing := self._written - {e.order.client_order_id for e in drained if isinstance(e, SUBMISSIONS)}:
            self._written -= missing
            for order_id in sorted(missing):
                stopped = inputs.SubmissionStopped(order_id, NOT_SENT)
                drained += apart(self.desk, partial(self._submitting.on_stopped, stopped))
                order = self.desk.ledger.order(order_id)
                if order is not None and order.only_reduces:
                    done_apart(self.desk, partial(self._ask_again, order, FAILED))

    def lose_disk(self, trouble: str) -> None:
        """The journal's disk fails: nothing leaves any more until a restart (SP-06)."""
        self.disk_trouble = trouble
        control = self.desk.control.state
        control.halted_at = control.halted_at if control.halts else self.desk.at
        control.halts[HaltCause.JOURNAL] = trouble

    def say(self, note: str) -> None:
        """Something that the operator should know of and that stops nothing; each is said once."""
        if note not in self.notes:
            self.notes = (*self.notes, note)

    def _without_disk(self, message: inputs.Input, error: JournalWriteError) -> Iterable[Effect]:
        """Nothing leaves without its record, cancels excepted: a person's, and those of a kill (SP-06)."""
        self.lose_disk(str(error))
        self._plan_later()
        if isinstance(message, inputs.RequestCancel):
            wanted = self.desk.ledger.order(message.client_order_id)
            if wanted is None or not wanted.is_working:
                return NOTHING
            heir = self.desk.ledger.heir(wanted)
            return [CancelOrder(o.id, o.broker_order_id) for o in (wanted, heir) if o is not None]
        return self._stopping.without_disk(message)

    def _note(self, _sequence: int, _at: datetime, fact: Fact) -> None:
        """Any fact but those that are heard again wants a sync, and may have moved a deadline."""
        if not isinstance(fact, RELEARNED):
            self._is_moved = True
            self._is_owed_a_sync = True
        if isinstance(fact, Resumed):
            self._deadlines.forgive()

    def _note_written(self, _at: datetime, fact: OrderCreated) -> None:
        """Before every slice folds it. What the broker made itself is there already, and is not asked for."""
        if fact.role is None or fact.order.replaces is not None:
            self._written.add(fact.order.client_order_id)

    def _heard(self, breaking: Breaking, handler: Handler) -> Handler:
        """A reply is heard by the breaker first, then by its own workflow."""

        def handle(reply: Any) -> Iterable[Effect]:
            done_apart(self.desk, lambda: breaking.hear(reply))
            return handler(reply)

        return handle
