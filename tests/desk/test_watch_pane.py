"""The watch pane with its real keys: its list is typed, turned, added to; keys act on what is selected (MD-06)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from console.screens.add_symbol import AddSymbolScreen
from console.screens.close import CloseScreen
from console.screens.detail import DetailScreen
from console.screens.new_order import NewOrderScreen
from console.screens.watchlist import WatchlistScreen
from core.facts import WatchlistKept
from core.messages.commands import KeepWatchlist
from core.model.listed_asset import AssetList, ListedAsset
from core.model.values import Price, Quantity, Symbol
from core.views import WatchlistRow, WatchRow, WatchView
from tests.desk.desk_house import SPY, House, open_desk
from tests.desk.still_house import StillHouse, a_position, a_view, open_still
from widgets.watch import Watch

SIZES = [(80, 24), (120, 40), (200, 60)]
IBM, AIG = Symbol("IBM"), Symbol("AIG")


def usd(text: str) -> Price:
    return Price(Decimal(text))


def two_lists() -> WatchView:
    rows = (
        WatchRow(SPY, last=usd("166.76"), before=usd("167.11")),
        WatchRow(IBM, last=usd("182.10"), before=usd("180.65"), held=Quantity(Decimal(27)), working=2),
        WatchRow(AIG, last=usd("48.40"), before=usd("48.94"), exit_waits=True, held=Quantity(Decimal(100))),
    )
    return WatchView((WatchlistRow("main", (SPY, IBM)), WatchlistRow("banks", (SPY,))), rows, (AIG,))


def watch_of(house: House) -> Watch:
    pane = house.desk.board.panes["watch"]
    assert isinstance(pane, Watch)
    return pane


def symbols(house: House) -> list[str]:
    return [row.symbol for row in watch_of(house).rows()]


async def at_watch(house: House) -> None:
    await house.press("8")
    await house.until(lambda: house.desk.focused is watch_of(house).grid)


@pytest.mark.parametrize("size", SIZES)
async def test_a_row_says_its_price_its_change_and_what_is_held_and_what_joins_stands_behind_the_list(
    size: tuple[int, int],
) -> None:
    """MD-06"""
    async with open_still(a_view(watch=two_lists()), size) as house:
        await at_watch(house)
        await house.sees("8 Watch ─ main of 2 lists, 3", "166.76", "▼ −0.21 %", "▲ +0.80 %", "27", "100 !")
        assert symbols(house) == [SPY, IBM, AIG]
        await house.press("down")
        await house.sees("IBM: 2 working")


async def test_the_lists_turn_both_ways_and_a_watcher_may_turn_them() -> None:
    async with open_still(a_view(watch=two_lists())) as house:
        await at_watch(house)
        await house.press(">")
        await house.sees("8 Watch ─ banks of 2 lists, 3")
        assert symbols(house) == [SPY, IBM, AIG], "what is held or waits joins every list"
        await house.press("<")
        await house.sees("8 Watch ─ main of 2 lists, 3")
        assert house.handle.commands == []


async def test_the_selection_is_of_the_symbol_whatever_comes_above_it() -> None:
    """OP-04: by identity, not by row"""
    async with open_still(a_view(watch=two_lists())) as house:
        await at_watch(house)
        await house.press("down")
        assert watch_of(house).grid.selected == IBM
        view = two_lists()
        await house.shows_next(watch=replace(view, lists=(WatchlistRow("main", (AIG, SPY, IBM)), *view.lists[1:])))
        assert watch_of(house).grid.selected == IBM
        assert symbols(house) == [AIG, SPY, IBM]


@pytest.mark.parametrize("size", SIZES[:2])
async def test_enter_n_and_c_act_on_the_selected_symbol(size: tuple[int, int]) -> None:
    """MD-06"""
    async with open_still(a_view(watch=two_lists(), positions=(a_position("IBM"),)), size) as house:
        await at_watch(house)
        await house.press("down")
        await opens(house, "enter", DetailScreen, "close before")
        form = await opens(house, "n", NewOrderScreen, "IBM")
        assert isinstance(form, NewOrderScreen)
        await opens(house, "c", CloseScreen, "Close ─ IBM")
        await house.press("up", "c")
        await house.sees("nothing of SPY is held")
        assert len(house.desk.screen_stack) == 1


async def opens(house: StillHouse, key: str, kind: type, said: str) -> object:
    await house.press(key)
    await house.until(lambda: isinstance(house.desk.screen, kind) and house.shows(said))
    screen = house.desk.screen
    await house.press("escape")
    await house.until(lambda: len(house.desk.screen_stack) == 1)
    return screen


async def test_an_empty_list_says_what_would_fill_it() -> None:
    async with open_still(a_view(watch=WatchView((WatchlistRow("main", ()),)))) as house:
        await at_watch(house)
        await house.sees("Nothing is watched. a adds a symbol.")


async def test_what_is_typed_after_a_joins_the_list_and_what_is_no_share_is_refused_with_its_reason() -> None:
    """MD-06: through the real engine, which writes it down"""
    async with open_desk() as house:
        await at_watch(house)
        await house.press("a")
        await house.until(lambda: isinstance(house.desk.screen, AddSymbolScreen))
        await house.press("3", "x", "enter")
        await house.sees("is not how a share is written")
        await house.press("backspace", "backspace", "i", "b", "m", "enter")
        await house.until(lambda: symbols(house) == ["SPY", "IBM"])
        assert [fact.symbols for fact in house.facts(WatchlistKept)] == [("SPY", "IBM")]
        assert house.sent_nothing()


async def test_a_name_finds_its_symbol_and_the_row_that_is_chosen_joins_the_list() -> None:
    """MD-06: the list is the engine's, and stands in no picture"""
    async with open_desk() as house:
        house.runtime.assets.keep(
            AssetList(
                [
                    ListedAsset(Symbol("AAPL"), "Apple Inc.", "NASDAQ", is_shortable=True, is_fractionable=True),
                    ListedAsset(
                        Symbol("APLE"), "Apple Hospitality REIT", "NYSE", is_shortable=True, is_fractionable=True
                    ),
                ]
            )
        )
        await at_watch(house)
        await house.press("a", *"apple")
        await house.sees("▸ AAPL", "Apple Inc.", "NASDAQ", "  APLE", "Apple Hospitality REIT")
        await house.press("down")
        await house.sees("  AAPL", "▸ APLE")
        await house.press("enter")
        await house.until(lambda: symbols(house) == ["SPY", "APLE"])


