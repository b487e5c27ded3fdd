"""Three screens in every size and theme, in 16 colours and without any, as they were found right (OP-03, OP-04)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

import pytest

from console.theme import PALETTES
from core.model.account import Mode
from core.settings.settings import DisplaySettings
from core.views import DeskView
from tests.snapshots.conftest import Compare
from tests.snapshots.day import ENTRY, STATUS, full
from tests.snapshots.sizes import SMALL, TOO_SMALL, USUAL, WIDE
from tests.snapshots.still import Steps, Still, nothing, presses
from tests.snapshots.test_states import QUIET
from tests.snapshots.tickets import opened, opens_the_first

SCREENS: Mapping[str, tuple[DeskView, Steps]] = {
    "desk": (full(), nothing),
    "live-ticket": (full(replace(STATUS, mode=Mode.LIVE), proposals=(ENTRY,)), opens_the_first),
    "kill": (QUIET, presses("ctrl+k")),
}
TERMINALS: Mapping[str, Mapping[str, str]] = {
    "truecolor": {},
    "16-colours": {"TERM": "xterm-16color", "COLORTERM": ""},
    "no-colour": {"NO_COLOR": "1"},
}
LOOKS = [look for look in product(PALETTES, TERMINALS) if look != ("colour-blind", "16-colours")]
"""In 16 colours, `colour-blind` is `keyturn`."""
on_each_screen = pytest.mark.parametrize("screen", SCREENS)


@on_each_screen
@pytest.mark.parametrize(("name", "terminal"), LOOKS)
def test_a_screen_in_other_colours(
    name: str, terminal: str, screen: str, monkeypatch: pytest.MonkeyPatch, looks_as_before: Compare
) -> None:
    """DESK"""
    for variable, value in TERMINALS[terminal].items():
        monkeypatch.setenv(variable, value)
    view, steps = SCREENS[screen]
    display = DisplaySettings.model_validate({"theme": name})
    assert looks_as_before(view, USUAL, steps, answer=opened, display=display)


@on_each_screen
def test_a_screen_with_much_room(screen: str, looks_as_before: Compare) -> None:
    view, steps = SCREENS[screen]
    assert looks_as_before(view, WIDE, steps, answer=opened)


@on_each_screen
def test_a_terminal_that_became_too_small_says_what_it_needs(screen: str, looks_as_before: Compare) -> None:
    view, steps = SCREENS[screen]

    async def shrinks(still: Still) -> None:
        await steps(still)
        await still.pilot.resize_terminal(*TOO_SMALL)
        await still.settle()

    assert looks_as_before(view, SMALL, shrinks, answer=opened)
