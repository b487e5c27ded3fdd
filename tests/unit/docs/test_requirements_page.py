"""The page of requirements is true: every identifier on it has a test, and the column of tests is the one that is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_lists_the_tests_that_there_are() -> None:
    """SY-07"""
    answer = subprocess.run([sys.executable, str(ROOT / "docs" / "requirements.py"), "--check"], check=False)

    assert answer.returncode == 0, "run .venv/bin/python docs/requirements.py"


def test_no_delivered_requirement_is_without_a_test() -> None:
    """SY-07"""
    assert "**none**" not in (ROOT / "docs" / "REQUIREMENTS.md").read_text()
