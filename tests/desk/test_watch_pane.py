"""The watch pane with its real keys: its list is typed, turned, added to; keys act on what is selected (MD-06)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from console.screens.add_symbol import AddSymbolScreen
from console.screens.close import CloseScreen
from console.screens.detail import DetailScreen
from console.screens.new_order import NewOrderScreen
from console.screens.watchlist import WatchlistScreen
from core.facts import WatchlistKept, WatchlistRefused
from core.messages.commands import KeepWatchlist
from core.model.listed_asset import AssetList, ListedAsset
from core.model.quote import Feed, Quote
from core.model.values import Price, Quantity, Symbol
from core.views import WatchlistRow, WatchRow, WatchView
from tests.desk.desk_house import SPY, House, open_desk
from tests.desk.still_house import StillHouse, a_position, a_view, open_still, the_engines_view
from tests.kit.rows import each
from widgets.watch import Watch, _has, whole_words

SIZES = [(80, 24), (120, 40), (200, 60)]
IBM, AIG = Symbol("IBM"), Symbol("AIG")
AT = the_engines_view().status.at


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
async def test_a_watch_row_shows_price_change_and_held(
    size: tuple[int, int],
) -> None:
    """MD-06"""
    async with open_still(a_view(watch=two_lists()), size) as house:
        await at_watch(house)
        await house.sees("8 Watch ─ main of 2 lists, 3", "166.76", "▼ −0.21 %", "▲ +0.80 %", "27", "100 !")
        assert symbols(house) == [SPY, IBM, AIG]
        await house.press("down")
        await house.sees("IBM: 2 working")


async def test_lists_turn_both_ways() -> None:
    async with open_still(a_view(watch=two_lists())) as house:
        await at_watch(house)
        await house.press(">")
        await house.sees("8 Watch ─ banks of 2 lists, 3")
        assert symbols(house) == [SPY, IBM, AIG], "what is held or waits joins every list"
        await house.press("<")
        await house.sees("8 Watch ─ main of 2 lists, 3")
        assert house.handle.commands == []


async def test_the_selection_follows_the_symbol() -> None:
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


async def test_typed_symbols_join_or_are_refused() -> None:
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


async def test_a_name_finds_its_symbol() -> None:
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


async def test_a_new_order_takes_the_found_symbol() -> None:
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


async def test_no_match_differs_from_no_list() -> None:
    async with open_desk() as house:
        await at_watch(house)
        await house.press("a", *"zzz")
        await house.sees("The broker's list is not here yet; type a whole symbol")
        house.runtime.assets.keep(
            AssetList([ListedAsset(IBM, "Business Machines", "NYSE", is_shortable=True, is_fractionable=True)])
        )
        await house.sees("Nothing that the broker trades has that symbol or name")


async def test_the_list_is_edited_as_a_line() -> None:
    async with open_desk() as house:
        await at_watch(house)
        await house.press("e")
        await house.until(lambda: isinstance(house.desk.screen, WatchlistScreen))
        await house.press("end", "space", "q", "q", "q", "space", "b", "a", "c", "enter")
        await house.until(lambda: symbols(house) == ["SPY", "QQQ", "BAC"])
        await house.press("e")
        await house.until(lambda: isinstance(house.desk.screen, WatchlistScreen))
        await house.press("ctrl+u")
        await house.sees("Enter asks whether this list is removed")
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        assert symbols(house) == ["SPY", "QQQ", "BAC"]


async def test_a_second_list_is_shown_by_name() -> None:
    """MD-06: the first list that is kept makes none vanish."""
    async with open_desk() as house:
        await keeps_banks(house)
        await house.sees("8 Watch ─ banks of 2 lists, 3")
        await house.press("<")
        await house.sees("8 Watch ─ main of 2 lists, 1")
        assert symbols(house) == ["SPY"]


async def test_removing_a_list_asks_first() -> None:
    """MD-06"""
    async with open_desk() as house:
        await keeps_banks(house)
        await edits(house)
        await house.press("ctrl+u", "enter")
        await house.sees("Remove the list banks?", "It has BAC, IBM.")
        await house.press("enter", "escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        assert [each.name for each in house.desk.view.watch.lists] == ["main", "banks"]  # type: ignore[union-attr]

        await edits(house)
        await house.press("ctrl+u", "enter")
        await house.until(house.is_armed)
        await house.press("D")
        await house.sees("8 Watch ─ main, 1")


async def test_replacing_a_list_asks_first() -> None:
    """MD-06: nothing vanishes without a word."""
    async with open_desk() as house:
        await keeps_banks(house)
        await house.press("<")
        await edits(house)
        await house.press("up", "ctrl+u", *"banks", "enter")
        await house.sees("Replace the list banks?", "It has BAC, IBM.", "From then on: SPY.")
        assert len(house.facts(WatchlistKept)) == 1


async def test_the_settings_list_cannot_be_removed() -> None:
    """MD-06"""
    async with open_desk() as house:
        await at_watch(house)
        await edits(house)
        await house.press("ctrl+u", "enter")
        await house.sees("main are the symbols of the settings: it stays")
        assert isinstance(house.desk.screen, WatchlistScreen)


async def keeps_banks(house: House) -> None:
    await at_watch(house)
    await edits(house)
    await house.press("ctrl+u", *"bac", "space", *"ibm", "up", "ctrl+u", *"banks", "enter")
    await house.until(lambda: symbols(house) == ["BAC", "IBM", "SPY"])


async def edits(house: House) -> None:
    await house.press("e")
    await house.until(lambda: isinstance(house.desk.screen, WatchlistScreen))


def the_list(*symbols: str) -> AssetList:
    return AssetList(
        ListedAsset(Symbol(each), f"Share {each}", "NYSE", is_shortable=True, is_fractionable=True) for each in symbols
    )


async def test_an_unlisted_symbol_joins_no_list(snapshot: SnapshotAssertion) -> None:
    """MD-06: in the search, in the line, and at the engine's own door"""
    async with open_desk() as house:
        house.runtime.assets.keep(the_list("SPY", "IBM"))
        await at_watch(house)
        await house.press("a", *"exx", "enter")
        await house.sees("the broker's list does not have EXX")
        assert isinstance(house.desk.screen, AddSymbolScreen)
        await house.press("ctrl+u", *"ibm", "enter")
        await house.until(lambda: symbols(house) == ["SPY", "IBM"])

        await edits(house)
        await house.press("end", "space", *"exx", "enter")
        await house.sees("the broker's list does not have EXX")
        assert isinstance(house.desk.screen, WatchlistScreen)
        house.desk.handle.send(KeepWatchlist("main", (SPY, Symbol("EXX"))))
        await house.until(lambda: house.facts(WatchlistRefused))
        assert house.facts(WatchlistRefused)[0].reason == snapshot
        assert symbols(house) == ["SPY", "IBM"]


