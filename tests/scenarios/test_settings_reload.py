"""A settings file that changes under the engine shuts entries; limits change by a deliberate command alone (RK-13)."""

from __future__ import annotations

from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core import facts
from core.event_text import kind_of
from core.messages.commands import Kill, ProposeClose
from core.messages.desk_commands import ReloadLimits, SettingsFault, SettingsFileSeen
from core.settings.changes import ChangeKind, changes_between, digest_of
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from core.workflows.operator.limits_reload import WORD
from tests.scenarios.house import STEADY, House, a_day, a_house_in_a_position, a_typed_buy
from tests.unit.core.brokers.trading_floor import SPY


def a_file(**risk: Any) -> Settings:
    return Settings.model_validate({"risk": risk})


def usd(amount: str) -> dict[str, str]:
    return {"usd": amount}


def at_ten(settings: Settings | None = None) -> House:
    return House(a_day(("10:06", "11:00", STEADY)), settings).opens().until("10:03")


def reload(house: House, file: Settings, word: str = "") -> None:
    house.presses(ReloadLimits(digest_of(file), word))


def refused(house: House) -> tuple[str, ...]:
    """The checks that refuse an order typed now; none where it is staged."""
    before = len(house.facts(facts.ProposalSkipped))
    house.presses(a_typed_buy())
    skipped = house.facts(facts.ProposalSkipped)[before:]
    return skipped[0].checks if skipped else ()


def changed(old: Settings, new: Settings) -> dict[str, ChangeKind]:
    return {change.key: change.kind for change in changes_between(old, new, Decimal(200))}


def keys(changes: tuple[str, ...]) -> list[str]:
    """The settings that a reload names."""
    return [change.split()[0] for change in changes]


def test_changed_file_refuses_entries_until_restored(snapshot: SnapshotAssertion) -> None:
    """RK-13: the change is recorded once"""
    house = at_ten()
    for _ in range(3):
        house.presses(SettingsFileSeen(a_file(daily_loss=usd("50"), entries_a_day=3, weekly_loss=usd("90"))))

    assert refused(house) == ("kill switch",)
    assert ViewBuilder(house.engine).draw(house.line.at).status.entries_refused == snapshot
    assert len(house.facts(facts.SettingsFileChanged)) == 1
    house.presses(SettingsFileSeen(Settings()))
    assert len(house.facts(facts.SettingsFileAgreed)) == 1
    assert refused(house) == ()
    assert house.desk.control.settings == Settings()


def test_changed_file_lets_exits_and_the_kill_go() -> None:
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
    assert house.facts(facts.TradeClosed)
    assert house.facts(facts.Killed)


def test_key_after_the_change_sends_nothing() -> None:
    """RK-13: the key comes after the change, and the ticket says why."""
    house = House(a_day(("10:06", "10:40", STEADY))).opens().until("10:06")
    house.opens_ticket()
    house.until("10:06:02")
    house.presses(SettingsFileSeen(a_file(entries_a_day=3)))
    house.confirms()
    house.until("10:07")

    assert house.sent() == []


def test_tighter_limit_holds_at_once() -> None:
    """RK-13"""
    house, file = at_ten(), a_file(max_notional=usd("5"))
    house.presses(SettingsFileSeen(file))
    reload(house, file)

    assert house.desk.control.settings == file
    assert house.last(facts.LimitsReloaded).left == ()
    assert keys(house.last(facts.LimitsReloaded).taken) == ["risk.max_notional"]
    assert refused(house) == ("notional",)


def test_looser_limit_waits_for_the_word(snapshot: SnapshotAssertion) -> None:
    """RK-13: what is tighter is not kept waiting by it."""
    house, file = at_ten(), a_file(max_notional=usd("500"), daily_loss=usd("5"))
    house.presses(SettingsFileSeen(file))
    reload(house, file)
    at_first = house.desk.control.settings.risk
    told = house.last(facts.LimitsReloaded)
    reload(house, file, WORD)

    assert (at_first.max_notional.usd, at_first.daily_loss.usd) == (Decimal(50), Decimal(5))
    assert house.desk.control.settings == file
    assert [told, house.last(facts.LimitsReloaded)] == snapshot


def test_another_word_changes_nothing(snapshot: SnapshotAssertion) -> None:
    """RK-13"""
    house, file = at_ten(), a_file(max_notional=usd("500"))
    house.presses(SettingsFileSeen(file))
    for word in ("loosen", "OVERRIDE", "LOOSE"):
        reload(house, file, word)

    assert house.desk.control.settings == Settings()
    assert [fact.reasons for fact in house.facts(facts.ReloadRefused)] == snapshot
    assert house.desk.control.state.settings_file is not None


def test_other_settings_wait_for_a_restart() -> None:
    """RK-13: symbols, the account's mode, addresses."""
    house = at_ten()
    file = Settings.model_validate({"symbols": ["SPY", "IBM"], "account": {"mode": "live"}})
    house.presses(SettingsFileSeen(file))
    shut = refused(house)
    reload(house, file, WORD)

    assert shut == ("kill switch",)
    assert changed(Settings(), file) == {"symbols": ChangeKind.RESTART, "account.mode": ChangeKind.RESTART}
    assert house.last(facts.LimitsReloaded).taken == ()
    assert keys(house.last(facts.LimitsReloaded).left) == ["symbols", "account.mode"]
    assert house.desk.control.settings == Settings()
    assert refused(house) == ()


