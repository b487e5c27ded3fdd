"""`--html` writes a page, and writes over a page of ours alone: never over a journal, a document or a link."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from tests.scenarios.backtests import Keyturn, keyturn_at, minutes_of, only_before

COMMANDS = ("explain", "report", "measures")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two mornings. They are played once."""
    folder = tmp_path_factory.mktemp("played")
    bars = only_before("18:00", minutes_of(folder / "SPY_seeded.csv", last=date(2026, 1, 6)))
    words = ("replay", bars, "--headless", "--operator", "confirm-all", "--journal-dir", folder / "journal")
    assert keyturn_at(folder / "home")(*words).code == 0
    return folder / "journal"


@pytest.fixture
def journal(played: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(played, tmp_path / "journal"))


def test_no_page_is_written_over_what_is_none(keyturn: Keyturn, journal: Path, tmp_path: Path) -> None:
    """SP-01, AN-06: the closed day of a journal stays as it is, and so does what a link points at."""
    segment = journal / "2026-01-05.jsonl"
    other = tmp_path / "mine.html"
    other.write_text("<!doctype html>\n<html><head><title>Mine</title>")
    link = tmp_path / "link.html"
    link.symlink_to(segment)
    before = segment.read_bytes()

    asked = [*((command, segment) for command in COMMANDS), *(("explain", path) for path in (other, link, journal))]
    for command, path in asked:
        found = keyturn(command, "--journal-dir", journal, "--html", path)
        assert (found.code, found.err.count("\n")) == (2, 1), (command, path)

    assert segment.read_bytes() == before
    assert other.read_text().endswith("<title>Mine</title>")


def test_a_page_of_ours_is_written_anew(keyturn: Keyturn, journal: Path, tmp_path: Path) -> None:
    """AN-06"""
    path = tmp_path / "day.html"
    for command in COMMANDS:
        assert keyturn(command, "--journal-dir", journal, "--html", path).code == 0
        first = path.read_text()
        assert keyturn(command, "--journal-dir", journal, "--html", path).code == 0
        assert path.read_text() == first
        assert first.startswith("<!doctype html>")


def test_a_day_is_written_in_one_way(keyturn: Keyturn, journal: Path) -> None:
    """AN-06"""
    for words in (("report", "--day", "20260105"), ("explain", "20260105"), ("measures", "20260105")):
        found = keyturn(*words, "--journal-dir", journal)

        assert (found.code, found.err.count("\n") <= 2) == (2, True), words
