"""A home of a released format, opened by programs of later ones: what was renamed, tightened, deleted or broken since
refuses no start, and the desk holds what it held.

Each later program is this one, copied and changed as its author would change it, and run in a process of its own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.facts import EngineStopped
from core.facts.registry import BY_TYPE
from core.settings.history import VERSION
from state.files import Home
from tests.journals.homes import OF_THE_START, kept, stated, told, unpacked

pytestmark = pytest.mark.timeout(600)
ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ("app.py", "core", "console", "state", "widgets", "tests/journals")
ENTRIES = "risk.entries_a_day"


@pytest.fixture(params=kept())
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def home(name: str, tmp_path: Path) -> Home:
    return unpacked(name, tmp_path)


class Release:
    """The program, to be changed: a copy of its text, and of what was compiled of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in PROGRAM:
            ignored = shutil.ignore_patterns("kept", "test_*")
            copy = folder / part
            copy.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, copy, ignore=ignored)
            else:
                shutil.copy(ROOT / part, copy)

    def renames(self, old: str, new: str) -> None:
        """A name, wherever it stands in the program."""
        for path in self.folder.rglob("*.py"):
            text = path.read_text()
            if old in text:
                path.write_text(re.sub(rf"\b{old}\b", new, text))

    def changes(self, path: str, old: str, new: str) -> None:
        """A text that stands once in a file."""
        text = (self.folder / path).read_text()
        assert text.count(old) == 1, (path, old, text.count(old))
        (self.folder / path).write_text(text.replace(old, new))

    def appends(self, path: str, line: str) -> None:
        with (self.folder / path).open("a") as file:
            file.write(f"\n\n{line}\n")

    def decorates(self, made: str, terms: str) -> None:
        """More terms in the decorator over a fact's class."""
        for path in (self.folder / "core" / "facts").glob("*.py"):
            pattern = rf"@fact\((.*)\)\n(@dataclass\(frozen=True, slots=True\)\nclass {made}\(Fact\):)"
            text, times = re.subn(pattern, rf"@fact(\1, {terms})\n\2", path.read_text())
            if times:
                path.write_text(text.replace("@fact(, ", "@fact("))
                return
        raise AssertionError(f"no {made} is a fact")

    def opens(self, home: Home) -> Opened:
        environ = {key: value for key, value in os.environ.items() if not key.startswith(("KEYTURN_", "COV"))}
        done = subprocess.run(
            [sys.executable, "-m", "tests.journals.opened", str(home.settings.parent)],
            cwd=self.folder,
            env={**environ, "PYTHONPATH": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        found = json.loads(done.stdout)
        return Opened(**{**found, "notes": told(found["notes"])})


@dataclass(frozen=True)
class Opened:
    held: dict[str, Any]
    notes: list[str]
    applied: list[str]
    word: str

    def holds_what_it_held(self, name: str, *, but: frozenset[str] = frozenset()) -> bool:
        """The same positions, working orders, trades, locks and counts, and it is open for trading."""
        then = {key: value for key, value in stated(name)[-1].items() if key not in OF_THE_START | {"facts", *but}}
        assert {key: self.held[key] for key in then} == then
        return self.word == "on"


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return Release(tmp_path / "release")


def edit(home: Home, change: Callable[[str], str]) -> None:
    """The operator edits the settings file, which a later release judges by its own rules."""
    before = home.settings.read_text()
    assert change(before) != before
    home.settings.write_text(change(before))


VERSION_LINE = f"\nVERSION = {VERSION}\n"
TIGHTER = "entries_a_day: MoreIsLooser[Annotated[int, Field(ge=0, le=15)]]"
BOUND = "entries_a_day: MoreIsLooser[Annotated[int, Field(ge=0, le=MOST_ENTRIES)]]"
STOPPED = '"""A clean stop."""\n\n    reason: str\n'
TOLD = 'return f"engine stopped: {fact.reason}"'


def renames_entries(release: Release, home: Home) -> None:
    release.renames("entries_a_day", "daily_entries")
    edit(home, lambda text: text.replace("entries_a_day", "daily_entries"))


def test_renames_with_their_history_change_nothing(name: str, home: Home, release: Release) -> None:
    """SP-07, ST-01: a settings key, two facts and a fact's field; and a strategy's file was deleted"""
    renames_entries(release, home)
    history = "core/settings/history.py"
    release.changes(history, VERSION_LINE, f"\nVERSION = {VERSION + 1}\n")
    release.appends(history, f'EARLIER[{VERSION}] = renamed("{ENTRIES}", "risk.daily_entries")')
    release.renames("OrderFilled", "FillBooked")
    release.decorates("FillBooked", 'name="OrderFilled"')
    release.renames("TradeClosed", "TradeEnded")
    release.decorates("TradeEnded", 'aliases=("TradeClosed",)')
    version = BY_TYPE[EngineStopped].version
    upgrade = '{"why": data["reason"]}'
    release.decorates("EngineStopped", f"version={version + 1}, upgrades={{{version}: lambda data: {upgrade}}}")
    release.changes("core/facts/engine.py", STOPPED, STOPPED.replace("reason", "why"))
    release.changes("core/event_text/desk.py", TOLD, TOLD.replace("fact.reason", "fact.why"))
    (home.settings.parent / "strategies" / "dips.py").unlink()

    opened = release.opens(home)

    assert opened.holds_what_it_held(name)
    assert opened.notes == []
    assert opened.applied == [opened.applied[0]] * len(opened.applied), "as they were: nothing is odd in any of them"


def test_a_settings_key_that_is_gone_is_named(name: str, home: Home, release: Release, snapshot: Any) -> None:
    """SP-07, ST-01: the desk opens all the same, on the limit that nobody loosened; a strategy's file is broken"""
    renames_entries(release, home)
    (home.settings.parent / "strategies" / "dips.py").write_text("class Dips(\n")

    opened = release.opens(home)

    assert opened.holds_what_it_held(name, but=frozenset({"entries a day"}))
    assert [opened.notes, opened.applied[0], opened.applied[-1]] == snapshot


def test_a_tightened_bound_leaves_history_as_it_was(name: str, home: Home, release: Release, snapshot: Any) -> None:
    """SP-07, OP-10: twenty entries a day were allowed, now fifteen are the most; the settings file is no history"""
    release.changes("core/settings/risk.py", BOUND, TIGHTER)
    with pytest.raises(AssertionError, match=r"entries_a_day = 20: must be less than or equal to 15"):
        release.opens(home)
    edit(home, lambda text: text.replace("entries_a_day = 20", "entries_a_day = 15"))

    opened = release.opens(home)

    assert opened.holds_what_it_held(name, but=frozenset({"entries a day"}))
    assert opened.held["entries a day"] == 15
    assert opened.notes == snapshot
    assert release.opens(home).notes == [], "it is said once: what the file says was applied"
