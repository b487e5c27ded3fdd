"""A settings file that changes under the engine shuts entries; limits change by a deliberate command alone (RK-13)."""

from __future__ import annotations

from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.facts import (
    Killed,
    LimitsReloaded,
    ProposalSkipped,
    ReloadRefused,
    SettingsApplied,
    SettingsFileAgreed,
    SettingsFileChanged,
    TradeClosed,
)
from core.messages.commands import Kill, ProposeClose, ReloadLimits, SettingsFault, SettingsFileSeen
from core.settings.changes import digest_of
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from core.views.event_text import kind_of
from core.workflows.operator.limits_reload import WORD
from tests.scenarios.house import STEADY, House, a_day, a_house_in_a_position, a_typed_buy
from tests.unit.core.brokers.trading_floor import SPY

RELOAD = "reload the limits in Ctrl+P, or put it back"


def a_file(**risk: Any) -> Settings:
    return Settings.model_validate({"risk": risk})


def usd(amount: str) -> dict[str, str]:
    return {"usd": amount}


def at_ten(settings: Settings | None = None) -> House:
    return House(a_day(("10:06", "11:00", STEADY)), settings).opens().until("10:03")


def reload(house: House, file: Settings, word: str = "") -> None:
    house.presses(ReloadLimits(digest_of(file), word))


def refusals(house: House) -> tuple[str, ...]:
    """Why an order that is typed now is not staged; nothing where it is."""
    before = len(house.facts(ProposalSkipped))
    house.presses(a_typed_buy())
    skipped = house.facts(ProposalSkipped)[before:]
    return skipped[0].reasons if skipped else ()


def test_entries_are_refused_with_what_changed_and_the_way_out() -> None:
    """RK-13"""
    house = at_ten()
    house.presses(SettingsFileSeen(a_file(daily_loss=usd("50"), entries_a_day=3, weekly_loss=usd("90"))))

    why = (
        "the settings file changed (risk.daily_loss 10 USD → 50 USD, risk.weekly_loss 25 USD → 90 USD and 1 more): "
        + RELOAD
    )
    assert refusals(house) == (f"kill switch: {why}",)
    assert ViewBuilder(house.engine).draw(house.line.at).status.entries_refused == why
    assert house.desk.control.settings == Settings()


def test_exits_cancels_and_the_kill_go_on() -> None:
    """RK-13, RK-22, OP-07: also at a file that cannot stand."""
    house = a_house_in_a_position(("10:06", "10:40", STEADY))
    house.presses(SettingsFileSeen(SettingsFault("settings.toml: risk.daily_loss.usd = 0: must be greater than 0")))
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:07")
    house.confirms()
    house.until("10:09")
    house.presses(Kill("key"))

    assert house.held() == "0"
    assert house.facts(TradeClosed)
    assert house.facts(Killed)


def test_an_entry_that_was_confirmed_before_it_changed_is_stopped_before_the_wire() -> None:
    """RK-13: the key comes after the change, and the ticket says why."""
    house = House(a_day(("10:06", "10:40", STEADY))).opens().until("10:06")
    house.opens_ticket()
    house.until("10:06:02")
    house.presses(SettingsFileSeen(a_file(entries_a_day=3)))
    house.confirms()
    house.until("10:07")

    assert house.requests() == []


def test_a_tighter_limit_holds_at_once_and_entries_pass_by_it() -> None:
    """RK-13"""
    house, file = at_ten(), a_file(max_notional=usd("5"))
    house.presses(SettingsFileSeen(file))
    reload(house, file)

    assert house.desk.control.settings == file
    assert house.last(LimitsReloaded) == LimitsReloaded(("risk.max_notional 50 USD → 5 USD",), ())
    assert refusals(house) == ("notional: 9.96 USD is over 5.00 USD an order; 0.05 would pass",)


def test_a_looser_limit_waits_for_the_word_and_the_old_one_stands() -> None:
    """RK-13: what is tighter is not kept waiting by it."""
    house, file = at_ten(), a_file(max_notional=usd("500"), daily_loss=usd("5"))
    house.presses(SettingsFileSeen(file))
    reload(house, file)
    at_first = house.desk.control.settings.risk
    told = house.last(LimitsReloaded)
    reload(house, file, WORD)

    assert (at_first.max_notional.usd, at_first.daily_loss.usd) == (Decimal(50), Decimal(5))
    assert told.taken == ("risk.daily_loss 10 USD → 5 USD",)
    assert told.left == ("risk.max_notional 50 USD → 500 USD, looser",)
    assert house.desk.control.settings == file
    assert house.last(LimitsReloaded).taken == ("risk.max_notional 50 USD → 500 USD",)


