"""The gate with every check, in the order in which a ticket lists them."""

from __future__ import annotations

from core.risk.checks.desk_state import BackPressureCheck, BreakerCheck, KillCheck, MessageRateCheck, ModeCheck
from core.risk.checks.exposure import ConcentrationCheck, OpenPositionsCheck, PortfolioCheck
from core.risk.checks.funds import BrokerLimitsCheck, BuyingPowerCheck, MarginCheck, MarginDeficitsCheck
from core.risk.checks.losses import (
    DailyLossCheck,
    PerTradeLossCheck,
    ProtectionCheck,
    RiskBudgetCheck,
    StopPresentCheck,
    WeeklyLossCheck,
)
from core.risk.checks.market import (
    ListsCheck,
    PriceCollarCheck,
    QuoteAgeCheck,
    SessionCheck,
    SessionLimitsCheck,
    SpreadCheck,
    SymbolRefusedCheck,
    TradableCheck,
    TradingHaltCheck,
    VixCheck,
    WindowCheck,
)
from core.risk.checks.order import OrderSizeCheck, PriceRulesCheck, QuantityRulesCheck
from core.risk.checks.order_value import AllocationCheck, DayValueCheck, NotionalCheck
from core.risk.checks.other_orders import (
    DayTradesCheck,
    RepeatedExecutionCheck,
    SelfCrossCheck,
    TradeFrequencyCheck,
    TwinCheck,
)
from core.risk.gate import Gate
from core.risk.protections.protection_registry import WITHOUT_OWN_CHECK


def standard_gate() -> Gate:
    """Build the gate with every check."""
    return Gate(
        (
            KillCheck(),
            BreakerCheck(),
            BackPressureCheck(),
            MessageRateCheck(),
            ModeCheck(),
            SymbolRefusedCheck(),
            ListsCheck(),
            SessionCheck(),
            SessionLimitsCheck(),
            TradableCheck(),
            TradingHaltCheck(),
            QuantityRulesCheck(),
            OrderSizeCheck(),
            PriceRulesCheck(),
            PriceCollarCheck(),
            SelfCrossCheck(),
            TwinCheck(),
            StopPresentCheck(),
            PerTradeLossCheck(),
            RiskBudgetCheck(),
            NotionalCheck(),
            DayValueCheck(),
            BuyingPowerCheck(),
            BrokerLimitsCheck(),
            MarginCheck(),
            MarginDeficitsCheck(),
            PortfolioCheck(),
            ConcentrationCheck(),
            AllocationCheck(),
            OpenPositionsCheck(),
            DailyLossCheck(),
            WeeklyLossCheck(),
            *map(ProtectionCheck, WITHOUT_OWN_CHECK),
            RepeatedExecutionCheck(),
            DayTradesCheck(),
            TradeFrequencyCheck(),
            VixCheck(),
            WindowCheck(),
            SpreadCheck(),
            QuoteAgeCheck(),
        )
    )
