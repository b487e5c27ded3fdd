"""Watchlists: kept, refused, followed, and shown; and nothing is decided by them."""

from __future__ import annotations

import math
import tomllib
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from shutil import rmtree

from syrupy.assertion import SnapshotAssertion

from core.facts import BarClosed, PastDaysLoaded, WatchlistKept, WatchlistRefused
from core.messages.desk_commands import KeepWatchlist, LookAt
from core.messages.inputs import PastArrived, SymbolsLookedUp
from core.model.account import Channel, ConnectionState, ConnectionStatus
from core.model.broker import NoAnswer
from core.model.reference_data import PastDay, PastDays
from core.model.values import Price, Quantity, Symbol
from core.runtime.reference_data import followed
from core.settings.settings import Settings
from core.views.builders.symbols import watch_view
from core.views.rows import WatchRow
from state.files import AccountFolder
from state.home_files import WatchlistFiles
from state.housekeeping import Housekeeping
from state.kill_switch import FileKillSwitch
from tests.scenarios.changes import ABOVE, confirms_now
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.scenarios.test_bracket_legs import a_house as a_house_at_the_broker
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY

QQQ = Symbol("QQQ")
TYPED = replace(a_typed_buy("0.2", "51", "45"), symbol=IBM)


def a_house() -> House:
    bars = [*minutes("09:30", "10:20"), *minutes("09:30", "10:20", "50", symbol=IBM)]
    return House(sorted(bars, key=lambda bar: bar.start), Settings.model_validate({"symbols": ["SPY"]})).opens()


def the_row(house: House, symbol: Symbol) -> WatchRow:
    rows = {row.symbol: row for row in watch_view(house.desk, house.line.at).rows}
    return rows[symbol]


def test_a_list_keeps_its_order_over_a_restart() -> None:
    """MD-06, EX-20"""
    house = a_house().until("09:40")
    house.presses(KeepWatchlist("tech", (QQQ, IBM)))
    house.presses(KeepWatchlist("main", (SPY, IBM)))
    house.presses(KeepWatchlist("main", (SPY, IBM)))
    house.restarted()

    assert [fact.name for fact in house.facts(WatchlistKept)] == ["tech", "main"]
    view = watch_view(house.desk, house.line.at)
    assert {each.name: each.symbols for each in view.lists} == {"tech": (QQQ, IBM), "main": (SPY, IBM)}
    assert [row.symbol for row in view.rows] == [SPY, IBM, QQQ]
    assert_can_be_rebuilt(house)


def test_an_invalid_list_is_refused_and_the_old_one_stays() -> None:
    """MD-06"""
    house = a_house().until("09:40")
    house.presses(KeepWatchlist("main", (SPY, IBM)))
    house.presses(KeepWatchlist("main", (SPY, Symbol("btc/usd"))))

    assert "btc/usd" in house.last(WatchlistRefused).reason
    assert house.desk.watchlists.symbols == (SPY, IBM)


def test_a_kept_main_list_replaces_that_of_the_settings() -> None:
    """MD-06"""
    house = a_house().until("09:40")
    house.presses(KeepWatchlist("banks", (IBM,)))
    house.presses(KeepWatchlist("main", (QQQ,)))
    assert lists_of(house) == {"main": (QQQ,), "banks": (IBM,)}

    house.presses(KeepWatchlist("main", ()))
    assert lists_of(house) == {"main": (SPY,), "banks": (IBM,)}


def test_a_list_is_filed_before_the_journal_has_it(tmp_path: Path) -> None:
    """MD-06"""
    house = a_house().until("09:40")
    files = with_files(house, tmp_path)
    was_there: list[bool] = []
    house.desk.add_listener(lambda _n, _at, fact: was_there.append((tmp_path / "watchlists/banks.toml").exists()))
    house.presses(KeepWatchlist("banks", (IBM, QQQ)))

    kept = house.last(WatchlistKept)
    assert (kept.symbols, kept.is_filed, was_there[-1]) == ((IBM, QQQ), True, True)
    file = files.folder / "banks.toml"
    assert tomllib.loads(file.read_text()) == {"symbols": ["IBM", "QQQ"]}
    assert (file.stat().st_mode & 0o777, files.folder.stat().st_mode & 0o777) == (0o600, 0o700)
    house.presses(KeepWatchlist("banks", ()))
    assert not file.exists()
    assert_can_be_rebuilt(house)