@pytest.mark.parametrize("word", ["loosen", "OVERRIDE", "LOOSE"])
def test_another_word_changes_nothing(word: str) -> None:
    """RK-13"""
    house, file = at_ten(), a_file(max_notional=usd("500"))
    house.presses(SettingsFileSeen(file))
    reload(house, file, word)

    assert house.desk.control.settings == Settings()
    assert house.last(ReloadRefused).reasons == ("the word is LOOSEN",)
    assert house.desk.control.state.settings_file is not None


def test_what_is_no_limit_waits_for_a_restart_and_shuts_nothing_once_it_was_seen() -> None:
    """RK-13: symbols, the account's mode, addresses."""
    house = at_ten()
    file = Settings.model_validate({"symbols": ["SPY", "IBM"], "account": {"mode": "live"}})
    house.presses(SettingsFileSeen(file))
    shut = refusals(house)
    reload(house, file, WORD)

    assert len(shut) == 1
    assert house.last(LimitsReloaded) == LimitsReloaded(
        (), ("symbols SPY → SPY, IBM, needs a restart", "account.mode paper → live, needs a restart")
    )
    assert house.desk.control.settings == Settings()
    assert refusals(house) == ()


def test_a_file_that_is_put_back_opens_entries_again() -> None:
    """RK-13"""
    house = at_ten()
    house.presses(SettingsFileSeen(a_file(entries_a_day=3)))
    house.presses(SettingsFileSeen(Settings()))

    assert len(house.facts(SettingsFileAgreed)) == 1
    assert refusals(house) == ()


def test_a_file_that_cannot_stand_is_refused_with_its_place_and_the_old_limits_stand() -> None:
    """RK-13"""
    house = at_ten()
    fault = "settings.toml: risk.daily_los: there is no such setting; did you mean risk.daily_loss?"
    house.presses(SettingsFileSeen(SettingsFault(fault)))
    house.presses(ReloadLimits("", WORD))

    assert house.last(ReloadRefused).reasons == (f"the settings file cannot stand: {fault}",)
    assert kind_of(house.last(ReloadRefused)) == "settings"
    assert refusals(house) == (
        f"kill switch: the settings file cannot stand ({fault}): mend it, the limits stay as they were",
    )
    assert house.desk.control.settings == Settings()


def test_a_file_that_changed_since_it_was_shown_is_looked_at_again() -> None:
    """RK-13: nobody agrees to what nobody saw."""
    house, shown = at_ten(), a_file(max_notional=usd("60"))
    house.presses(SettingsFileSeen(shown))
    house.presses(SettingsFileSeen(a_file(max_notional=usd("600"))))
    reload(house, shown, WORD)

    assert house.desk.control.settings == Settings()
    assert "changed again" in house.last(ReloadRefused).reasons[0]


def test_tighter_limits_that_do_not_stand_alone_say_so() -> None:
    """RK-13: a window that begins at noon, while its later end waits for the word."""
    house, file = at_ten(), a_file(window_start="12:00", window_end="13:00")
    house.presses(SettingsFileSeen(file))
    reload(house, file)
    alone = house.last(ReloadRefused).reasons[0]
    reload(house, file, WORD)

    assert "type LOOSEN for all of them" in alone
    assert house.desk.control.settings == file


def test_what_is_looser_waits_for_its_word_over_a_crash_and_a_restart_too() -> None:
    """RK-13, SP-03: no start lets in what nobody confirmed; what is tighter holds."""
    house, file = at_ten(), a_file(max_notional=usd("5"), daily_loss=usd("20"))
    house.presses(SettingsFileSeen(file))
    reload(house, file)
    kept = house.desk.control.settings
    house.settings = kept
    house.restarted()
    after_a_crash = house.desk.control.settings
    house.settings = file
    house.restarted()

    house.until("10:04")
    after_a_start = house.desk.control.settings
    house.presses(SettingsFileSeen(file))
    shut = house.desk.control.refusal()
    reload(house, file, WORD)

    assert after_a_crash == after_a_start == kept
    assert shut is not None
    assert "risk.daily_loss 10 USD → 20 USD" in shut
    assert house.desk.control.settings == file
    assert house.desk.control.refusal() is None
    assert house.last(SettingsApplied).settings == file


