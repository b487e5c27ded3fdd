"""The README is true: its keys are the desk's own table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_keys_of_the_readme_are_those_of_the_desk() -> None:
    """SY-07"""
    answer = subprocess.run([sys.executable, str(ROOT / "docs" / "keys.py"), "--check"], check=False)

    assert answer.returncode == 0, "run .venv/bin/python docs/keys.py"
