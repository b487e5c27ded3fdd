"""The watch pane with its real keys: its list is typed, turned, added to; keys act on what is selected (MD-06)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from console.screens.new_order import NewOrderScreen
from console.screens.position_exits import CloseScreen
from console.screens.reading import DetailScreen
from console.screens.watchlist import AddSymbolScreen, WatchlistScreen
from core.facts import WatchlistKept, WatchlistRefused
from core.messages.desk_commands import KeepWatchlist
from core.model.bar import Feed, Quote
from core.model.reference_data import AssetList, ListedAsset
from core.model.values import Price, Quantity, Symbol
from core.views import WatchlistRow, WatchRow, WatchView
from tests.desk.desk_house import SPY, House, open_desk
from tests.desk.hands import held_back
from tests.desk.still_house import StillHouse, a_position, a_view, open_still, the_engines_view
from tests.kit.rows import each
from widgets.watch import Watch, _has, whole_words

SIZES = [(80, 24), (200, 60)]
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


async def test_a_watch_row_shows_price_change_and_held() -> None:
    """MD-06, OP-04: lists turn both ways, and the selection follows its symbol, not its row"""
    async with open_still(a_view(watch=two_lists()), SIZES[0]) as house:
        await at_watch(house)
        for size in SIZES:
            await house.pilot.resize_terminal(*size)
            await house.sees("8 Watch ─ main of 2 lists, 2", "166.76", "▼ −0.21 %", "▲ +0.80 %", "27")
            assert symbols(house) == [SPY, IBM]
        await house.press("down")
        await house.sees("IBM: 2 working")
        await house.press(">")
        await house.sees("8 Watch ─ banks of 2 lists, 1")
        assert symbols(house) == [SPY]
        await house.press("<", "<")
        await house.sees("8 Watch ─ held, 2", "100 EXIT")
        assert symbols(house) == [IBM, AIG], "what is held or waits has a list of its own, the first"
        await house.press("d", "e")
        assert len(house.desk.screen_stack) == 1
        await house.press(">")
        await house.sees("8 Watch ─ main of 2 lists, 2")
        await house.press("end")
        await house.press("a", "B", "x", "enter")  # a burst after a number confirms nothing
        await house.wait(0.2)
        assert not [c for c in house.handle.commands if not isinstance(c, KeepWatchlist)]
        await house.press("escape")

        assert watch_of(house).grid.selected == IBM
        view = two_lists()
        await house.shows_next(watch=replace(view, lists=(WatchlistRow("main", (AIG, SPY, IBM)), *view.lists[1:])))
        assert watch_of(house).grid.selected == IBM
        assert symbols(house) == [AIG, SPY, IBM]
        await house.shows_next(watch=WatchView((WatchlistRow("main", ()),)))
        await house.sees("Nothing is watched. a adds a symbol.")


async def test_enter_n_and_c_act_on_the_selected_symbol() -> None:
    """MD-06"""
    async with open_still(a_view(watch=two_lists(), positions=(a_position("IBM"),)), SIZES[0]) as house:
        await at_watch(house)
        await house.press("down")
        await opens(house, "enter", DetailScreen, "close before")
        await opens(house, "n", NewOrderScreen, "IBM")
        await opens(house, "c", CloseScreen, "Close ─ IBM")
        await house.press("up", "c")
        await house.sees("nothing of SPY is held")
        assert len(house.desk.screen_stack) == 1


async def opens(house: StillHouse, key: str, kind: type, said: str) -> None:
    await house.press(key)
    await house.until(lambda: isinstance(house.desk.screen, kind) and house.shows(said))
    await house.press("escape")
    await house.until(lambda: len(house.desk.screen_stack) == 1)


async def test_typed_symbols_join_or_are_refused() -> None:
    """MD-06: through the real engine, which writes it down; a list is edited as a line"""
    async with open_desk() as house:
        await at_watch(house)
        await house.press("a")
        await house.until(lambda: isinstance(house.desk.screen, AddSymbolScreen))
        await house.press("3", "x", "enter")
        await house.sees("is not how a share is written")
        await house.press("backspace", "backspace", "i", "b", "m", "enter")
        await house.until(lambda: symbols(house) == ["SPY", "IBM"])
        assert [fact.symbols for fact in house.facts(WatchlistKept)] == [("SPY", "IBM")]

        await edits(house)
        await house.press("ctrl+u", *"spy qqq", "space", *"bac", "enter")
        await house.until(lambda: symbols(house) == ["SPY", "QQQ", "BAC"])
        await edits(house)
        await house.press("ctrl+u")
        await house.sees("Enter asks whether this list is removed")
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        assert symbols(house) == ["SPY", "QQQ", "BAC"]
        assert house.sent_nothing()


async def test_d_takes_the_selected_symbol_off_its_list() -> None:
    """MD-06: the selection goes to its neighbour; the last one stays, and so does what is held"""
    async with open_still(a_view(watch=two_lists())) as house:
        sent = held_back(house, KeepWatchlist)
        await at_watch(house)
        await house.press("d")
        assert sent == [KeepWatchlist("main", (IBM,))]
        assert watch_of(house).grid.selected == IBM
        await house.press(">", "d")
        await house.until(lambda: "SPY is the last one of banks" in house.footer())
        await house.press("<", "<", "d")
        await house.until(lambda: "is listed while it is held" in house.footer())
        assert len(sent) == 1


async def test_a_name_finds_its_symbol() -> None:
    """MD-06, OP-01: the list is the engine's, and stands in no picture; a new order takes what is found"""
    async with open_desk() as house:
        await at_watch(house)
        await house.press("a", *"zzz")
        await house.sees("The broker's list is not here yet; type a whole symbol")
        house.runtime.assets.keep(the_list(AAPL="Apple Inc.", APLE="Apple Hospitality REIT", IBM="Business Machines"))
        await house.sees("Nothing that the broker trades has that symbol or name")
        await house.press("ctrl+u", *"apple")
        await house.sees("▸ AAPL", "Apple Inc.", "NYSE", "  APLE", "Apple Hospitality REIT")
        await house.press("down")
        await house.sees("  AAPL", "▸ APLE")
        await house.press("enter")
        await house.until(lambda: symbols(house) == ["SPY", "APLE"])

        await house.press("n", "/", *"mach")
        await house.sees("▸ IBM", "Business Machines")
        await house.press("enter")
        await house.until(lambda: isinstance(house.desk.screen, NewOrderScreen))
        form = house.desk.screen
        assert isinstance(form, NewOrderScreen)
        assert (form.inputs["symbol"].value, form.focused_field()) == ("IBM", "quantity")
        assert house.sent_nothing()


