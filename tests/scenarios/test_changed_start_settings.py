"""A desk that starts with other settings: by option, of an older release, or with what were constants."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from console.commands.engine import limits_of
from core.event_text import in_words
from core.facts import DeskLost, LimitsReloaded, ReloadRefused, SettingsApplied
from core.messages.command_ports import CommandPort, PortKind
from core.messages.commands import Confirm, OpenTicket
from core.messages.desk_commands import LoseDesk, ReloadLimits, SettingsFileSeen
from core.messages.inputs import RegimeArrived, Start
from core.model.sizing import DailyValue, NoMarket, Regime, VixLevel, VixReading
from core.model.values import Symbol
from core.ports import OperatorError
from core.risk.regime import last_reading
from core.risk.sizing import factor_of
from core.risk.sizing_history import sizing_terms
from core.runtime.virtual import VirtualRuntime
from core.settings.changes import digest_of
from core.settings.history import read
from core.settings.service import WatchdogSettings
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from core.workflows.operator.limits_reload import WORD
from state.watchdog.presence import MEGABYTE, Limits
from tests.kit.rows import table
from tests.scenarios.house import STEADY, House, a_house_in_a_position, assert_can_be_rebuilt, minutes, to
from tests.scenarios.receivers import an_exit_that_waits

DOOR = CommandPort(PortKind.SCRIPT)
TIGHT = "risk.daily_loss.usd=5"


def demo(home: Path, stack: ExitStack, *overrides: str, **variables: str) -> VirtualRuntime:
    environ = {"KEYTURN_HOME": str(home), **variables}
    runtime = demo_runtime(Host.of(environ), DemoOptions(profile="micro", overrides=overrides), stack)
    runtime.pace.speed = None
    runtime.admit(DOOR.known)
    later = count(10**9, 2)  # beyond any reading of the clock that the engine began with
    runtime.keeper.watch.now = lambda: next(later)  # type: ignore[union-attr]
    return runtime


def why_entries_are_shut(runtime: VirtualRuntime) -> str | None:
    """After the engine has looked at its settings file."""
    if runtime.engine.state.control.state.settings_file is None:
        runtime.take(runtime.at, Start())
    for _ in range(4):
        runtime.beat()
        runtime.step()
    return runtime.engine.state.control.state.settings_file


def started(home: Path, *overrides: str, **variables: str) -> str | None:
    with ExitStack() as stack:
        runtime = demo(home, stack, *overrides, **variables)
        said = why_entries_are_shut(runtime)
        runtime.stop("left")
    return said


def test_a_missing_set_option_is_named(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """RK-13, OP-10"""
    assert started(tmp_path, TIGHT) is None

    assert [started(tmp_path), started(tmp_path)] == snapshot
    assert started(tmp_path, TIGHT) is None


def test_a_changed_file_is_named(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """RK-13: also beside a `--set` that was left out."""
    started(tmp_path, TIGHT)
    (tmp_path / "settings.toml").write_text("risk.weekly_loss.usd = 90\n")

    assert started(tmp_path) == snapshot


def test_a_later_file_change_is_named(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """RK-13"""
    started(tmp_path, TIGHT)
    with ExitStack() as stack:
        runtime = demo(tmp_path, stack)
        first = why_entries_are_shut(runtime)
        (tmp_path / "settings.toml").write_text("risk.daily_loss.usd = 50\n")
        then = why_entries_are_shut(runtime)

    assert [first, then] == snapshot


def test_a_new_variable_is_named(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """RK-13, OP-10"""
    started(tmp_path)

    assert [started(tmp_path, KEYTURN_RISK__ENTRIES_A_DAY="20") for _ in range(2)] == snapshot
    assert started(tmp_path) is None


def test_a_missing_variable_is_named(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """RK-13, OP-10: for as long as that makes the difference."""
    started(tmp_path, KEYTURN_RISK__DAILY_LOSS__USD="5")

    assert [started(tmp_path) for _ in range(2)] == snapshot
    assert started(tmp_path, KEYTURN_RISK__DAILY_LOSS__USD="5") is None


def test_an_idle_missing_variable_is_forgotten(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """RK-13: a file that changes later is said to have."""
    started(tmp_path, KEYTURN_RISK__ENTRIES_A_DAY="1")
    assert started(tmp_path) is None
    (tmp_path / "settings.toml").write_text("risk.entries_a_day = 9\n")

    assert started(tmp_path) == snapshot


def test_a_new_set_option_is_named(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """RK-13, OP-10: it goes over a variable."""
    started(tmp_path)

    assert started(tmp_path, "risk.entries_a_day=9", KEYTURN_RISK__ENTRIES_A_DAY="20") == snapshot


def test_a_changed_file_and_variable_are_both_named(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """RK-13"""
    started(tmp_path)
    (tmp_path / "settings.toml").write_text("risk.max_open_positions = 9\n")

    assert started(tmp_path, KEYTURN_RISK__ENTRIES_A_DAY="20") == snapshot


def test_no_value_of_a_variable_is_remembered(tmp_path: Path) -> None:
    """SY-06: the environment may hold what no file should."""
    started(tmp_path, KEYTURN_REGIME__VIX_URL="https://example.org/vix?token=hush")

    kept = (tmp_path / "state" / "demo" / "started-with.json").read_text()

    assert "KEYTURN_REGIME__VIX_URL" in kept
    assert "hush" not in kept


def test_a_held_symbol_left_out_is_named(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """OP-10: it can no longer be looked at."""
    both, one = 'symbols=["QQQ", "SPY"]', 'symbols=["QQQ"]'
    started(tmp_path, one)
    with ExitStack() as stack:
        runtime = demo(tmp_path, stack, both)
        runtime.take(runtime.at, Start())
        desk = runtime.engine.state
        opened: set[str] = set()
        while desk.ledger.net_quantity(Symbol("SPY")) == 0:
            assert runtime.step()
            for proposal in desk.stage.proposals():
                if proposal.id not in opened and proposal.order.symbol == "SPY":
                    opened.add(proposal.id)
                    runtime.obey(to(runtime, OpenTicket(proposal.id)))
            for ticket in list(desk.stage.state.tickets.values()):
                key = Confirm(ticket.id, ticket.digest, ticket.order.effect, ticket.order.replaces)
                runtime.obey(DOOR.through(to(runtime, key)))
        runtime.stop("left")

    with pytest.raises(OperatorError) as raised, ExitStack() as stack:
        demo(tmp_path, stack)

    assert str(raised.value) == snapshot


def test_a_damaged_memory_is_passed_over(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """SP-06: nothing rests on it."""
    said = []
    for number, content in enumerate((b"", b"null", b"[1]", b"\xff", b'{"set": 1, "variables": [2]}')):
        home = tmp_path / str(number)
        started(home, TIGHT)
        (home / "state" / "demo" / "started-with.json").write_bytes(content)
        said.append(started(home))

    assert (set(said), said[0]) == ({said[0]}, snapshot)


NOTE = "the journal's settings are of another Keyturn, read as they were: "


def of_then(**risk: Any) -> Settings:
    """Settings as an older journal has them."""
    values = Settings().model_dump(mode="json")
    return read({**values, "risk": {**values["risk"], **risk}}, 1)


def a_house_that_held(**risk: Any) -> House:
    """It holds a position and its stop, under settings that no file of today may have, and starts again."""
    house = a_house_in_a_position(("10:06", "10:40", STEADY))
    house.desk.record(SettingsApplied(of_then(**risk)))
    assert_can_be_rebuilt(house)
    return house


def notes(house: House) -> tuple[str, ...]:
    """What the screen says of the start."""
    return ViewBuilder(house.engine).draw(house.line.at).status.notes


def test_an_unknown_old_limit_is_named_once(snapshot: SnapshotAssertion) -> None:
    """SP-07, RK-13"""
    house = a_house_that_held(entries_a_day=20_000, moon="full")

    house.restarted().until("10:08")

    assert notes(house) == snapshot
    applied = house.facts(SettingsApplied)
    assert [fact.settings.odd.words != () for fact in applied] == [False, True, False]
    assert applied[-1].settings.risk.entries_a_day == 1
    assert in_words(applied[1]) == snapshot
    assert (house.held(), len(house.stops)) == ("0.502", 1)
    assert_can_be_rebuilt(house)

    house.restarted()
    assert notes(house) == ()
    assert len(house.facts(SettingsApplied)) == 3


def test_a_tighter_old_limit_holds_until_reload(snapshot: SnapshotAssertion) -> None:
    """SP-07, RK-13: no later release loosens what the operator set; beside it a tighter one is taken"""
    house = a_house_that_held(clock_jump_seconds="0")
    house.settings = Settings.model_validate({"risk": {"price_band": "0.04"}})

    house.restarted().until("10:08")

    held = house.desk.control.settings.risk
    assert (held.clock_jump_seconds, held.price_band) == (Decimal(0), Decimal("0.04"))
    assert notes(house) == snapshot
    assert_can_be_rebuilt(house)
    applied = len(house.facts(SettingsApplied))
    house.restarted().until("10:09")
    assert len(house.facts(SettingsApplied)) == applied, "it is recorded once"

    house.presses(SettingsFileSeen(house.settings))
    house.presses(ReloadLimits(digest_of(house.settings), WORD))

    assert house.facts(ReloadRefused) == []
    assert house.last(LimitsReloaded).taken == snapshot
    assert house.desk.control.settings == house.settings


@pytest.mark.parametrize("word", ["", WORD])
def test_limits_reload_beside_old_settings(word: str) -> None:
    """SP-07, RK-13: only what the operator writes now is judged"""
    house = a_house_that_held(clock_jump_seconds="0")
    house.restarted().until("10:08")
    file = Settings.model_validate({"risk": {"price_band": "0.04", "entries_a_day": 3}})

    house.presses(SettingsFileSeen(file))
    house.presses(ReloadLimits(digest_of(file), word))

    risk = house.desk.control.settings.risk
    assert house.facts(ReloadRefused) == []
    assert risk.price_band == Decimal("0.04")
    assert (risk.clock_jump_seconds, risk.entries_a_day) == ((2, 3) if word else (0, 1))


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
    assert factor_of(vix, sizing_terms(house.engine.state.control.settings.risk.sizing).vix) == Decimal(factor)


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
