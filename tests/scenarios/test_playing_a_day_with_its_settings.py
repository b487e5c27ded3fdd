"""`keyturn whatif` on days whose settings changed, and with notifications: what was said then is said again (AN-06)."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random

from console.client.handle import EngineHandle
from console.commands.assembly.host import Host
from console.commands.assembly.recorded_day import recorded_day, settings_at
from console.commands.assembly.simulated import DemoOptions, demo_runtime
from core.facts import LimitsReloaded, NotificationSent, SettingsApplied, TradeClosed
from core.messages.commands import Confirm, Decline, LeaveTicket, OpenTicket, ProposeClose, ReloadLimits
from core.model.desk import PaintProof
from core.views import DeskView
from state.folders import AccountFolder
from state.journal import read
from tests.scenarios.backtests import Keyturn
from tests.scenarios.test_playing_a_day_again import until

DAY = "2026-01-05"


def started(home: Path, operator: str = "confirm-all") -> EngineHandle:
    options = DemoOptions(seed=5, speed=600.0, profile="swing", operator=operator)
    handle = EngineHandle(lambda stack: demo_runtime(Host.of({"KEYTURN_HOME": str(home)}), options, stack))
    handle.start()
    return handle


def a_day_with_a_reload(home: Path) -> AccountFolder:
    """Every entry is bought; then the file says that less is risked a trade, and by that one more is closed."""
    handle, account = started(home), AccountFolder(home / "state" / "demo-5")
    until(handle, lambda view: view.orders)
    file = Host.of({"KEYTURN_HOME": str(home)}).home.settings
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("[risk.per_trade]\nusd = 20\n")
    handle.send(ReloadLimits(until(handle, lambda view: view.reload.digest)))
    until(handle, lambda _view: has_traded_since(account))
    handle.close("left", 10)
    return account


def has_traded_since(account: AccountFolder) -> bool:
    """Whether a trade that was entered after the reload is closed."""
    facts = [record for record in read(account.journal) if isinstance(record.fact, LimitsReloaded | TradeClosed)]
    reloaded = next((record.at for record in facts if isinstance(record.fact, LimitsReloaded)), None)
    entered = (record.fact.trade.entry_time for record in facts if isinstance(record.fact, TradeClosed))
    return reloaded is not None and any(at > reloaded for at in entered)


def test_what_was_reloaded_on_the_day_is_reloaded_on_a_changed_one(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-06, RK-13: under another setting the file is another; its limits hold from the same moment on."""
    account = a_day_with_a_reload(tmp_path / "home")
    applied = [record.fact for record in read(account.journal) if isinstance(record.fact, SettingsApplied)]
    assert [fact.settings.risk.per_trade.usd for fact in applied] == [None, Decimal(20)]

    change = "set:risk.collar.passive_band=0.9"
    found = keyturn("whatif", DAY, "--account", "demo-5", "--json", "--change", change).json

    assert found["base"]["is_exact"] is True
    (answer,) = found["changes"]
    assert answer["refused"] == []
    assert answer["came"] == []
    assert {row["difference"] for row in answer["trades"]} == {"0.00"}


def test_a_model_begins_with_the_settings_of_its_morning(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-06: what was reloaded later on that day is left out, which is said."""
    account = a_day_with_a_reload(tmp_path / "home")
    account.runs.unlink()

    begins_with = settings_at(recorded_day(account, date.fromisoformat(DAY)))
    found = keyturn("whatif", DAY, "--account", "demo-5", "--json").json["base"]

    assert begins_with.risk.per_trade.usd is None
    assert found["is_exact"] is False
    assert "settings that changed on the day" in found["modelled"][-1]


def test_a_demo_that_told_somebody_is_written_again_and_tells_nobody(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-06, SY-03: what became of each message is said again as it was."""
    home, heard = tmp_path / "home", tmp_path / "heard"
    home.mkdir()
    tells = f'["/bin/sh", "-c", "echo told >>{heard}"]'
    rule = '[notify.rules.all]\nchannels = ["command"]\nkinds = ["fill", "stop"]\n'
    (home / "settings.toml").write_text(f"[notify]\nin_demo = true\ncommand = {tells}\n{rule}")
    handle = started(home)
    journal = AccountFolder(home / "state" / "demo-5").journal
    until(handle, lambda _view: any(isinstance(record.fact, NotificationSent) for record in read(journal)))
    handle.close("left", 10)
    told = heard.read_text().count("told")

    found = keyturn("whatif", DAY, "--account", "demo-5", "--json").json["base"]

    assert (found["is_exact"], found["modelled"]) == (True, [])
    assert heard.read_text().count("told") == told


def a_day_at_the_keys(home: Path) -> None:
    """Twice an hour or so, faster than the desk keeps up with: tickets opened, confirmed and left, declines, closes."""
    draws = Random(7)
    for _ in range(2):
        handle = started(home, operator="none")
        until(handle, lambda view: view)
        ends = time.monotonic() + 1.2
        while time.monotonic() < ends:
            time.sleep(draws.uniform(0.01, 0.1))
            if isinstance(handle.view, DeskView):
                presses_something(handle, handle.view, draws)
        handle.close("left", 10)


def presses_something(handle: EngineHandle, view: DeskView, draws: Random) -> None:
    if view.tickets and draws.random() < 0.2:
        handle.send(LeaveTicket(view.tickets[0].ticket.id))
    elif view.tickets:
        ticket, hold = view.tickets[0].ticket, view.status.key.hold
        handle.send(Confirm(ticket.id, ticket.digest, ticket.order.effect, hold=hold, proof=PaintProof.ANSWERED))
    elif view.proposals and draws.random() < 0.2:
        handle.send(Decline(draws.choice(view.proposals).id, "not this one"))
    elif view.proposals:
        handle.send(OpenTicket(draws.choice(view.proposals).id))
    elif view.positions:
        handle.send(ProposeClose(draws.choice(view.positions).symbol))


def test_a_change_that_changes_nothing_makes_no_difference(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-06: also where the desk was behind its clock, and over a restart."""
    a_day_at_the_keys(tmp_path / "home")

    change = "set:risk.collar.passive_band=0.9"
    found = keyturn("whatif", DAY, "--account", "demo-5", "--json", "--change", change).json

    assert found["base"]["is_exact"] is True
    (answer,) = found["changes"]
    assert answer["came"] == []
    assert {row["difference"] for row in answer["trades"]} <= {"0.00"}


def test_a_desk_that_was_left_before_it_opened_is_no_part_of_the_day(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-06: its engine never began; what it wrote all the same stands where it was."""
    left = started(tmp_path / "home", operator="none")
    left.close("left", 10)
    handle = started(tmp_path / "home", operator="none")
    until(handle, lambda view: view.proposals)
    handle.close("left", 10)

    found = keyturn("whatif", DAY, "--account", "demo-5", "--json").json["base"]

    assert (found["is_exact"], found["modelled"]) == (True, [])
