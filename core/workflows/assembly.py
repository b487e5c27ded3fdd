"""Build the workflows of a desk, in the order in which they receive inputs and facts.

Each workflow receives the workflows that it calls. Otherwise it reacts to facts, to inputs, or to the effects at the
end of an act.
"""

from __future__ import annotations

from core.risk.checks import standard_gate
from core.trading_state.state import TradingState
from core.workflows.baskets.basket_execution import BasketExecution
from core.workflows.baskets.baskets import BasketDrafts
from core.workflows.day.market_updates import MarketUpdates, RegimeUpdates, SpreadSampling
from core.workflows.day.start import ClockWatch, EngineStart
from core.workflows.day.trading_day import AccountUpdates, DayOpen
from core.workflows.operator.desk_control import Attending, KeyHolding
from core.workflows.operator.desk_rights import EngineStop
from core.workflows.operator.kill_switch import KillSwitchWorkflow, PausesAndBans, SymbolListing
from core.workflows.operator.limits_reload import LimitsReload
from core.workflows.operator.notification_delivery import NotificationDelivery
from core.workflows.operator.notifying import Notifying
from core.workflows.operator.watching import Alerting, Watching
from core.workflows.orders.cancellation import BrokerWarnings, Cancellation, Replacement
from core.workflows.orders.exit_legs import IdleExits
from core.workflows.orders.order_recovery import OrderRecovery
from core.workflows.orders.order_updates import OrderUpdates
from core.workflows.orders.position_close import PositionClose
from core.workflows.orders.request_pacing import RequestPacing
from core.workflows.orders.request_room import CircuitBreaker, RequestRoom
from core.workflows.orders.submission import Submission
from core.workflows.orders.unsent_orders import InterruptedOrders, UnsentOrders
from core.workflows.protection.excess_exits import ExcessExits, ExpiredExits
from core.workflows.protection.owed_stops import OvernightPositions, StopRenewal, StopsOwed
from core.workflows.protection.protections import MarginMonitor, ProtectionEvents, RepeatedExecutions
from core.workflows.protection.protective_stops import ProtectiveStops
from core.workflows.reconciliation.broker_lists import ActivityCopy, ListedOrders
from core.workflows.reconciliation.reconciliation import Reconciliation
from core.workflows.staging.confirmation import Confirmations
from core.workflows.staging.confirmation_checks import TicketAuthorizations
from core.workflows.staging.exits import AutoExits, ExitResizing
from core.workflows.staging.manual_proposals import ManualProposals, PositionProtection, StopTightening
from core.workflows.staging.order_changes import OrderChanges
from core.workflows.staging.proposal_staging import ProposalEdits, ProposalStaging
from core.workflows.staging.proposals import Proposals
from core.workflows.staging.tickets import SharedReadings, Tickets
from core.workflows.strategies.advice import Advising, Recommendations
from core.workflows.strategies.strategy_evaluation import StrategyEvaluation
from core.workflows.strategies.strategy_signals import ExitRules, StrategyHealth, WarmUp


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
        PositionProtection(state, staging),
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
