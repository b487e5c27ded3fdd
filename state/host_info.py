"""The program's release, and the machine's disk and terminal.

In a clone git is asked. A wheel and an sdist contain a file that `setup.py` wrote at the build.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from core.files.regular_file import bytes_of
from core.io.multiplexers import answers_for_the_terminal
from core.runtime.doctor import Finding
from state.files import Home

ROOT = Path(__file__).resolve().parents[1]
WRITTEN = "state/_commit.txt"
"""Below the root; never part of a clone."""
LARGEST = 200
"""The maximum size of that file in bytes."""
TIMEOUT = 5.0
"""Time-out of git in seconds."""
OF_ANOTHER_CLONE = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"}
"""Variables that git exports to its hooks; they name the hook's repository."""


def release(version: str, root: Path = ROOT) -> str:
    """Return `0.1.0 (82a2555d)`; the version alone if the commit is unknown."""
    commit = commit_of(root)
    return f"{version} ({commit})" if commit else version


def commit_of(root: Path) -> str:
    """Return the commit of the clone in `root` by git, or the one written at the build; empty if unknown."""
    if (root / ".git").exists():
        return described(root)
    try:
        return bytes_of(root / WRITTEN, LARGEST).decode(errors="replace").strip()
    except OSError:
        return ""


def described(root: Path) -> str:
    """Return the last tag and the commits since, or the commit; with `-dirty` after changes. Empty without git."""
    asked = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=8"]
    environ = {name: value for name, value in os.environ.items() if name not in OF_ANOTHER_CLONE}
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=TIMEOUT, check=False, env=environ)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout.strip()


LEAST_FREE = 200 * 1024 * 1024
"""Bytes: a busy year of journal."""
COLUMNS, LINES = 80, 24


def look_around(home: Home, environ: Mapping[str, str], *, has_service: bool = False) -> Iterator[Finding]:
    """Check folder, disk, kill switch and terminal. `has_service`: one is installed, and its folder was there then."""
    yield _folder(home, has_service=has_service)
    yield _room(home)
    yield _switch(environ)
    yield _terminal(environ)
    yield from _multiplexer(environ)


def _folder(home: Home, *, has_service: bool) -> Finding:
    path = home.state
    if has_service and not os.path.isdir(path):
        words = f"{path} is not there yet: the service waits for it"
        return Finding("state folder", False, words, "unlock or mount its home, or install the service again")
    nearest = path
    while not nearest.exists():
        nearest = nearest.parent
    if not os.access(nearest, os.W_OK | os.X_OK):
        words = f"{nearest} cannot be written"
        return Finding("state folder", False, words, "give it to this user, or set KEYTURN_HOME")
    if not path.exists():
        return Finding("state folder", True, f"{path} will be made", "if it was there before, mount its home first")
    return Finding("state folder", True, f"{path} is there", "")


def _room(home: Home) -> Finding:
    nearest = home.state
    while not nearest.exists():
        nearest = nearest.parent
    free = shutil.disk_usage(nearest).free
    words = f"{free / 1024**3:,.1f} GiB free"
    is_enough = free >= LEAST_FREE
    return Finding("disk", is_enough, words, "" if is_enough else "free some: a full disk halts the desk")


def _switch(environ: Mapping[str, str]) -> Finding:
    if environ.get("KEYTURN_KILL"):
        return Finding("kill switch", False, "KEYTURN_KILL is set: every desk starts killed", "unset KEYTURN_KILL")
    return Finding("kill switch", True, "not set in the environment", "")


def _multiplexer(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield whether a program answers for the terminal: what it drew may not be on the person's screen yet (OP-04)."""
    name = answers_for_the_terminal(environ)
    words, remedy = "no tmux, screen or mosh answers for your terminal", ""
    if name:
        words = f"{name} answers for your terminal: the proof that a ticket is on the screen ends there"
        remedy = "on a bad line wait until the screen stands still, then confirm"
    yield Finding("proof of painting", True, words, remedy)


def _terminal(environ: Mapping[str, str]) -> Finding:
    if not sys.stdout.isatty():
        return Finding("terminal", True, "none here; the desk needs one", "")
    columns, lines = shutil.get_terminal_size()
    encoding = (sys.stdout.encoding or "").lower().replace("-", "")
    kind = f"{columns} × {lines}, {environ.get('TERM', 'no TERM')}, {encoding or 'no encoding'}"
    if columns < COLUMNS or lines < LINES:
        return Finding("terminal", False, kind, f"make it {COLUMNS} × {LINES} or larger")
    if encoding != "utf8":
        return Finding("terminal", False, kind, "set LANG to a UTF-8 locale, such as C.UTF-8")
    return Finding("terminal", True, kind, "")
