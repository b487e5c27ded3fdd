"""Fills the tables of docs/EXECUTION.md from the registries that the program itself reads (EX-19).

.venv/bin/python docs/execution.py          writes the page
.venv/bin/python docs/execution.py --check  exits 1 where the page is not what it would write
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from core.execution.order_status import BROKER_STATUSES, ONLY_THE_BROKER, TRANSITIONS
from core.model.order import CONFIRMING_KEYS, REPLACING_KEY
from core.model.reconciliation import DONE_ABOUT, ERRORS, DifferenceKind
from core.settings.orders import ReconciliationSettings, StagingSettings
from core.settings.types import SettingsTable
from core.workflows import engine_start as start_workflow
from core.workflows import reconciliation as comparison_workflow
from docs.pages import Tables, filled, table, written

PAGE = Path(__file__).resolve().with_name("EXECUTION.md")


def transitions() -> str:
    """Which status may follow which, and who may say so."""
    rows = []
    for before, following in TRANSITIONS.items():
        ours = [after.value for after in following if after not in ONLY_THE_BROKER]
        theirs = [after.value for after in following if after in ONLY_THE_BROKER]
        rows.append((before.value, _in_order(theirs), _in_order(ours)))
    return table(("status", "on the broker's word alone, with its order id", "also by our own act"), rows)


def broker_statuses() -> str:
    """Every word of the broker, by what it is here."""
    words: dict[str, list[str]] = defaultdict(list)
    for word, status in BROKER_STATUSES.items():
        words[status.value].append(f"`{word}`")
    return table(("status", "the broker's words"), [(status, ", ".join(said)) for status, said in words.items()])


def keys() -> str:
    """The key that confirms each effect."""
    effects: dict[str, list[str]] = defaultdict(list)
    for effect, key in CONFIRMING_KEYS.items():
        effects[key].append(effect.value)
    effects[REPLACING_KEY].append("take the place of another order of yours, whatever its effect")
    return table(("key", "confirms an order that would"), [(f"`{k}`", ", ".join(e)) for k, e in effects.items()])


def staging() -> str:
    """Lives and moves between the proposal and the wire."""
    return _defaults("staging", StagingSettings)


def reconciliation() -> str:
    """The limits within which the broker is right without a person."""
    return _defaults("reconciliation", ReconciliationSettings)


def procedure() -> str:
    """The steps of a comparison: the numbered list of the workflow's own docstring."""
    steps = re.findall(r"^(\d+)\. (.+?)(?=^\d+\. |\Z)", comparison_workflow.__doc__ or "", re.DOTALL | re.MULTILINE)
    return table(("", "step"), [(number, " ".join(step.split())) for number, step in steps])


def differences() -> str:
    """Every kind of difference, and what is done about it."""
    return table(
        ("kind", "it is an error", "what is done"),
        [(f"`{kind.value}`", "yes" if kind in ERRORS else "", DONE_ABOUT[kind]) for kind in DifferenceKind],
    )


def start() -> str:
    """What a start does with each half-done step: the table of the workflow's own docstring."""
    lines = (start_workflow.__doc__ or "").splitlines()
    return "\n".join(line for line in lines if line.startswith("|")) + "\n"


TABLES: Tables = {
    "transitions": transitions,
    "broker_statuses": broker_statuses,
    "keys": keys,
    "staging": staging,
    "reconciliation": reconciliation,
    "procedure": procedure,
    "differences": differences,
    "start": start,
}
"""What stands between the markers of the same name."""


def page(text: str) -> str:
    """The page with every table made anew."""
    return filled(text, TABLES)


# ── how ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _defaults(name: str, part: type[SettingsTable]) -> str:
    return table(("setting", "default"), _settings(name, part))


def _settings(name: str, part: type[SettingsTable]) -> Iterator[tuple[str, str]]:
    """Yield each setting with its default, those of a part within it under its name."""
    for field, info in part.model_fields.items():
        if isinstance(info.default, SettingsTable):
            yield from _settings(f"{name}.{field}", type(info.default))
        else:
            yield f"`{name}.{field}`", f"{info.default}{' s' if 'seconds' in field else ''}"


def _in_order(statuses: list[str]) -> str:
    known = [status.value for status in TRANSITIONS]
    return ", ".join(sorted(statuses, key=known.index)) or "–"


if __name__ == "__main__":
    sys.exit(written(PAGE, page))