def test_an_unwritable_list_is_refused(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """MD-06"""
    house = a_house().until("09:40")
    with_files(house, tmp_path)
    (tmp_path / "watchlists").write_text("in the way")
    house.presses(KeepWatchlist("banks", (IBM,)))

    assert house.last(WatchlistRefused).reason.replace(str(tmp_path), "HOME") == snapshot
    assert lists_of(house) == {"main": (SPY,)}


def test_the_files_hold_for_every_account(tmp_path: Path) -> None:
    """MD-06: by hand too; a file that goes takes its list with it."""
    house, other = a_house().until("09:40"), a_house().until("09:40")
    files = with_files(house, tmp_path)
    house.presses(KeepWatchlist("banks", (IBM,)))
    (files.folder / "tech.toml").write_text('symbols = ["qqq"]')
    looks(other, tmp_path)
    assert lists_of(other) == {"main": (SPY,), "banks": (IBM,), "tech": (QQQ,)}

    looks(other, tmp_path)
    assert len(other.facts(WatchlistKept)) == 2, "what is known is no news"
    (files.folder / "banks.toml").unlink()
    looks(other, tmp_path)
    assert lists_of(other) == {"main": (SPY,), "tech": (QQQ,)}
    assert_can_be_rebuilt(other)


def test_older_lists_get_files_and_none_is_lost(tmp_path: Path) -> None:
    """MD-06"""
    house = a_house().until("09:40")
    house.presses(KeepWatchlist("banks", (IBM,)))
    house.presses(KeepWatchlist("tech", (QQQ,)))
    folder = tmp_path / "watchlists"
    folder.mkdir()
    (folder / "tech.toml").write_text('symbols = ["SPY"]')
    looks(house, tmp_path)

    assert lists_of(house) == {"main": (SPY,), "banks": (IBM,), "tech": (SPY,), "tech-2": (QQQ,)}
    assert sorted(file.name for file in folder.iterdir()) == ["banks.toml", "tech-2.toml", "tech.toml"]


def test_a_lost_folder_takes_no_list_with_it(tmp_path: Path) -> None:
    """MD-06"""
    house = a_house().until("09:40")
    files = with_files(house, tmp_path)
    house.presses(KeepWatchlist("banks", (IBM,)))
    rmtree(files.folder)
    looks(house, tmp_path)

    assert lists_of(house) == {"main": (SPY,), "banks": (IBM,)}
    assert (files.folder / "banks.toml").exists()


WRONG_FILES = (
    "symbols = [",
    'symbols = ["btc/usd"]',
    "symbols = [1]",
    "symbols = []",
    'name = "x"',
    'symbols = ["SPY", "SPY"]',
)


def test_an_invalid_file_keeps_its_list_and_the_others(tmp_path: Path, snapshot: SnapshotAssertion) -> None:
    """MD-06"""
    house = a_house().until("09:40")
    files = with_files(house, tmp_path)
    house.presses(KeepWatchlist("banks", (IBM,)))
    (files.folder / "tech.toml").write_text('symbols = ["QQQ"]')
    said = []
    for text in WRONG_FILES:
        (files.folder / "banks.toml").write_text(text)
        looks(house, tmp_path)
        said.append(house.engine.notes[-1])
        assert lists_of(house) == {"main": (SPY,), "banks": (IBM,), "tech": (QQQ,)}, text

    assert said == snapshot


def test_a_changing_file_is_read_once_it_is_complete(tmp_path: Path) -> None:
    """MD-06"""
    now = [0.0]
    files = WatchlistFiles(tmp_path / "watchlists", lambda: now[0])

    def sees() -> list[str] | None:
        now[0] += 1.5
        seen = files.look()
        return None if seen is None else [each.name for each in seen.lists]

    assert (sees(), sees()) == ([], None)
    files.write("banks", (IBM,))
    assert (sees(), sees(), sees()) == (None, ["banks"], None)
    (files.folder / "banks.toml").unlink()
    assert (sees(), sees(), sees()) == (None, [], None)


def with_files(house: House, home: Path) -> WatchlistFiles:
    """The house's keeper, with the operator's lists beside the settings."""
    folder = AccountFolder(home / "account")
    files = WatchlistFiles(home / "watchlists")
    switch = FileKillSwitch(folder, {})
    house.line.keeper = Housekeeping(
        folder, switch, lambda: None, lambda _: None, lambda _: "on", None, files, saved_at=math.inf
    )
    return files


def looks(house: House, home: Path) -> None:
    """As at the beat of a start."""
    files = with_files(house, home)
    seen = files.look()
    assert seen is not None
    house.presses(seen)
    for fault in files.faults:
        house.engine.say(fault)


def lists_of(house: House) -> dict[str, tuple[Symbol, ...]]:
    return {each.name: each.symbols for each in watch_view(house.desk, house.line.at).lists}


def test_what_the_broker_holds_is_followed_first() -> None:
    """MD-06, RK-08: also where it is in no list"""
    house = a_house().until("09:40")
    house.presses(KeepWatchlist("main", (QQQ, SPY)))
    house.desk.sightings.held_by_the_broker = {IBM: Quantity(Decimal(1))}

    assert followed(house.desk) == (IBM, SPY, QQQ)


def test_minutes_of_watched_symbols_are_not_recorded() -> None:
    """MD-06: nothing is decided by them."""
    house = a_house()
    house.presses(KeepWatchlist("main", (SPY, IBM)))
    house.until("10:00")

    assert {fact.bar.symbol for fact in house.facts(BarClosed)} == {SPY}
    row = the_row(house, IBM)
    assert (row.last, row.last_at) == (Price(Decimal(50)), house.line.at)
    assert row.volume > 0
    assert set(row.course) == {Price(Decimal(50))}


def test_a_traded_watched_symbol_is_recorded() -> None:
    """MD-06, RK-08: from the order on."""
    house = a_house()
    house.presses(KeepWatchlist("main", (SPY, IBM)))
    house.until("10:00")
    house.presses(TYPED)
    house.opens_ticket()
    house.until("10:00:02").confirms()
    house.until("10:05")

    assert house.held(IBM) == "0.2"
    recorded = [fact.bar.start for fact in house.facts(BarClosed) if fact.bar.symbol == IBM]
    assert [f"{start:%M}" for start in recorded] == ["00", "01", "02", "03", "04"]
    assert the_row(house, IBM).held == Decimal("0.2")


def test_what_is_held_is_followed_before_what_is_watched() -> None:
    """MD-06: the stream may have room for fewer, and the row says which it leaves out"""
    house = a_house().until("10:00")
    house.presses(KeepWatchlist("tech", (QQQ, IBM)))
    assert followed(house.desk) == (SPY, QQQ, IBM)

    house.presses(LookAt(IBM))
    house.until("10:00:02").presses(TYPED)
    assert followed(house.desk) == (IBM, SPY, QQQ)
    house.opens_ticket()
    house.until("10:00:04").confirms()
    house.until("10:05")
    house.desk.sightings.connections[Channel.DATA] = ConnectionStatus(
        Channel.DATA, ConnectionState.UP, house.line.at, polled=(QQQ,)
    )

    assert (house.held(IBM), followed(house.desk)) == ("0.2", (IBM, SPY, QQQ))
    assert [row.symbol for row in watch_view(house.desk, house.line.at).rows if row.is_polled] == [QQQ]


def test_a_symbol_with_a_proposal_joins_the_list() -> None:
    """MD-06, DESK: positions and proposals join by themselves."""
    house = a_house().until("10:00")
    house.presses(LookAt(IBM))
    house.until("10:00:02").presses(TYPED)

    view = watch_view(house.desk, house.line.at)
    assert view.joined == (IBM,)
    assert [row.proposed for row in view.rows if row.symbol == IBM] == [True]


def test_a_waiting_leg_is_no_order_of_its_own() -> None:
    """MD-06: an entry with its stop at the broker is one order that works."""
    house = a_house_at_the_broker(("10:06", "10:08", ABOVE))
    house.until("10:08")
    house.presses(replace(a_typed_buy("15"), limit_price=Price(Decimal("99.55"))))
    confirms_now(house)
    house.until("10:08:20")

    at_work = {order.id: order.parent for order in house.desk.ledger.working()}
    assert (len(at_work), house.held()) == (2, "0"), at_work
    assert the_row(house, SPY).working == 1


def test_past_days_of_watched_symbols_are_not_recorded() -> None:
    """MD-06"""
    house = a_house()
    house.presses(KeepWatchlist("main", (SPY, IBM)))
    house.until("10:00")
    day = PastDay(THURSDAY - timedelta(days=1), Price(Decimal(40)), None)
    for symbol in (SPY, IBM):
        house.line.take(house.line.at, PastArrived(PastDays(symbol, (day,))))

    assert [fact.past.symbol for fact in house.facts(PastDaysLoaded)] == [SPY]
    row = the_row(house, IBM)
    assert (row.before, row.change, row.change_fraction) == (Price(Decimal(40)), Decimal(10), Decimal("0.25"))


def test_an_added_symbol_has_its_day_from_the_open() -> None:
    """MD-06: what is heard meanwhile counts once."""
    house = a_house().until("10:00")
    past = minutes("09:30", "10:02", "50", symbol=IBM)
    house.line.history = lambda asked: tuple(bar for bar in past if bar.symbol in asked.symbols)
    house.presses(KeepWatchlist("main", (IBM,)))
    house.until("10:05")

    assert the_row(house, IBM).volume == sum(bar.volume for bar in minutes("09:30", "10:04", "50", symbol=IBM))


def test_a_missing_history_is_asked_for_again() -> None:
    """MD-06"""
    house = a_house().until("10:00")
    house.presses(KeepWatchlist("main", (IBM,)))
    house.until("10:00:10")
    house.line.take(house.line.at, SymbolsLookedUp((IBM,), (), NoAnswer("away")))
    past = minutes("09:30", "09:59", "50", symbol=IBM)
    house.line.history = lambda asked: tuple(bar for bar in past if bar.symbol in asked.symbols)
    house.until("10:02")

    assert the_row(house, IBM).volume == sum(bar.volume for bar in minutes("09:30", "10:01", "50", symbol=IBM))
