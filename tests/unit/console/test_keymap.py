"""One table of keys: everything that shows or binds a key comes from it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from syrupy.assertion import SnapshotAssertion
from textual.app import App
from textual.binding import Binding

from console.keymap import KEYS, PANES, KeyScope, bindings_for, footer, help_rows, keys_table
from core.model.order import CONFIRMING_KEYS, REPLACING_KEY, Effect
from widgets.grid import Grid


def test_every_key_has_one_name_and_one_meaning() -> None:
    assert max(Counter(key.id for key in KEYS).values()) == 1
    for place in KeyScope:
        used = [name for binding in bindings_for(place) for name in binding.key.split(",")]
        assert len(used) == len(set(used))


def test_every_effect_has_a_confirming_key() -> None:
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


def test_the_footer_shows_the_kill_chord_everywhere(snapshot: SnapshotAssertion) -> None:
    """OP-07"""
    assert footer(KeyScope.PROPOSALS) == snapshot
    assert all("Ctrl+K KILL" in footer(place) for place in KeyScope)


def test_the_smallest_footer_holds_all_keys_of_a_pane() -> None:
    """What every pane has makes way first; no key is cut in two"""
    for place in PANES:
        own = [key for key in KEYS if key.place is place and key.is_in_footer]
        line = footer(place, room=79)
        assert len(line) <= 79, place
        assert line.endswith("? help  Ctrl+K KILL"), place
        assert all(f"{key.written} {key.in_footer or key.description}" in line for key in own), place


def test_help_and_readme_name_every_key(snapshot: SnapshotAssertion) -> None:
    assert ("orders", "d", "cancel") in help_rows(KeyScope.ORDERS)
    assert ("everywhere", "Ctrl+K or F10", "KILL") in help_rows(KeyScope.TICKET)
    assert ("everywhere", "n", "new order") not in help_rows(KeyScope.TICKET)
    assert next(line for line in keys_table().splitlines() if line.startswith("| positions")) == snapshot
    assert len(keys_table().splitlines()) == 4 + len({key.place for key in KEYS})  # also the panes, and the commands
    assert all(key.description in keys_table() for key in KEYS)


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
