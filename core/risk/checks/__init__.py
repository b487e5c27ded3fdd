"""The checks of the gate, one per file, in the order in which a ticket lists them."""

from __future__ import annotations

from core.risk.checks.allocation import AllocationCheck
from core.risk.checks.back_pressure import BackPressureCheck
from core.risk.checks.breaker import BreakerCheck
from core.risk.checks.broker_limits import BrokerLimitsCheck
from core.risk.checks.buying_power import BuyingPowerCheck
from core.risk.checks.concentration import ConcentrationCheck
from core.risk.checks.daily_loss import DailyLossCheck
from core.risk.checks.day_trades import DayTradesCheck
from core.risk.checks.day_value import DayValueCheck
from core.risk.checks.kill import KillCheck
from core.risk.checks.lists import ListsCheck
from core.risk.checks.margin import MarginCheck
from core.risk.checks.margin_deficits import MarginDeficitsCheck
from core.risk.checks.message_rate import MessageRateCheck
from core.risk.checks.mode import ModeCheck
from core.risk.checks.notional import NotionalCheck
from core.risk.checks.open_positions import OpenPositionsCheck
from core.risk.checks.order_size import OrderSizeCheck
from core.risk.checks.per_trade_loss import PerTradeLossCheck
from core.risk.checks.portfolio import PortfolioCheck
from core.risk.checks.price_collar import PriceCollarCheck
from core.risk.checks.price_rules import PriceRulesCheck
from core.risk.checks.protections import ProtectionCheck
from core.risk.checks.quantity_rules import QuantityRulesCheck
from core.risk.checks.quote_age import QuoteAgeCheck
from core.risk.checks.repeated_execution import RepeatedExecutionCheck
from core.risk.checks.risk_budget import RiskBudgetCheck
from core.risk.checks.self_cross import SelfCrossCheck
from core.risk.checks.session import SessionCheck
from core.risk.checks.session_limits import SessionLimitsCheck
from core.risk.checks.spread import SpreadCheck
from core.risk.checks.stop_present import StopPresentCheck
from core.risk.checks.symbol_refused import SymbolRefusedCheck
from core.risk.checks.tradable import TradableCheck
from core.risk.checks.trade_frequency import TradeFrequencyCheck
from core.risk.checks.trading_halt import TradingHaltCheck
from core.risk.checks.twin import TwinCheck
from core.risk.checks.vix import VixCheck
from core.risk.checks.weekly_loss import WeeklyLossCheck
from core.risk.checks.window import WindowCheck
from core.risk.gate import Gate
from core.risk.protections.book import NAMES
from core.risk.protections.day_trades import DayTrades
from core.risk.protections.repeated_execution import RepeatedExecution

OF_THEIR_OWN = frozenset({RepeatedExecution.name, DayTrades.name})
"""Protections with a check of their own, because it asks more than whether they are tripped."""


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
            *(ProtectionCheck(name) for name in NAMES if name not in OF_THEIR_OWN),
            RepeatedExecutionCheck(),
            DayTradesCheck(),
            TradeFrequencyCheck(),
            VixCheck(),
            WindowCheck(),
            SpreadCheck(),
            QuoteAgeCheck(),
        )
    )
