"""The regime as text and as plain values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from core.model.regime import MarketMeasure, Regime, VixReading
from core.risk.regime.changes import RegimeChange
from core.risk.regime.frequency import Allowance

HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Look:
    """A report of the regime.

    Attributes
    ----------
    failure
        Why there is no newer VIX; empty if the request succeeded.
    age_days
        Age of the VIX from the source, in calendar days; None if it is from a file, or unknown.
    """

    regime: Regime
    changes: tuple[RegimeChange, ...]
    allowance: Allowance
    failure: str = ""
    age_days: int | None = None


def in_words(regime: Regime) -> str:
    """As in `VIX 18.70 of 2026-07-23, normal; SPY of 2026-07-23: trend up, volatility usual, range 0.93 ×
    its average`.
    """
    return f"{vix_in_words(regime)}; {market_in_words(regime)}"


def vix_in_words(regime: Regime) -> str:
    vix = regime.vix
    if not isinstance(vix, VixReading):
        return f"VIX unknown: {vix.reason}"
    return f"VIX {points(vix.value)} of {vix.measured_on}, {vix.level.value}"


def market_in_words(regime: Regime) -> str:
    market = regime.market
    if not isinstance(market, MarketMeasure):
        return f"market unknown: {market.reason}"
    trend = market.trend.value if market.trend else "not known yet"
    volatility = market.volatility.value if market.volatility else "not known yet"
    ratio = market.atr_ratio
    measured = "" if ratio is None else f", range {ratio:.2f} × its average"
    return f"{market.symbol} of {market.bars_to}: trend {trend}, volatility {volatility}{measured}"


def change_in_words(change: RegimeChange) -> str:
    """As in `2020-02-24 vix normal → elevated at 25.03`."""
    at = "" if change.measure is None else f" at {points(change.measure)}"
    return f"{change.day} {change.what} {change.before or 'unknown'} → {change.after}{at}"


def in_lines(look: Look) -> Iterator[str]:
    """Yield one line per change, then the current regime."""
    yield from (change_in_words(change) for change in look.changes)
    age = "" if look.age_days is None else f", {look.age_days} d ago"
    yield vix_in_words(look.regime) + age
    if look.failure and look.failure not in vix_in_words(look.regime):
        yield f"the VIX was not requested again: {look.failure}"
    yield market_in_words(look.regime)
    yield f"entries a day and strategy: {look.allowance.entries}, {look.allowance.reason}"


def as_json(look: Look) -> dict[str, object]:
    """Return plain values; figures are text, to the hundredth."""
    return {
        "vix": {**_vix(look.regime), "age_days": look.age_days, "failure": look.failure or None},
        "market": _market(look.regime),
        "entries_a_day": {"allowed": look.allowance.entries, "reason": look.allowance.reason},
        "changes": [
            {
                "day": change.day.isoformat(),
                "what": change.what,
                "from": change.before,
                "to": change.after,
                "measure": None if change.measure is None else points(change.measure),
            }
            for change in look.changes
        ],
    }


def _vix(regime: Regime) -> dict[str, object]:
    vix = regime.vix
    if not isinstance(vix, VixReading):
        return {"value": None, "level": "unknown", "measured_on": None, "reason": vix.reason}
    return {"value": points(vix.value), "level": vix.level.value, "measured_on": vix.measured_on.isoformat()}


def _market(regime: Regime) -> dict[str, object]:
    market = regime.market
    if not isinstance(market, MarketMeasure):
        return {"symbol": None, "reason": market.reason}
    return {
        "symbol": market.symbol,
        "bars_to": market.bars_to.isoformat(),
        "trend": market.trend.value if market.trend else "unknown",
        "volatility": market.volatility.value if market.volatility else "unknown",
        "atr": None if market.atr is None else str(market.atr),
        "atr_average": None if market.atr_average is None else str(market.atr_average),
        "atr_ratio": None if market.atr_ratio is None else points(market.atr_ratio),
    }


def points(value: Decimal) -> str:
    return str(value.quantize(HUNDREDTH))
