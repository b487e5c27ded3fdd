"""What the real program has loaded when it paints first: what docs/ARCHITECTURE.md lists, and nothing that is slow."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.real.terminal import ROOT, Pty

APP = Path(__file__).with_name("first_paint.py")
PAGE = ROOT / "docs" / "ARCHITECTURE.md"
ROW = re.compile(r"^\| `(keyturn[^`]*)` \| ([^|]+) \|$", re.MULTILINE)
STARTS = ("keyturn", "keyturn demo", "keyturn demo --seed 7")
SLOW = {
    "alpaca",
    "exchange_calendars",
    "httpx",
    "keyring",
    "msgpack",
    "numpy",
    "pandas",
    "requests",
    "tinydb",
    "urllib3",
    "websockets",
}
"""Each takes a tenth of a second or more, or is brought by one that does."""


@dataclass(frozen=True)
class Seen:
    packages: set[str]
    ours: set[str]
    collects: bool


def seen_at(start: str, folder: Path) -> Seen:
    """What was loaded at the first paint of `start`, in an empty home, with keys of a paper account."""
    told = folder / "told.json"
    variables = {"KEYTURN_HOME": str(folder), "APCA_API_KEY_ID": "PK" + "T" * 18, "APCA_API_SECRET_KEY": "x" * 40}
    with Pty([sys.executable, str(APP), str(told), *start.split()[1:]], variables) as desk:
        assert desk.ended() == 0, desk.what_it_shows()
        assert b"KEYTURN" in desk.raw
    found = json.loads(told.read_text())
    loaded = {name: file or "" for name, file in found["loaded"].items() if not name.startswith("_")}
    return Seen(
        {name.partition(".")[0] for name, file in loaded.items() if "site-packages" in file},
        {name for name, file in loaded.items() if file.startswith(str(ROOT)) and "site-packages" not in file},
        found["collects"],
    )


def listed() -> dict[str, set[str]]:
    """The table of the page: each start, and the packages that it loads."""
    return {start: set(packages.split(", ")) for start, packages in ROW.findall(PAGE.read_text())}


@pytest.mark.parametrize("start", STARTS)
def test_what_is_loaded_before_the_first_paint_is_what_the_page_lists(start: str, tmp_path: Path) -> None:
    """SY-07: where this fails, import later what the desk does not paint with, or list it in docs/ARCHITECTURE.md"""
    seen = seen_at(start, tmp_path)

    assert seen.packages == listed()[start]
    assert seen.packages.isdisjoint(SLOW)
    assert "core.engine" not in seen.ours
    assert seen.collects


def test_a_start_without_options_reads_no_settings_that_nobody_wrote(tmp_path: Path) -> None:
    """SY-07"""
    assert "core.settings.settings" not in seen_at("keyturn demo", tmp_path).ours
