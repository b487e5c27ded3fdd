"""A warning that comes with the broker's answer, at the desk: seen at once, read in full, confirmed by its own key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from console.bell import Bell
from console.screens.dialog import ArmedQuestion
from core.facts import BrokerWarned, CancelRequested, WarningConfirmed
from core.messages.commands import ConfirmWarning, ProposeOrder
from core.messages.effects import Effect as Request
from core.messages.effects import SubmitOrder
from core.messages.inputs import Input, SubmissionAnswered
from core.model.broker import Accepted
from core.model.order import Effect, OrderStatus, OrderType, StopHolder
from core.model.values import Price, Quantity
from core.views import WARNED
from tests.desk.desk_house import SPY, House, open_desk
from tests.desk.hands import held_back, types_ahead
from tests.desk.still_house import a_view, an_order, open_still

WORDS = "it may be reviewed before the market opens"


def warns_of(house: House, which: Callable[[SubmitOrder], bool], words: str = WORDS) -> None:
    """The broker takes such an order, and says something with it."""
    answer = house.runtime.ask

    def with_a_warning(request: Request) -> Input:
        reply = answer(request)
        if isinstance(request, SubmitOrder) and which(request) and isinstance(reply, SubmissionAnswered):
            assert isinstance(reply.answer, Accepted)
            return replace(reply, answer=replace(reply.answer, warnings=(words,)))
        return reply

    house.runtime.ask = with_a_warning  # type: ignore[method-assign]


async def buys_what_is_warned_of(house: House, words: str = WORDS) -> None:
    """An entry far below the market: it works, and waits for its warning to be confirmed."""
    warns_of(house, lambda request: not request.order.effect.only_reduces, words)
    terms = Quantity(Decimal("0.09")), OrderType.LIMIT, Price(Decimal("490.00")), Price(Decimal("488.00"))
    house.desk.handle.send(ProposeOrder(SPY, Effect.OPEN, *terms, StopHolder.BROKER))
    await house.until(lambda: house.shows("2 waiting"))
    await house.opens_the_ticket_of("0.09 SPY")
    await house.press("B")
    await house.until(lambda: house.facts(BrokerWarned) and house.shows("BROKER WARNS"))


async def opens_the_warning(house: House) -> ArmedQuestion:
    await house.press("3", "home", "down", "W")
    await house.until(lambda: house.shows("The broker warns of BUY 0.09 SPY limit 490.00"))
    question = house.desk.screen
    assert isinstance(question, ArmedQuestion)
    return question


def lets_time_pass(house: House, seconds: int) -> None:
    """The market runs on without the wall's clock."""
    house.runtime.pace.free_until = house.runtime.at + timedelta(seconds=seconds)


def status_of_the_entry(house: House) -> OrderStatus:
    (order,) = house.runtime.engine.state.ledger.state.orders.values()
    return order.status


# ── seen ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_d_alone_accepts_a_warning_that_counts_down() -> None:
    """OP-11, OP-04: whatever pane is shown, and however small the terminal; a confirmation of its own."""
    async with open_desk() as house:
        await buys_what_is_warned_of(house)
        await house.press("5")
        for size in ((80, 24), (120, 40)):
            await house.pilot.resize_terminal(*size)
            await house.sees("BROKER WARNS BUY to open 0.09 SPY, cancelled in 0:2", "W in Orders")
        await house.press("3", "home")
        await house.sees("SUBMITTED, WARNED", f"the broker warns: {WORDS}")
        await types_ahead(house, "WDDD")
        await house.until(lambda: house.shows("The broker warns of"))
        await house.wait(0.4)
        assert not house.facts(WarningConfirmed)

        await house.until(lambda: house.is_armed() and house.shows(WORDS, "let it stand"))
        await house.sees("Unless you let it stand, it is cancelled at", "New York")
        await house.press("enter", "y", "space", "d", "W")
        await house.wait(0.3)
        assert not house.facts(WarningConfirmed)

        await house.until(house.is_armed)
        await house.press("D")
        await house.until(lambda: house.facts(WarningConfirmed))
        await house.until(lambda: not house.shows("WARNED") and not house.shows("BROKER WARNS"))
        confirmed_at = house.runtime.at
        lets_time_pass(house, 70)
        await house.until(lambda: house.runtime.at - confirmed_at > timedelta(seconds=35))
        assert status_of_the_entry(house) is OrderStatus.SUBMITTED


