"""Everything that can happen. A fact is the only thing that changes state, and the journal holds nothing else.

Each is frozen, named in the past tense, and carries what was used to decide it. `VERSIONS` names those whose shape has
changed since the first journal; every other is version 1.
"""

from __future__ import annotations

from core.facts.advice import (
    AdoptionRefused,
    AdviceGiven,
    AdviserFailed,
    AdviserOverstepped,
    AdviserPaused,
    RecommendationAdopted,
    RecommendationDropped,
)
from core.facts.evaluation import (
    PromotionDecided,
    PromotionProposed,
    PromotionRefused,
    StrategiesEvaluated,
    StrategyOpened,
    StrategyShut,
)
from core.facts.orders import (
    BreakerClosed,
    BreakerOpened,
    BrokerWarned,
    CallAnswered,
    CallFailed,
    CancelDropped,
    CancelFailed,
    CancelRequested,
    FillNotBelieved,
    KeptOrderReleased,
    LegResized,
    LegsMissing,
    OrderCreated,
    OrderFilled,
    OrderInDoubt,
    OrderKept,
    OrderNotFound,
    OrderSent,
    OrderStateChanged,
    OtherTakenBack,
    PermissionReturned,
    PositionChanged,
    Source,
    StopAskedFor,
    StopCut,
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
    DayCorrected,
    DayStarted,
    EngineStarted,
    EngineStopped,
    HistoryTaken,
    InstallationNamed,
    LimitsReloaded,
    MarketDataQuarantined,
    PastTaken,
    ReloadRefused,
    SettingsApplied,
    SettingsFileAgreed,
    SettingsFileChanged,
    StateReset,
    StateRestored,
    TradingHalted,
    TradingResumed,
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
    CommandRefused,
    ConfirmationReceived,
    ConfirmationRefused,
    EditRefused,
    ExitReleased,
    MandateEnded,
    MandateProlonged,
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
    OwnerShare,
    PositionCorrected,
    Rearmed,
    RearmRefused,
    ReconciliationFailed,
    ReconciliationPassed,
    Resumed,
)
from core.facts.strategies import SignalsOpposed, StrategyFailed, StrategyForgot, StrategyFound, StrategyMissing

__all__ = [
    "RELEARNED",
    "VERSIONS",
    "AdoptionRefused",
    "AdviceGiven",
    "AdviserFailed",
    "AdviserOverstepped",
    "AdviserPaused",
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
    "CommandRefused",
    "ConfirmationReceived",
    "ConfirmationRefused",
    "DayCorrected",
    "DayStarted",
    "EditRefused",
    "EngineStarted",
    "EngineStopped",
    "ExitReleased",
    "Fact",
    "FillNotBelieved",
    "HaltCause",
    "Halted",
    "HistoryTaken",
    "InstallationNamed",
    "KeptOrderReleased",
    "Killed",
    "LegResized",
    "LegsMissing",
    "LimitsReloaded",
    "MandateEnded",
    "MandateProlonged",
    "MarginSampled",
    "MarginWarned",
    "MarketDataQuarantined",
    "OrderApproved",
    "OrderCreated",
    "OrderFilled",
    "OrderInDoubt",
    "OrderKept",
    "OrderNotFound",
    "OrderSent",
    "OrderStateChanged",
    "OtherTakenBack",
    "OverrideEnded",
    "OwnerShare",
    "PastTaken",
    "PermissionReturned",
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
    "PromotionDecided",
    "PromotionProposed",
    "PromotionRefused",
    "ProposalEdited",
    "ProposalEnd",
    "ProposalEnded",
    "ProposalSkipped",
    "ProposalStaged",
    "ProtectionExpired",
    "ProtectionOverridden",
    "ProtectionTripped",
    "RearmRefused",
    "Rearmed",
    "RecommendationAdopted",
    "RecommendationDropped",
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
    "SignalsOpposed",
    "Source",
    "StateReset",
    "StateRestored",
    "StopAskedFor",
    "StopCut",
    "StrategiesEvaluated",
    "StrategyFailed",
    "StrategyForgot",
    "StrategyFound",
    "StrategyMissing",
    "StrategyOpened",
    "StrategyPaused",
    "StrategyResumed",
    "StrategyShut",
    "SubmissionBlocked",
    "SymbolRefused",
    "TicketClosed",
    "TicketOpened",
    "TradeClosed",
    "TradingHalted",
    "TradingResumed",
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
    | DayCorrected
    | BarClosed
    | HistoryTaken
    | PastTaken
    | TradingHalted
    | TradingResumed
    | MarketDataQuarantined
    | StrategyPaused
    | StrategyResumed
    | StrategyFailed
    | SignalsOpposed
    | StrategyMissing
    | StrategyFound
    | StrategyForgot
    | SymbolRefused
    | ProposalStaged
    | ProposalSkipped
    | ProposalEdited
    | EditRefused
    | ProposalEnded
    | TicketOpened
    | TicketClosed
    | CommandRefused
    | ConfirmationReceived
    | ExitReleased
    | ConfirmationRefused
    | OrderApproved
    | ApprovalRedeemed
    | MandateEnded
    | MandateProlonged
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
    | OtherTakenBack
    | OrderInDoubt
    | OrderNotFound
    | SubmissionBlocked
    | OrderKept
    | KeptOrderReleased
    | PermissionReturned
    | StopAskedFor
    | StopCut
    | OrderSent
    | BrokerWarned
    | WarningConfirmed
    | CancelRequested
    | FillNotBelieved
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
    | RearmRefused
    | ReconciliationPassed
    | ReconciliationFailed
    | PositionCorrected
    | AdviceGiven
    | AdviserFailed
    | AdviserPaused
    | AdviserOverstepped
    | RecommendationAdopted
    | RecommendationDropped
    | AdoptionRefused
    | StrategiesEvaluated
    | StrategyShut
    | StrategyOpened
    | PromotionProposed
    | PromotionDecided
    | PromotionRefused
)

VERSIONS: dict[str, int] = {
    "ProposalStaged": 4,
    "ProposalSkipped": 5,
    "ProposalEdited": 4,
    "TicketOpened": 4,
    "ConfirmationReceived": 4,
    "ApprovalRedeemed": 2,
    "OrderCreated": 5,
    "OrderFilled": 2,
    "TradeClosed": 4,
    "StrategiesEvaluated": 2,
    "StrategyPaused": 3,
    "PromotionDecided": 2,
    "ReconciliationPassed": 2,
    "ReconciliationFailed": 2,
    "PlanOpened": 3,
    "PlanSigned": 2,
    "PlanEnded": 2,
    "PlanRefused": 2,
    "WarningConfirmed": 2,
    "RegimeMeasured": 2,
    "PositionCorrected": 2,
}
"""Facts whose shape changed, and the version that is written now."""

RELEARNED = (BarClosed, HistoryTaken, PastTaken, MarketDataQuarantined, MarginSampled)
"""Facts that need no sync of their own: lost in a crash, they are heard again from the source."""
