"""Ctrl+P: every command by its name, and never a confirmation (OP-04)."""

from __future__ import annotations

from console.keymap import KEYS, KeyScope
from console.screens.commands import CommandsScreen, commands_at
from console.screens.edit import DeclineScreen
from console.screens.first_start import GuideScreen
from console.screens.kill import KillScreen
from console.screens.new_order import NewOrderScreen
from console.screens.ticket import TicketScreen
from core.facts import Halted, ProposalEnded
from tests.desk.desk_house import House, open_desk


async def opens_commands(house: House, key: str = "ctrl+p") -> CommandsScreen:
    await house.until(lambda: len(house.desk.screen_stack) == 1)
    await house.press(key)
    await house.until(lambda: isinstance(house.desk.screen, CommandsScreen))
    screen = house.desk.screen
    assert isinstance(screen, CommandsScreen)
    return screen


def test_no_command_confirms_an_order() -> None:
    """OP-04"""
    confirming = {
        key.id for key in KEYS if key.action.startswith("confirm(") or key.place in (KeyScope.TICKET, KeyScope.KILL)
    }
    for place in (
        KeyScope.PROPOSALS,
        KeyScope.POSITIONS,
        KeyScope.ORDERS,
        KeyScope.STRATEGIES,
        KeyScope.LOG,
        KeyScope.EVERYWHERE,
    ):
        listed = {key.id for key in commands_at(place)}
        assert {"order.new", "flatten", "help", "guide", "leave", "kill", "pane.orders", "exit.urgent"} <= listed
        assert not listed & confirming
    assert {"order.cancel", "order.why", "grid.open"} <= {key.id for key in commands_at(KeyScope.ORDERS)}


async def test_a_command_is_found_by_words() -> None:
    """OP-04, OP-07, DESK keys: what is typed ahead is text, no letter reaches a pane; the chord works inside"""
    async with open_desk((80, 24)) as house:
        await house.press("ctrl+p", "x", "F", "q", "n")
        await house.until(lambda: house.shows("> xFqn", "No command has this in its words."))
        await house.press("enter")
        assert isinstance(house.desk.screen, CommandsScreen)
        await house.press("escape")

        await opens_commands(house, "colon")
        await house.press(*"order new")
        await house.until(lambda: house.shows("> order new"))
        await house.press("enter")
        await house.until(lambda: isinstance(house.desk.screen, NewOrderScreen))
        await house.press("escape")

        await opens_commands(house)
        await house.press(*"declx", "backspace", "enter")
        await house.until(lambda: isinstance(house.desk.screen, DeclineScreen))
        assert not house.facts(ProposalEnded)
        await house.press("escape")

        await opens_commands(house)
        await house.press(*"strategies", "enter")
        await house.until(lambda: house.shows("5 Strategies") and len(house.desk.screen_stack) == 1)
        await opens_commands(house)
        await house.press(*"guide", "enter")
        await house.until(lambda: isinstance(house.desk.screen, GuideScreen))
        await house.press("escape")

        await opens_commands(house)
        await house.press("n", "e")
        await house.press("ctrl+k")
        await house.until(lambda: house.facts(Halted))
        await house.until(lambda: isinstance(house.desk.screen, KillScreen))


async def test_commands_are_found_by_letters_best_first() -> None:
    """DESK: words in any order before scattered letters; Ctrl+U clears"""
    async with open_desk() as house:
        screen = await opens_commands(house)
        for typed, first in {
            "flteve": "flatten",
            "new ord": "order.new",
            "lgt": "theme.light",
            "flat": "flatten",
            "kill": "kill",
            "help": "help",
            "clbr": "breaker.clear",
        }.items():
            await house.press(*(name.replace(" ", "space") for name in typed))

            assert screen.grid.selected == first, typed
            await house.press("ctrl+u")
            assert (screen.typed, len(screen.grid.window.rows)) == ("", len(screen.keys))
        for words in ("blocked", "why"):
            await house.press("ctrl+u", *words)
            assert "order.all" in {row.key for row in screen.grid.window.rows}


async def test_another_panes_command_only_goes_there() -> None:
    """OP-04: its row is seen before it is acted on"""
    async with open_desk() as house:
        await house.buys()
        await house.press("1")
        await opens_commands(house)
        await house.press(*"close", "space", *"positions", "enter")
        await house.until(lambda: house.shows("c close: press it on the row that you mean", "▸ ● SPY"))
        assert len(house.desk.screen_stack) == 1


async def test_commands_stay_shut_over_ticket_and_kill() -> None:
    """OP-04, OP-07"""
    async with open_desk() as house:
        await house.opens_the_ticket()
        await house.press("ctrl+p")
        await house.wait(0.2)
        assert isinstance(house.desk.screen, TicketScreen)
        await house.press("escape", "ctrl+k")
        await house.until(lambda: isinstance(house.desk.screen, KillScreen))
        await house.press("ctrl+p")
        await house.wait(0.2)
        assert isinstance(house.desk.screen, KillScreen)
