"""The immutable pictures of the state that the panes draw. Values only: no widget asks the engine anything.

Times are UTC; whoever draws them converts. A figure that is not known is None, and the screen says so.
"""

from __future__ import annotations

from core.views.advice import NO_ADVICE, AdviceRow, AdviceView
from core.views.basket import BasketRowView, BasketView
from core.views.desk import DeskView
from core.views.results import ChartBar, ChartFill, ChartView, ResultRow, ShadowRow, TradeRow
from core.views.rows import (
    HALTED,
    IN_DOUBT,
    WARNED,
    ForeignRow,
    LogRow,
    NotEdited,
    NotStaged,
    OrderRow,
    OtherOrderRow,
    OverrideView,
    PositionRow,
    ProposalRow,
    ProtectionRow,
    RowMark,
    StrategyRow,
    SuspensionView,
)
from core.views.standing import (
    NO_WIRE,
    NOTHING_TO_RELOAD,
    HaltRow,
    KillView,
    ProposalOutcome,
    ReloadView,
    StatusView,
    WireView,
)
from core.views.ticket import (
    NO_SIZING,
    MarginView,
    ReplacedView,
    SizingView,
    SymbolView,
    TicketView,
)

__all__ = [
    "HALTED",
    "IN_DOUBT",
    "NOTHING_TO_RELOAD",
    "NO_ADVICE",
    "NO_SIZING",
    "NO_WIRE",
    "WARNED",
    "AdviceRow",
    "AdviceView",
    "BasketRowView",
    "BasketView",
    "ChartBar",
    "ChartFill",
    "ChartView",
    "DeskView",
    "ForeignRow",
    "HaltRow",
    "KillView",
    "LogRow",
    "MarginView",
    "NotEdited",
    "NotStaged",
    "OrderRow",
    "OtherOrderRow",
    "OverrideView",
    "PositionRow",
    "ProposalOutcome",
    "ProposalRow",
    "ProtectionRow",
    "ReloadView",
    "ReplacedView",
    "ResultRow",
    "RowMark",
    "ShadowRow",
    "SizingView",
    "StatusView",
    "StrategyRow",
    "SuspensionView",
    "SymbolView",
    "TicketView",
    "TradeRow",
    "WireView",
]
