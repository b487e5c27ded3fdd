"""A keyboard of another script at the desk: what a binding, a word and a text get of its keys (OP-04, OP-07, SY-10)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from console.board import Board
from console.filtered_panes import FilteredPane
from console.keymap import written
from console.screens.edit import DeclineScreen
from console.screens.find_symbol import SymbolScreen
from console.screens.form import FieldsScreen
from console.screens.kill import KillScreen
from console.screens.limits import ListsScreen
from console.terminal.input_reader import Reader
from tests.desk.desk_house import House, open_desk

RUSSIAN = dict(zip("qwertyuiopasdfghjklzxcvbnm", "йцукенгшщзфывапролдячсмить", strict=True))
"""The letter of each key."""


class Keyboard:
    """A Russian keyboard; `names_places` as terminals with kitty's protocol do."""

    def __init__(self, house: House, *, names_places: bool) -> None:
        desk = house.desk
        self.house, self.names_places = house, names_places
        self.reader = Reader(desk.port, desk.post_message, lambda: None)
        self.at = 10.0

    async def types(self, places: str) -> None:
        """Type the keys of these places, one after the other."""
        for place in places:
            await self.sends(self._key(place))

    async def sends(self, sequence: bytes) -> None:
        self.at += 5.0
        self.reader.feed(sequence, self.at)
        self.reader.tick(self.at + 2.0)
        await self.house.pilot.pause()

    def _key(self, place: str) -> bytes:
        letter = RUSSIAN.get(place.lower(), place)
        typed = letter.upper() if place.isupper() else letter
        if not self.names_places or place.lower() not in RUSSIAN:
            return typed.encode()
        modifiers = "2" if place.isupper() else ""
        return f"\x1b[{ord(letter)}:{ord(letter.upper())}:{ord(place.lower())};{modifiers};{ord(typed)}u".encode()


def field(house: House) -> str:
    screen = house.desk.screen
    assert isinstance(screen, FieldsScreen)
    return screen.fields[screen.at].text


async def test_a_reason_gets_the_letters_of_the_layout() -> None:
    """SY-10: the key that opens the dialog goes by its place; the text does not"""
    async with open_desk() as house:
        keyboard = Keyboard(house, names_places=True)
        await keyboard.types("x")
        await house.until(lambda: isinstance(house.desk.screen, DeclineScreen))
        await keyboard.types("Gjpl")

        assert field(house) == "Позд"


async def test_a_filter_gets_the_letters_of_the_layout() -> None:
    """SY-10"""
    async with open_desk() as house:
        keyboard = Keyboard(house, names_places=True)
        await house.press("6")
        await keyboard.types("/gjpl")

        assert filtering(house.desk.board).filter == "позд"


def filtering(board: Board) -> FilteredPane:
    assert board.typing is not None
    return board.typing


async def test_a_symbol_is_typed_by_places() -> None:
    """SY-10: no symbol has a letter of another script"""
    async with open_desk() as house:
        keyboard = Keyboard(house, names_places=True)
        await house.press("n", "slash")
        await house.until(lambda: isinstance(house.desk.screen, SymbolScreen))
        await keyboard.types("Spy")

        assert field(house).upper() == "SPY"


async def test_a_list_is_named_by_places_and_its_reason_is_text() -> None:
    """SY-10, RK-13"""
    async with open_desk() as house:
        keyboard = Keyboard(house, names_places=True)
        house.desk.action_lists()
        await house.until(lambda: isinstance(house.desk.screen, ListsScreen))
        await keyboard.types("never gjpl")
        assert field(house) == "never позд"

        await house.press("ctrl+u")
        await keyboard.types("until 2027-01-01 gjpl")
        assert field(house) == "until 2027-01-01 позд"


async def test_a_confirming_word_is_typed_by_places() -> None:
    """OP-07"""
    async with open_desk() as house:
        await house.kills()
        await Keyboard(house, names_places=True).types("REARM")

        await house.until(lambda: not isinstance(house.desk.screen, KillScreen))
        assert not house.shows("KILLED since")


OPENS: dict[str, Callable[[House], str]] = {"x": field, "6/": lambda house: filtering(house.desk.board).filter}


@pytest.mark.parametrize("keys", OPENS)
async def test_no_warning_where_the_letter_is_text(keys: str) -> None:
    """OP-07: it comes with the first letter that should act, and the footer names F10 from the first letter on"""
    async with open_desk() as house:
        keyboard = Keyboard(house, names_places=False)
        await house.press(*({"/": "slash"}.get(key, key) for key in keys))
        await keyboard.types("gjpl")
        assert OPENS[keys](house) == "позд"
        assert not house.shows("act on nothing here")

        await house.press("escape")
        assert written("kill") == "F10"
        await house.until(lambda: "F10 KILL" in house.footer())
        await keyboard.types("j")
        await house.until(lambda: house.shows("act on nothing here"))

        await keyboard.sends(b"j")
        assert written("kill") == "Ctrl+K"


async def test_a_symbol_warns_of_letters_that_it_cannot_have() -> None:
    """OP-07"""
    async with open_desk() as house:
        await house.press("n", "slash")
        await house.until(lambda: isinstance(house.desk.screen, SymbolScreen))
        keyboard = Keyboard(house, names_places=False)
        await keyboard.types("s")

        await house.until(lambda: house.shows("act on nothing here"))
        await keyboard.sends(b"j")


async def test_every_text_names_the_kill_key_that_arrives() -> None:
    """OP-07: the banner, the last line, the guide, a terminal that is too small"""
    async with open_desk() as house:
        keyboard = Keyboard(house, names_places=False)
        await keyboard.types("j")
        await house.press("U")
        await house.until(lambda: "not halted: F10 halts" in house.footer())
        await house.press("f10")
        await house.until(lambda: isinstance(house.desk.screen, KillScreen))
        await house.press("escape")
        await house.sees("F10, then U resumes")
        await house.press("U")
        await house.until(lambda: "F10 opens the kill screen" in house.footer())
        house.desk.action_guide()
        await house.sees("To stop all  F10 halts at once")
        assert not house.shows("Ctrl+K")

        await keyboard.sends(b"j")
        await house.sees("To stop all  Ctrl+K halts at once", "Ctrl+K, then U resumes", "Ctrl+K KILL")
        await keyboard.types("j")
        await house.press("escape")
        await house.pilot.resize_terminal(60, 20)
        await house.sees("terminal has 60 × 20. F10")
        await keyboard.sends(b"j")
