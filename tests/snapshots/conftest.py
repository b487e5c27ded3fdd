"""Pictures are kept beside their test, one SVG each; `make snapshots` takes them anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.snapshots.still import Shown, Steps, Still, a_still_desk, nothing

Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def _a_terminal_of_all_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the terminal is that the tests run in."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def looks_as_before(snap_compare: Compare) -> Compare:
    """Whether a still desk looks as it was kept, after these steps; `terms` are those of `a_still_desk`."""

    def compare(view: Shown, size: tuple[int, int], steps: Steps = nothing, **terms: Any) -> bool:
        async def before(pilot: Pilot[Any]) -> None:
            still = Still(pilot)
            await still.settle()
            await steps(still)

        return snap_compare(a_still_desk(view, **terms), terminal_size=size, run_before=before)

    return compare
