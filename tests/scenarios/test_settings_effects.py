"""Settings that were constants: each changes what it names (RK-01)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from console.commands.engine import limits_of
from core.facts import DeskLost
from core.messages.desk_commands import LoseDesk, ReloadLimits, SettingsFileSeen
from core.messages.inputs import RegimeArrived
from core.model.sizing import DailyValue, NoMarket, Regime, VixLevel, VixReading
from core.risk.regime import last_reading
from core.risk.sizing import factor_of
from core.settings.changes import digest_of
from core.settings.service import WatchdogSettings
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from core.workflows.operator.limits_reload import WORD
from state.watchdog.presence import MEGABYTE, Limits
from tests.kit.rows import table
from tests.scenarios.house import House, minutes
from tests.scenarios.receivers import an_exit_that_waits


def test_control_is_kept_for_as_long_as_is_set() -> None:
    """OP-13: attendance.key_seconds"""
    house = House(minutes("09:30", "09:32"), Settings.model_validate({"attendance": {"key_seconds": 7}})).opens()
    adam = house.attaches("adam")
    lost_at = house.line.at

    house.presses_at(adam, LoseDesk())

    assert house.last(DeskLost) == DeskLost(adam, lost_at + timedelta(seconds=7))


@table("took limit is_slow", (0.1, 250, False), (0.1, 99, True), (0.3, 250, True), (0.3, 400, False))
def test_a_slow_disk_is_what_is_set(took: float, limit: int, is_slow: bool) -> None:
    """SP-06: health.slow_sync_milliseconds"""
    house = House(minutes("09:30", "09:32"), Settings.model_validate({"health": {"slow_sync_milliseconds": limit}}))
    house.opens()
    house.journal.last_sync_seconds = took  # type: ignore[attr-defined]

    assert (ViewBuilder(house.engine).draw(house.line.at).status.disk is not None) is is_slow


@table("high factor", (30, "1"), (12, "0.5"))
def test_the_vix_is_high_where_it_is_set(high: int, factor: str) -> None:
    """RK-19, RK-10: regime.vix_high; a size shrinks by it."""
    terms = {"regime": {"vix_low": 5, "vix_elevated": 6, "vix_high": high}} if high < 15 else {}
    house = House(minutes("09:30", "09:32"), Settings.model_validate(terms)).opens()
    reading = last_reading([DailyValue(date(2026, 1, 2), Decimal(14))])
    assert reading is not None

    house.line.take(house.line.at, RegimeArrived(Regime(reading, NoMarket("not asked"))))

    vix = house.engine.state.regime.regime.vix
    assert factor_of(vix, house.engine.state.control.settings.risk.sizing.vix) == Decimal(factor)


def test_a_reloaded_level_acts_at_once() -> None:
    """RK-19, RK-13: not with the next measurement only; and back"""
    house = House(minutes("09:30", "09:32")).opens()
    reading = last_reading([DailyValue(date(2026, 1, 2), Decimal(25))])
    assert reading is not None
    house.line.take(house.line.at, RegimeArrived(Regime(reading, NoMarket("not asked"))))
    found = []

    for levels in ({"vix_high": 24}, {}):
        file = Settings.model_validate({"regime": levels})
        house.presses(SettingsFileSeen(file))
        house.presses(ReloadLimits(digest_of(file), WORD))
        vix = house.engine.state.regime.regime.vix
        assert isinstance(vix, VixReading)
        found.append(vix.level)

    assert found == [VixLevel.HIGH, VixLevel.ELEVATED]


def test_the_watchdog_goes_by_the_settings() -> None:
    """SY-02: watchdog.*; without a setting its figures are those of its page."""
    terms = WatchdogSettings(
        silent_seconds=20, memory_mb=100, growth_mb_a_day=2, data_silent_seconds=40, restarts=1, within_seconds=30
    )
    limits = limits_of(terms)

    assert limits_of(WatchdogSettings()) == Limits()
    assert (limits.silent_seconds, limits.memory_bytes, limits.growth_bytes_a_day) == (20, 100 * MEGABYTE, 2 * MEGABYTE)
    assert (limits.data_silent_seconds, limits.restarts, limits.within_seconds) == (40, 1, 30)


def test_a_command_without_a_rule_is_told_what_is_urgent() -> None:
    """OP-06: notify.command; a rule that names it takes its place."""
    other = {"all": {"channels": ["phone"], "kinds": ["kill"]}}

    _, receivers = an_exit_that_waits(until="10:10:05", command=["/bin/push"], rules={})
    _, others = an_exit_that_waits(until="10:10:05", command=["/bin/push"], rules=other)

    assert [(effect.channel, effect.is_urgent) for effect in receivers.heard] == [("command", True)]
    assert [effect.channel for effect in others.heard] == ["command"]
