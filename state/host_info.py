"""Checks of this machine for a desk: state folder, disk, kill switch and terminal. Reads only."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping

from core.runtime.doctor import Finding
from state.files import Home

LEAST_FREE = 200 * 1024 * 1024
"""Bytes: a busy year of journal."""
COLUMNS, LINES = 80, 24


def look_around(home: Home, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Check folder, disk, kill switch and terminal."""
    yield _folder(home)
    yield _room(home)
    yield _switch(environ)
    yield _terminal(environ)


def _folder(home: Home) -> Finding:
    path = home.state
    nearest = path
    while not nearest.exists():
        nearest = nearest.parent
    if not os.access(nearest, os.W_OK | os.X_OK):
        words = f"{nearest} cannot be written"
        return Finding("state folder", False, words, "give it to this user, or set KEYTURN_HOME")
    words = "is there" if path.exists() else "will be made"
    return Finding("state folder", True, f"{path} {words}", "")


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
