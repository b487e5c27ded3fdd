"""`+` on a symbol with its real keys: what is typed is what is rung for; what rings is said once (MD-06)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from console.screens.watchlist import AlertScreen, Drop, read_alert
from core.facts import AlertDropped, AlertKept
from core.model.alert import Alert, AlertKind, AlertTerms
from core.model.bar import Feed, Quote
from core.model.news import NewsView
from core.model.text_sanitizer import ALERT
from core.model.values import Price, Quantity, Symbol
from core.views import LogRow, WatchlistRow, WatchRow, WatchView
from tests.desk.desk_house import open_desk
from tests.desk.still_house import a_position, a_view, open_still
from tests.kit.rows import each

SPY, IBM = Symbol("SPY"), Symbol("IBM")
LAST = Price(Decimal("182.10"))


def at(level: str, kind: AlertKind = AlertKind.PRICE, *, is_above: bool = True) -> AlertTerms:
    return AlertTerms(IBM, kind, Decimal(level), is_above)


@each(
    ("typed", "meant"),
    [
        ("182.50", at("182.50")), ("180", at("180", is_above=False)), ("> 180", at("180")),
        ("<190", at("190", is_above=False)), ("+2%", at("0.02", AlertKind.CHANGE)),
        ("1.5%", at("0.015", AlertKind.CHANGE)), ("-2%", at("-0.02", AlertKind.CHANGE, is_above=False)),
        ("-5", at("-0.05", AlertKind.CHANGE, is_above=False)), ("+2", at("0.02", AlertKind.CHANGE)),
        ("spread 0.1%", at("0.001", AlertKind.SPREAD)), ("s 0.1%", at("0.001", AlertKind.SPREAD)),
        ("volume 5m", at("5000000", AlertKind.VOLUME)), ("v 1,500", at("1500", AlertKind.VOLUME)),
        ("v 20k", at("20000", AlertKind.VOLUME)), ("Fill", AlertTerms(IBM, AlertKind.FILL)),
        ("h", AlertTerms(IBM, AlertKind.HALT)), ("n", AlertTerms(IBM, AlertKind.NEWS)), ("news 3", "has no level"),
        ("drop 12", Drop(12)), ("fill 3", "fill has no level"),
        ("spread 3", "needs its level"), ("volume", "needs its level"), ("drop", "its number"),
        ("drop x", "its number"), ("drop 99999", "its number"), ("+%", "typed as +2%"), ("moon", "one of"),
        ("1e9", "one of"), ("", "one of"),
    ],
)  # fmt: skip
def test_typed_alerts_are_read_or_refused(typed: str, meant: AlertTerms | Drop | str) -> None:
    read = read_alert(IBM, typed, LAST)
    if isinstance(meant, str):
        assert isinstance(read, str)
        assert meant in read
    else:
        assert read == meant


def test_a_bare_price_needs_one_to_compare_with(snapshot: SnapshotAssertion) -> None:
    assert str(read_alert(IBM, "182", None)) == snapshot
    assert read_alert(IBM, ">182", None) == at("182")


async def test_plus_adds_an_alert_and_drop_removes_it() -> None:
    """Through the real engine, which writes it down."""
    async with open_desk() as house:
        await house.press("8", "+")
        await house.until(lambda: isinstance(house.desk.screen, AlertScreen))
        await house.press(*"+2%", "enter")
        await house.sees("SPY: alert when change at +2.00 % or above", "1 alert")
        assert [fact.alert.number for fact in house.facts(AlertKept)] == [1]
        await house.press("+")
        await house.sees("Alerts:", "change at +2.00 % or above")
        await house.press(*"drop 2", "enter")
        await house.sees("there is no alert 2 on SPY")
        await house.press("backspace", "1", "enter")
        await house.sees("SPY: alert removed: change at +2.00 % or above")
        assert [fact.alert.number for fact in house.facts(AlertDropped)] == [1]
        assert house.sent_nothing()


async def test_the_form_previews_the_alert() -> None:
    row = WatchRow(IBM, last=LAST, before=Price(Decimal("180.65")), alerts=("price at 190.00 or above",))
    watch = WatchView((WatchlistRow("main", (IBM,)),), (row,))
    kept = Alert(3, at("190"))
    view = a_view(watch=watch, alerts=(kept,), positions=(a_position("IBM"),))
    async with open_still(view, (80, 24)) as house:
        await house.press("2", "+")
        for size in ((80, 24), (200, 60)):
            await house.pilot.resize_terminal(*size)
            await house.sees("Alert on IBM", "last 182.10, +0.80 % today", "3  price at 190.00 or above")
        await house.press(*"185")
        await house.sees("Enter: alert when price at 185.00 or above")
        await house.press("backspace", "backspace", "backspace", *"190")
        await house.sees("there is one like it already")
        await house.press("enter", "backspace", "backspace", "backspace", *">180")
        await house.sees("price is 182.10: it would ring at once")
        await house.press("enter")
        assert house.handle.commands == []


@pytest.mark.parametrize(("feed", "is_named"), [(Feed.IEX, True), (Feed.SIP, False)])
async def test_a_volume_of_one_exchange_is_named(feed: Feed, *, is_named: bool) -> None:
    """MD-01: in the preview of an alert and in the details of the symbol"""
    size, now = Quantity(Decimal(1)), a_view().status.at
    quote = Quote(IBM, now, LAST, size, LAST, size, feed)
    row = WatchRow(IBM, quote=quote, last=LAST, last_at=now, volume=Quantity(Decimal(1200)))
    watch = WatchView((WatchlistRow("main", (IBM,)),), (row,))
    async with open_still(a_view(watch=watch, positions=(a_position("IBM"),)), (120, 40)) as house:
        await house.press("2", "+", *"volume 5m")
        await house.sees("Enter: alert when volume at 5,000,000 shares or above")
        assert house.shows("IEX alone") is is_named
        await house.press("escape", "8", "enter")
        await house.sees("volume today")
        assert house.shows("IEX alone") is is_named


async def test_many_alerts_are_paged() -> None:
    """MD-06: numbers are counted over all symbols"""
    watch = WatchView((WatchlistRow("main", (IBM,)),), (WatchRow(IBM, last=LAST),))
    kept = tuple(Alert(number, at(str(190 + number))) for number in range(40, 64))
    async with open_still(a_view(watch=watch, alerts=kept, positions=(a_position("IBM"),)), (80, 24)) as house:
        await house.press("2", "+")
        await house.sees("drop 40", "45  price", "1 to 6 of 24")
        assert not house.shows("drop 1 ")
        await house.press("down")
        await house.sees("46  price", "51  price", "7 to 12 of 24")
        await house.press("up", "up")
        await house.sees("58  price", "63  price", "19 to 24 of 24")
        await house.press(*"999999999999999999999")
        await house.sees("too large: 999,999,999 at the most")
        await house.press("enter")
        await house.wait(0.2)
        assert house.picture().count("too large") == 1


async def test_a_fired_alert_is_announced_once() -> None:
    rang = LogRow(9, a_view().status.at, "alert", "ALERT: IBM price is 190.02", ALERT)
    async with open_still(a_view(rung=4, log=(rang,))) as house:
        await house.sees("6 Log")
        assert not house.footer().strip().startswith("ALERT")
        again = replace(rang, sequence=10, text="ALERT: IBM price is 171.00")
        await house.shows_next(rung=5, log=(rang, again))
        await house.until(lambda: "ALERT: IBM price is 171.00" in house.footer())


@pytest.mark.parametrize(
    ("news", "said"),
    [(NewsView(), "no news from the simulated market"), (NewsView(note=""), "Enter: alert when news of it")],
)
async def test_an_alert_on_news_needs_a_source(news: NewsView, said: str) -> None:
    """MD-06: what the engine would refuse is said before"""
    watch = WatchView((WatchlistRow("main", (IBM,)),), (WatchRow(IBM, last=LAST),))
    async with open_still(a_view(watch=watch, positions=(a_position("IBM"),), news=news), (80, 24)) as house:
        await house.press("2", "+", *"news")
        await house.sees(said)
