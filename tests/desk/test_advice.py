"""`A`: what agents say is read, an adopted draft is taken back, and nothing is sent."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from console.screens.advice import AdviceScreen
from core.messages.commands import DropRecommendation
from core.messages.inputs import AgentSaid, Priority
from core.model.recommendation import Recommendation
from core.model.values import Price, Quantity, Symbol
from core.views import AdviceRow, AdviceView
from tests.desk.desk_house import open_desk
from tests.desk.still_house import a_view, open_still, the_engines_view

SPY = Symbol("SPY")


def a_text(text: str = "SPY was refused again and again") -> AdviceRow:
    at = the_engines_view().status.at
    return AdviceRow("1", "watchman", at - timedelta(minutes=3), text, at + timedelta(minutes=57))


def an_adopted_draft() -> AdviceRow:
    ends = the_engines_view().status.at + timedelta(minutes=12)
    entry, stop, target = (Price(Decimal(text)) for text in ("496.00", "494.00", "500.00"))
    told = Recommendation("momentum", SPY, entry, stop, target, Quantity(Decimal(3)), ends, "claude")
    return AdviceRow("momentum/SPY", "claude", None, "momentum: 3 SPY at 496.00", ends, told)


def advised(*rows: AdviceRow) -> AdviceView:
    return AdviceView(rows, ("watchman", "claude"))


async def test_texts_are_shown_with_name_and_age() -> None:
    """OP-09, SY-06: without agents the list says how to get one"""
    async with open_still(a_view(), (80, 24)) as house:
        await house.press("A")
        assert isinstance(house.desk.screen, AdviceScreen)
        await house.sees("No agent is set up.", "keyturn agents add NAME")
        await house.press("escape")
        assert not isinstance(house.desk.screen, AdviceScreen)

        await house.shows_next(advice=advised(a_text("[bold]narrow[/bold]")))
        await house.press("A")
        await house.sees("watchman", "3 m", "[bold]narrow[/bold]")
        await house.press("enter", "x")
        assert isinstance(house.desk.screen, AdviceScreen)
        await house.sees("there is nothing to take back")
        assert house.handle.commands == []


async def test_a_text_of_an_agent_reaches_the_list() -> None:
    """OP-09"""
    async with open_desk() as house:
        runtime = house.runtime
        said = AgentSaid("watchman", "SPY was refused again and again")
        runtime._later(runtime.at, Priority.MARKET, lambda: runtime.take(runtime.at, said))
        runtime.wake()
        await house.press("A")
        await house.sees("No agent is set up.")
        assert house.sent_nothing()


async def test_an_adopted_draft_is_taken_back() -> None:
    """ST-04, OP-04"""
    async with open_still(a_view(advice=advised(an_adopted_draft(), a_text()))) as house:
        await house.press("A")
        await house.sees("ADOPTED", "momentum evaluates it at its next bars")
        await house.press("x")
        await house.sees("Take this draft back?")
        await house.wait(0.6)
        await house.press("D")
        await house.until(lambda: house.handle.commands)
        assert house.handle.commands == [DropRecommendation("momentum", SPY)]
