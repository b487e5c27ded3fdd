"""Which Keyturn this is: its version, and the commit that it was made of. Looked up by `--version` alone.

A clone asks git. A wheel and an sdist hold a file that `setup.py` wrote when they were built.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from core.files.regular_file import bytes_of

ROOT = Path(__file__).resolve().parents[1]
WRITTEN = "state/_commit.txt"
"""Below the root; what a clone is built of never stands in it."""
LARGEST = 200
"""Bytes of that file."""
PATIENCE = 5.0
"""Seconds that git may take."""


def release(version: str, root: Path = ROOT) -> str:
    """`0.1.0 (82a2555d)`; the version alone where nothing says the commit."""
    commit = commit_of(root)
    return f"{version} ({commit})" if commit else version


def commit_of(root: Path) -> str:
    """What git says of the clone in `root`, or what was written when it was built; empty where neither says it."""
    if (root / ".git").exists():
        return described(root)
    try:
        return bytes_of(root / WRITTEN, LARGEST).decode(errors="replace").strip()
    except OSError:
        return ""


def described(root: Path) -> str:
    """The last tag and the commits since, or the commit; `-dirty` where files differ from it. Empty without git."""
    asked = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=8"]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout.strip()
