"""What the real program has loaded when it paints first, or answers to a shell: nothing that is slow.

docs/ARCHITECTURE.md lists the packages of each start.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.real.demo import PROGRAM
from tests.real.terminal import ROOT, Pty
from tests.real.waiting import LIMIT

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
ATTACHED = """
import sys
import console.client.remote, console.client.access, console.commands.assembly.attach, console.run
import console.client.conversation
import state.desk_files, state.engine_socket
print(*sys.modules)
"""
COMPLETION = {"_KEYTURN_COMPLETE": "complete_bash", "COMP_WORDS": "keyturn st", "COMP_CWORD": "1"}


@dataclass(frozen=True)
class Loaded:
    packages: set[str]
    ours: set[str]
    collects: bool


def loaded_at(start: str, folder: Path) -> Loaded:
    """At the first paint of `start`, in an empty home, with keys of a paper account."""
    told = folder / "told.json"
    variables = {"KEYTURN_HOME": str(folder), "APCA_API_KEY_ID": "PK" + "T" * 18, "APCA_API_SECRET_KEY": "x" * 40}
    variables["KEYTURN_PROFILE"] = "micro"  # else the first start asks for one
    with Pty([sys.executable, str(APP), str(told), *start.split()[1:]], variables) as desk:
        assert desk.ended() == 0, desk.what_it_shows()
        assert b"KEYTURN" in desk.raw
    found = json.loads(told.read_text())
    loaded = {name: file or "" for name, file in found["loaded"].items() if not name.startswith("_")}
    return Loaded(
        {name.partition(".")[0] for name, file in loaded.items() if "site-packages" in file},
        {name for name, file in loaded.items() if file.startswith(str(ROOT)) and "site-packages" not in file},
        found["collects"],
    )


def test_the_first_paint_loads_what_the_page_lists(tmp_path: Path) -> None:
    """SY-07: where this fails, import later what the desk does not paint with, or list it in docs/ARCHITECTURE.md"""
    listed = {start: set(packages.split(", ")) for start, packages in ROW.findall(PAGE.read_text())}
    for start in STARTS:
        loaded = loaded_at(start, tmp_path)
        assert loaded.packages == listed[start], start
        assert loaded.packages.isdisjoint(SLOW), start
        assert "core.engine" not in loaded.ours, start
        assert loaded.collects, start
        if start == "keyturn demo":
            assert "core.settings.settings" not in loaded.ours, "there are none to read"


def test_a_desk_and_a_shell_load_no_engine(tmp_path: Path) -> None:
    """SY-01, SY-07: a desk that attaches, and a press of Tab"""
    ran = subprocess.run([sys.executable, "-c", ATTACHED], cwd=ROOT, capture_output=True, text=True, check=True)
    attached = ran.stdout.split()
    environ = {**os.environ, **COMPLETION, "KEYTURN_HOME": str(tmp_path), "PYTHONPROFILEIMPORTTIME": "1"}
    asked = subprocess.run([PROGRAM], env=environ, capture_output=True, text=True, check=False, timeout=LIMIT)
    completing = {line.rpartition("|")[2].strip().partition(".")[0] for line in asked.stderr.splitlines()}

    assert {name.partition(".")[0] for name in attached}.isdisjoint(SLOW | {"pydantic"})
    assert "console.client.remote" in attached
    engine = ("core.engine", "core.runtime", "core.brokers", "core.workflows")
    assert not [name for name in attached if name.startswith(engine)]
    assert "typer" in completing
    assert completing.isdisjoint({"exchange_calendars", "pandas", "textual"})
