"""The settings that scale the risk of a trade, as plain values (RK-10).

The tables of `core.settings.risk` are checked where the settings are read. These go on from there: an order is sized by
them in the engine, in a strategy's process and on a desk, which reads no settings.
"""

from __future__ import annotations

from decimal import Decimal

from core.model.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class AtrTerms:
    """`risk.sizing.atr`."""

    enabled: bool = True
    multiple: Decimal = Decimal(2)
    bars: int = 14


@dataclass(frozen=True, slots=True)
class VixTerms:
    """`risk.sizing.vix`."""

    enabled: bool = True
    elevated: Decimal = Decimal("0.7")
    high: Decimal = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class TrendTerms:
    """`risk.sizing.trend`."""

    enabled: bool = False
    against: Decimal = Decimal("0.5")
    volatile: Decimal = Decimal("0.5")


@dataclass(frozen=True, slots=True)
class CorrelationTerms:
    """`risk.sizing.correlation`."""

    enabled: bool = True
    limit: Decimal = Decimal("0.7")
    factor: Decimal = Decimal("0.5")
    days: int = 20


@dataclass(frozen=True, slots=True)
class KellyTerms:
    """`risk.sizing.kelly`."""

    enabled: bool = False
    fraction: Decimal = Decimal("0.5")
    trade_limit: int = 30


@dataclass(frozen=True, slots=True)
class SizingTerms:
    """`risk.sizing` without its throttle, which the engine measures; the defaults are those of the settings."""

    atr: AtrTerms = AtrTerms()
    vix: VixTerms = VixTerms()
    trend: TrendTerms = TrendTerms()
    correlation: CorrelationTerms = CorrelationTerms()
    kelly: KellyTerms = KellyTerms()
    budget: Decimal = Decimal("0.15")
    raise_to_minimum: bool = False


USUAL = SizingTerms()