async def test_a_new_order_takes_the_symbol_that_is_found_and_the_keyboard_stays_where_it_was() -> None:
    """OP-01"""
    async with open_desk() as house:
        house.runtime.assets.keep(
            AssetList([ListedAsset(IBM, "Business Machines", "NYSE", is_shortable=True, is_fractionable=True)])
        )
        await house.press("n", "/", *"mach")
        await house.sees("▸ IBM", "Business Machines")
        await house.press("enter")
        await house.until(lambda: isinstance(house.desk.screen, NewOrderScreen))
        form = house.desk.screen
        assert isinstance(form, NewOrderScreen)
        assert (form.inputs["symbol"].value, form.focused_field()) == ("IBM", "quantity")
        assert house.sent_nothing()


async def test_a_search_that_finds_nothing_and_a_list_that_is_not_there_are_told_apart() -> None:
    async with open_desk() as house:
        await at_watch(house)
        await house.press("a", *"zzz")
        await house.sees("The broker's list is not here yet; type a whole symbol")
        house.runtime.assets.keep(
            AssetList([ListedAsset(IBM, "Business Machines", "NYSE", is_shortable=True, is_fractionable=True)])
        )
        await house.sees("Nothing that the broker trades has that symbol or name")


async def test_the_list_is_a_line_that_is_edited_and_an_empty_one_is_removed_after_it_is_said() -> None:
    async with open_desk() as house:
        await at_watch(house)
        await house.press("e")
        await house.until(lambda: isinstance(house.desk.screen, WatchlistScreen))
        await house.press("end", "space", "q", "q", "q", "space", "b", "a", "c", "enter")
        await house.until(lambda: symbols(house) == ["SPY", "QQQ", "BAC"])
        await house.press("e")
        await house.until(lambda: isinstance(house.desk.screen, WatchlistScreen))
        await house.press("ctrl+u")
        await house.sees("Enter removes this list")
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        assert symbols(house) == ["SPY", "QQQ", "BAC"]


async def test_a_burst_behind_the_pane_s_number_is_for_the_pane_and_confirms_nothing() -> None:
    """OP-04"""
    async with open_still(a_view(watch=two_lists())) as house:
        await house.press("8", "a", "B", "x", "enter")
        await house.wait(0.2)
        assert not [c for c in house.handle.commands if not isinstance(c, KeepWatchlist)]
