"""`keyturn whatif` on days whose settings changed, and with notifications: what was said then is said again (AN-06)."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from syrupy.assertion import SnapshotAssertion

from console.commands.assembly.host import Host
from console.commands.assembly.past_day import recorded_day, settings_at
from core.facts import LimitsReloaded, NotificationBegun, NotificationSent, SettingsApplied, TradeClosed
from core.messages.commands import Decline, LeaveTicket, OpenTicket, ProposeClose
from core.messages.desk_commands import ReloadLimits
from core.views.builders.desk import ViewBuilder
from state.files import AccountFolder
from state.journal import read
from tests.kit.waiting import until
from tests.scenarios.backtests import Keyturn
from tests.scenarios.stepped_demo import SteppedDemo

DAY = "2026-01-05"


def started(home: Path, operator: str = "confirm-all") -> SteppedDemo:
    return SteppedDemo(home, profile="swing", operator=operator).starts()


@pytest.fixture
def reloaded(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> AccountFolder:
    """A copy of a day with a reload, in this test's home. The day is played once."""
    played = tmp_path_factory.getbasetemp() / "a day with a reload"
    if not played.is_dir():
        a_day_with_a_reload(played)
    shutil.copytree(played, tmp_path / "home")
    return AccountFolder(tmp_path / "home" / "state" / "demo-5")


def a_day_with_a_reload(home: Path) -> None:
    """Every entry is bought; then the file says that less is risked a trade, and by that one more is closed."""
    demo = started(home)
    demo.until(lambda: demo.desk.ledger.state.orders)
    file = Host.of({"KEYTURN_HOME": str(home)}).home.settings
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("[risk.per_trade]\nusd = 20\n")
    demo.beats()
    demo.sends(ReloadLimits(ViewBuilder(demo.runtime.engine).draw(demo.runtime.at).reload.digest))
    demo.until(lambda: demo.facts(LimitsReloaded))
    since = demo.runtime.at
    demo.until(lambda: any(fact.trade.entry_time > since for fact in demo.facts(TradeClosed)))
    demo.leaves()


def test_a_changed_day_repeats_the_reload(keyturn: Keyturn, reloaded: AccountFolder) -> None:
    """AN-06, RK-13: under another setting the file is another; its limits hold from the same moment on."""
    applied = [record.fact for record in read(reloaded.journal) if isinstance(record.fact, SettingsApplied)]
    assert [fact.settings.risk.per_trade.usd for fact in applied] == [None, Decimal(20)]

    change = "set:risk.collar.passive_band=0.9"
    found = keyturn("whatif", DAY, "--account", "demo-5", "--json", "--change", change).json

    assert found["base"]["is_exact"] is True
    (answer,) = found["changes"]
    assert answer["refused"] == []
    assert answer["came"] == []
    assert {row["difference"] for row in answer["trades"]} == {"0.00"}


def test_a_model_uses_the_mornings_settings(
    keyturn: Keyturn, reloaded: AccountFolder, snapshot: SnapshotAssertion
) -> None:
    """AN-06: what was reloaded later on that day is left out, which is said."""
    reloaded.runs.unlink()

    begins_with = settings_at(recorded_day(reloaded, date.fromisoformat(DAY)))
    found = keyturn("whatif", DAY, "--account", "demo-5", "--json").json["base"]

    assert begins_with.risk.per_trade.usd is None
    assert found["is_exact"] is False
    assert found["modelled"] == snapshot


def test_a_reproduced_day_notifies_nobody(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-06, SY-03: what became of each message is said again as it was."""
    home, heard = tmp_path / "home", tmp_path / "heard"
    home.mkdir()
    tells = f'["/bin/sh", "-c", "echo told >>{heard}"]'
    rule = '[notify.rules.all]\nchannels = ["command"]\nkinds = ["fill", "stop"]\n'
    (home / "settings.toml").write_text(f"[notify]\nin_demo = true\ncommand = {tells}\n{rule}")
    demo = started(home)
    demo.until(lambda: demo.facts(NotificationSent))
    demo.leaves()
    begun = len(demo.facts(NotificationBegun))
    until(lambda: heard.read_text().count("told") == begun, "what was begun is told")

    found = keyturn("whatif", DAY, "--account", "demo-5", "--json").json["base"]

    assert (found["is_exact"], found["modelled"]) == (True, [])
    assert heard.read_text().count("told") == begun


def a_day_at_the_keys(home: Path) -> None:
    """Tickets opened, confirmed and left, declines, closes, also several at once and behind the desk's own clock."""
    draws = Random(7)
    for _ in range(2):
        demo = started(home, operator="none")
        for _ in range(30):
            demo.steps(draws.randint(1, 60))
            demo.behind = timedelta(seconds=draws.choice((0, 0, 5, 40)))
            presses_something(demo, draws)
        demo.leaves()


def presses_something(demo: SteppedDemo, draws: Random) -> None:
    if demo.ticket and draws.random() < 0.2:
        demo.sends(LeaveTicket(demo.ticket.id))
    elif demo.ticket:
        demo.confirms_ticket()
    elif demo.proposals and draws.random() < 0.2:
        demo.sends(Decline(draws.choice(demo.proposals).id, "not this one"))
    elif demo.proposals:
        demo.sends(OpenTicket(draws.choice(demo.proposals).id))
    elif positions := demo.desk.ledger.positions():
        demo.sends(ProposeClose(draws.choice(positions).symbol))


def test_an_idle_change_makes_no_difference(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-06: also where the desk was behind its clock, and over a restart."""
    a_day_at_the_keys(tmp_path / "home")

    change = "set:risk.collar.passive_band=0.9"
    found = keyturn("whatif", DAY, "--account", "demo-5", "--json", "--change", change).json

    assert found["base"]["is_exact"] is True
    (answer,) = found["changes"]
    assert answer["came"] == []
    assert {row["difference"] for row in answer["trades"]} <= {"0.00"}


def test_a_desk_that_never_opened_is_left_out(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-06: its engine never began; what it wrote all the same stands where it was."""
    left = SteppedDemo(tmp_path / "home", profile="swing", operator="none")
    left.leaves()
    demo = started(tmp_path / "home", operator="none")
    demo.until(lambda: demo.proposals)
    demo.leaves()

    found = keyturn("whatif", DAY, "--account", "demo-5", "--json").json["base"]

    assert (found["is_exact"], found["modelled"]) == (True, [])
