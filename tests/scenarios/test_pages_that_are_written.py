"""`--html` writes a page, and writes over a page of ours alone: never over a journal, a document or a link."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenarios.backtests import Keyturn

COMMANDS = (("explain",), ("report",), ("measures",))


@pytest.fixture
def journal(keyturn: Keyturn, minutes: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "journal"
    assert keyturn("replay", minutes, "--headless", "--operator", "confirm-all", "--journal-dir", folder).code == 0
    return folder


def test_no_page_is_written_over_what_is_none(keyturn: Keyturn, journal: Path, tmp_path: Path) -> None:
    """SP-01, AN-06: the closed day of a journal stays as it is, and so does what a link points at."""
    segment = journal / "2026-01-05.jsonl"
    other = tmp_path / "mine.html"
    other.write_text("<!doctype html>\n<html><head><title>Mine</title>")
    link = tmp_path / "link.html"
    link.symlink_to(segment)
    before = segment.read_bytes()

    for command in COMMANDS:
        for path in (segment, other, link, journal):
            found = keyturn(*command, "--journal-dir", journal, "--html", path)
            assert found.code != 0
            assert "name a new file" in found.err
            assert found.err.count("\n") == 1

    assert segment.read_bytes() == before
    assert other.read_text().endswith("<title>Mine</title>")


def test_a_page_of_ours_is_written_anew(keyturn: Keyturn, journal: Path, tmp_path: Path) -> None:
    """AN-06"""
    path = tmp_path / "day.html"
    for command in COMMANDS:
        assert keyturn(*command, "--journal-dir", journal, "--html", path).code == 0
        first = path.read_text()
        assert keyturn(*command, "--journal-dir", journal, "--html", path).code == 0
        assert path.read_text() == first
        assert first.startswith("<!doctype html>")


@pytest.mark.parametrize("words", [("report", "--day", "20260105"), ("explain", "20260105"), ("measures", "20260105")])
def test_a_day_is_written_in_one_way(keyturn: Keyturn, journal: Path, words: tuple[str, ...]) -> None:
    """AN-06"""
    found = keyturn(*words, "--journal-dir", journal)

    assert found.code != 0
    assert found.err.count("\n") <= 2
