"""Fills the table of docs/CONTROLS.md from the controls that `keyturn attest` tells and tries.

.venv/bin/python docs/controls.py          writes the page
.venv/bin/python docs/controls.py --check  exits 1 where the page is not what it would write
"""

from __future__ import annotations

import sys
from pathlib import Path

from core.risk.controls import CONTROLS, WORDS
from core.risk.trials import Control
from docs.pages import Tables, filled, table, written

PAGE = Path(__file__).resolve().with_name("CONTROLS.md")


def attest() -> str:
    """Return each check and protection, the rule that asks for it and its test."""
    return table(("control", "asked for by", "test"), map(_row, CONTROLS))


def rules() -> str:
    """What each paragraph that is cited asks for, in short."""
    return table(("paragraph", "what it asks for"), WORDS.items())


def _row(control: Control) -> tuple[str, ...]:
    return (control.name, control.rule, f"`{control.test}`")


TABLES: Tables = {"attest": attest, "rules": rules}


def page(text: str) -> str:
    """Return the page with its tables made again."""
    return filled(text, TABLES)


if __name__ == "__main__":
    sys.exit(written(PAGE, page))
