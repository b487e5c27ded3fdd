"""Settings of the nightly evaluation; the figures are those of ST-10."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import Field

from core.settings.types import Positive, Ratio, SettingsTable, Trades

Days = Annotated[int, Field(ge=1, le=366)]
Sharpe = Annotated[Decimal, Field(ge=-100, le=100)]


class EvaluationSettings(SettingsTable):
    """The evaluation of strategies after the close: which are retired, paused, or proposed for more."""

    enabled: bool = Field(True, description="strategies are judged once a trading day")
    minutes_after_close: Annotated[int, Field(ge=1, le=360)] = Field(30, description="when, after the session's close")
    least_days: Days = Field(14, description="from its first trade, before a strategy is judged")
    window_days: Days = Field(30, description="calendar days of trades that count")
    least_trades: Trades = Field(10, description="of them, for a win rate")
    losses_in_a_row: Trades = Field(10, description="retire it")
    least_sharpe: Sharpe = Field(
        Decimal("0.5"), description="a year; a lower Sharpe ratio retires it, compared a session: / √252"
    )
    least_win_rate: Ratio = Field(Decimal("0.40"), description="a lower win rate retires it")
    more_over_sharpe: Sharpe = Field(
        Decimal("1.5"), description="as least_sharpe; more, with the two beside it, is proposed for more"
    )
    more_over_win_rate: Ratio = Field(Decimal("0.60"), description="see more_over_sharpe")
    more_over_profit_factor: Positive = Field(Decimal("1.8"), description="see more_over_sharpe")
    more: Ratio = Field(Decimal("0.10"), description="of the allocation, by which it is proposed to grow; 0 never")
    regime_trades: Trades = Field(10, description="of a strategy in one regime, before that is judged")
    vix_over: Positive = Field(Decimal(30), description="points, on each of vix_days: strategies pause")
    vix_days: Annotated[int, Field(ge=1, le=10)] = Field(5, description="closes of the VIX in a row")
    vix_under: Positive = Field(Decimal(25), description="points; a lower close ends that pause")
