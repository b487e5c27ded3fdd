"""The log: a filter that is typed and alive, one record in full, what is shown in a file, a row on the clipboard."""

from __future__ import annotations

from base64 import b64decode

from syrupy.assertion import SnapshotAssertion

from console.desk_commands import copying
from console.screens.reading import HelpScreen
from core.facts import Halted, OrderCreated, ProposalEnded
from core.model.order import Side
from core.views import LogRow
from tests.desk.desk_house import House, open_desk
from tests.desk.hands import Disk
from tests.desk.still_house import a_view, open_still


def log_lines(house: House) -> list[str]:
    lines = house.picture().splitlines()
    start = next(number for number, line in enumerate(lines) if "─ 6 Log" in line)
    return [line for line in lines[start + 1 :] if line.startswith("│") and line.strip("│ ")]


async def test_what_is_typed_behind_the_slash_filters_alive() -> None:
    """OP-04, OP-07, SY-06: letters are no commands, markup is text, and no pane looks as if nothing had happened"""
    async with open_desk() as house:
        await house.press("6", "slash", *"books agree")
        of = len(house.desk.view.log) if house.desk.view else 0
        await house.sees(f"/ books agree▏ Enter keeps it Esc clears it 1 of {of}", f"1 of {of} lines")
        assert len(log_lines(house)) == 1
        await house.until(lambda: "Enter keep it" in house.footer())
        await house.press("backspace")
        await house.sees("/ books agre▏")

        await house.press("escape")
        await house.until(lambda: house.shows(f" {of} lines") and not house.shows("/ books"))

        await house.press("slash", *"no such words")
        await house.sees("The filter finds nothing: no line has all of its words.")
        assert not house.shows("Nothing yet")
        await house.press("escape")
        await house.until(lambda: house.shows("books agree") and not house.shows("The filter finds nothing"))

        await house.press("slash", *"[red]a[/x]")
        await house.sees("/ [red]a[/x]▏")
        await house.press("tab")
        await house.until(lambda: not house.desk.board.log.is_typing)
        await house.press("1", "x")
        await house.sees("Decline ─")
        assert not house.facts(ProposalEnded)
        await house.press("escape", "6", "escape")

        await house.press("slash", "q", "n", "F", "1", "exclamation_mark", "question_mark", "o")
        await house.sees("/ qnF1!?o▏")
        assert len(house.desk.screen_stack) == 1
        await house.press("ctrl+k")
        await house.until(lambda: house.facts(Halted))


async def test_a_kept_filter_holds_for_what_comes_and_escape_ends_it() -> None:
    async with open_desk() as house:
        await house.press("6", "slash", *"proposal", "enter")
        await house.sees("/ proposal  Esc clears it")
        house.types_an_order()
        await house.until(lambda: len(log_lines(house)) == 2)
        await house.press("question_mark")
        await house.until(lambda: isinstance(house.desk.screen, HelpScreen))
        await house.press("escape", "escape")
        await house.until(lambda: not house.shows("/ proposal"))


async def test_o_writes_what_is_shown_and_says_where(snapshot: SnapshotAssertion) -> None:
    disk = Disk()
    async with open_desk((80, 24), surroundings=disk) as house:
        await house.press("6", "end", "enter")
        await house.sees("Record", "of the journal", "below VWAP")
        await house.press("escape", "slash", *"books agree", "enter", "o")
        await house.until(lambda: "written to /state/demo/log-20260105-" in house.footer())
        (written,) = disk.files.values()
        assert written.splitlines()[0] == snapshot
        assert written == snapshot

        disk.fails = "the disk is full"
        await house.press("o")
        await house.until(lambda: "the disk is full" in house.footer())


async def test_capital_e_writes_every_pane_as_csv() -> None:
    """SY-08: in two keys, with a line of names and every row."""
    disk = Disk()
    async with open_desk(surroundings=disk) as house:
        names = {"1": "proposals", "2": "positions", "3": "orders", "7": "results", "8": "watch", "0": "history"}
        for key, name in names.items():
            await house.press(key, "E")
            await house.until(lambda name=name: any(file.startswith(f"{name}-") for file in disk.files))

        read = {file.partition("-")[0]: text.splitlines() for file, text in disk.files.items()}
        assert house.desk.view is not None
        assert len(read["proposals"]) == 1 + len(house.desk.view.proposals)
        assert read["proposals"][0].startswith("id,strategy,side,")
        assert read["results"][0].startswith("id,strategy,symbol,")
        assert all(file.endswith(".csv") for file in disk.files)