async def test_replacing_or_removing_a_list_asks_first() -> None:
    """MD-06: the first list that is kept makes none vanish, and nothing vanishes without a word."""
    async with open_desk() as house:
        await at_watch(house)
        await edits(house)
        await house.press("ctrl+u", *"bac", "space", *"ibm", "up", "ctrl+u", *"banks", "enter")
        await house.until(lambda: symbols(house) == ["BAC", "IBM"])
        await house.sees("8 Watch ─ banks of 2 lists, 2")
        await house.press("<")
        await house.sees("8 Watch ─ main of 2 lists, 1")
        assert symbols(house) == ["SPY"]
        await edits(house)
        await house.press("ctrl+u", "enter")
        await house.sees("main are the symbols of the settings: it stays")
        assert isinstance(house.desk.screen, WatchlistScreen)
        await house.press(*"spy", "up", "ctrl+u", *"banks", "enter")
        await house.sees("Replace the list banks?", "It has BAC, IBM.", "From then on: SPY.")
        assert len(house.facts(WatchlistKept)) == 1
        await house.press("escape", "escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)

        await house.press(">")
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


async def edits(house: House) -> None:
    await house.press("e")
    await house.until(lambda: isinstance(house.desk.screen, WatchlistScreen))


def the_list(**names: str) -> AssetList:
    return AssetList(
        ListedAsset(Symbol(symbol), name, "NYSE", is_shortable=True, is_fractionable=True)
        for symbol, name in names.items()
    )


async def test_an_unlisted_symbol_joins_no_list(snapshot: SnapshotAssertion) -> None:
    """MD-06: in the search, in the line, and at the engine's own door"""
    async with open_desk() as house:
        house.runtime.assets.keep(the_list(SPY="Share SPY", IBM="Share IBM"))
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
    """MD-06, OP-03: once the list is there its row says what it is, and the form claims nothing of it."""
    async with open_desk() as house:
        await at_watch(house)
        await house.press("a", *"exx")
        await house.sees("EXX: it cannot be checked")
        await house.press("enter")
        await house.sees("it was not checked, the broker's list is not here")
        await house.until(lambda: symbols(house) == ["SPY", "EXX"])
        house.runtime.assets.keep(the_list(SPY="Share"))
        await house.press("end")
        await house.sees("EXX: not in the broker's list")
        await house.press("n")
        await house.sees("held none; it is not in the broker's list: it cannot be bought here")
        assert not house.shows("fractionable")


async def test_an_undescribed_symbol_claims_nothing() -> None:
    """OP-03"""
    symbol = replace(a_view().symbols[0], is_described=False)
    async with open_still(a_view(symbols=(symbol,))) as house:
        await house.press("n")
        await house.sees("held none; the broker has not said yet how it trades")
        assert not house.shows("whole shares only")
        assert not house.shows("fractionable")


async def test_quote_columns_show_where_they_fit() -> None:
    """MD-06: in the shipped layout for watching, at 120 columns and at 200"""
    rings = ("change at +1.00 %", "price above 190.00")
    row = replace(
        two_lists().rows[1],
        quote=Quote(IBM, AT, usd("182.10"), Quantity(Decimal(100)), usd("182.13"), Quantity(Decimal(100)), Feed.IEX),
        volume=Quantity(Decimal(1_240_000)),
    )
    first, _, last = two_lists().rows
    waits = replace(two_lists(), rows=(first, replace(row, alerts=rings, proposed=True), last))
    async with open_still(a_view(watch=waits)) as house:
        await at_watch(house)
        assert watch_of(house).size.width < 42
        await house.press("down")
        await house.sees("IBM: entry waits for your key +3")  # hidden words are counted
        await house.press("enter")
        await house.sees(*rings)
        await house.press("escape", "L")
        await house.shows_next(watch=replace(waits, rows=(first, row, last)))
        await at_watch(house)
        await house.sees("8 Watch ─ main of 2 lists")
        await house.until(lambda: header(house) == ["SYM", "BID", "ASK", "LAST", "CHANGE", "TODAY", "HELD"])
        await house.sees("182.10 182.13", "▲ +0.80 %", "27 2 ord")
        await house.pilot.resize_terminal(200, 60)
        await house.press("z")
        await house.sees("1.24M")
        assert header(house) == ["SYM", "BID", "ASK", "LAST", "USD", "CHANGE", "TODAY", "VOLUME", "HELD"]
        await house.sees("+1.45 ▲ +0.80 %", "−0.35 ▼ −0.21 %")


def header(house: House) -> list[str]:
    return [column.title.strip() for column in watch_of(house).grid._columns]


@each(
    ("room", "text"),
    [
        (30, "100 2 orders EXIT WAITS ex Tue"),
        (27, "100 2 ord EXIT WAITS ex Tue"),
        (22, "100 2 ord EXIT ex Tue"),
        (14, "100 2 ord EXIT"),
        (8, "100 EXIT"),
        (7, "100 !"),
        (5, "100 !"),
        (4, "! 100"),
    ],
)  # fmt: skip
def test_what_waits_is_cut_at_no_width(room: int, text: str) -> None:
    """MD-06"""
    row = WatchRow(AIG, held=Quantity(Decimal(100)), working=2, exit_waits=True)

    assert _has(row, "ex Tue", room).text == text


@each(
    ("room", "text"),
    [
        (34, "IBM: one thing, another, a third"), (26, "IBM: one thing, another +1"), (25, "IBM: one thing +2"),
        (16, "one thing +2"), (11, "Enter tells more"),
    ],
)  # fmt: skip
def test_only_whole_words_are_shown(room: int, text: str) -> None:
    """MD-06"""
    assert whole_words("IBM: ", ["one thing", "another", "a third"], room) == text
    assert whole_words("IBM: ", ["one thing that is too long for it"], 30) == "IBM: Enter tells 1 more"
