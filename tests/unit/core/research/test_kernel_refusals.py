"""What the research kernel rejects, by the setting that asks for it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.market.calendar import load_calendar
from core.messages.inputs import BarArrived
from core.model.bar import ONE_MINUTE, Bar
from core.model.session import Session
from core.model.values import Price, Quantity, Symbol
from core.research.kernel.inputs import KernelBars, bars_of
from core.research.kernel.modelled import NAMES, is_modelled
from core.research.kernel.refusals import flat, refusal
from core.research.kernel.runs import NotModelledError, played
from core.runtime.feed import bar_item
from core.settings.settings import Settings
from core.settings.types import WHOLE
from tests.kit.kernel_cases import HOLIDAYS, PROTECTIONS
from tests.kit.rows import table

OFF = {name: {"enabled": False} for name in PROTECTIONS}


def some_settings(**tables: dict[str, object]) -> Settings:
    """The SMA crossover alone, on a cash account without protections."""
    risk = {"protections": OFF, **tables.pop("risk", {})}
    strategies = {"vwap": {"enabled": False}, "sma": {"enabled": True}, **tables.pop("strategies", {})}
    evaluation = {"enabled": False, **tables.pop("evaluation", {})}
    return Settings.model_validate({"risk": risk, "strategies": strategies, "evaluation": evaluation, **tables})


def some_bars(price: str = "100", volume: str = "1000") -> KernelBars:
    """Five equal minutes of a session."""
    calendar = load_calendar(HOLIDAYS[0], HOLIDAYS[1])
    session = calendar.session_on(HOLIDAYS[0])
    assert isinstance(session, Session)
    at = Price(Decimal(price))
    bars = [
        Bar(Symbol("SPY"), session.open + minute * ONE_MINUTE, at, at, at, at, Quantity(Decimal(volume)))
        for minute in range(5)
    ]
    return bars_of([[bar_item(BarArrived(bar, "row 1")) for bar in bars]], calendar, is_daily=False)


def test_settings_that_are_modelled_are_not_rejected() -> None:
    """AN-08"""
    settings = some_settings(exchange={"slippage": "0.0002", "participation": "0.05"})

    assert refusal(settings, some_bars(), "sma") == []


@table(
    "settings, name",
    ({"exchange": {"multiplier": "4"}}, "exchange.multiplier=4: margin accounts"),
    ({"exchange": {"halts": "0.002"}}, "exchange.halts=0.002: halts"),
    ({"exchange": {"rejections": "0.005"}}, "exchange.rejections=0.005: rejected orders"),
    ({"exchange": {"slippage": "0.000000001"}}, "exchange.slippage=0.000000001: more than eight decimals"),
    ({"exits": {"trail": "0.01"}}, "exits.trail=0.01: trailing stops"),
    ({"orders": {"ttl_seconds": "30"}}, "orders.ttl_seconds=30: entries with a time of their own"),
    ({"staging": {"ticket_seconds": "61"}}, "staging.ticket_seconds=61: not modelled"),
    ({"evaluation": {"enabled": True}}, "evaluation.enabled=true: the evaluation of strategies"),
    (
        {"strategies": {"sma": {"enabled": False}, "vwap": {"enabled": True, "adaptive": {"enabled": True}}}},
        "strategies.vwap.adaptive.enabled=true: thresholds that adapt",
    ),
    (
        {"strategies": {"sma": {"enabled": True, "limits": {"daily_loss": {"usd": "5"}}}}},
        "strategies.sma.limits.daily_loss=5 USD: an amount of one strategy",
    ),
    ({"symbols": ("QQQ",)}, "symbols=QQQ: the bars are of SPY"),
    ({"symbols": ("SPY", "QQQ")}, "symbols=SPY,QQQ: more than one symbol"),
    (
        {"risk": {"protections": OFF, "daily_loss": {"of_equity": "0.05"}}},
        "risk.daily_loss.of_equity=0.05: a loss limit that follows equity",
    ),
    ({"strategies": {"vwap": {"enabled": True}}}, "strategies.vwap.enabled=True: another strategy"),
    (
        {"risk": {"protections": {**OFF, "equity_curve": {"enabled": True}}}},
        "risk.protections.equity_curve.enabled=true: this protection",
    ),
)
def test_a_setting_that_is_not_modelled_is_named(settings: dict[str, dict[str, object]], name: str) -> None:
    """AN-08"""
    chosen = some_settings(**settings)

    names = refusal(chosen, some_bars(), "sma" if chosen.strategies.sma.enabled else "vwap")
    assert names.count(name) == 1


def test_a_setting_that_no_table_names_is_not_modelled() -> None:
    """AN-08: below every table, so that a new one is rejected until someone looks at it"""
    known = [name for name, _ in flat(Settings().model_dump(context=WHOLE))]
    tables = {name.rpartition(".")[0] for name in known} - {""}

    assert [table for table in tables if is_modelled(f"{table}.new")] == []
    assert set(known) >= NAMES


@table(
    "price volume words",
    ("1.50", "1000", "a price under 2"),
    ("100.00001", "1000", "more than four decimals"),
    ("100.000000000000000000000000000001", "1000", "more than four decimals"),
)
def test_bars_that_integers_cannot_hold_are_named(price: str, volume: str, words: str) -> None:
    """AN-08"""
    names = refusal(some_settings(), some_bars(price, volume), "sma")

    assert len(names) == 1
    assert words in names[0]


def test_a_run_of_rejected_settings_names_all_of_them() -> None:
    """AN-08"""
    settings = some_settings(exchange={"multiplier": "2", "halts": "0.1"})

    with pytest.raises(NotModelledError, match=r"exchange\.multiplier=2.*exchange\.halts=0\.1"):
        played(settings, some_bars())
