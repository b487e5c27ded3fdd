"""Fills the table of docs/CONTROLS.md from the controls that `keyturn attest` tells and tries.

.venv/bin/python docs/controls.py          writes the page
.venv/bin/python docs/controls.py --check  exits 1 where the page is not what it would write
"""

from __future__ import annotations

import sys
from pathlib import Path

from core.risk.controls import CONTROLS, WORDS, Control
from core.runtime.attest.run import order_in_words
from docs.pages import BLOCK, Tables, filled, table, written

PAGE = Path(__file__).resolve().with_name("CONTROLS.md")


def attest() -> str:
    """Each check and protection: what asks for it, its settings, how a run tries it, its test."""
    return table(("control", "asked for by", "settings", "how a run tries it", "test"), map(_row, CONTROLS))


def rules() -> str:
    """What each paragraph that is cited asks for, in short."""
    return table(("paragraph", "what it asks for"), WORDS.items())


def _row(control: Control) -> tuple[str, ...]:
    settings = ", ".join(f"`{key}`" for key in control.settings)
    trial = control.trial
    tried = f"not: {trial}" if isinstance(trial, str) else order_in_words(trial)
    return (control.name, control.rule, settings or "none", tried, f"`{control.test}`")


TABLES: Tables = {"attest": attest, "rules": rules}


def page(text: str) -> str:
    """The page with these tables made anew; another one stands as it was written."""
    others = {found[2]: found[0] for found in BLOCK.finditer(text) if found[2] not in TABLES}
    made = filled(text, {**TABLES, **dict.fromkeys(others, str)})
    return BLOCK.sub(lambda block: others.get(block[2], block[0]), made)


if __name__ == "__main__":
    sys.exit(written(PAGE, page))
