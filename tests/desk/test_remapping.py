"""Keys that the settings move: refused at the start with their place, or meant everywhere from the first picture on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion

from console.key_remapping import fault_in, moved_by
from console.keymap import KEYS, KeyScope, footer, keys_table, use
from console.screens.kill import KillScreen
from console.screens.new_order import NewOrderScreen
from console.screens.reading import HelpScreen
from core.facts import OrderCreated
from core.settings.settings import Settings
from state.files import Home
from state.settings_file import SettingsError, load_settings
from tests.desk.desk_house import open_desk
from tests.kit.rows import each


@pytest.fixture(autouse=True)
def _keys_moved_back() -> Iterator[None]:
    """Move every key back: the table is the process's, and later tests show the keys as they were."""
    yield
    use({})


def refusal(home: Home, **how: tuple[str, ...]) -> str:
    with pytest.raises(SettingsError) as told:
        load_settings(home, {}, how.get("overrides", ()), fault_in)
    return str(told.value)


def home_with(folder: Path, keys: str) -> Home:
    home = Home.of({"KEYTURN_HOME": str(folder)})
    home.settings.write_text(f"[keys]\n{keys}\n")
    return home


@each(
    ("line", "said"),
    [
        ('"order.nwe" = "N"', 'settings.toml: keys.order.nwe = "N": there is no such key; did you mean order.new?'),
        ('"plan.sign" = "Q"', "there is no such key; it is called basket.sign now: write that"),
        ('"order.new" = "Hyper"', 'settings.toml: keys.order.new = "Hyper": unknown key; must be a letter, a digit'),
        ('"order.new" = ""', 'settings.toml: keys.order.new = "": must be a letter, a digit, a sign'),
        ('order.new = "x"', 'keys.order.new = "x": conflict, proposals: x is decline (proposal.decline)'),
        ('"order.new" = "/"', "conflict, log: / is filter (log.filter)"),
        ('"help" = "n"', "conflict, everywhere: n is new order (order.new)"),
        ('"help" = "Ctrl+K"', "Ctrl+K and F10 are the kill's alone"),
        ('"ticket.next" = "]"', "[ and ] may be the beginning of another key"),
        ('"pane.next" = "["', "[ and ] may be the beginning of another key"),
        ('"ticket.next" = "f10"', "Ctrl+K and F10 are the kill's alone"),
        ('"kill" = "Ctrl+G"', "the kill keeps Ctrl+K and F10, and its screen keeps K, F, U and Esc"),
        ('"kill.resume" = "q"', "the kill keeps Ctrl+K and F10"),
        ('"ticket.buy" = "Enter"', "Enter, space and y never confirm"),
        ('"ticket.sell" = "space"', "Enter, space and y never confirm"),
        ('"ticket.cover" = "y"', "Enter, space and y never confirm"),
        ('"ticket.short" = "Y"', "Enter, space and y never confirm"),
        ('"question.do" = "enter"', "Enter, space and y never confirm"),
        ('"ticket.buy" = "S"', "conflict, ticket: S is sell to close (ticket.sell)"),
        (
            '"grid.open" = "B"',
            'keys.grid.open = "B": conflict: B is buy to open (ticket.buy); a key that confirms does',
        ),
        (
            '"order.new" = "B"',
            "conflict: B is buy to open (ticket.buy); a key that confirms does nothing else anywhere",
        ),
        ('"position.close" = "S"', "conflict: S is sell to close (ticket.sell)"),
        ('"order.cancel" = "D"', "conflict: D is confirm (question.do)"),
        ('"log.follow" = "w, R"', "conflict: R is replace (ticket.replace)"),
        ('"ticket.buy" = "X"', "conflict: X is not this symbol today (symbol.refuse)"),
        ('"ticket.cover" = "F"', "conflict: F is flatten everything (flatten)"),
        ('"question.do" = "S"', "conflict: S is sell to close (ticket.sell)"),
        ('"field.take" = "t"', "where text is typed, Enter, Esc and the arrows stay"),
        ('"leave.always" = "z"', "it acts in every text field too"),
        ('"order.new" = 7', "must be"),
    ],
)
def test_a_bad_key_is_refused_with_its_place(tmp_path: Path, line: str, said: str) -> None:
    """OP-04, OP-07"""
    assert said in refusal(home_with(tmp_path, line))