async def test_capital_y_hands_the_selected_row_to_the_terminals_clipboard(snapshot: SnapshotAssertion) -> None:
    async with open_desk() as house:
        written: list[str] = []
        house.desk.control_terminal = written.append  # type: ignore[method-assign]
        await house.press("1", "Y")
        await house.until(lambda: "the row was handed to the terminal's clipboard" in house.footer())
        (control,) = written
        assert control.startswith("\x1b]52;c;")
        assert b64decode(control[7:-1]).decode() == snapshot


def test_what_is_copied_holds_no_control_character() -> None:
    """SY-06"""
    assert "\x1b" not in b64decode(copying("a\x1b]0;evil\x07b")[7:-1]).decode()


def a_mixed_log() -> tuple[LogRow, ...]:
    at = a_view().status.at
    return (
        LogRow(1, at, "desk", "books agree with the broker", source="engine"),
        LogRow(2, at, "proposal", "vwap: SPY not staged: too large", level="WARN", source="vwap"),
        LogRow(3, at, "proposal", "orb: XOM not staged: too large", level="WARN", source="orb"),
        LogRow(4, at, "order", "ERROR: cancel failed", "ERROR", level="ERROR", source="vwap"),
        LogRow(5, at, "ticket", "34 checks pass, 0 warn, 0 refuse", level="INFO", source="manual"),
    )


async def test_the_log_is_filtered_by_level_and_by_source() -> None:
    """A level finds what is graver too, and no line that only has its word; Enter opens a line that is seen"""
    rows = {
        "level:warn": ["2", "3", "4"], "level:error": ["4"], "source:vwap": ["2", "4"],
        "spy source:vwap level:warn": ["2"], "source:manual": ["5"], "source:engine": ["1"],
    }  # fmt: skip
    async with open_still(a_view(log=a_mixed_log()), (120, 40)) as house:
        await house.press("6")
        await house.sees("WARN: orb: XOM not staged: too large orb", "books agree with the broker engine")
        await house.press("home", "down", "enter")
        await house.sees("level, source WARN, vwap")
        await house.press("escape")
        for typed, left in rows.items():
            await house.press("slash", *typed)
            await house.until(lambda left=left: [row.key for row in house.desk.board.log.grid.window.rows] == left)
            await house.press("escape")

        await house.press("home", "slash", *"xom", "enter", "enter")
        await house.sees("Record", "orb: XOM not staged: too large", "number 3 of the journal")


async def test_every_line_of_a_days_log_has_a_level_and_a_source() -> None:
    async with open_desk() as house:
        house.types_an_order(quantity="900")
        await house.until(lambda: house.desk.view is not None and house.desk.view.refusals)
        await house.buys()
        view = house.desk.view
        assert view is not None
        assert all(row.level and row.source for row in view.log)
        assert {row.level for row in view.refusals} == {"WARN"}
        assert {row.source for row in view.refusals} == {"manual"}
        assert {row.source for row in view.log if row.kind in ("order", "fill", "ticket")} == {"vwap"}


async def test_identifiers_are_short_on_screen_only() -> None:
    disk = Disk()
    async with open_desk((120, 40), surroundings=disk) as house:
        written: list[str] = []
        house.desk.control_terminal = written.append  # type: ignore[method-assign]
        await house.buys()
        (bought,) = (fact for fact in house.facts(OrderCreated) if fact.order.side is Side.BUY)
        whole = bought.order.client_order_id

        await house.press("6", "slash", *"sold", "ctrl+u", *"filled buy", "enter", "Y")
        await house.until(lambda: written)
        assert b64decode(written[-1][7:-1]).decode().endswith(f"vwap  {whole}")
        assert not house.shows(whole)
        await house.press("o")
        await house.until(lambda: disk.files)
        (text,) = disk.files.values()
        assert text.endswith(f"stop 494.72 working  {whole}\n")

        await house.press("escape", "3", "home", "Y")
        await house.until(lambda: b64decode(written[-1][7:-1]).decode().endswith(f"FILLED at 496.21  {whole}"))
        await house.press("enter")
        await house.sees(f"id {whole[:6]} ")
        assert not house.shows(whole)
