"""`A`: what advisers say is read, adopted by hand, and never sent by itself."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from console.screens.advice import AdviceScreen
from console.screens.new_order import NewOrderScreen
from core.event_text.orders import idea_in_words
from core.messages.commands import AdoptAdvice, DropRecommendation, ProposeOrder
from core.messages.inputs import FromAdviser, Priority
from core.model.recommendation import Advice, TradeIdea
from core.model.values import Price, Quantity, Symbol
from core.views import AdviceRow, AdviceView
from tests.desk.desk_house import House, open_desk
from tests.desk.still_house import a_view, open_still, the_engines_view

SPY = Symbol("SPY")


def an_idea(strategy: str = "momentum", quantity: str = "3") -> TradeIdea:
    entry, stop, target = (Price(Decimal(text)) for text in ("496.00", "494.00", "500.00"))
    return TradeIdea(strategy, SPY, entry, stop, target, Quantity(Decimal(quantity)))


def an_advice(number: int = 1, idea: TradeIdea | None = None, **parts: Any) -> AdviceRow:
    at = the_engines_view().status.at
    terms: dict[str, Any] = {
        "number": number, "adviser": "watchman", "at": at - timedelta(minutes=3),
        "text": "SPY was refused again and again", "idea": idea,
        "idea_in_words": "" if idea is None else idea_in_words(idea), "expires_at": at + timedelta(minutes=57),
    }  # fmt: skip
    return AdviceRow(**{**terms, **parts})


def hears(house: House, said: FromAdviser) -> None:
    """As the runtime hears an adviser, in its own thread."""
    runtime = house.runtime
    runtime._later(runtime.at, Priority.MARKET, lambda: runtime.take(runtime.at, said))
    runtime.wake()


def advised(*rows: AdviceRow) -> AdviceView:
    return AdviceView(rows, (("watchman", "asked"),))


async def test_advice_shows_name_age_text_and_trade() -> None:
    """OP-09, SY-06: without advisers the list says so"""
    marked = an_advice(2, an_idea(""), text="[bold]narrow[/bold]", why_not="it names no strategy")
    async with open_still(a_view(), (80, 24)) as house:
        await house.press("A")
        assert isinstance(house.desk.screen, AdviceScreen)
        await house.sees("Advice ─ 0 said", "No advice: no adviser is turned on.", "advisers.watchman.enabled")
        await house.press("escape")
        assert not isinstance(house.desk.screen, AdviceScreen)

        await house.shows_next(advice=advised(marked, an_advice()))
        await house.press("A")
        await house.sees("watchman", "3 m", "[bold]narrow[/bold]", "SPY was refused again and again")
        await house.sees("3 SPY at 496.00, stop 494.00, target 500.00", "good for 57:00", "it names no strategy")
        await house.press("down")
        await house.sees("It names no trade.")
        await house.press("enter")
        assert isinstance(house.desk.screen, AdviceScreen)
        await house.sees("it names no trade: there is nothing to adopt")


async def test_enter_fills_the_order_form_from_advice() -> None:
    """OP-09: by hand; an adviser that trades itself rings, and is logged"""
    async with open_desk() as house:
        hears(house, FromAdviser("watchman", (Advice("buy the dip", an_idea("", "0.05")),)))
        await house.until(lambda: house.desk.view is not None and house.desk.view.advice.rows)
        await house.press("A")
        await house.sees("buy the dip")
        await house.press("enter")

        assert isinstance(house.desk.screen, NewOrderScreen)
        await house.sees("496", "494", "0.05")
        assert house.sent_nothing()
        await house.press("enter")
        await house.sees("BUY to open ─ SPY", "after advice 1 of watchman")
        assert house.sent_nothing()

        rung: list[bool] = []
        house.desk.bell = lambda: rung.append(True)  # type: ignore[method-assign]
        hears(house, FromAdviser("sly", ProposeOrder))
        await house.press("escape")
        await house.sees("CRITICAL", "adviser sly tried to send the engine")
        await house.until(lambda: rung)
        assert house.sent_nothing()


async def test_strategy_advice_is_adopted_and_undone() -> None:
    """ST-04, OP-04"""
    row = an_advice(7, an_idea(), takes_it=True)
    async with open_still(a_view(advice=advised(row))) as house:
        await house.press("A", "enter")
        await house.sees("Adopt it for momentum on SPY?", "quantity and prices stay as they are")
        assert house.handle.commands == []
        await house.sees("armed ")
        await house.wait(0.4)
        await house.press("D")
        await house.until(lambda: house.handle.commands)
        assert house.handle.commands == [AdoptAdvice(7)]

        await house.shows_next(advice=advised(an_advice(7, an_idea(), is_adopted=True, why_not="one waits")))
        await house.sees("ADOPTED", "momentum weighs it at its next bars")
        await house.press("x")
        await house.sees("Take this advice back?")
        await house.wait(0.6)
        await house.press("D")
        await house.until(lambda: len(house.handle.commands) == 2)
        assert house.handle.commands[1] == DropRecommendation("momentum", SPY)
        assert not any(isinstance(command, ProposeOrder) for command in house.handle.commands)
