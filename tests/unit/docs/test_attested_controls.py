"""docs/CONTROLS.md has a row for each control that is attested; each is a check with a test that names it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from core.risk.checks import standard_gate
from core.risk.controls import BY_NAME, CONTROLS, FIA, WORDS, Control, Trial, value_of
from core.runtime.attest.plan import slots_of
from core.runtime.attest.settings import tried_at
from core.settings.settings import PROFILES, Settings
from docs.controls import PAGE, TABLES, page

ROOT = Path(__file__).resolve().parents[3]


def named(control: Control) -> str:
    return control.name


def test_the_committed_page_is_what_a_fresh_generation_would_write() -> None:
    """RK-23: where this fails, run `.venv/bin/python docs/controls.py`."""
    text = PAGE.read_text()

    assert page(text) == text


@pytest.mark.parametrize("name", TABLES)
def test_a_changed_table_makes_the_page_differ(name: str) -> None:
    """RK-23"""
    text = PAGE.read_text()
    tampered = text.replace(TABLES[name](), TABLES[name]().replace("| ", "| never ", 1), 1)

    assert tampered != text
    assert page(tampered) == text


def test_each_check_of_the_gate_has_a_row_in_the_order_of_the_gate() -> None:
    """RK-23: a check that is new needs one row in `core/risk/controls.py`."""
    assert [control.name for control in CONTROLS] == [check.name for check in standard_gate().checks]


@pytest.mark.parametrize("control", CONTROLS, ids=named)
def test_a_control_has_settings_that_there_are_and_rules_that_are_explained(control: Control) -> None:
    """RK-23"""
    for key in control.settings:
        value_of(Settings(), key)
    assert all(rule in WORDS or rule.startswith(FIA) for rule in control.rules)
    if isinstance(control.trial, Trial):
        assert isinstance(tried_at([control.trial], Settings()), Settings)
        assert any(control in slot.controls for slot in slots_of(CONTROLS))
    else:
        assert control.trial


@pytest.mark.parametrize("control", CONTROLS, ids=named)
def test_the_test_of_a_control_is_there_and_its_file_names_the_control(control: Control) -> None:
    """RK-23"""
    path, _, function = control.test.partition("::")
    text = (ROOT / path).read_text()
    (check,) = (each for each in standard_gate().checks if each.name == control.name)

    assert f"def {function}(" in text
    words = {control.name, control.name.replace(" ", "_"), type(check).__name__}
    assert any(re.search(rf"\b{re.escape(word)}\b", text) for word in words)


OFF = {
    "execution": {"breaker_failures": 100, "breaker_slow_times": 100, "max_queued": 1000},
    "risk": {
        "messages": {"per_second": 1_000_000, "per_minute": 1_000_000, "per_day": 1_000_000},
        "twins": {"seconds": "0.000001"},
        "per_trade": {"of_equity": "1"},
        "max_open_positions": 1000,
        "daily_loss": {"of_equity": "1"},
        "weekly_loss": {"of_equity": "1"},
        "entries_a_day": 10_000,
        "frequency": {"enabled": False},
        "window_start": "00:00",
        "window_end": "23:59",
        "spread_limit": "1",
        "spread_of_stop_limit": "1",
        "quote_age_seconds": 86_400,
        "quote_age_seconds_iex": 86_400,
        "protections": {
            "max_drawdown": {"limit": "1"},
            "stop_loss_guard": {"trade_limit": 10_000},
            "cooldown": {"loss": "1"},
            "low_profit": {"trade_limit": 10_000},
            "loss_streak": {"trade_limit": 10_000},
            "volatility_halt": {"limit": "1", "times_median": 1000},
            "equity_curve": {"trades": 10_000},
            "repeated_execution": {"fills": 10_000, "renewals": 10_000},
            "day_trades": {"enabled": True, "trade_limit": 1000},
        },
    },
}
"""Each at the most that it can be, or where nothing can reach it."""


def profiled(**tables: Any) -> Settings:
    """Of `swing`, where every control is on, with these over it."""
    return Settings.model_validate({"profile": "swing", **over(PROFILES["swing"], tables)})


def over(below: Any, above: Any) -> dict[str, Any]:
    found = dict(below)
    for key, value in above.items():
        is_table = isinstance(value, dict) and isinstance(found.get(key), dict) and set(value).isdisjoint(AMOUNT)
        found[key] = over(found[key], value) if is_table else value
    return found


AMOUNT = {"usd", "of_equity"}


def test_a_limit_that_can_limit_nothing_is_off() -> None:
    """RK-23"""
    off = {control.name for control in CONTROLS if control.is_off(profiled(**OFF))}
    by_default = {control.name for control in CONTROLS if control.is_off(profiled())}

    assert off - by_default == {
        *("breaker", "back-pressure", "message rate", "twin", "loss at the stop", "open positions", "daily loss"),
        *("weekly loss", "max drawdown", "stop loss guard", "cooldown", "low profit", "loss streak"),
        *("volatility halt", "equity curve", "repeated execution", "trade frequency", "entry window", "spread"),
        "quote age",
    }
    assert "day trades" in off
    assert not BY_NAME["day trades"].is_off(profiled(risk={"protections": {"day_trades": {"enabled": True}}}))


@pytest.mark.parametrize(
    ("tables", "name", "part"),
    [
        ({"execution": {"breaker_failures": 100}}, "breaker", "requests without an answer"),
        ({"execution": {"breaker_slow_seconds": 86_400}}, "breaker", "late answers"),
        ({"risk": {"messages": {"per_day": 1_000_000}}}, "message rate", "messages a day"),
        ({"risk": {"clock_wrong_seconds": 86_400}}, "session and clock", "clock"),
        ({"risk": {"order_size": {"of_volume": "1"}}}, "order size", "the part of the volume"),
        ({"risk": {"collar": {"spreads": 1000}}}, "price collar", "spreads"),
        ({"risk": {"portfolio": {"max_exposure": 10}}}, "portfolio", "exposure"),
        ({"risk": {"portfolio": {"sector_exposure": 10}}}, "concentration", "sectors"),
        ({"risk": {"protections": {"repeated_execution": {"fills": 10_000}}}}, "repeated execution", "fills"),
        ({"risk": {"entries_a_day": 10_000, "frequency": {"enabled": True}}}, "trade frequency", "entries a day"),
        ({"risk": {"spread_limit": "1"}}, "spread", "spreads"),
        ({"risk": {"quote_age_seconds_iex": 86_400}}, "quote age", "quotes of IEX"),
    ],
)
def test_a_part_that_limits_nothing_is_named_and_the_control_stays_on(tables: Any, name: str, part: str) -> None:
    """RK-23"""
    settings = profiled(**tables)

    assert not BY_NAME[name].is_off(settings)
    assert BY_NAME[name].unlimited(settings) == (part,)
    assert BY_NAME[name].unlimited(profiled()) == ()


def test_a_limit_near_the_most_is_the_operators_own() -> None:
    """RK-23"""
    near = profiled(risk={"spread_limit": "0.99", "max_open_positions": 999, "daily_loss": {"of_equity": "0.99"}})

    for name in ("spread", "open positions", "daily loss"):
        assert not BY_NAME[name].is_off(near)


@pytest.mark.parametrize(
    ("name", "most"), [("breaker_failures", 100), ("breaker_slow_times", 100), ("max_queued", 1000)]
)
def test_more_than_any_broker_leaves_unanswered_is_no_limit_and_is_refused(name: str, most: int) -> None:
    """EX-15"""
    Settings.model_validate({"execution": {name: most}})
    with pytest.raises(ValueError, match=f"less than or equal to {most}"):
        Settings.model_validate({"execution": {name: most + 1}})


@pytest.mark.parametrize("profile", PROFILES)
def test_no_profile_turns_off_what_a_rule_asks_for(profile: str) -> None:
    """RK-23"""
    settings = Settings.model_validate({"profile": profile, **PROFILES[profile]})

    assert [control.name for control in CONTROLS if control.rules and control.is_off(settings)] == []


def test_a_table_that_is_written_by_hand_stays_as_it_is() -> None:
    """RK-23"""
    by_hand = "<!-- hand: begin -->\n\n| a |\n\n<!-- hand: end -->\n"

    assert page(PAGE.read_text() + by_hand) == PAGE.read_text() + by_hand
