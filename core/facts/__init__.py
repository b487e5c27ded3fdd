"""Everything that can happen. A fact is the only thing that changes state, and the journal holds nothing else.

Each is frozen, named in the past tense, and carries what was used to decide it. `VERSIONS` names those whose shape has
changed since the first journal; every other is version 1.
"""

from __future__ import annotations

from core.facts.orders import (
    BreakerClosed,
    BreakerOpened,
    BrokerWarned,
    CallAnswered,
    CallFailed,
    CancelDropped,
    CancelFailed,
    CancelRequested,
    LegResized,
    LegsMissing,
    OrderCreated,
    OrderFilled,
    OrderInDoubt,
    OrderNotFound,
    OrderSent,
    OrderStateChanged,
    PositionChanged,
    Source,
    SubmissionBlocked,
    TradeClosed,
    UpdateIgnored,
    WarningConfirmed,
)
from core.facts.plans import (
    PlanEnded,
    PlanMarked,
    PlanMoved,
    PlanOpened,
    PlanOrderSkipped,
    PlanRefused,
    PlanSigned,
    PlanTurnBegun,
)
from core.facts.program import (
    BarClosed,
    ClockJumped,
    ClockSettled,
    DayStarted,
    EngineStarted,
    EngineStopped,
    InstallationNamed,
    LimitsReloaded,
    MarketDataQuarantined,
    ReloadRefused,
    SettingsApplied,
    SettingsFileAgreed,
    SettingsFileChanged,
    StateReset,
    StateRestored,
)
from core.facts.risk import (
    MarginSampled,
    MarginWarned,
    OverrideEnded,
    ProtectionExpired,
    ProtectionOverridden,
    ProtectionTripped,
    RegimeMeasured,
    RiskRestored,
    RiskThrottled,
)
from core.facts.staging import (
    ApprovalRedeemed,
    ConfirmationReceived,
    ConfirmationRefused,
    EditRefused,
    MandateEnded,
    OrderApproved,
    ProposalEdited,
    ProposalEnd,
    ProposalEnded,
    ProposalSkipped,
    ProposalStaged,
    StrategyPaused,
    StrategyResumed,
    SymbolRefused,
    TicketClosed,
    TicketOpened,
)
from core.facts.standing import (
    HaltCause,
    Halted,
    Killed,
    PositionCorrected,
    Rearmed,
    ReconciliationFailed,
    ReconciliationPassed,
    Resumed,
)

__all__ = [
    "RELEARNED",
    "VERSIONS",
    "ApprovalRedeemed",
    "BarClosed",
    "BreakerClosed",
    "BreakerOpened",
    "BrokerWarned",
    "CallAnswered",
    "CallFailed",
    "CancelDropped",
    "CancelFailed",
    "CancelRequested",
    "ClockJumped",
    "ClockSettled",
    "ConfirmationReceived",
    "ConfirmationRefused",
    "DayStarted",
    "EditRefused",
    "EngineStarted",
    "EngineStopped",
    "Fact",
    "HaltCause",
    "Halted",
    "InstallationNamed",
    "Killed",
    "LegResized",
    "LegsMissing",
    "LimitsReloaded",
    "MandateEnded",
    "MarginSampled",
    "MarginWarned",
    "MarketDataQuarantined",
    "OrderApproved",
    "OrderCreated",
    "OrderFilled",
    "OrderInDoubt",
    "OrderNotFound",
    "OrderSent",
    "OrderStateChanged",
    "OverrideEnded",
    "PlanEnded",
    "PlanMarked",
    "PlanMoved",
    "PlanOpened",
    "PlanOrderSkipped",
    "PlanRefused",
    "PlanSigned",
    "PlanTurnBegun",
    "PositionChanged",
    "PositionCorrected",
    "ProposalEdited",
    "ProposalEnd",
    "ProposalEnded",
    "ProposalSkipped",
    "ProposalStaged",
    "ProtectionExpired",
    "ProtectionOverridden",
    "ProtectionTripped",
    "Rearmed",
    "ReconciliationFailed",
    "ReconciliationPassed",
    "RegimeMeasured",
    "ReloadRefused",
    "Resumed",
    "RiskRestored",
    "RiskThrottled",
    "SettingsApplied",
    "SettingsFileAgreed",
    "SettingsFileChanged",
    "Source",
    "StateReset",
    "StateRestored",
    "StrategyPaused",
    "StrategyResumed",
    "SubmissionBlocked",
    "SymbolRefused",
    "TicketClosed",
    "TicketOpened",
    "TradeClosed",
    "UpdateIgnored",
    "WarningConfirmed",
]

Fact = (
    SettingsApplied
    | SettingsFileChanged
    | SettingsFileAgreed
    | LimitsReloaded
    | ReloadRefused
    | ClockJumped
    | ClockSettled
    | InstallationNamed
    | StateReset
    | StateRestored
    | EngineStarted
    | EngineStopped
    | DayStarted
    | BarClosed
    | MarketDataQuarantined
    | StrategyPaused
    | StrategyResumed
    | SymbolRefused
    | ProposalStaged
    | ProposalSkipped
    | ProposalEdited
    | EditRefused
    | ProposalEnded
    | TicketOpened
    | TicketClosed
    | ConfirmationReceived
    | ConfirmationRefused
    | OrderApproved
    | ApprovalRedeemed
    | MandateEnded
    | PlanOpened
    | PlanMarked
    | PlanSigned
    | PlanRefused
    | PlanTurnBegun
    | PlanOrderSkipped
    | PlanMoved
    | PlanEnded
    | OrderCreated
    | LegResized
    | LegsMissing
    | OrderStateChanged
    | OrderInDoubt
    | OrderNotFound
    | SubmissionBlocked
    | OrderSent
    | BrokerWarned
    | WarningConfirmed
    | CancelRequested
    | CancelFailed
    | CancelDropped
    | OrderFilled
    | PositionChanged
    | TradeClosed
    | UpdateIgnored
    | CallFailed
    | CallAnswered
    | BreakerOpened
    | BreakerClosed
    | ProtectionTripped
    | ProtectionExpired
    | ProtectionOverridden
    | OverrideEnded
    | RegimeMeasured
    | RiskThrottled
    | RiskRestored
    | MarginSampled
    | MarginWarned
    | Halted
    | Resumed
    | Killed
    | Rearmed
    | ReconciliationPassed
    | ReconciliationFailed
    | PositionCorrected
)

VERSIONS: dict[str, int] = {
    "ProposalStaged": 2,
    "ProposalSkipped": 3,
    "ProposalEdited": 2,
    "TicketOpened": 2,
    "ConfirmationReceived": 2,
    "OrderCreated": 2,
    "StrategyPaused": 2,
    "ReconciliationPassed": 2,
    "ReconciliationFailed": 2,
}
"""Facts whose shape changed, and the version that is written now."""

RELEARNED = (BarClosed, MarketDataQuarantined, MarginSampled)
"""Facts that need no sync of their own: lost in a crash, they are heard again from the source."""