def test_a_warning_rings_once() -> None:
    """OP-11, OP-06"""
    quiet, warned = a_view(orders=(an_order(),)), a_view(orders=(an_order(marks=(WARNED,), warnings=(WORDS,)),))
    bell = Bell()
    bell.rings(quiet, 0.0)

    assert [bell.rings(view, at) for at, view in ((1.0, warned), (1.1, warned), (40.0, warned), (41.0, quiet))] == [
        True,
        False,
        False,
        False,
    ]


async def test_the_first_warning_to_end_is_named() -> None:
    """OP-11"""
    at = a_view().status.at
    later = an_order(1, "IBM", marks=(WARNED,), warnings=(WORDS,), taken_back_at=at + timedelta(seconds=20))
    sooner = an_order(2, "AIG", marks=(WARNED,), warnings=(WORDS,), taken_back_at=at + timedelta(seconds=9))
    async with open_still(a_view(orders=(later, sooner))) as house:
        await house.sees("BROKER WARNS BUY to open 47 AIG, cancelled in 0:09, 1 more")


# ── confirmed, or not ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_escape_lets_the_entry_be_cancelled() -> None:
    """OP-11: never accepted automatically."""
    async with open_desk() as house:
        await buys_what_is_warned_of(house)
        await opens_the_warning(house)
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        assert not house.facts(CancelRequested)

        lets_time_pass(house, 35)
        await house.until(lambda: status_of_the_entry(house) is OrderStatus.CANCELLED)
        await house.until(lambda: house.shows("CANCELLED: the broker's warning was not confirmed in time"))
        assert not house.shows("WARNED")
        assert not house.shows("BROKER WARNS")
        await house.press("W")
        await house.until(lambda: house.shows("the broker has warned of nothing here that waits for you"))
        assert not house.facts(WarningConfirmed)


async def test_a_late_answer_to_words_that_draw_nothing_accepts_nothing() -> None:
    """OP-11, SY-06: the question was open as its time ran out."""
    async with open_desk() as house:
        await buys_what_is_warned_of(house, "look\x1b[2J\u202ehere\nagain")
        sent = held_back(house, ConfirmWarning)
        await opens_the_warning(house)
        assert "\x1b" not in house.picture()
        assert "\u202e" not in house.picture()
        await house.sees("again", "Unless you let it stand")

        lets_time_pass(house, 35)
        await house.until(lambda: status_of_the_entry(house) is OrderStatus.CANCELLED)
        await house.until(lambda: not house.shows("BROKER WARNS") and house.is_armed())
        await house.press("D")
        await house.until(lambda: house.shows("too late: BUY 0.09 SPY limit 490.00 was cancelled"))
        assert not sent


async def test_a_warned_stop_stands_until_read() -> None:
    """OP-11, OP-06: taken back it would leave the shares bare."""
    async with open_desk() as house:
        warns_of(house, lambda request: request.order.effect.only_reduces)
        await house.buys()
        await house.until(lambda: house.shows("BROKER WARNS SELL stop 0.1 SPY, it stands", "W in Orders"))
        await house.press("3", "home", "down", "W")
        await house.until(lambda: house.is_armed() and house.shows("It only reduces, and stands either way"))
        await house.press("D")
        await house.until(lambda: house.facts(WarningConfirmed) and not house.shows("BROKER WARNS"))
        await house.sees("broker 0.1")
        assert not house.facts(CancelRequested)
