"""One key on what is held: half of it, and its stop to break-even; what each stages, how many keys it takes, and when
it says instead why not.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from console.screens.move_stop import MoveStopScreen
from console.screens.ticket import TicketScreen
from core.facts import OrderStateChanged
from core.messages.commands import ProposeClose, TightenStop
from core.model.order import OrderStatus, OrderType, StopHolder
from core.model.signal import ExitReason
from core.model.values import Price, ProposalId, Quantity
from core.views import PositionRow
from tests.desk.desk_house import SPY, House, at_both_ends, open_desk
from tests.desk.hands import held_back
from tests.desk.plan_house import open_on
from tests.desk.still_house import a_position, a_view, an_exit, open_still
from tests.desk.test_row_actions import has_lost_its_stop, picture
from tests.kit.stepped_engine import SteppedHandle
from tests.scenarios.house import STEADY, a_house_in_a_position
from tests.scenarios.house import House as Story


def shares(text: str) -> Quantity:
    return Quantity(Decimal(text))


def usd(text: str) -> Price:
    return Price(Decimal(text))


async def armed_ticket(house: House) -> TicketScreen:
    await house.until(lambda: isinstance(house.desk.screen, TicketScreen) and house.is_armed())
    assert isinstance(house.desk.screen, TicketScreen)
    return house.desk.screen


# ── half ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@at_both_ends
async def test_h_sells_half_and_keeps_the_stop(handled_by: type[SteppedHandle]) -> None:
    """EX-21: two keys; its own stop makes way, and guards what is left"""
    async with open_desk(handled_by=handled_by) as house:
        await house.buys()
        await house.press("2")

        await house.press("h")
        await armed_ticket(house)
        assert house.shows("0.05 SPY at the market")
        await house.press("S")

        await house.until(lambda: picture(house).positions[0].quantity == shares("0.05"))
        await house.until(lambda: picture(house).positions[0].covered == shares("0.05"))


@pytest.mark.parametrize(
    ("held", "half"), [("47", "23"), ("1", "0.5"), ("4.7", "2.35"), ("0.005", "0.002"), ("-41", "20")]
)
async def test_half_rounds_down_to_a_lot(held: str, half: str) -> None:
    """EX-11: of whole shares, and of a short, whole ones; as `c` with 50% would"""
    row = a_position(quantity=shares(held))
    async with open_still(a_view(positions=(row,))) as house:
        sent = held_back(house, ProposeClose)
        await house.press("2", "h")
        await house.until(lambda: sent)
        await house.press("c", *"50", "percent_sign", "enter")
        await house.until(lambda: len(sent) == 2)
        assert sent == [ProposeClose(SPY, quantity=shares(half), strategy=row.strategy)] * 2


@pytest.mark.parametrize("held", ["0.001", "-1"])
async def test_where_half_is_nothing_h_says_so(held: str) -> None:
    """EX-11"""
    async with open_still(a_view(positions=(a_position(quantity=shares(held)),))) as house:
        sent = held_back(house, ProposeClose)
        await house.press("2", "h")
        await house.until(lambda: "SPY is nothing that can be sold alone" in house.footer())
        assert not sent


async def test_an_exit_that_waits_is_not_opened_for_half() -> None:
    """OP-04: its key would sell all of it, and half was asked for"""
    async with open_still(a_view(positions=(a_position(),), proposals=(an_exit(),))) as house:
        sent = held_back(house, ProposeClose)
        await house.press("2", "h")
        await house.until(lambda: "an exit of SPY waits already: c opens it" in house.footer())
        assert len(house.desk.screen_stack) == 1
        assert not sent


async def test_a_strategys_exit_is_not_mistaken() -> None:
    """OP-04: only what a hand asked for, and of so many shares at most, opens by itself"""
    async with open_still(a_view(positions=(a_position(),), proposals=())) as house:
        held_back(house, ProposeClose)
        await house.press("2", "h")
        await house.shows_next(proposals=(an_exit(),))
        by_hand = an_exit(id=ProposalId("all"), exit_reason=ExitReason.MANUAL, quantity=shares("47"))
        await house.shows_next(proposals=(an_exit(), by_hand))
        assert len(house.desk.screen_stack) == 1

        mine = replace(by_hand, id=ProposalId("half"), quantity=shares("23"))
        await house.shows_next(proposals=(an_exit(), by_hand, mine))
        await house.until(lambda: isinstance(house.desk.screen, TicketScreen))
        assert isinstance(house.desk.screen, TicketScreen)
        assert house.desk.screen.proposal_id == "half"


@pytest.mark.parametrize("key", ["h", "b"])
async def test_no_ticket_opens_over_a_dialog(key: str) -> None:
    """OP-04: what was staged waits in Proposals"""
    async with open_still(a_view(positions=(a_position(),), proposals=())) as house:
        held_back(house, ProposeClose, TightenStop)
        await house.press("2", key, "question_mark")
        await house.until(lambda: len(house.desk.screen_stack) == 2)
        mine = an_exit(exit_reason=ExitReason.MANUAL, quantity=shares("23"))
        a_move = an_exit(type=OrderType.STOP, stop_price=usd("166.76"), exit_reason=ExitReason.STOP_LOSS)
        await house.shows_next(proposals=(mine if key == "h" else a_move,))
        assert not isinstance(house.desk.screen, TicketScreen)

        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        await house.is_drawn()
        assert len(house.desk.screen_stack) == 1


@pytest.mark.parametrize("key", ["h", "b"])
async def test_a_gone_row_takes_its_key_with_it(key: str) -> None:
    """OP-04: its neighbour is not meant, wherever it moves to"""
    gone, stays = a_position("AIG", key="AIG/vwap"), a_position("IBM", key="IBM/vwap")
    async with open_still(a_view(positions=(gone, stays))) as house:
        sent = held_back(house, ProposeClose, TightenStop)
        await house.press("2", "home")
        await house.shows_next(positions=(stays,))
        await house.press(key)
        await house.until(lambda: "no row is selected" in house.footer())
        assert not sent


@pytest.mark.parametrize("key", ["h", "b"])
async def test_a_moved_row_keeps_its_key(key: str) -> None:
    """OP-04: the key is the row's, and not the place's"""
    mine, other = a_position("IBM", key="IBM/vwap"), a_position("AIG", key="AIG/vwap")
    async with open_still(a_view(positions=(mine,))) as house:
        sent = held_back(house, ProposeClose, TightenStop)
        await house.press("2", "home")
        await house.shows_next(positions=(other, mine))
        await house.press(key)
        await house.until(lambda: sent)
        assert [command.symbol for command in sent if isinstance(command, ProposeClose | TightenStop)] == ["IBM"]


# ── break-even ───────────────────────────────────────────────────────────────────────────────────────────────────────


def in_profit() -> Story:
    """0.502 SPY paid 99.60 with a stop at 99.30; the market stands at 99.80."""
    house = a_house_in_a_position(("10:06", "10:07", STEADY), ("10:08", "10:30", "99.80"))
    house.until("10:09")
    return house


async def test_b_moves_the_stop_to_break_even() -> None:
    """OP-06: two keys"""
    async with open_on(in_profit()) as house:
        await house.press("2")

        await house.press("b")
        await armed_ticket(house)
        assert house.shows("0.502 SPY stop 99.30 → 99.60 (break-even)")
        await house.press("R")

        await house.until(lambda: picture(house).positions[0].stop_price == usd("99.60"))
        assert picture(house).positions[0].covered == shares("0.502")

        await house.until(lambda: len(house.desk.screen_stack) == 1)
        await house.press("b")
        await house.until(
            lambda: house.shows("its stop at 99.60 is as near as 99.60 already, or nearer: nothing moves")
        )


async def test_b_says_why_where_the_market_is_beyond_it() -> None:
    """OP-06"""
    async with open_desk() as house:
        await house.buys()
        await house.press("2", "b")
        await house.until(lambda: house.shows("stop 496.21 is on the wrong side of the market"))
        assert len(house.desk.screen_stack) == 1


async def test_b_says_so_where_no_stop_of_ours_works() -> None:
    """OP-06"""
    async with open_desk() as house:
        await has_lost_its_stop(house)
        await house.press("2", "b")
        await house.until(lambda: house.shows("no stop of this desk's works at the broker for it; m in Positions"))


# ── nearer by an average range ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("typed", "row", "price"),
    [
        ("1atr", a_position(average_range=usd("0.20")), "166.46"),
        ("0.5ATR", a_position(average_range=usd("0.20")), "166.36"),
        ("1atr", a_position(average_range=usd("0.20"), quantity=shares("-47"), stop_price=usd("167.50")), "167.30"),
    ],
)
async def test_m_moves_a_stop_nearer_by_average_ranges(typed: str, row: PositionRow, price: str) -> None:
    """OP-06: spelled out before Enter, and no stop goes farther by it"""
    async with open_still(a_view(positions=(row,))) as house:
        sent = held_back(house, TightenStop)
        await house.press("2", "m", *("full_stop" if letter == "." else letter for letter in typed))
        ranges = typed.lower().removesuffix("atr")
        await house.until(lambda: house.shows(f"Enter stages stop {price} USD, {ranges} ATR of 0.2000 USD nearer"))
        await house.press("enter")
        await house.until(lambda: sent)
        assert sent == [TightenStop(SPY, "vwap", usd(price))]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (a_position(), "too few minutes of SPY were heard for an average range: type a price"),
        (
            a_position(average_range=usd("0.20"), holder=StopHolder.YOU, covered=shares("0")),
            "no stop of it works at the broker: type a price",
        ),
    ],
)
async def test_m_says_why_it_knows_no_average_range(row: PositionRow, why: str) -> None:
    """OP-06"""
    async with open_still(a_view(positions=(row,))) as house:
        sent = held_back(house, TightenStop)
        await house.press("2", "m", *"1atr")
        await house.until(lambda: house.shows(why))
        await house.press("enter")
        await house.wait(0.2)
        assert isinstance(house.desk.screen, MoveStopScreen)
        assert not sent


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (("m", *"99"), "no stop was moved: nothing of SPY is held any more"),
        (("c", *"1"), "no close was staged: nothing of SPY is held any more"),
    ],
)
async def test_enter_on_a_gone_position_asks_nothing(keys: tuple[str, ...], said: str) -> None:
    """OP-06: its stop filled while the dialog was open"""
    async with open_still(a_view(positions=(a_position(),))) as house:
        await house.press("2", *keys)
        await house.shows_next(positions=())
        await house.sees("nothing is held any more")
        await house.press("enter")
        await house.until(lambda: said in house.footer())
        assert house.handle.commands == []


async def test_a_stop_moves_by_an_average_range() -> None:
    """OP-06"""
    async with open_on(in_profit()) as house:
        average = picture(house).positions[0].average_range
        assert average is not None
        await house.press("2", "m", *"1atr", "enter")
        await armed_ticket(house)
        await house.press("R")
        await house.until(lambda: picture(house).positions[0].stop_price != usd("99.30"))
        stop = picture(house).positions[0].stop_price
        assert stop is not None
        assert abs(stop - (usd("99.30") + average)) <= Decimal("0.005")
        replaced = [fact for fact in house.facts(OrderStateChanged) if fact.after is OrderStatus.CANCELLED]
        assert len(replaced) == 1
