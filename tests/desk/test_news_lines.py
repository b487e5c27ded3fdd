"""Headlines on the desk: in the details of a symbol and on a ticket, behind the mark of foreign text (MD-06)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from rich.cells import cell_len

from core.model.news import EarningsDate, Headline, NewsView, NextEarnings, SymbolNews
from core.model.values import Price, Symbol
from core.views import WatchlistRow, WatchRow, WatchView
from tests.desk.desk_house import open_desk
from tests.desk.still_house import a_position, a_view, open_still
from widgets.lines import joined
from widgets.ticket_text import news_line

IBM = Symbol("IBM")
LONG = "IBM armed " + "word " * 30


def of_ibm(note: str = "") -> NewsView:
    at = a_view().status.at
    articles = (
        Headline("2", at - timedelta(minutes=12), LONG, "benzinga", (IBM,), 1),
        Headline("1", at - timedelta(hours=20), "the day before", "", (IBM,), 9),
    )
    return NewsView(articles, ((IBM, at - timedelta(days=1)),), note)


async def test_the_details_of_a_symbol_list_its_headlines() -> None:
    """MD-06: newest first, each row behind the mark; of what is watched and of what is held"""
    at = a_view().status.at
    row = WatchRow(IBM, last=Price(Decimal(182)), last_at=at)
    watch = WatchView((WatchlistRow("main", (IBM,)),), (row,))
    report = NextEarnings(EarningsDate(IBM, at.date() + timedelta(days=1)), 1, is_near=True)
    view = a_view(watch=watch, positions=(a_position("IBM"),), news=of_ibm("away"), earnings=(report,))
    for pane in ("8", "2"):
        async with open_still(view, (80, 50)) as house:
            await house.press(pane, "enter")
            await house.sees("in 1 session", "2 in 24 h; away", "› benzinga: IBM armed", "› the day before")


async def test_the_details_say_why_there_are_none() -> None:
    """MD-06"""
    watch = WatchView((WatchlistRow("main", (IBM,)),), (WatchRow(IBM),))
    for news, why in ((NewsView(), "no news from the simulated market"), (NewsView((), (), ""), "not fetched yet")):
        async with open_still(a_view(watch=watch, news=news), (80, 40)) as house:
            await house.press("8", "enter")
            await house.sees(why, "earnings unknown")


async def test_a_ticket_without_room_goes_without_its_news() -> None:
    """OP-03: its keys stay on the screen, and no refusal, warning or figure makes way"""
    async with open_desk(size=(80, 24)) as house:
        ticket = await house.opens_the_ticket()
        await house.sees("earnings unknown", "B  buy to open")
        assert not ticket.box.is_cut
        await house.pilot.resize_terminal(80, len(ticket.box.body.lines) + 3)
        await house.wait(0.2)

        assert not house.shows("earnings unknown")
        assert not ticket.box.is_cut


async def test_a_line_of_news_has_its_width() -> None:
    """OP-03: whatever a headline has, also wide characters; without room for it only the count is there"""
    async with open_desk() as house:
        ticket = await house.opens_the_ticket()
        await house.wait(0.1)
        shown, at = ticket._shown, house.desk.engine_now()
        assert shown is not None
    for text in (LONG, "漢" * 90, "x"):
        article = Headline("1", at - timedelta(hours=3), text, "源" * 12, (IBM,), 1)
        view = replace(shown, news=SymbolNews((article,), False, ""))
        for width in range(40, 120, 7):
            (line,) = news_line(view, at, width)
            assert cell_len(joined(line)) <= max(width, 46)
            assert "1+ in 24 h, 3 h ago" in joined(line)
