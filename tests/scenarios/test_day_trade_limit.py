"""A week around Thanksgiving at a broker that still counts day trades, with an account of less than 25,000 USD."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

from core.facts import ProposalSkipped, ProtectionExpired, ProtectionTripped
from core.messages.commands import ProposeClose
from core.settings.settings import Settings
from tests.scenarios.backtests import Keyturn
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import RARELY, House, a_typed_buy, minutes
from tests.unit.core.brokers.trading_floor import SPY, at

FRIDAY, MONDAY, TUESDAY, WEDNESDAY = (date(2026, 11, day) for day in (20, 23, 24, 25))
HALF_DAY, NEXT_MONDAY = date(2026, 11, 27), date(2026, 11, 30)
DAYS = (FRIDAY, MONDAY, TUESDAY, WEDNESDAY, HALF_DAY, NEXT_MONDAY)


def a_week(*, counts: bool = True) -> House:
    settings = Settings.model_validate({"risk": {"protections": {"day_trades": {"enabled": counts}}}, **RARELY})
    bars = [bar for day in DAYS for bar in minutes("09:50", "10:06", "100", day)]
    return House(bars, settings, cash=Decimal(2000), multiplier=Decimal(2)).opens()


def asks_to_buy(house: House, day: date, clock: str = "10:01") -> None:
    house.until(clock, day)
    house.presses(a_typed_buy("0.4", limit="100.10", stop="99.80"))


def day_trades(house: House, day: date) -> None:
    """Buys a minute after ten and sells a few minutes later."""
    asks_to_buy(house, day)
    confirms_now(house)
    passes(house, 30)
    assert house.held() == "0.4"
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 60)
    assert house.held() == "0"


def refusals(house: House) -> tuple[str, ...]:
    return tuple(reason for fact in house.facts(ProposalSkipped) for reason in fact.reasons)


def test_three_day_trades_shut_entries_for_five_days() -> None:
    """RK-15, RK-09: Thanksgiving is no business day; a restart in the middle changes nothing."""
    house = a_week()
    for day in (FRIDAY, MONDAY, TUESDAY):
        day_trades(house, day)
    tripped = house.last(ProtectionTripped)

    asks_to_buy(house, WEDNESDAY)
    on_wednesday = refusals(house)
    house = house.restarted()
    asks_to_buy(house, HALF_DAY)
    after_a_restart = refusals(house)
    day_trades(house, NEXT_MONDAY)

    shut = "3 day trades in 5 business days, one more could be number 4"
    said = f"day trades: global: {shut}, until Mon 30 Nov 00:00 New York"
    assert (tripped.name, tripped.scope, tripped.until) == ("day_trades", "global", at("00:00", NEXT_MONDAY))
    assert on_wednesday == (said,)
    assert after_a_restart == (said, said)
    assert [fact.name for fact in house.facts(ProtectionExpired)] == ["day_trades"]


def test_a_broker_without_the_rule_passes_all() -> None:
    """RK-15: the default."""
    house = a_week(counts=False)

    for day in (FRIDAY, MONDAY, TUESDAY, WEDNESDAY, HALF_DAY):
        day_trades(house, day)

    assert not refusals(house)
    assert "day_trades" not in {fact.name for fact in house.facts(ProtectionTripped)}


HISTORY = """open_time,close_time,symbol,side,profit_ratio,exit_reason
2026-11-20T15:00:00Z,2026-11-20T15:30:00Z,SPY,long,0.001,take_profit
2026-11-23T15:00:00Z,2026-11-23T15:30:00Z,SPY,short,0.001,take_profit
2026-11-24T15:00:00Z,2026-11-24T15:30:00Z,IBM,long,0.001,take_profit
"""


def test_business_days_are_the_exchanges(keyturn: Keyturn, tmp_path: Path) -> None:
    """RK-15: the same week from the command line."""
    trades = tmp_path / "trades.csv"
    trades.write_text(HISTORY)
    on = ("--set", "risk.protections.day_trades.enabled=true")

    def found(at_time: str, *words: str) -> list[str | None]:
        rows = keyturn("protections", "check", "--trades", trades, "--at", at_time, "--json", *words).json
        return [row["until"] for row in rows if row["name"] == "day_trades"]

    assert found("2026-11-27T15:00:00Z", *on) == ["2026-11-30T05:00:00+00:00"]
    assert found("2026-11-30T05:00:00Z", *on) == [None]
    assert found("2026-11-27T15:00:00Z") == []
