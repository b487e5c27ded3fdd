"""One table of keys: everything that shows or binds a key comes from it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from textual.app import App
from textual.binding import Binding

from console.keymap import KEYS, PANES, KeyScope, bindings_for, footer, help_rows, keys_table
from core.model.order import CONFIRMING_KEYS, REPLACING_KEY, Effect
from widgets.grid import Grid


def test_every_key_has_a_name_of_its_own_and_one_meaning_in_its_place() -> None:
    assert max(Counter(key.id for key in KEYS).values()) == 1
    for place in KeyScope:
        used = [name for binding in bindings_for(place) for name in binding.key.split(",")]
        assert len(used) == len(set(used))


def test_every_effect_has_a_confirming_key_on_the_ticket() -> None:
    """OP-04: Enter only leaves a ticket whose time is over"""
    on_the_ticket = {name: binding.id for binding in bindings_for(KeyScope.TICKET) for name in binding.key.split(",")}

    assert set(CONFIRMING_KEYS) == set(Effect)
    assert {*CONFIRMING_KEYS.values(), REPLACING_KEY} <= on_the_ticket.keys()
    assert REPLACING_KEY not in CONFIRMING_KEYS.values()
    assert not on_the_ticket.keys() & {"space", "y"}
    assert on_the_ticket["enter"] == "ticket.leave"


def test_the_grid_binds_what_the_table_says() -> None:
    bound = {(binding.id, binding.key, binding.action) for binding in Grid.BINDINGS if isinstance(binding, Binding)}

    assert bound == {(binding.id, binding.key, binding.action) for binding in bindings_for(KeyScope.LIST)}


def test_the_footer_shows_the_kill_chord_everywhere() -> None:
    """OP-07"""
    assert footer(KeyScope.PROPOSALS) == "Enter open  x decline  n new order  ? help  Ctrl+K KILL"
    assert all("Ctrl+K KILL" in footer(place) for place in KeyScope)


@pytest.mark.parametrize("place", PANES)
def test_a_pane_has_all_its_keys_in_the_footer_of_the_smallest_terminal(place: KeyScope) -> None:
    """What every pane has makes way first; no key is cut in two"""
    own = [key for key in KEYS if key.place is place and key.is_in_footer]

    line = footer(place, room=79)

    assert len(line) <= 79
    assert line.endswith("? help  Ctrl+K KILL")
    assert all(f"{key.written} {key.in_footer or key.description}" in line for key in own)


def test_help_and_readme_name_every_key() -> None:
    assert ("orders", "d", "cancel") in help_rows(KeyScope.ORDERS)
    assert ("everywhere", "Ctrl+K or F10", "KILL") in help_rows(KeyScope.TICKET)
    assert ("everywhere", "n", "new order") not in help_rows(KeyScope.TICKET)
    positions = (
        "| positions | `c` close · `h` close half · `b` stop to break-even · `m` move stop "
        "· `v` reverse · `+` an alert on its symbol · `<` sort by the column before · `>` sort by the next column "
        "· `u` signed exits need your key again |"
    )
    assert positions in keys_table()
    assert len(keys_table().splitlines()) == 2 + len({key.place for key in KEYS})


class Desk(App[None]):
    BINDINGS: Any = bindings_for(KeyScope.EVERYWHERE)

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def action_leave(self) -> None:
        self.asked.append("leave")

    def action_kill(self) -> None:
        self.asked.append("kill")

    def action_pane(self, name: str) -> None:
        self.asked.append(name)

    def action_urgent_exit(self) -> None:
        self.asked.append("urgent exit")


async def test_the_bindings_work_and_ctrl_q_acts_as_q() -> None:
    app = Desk()
    async with app.run_test() as pilot:
        await pilot.press("q", "ctrl+q", "ctrl+k", "f10", "2", "!")

    assert app.asked == ["leave", "leave", "kill", "kill", "positions", "urgent exit"]
