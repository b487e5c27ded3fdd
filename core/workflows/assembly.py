"""Build the workflows of a desk, in the order in which they receive inputs and facts.

Each workflow receives the workflows that it calls. Otherwise it reacts to facts, to inputs, or to the effects at the
end of an act.
"""

from __future__ import annotations

from core.risk.checks import standard_gate
from core.trading_state.state import TradingState
from core.workflows.baskets.basket_execution import BasketExecution
from core.workflows.baskets.baskets import BasketDrafts
from core.workflows.day.account_updates import AccountUpdates
from core.workflows.day.clock import ClockWatch
from core.workflows.day.day_open import DayOpen
from core.workflows.day.market_updates import MarketUpdates
from core.workflows.day.overnight_positions import OvernightPositions
from core.workflows.day.regime_updates import RegimeUpdates
from core.workflows.day.spread_sampling import SpreadSampling
from core.workflows.day.start import EngineStart
from core.workflows.operator.alerting import Alerting
from core.workflows.operator.attending import Attending
from core.workflows.operator.engine_stop import EngineStop
from core.workflows.operator.key_holding import KeyHolding
from core.workflows.operator.kill_switch import KillSwitchWorkflow
from core.workflows.operator.limits_reload import LimitsReload
from core.workflows.operator.notification_delivery import NotificationDelivery
from core.workflows.operator.notifying import Notifying
from core.workflows.operator.pauses_and_bans import PausesAndBans
from core.workflows.operator.symbol_listing import SymbolListing
from core.workflows.operator.watching import Watching
from core.workflows.orders.broker_warnings import BrokerWarnings
from core.workflows.orders.cancellation import Cancellation
from core.workflows.orders.circuit_breaker import CircuitBreaker
from core.workflows.orders.idle_exits import IdleExits
from core.workflows.orders.interrupted_orders import InterruptedOrders
from core.workflows.orders.order_recovery import OrderRecovery
from core.workflows.orders.order_updates import OrderUpdates
from core.workflows.orders.position_close import PositionClose
from core.workflows.orders.replacement import Replacement
from core.workflows.orders.request_pacing import RequestPacing
from core.workflows.orders.request_room import RequestRoom
from core.workflows.orders.submission import Submission
from core.workflows.orders.unsent_orders import UnsentOrders
from core.workflows.protection.excess_exits import ExcessExits
from core.workflows.protection.expired_exits import ExpiredExits
from core.workflows.protection.margin_monitor import MarginMonitor
from core.workflows.protection.owed_stops import StopsOwed
from core.workflows.protection.protections import ProtectionEvents
from core.workflows.protection.protective_stops import ProtectiveStops
from core.workflows.protection.repeated_executions import RepeatedExecutions
from core.workflows.protection.stop_renewal import StopRenewal
from core.workflows.reconciliation.activity_copy import ActivityCopy
from core.workflows.reconciliation.listed_orders import ListedOrders
from core.workflows.reconciliation.reconciliation import Reconciliation
from core.workflows.staging.auto_exits import AutoExits
from core.workflows.staging.confirmation import Confirmations
from core.workflows.staging.exit_resizing import ExitResizing
from core.workflows.staging.manual_proposals import ManualProposals
from core.workflows.staging.order_changes import OrderChanges
from core.workflows.staging.position_protection import PositionProtection
from core.workflows.staging.proposal_edits import ProposalEdits
from core.workflows.staging.proposal_staging import ProposalStaging
from core.workflows.staging.proposals import Proposals
from core.workflows.staging.shared_readings import SharedReadings
from core.workflows.staging.stop_tightening import StopTightening
from core.workflows.staging.ticket_authorizations import TicketAuthorizations
from core.workflows.staging.tickets import Tickets
from core.workflows.strategies.advising import Advising
from core.workflows.strategies.exit_rules import ExitRules
from core.workflows.strategies.recommendations import Recommendations
from core.workflows.strategies.strategy_evaluation import StrategyEvaluation
from core.workflows.strategies.strategy_health import StrategyHealth
from core.workflows.strategies.warm_up import WarmUp


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
    expired_exits = ExpiredExits(state, order_changes, proposals)
    protective_stops = ProtectiveStops(state, submission, cancellation, proposals, order_recovery, stop_renewal)
    position_close = PositionClose(state, submission, cancellation, protective_stops, room)
    excess_exits = ExcessExits(state, submission, cancellation, protective_stops, stop_renewal)
    unsent_orders = UnsentOrders(state, submission, protective_stops, stop_renewal)
    tickets, authorizations = Tickets(state, gate, readings), TicketAuthorizations(state)
    confirmations = Confirmations(state, gate, authorizations, order_changes, submission, position_close, readings)
    auto_exits = AutoExits(state, tickets, confirmations)
    protection_events, margin_monitor = ProtectionEvents(state), MarginMonitor(state)
    recommendations = Recommendations(state)
    watching, regime_updates = Watching(state), RegimeUpdates(state)
    kill_switch = KillSwitchWorkflow(state, cancellation, proposals)
    reconciliation = Reconciliation(
        state,
        ListedOrders(state, order_updates, order_recovery, cancellation, protective_stops, excess_exits),
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
    return (
        CircuitBreaker(state),
        proposals,
        ManualProposals(state, staging),
        ClockWatch(state),
        DayOpen(state),
        protection_events,
        recommendations,
        StrategyEvaluation(state),
        Advising(state),
        regime_updates,
        LimitsReload(state, protection_events, regime_updates),
        strategy_health,
        MarketUpdates(
            state, proposals, strategy_health, ExitRules(state), protection_events, recommendations, auto_exits
        ),
        SpreadSampling(state),
        PausesAndBans(state, proposals),
        SymbolListing(state, proposals, cancellation),
        watching,
        Alerting(state, watching),
        ProposalEdits(state, gate),
        order_changes,
        StopTightening(state, order_changes),
        PositionProtection(state, staging, order_changes),
        order_updates,
        submission,
        BrokerWarnings(state, cancellation),
        order_recovery,
        kill_switch,
        cancellation,
        unsent_orders,
        Replacement(state, order_recovery, cancellation),
        position_close,
        protective_stops,
        stop_renewal,
        expired_exits,
        RepeatedExecutions(state, cancellation),
        readings,
        tickets,
        confirmations,
        auto_exits,
        KeyHolding(state, tickets, confirmations, basket_drafts),
        EngineStop(state),
        Attending(state, cancellation),
        AccountUpdates(state, protection_events, margin_monitor),
        basket_drafts,
        BasketExecution(state, tickets, authorizations, reconciliation, cancellation),
        excess_exits,
        ExitResizing(state, gate),
        InterruptedOrders(state, submission, stop_renewal),
        IdleExits(state),
        StopsOwed(state),
        reconciliation,
        ActivityCopy(state, protective_stops),
        EngineStart(state, reconciliation, order_recovery),
        WarmUp(state),
        Notifying(state),
        NotificationDelivery(state),
        RequestPacing(state, room),
    )
