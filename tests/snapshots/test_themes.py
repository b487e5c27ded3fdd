"""Three screens in every size and theme, in 16 colours and without any, as they were found right (OP-03, OP-04)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import product

import pytest

from console.themes import PALETTES
from core.model.account import Mode
from core.settings.settings import DisplaySettings
from core.views import DeskView
from tests.snapshots.day import ENTRY, STATUS, full
from tests.snapshots.pictures import Views
from tests.snapshots.sizes import SMALL, TOO_SMALL, USUAL, WIDE
from tests.snapshots.still import Steps, Still, nothing, presses
from tests.snapshots.test_states import QUIET
from tests.snapshots.tickets import opened, opens_the_first

SCREENS: Mapping[str, tuple[DeskView, Steps]] = {
    "desk": (full(), nothing),
    "live-ticket": (full(replace(STATUS, mode=Mode.LIVE), proposals=(ENTRY,)), opens_the_first),
    "kill": (QUIET, presses("home", "ctrl+k")),
}
TERMINALS: Mapping[str, Mapping[str, str]] = {
    "truecolor": {},
    "16-colours": {"TERM": "xterm-16color", "COLORTERM": ""},
    "no-colour": {"NO_COLOR": "1"},
}
LOOKS = [*product(["keyturn"], TERMINALS), *((name, "truecolor") for name in PALETTES if name != "keyturn")]
"""One theme shows what there is in 16 colours and without any; `desk/test_themes.py` measures the others."""


@pytest.mark.parametrize(("name", "terminal"), LOOKS)
async def test_a_screen_in_other_colours(
    name: str, terminal: str, monkeypatch: pytest.MonkeyPatch, pictures: Views
) -> None:
    """DESK"""
    for variable, value in TERMINALS[terminal].items():
        monkeypatch.setenv(variable, value)
    display = DisplaySettings.model_validate({"theme": name})
    async with pictures.desk(SCREENS["desk"][0], USUAL, answer=opened, display=display) as still:
        await takes_each(pictures, still, SCREENS if name == "keyturn" else ["desk"])
    assert not pictures.differ


async def test_a_screen_with_much_room(pictures: Views) -> None:
    async with pictures.desk(full(), WIDE, answer=opened) as still:
        await takes_each(pictures, still, SCREENS)
    assert not pictures.differ


async def takes_each(pictures: Views, still: Still, screens: Iterable[str]) -> None:
    for screen in screens:
        view, steps = SCREENS[screen]
        await still.shows_next(view)
        await steps(still)
        await pictures.take(still, screen)
        await still.press(*["escape"] * (len(still.desk.screen_stack) - 1))


async def test_a_terminal_that_became_too_small_says_what_it_needs(pictures: Views) -> None:
    async with pictures.desk(full(), SMALL, answer=opened) as still:
        for screen, (view, steps) in SCREENS.items():
            await still.shows_next(view)
            await steps(still)
            await still.resize(TOO_SMALL)
            await pictures.take(still, screen)
            await still.resize(SMALL)
            await still.press(*["escape"] * (len(still.desk.screen_stack) - 1))
    assert not pictures.differ