async def test_without_an_asset_list_symbols_join() -> None:
    """MD-06: once the list is there its row says what it is."""
    async with open_desk() as house:
        await at_watch(house)
        await house.press("a", *"exx")
        await house.sees("EXX: it cannot be checked")
        await house.press("enter")
        await house.sees("it was not checked, the broker's list is not here")
        await house.until(lambda: symbols(house) == ["SPY", "EXX"])
        house.runtime.assets.keep(the_list("SPY"))
        await house.press("end")
        await house.sees("EXX: not in the broker's list")


async def test_the_form_is_silent_on_unlisted_symbols() -> None:
    """OP-03"""
    async with open_desk() as house:
        await at_watch(house)
        await house.press("a", *"exx", "enter")
        await house.until(lambda: symbols(house) == ["SPY", "EXX"])
        house.runtime.assets.keep(the_list("SPY"))
        await house.press("end", "n")
        await house.sees("held none; it is not in the broker's list: it cannot be bought here")
        assert not house.shows("fractions trade")


async def test_an_undescribed_symbol_claims_nothing() -> None:
    """OP-03"""
    symbol = replace(a_view().symbols[0], is_described=False)
    async with open_still(a_view(symbols=(symbol,))) as house:
        await house.press("n")
        await house.sees("held none; the broker has not said yet how it trades")
        assert not house.shows("whole shares only")
        assert not house.shows("fractions trade")


