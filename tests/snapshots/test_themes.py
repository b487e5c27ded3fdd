"""The main screens in every theme, in 16 colours and without any, as they were looked at and found right (DESK)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from console.desk import Desk
from console.theme import PALETTES
from core.model.account import Mode
from core.model.codes import DeskState
from core.settings import DisplaySettings
from core.views import KillView
from tests.snapshots.day import BARE, ENTRY, STATUS, STOP, ago, full
from tests.snapshots.still import still_desk
from tests.snapshots.test_dialogs import opened

Compare = Callable[[Desk], None]
SIZE = (120, 40)
TERMINALS: dict[str, dict[str, str]] = {
    "truecolor": {"TERM": "xterm-256color", "COLORTERM": "truecolor"},
    "16-colours": {"TERM": "xterm-16color", "COLORTERM": ""},
    "no-colour": {"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"},
}
KILLED = replace(
    STATUS, word=DeskState.KILLED, killed_by="key", killed_at=ago(60), entries_refused="killed by key; type REARM"
)


@pytest.mark.parametrize("screen", ["desk", "ticket", "killed", "live"])
@pytest.mark.parametrize("terminal", TERMINALS)
@pytest.mark.parametrize("name", PALETTES)
async def test_a_main_screen(
    name: str, terminal: str, screen: str, monkeypatch: pytest.MonkeyPatch, looks_as_before: Compare
) -> None:
    for variable, value in TERMINALS[terminal].items():
        monkeypatch.setenv(variable, value)
    views = {
        "desk": full(),
        "ticket": full(proposals=(ENTRY,)),
        "killed": full(KILLED, kill=KillView((), (STOP,), (BARE,))),
        "live": full(replace(STATUS, mode=Mode.LIVE)),
    }
    display = DisplaySettings.model_validate({"theme": name})
    async with still_desk(views[screen], SIZE, opened, display) as still:
        if screen == "ticket":
            await still.press("1", "enter")
            await still.after(0.5)
        if screen == "killed":
            await still.press("ctrl+k")
        looks_as_before(still.desk)
