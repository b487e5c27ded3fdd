"""A morning of the real engine on which nearly everything trips while a ticket is open: eight reasons at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

from core.market.calendar import load_calendar
from core.messages.commands import OpenTicket, ProposeClose
from core.messages.inputs import RegimeArrived
from core.model.order import Effect
from core.model.sizing import MarketMeasure, NoVix, Regime, Trend, Volatility
from core.settings.settings import Settings
from core.views import DeskView
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import House, a_typed_buy
from tests.snapshots.day import NOW
from tests.unit.core.brokers.trading_floor import SPY, a_bar, at

MONDAY, TUESDAY = date(2013, 10, 7), date(2013, 10, 8)
SETTINGS = Settings.model_validate(
    {
        "risk": {
            "per_trade": {"usd": "60"}, "max_notional": {"usd": "1100"}, "daily_loss": {"usd": "15"},
            "weekly_loss": {"usd": "500"}, "max_open_positions": 10, "entries_a_day": 10, "window_start": "09:30",
            "window_end": "15:59",
            "protections": {"loss_streak": {"trade_limit": 3}, "max_drawdown": {"trade_limit": 4, "limit": "0.001"}},
        },
        "strategies": {"vwap": {"enabled": False}},
        "reconciliation": {"every_seconds": 60},
    },
)  # fmt: skip


@cache
def tripped() -> DeskView:
    """As it stands at `NOW`. A gain on Monday; three stop-outs on Tuesday, the last while a ticket is read; then the
    market itself falls by 4 %.
    """
    told = {(MONDAY, "10:05"): "101", (MONDAY, "10:06"): "101", (TUESDAY, "10:50"): "100 100 96 96"}
    told |= {(TUESDAY, clock): "100 100 99.30 100" for clock in ("10:10", "10:30")}
    clocks = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(570, 652)]
    bars = [a_bar(c, told.get((day, c), "100"), day=day) for day in (MONDAY, TUESDAY) for c in clocks]
    calendar = load_calendar(date(2013, 9, 1), date(2013, 11, 1))
    house = House(bars, SETTINGS, calendar, cash=Decimal(5000), multiplier=Decimal(2)).opens()

    _buys_before(house, "10:05", MONDAY)
    house.until("10:06:30", MONDAY)
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    for clock in ("10:10", "10:30"):
        _buys_before(house, clock, TUESDAY)
    house.until("10:48", TUESDAY)
    _buys_before(house, "10:50", TUESDAY)
    market = MarketMeasure(SPY, MONDAY, Trend.DOWN, Volatility.WILD, Decimal("6.48"), Decimal(4))
    house.until("10:50:10", TUESDAY)
    house.presses(replace(a_typed_buy("1", limit="100.10", stop="99.40"), effect=Effect.ADD))
    house.presses(OpenTicket(house.proposal.id))
    passes(house, 2)
    house.line.take(house.line.at, RegimeArrived(Regime(NoVix("nobody answered"), market)))
    house.until_moment(NOW)
    assert house.held() == "0"
    return house.line.view()


def _buys_before(house: House, clock: str, day: date) -> None:
    """Ten SPY, half a minute before."""
    house.until_moment(at(clock, day) - timedelta(seconds=50))
    house.presses(a_typed_buy("10", limit="100.10", stop="99.40"))
    confirms_now(house)
    passes(house, 20)
    assert house.held() == "10"
