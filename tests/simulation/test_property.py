"""Whatever happens to the desk, nothing leaves it that was not signed, and its books are the exchange's own."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import pytest

from tests.simulation.machine import a_run

SEQUENCES = int(os.environ.get("SEQUENCES", "240"))
SEED = int(os.environ.get("SEED", "1"))
PARTS = 2
"""Each a test of its own, so that two workers share them."""
LEAST: Mapping[str, float] = {
    "steps": 15,
    "confirmations": 0.8,
    "refused confirmations": 0.4,
    "orders at the exchange": 0.8,
    "edits": 0.05,
    "refused edits": 0.05,
    "pauses": 0.3,
    "refused symbols": 0.05,
    "fills": 0.6,
    "closed trades": 0.2,
    "orders in doubt": 0.02,
    "changes sent": 0.1,
    "orders replaced": 0.05,
    "kills": 0.3,
    "restarts": 0.3,
    "faults of the line": 0.5,
}
"""What a sequence must reach on average: a run that reaches nothing finds nothing."""


@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(PARTS))
def test_every_day_ends_with_what_was_signed_and_nothing_else(
    part: int, record_property: Callable[[str, object], None]
) -> None:
    """OP-01, OP-02, EX-01, EX-05, EX-06, EX-08, EX-09, EX-14, EX-20, SP-03

    `SEQUENCES=2000` runs more days, `SEED=7` others; a failure prints the shortest day that shows it.
    """
    days = a_run(SEQUENCES // PARTS, SEED * PARTS + part, shrinks=True)

    for name, count in days.totals.items():
        record_property(f"reached: {name}", count)
    reached = days.totals
    assert reached["sequences"] >= SEQUENCES // PARTS, f"only {reached['sequences']} sequences"
    for name, least in LEAST.items():
        assert reached[name] >= least * reached["sequences"], f"only {reached[name]} {name}"
