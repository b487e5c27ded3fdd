"""What belongs to a market is asked of its venue: the home venue's name and zone stand in one file (RK-20)."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("core", "console", "widgets", "state")
VENUES = "core/model/session.py"
READ_ZONES = {
    VENUES,
    "core/model/session.py",  # the type of a venue's zone
    "core/market/file_shape.py",  # the zone that an operator names for a file
    "core/market/csv_source.py",
    "core/runtime/feed.py",
    "console/commands/assembly/recordings.py",
    "core/runtime/strategy_host/child.py",  # loads the zones before a strategy's process gives up its files
}


def files_with(pattern: str) -> set[str]:
    found = re.compile(pattern, re.MULTILINE)
    paths = [ROOT / "app.py", *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))]
    return {path.relative_to(ROOT).as_posix() for path in paths if found.search(path.read_text())}


def test_one_file_names_new_york() -> None:
    """RK-20"""
    assert files_with(r"(?i:new[ _]?york)|\bNY\b") == {VENUES}


def test_only_venues_make_time_zones() -> None:
    """RK-20"""
    assert files_with(r"^ *(from zoneinfo import|import zoneinfo\b)") == READ_ZONES