def test_a_bad_key_of_the_command_line_is_named(snapshot: SnapshotAssertion, tmp_path: Path) -> None:
    home = home_with(tmp_path, '"order.new" = "N"')

    assert refusal(home, overrides=("keys.order.new=x",)) == snapshot


def test_two_keys_may_change_places(tmp_path: Path) -> None:
    home = home_with(tmp_path, 'order.new = "N"\n"grid.up" = "up, i"\n"help" = "Ctrl+G"\n"pane.next" = ";"')
    moved = load_settings(home, {"KEYTURN_KEYS__LOG__FOLLOW": "G"}, (), fault_in).keys

    assert moved == {"order.new": "N", "grid.up": "up, i", "help": "Ctrl+G", "pane.next": ";", "log.follow": "G"}
    assert fault_in({"order.new": "?", "help": "n"}) is None
    assert {id: key.keys for id, key in moved_by(moved).items()} == {
        "order.new": "N",
        "grid.up": "up,i",
        "help": "ctrl+g",
        "pane.next": "semicolon",
        "log.follow": "G",
    }


async def test_k_may_be_moved_to_and_kills_on_its_screen_alone() -> None:
    """OP-07: settings of a release in which K said nothing on the desk still start it"""
    assert fault_in({"order.new": "K"}) is None
    assert fault_in({"order.new": "K", "order.cancel": "K"}) is not None
    async with open_desk(settings=Settings(keys={"order.new": "K"})) as house:
        await house.press("K")
        await house.until(lambda: isinstance(house.desk.screen, NewOrderScreen))
        await house.press("escape", "U")
        await house.until(lambda: "not halted: Ctrl+K halts" in house.footer())
        await house.kills()


def test_moved_confirming_keys_stay_reserved(snapshot: SnapshotAssertion) -> None:
    """OP-04"""
    assert fault_in({"ticket.buy": "G", "grid.open": "B"}) is None
    fault = fault_in({"ticket.buy": "G", "order.new": "G"})
    assert fault is not None
    assert fault.id == "order.new"
    assert fault.words == snapshot


def test_the_key_table_has_no_conflict() -> None:
    for key in KEYS:
        if not key.is_fixed:
            same = ", ".join(_named(name) for name in key.keys.split(","))
            assert fault_in({key.id: same}) is None, key.id


def _named(textual: str) -> str:
    signs = {
        "exclamation_mark": "!", "less_than_sign": "<", "greater_than_sign": ">", "question_mark": "?", "slash": "/",
        "colon": ":", "percent_sign": "%", "plus": "+", "minus": "-",
    }  # fmt: skip
    return signs.get(textual, textual)


def test_footer_and_help_name_the_moved_key() -> None:
    use(moved_by({"order.new": "N", "ticket.buy": "G"}))

    assert "N new order" in footer(KeyScope.PROPOSALS)
    assert "`n` new order" in keys_table()
    use({})
    assert "n new order" in footer(KeyScope.PROPOSALS)


async def test_moved_keys_act_and_the_old_ones_do_not() -> None:
    """OP-04, OP-07: nor do they confirm; the chord stays"""
    keys = {"order.new": "N", "help": "n", "ticket.buy": "G", "commands": "Ctrl+G", "leave.always": "Ctrl+E"}
    async with open_desk(settings=Settings(keys=keys)) as house:
        await house.press("n")
        await house.until(lambda: isinstance(house.desk.screen, HelpScreen) and house.shows("N              new order"))
        await house.press("escape", "N")
        await house.until(lambda: isinstance(house.desk.screen, NewOrderScreen))
        await house.press("escape", "question_mark")
        await house.wait(0.1)
        assert len(house.desk.screen_stack) == 1

        await house.opens_the_ticket()
        await house.sees(" G  buy to open")
        await house.press("B")
        await house.wait(0.8)
        assert house.sent_nothing()
        await house.until(house.is_armed)
        await house.press("G")
        await house.until(lambda: house.facts(OrderCreated))

        await house.press("ctrl+k")
        await house.until(lambda: isinstance(house.desk.screen, KillScreen) and house.shows("HALTED"))
