"""`g` on a symbol with its real keys: what is typed lists it at once, and only the word takes it off (RK-26)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from console.screens.limits import ListsScreen, TakeOff, TakeOffScreen, read_list
from core.facts import SymbolListed, SymbolUnlisted
from core.messages.commands import ListSymbol
from core.model.instrument import ListedSymbol, ListKind
from core.model.values import Price, Symbol
from core.views import WatchlistRow, WatchRow, WatchView
from tests.desk.desk_house import House, open_desk
from tests.desk.still_house import a_view, open_still
from tests.kit.rows import each

IBM, SPY = Symbol("IBM"), Symbol("SPY")
TODAY, LATER = date(2026, 11, 19), date(2026, 12, 1)
NEVER, CLOSE_ONLY, RESTRICTED = ListKind


def keys(text: str) -> list[str]:
    return ["space" if one == " " else "minus" if one == "-" else one for one in text]


@each(
    ("typed", "meant"),
    [
        ("never no borrow", ListSymbol(IBM, NEVER, "no borrow")),
        ("  close   merger ", ListSymbol(IBM, CLOSE_ONLY, "merger")),
        ("until 2026-12-01 earnings", ListSymbol(IBM, RESTRICTED, "earnings", LATER)), ("off never", TakeOff(NEVER)),
        ("off until", TakeOff(RESTRICTED)), ("never", "why?"), ("until 2026-12-01", "why?"),
        ("until 2026-11-19 earnings", "until which day?"), ("until tomorrow earnings", "until which day?"),
        ("until", "until which day?"), ("off", "off which list?"), ("off all", "off which list?"),
        ("ban it", "begin with"), ("", "begin with"),
    ],
)  # fmt: skip
def test_typed_lists_are_read_or_refused(typed: str, meant: ListSymbol | TakeOff | str) -> None:
    """RK-26"""
    read = read_list(IBM, typed, TODAY)
    if isinstance(meant, str):
        assert isinstance(read, str)
        assert meant in read
    else:
        assert read == meant


def test_a_long_reason_is_cut() -> None:
    """RK-26"""
    read = read_list(IBM, "never " + "x" * 200, TODAY)

    assert isinstance(read, ListSymbol)
    assert len(read.reason) == 80


async def opens_the_lists(house: House) -> None:
    await house.press("8", "g")
    await house.until(lambda: isinstance(house.desk.screen, ListsScreen))


async def test_a_symbol_is_listed_at_once_and_taken_off_by_the_word_alone() -> None:
    """RK-26: through the real engine; its waiting entry goes, its row and its guard say so"""
    async with open_desk((80, 24)) as house:
        await house.press("ctrl+p", *"lists", "enter")
        await house.until(lambda: isinstance(house.desk.screen, ListsScreen))
        await house.sees("Lists ─ SPY")
        await house.press("escape")
        await opens_the_lists(house)
        await house.sees("SPY is on no list: its entries pass.")
        await house.press(*keys("never no borrow"))
        await house.sees("Enter: never trade, at once")
        await house.press("enter")
        await house.until(lambda: house.facts(SymbolListed))
        await house.until(lambda: house.desk.view is not None and not house.desk.view.proposals)
        await house.sees("never")

        await opens_the_lists(house)
        await house.sees("SPY is on:", "never trade since", "no borrow")
        await house.press(*keys("off close"))
        await house.sees("SPY is not on close only")
        for _ in range(5):
            await house.press("backspace")
        await house.press(*keys("never"), "enter")
        await house.until(lambda: isinstance(house.desk.screen, TakeOffScreen))
        await house.press(*"loosen")
        await house.wait(0.2)
        assert house.facts(SymbolUnlisted) == []
        await house.press(*"LOOSEN")
        await house.until(lambda: house.facts(SymbolUnlisted) == [SymbolUnlisted(SPY, NEVER)])


async def test_others_that_are_listed_stand_below_and_escape_changes_nothing() -> None:
    """RK-26"""
    at = datetime(2026, 11, 19, 15, tzinfo=UTC)
    held = ListedSymbol(IBM, RESTRICTED, "earnings", TODAY, at, LATER)
    many = [ListedSymbol(Symbol(f"S{n}"), NEVER, "fraud", TODAY, at) for n in range(8)]
    row = WatchRow(IBM, last=Price(Decimal("182.10")), lists=(held,))
    watch = WatchView((WatchlistRow("main", (IBM,)),), (row,))
    async with open_still(a_view(watch=watch, lists=(held, *many)), (80, 24)) as house:
        for size in ((80, 24), (120, 40)):
            await house.pilot.resize_terminal(*size)
            await house.press("8")
            await house.sees("until")
            await opens_the_lists(house)
            await house.sees("IBM is on:", "restricted until 2026-12-01, since 2026-11-19: earnings", "and 2 more")
            await house.press(*keys("never x"), "escape")
            await house.wait(0.1)
            assert house.handle.commands == []
