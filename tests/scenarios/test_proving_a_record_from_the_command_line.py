"""A record is signed, exported and checked, as its owner and a stranger do it (SP-08)."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.scenarios.backtests import Keyturn

VERIFIER = Path(__file__).parents[2] / "docs" / "verify_record.py"
KEY = "01" * 32


@pytest.fixture
def journal(keyturn: Keyturn, bars: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A replayed day of years ago."""
    monkeypatch.setenv("KEYTURN_RECORD_KEY", KEY)
    folder = tmp_path / "journal"
    assert (
        keyturn("replay", bars, "--headless", "--operator", "confirm-all", "--json", "--journal-dir", folder).code == 0
    )
    return folder


def checked(export: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", str(VERIFIER), str(export), *words], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout


def test_a_day_is_signed_exported_and_checked(keyturn: Keyturn, journal: Path, tmp_path: Path) -> None:
    """SP-08"""
    public = keyturn("journal", "key").out.strip()
    signed = json.loads(keyturn("journal", "sign", "--journal-dir", journal, "--json").out)
    assert [day["number"] for day in signed] == list(range(1, len(signed) + 1))
    head = tmp_path / "head.json"
    head.write_text(keyturn("journal", "head", "--journal-dir", journal).out)
    export = tmp_path / "day.jsonl"
    done = keyturn(
        "journal",
        "export",
        "--day",
        signed[-1]["day"],
        "--journal-dir",
        journal,
        "--redact",
        "amounts",
        "--out",
        export,
    )
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


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "name one of the two"),
        (("--day", "yesterday"), "is no day"),
        (("--range", "2026-11-20..2026-11-01"), "ends before it begins"),
        (("--day", "1999-01-04"), "no day from 1999-01-04 to 1999-01-04 is signed"),
        (("--day", "1999-01-04", "--redact", "names"), "it is amounts or symbols"),
    ],
)
def test_what_cannot_be_exported_is_said_in_one_line(
    keyturn: Keyturn, journal: Path, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    out = tmp_path / "none.jsonl"
    done = keyturn("journal", "export", *words, "--journal-dir", journal, "--out", out)
    assert done.code != 0
    assert told in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert not out.exists()


def test_a_file_that_is_there_is_not_written_over(keyturn: Keyturn, journal: Path, tmp_path: Path) -> None:
    day = json.loads(keyturn("journal", "sign", "--journal-dir", journal, "--json").out)[0]["day"]
    out = tmp_path / "mine.txt"
    out.write_text("mine")
    done = keyturn("journal", "export", "--day", day, "--journal-dir", journal, "--out", out)
    assert "is there already" in done.err
    assert out.read_text() == "mine"


def test_without_a_key_it_says_how_to_make_one(
    keyturn: Keyturn, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KEYTURN_RECORD_KEY")
    done = keyturn("journal", "sign", "--journal-dir", journal)
    assert done.code != 0
    assert "keyturn journal key --new" in done.err
    assert not (journal / "heads.jsonl").exists()
