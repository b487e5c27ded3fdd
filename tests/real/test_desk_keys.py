"""The keys of the real program, byte by byte: the first start, moved keys, the commands, text typed in bursts."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.demo import CTRL_K, Demo

CTRL_P, ESCAPE = b"\x10", b"\x1b"


def wants(home: Path, keys: str) -> None:
    home.mkdir(exist_ok=True)
    (home / "settings.toml").write_text(f"[keys]\n{keys}\n")


def test_the_first_start_shows_the_guide_once_and_a_moved_key_arrives(tmp_path: Path) -> None:
    """OP-07: the chord works in the commands and in a text that is typed"""
    wants(tmp_path, '"order.new" = "N"')
    with Demo(tmp_path, is_first_start=True) as desk:
        desk.until_it_shows("Welcome to Keyturn")
        desk.type(b"\r")
        desk.until(lambda: not desk.shows("Welcome to Keyturn"))
        desk.until_it_shows("ENTRIES ON")
        desk.type(b"N")
        desk.until_it_shows("New order")
        desk.type(ESCAPE)
        desk.until(lambda: not desk.shows("becomes a proposal"))

        desk.type(b"6", b"/qF!books agree")
        desk.until_it_shows("/ qF!books agree")
        desk.type(ESCAPE)
        desk.until(lambda: not desk.shows("/ qF!"))
        desk.type(CTRL_P + b"guide")
        desk.until_it_shows("> guide")
        desk.type(CTRL_K)
        desk.until_it_shows("HALTED")
        desk.type(ESCAPE)
        desk.until_it_shows("Ctrl+K, then U resumes")
        desk.type(CTRL_K)
        desk.until_armed()
        desk.type(b"U")
        desk.until_it_shows("ENTRIES ON")
    assert (tmp_path / "state" / "guide-read").is_file()


@pytest.mark.parametrize("line", ['"order.new" = "x"', '"kill" = "Ctrl+G"'])
def test_keys_that_cannot_stand_end_the_start_in_words(tmp_path: Path, line: str) -> None:
    """OP-07"""
    wants(tmp_path, line)
    with Demo(tmp_path) as desk:
        desk.until_it_shows("NO ENGINE")
        desk.until_it_shows("settings.toml: keys.")
        desk.type(b"q")
        assert desk.ended() == 1


def test_what_is_shown_of_the_log_is_written_and_the_chain_is_read(tmp_path: Path) -> None:
    """SP-01"""
    with Demo(tmp_path, speed=4) as desk:
        desk.until_it_shows("1 waiting")
        desk.type(b"\r")
        desk.until_armed()
        desk.type(b"B")
        desk.until_it_shows("broker 0.1")
        desk.type(b"3", ESCAPE + b"[H", b"w")
        desk.until_it_shows("closed at 496.21")
        desk.type(ESCAPE)
        desk.until(lambda: not desk.shows("Why ─"))
        desk.type(b"6", b"o")
        desk.until_it_shows("written to")
    (written,) = tmp_path.rglob("log-2026*.txt")
    assert "BUY 0.1 SPY 496.21 filled in" in written.read_text()
    assert written.stat().st_mode & 0o777 == 0o600
