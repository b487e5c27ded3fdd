"""Fill the tables of docs/RISK.md from the checks and protections that the program runs.

.venv/bin/python docs/risk.py          writes the page
.venv/bin/python docs/risk.py --check  exits 1 where the page is not what it would write

What a check measures is the first paragraph of its class; what it shuts and how that ends is the next one.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from core.risk import trading_status
from core.risk.checks.losses import ProtectionCheck
from core.risk.controls import CONTROLS
from core.risk.gate import Check
from core.risk.protections.protection_registry import ProtectionBook
from core.risk.sizing import ALL, BINDING
from core.risk.standard_gate import standard_gate
from core.settings.protections import ProtectionsSettings
from docs.pages import Tables, filled, table, written

PAGE = Path(__file__).resolve().with_name("RISK.md")
BOOK = ProtectionBook(ProtectionsSettings)
SETTINGS_OF = {control.name: control.settings for control in CONTROLS}
SIZES = ("atr", "vix", "trend", "correlation", "throttle", "kelly")
"""Of `risk.sizing`, the part of each term, in the order of the terms."""


def checks() -> str:
    """The gate in its order: what each measures, what it reads, what it shuts, how that ends."""
    rows = []
    for number, check in enumerate(standard_gate().checks, 1):
        shuts, ends = deeds_of(owner_of(check))
        rows.append(
            (
                str(number),
                check.name,
                measured_by(owner_of(check)),
                " ".join(f"`{key}`" for key in SETTINGS_OF[check.name]),
                shuts,
                ends,
            )
        )
    return table(("", "check", "what it measures", "settings", "shuts", "ends"), rows)


def terms() -> str:
    """What sizes an order: each term, what it answers, and whether it binds everybody."""
    rows = []
    for scale, part in zip(ALL, SIZES, strict=True):
        sentence = _sentence(type(scale).__doc__)
        binds = "the limit too: over it an order is refused" if scale in BINDING else "the size alone: it refuses none"
        rows.append((scale.name, sentence, f"`risk.sizing.{part}`", binds))
    return table(("term", "what it does", "settings", "lowers"), rows)


def passes() -> str:
    """The table of the docstring of `core/risk/trading_status.py`."""
    text = (trading_status.__doc__ or "").replace("\\\n", "")
    return "\n".join(line for line in text.splitlines() if line.startswith("|")) + "\n"


TABLES: Tables = {
    "checks": checks,
    "passes": passes,
    "terms": terms,
}
"""What stands between the markers of the same name."""


def page(text: str) -> str:
    """The page with every table made anew."""
    return filled(text, TABLES)


# ── how ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def owner_of(check: Check) -> type:
    """The class that measures: the protection where the check only asks one."""
    return type(BOOK.by_name[check.protection]) if isinstance(check, ProtectionCheck) else type(check)


def measured_by(owner: type) -> str:
    return _sentence(owner.__doc__)


def deeds_of(owner: type) -> tuple[str, str]:
    """What it shuts and how that ends. Raises ValueError where the class does not say so."""
    texts = (owner.__doc__ or "").split("\n\n")
    own = next((text for text in texts if text.strip().startswith("Shuts ")), "")
    found = re.match(r"Shuts (.+?); ends (.+?)\.(?= [A-Z]|$)", _sentence(own))
    if found is None:
        raise ValueError(f'{owner.__name__}: a paragraph of its docstring must begin with "Shuts …; ends …."')
    return found[1], found[2]


def _sentence(doc: str | None) -> str:
    """The first paragraph, as one line."""
    return " ".join((doc or "").strip().partition("\n\n")[0].split())


if __name__ == "__main__":
    sys.exit(written(PAGE, page))
