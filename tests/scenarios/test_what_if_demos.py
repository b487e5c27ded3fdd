"""`keyturn whatif` on the days of a demo: what a person did at its time, restarts, resets and backups."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

from core.messages.commands import Decline, ProposeClose, ProposeOrder
from core.model.order import Effect, OrderType, StopHolder
from core.model.values import Price, ProposalId, Quantity
from state.journal import read
from tests.scenarios.backtests import Keyturn
from tests.scenarios.stepped_demo import SteppedDemo

DAY = "2026-01-05"


def declines_one_and_confirms_the_next(home: Path) -> ProposalId:
    demo = SteppedDemo(home, profile="micro").starts()
    declined = demo.until(lambda: demo.proposals)[0].id
    demo.sends(Decline(declined, "not this one"))
    demo.until(lambda: not demo.proposals)
    demo.confirms(demo.until(lambda: demo.proposals)[0].id)
    demo.leaves()
    return declined


def test_a_demo_with_a_restart_is_reproduced(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-06: what a person did at its time, over two runs of one day; the declined one confirmed sends its order."""
    declines_one_and_confirms_the_next(tmp_path / "home")
    first = declines_one_and_confirms_the_next(tmp_path / "home")
    folder = tmp_path / "home" / "state" / "demo-5" / "journal"

    changes = ("--change", f"confirm={first}", "--change", "off=vwap")
    found = keyturn("whatif", DAY, "--account", "demo-5", "--json", *changes)

    assert found.code == 0, found.err
    base = found.json["base"]
    assert (base["is_exact"], base["records"]) == (True, sum(1 for _ in read(folder)))
    assert {row["end"] for row in found.json["proposals"]} >= {"declined"}
    facts = [type(record.fact).__name__ for record in read(folder)]
    assert facts.count("ConfirmationReceived") == 2
    answer, off = found.json["changes"]
    assert answer["refused"] == []
    assert answer["first_other"] is not None
    assert answer["fate"].startswith("its order ended")
    assert "is paused" in off["first_other"]["words"]


def test_a_confirmation_never_moves_to_another_order(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-06: typed orders count up; without the close that was confirmed, the buy that was declined has its name."""
    demo = SteppedDemo(tmp_path / "home", speed=120.0, profile="micro").starts()
    (entry,) = demo.until(lambda: demo.proposals)
    demo.confirms(entry.id)
    demo.until(demo.desk.ledger.positions)
    demo.sends(ProposeClose(entry.symbol))
    close = demo.until(lambda: [each for each in demo.proposals if each.only_reduces])[0]
    limit = entry.order.limit_price
    assert limit is not None
    bought, stop = Quantity(Decimal("0.05")), Price(limit - 1)
    demo.sends(ProposeOrder(entry.symbol, Effect.OPEN, bought, OrderType.LIMIT, limit, stop, StopHolder.DESK))
    typed = demo.until(lambda: [each for each in demo.proposals if each.strategy == "manual" and each is not close])[0]
    demo.confirms(close.id)
    demo.until(lambda: not demo.desk.ledger.positions())
    demo.sends(Decline(typed.id, "not this one"))
    demo.until(lambda: typed.id not in {each.id for each in demo.proposals})
    demo.leaves()

    found = keyturn("whatif", DAY, "--account", "demo-5", "--json", "--change", f"decline={entry.id}").json

    assert found["base"]["is_exact"] is True
    (answer,) = found["changes"]
    assert [row["now"] for row in answer["trades"]] == [None]
    assert "confirmed" not in {row["end"] for row in answer["came"]}
    assert answer["unplaced"] == 1
    assert answer["held_and_cents"]["now"] == "0.00"


def a_demo(home: Path, events: int = 150) -> Path:
    """A demo's account with a morning of trades; it is left so many events after its first order."""
    demo = SteppedDemo(home, speed=1200.0, operator="confirm-all").starts()
    demo.until(lambda: demo.desk.ledger.state.orders)
    demo.steps(events)
    demo.leaves()
    return home / "state" / "demo-5"


def test_a_reset_drops_earlier_runs(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-06, SP-04: the record of its runs goes with the journal that they wrote."""
    account = a_demo(tmp_path / "home")
    before = sum(1 for _ in read(account / "journal"))
    assert keyturn("state", "reset", "--account", "demo-5", "--yes").code == 0
    a_demo(tmp_path / "home")

    found = keyturn("whatif", DAY, "--account", "demo-5", "--json").json["base"]

    assert found["is_exact"] is True or found["modelled"]
    assert found["records"] <= sum(1 for _ in read(account / "journal")) != before


def test_a_restored_account_is_reproduced(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-06, SP-04: a backup takes the record of runs along."""
    account = a_demo(tmp_path / "home")
    assert keyturn("state", "backup", tmp_path, "--account", "demo-5").code == 0
    (archive,) = tmp_path.glob("keyturn-demo-5-*.tar.gz")
    shutil.rmtree(account)
    assert keyturn("state", "restore", archive, "--yes").code == 0

    found = keyturn("whatif", DAY, "--account", "demo-5", "--json").json["base"]

    assert (found["is_exact"], found["modelled"]) == (True, [])


def test_a_running_day_is_exact_so_far(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-06: an engine that runs on writes further records; they are no difference."""
    demo = SteppedDemo(tmp_path / "home", operator="confirm-all").starts()
    demo.until(lambda: demo.desk.ledger.state.orders)
    found = [keyturn("whatif", DAY, "--account", "demo-5", "--json").json["base"] for _ in range(2)]
    demo.leaves()

    assert [(base["is_exact"], base["first_other"]) for base in found] == [(True, None)] * 2
