"""A record is signed, exported and checked, as its owner and a stranger do it (SP-08)."""

from __future__ import annotations

import io
import json
import runpy
import shutil
from contextlib import redirect_stdout
from datetime import date
from pathlib import Path
from unittest.mock import patch

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.scenarios.backtests import Keyturn, keyturn_at, minutes_of, only_before

VERIFIER = Path(__file__).parents[2] / "docs" / "verify_record.py"
KEY = "01" * 32


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two replayed mornings of years ago. They are played once."""
    folder = tmp_path_factory.mktemp("played")
    bars = only_before("18:00", minutes_of(folder / "SPY_seeded.csv", last=date(2026, 1, 6)))
    words = ("replay", bars, "--headless", "--operator", "confirm-all", "--journal-dir", folder / "journal")
    assert keyturn_at(folder / "home")(*words).code == 0
    return folder / "journal"


@pytest.fixture
def journal(played: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KEYTURN_RECORD_KEY", KEY)
    return Path(shutil.copytree(played, tmp_path / "journal"))


def checked(export: Path, *words: str) -> tuple[int, str]:
    """What the page's own program says of it, which imports nothing of the desk."""
    printed = io.StringIO()
    argv = patch("sys.argv", [str(VERIFIER), str(export), *words])
    with argv, redirect_stdout(printed), pytest.raises(SystemExit) as ended:
        runpy.run_path(str(VERIFIER), run_name="__main__")
    return int(ended.value.code or 0), printed.getvalue()


def test_a_day_is_signed_exported_and_checked(keyturn: Keyturn, journal: Path, tmp_path: Path) -> None:
    """SP-08"""
    public = keyturn("journal", "key").out.strip()
    signed = json.loads(keyturn("journal", "sign", "--journal-dir", journal, "--json").out)
    assert [day["number"] for day in signed] == list(range(1, len(signed) + 1))
    head = tmp_path / "head.json"
    head.write_text(keyturn("journal", "head", "--journal-dir", journal).out)
    export = tmp_path / "day.jsonl"
    words = ("--day", signed[-1]["day"], "--journal-dir", journal, "--redact", "amounts", "--out", export)
    done = keyturn("journal", "export", *words)
    assert done.code == 0, done.err
    code, said = checked(export, "--key", public, "--head", str(head))
    assert code == 0
    assert said.startswith("complete")
    assert "amounts kept back" in said
    assert checked(export, "--key", "02" * 32)[0] != 0


def test_an_order_is_shown_alone(keyturn: Keyturn, journal: Path, tmp_path: Path) -> None:
    lines = [json.loads(line) for path in sorted(journal.glob("2*.jsonl")) for line in path.read_text().splitlines()]
    order = next(line["data"]["order"]["client_order_id"] for line in lines if line["fact"] == "OrderCreated")
    day = json.loads(keyturn("journal", "sign", "--journal-dir", journal, "--json").out)[0]["day"]
    export = tmp_path / "order.jsonl"
    keyturn("journal", "export", "--day", day, "--order", order, "--journal-dir", journal, "--out", export)
    code, said = checked(export, "--key", keyturn("journal", "key").out.strip(), "--show")
    assert code == 0
    assert "excerpt: " in said
    assert order in said
    assert "BarClosed" in said


def test_bad_exports_are_refused_in_one_line(
    keyturn: Keyturn, journal: Path, tmp_path: Path, snapshot: SnapshotAssertion
) -> None:
    """SP-08"""
    out = tmp_path / "none.jsonl"
    asked = (
        (),
        ("--day", "yesterday"),
        ("--range", "2026-11-20..2026-11-01"),
        ("--day", "1999-01-04"),
        ("--day", "1999-01-04", "--redact", "names"),
    )
    found = [keyturn("journal", "export", *words, "--journal-dir", journal, "--out", out) for words in asked]

    assert [answer.code for answer in found] == [2] * 5
    assert [answer.err.replace(str(journal), "JOURNAL").splitlines() for answer in found] == snapshot
    assert not out.exists()


def test_an_export_overwrites_no_file(keyturn: Keyturn, journal: Path, tmp_path: Path) -> None:
    day = json.loads(keyturn("journal", "sign", "--journal-dir", journal, "--json").out)[0]["day"]
    out = tmp_path / "mine.txt"
    out.write_text("mine")
    done = keyturn("journal", "export", "--day", day, "--journal-dir", journal, "--out", out)
    assert "is there already" in done.err
    assert out.read_text() == "mine"


def test_without_a_key_it_says_how_to_make_one(
    keyturn: Keyturn, journal: Path, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    monkeypatch.delenv("KEYTURN_RECORD_KEY")
    done = keyturn("journal", "sign", "--journal-dir", journal)
    assert (done.code, done.err) == (2, snapshot)
    assert not (journal / "heads.jsonl").exists()
