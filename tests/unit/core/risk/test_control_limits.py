"""Each check of the gate is a control: with settings, rules, a trial and a test, and it says when it limits nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from core.risk.controls import BY_NAME, CONTROLS, FIA, WORDS
from core.risk.standard_gate import standard_gate
from core.risk.trials import Trial, value_of
from core.runtime.attest.script import slots_of
from core.runtime.attest.trial_market import tried_at
from core.settings.settings import PROFILES, Settings

ROOT = Path(__file__).resolve().parents[4]


def test_every_check_of_the_gate_is_a_control() -> None:
    """RK-23: in the order of the gate; a new check needs one row in `core/risk/controls.py`"""
    assert [control.name for control in CONTROLS] == [check.name for check in standard_gate().checks]


def test_controls_name_settings_rules_and_trials() -> None:
    """RK-23"""
    for control in CONTROLS:
        for key in control.settings:
            value_of(Settings(), key)
        assert all(rule in WORDS or rule.startswith(FIA) for rule in control.rules), control.name
        assert control.trial, control.name
        if isinstance(control.trial, Trial):
            assert isinstance(tried_at([control.trial], Settings()), Settings), control.name
            assert any(control in slot.controls for slot in slots_of(CONTROLS)), control.name


def test_every_control_has_a_test_that_names_it() -> None:
    """RK-23"""
    for control, check in zip(CONTROLS, standard_gate().checks, strict=True):
        path, _, function = control.test.partition("::")
        text = (ROOT / path).read_text()
        words = {control.name, control.name.replace(" ", "_"), type(check).__name__}
        assert f"def {function}(" in text, control.name
        assert any(re.search(rf"\b{re.escape(word)}\b", text) for word in words), control.name


OFF = {
    "execution": {"breaker_failures": 100, "breaker_slow_times": 100, "max_queued": 1000},
    "risk": {
        "messages": {"per_second": 1_000_000, "per_minute": 1_000_000, "per_day": 1_000_000},
        "twins": {"seconds": "0.000001"}, "per_trade": {"of_equity": "1"}, "max_open_positions": 1000,
        "daily_loss": {"of_equity": "1"}, "weekly_loss": {"of_equity": "1"}, "entries_a_day": 10_000,
        "frequency": {"enabled": False}, "window_start": "00:00", "window_end": "23:59", "spread_limit": "1",
        "spread_of_stop_limit": "1", "quote_age_seconds": 86_400, "quote_age_seconds_iex": 86_400,
        "protections": {
            "max_drawdown": {"limit": "1"}, "stop_loss_guard": {"trade_limit": 10_000}, "cooldown": {"loss": "1"},
            "low_profit": {"trade_limit": 10_000}, "loss_streak": {"trade_limit": 10_000},
            "volatility_halt": {"limit": "1", "times_median": 1000}, "equity_curve": {"trades": 10_000},
            "repeated_execution": {"fills": 10_000, "renewals": 10_000},
            "day_trades": {"enabled": True, "trade_limit": 1000},
        },
    },
}  # fmt: skip
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


def test_limits_that_limit_nothing_are_off() -> None:
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


PARTS: list[tuple[dict[str, Any], str, str]] = [
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
]
"""Settings under which a part of a control limits nothing, the control, and the part."""


def test_unlimited_parts_of_a_control_are_named() -> None:
    """RK-23: and the control stays on"""
    for tables, name, part in PARTS:
        settings = profiled(**tables)
        assert not BY_NAME[name].is_off(settings), name
        assert BY_NAME[name].unlimited(settings) == (part,)
        assert BY_NAME[name].unlimited(profiled()) == (), name


def test_limits_near_the_most_are_on() -> None:
    """RK-23"""
    near = profiled(risk={"spread_limit": "0.99", "max_open_positions": 999, "daily_loss": {"of_equity": "0.99"}})

    for name in ("spread", "open positions", "daily loss"):
        assert not BY_NAME[name].is_off(near)


def test_breaker_and_queue_limits_are_bounded() -> None:
    """EX-15: more than any broker leaves unanswered is no limit"""
    for name, most in (("breaker_failures", 100), ("breaker_slow_times", 100), ("max_queued", 1000)):
        Settings.model_validate({"execution": {name: most}})
        with pytest.raises(ValidationError) as refused:
            Settings.model_validate({"execution": {name: most + 1}})
        assert [error["type"] for error in refused.value.errors()] == ["less_than_equal"], name


def test_profiles_keep_required_controls_on() -> None:
    """RK-23"""
    for profile in PROFILES:
        settings = Settings.model_validate({"profile": profile, **PROFILES[profile]})
        assert [control.name for control in CONTROLS if control.rules and control.is_off(settings)] == [], profile
