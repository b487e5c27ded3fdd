"""`keyturn whatif`: a day played again byte for byte, and with one thing changed, which alone makes the difference."""

from __future__ import annotations

import json
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import ProposalStaged
from core.model.staging import Proposal
from state.journal import read, read_day
from tests.scenarios.backtests import Keyturn, minutes_of

DAY = "2026-01-05"


@pytest.fixture
def played(keyturn: Keyturn, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seeded mornings of two shares, every proposal confirmed. They are played once, and only read."""
    place = tmp_path_factory.getbasetemp() / "days to be played again"
    if not place.is_dir():
        place.mkdir()
        files = [two_days_of(place / f"{symbol}_seeded.csv", symbol) for symbol in ("SPY", "IBM")]
        words = ("replay", *files, "--symbol", "SPY", "--symbol", "IBM", "--profile", "swing")
        done = keyturn(*words, "--headless", "--operator", "confirm-all", "--json", "--journal-dir", place / "journal")
        assert done.code == 0
    return place / "journal"


def two_days_of(path: Path, symbol: str) -> Path:
    lines = minutes_of(path, symbol).read_text().splitlines(keepends=True)
    mornings = [line for line in lines if line < "2026-01-07" and line[11:16] < "16:30"]
    path.write_text("".join([lines[0], *mornings]))
    return path


def asked(keyturn: Keyturn, folder: Path, *changes: str, day: str = DAY) -> Any:
    words = [word for change in changes for word in ("--change", change)]
    found = keyturn("whatif", day, "--journal-dir", folder, "--json", *words)
    assert found.code == 0, found.err
    return found.json


@pytest.fixture
def again(keyturn: Keyturn, played: Path) -> Any:
    """The first day with each of five changes. It is played once, and only read."""
    declined, *_, smaller = entries_of(played)
    kept = played.parent / "answers.json"
    if not kept.exists():
        changes = (
            f"decline={declined.id}",
            f"quantity={smaller.id}:1",
            "off=vwap",
            "set:strategies.vwap.stop_fraction=0.02",
            f"quantity={declined.id}:100000000",
        )
        kept.write_text(json.dumps(asked(keyturn, played, *changes)))
    return json.loads(kept.read_text())


@pytest.fixture
def answers(again: Any) -> dict[str, Any]:
    """What each change makes of the day, by the name of the change."""
    return dict(zip(("decline", "quantity", "off", "wide stop", "too many"), again["changes"], strict=True))


def entries_of(folder: Path, day: str = DAY) -> list[Proposal]:
    """The strategies' entries of the day that were staged."""
    staged = [record.fact.proposal for record in records_of(folder, day) if isinstance(record.fact, ProposalStaged)]
    return [proposal for proposal in staged if not proposal.only_reduces]


def records_of(folder: Path, day: str) -> list[Any]:
    return list(read_day(folder, date.fromisoformat(day)))


def test_a_replayed_day_is_reproduced_byte_for_byte(keyturn: Keyturn, played: Path, again: Any) -> None:
    """AN-06: and its proposals are listed, with changes and without."""
    later = "2026-01-06"
    for day, found in ((DAY, again), (later, asked(keyturn, played, day=later))):
        assert found["base"]["is_exact"] is True
        assert found["base"]["records"] >= len(records_of(played, day)) > 300
        named = [row["id"] for row in found["proposals"] if row["end"] == "confirmed"]
        assert set(named) >= {str(proposal.id) for proposal in entries_of(played, day)}


def test_a_different_journal_is_not_exact(keyturn: Keyturn, played: Path, tmp_path: Path) -> None:
    """AN-06: another seed of the exchange is another replay, and the first record that differs is named."""
    other = tmp_path / "other"
    shutil.copytree(played, other)
    text = (other / "runs.ndjson").read_text()
    (other / "runs.ndjson").write_text(text.replace('"operator":"confirm-all"', '"operator":"none"'))

    found = asked(keyturn, other)

    assert found["base"]["is_exact"] is False
    first = next(r.sequence for r in read(played) if type(r.fact).__name__ == "TicketOpened")
    assert found["base"]["first_other"] <= first


def test_a_change_differs_only_where_it_must(played: Path, answers: dict[str, Any]) -> None:
    """AN-06: the day is the same up to the change; what differs in the equity is what differs in the results."""
    day = records_of(played, DAY)
    for name, answer in answers.items():
        rows = answer["trades"]
        was, now = (Decimal(answer["equity_change"][each]) for each in ("was", "now"))
        assert abs((now - was) - sum(Decimal(row["difference"]) for row in rows)) <= Decimal("0.01") * len(rows), name
        assert answer["first_other"] is None or answer["first_other"]["record"] >= day[0].sequence, name
    staged = {record.fact.proposal.id: record.sequence for record in day if isinstance(record.fact, ProposalStaged)}
    declined = entries_of(played)[0]
    assert answers["decline"]["first_other"]["record"] > staged[declined.id]
    assert f"({str(declined.id)[:6]})" in next(r["name"] for r in answers["decline"]["trades"] if r["now"] is None)
    assert len([row for row in answers["quantity"]["trades"] if row["difference"] != "0.00"]) <= 1
    assert all(row["now"] is None for row in answers["off"]["trades"])
    assert Decimal(answers["off"]["equity_change"]["now"]) == 0
    assert answers["wide stop"]["trades"] != answers["quantity"]["trades"]


def test_a_refused_change_says_why(answers: dict[str, Any]) -> None:
    """AN-06: fail closed, and nothing of it is hidden."""
    assert answers["too many"]["refused"]
    assert all(row["was"] == row["now"] for row in answers["too many"]["trades"])


def test_an_invalid_change_is_one_line(keyturn: Keyturn, played: Path, snapshot: SnapshotAssertion) -> None:
    """AN-06"""
    changes = (
        "confirm=ffffffffff",
        "off=nobody",
        "set:exchange.cash=5",
        "set:profile=micro",
        'set:symbols=["SPY","QQQ"]',
        "set:risk.nothing=5",
        "stop=abc",
        "stop=abc:-1",
        "louder",
    )
    found = {change: keyturn("whatif", DAY, "--journal-dir", played, "--change", change) for change in changes}

    assert all(answer.code != 0 for answer in found.values())
    assert {change: answer.err for change, answer in found.items()} == snapshot


def test_a_changed_data_file_is_refused(keyturn: Keyturn, played: Path, tmp_path: Path) -> None:
    """AN-06: a day is not played again from what was not played then."""
    other = tmp_path / "other"
    shutil.copytree(played, other)
    text = (other / "runs.ndjson").read_text()
    moved = minutes_of(tmp_path / "SPY_seeded.csv")
    (other / "runs.ndjson").write_text(text.replace(str(played.parent / "SPY_seeded.csv"), str(moved)))
    moved.write_text(moved.read_text().replace("9", "8", 1))

    found = keyturn("whatif", DAY, "--journal-dir", other)

    assert (found.code, f"keyturn: {moved} is" in found.err) == (2, True)


def test_a_day_without_recorded_inputs_is_a_model(keyturn: Keyturn, played: Path, tmp_path: Path) -> None:
    """AN-06: its bars are played on the simulated exchange, its keys turn on the same proposals."""
    live = tmp_path / "live"
    shutil.copytree(played, live)
    (live / "runs.ndjson").unlink()

    found = asked(keyturn, live, "off=vwap")

    assert found["base"]["is_exact"] is False
    known = sum(1 for r in records_of(played, DAY) if getattr(r.fact, "bid", None) is not None)
    assert f"quotes: the {known} that were recorded" in " ".join(found["base"]["modelled"])
    assert found["beside"]
    assert all(row["was"] == row["now"] for row in found["beside"])
    assert any("simulated exchange's" in words for words in found["base"]["modelled"])
    (off,) = found["changes"]
    assert off["trades"]
    assert all(row["now"] is None for row in off["trades"])


def test_new_proposals_of_a_changed_day_are_listed(
    keyturn: Keyturn, played: Path, answers: dict[str, Any], snapshot: SnapshotAssertion
) -> None:
    """AN-06: who declines an entry sees that another came in its place, and that the run's operator confirmed it."""
    declined = entries_of(played)[0]

    found = keyturn("whatif", DAY, "--journal-dir", played, "--change", f"decline={declined.id}")

    assert found.out == snapshot
    came = answers["decline"]["came"]
    assert all(row["id"] != str(declined.id) for row in came)
    for row in came[:3]:
        assert row["id"][:8] in found.out


def test_an_edited_strategy_is_refused(keyturn: Keyturn, tmp_path: Path) -> None:
    """AN-06: what is played again is what was played then."""
    assert keyturn("strategies", "new", "mine").code == 0
    (path,) = (tmp_path / "home").rglob("mine.py")
    file = two_days_of(tmp_path / "SPY_seeded.csv", "SPY")
    folder = tmp_path / "journal"
    words = ("replay", file, "--strategy", "mine", "--headless", "--operator", "confirm-all", "--journal-dir", folder)
    assert keyturn(*words).code == 0
    assert asked(keyturn, folder)["base"]["is_exact"] is True
    path.write_text(path.read_text() + "\n# another\n")

    found = keyturn("whatif", DAY, "--journal-dir", folder)

    assert (found.code, f"keyturn: {path} is" in found.err) == (2, True)
