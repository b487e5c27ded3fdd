"""What happens to an account of the simulated exchange beside its orders: by a script, and by fees on sales."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from core.brokers.simulated.config import ExchangeConfig
from core.brokers.simulated.exchange import SimulatedExchange, rebuild
from core.brokers.simulated.log import fault_in
from core.model.order import Side
from core.model.reconciliation import Activity, ActivityKind, read_events
from core.model.values import plain
from core.ports import OperatorError
from core.runtime.simulated_exchange import config_of, opening_record, opening_settings, require_the_same
from core.settings.settings import Settings
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY, NewYorkHours, Notebook, a_bar, an_order, at

FRIDAY = date(2026, 11, 20)
MONDAY = date(2026, 11, 23)
ALL = (
    "2026-11-23 split SPY 2:1; 2026-11-20 dividend SPY 0.255; 2026-11-20 interest 0.12; 2026-11-20 fee -0.35;"
    "2026-11-23 transfer -120.50; 2026-11-23 shares SPY 3 at 49.50;"
)
FEES = {"sec_fee": Decimal("0.0000206"), "taf_fee": Decimal("0.000195")}


def an_exchange(events: str = ALL, notebook: Notebook | None = None, **rules: Decimal) -> SimulatedExchange:
    config = ExchangeConfig(cash=Decimal(5000), half_spread_ticks=Decimal(0), events=events, **rules)
    return SimulatedExchange(config, NewYorkHours(), notebook or Notebook())


def a_day_of_trade(exchange: SimulatedExchange) -> None:
    """Ten bought at 100, four of them sold at 100."""
    for minute in range(3):
        exchange.begin_bar(a_bar(f"10:0{minute}", "100"))
        exchange.advance(at(f"10:0{minute}"))
    exchange.submit(at("10:02"), an_order("in", Side.BUY, "10"))
    exchange.begin_bar(a_bar("10:03", "100"))
    exchange.submit(at("10:03"), an_order("out", Side.SELL, "4"))
    exchange.advance(at("10:05"))


def told(exchange: SimulatedExchange, clock: str, day: date) -> list[tuple[str, str, str]]:
    copy = exchange.activities(at(clock, day), THURSDAY)
    return [(one.kind.value, f"{one.day:%d}", plain(one.amount)) for one in copy.activities]


def test_scripted_activities_open_their_day() -> None:
    """EX-20, EX-09: a dividend is paid on what is held then, a split changes shares and no cost."""
    exchange = an_exchange()
    a_day_of_trade(exchange)
    assert told(exchange, "23:59", THURSDAY) == []

    assert told(exchange, "00:00", FRIDAY) == [
        ("dividend", "20", "1.53"),
        ("interest", "20", "0.12"),
        ("fee", "20", "-0.35"),
    ]
    assert exchange.account(at("09:00", FRIDAY)).cash == Decimal("4401.30")
    assert [kind for kind, *_ in told(exchange, "09:00", MONDAY)][3:] == ["split", "transfer", "shares"]
    (held,) = exchange.books(at("09:00", MONDAY)).positions
    assert (plain(held.quantity), held.average_price) == ("15", Decimal("748.5") / 15)


def test_daily_fees_round_up_at_the_close() -> None:
    """EX-20, EX-09: 400 USD of sales, four shares."""
    exchange = an_exchange("", **FEES)
    a_day_of_trade(exchange)
    assert told(exchange, "19:59", THURSDAY) == []

    assert told(exchange, "20:00", THURSDAY) == [("fee", "19", "-0.01"), ("fee", "19", "-0.01")]
    assert exchange.account(at("20:00")).cash == Decimal("4399.98")


def test_without_rules_nothing_happens() -> None:
    """EX-20: what accounts were until now, they are."""
    exchange = an_exchange("")
    a_day_of_trade(exchange)

    assert told(exchange, "20:00", MONDAY) == []
    assert exchange.account(at("20:00", MONDAY)).cash == 4400


def test_a_rebuilt_exchange_has_the_same_activities() -> None:
    """EX-20"""
    notebook = Notebook()
    first = an_exchange(ALL, notebook, **FEES)
    a_day_of_trade(first)
    for day in (THURSDAY, FRIDAY, MONDAY):
        first.account(at("12:00", day))
    bars = [a_bar(f"10:0{minute}", "100") for minute in range(4)]

    again = an_exchange(ALL, **FEES)
    rebuild(again, bars, (), notebook.records, at("12:00", MONDAY))

    assert whole(again) == whole(first)
    assert len(whole(again)) == 8


def whole(exchange: SimulatedExchange) -> tuple[Activity, ...]:
    return exchange.activities(at("13:00", MONDAY), THURSDAY).activities


@table(
    "script", "tomorrow fee -1", "2026-11-20 gift 5", "2026-11-20 dividend 0.25", "2026-11-20 split SPY 2:0",
    "2026-13-20 fee -1", "2026-11-20 fee NaN", "2026-11-20 fee -1, 2026-11-21 fee -1",
)  # fmt: skip
def test_an_invalid_script_is_refused(script: str) -> None:
    """SP-07: where the operator writes it."""
    with pytest.raises(ValidationError, match=r"exchange\.events"):
        Settings.model_validate({"exchange": {"events": script}})


def test_the_events_of_a_script_are_read_by_day() -> None:
    """EX-20"""
    events = read_events(ALL)

    assert [event.day.day for event in events] == [20, 20, 20, 23, 23, 23]
    assert [event.kind for event in events][3:] == [ActivityKind.SPLIT, ActivityKind.TRANSFER, ActivityKind.SHARES]


def test_an_account_keeps_its_first_script() -> None:
    """EX-20: its log says it, and another one is refused."""
    settings = Settings.model_validate({"exchange": {"events": ALL, "sec_fee": "0.0000206"}})
    config = config_of(settings, "SIM", "7")
    opening = opening_record(config, ["SPY"], at("09:30"))

    assert fault_in(opening) is None
    require_the_same([opening], config)
    assert f"exchange.events='{ALL}'" in opening_settings([opening])
    assert "exchange.sec_fee=0.0000206" in opening_settings([opening])
    with pytest.raises(OperatorError, match=r"exchange\.events: this account was opened with another script"):
        require_the_same([opening], config_of(Settings(), "SIM", "7"))
    assert "events" not in opening_record(config_of(Settings(), "SIM", "7"), [SPY], at("09:30"))
