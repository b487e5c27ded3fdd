"""The engine and its workflows, with one inbox and one writer: `handle(at, input)` records facts and returns effects.

A handler is drained, the journal is synced once, then its effects leave in order. An exception halts entries (EX-14)
and ends only its own handler: its earlier effects leave, and an order that was recorded but not requested is cancelled
(EX-22). A failed write ends submitting (SP-06). The engine has no clock: `at` comes with the input and never decreases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, TypeVar, get_args

from core import facts
from core.messages import commands, desk_commands, inputs
from core.messages.command_ports import Denied, PortRegistry
from core.messages.effects import (
    CancelOrder,
    Effect,
    FetchAccount,
    FetchActivities,
    FetchBooks,
    FetchClock,
    FetchHistory,
    LookUpSymbols,
)
from core.model.account import Mode
from core.model.broker import NoAnswer
from core.model.session import Calendar, Session
from core.ports import Journal, JournalError, JournalWriteError
from core.risk.standard_gate import standard_gate
from core.settings.history import as_they_were
from core.settings.settings import Settings
from core.strategies.builtin import OF_THE_HOUSE, StrategyKinds
from core.trading_state.state import TradingState
from core.workflows.basket_execution import BasketExecution
from core.workflows.baskets import BasketDrafts
from core.workflows.broker_lists import ActivityCopy, ListedOrders
from core.workflows.corporate_actions import CorporateActions
from core.workflows.draft_review import FalseFacts
from core.workflows.drafting import Drafting
from core.workflows.engine_start import EngineStart
from core.workflows.market_updates import MarketUpdates, RegimeUpdates, SpreadSampling
from core.workflows.operator.command_rights import DeskRights, EngineStop
from core.workflows.operator.desk_control import Attending, KeyHolding
from core.workflows.operator.kill_switch import KillSwitchWorkflow
from core.workflows.operator.limits_reload import LimitsReload
from core.workflows.operator.notification_delivery import NotificationDelivery
from core.workflows.operator.notifying import Notifying
from core.workflows.operator.pauses_and_lists import PausesAndBans, SymbolListing
from core.workflows.operator.touch_keys import TouchEnrolment
from core.workflows.operator.watching import Alerting, Watching
from core.workflows.orders.account_blocks import AccountBlocks
from core.workflows.orders.cancellation import BrokerWarnings, Cancellation, Replacement
from core.workflows.orders.circuit_breaker import CircuitBreaker
from core.workflows.orders.fill_reversals import FillReversals
from core.workflows.orders.order_recovery import OrderRecovery
from core.workflows.orders.order_updates import OrderUpdates
from core.workflows.orders.position_close import PositionClose
from core.workflows.orders.query_queue import RequestPacing
from core.workflows.orders.request_reserve import RequestRoom
from core.workflows.orders.submission import Submission
from core.workflows.orders.taken_ids import TakenIds
from core.workflows.orders.unfilled_orders import UnfilledOrders
from core.workflows.orders.unread_messages import UnreadMessages
from core.workflows.orders.unsent_orders import InterruptedOrders, UnsentOrders
from core.workflows.protection.excess_exits import ExcessExits, ExpiredExits
from core.workflows.protection.owed_stops import OvernightPositions, StopRenewal, StopsOwed
from core.workflows.protection.protections import MarginMonitor, ProtectionEvents, RepeatedExecutions
from core.workflows.protection.protective_stops import ProtectiveStops
from core.workflows.recommendations import Recommendations
from core.workflows.reconciliation import Reconciliation
from core.workflows.session_watch import SessionWatch
from core.workflows.staging.confirmation import Confirmations
from core.workflows.staging.manual_proposals import ManualProposals, PositionProtection, StopTightening
from core.workflows.staging.order_changes import OrderChanges
from core.workflows.staging.proposal_intake import ProposalEdits, ProposalStaging
from core.workflows.staging.proposal_lifecycle import Proposals
from core.workflows.staging.ticket_checks import TicketAuthorizations
from core.workflows.staging.tickets import SharedReadings, Tickets
from core.workflows.staging.unattended_exits import AutoExits, ExitResizing
from core.workflows.strategy_evaluation import StrategyEvaluation
from core.workflows.strategy_signals import ExitRules, StrategyHealth, WarmUp
from core.workflows.thesis_check import ThesisCheck
from core.workflows.trading_day import AccountUpdates, ClockWatch, DayOpen
from core.workflows.workflow import (
    ANSWERS,
    FOLLOWS,
    Deadlines,
    EndsActs,
    HasDeadline,
    HearsDiskFailure,
    PacesRequests,
    Starts,
    declared,
    declaring,
    follow_up,
    halt_for,
)

# ── the workflows ────────────────────────────────────────────────────────────────────────────────────────────────────
# Build the workflows of a desk, in the order in which they receive inputs and facts.
#
# Each workflow receives the workflows that it calls. Otherwise it reacts to facts, to inputs, or to the effects at the
# end of an act.


def workflows_of(state: TradingState) -> tuple[object, ...]:
    """Build all workflows: broker responses first, then market and operator, then orders, then reconciliation."""
    gate, room = standard_gate(), RequestRoom(state)
    readings = SharedReadings(state, room)
    order_updates = OrderUpdates(state)
    order_recovery = OrderRecovery(state, order_updates)
    submission = Submission(state, order_updates, order_recovery)
    cancellation = Cancellation(state, order_updates, order_recovery, submission)
    staging = ProposalStaging(state, gate)
    proposals = Proposals(state, staging)
    order_changes = OrderChanges(state, staging)
    stop_renewal = StopRenewal(state, order_changes, proposals)
    expired_exits = ExpiredExits(state, proposals)
    protective_stops = ProtectiveStops(state, submission, cancellation, proposals, order_recovery, stop_renewal)
    position_close = PositionClose(state, submission, cancellation, protective_stops, room)
    excess_exits = ExcessExits(state, submission, cancellation, protective_stops, stop_renewal)
    unsent_orders = UnsentOrders(state, submission, protective_stops, stop_renewal)
    tickets, authorizations = Tickets(state, gate, readings), TicketAuthorizations(state)
    confirmations = Confirmations(state, gate, authorizations, order_changes, submission, position_close, readings)
    auto_exits = AutoExits(state, tickets, confirmations)
    account_blocks = AccountBlocks(state, order_recovery, proposals, auto_exits)
    protection_events, margin_monitor = ProtectionEvents(state), MarginMonitor(state)
    recommendations, manual_proposals = Recommendations(state), ManualProposals(state, staging)
    watching, regime_updates = Watching(state), RegimeUpdates(state)
    kill_switch = KillSwitchWorkflow(state, cancellation, proposals)
    fill_reversals, corporate_actions = FillReversals(state, order_updates), CorporateActions(state, cancellation)
    reconciliation = Reconciliation(
        state,
        ListedOrders(state, order_updates, order_recovery, cancellation, protective_stops, excess_exits),
        fill_reversals,
        corporate_actions,
        protective_stops,
        position_close,
        excess_exits,
        stop_renewal,
        expired_exits,
        unsent_orders,
        kill_switch,
        OvernightPositions(state, proposals),
    )
    strategy_health, basket_drafts = StrategyHealth(state, proposals), BasketDrafts(state, gate)
    exit_rules = ExitRules(state)
    return (
        CircuitBreaker(state),
        proposals,
        manual_proposals,
        Drafting(state, gate, manual_proposals, recommendations),
        FalseFacts(state),
        ClockWatch(state),
        SessionWatch(state),
        DayOpen(state),
        protection_events,
        recommendations,
        StrategyEvaluation(state),
        ThesisCheck(state),
        regime_updates,
        LimitsReload(state, protection_events, regime_updates),
        strategy_health,
        exit_rules,
        MarketUpdates(state, proposals, strategy_health, exit_rules, protection_events, recommendations, auto_exits),
        SpreadSampling(state),
        PausesAndBans(state, proposals),
        SymbolListing(state, proposals, cancellation),
        watching,
        Alerting(state, watching),
        TouchEnrolment(state),
        ProposalEdits(state, gate),
        order_changes,
        StopTightening(state, order_changes),
        PositionProtection(state, staging),
        order_updates,
        fill_reversals,
        UnreadMessages(state, order_updates),
        submission,
        BrokerWarnings(state, cancellation),
        order_recovery,
        TakenIds(state, submission, order_recovery, unsent_orders),
        kill_switch,
        cancellation,
        unsent_orders,
        Replacement(state, order_recovery, cancellation),
        position_close,
        corporate_actions,
        protective_stops,
        stop_renewal,
        expired_exits,
        RepeatedExecutions(state, cancellation),
        account_blocks,
        readings,
        tickets,
        confirmations,
        auto_exits,
        KeyHolding(state, tickets, confirmations, basket_drafts),
        EngineStop(state),
        Attending(state, cancellation),
        AccountUpdates(state, protection_events, margin_monitor),
        margin_monitor,
        basket_drafts,
        BasketExecution(state, tickets, authorizations, reconciliation, cancellation),
        excess_exits,
        ExitResizing(state, gate),
        InterruptedOrders(state, submission, stop_renewal),
        UnfilledOrders(state, order_recovery),
        StopsOwed(state),
        reconciliation,
        ActivityCopy(state, protective_stops),
        EngineStart(state, reconciliation, order_recovery),
        WarmUp(state),
        Notifying(state),
        NotificationDelivery(state),
        RequestPacing(state, room),
    )


# ── the engine ───────────────────────────────────────────────────────────────────────────────────────────────────────

Handler = Callable[[Any], Iterable[Effect]]
Handlers = dict[type, tuple[Handler, ...]]
Workflow = TypeVar("Workflow")
NOTHING: tuple[Effect, ...] = ()
QUESTIONS = frozenset({FetchAccount, FetchClock})
"""Effects that change nothing and that nobody waits for: they move no deadline."""

UNSYNCED = QUESTIONS | {FetchBooks, FetchActivities, FetchHistory, LookUpSymbols}
"""Effects that need no sync of their own; the answer of `FetchBooks` is awaited, so it moves a deadline."""

UNHURRIED = (facts.NotificationSent, facts.NotificationFailed, facts.NotificationWithdrawn)
"""Facts that wait for the next sync; no order waits for it.

