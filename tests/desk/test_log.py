"""The log: a filter that is typed and alive, one record in full, what is shown in a file, a row on the clipboard."""

from __future__ import annotations

from base64 import b64decode

from console.desk_commands import copying
from console.screens.help import HelpScreen
from core.facts import Halted, ProposalEnded
from tests.desk.desk_house import House, open_desk
from tests.desk.hands import Disk


def log_lines(house: House) -> list[str]:
    lines = house.picture().splitlines()
    start = next(number for number, line in enumerate(lines) if "─ 6 Log" in line)
    return [line for line in lines[start + 1 :] if line.startswith("│") and line.strip("│ ")]


async def test_what_is_typed_behind_the_slash_filters_alive() -> None:
    async with open_desk() as house:
        await house.press("6", "slash", *"books agree")
        of = len(house.desk.view.log) if house.desk.view else 0
        await house.until(
            lambda: house.shows(f"/ books agree▏ Enter keeps it Esc clears it 1 of {of}", f"1 of {of} lines")
        )
        assert len(log_lines(house)) == 1
        await house.until(lambda: "Enter keep it" in house.footer())
        await house.press("backspace")
        await house.until(lambda: house.shows("/ books agre▏"))

        await house.press("escape")
        await house.until(lambda: house.shows(f" {of} lines") and not house.shows("/ books"))


async def test_a_filter_that_finds_nothing_says_so() -> None:
    """DESK, rule 2: no pane looks as if nothing had happened"""
    async with open_desk() as house:
        await house.press("6", "slash", *"no such words")
        await house.until(lambda: house.shows("The filter finds nothing: no line has all of its words."))
        assert not house.shows("Nothing yet")
        await house.press("escape")
        await house.until(lambda: house.shows("books agree") and not house.shows("The filter finds nothing"))


async def test_letters_of_the_filter_are_no_commands_and_the_chord_is_still_one() -> None:
    """OP-04, OP-07"""
    async with open_desk() as house:
        await house.press("6", "slash", "q", "n", "F", "1", "exclamation_mark", "question_mark", "o")
        await house.until(lambda: house.shows("/ qnF1!?o▏"))
        assert len(house.desk.screen_stack) == 1
        await house.press("ctrl+k")
        await house.until(lambda: house.facts(Halted))


async def test_a_kept_filter_holds_for_what_comes_and_escape_ends_it() -> None:
    async with open_desk() as house:
        await house.press("6", "slash", *"proposal", "enter")
        await house.until(lambda: house.shows("/ proposal  Esc clears it"))
        house.types_an_order()
        await house.until(lambda: len(log_lines(house)) == 2)
        await house.press("question_mark")
        await house.until(lambda: isinstance(house.desk.screen, HelpScreen))
        await house.press("escape", "escape")
        await house.until(lambda: not house.shows("/ proposal"))


async def test_the_filter_ends_its_typing_where_the_keyboard_goes_elsewhere() -> None:
    """OP-04: what is typed after a click into another pane is a command there"""
    async with open_desk() as house:
        await house.press("6", "slash", "a")
        await house.press("tab")
        await house.until(lambda: not house.desk.board.log.is_typing)
        await house.press("1", "x")
        await house.until(lambda: house.shows("Decline ─"))
        assert not house.facts(ProposalEnded)


async def test_text_that_looks_like_markup_is_text() -> None:
    """SY-06"""
    async with open_desk() as house:
        await house.press("6", "slash", *"[red]a[/x]")
        await house.until(lambda: house.shows("/ [red]a[/x]▏"))


async def test_enter_opens_the_whole_record() -> None:
    async with open_desk((80, 24)) as house:
        await house.press("6", "end", "enter")
        await house.until(lambda: house.shows("Record", "of the journal", "below VWAP"))


async def test_o_writes_what_is_shown_and_says_where() -> None:
    disk = Disk()
    async with open_desk(surroundings=disk) as house:
        await house.press("6", "slash", *"books agree", "enter", "o")
        await house.until(lambda: "written to /state/demo/log-20260105-" in house.footer())
        (written,) = disk.files.values()
        assert written.splitlines()[0] == "lines with: books agree"
        assert written.endswith("09:30:00 New York  desk      books agree with the broker\n")

        disk.fails = "the disk is full"
        await house.press("o")
        await house.until(lambda: "the disk is full" in house.footer())


async def test_capital_y_hands_the_selected_row_to_the_terminals_clipboard() -> None:
    async with open_desk() as house:
        written: list[str] = []
        house.desk.control_terminal = written.append  # type: ignore[method-assign]
        await house.press("1", "Y")
        await house.until(lambda: "the row was handed to the terminal's clipboard" in house.footer())
        (control,) = written
        assert control.startswith("\x1b]52;c;")
        assert b64decode(control[7:-1]).decode().startswith("BUY to open  0.1  SPY  limit 496.21")


def test_what_is_copied_holds_no_control_character() -> None:
    """SY-06"""
    assert "\x1b" not in b64decode(copying("a\x1b]0;evil\x07b")[7:-1]).decode()