def test_invalid_file_is_refused_with_its_place(snapshot: SnapshotAssertion) -> None:
    """RK-13"""
    house = at_ten()
    fault = "settings.toml: risk.daily_los: there is no such setting; did you mean risk.daily_loss?"
    house.presses(SettingsFileSeen(SettingsFault(fault)))
    house.presses(ReloadLimits("", WORD))

    assert kind_of(house.last(facts.ReloadRefused)) == "settings"
    assert refused(house) == ("kill switch",)
    assert [house.last(facts.ReloadRefused).reasons, house.last(facts.ProposalSkipped).reasons] == snapshot
    assert house.desk.control.settings == Settings()


def test_file_changed_since_shown_is_refused(snapshot: SnapshotAssertion) -> None:
    """RK-13: nobody agrees to what nobody saw."""
    house, shown = at_ten(), a_file(max_notional=usd("60"))
    house.presses(SettingsFileSeen(shown))
    house.presses(SettingsFileSeen(a_file(max_notional=usd("600"))))
    reload(house, shown, WORD)

    assert house.desk.control.settings == Settings()
    assert house.last(facts.ReloadRefused).reasons == snapshot


def test_tighter_limits_invalid_alone_are_refused(snapshot: SnapshotAssertion) -> None:
    """RK-13: a window that begins at noon, while its later end waits for the word."""
    house, file = at_ten(), a_file(window_start="12:00", window_end="13:00")
    house.presses(SettingsFileSeen(file))
    reload(house, file)
    alone = house.last(facts.ReloadRefused).reasons[0]
    reload(house, file, WORD)

    assert alone == snapshot
    assert house.desk.control.settings == file


def test_a_limit_invalid_alone_keeps_no_other_waiting() -> None:
    """RK-13: a window that begins later ends before it; the daily loss is tighter at once"""
    house, file = at_ten(), a_file(window_start="12:00", window_end="13:00", daily_loss=usd("5"))
    house.presses(SettingsFileSeen(file))
    reload(house, file)

    risk = house.desk.control.settings.risk
    assert (risk.daily_loss.usd, risk.window_start) == (Decimal(5), Settings().risk.window_start)
    assert keys(house.last(facts.LimitsReloaded).taken) == ["risk.daily_loss"]
    assert keys(house.last(facts.LimitsReloaded).left) == ["risk.window_start", "risk.window_end"]


def test_restart_does_not_let_looser_limits_in() -> None:
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
    assert "risk.daily_loss" in shut
    assert changed(kept, file) == {"risk.daily_loss": ChangeKind.LOOSER}
    assert house.desk.control.settings == file
    assert house.desk.control.refusal() is None
    assert house.last(facts.SettingsApplied).settings == file


def test_restart_applies_tighter_and_other_settings() -> None:
    """RK-13"""
    house = at_ten()
    house.settings = Settings.model_validate(
        {"profile": "swing", "execution": {"answer_seconds": 9}, "risk": {"entries_a_day": 4, "daily_loss": usd("5")}}
    )
    house.restarted()

    held = house.desk.control.settings
    assert (held.profile, held.execution.answer_seconds) == ("swing", Decimal(9))
    assert (held.risk.daily_loss.usd, held.risk.entries_a_day) == (Decimal(5), Settings().risk.entries_a_day)


def test_breaker_and_timer_count_as_limits() -> None:
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
    left = house.last(facts.LimitsReloaded).left
    reload(house, house.settings, WORD)

    assert at_once == after_a_start == tight
    assert why is not None
    assert "execution.breaker_failures" in why
    assert changed(tight, house.settings)["execution.breaker_failures"] is ChangeKind.LOOSER
    assert {"execution.breaker_failures", "attendance.dead_man_hours"} <= set(keys(left))
    assert house.desk.control.settings == house.settings


def test_limits_invalid_alone_wait_together() -> None:
    """RK-13: half of a window would be none."""
    house = at_ten()
    house.settings = a_file(window_start="12:00", window_end="15:00")
    house.restarted()

    assert house.desk.control.settings.risk == Settings().risk


def test_file_restored_before_a_start_is_no_news() -> None:
    """RK-13"""
    house = at_ten()
    house.presses(SettingsFileSeen(a_file(entries_a_day=3)))
    house.restarted().until("10:04")

    assert len(house.facts(facts.SettingsFileChanged)) == 1
    assert house.desk.control.refusal() is None


def test_settings_file_of_the_demo_is_watched(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
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
        of_file = beats()
        settings.write_text("[risk]\nmax_open_positions = nine")
        broken = beats()
        settings.unlink()
        put_back = beats()
        runtime.stop("left")

    assert at_first is put_back is None
    assert [of_file, broken] == snapshot


def test_lower_limit_in_another_unit_holds_at_once() -> None:
    """RK-13: 10 USD of 200 are more than 1 % of them."""
    house = at_ten()
    file = a_file(daily_loss={"of_equity": "0.01"})
    house.presses(SettingsFileSeen(file))
    reload(house, file)

    assert keys(house.last(facts.LimitsReloaded).taken) == ["risk.daily_loss"]
    assert house.desk.control.settings.risk.daily_loss.of(Decimal(200)) == 2