If the machine loses them, urgent notices are sent again as repeats, others are not, and ended ones are withdrawn again
(SY-03).
"""

REPLANNED = frozenset(
    {
        inputs.BooksFetched,
        inputs.HistoryFetched,
        inputs.ActivitiesFetched,
        inputs.SymbolsLookedUp,
        inputs.ConnectionChanged,
        inputs.ClockRead,
        inputs.SubmissionBegan,
        inputs.NotificationAnswered,
        inputs.ReportAnswered,
    }
)
"""Inputs that may move a deadline although nothing is recorded or requested."""


OF_THEMSELVES = (
    commands.Confirm
    | commands.SignBasket
    | desk_commands.AttachDesk
    | desk_commands.DetachDesk
    | desk_commands.LoseDesk
    | desk_commands.TakeKey
    | commands.OpenTicket
    | commands.LeaveTicket
    | desk_commands.LookAt
    | desk_commands.KeyPressed
)
"""Commands whose own fact names the desk, and those that only read."""


COMMANDS = frozenset(get_args(commands.Command))
"""Input of a person, a script or the housekeeping: for this account, or refused."""


class Engine:
    """The desk's state, the workflows that change it, and the journal."""

    def __init__(
        self, account: str, mode: Mode, calendar: Calendar, journal: Journal, kinds: StrategyKinds = OF_THE_HOUSE
    ) -> None:
        self.next_deadline: datetime | None = None
        self.notes: tuple[str, ...] = ()
        self._is_moved = False
        self._is_owed_a_sync = False
        self.state = state = TradingState(
            account, mode, calendar, journal, kinds, followers=self._followers, note=self._note
        )
        self.ports = PortRegistry(state.account_name)
        self.rights = DeskRights(state)
        self.workflows = workflows_of(state)
        own: Handlers = {inputs.Start: (self._on_start,), inputs.DeadlineReached: (self._on_deadline,)}
        self.handlers = _by_kind(self.workflows, ANSWERS, own)
        self._follow = _by_kind(self.workflows, FOLLOWS)
        self._session_watch = next(each for each in self.workflows if isinstance(each, SessionWatch))
        self._settling = declaring(EndsActs, self.workflows)
        (self._pacing,) = declaring(PacesRequests, self.workflows)
        self._deadlines = Deadlines(state, declaring(HasDeadline, self.workflows))

    def _followers(self, kind: type) -> tuple[Handler, ...]:
        return self._follow.get(kind, ())

    def the(self, kind: type[Workflow]) -> Workflow:
        return next(workflow for workflow in self.workflows if isinstance(workflow, kind))

    # ── the inbox ────────────────────────────────────────────────────────────────────────────────────────────────

    def handle(self, at: datetime, message: inputs.Input) -> Iterable[Effect]:
        """Process one input and return its effects, with every earlier fact on the disk.

        Raises
        ------
        ValueError
            `at` is before the last input's.
        """
        state = self.state
        if at < state.at:
            raise ValueError(f"time went back: {at} after {state.at}")
        state.at = at
        kind = type(message)
        asked: list[Effect] = []
        failures: list[Exception] = []
        is_quiet = kind not in REPLANNED
        self._is_moved = self._is_moved or not is_quiet
        try:
            for handler in self.handlers[kind] if kind not in COMMANDS else self._behind_the_port(message):
                try:
                    effects = handler(message)
                    if effects is not NOTHING:
                        is_quiet = False
                        asked.extend(effects)  # if it raises, the earlier effects are kept
                except JournalError:
                    raise
                except (
                    Exception
                ) as error:  # the engine's boundary: an unexpected error halts trading and is reported (EX-14)
                    failures.append(error)
            if state.sightings.deadline_moved:
                state.sightings.deadline_moved, self._is_moved = False, True
            is_news = state.sightings.books_are_wanted or state.news.has_news or state.ledger.retention.is_in_trouble
            if is_quiet and not (failures or self._is_moved or is_news):
                return NOTHING
            return self._settled(message, asked, failures)
        except JournalWriteError as error:
            self.lose_disk(str(error))
            return self._without_disk(message, asked=self._unrecorded(asked))

    def _settled(self, message: inputs.Input, asked: list[Effect], failures: list[Exception]) -> list[Effect]:
        """Run the steps that follow every act, then return its effects with every earlier fact on the disk.

        `asked` grows effect by effect: each workflow sees all effects requested before it.
        """
        for failure in failures:
            self._fail(message, failure)
        news = self.state.news
        if news.has_news:
            asked.extend(follow_up(self.state))
        for workflow in self._settling:
            try:
                asked.extend(workflow.settle(asked) or NOTHING)
            except JournalError:
                raise
            except Exception as error:  # as in `apart`, without its cost at every input
                halt_for(self.state, error)
            if news.has_news:
                asked.extend(follow_up(self.state))
        if (unread := self.state.ledger.retention.take_trouble()) is not None:
            halt_for(self.state, unread)  # before anything of this act leaves: an entry may be a duplicate
            asked.extend(follow_up(self.state))
        asked = self._paced(asked)
        if self._is_moved or any(type(effect) not in QUESTIONS for effect in asked):
            self._plan_next()  # a fact may have moved a deadline, and requests have time-outs
        if self._is_owed_a_sync or any(type(effect) not in UNSYNCED for effect in asked):
            try:
                self.state.journal.sync()
            except JournalWriteError as error:
                self.lose_disk(str(error))
                return self._without_disk(message, paced=self._unrecorded(asked))
            self._is_owed_a_sync = False
        return asked

    def _paced(self, asked: list[Effect]) -> list[Effect]:
        """Return the effects that leave now; all of them if the pacing fails."""
        try:
            leaving: list[Effect] = self._pacing.paced(asked)
        except JournalError:
            raise
        except Exception as error:
            if self.disk_trouble is None:
                halt_for(self.state, error)
            return asked
        self._is_moved = self._is_moved or self._pacing.is_holding
        return leaving

    def _behind_the_port(self, message: Any) -> tuple[Handler, ...]:
        """Return the handlers of a command, or record and show its refusal (OP-01, OP-13).

        A command for another account is refused; one that opens or loosens needs a registered port, and desk control if
        it comes from a desk.
        """
        denied = self._denied(message)
        if denied is None:
            self.rights.hear(message)
            if message.desk is not None and not isinstance(message, OF_THEMSELVES):
                self.state.record(facts.CommandGiven(message.desk, type(message).__name__))
            return self.handlers[type(message)]
        self.state.record(facts.CommandRefused(type(message).__name__, denied.reason, denied.code, denied.desk))
        return ()

    def _denied(self, message: Any) -> Denied | None:
        return self.ports.refusal(message) or self.rights.denial(message)

    def apply(
        self, at: datetime, settings: Settings, installation: str, sessions: Sequence[Session | date] | NoAnswer = ()
    ) -> None:
        """Apply settings, the installation's name and the broker's sessions; they are recorded if they changed."""
        state = self.state
        state.at = max(at, state.at)
        if state.control.settings.odd.words:
            self.say(as_they_were(state.control.settings.odd))
        for workflow in declaring(Starts, self.workflows):
            workflow.begin_with(settings, installation)
        self._session_watch.follow(sessions)
        state.journal.sync()
        self._is_owed_a_sync = False

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _on_start(self, _message: inputs.Start) -> Iterable[Effect]:
        """Close the registry: no further port is registered."""
        self.ports.shut()
        return NOTHING

    def _on_deadline(self, _message: inputs.DeadlineReached) -> Iterator[Effect]:
        yield from self._deadlines.reach()
        self._is_moved = True

    def _plan_next(self) -> None:
        self.next_deadline = self._deadlines.next()
        self._is_moved = False

    # ── failures ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _fail(self, message: inputs.Input, error: Exception) -> None:
        halt_for(self.state, error)
        self._is_moved = True
        if isinstance(message, inputs.DeadlineReached):
            self._deadlines.give_up_what_is_due()

    @property
    def disk_trouble(self) -> str | None:
        return self.state.sightings.disk.trouble

    def lose_disk(self, trouble: str) -> None:
        """Note that the journal's disk failed: nothing leaves until a restart (SP-06)."""
        self.state.sightings.disk.lose(trouble, self.state.at)

    def say(self, note: str) -> None:
        """Add a note for the operator that stops nothing; each note once."""
        if note not in self.notes:
            self.notes = (*self.notes, note)

    def _unrecorded(self, asked: list[Effect]) -> list[Effect]:
        """Return the effects of an act that leave although its record failed (SP-06).

        They are the queries that need no sync, because who requested one waits for its answer, and the cancels of
        external orders, which only a kill requests.
        """
        return [effect for effect in asked if type(effect) in UNSYNCED or self._is_of_external(effect)]

    def _is_of_external(self, effect: Effect) -> bool:
        return isinstance(effect, CancelOrder) and self.state.ledger.order(effect.client_order_id) is None

    def _without_disk(
        self, message: inputs.Input, asked: Sequence[Effect] = (), paced: Sequence[Effect] = ()
    ) -> list[Effect]:
        """Return the only effects allowed without a record: those of the act, cancels by a person or a kill, and their
        notice (SP-06).

        `paced` have room already.
        """
        self.state.news.drop()
        diskless = () if self._is_refused(message) else declaring(HearsDiskFailure, self.workflows)
        queries = UNSYNCED.intersection(map(type, (*asked, *paced)))
        without = [effect for workflow in diskless for effect in workflow.without_disk(message)]
        without = [effect for effect in without if type(effect) not in queries]
        leaving = [*self._paced([*without, *asked]), *paced]
        self._deadlines.hear()
        self.next_deadline = self._deadlines.next_later()
        self._is_moved = False
        return leaving

    def _is_refused(self, message: Any) -> bool:
        return type(message) in COMMANDS and self._denied(message) is not None

    def _note(self, fact: facts.Fact) -> None:
        """Note a recorded fact: any fact but a reheard one needs a sync, and may have moved a deadline."""
        if not isinstance(fact, facts.RELEARNED):
            self._is_moved = True
            self._deadlines.hear()
            self._is_owed_a_sync = self._is_owed_a_sync or not isinstance(fact, UNHURRIED)
        if isinstance(fact, facts.Resumed):
            self._deadlines.forgive()


def _by_kind(workflows: Iterable[object], table: str, first: Handlers | None = None) -> Handlers:
    """Map inputs or facts to their handlers, in the order of the list."""
    found = dict(first or {})
    for workflow in workflows:
        for kind, act in declared(workflow, table):
            found[kind] = (*found.get(kind, ()), act)
    return found