async def test_quote_columns_show_where_they_fit() -> None:
    """MD-06: in the shipped layout for watching, at 120 columns and at 200"""
    row = replace(
        two_lists().rows[1],
        quote=Quote(IBM, AT, usd("182.10"), Quantity(Decimal(100)), usd("182.13"), Quantity(Decimal(100)), Feed.IEX),
        volume=Quantity(Decimal(1_240_000)),
    )
    view = a_view(watch=replace(two_lists(), rows=(two_lists().rows[0], row, two_lists().rows[2])))
    async with open_still(view) as house:
        await house.press("L")
        await at_watch(house)
        await house.sees("8 Watch ─ main of 2 lists")
        await house.until(lambda: header(house) == ["SYM", "BID", "ASK", "LAST", "CHANGE", "TODAY", "HELD"])
        await house.sees("182.10 182.13", "▲ +0.80 %", "27 2 ord")
    async with open_still(view, (200, 60)) as house:
        await at_watch(house)
        await house.press("z")
        await house.sees("1.24M")
        assert header(house) == ["SYM", "BID", "ASK", "LAST", "USD", "CHANGE", "TODAY", "VOLUME", "HELD"]
        await house.sees("+1.45 ▲ +0.80 %", "−0.35 ▼ −0.21 %")


def header(house: House) -> list[str]:
    return [column.title.strip() for column in watch_of(house).grid._columns]


@each(
    ("room", "text"),
    [
        (20, "100 2 ord ! ex Tue"),
        (14, "100 2 ord ! ex"),
        (11, "100 2o ! ex"),
        (8, "100 2o !"),
        (5, "100 !"),
        (4, "! 100"),
    ],
)
def test_what_waits_is_cut_at_no_width(room: int, text: str) -> None:
    """MD-06"""
    row = WatchRow(AIG, held=Quantity(Decimal(100)), working=2, exit_waits=True)

    assert _has(row, "ex Tue", room).text == text


async def test_the_edge_counts_hidden_words() -> None:
    """MD-06: at 40 cells"""
    rings = ("change at +1.00 %", "price above 190.00")
    row = replace(two_lists().rows[1], alerts=rings, proposed=True)
    view = a_view(watch=replace(two_lists(), rows=(two_lists().rows[0], row, two_lists().rows[2])))
    async with open_still(view) as house:
        await at_watch(house)
        assert watch_of(house).size.width < 42
        await house.press("down")
        await house.sees("IBM: entry waits for your key +3")
        await house.press("enter")
        await house.sees("change at +1.00 %", "price above 190.00")


@each(
    ("room", "text"),
    [
        (34, "IBM: one thing, another, a third"),
        (26, "IBM: one thing, another +1"),
        (25, "IBM: one thing +2"),
        (16, "IBM: +3, Enter"),
    ],
)
def test_only_whole_words_are_shown(room: int, text: str) -> None:
    """MD-06"""
    assert whole_words("IBM: ", ["one thing", "another", "a third"], room) == text


async def test_a_burst_after_a_number_confirms_nothing() -> None:
    """OP-04"""
    async with open_still(a_view(watch=two_lists())) as house:
        await house.press("8", "a", "B", "x", "enter")
        await house.wait(0.2)
        assert not [c for c in house.handle.commands if not isinstance(c, KeepWatchlist)]