def test_what_is_no_limit_or_tighter_holds_from_the_next_start_on() -> None:
    """RK-13"""
    house = at_ten()
    house.settings = Settings.model_validate(
        {"profile": "swing", "execution": {"answer_seconds": 9}, "risk": {"entries_a_day": 4, "daily_loss": usd("5")}}
    )
    house.restarted()

    held = house.desk.control.settings
    assert (held.profile, held.execution.answer_seconds) == ("swing", Decimal(9))
    assert (held.risk.daily_loss.usd, held.risk.entries_a_day) == (Decimal(5), Settings().risk.entries_a_day)


def test_a_breaker_and_a_timer_are_loosened_by_the_word_alone_and_tightened_at_once() -> None:
    """RK-13, EX-15, RK-27: as the limits under `risk` are, over a restart too"""
    house = at_ten()
    tight = Settings.model_validate({"execution": {"max_queued": 2}, "attendance": {"dead_man_hours": "4"}})
    house.presses(SettingsFileSeen(tight))
    reload(house, tight)
    at_once = house.desk.control.settings
    house.settings = Settings.model_validate({"execution": {"breaker_failures": 90}})
    house.restarted().until("10:04")
    after_a_start = house.desk.control.settings
    house.presses(SettingsFileSeen(house.settings))
    why = house.desk.control.refusal()
    reload(house, house.settings)
    left = house.last(LimitsReloaded).left
    reload(house, house.settings, WORD)

    assert at_once == after_a_start == tight
    assert why is not None
    assert "execution.breaker_failures 5 → 90" in why
    assert "attendance.dead_man_hours 4 → 0, looser" in left
    assert house.desk.control.settings == house.settings


def test_limits_of_which_none_fits_alone_wait_together() -> None:
    """RK-13: half of a window would be none."""
    house = at_ten()
    house.settings = a_file(window_start="12:00", window_end="15:00")
    house.restarted()

    assert house.desk.control.settings.risk == Settings().risk


def test_a_file_that_was_put_back_before_the_next_start_is_no_news() -> None:
    """RK-13"""
    house = at_ten()
    house.presses(SettingsFileSeen(a_file(entries_a_day=3)))
    house.restarted().until("10:04")

    assert len(house.facts(SettingsFileChanged)) == 1
    assert house.desk.control.refusal() is None


def test_the_same_news_is_recorded_once() -> None:
    """RK-13"""
    house = at_ten()
    for _ in range(3):
        house.presses(SettingsFileSeen(a_file(entries_a_day=3)))

    assert len(house.facts(SettingsFileChanged)) == 1


def test_the_demos_own_file_is_watched(tmp_path: Path) -> None:
    """RK-13: the whole way, from the disk to the refusal and back."""
    settings = tmp_path / "settings.toml"
    with ExitStack() as stack:
        keyturn = Host.of({"KEYTURN_HOME": str(tmp_path)})
        settings = keyturn.home.settings
        runtime = demo_runtime(keyturn, DemoOptions(profile="micro"), stack)
        runtime.pace.speed = None
        control, watch = runtime.engine.state.control, runtime.keeper.watch  # type: ignore[union-attr]
        ticks = iter(range(1000))
        watch.now = lambda: float(next(ticks))

        def beats() -> str | None:
            for _ in range(3):
                runtime.beat()
                runtime._obey_commands()
            return control.state.settings_file

        at_first = beats()
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text("[risk]\nmax_open_positions = 9")
        changed = beats()
        settings.write_text("[risk]\nmax_open_positions = nine")
        broken = beats()
        settings.unlink()
        put_back = beats()
        runtime.stop("left")

    assert at_first is put_back is None
    assert changed == f"the settings file changed (risk.max_open_positions 1 → 9): {RELOAD}"
    assert broken is not None
    assert "settings.toml: Invalid value (at line 2, column 22)" in broken


def test_a_limit_in_another_unit_holds_at_once_where_it_allows_less() -> None:
    """RK-13: 10 USD of 200 are more than 1 % of them."""
    house = at_ten()
    file = a_file(daily_loss={"of_equity": "0.01"})
    house.presses(SettingsFileSeen(file))
    reload(house, file)

    assert house.last(LimitsReloaded).taken == ("risk.daily_loss 10 USD → 0.01 of equity",)
    assert house.desk.control.settings.risk.daily_loss.of(Decimal(200)) == 2
