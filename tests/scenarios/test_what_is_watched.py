"""Watchlists: kept, refused, followed, and shown; and nothing is decided by them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from core.facts import BarClosed, PastDaysLoaded, WatchlistKept, WatchlistRefused
from core.messages.commands import KeepWatchlist, LookAt
from core.messages.inputs import PastArrived, SymbolsLookedUp
from core.model.broker import NoAnswer
from core.model.past_days import PastDay, PastDays
from core.model.values import Price, Quantity, Symbol
from core.runtime.followed_symbols import followed
from core.settings.settings import Settings
from core.views.builders.watch import watch_view
from core.views.watch import WatchRow
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt, minutes
from tests.unit.core.brokers.trading_floor import IBM, SPY, THURSDAY

QQQ = Symbol("QQQ")
TYPED = replace(a_typed_buy("0.2", "51", "45"), symbol=IBM)


def a_house() -> House:
    bars = [*minutes("09:30", "10:20"), *minutes("09:30", "10:20", "50", symbol=IBM)]
    return House(sorted(bars, key=lambda bar: bar.start), Settings.model_validate({"symbols": ["SPY"]})).opens()


def the_row(house: House, symbol: Symbol) -> WatchRow:
    rows = {row.symbol: row for row in watch_view(house.desk, house.line.at).rows}
    return rows[symbol]


def test_before_any_list_was_kept_there_is_one_of_the_symbols_of_the_settings() -> None:
    """MD-06"""
    view = watch_view(a_house().desk, a_house().line.at)

    assert [(each.name, each.symbols) for each in view.lists] == [("main", (SPY,))]
    assert view.joined == ()


def test_a_list_is_kept_in_its_order_and_outlives_a_restart() -> None:
    """MD-06, EX-20"""
    house = a_house().until("09:40")
    house.presses(KeepWatchlist("tech", (QQQ, IBM)))
    house.presses(KeepWatchlist("main", (SPY, IBM)))
    house.presses(KeepWatchlist("main", (SPY, IBM)))
    house.restarted()

    assert [fact.name for fact in house.facts(WatchlistKept)] == ["tech", "main"]
    view = watch_view(house.desk, house.line.at)
    assert {each.name: each.symbols for each in view.lists} == {"tech": (QQQ, IBM), "main": (SPY, IBM)}
    assert [row.symbol for row in view.rows] == [QQQ, IBM, SPY]
    assert_can_be_rebuilt(house)


def test_a_list_that_cannot_be_kept_is_refused_with_its_reason_and_the_old_one_stays() -> None:
    """MD-06"""
    house = a_house().until("09:40")
    house.presses(KeepWatchlist("main", (SPY, IBM)))
    house.presses(KeepWatchlist("main", (SPY, Symbol("btc/usd"))))

    assert "btc/usd" in house.last(WatchlistRefused).reason
    assert house.desk.watchlists.symbols == (SPY, IBM)


def test_a_list_without_symbols_is_none_any_more() -> None:
    """MD-06"""
    house = a_house().until("09:40")
    house.presses(KeepWatchlist("tech", (QQQ,)))
    house.presses(KeepWatchlist("tech", ()))

    assert house.desk.watchlists.symbols == ()
    assert watch_view(house.desk, house.line.at).rows == ()


def test_what_is_watched_is_followed_after_what_is_traded_and_held() -> None:
    """MD-06, RK-08: a plan with room for fewer lacks the last ones."""
    house = a_house().until("09:40")
    house.presses(KeepWatchlist("main", (QQQ, SPY)))
    house.desk.sightings.held_by_the_broker = {IBM: Quantity(Decimal(1))}

    assert followed(house.desk) == (SPY, IBM, QQQ)


def test_the_minutes_of_what_is_only_watched_are_seen_and_not_recorded() -> None:
    """MD-06: nothing is decided by them."""
    house = a_house()
    house.presses(KeepWatchlist("main", (SPY, IBM)))
    house.until("10:00")

    assert {fact.bar.symbol for fact in house.facts(BarClosed)} == {SPY}
    row = the_row(house, IBM)
    assert (row.last, row.last_at) == (Price(Decimal(50)), house.line.at)
    assert row.volume > 0
    assert set(row.course) == {Price(Decimal(50))}


def test_what_is_watched_and_traded_is_recorded_as_ever() -> None:
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


def test_a_symbol_that_no_list_names_joins_while_something_of_it_waits_or_works() -> None:
    """MD-06, DESK: positions and proposals join by themselves."""
    house = a_house().until("10:00")
    house.presses(LookAt(IBM))
    house.until("10:00:02").presses(TYPED)

    view = watch_view(house.desk, house.line.at)
    assert view.joined == (IBM,)
    assert [row.proposed for row in view.rows if row.symbol == IBM] == [True]


def test_the_days_before_of_what_is_only_watched_are_its_close_and_no_record() -> None:
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


def test_what_is_added_in_the_middle_of_a_session_has_its_day_from_the_open() -> None:
    """MD-06: what is heard meanwhile counts once."""
    house = a_house().until("10:00")
    past = minutes("09:30", "10:02", "50", symbol=IBM)
    house.line.history = lambda asked: tuple(bar for bar in past if bar.symbol in asked.symbols)
    house.presses(KeepWatchlist("main", (IBM,)))
    house.until("10:05")

    assert the_row(house, IBM).volume == sum(bar.volume for bar in minutes("09:30", "10:04", "50", symbol=IBM))


def test_a_history_that_does_not_come_is_asked_for_again() -> None:
    """MD-06"""
    house = a_house().until("10:00")
    house.presses(KeepWatchlist("main", (IBM,)))
    house.until("10:00:10")
    house.line.take(house.line.at, SymbolsLookedUp((IBM,), (), NoAnswer("away")))
    past = minutes("09:30", "09:59", "50", symbol=IBM)
    house.line.history = lambda asked: tuple(bar for bar in past if bar.symbol in asked.symbols)
    house.until("10:02")

    assert the_row(house, IBM).volume == sum(bar.volume for bar in minutes("09:30", "10:01", "50", symbol=IBM))
