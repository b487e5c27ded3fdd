"""The version of this Keyturn and its commit; only `--version` reads them.

In a clone git is asked. A wheel and an sdist contain a file that `setup.py` wrote at the build.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from core.files.regular_file import bytes_of

ROOT = Path(__file__).resolve().parents[1]
WRITTEN = "state/_commit.txt"
"""Below the root; never part of a clone."""
LARGEST = 200
"""The maximum size of that file in bytes."""
PATIENCE = 5.0
"""Time-out of git in seconds."""


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
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout.strip()
