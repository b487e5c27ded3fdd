"""The basket's screen: marked with space, signed with a P that is armed, followed while it runs, and its report."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from console.screens.basket import BasketScreen
from console.screens.kill import KillScreen
from console.screens.ticket import TicketScreen
from core.facts import BasketEnded, BasketMarked, BasketSigned, OrderCreated, StrategyPaused
from core.messages.commands import AnswerBasket, OpenBasket, ProposeClose, ProposeOrder
from core.model.account import Mode
from core.model.basket import BasketEnd, BasketSource, whole_dollars
from core.model.order import Effect, OrderType, StopHolder
from core.model.values import Price, Quantity, Symbol
from tests.desk.desk_house import House
from tests.desk.hands import held_back, types_ahead
from tests.desk.plan_house import open_floor, opens_a_plan
from tests.scenarios.plans import BOUGHT, SOLD, a_buy, a_sale


def signed(house: House) -> int:
    """The first basket bought what is held."""
    return len(house.facts(BasketSigned)) - 1


def a_resting_entry(symbol: str) -> ProposeOrder:
    """Below the market, so that it works and does not fill."""
    return ProposeOrder(
        Symbol(symbol), Effect.OPEN, Quantity(Decimal(5)), OrderType.LIMIT, Price(Decimal(98)), Price(Decimal(97)),
        StopHolder.BROKER,
    )  # fmt: skip


async def marks_all_of(house: House, count: int) -> None:
    before = len(house.facts(BasketMarked))
    for number in range(1, count + 1):
        await house.press("space")
        await house.until(lambda number=number: len(house.facts(BasketMarked)) >= before + number)  # type: ignore[misc]
        await house.press("j")


@pytest.mark.usefixtures("a_tick_each_way_as_before")
async def test_a_plan_is_marked_signed_once_and_reported() -> None:
    """OP-05, EX-10"""
    async with open_floor("AAA", "BBB", "CCC", "DDD", "EEE", "FFF", size=(80, 24)) as house:
        await opens_a_plan(house, a_buy("GGG", "45"), a_sale("AAA"))
        await house.sees("Nothing is marked yet", "not armed", "[ ] SELL to close")
        await marks_all_of(house, 2)
        await house.until(house.is_armed)
        await house.sees("2 of 2 go, +5,999.40, −4,500.45", "[x] SELL to close", "P send 2 orders")

        await house.press("P")
        await house.until(lambda: signed(house) == 1)
        await house.until(lambda: house.shows("DONE 2 of 2 filled"))

        await house.sees("buying power 3,992.80 →", "the broker holds AAA 0, GGG 45", "filled")
        await house.press("escape")
        await house.until(lambda: not isinstance(house.desk.screen, BasketScreen))


def last_line(house: House) -> str:
    return house.picture().splitlines()[-1]


async def names(house: House, keys: str) -> None:
    await house.until(lambda: last_line(house).split("  Ctrl+K")[0].strip() == keys)


async def waits_for_its_sells(house: House) -> None:
    """Signed, and on its way."""
    await opens_a_plan(house, a_sale("AAA", "60", limit="105"), a_buy("GGG", "20"))
    await names(house, "Space mark  x decline all  Esc back  ? help")
    await marks_all_of(house, 2)
    await house.until(house.is_armed)
    await names(house, "Space mark  P send  x decline all  Esc back  ? help")
    await house.press("P")
    await house.until(lambda: house.shows("WAITING FOR THE SELLS"))
    await names(house, "s stop  Esc back  ? help")


async def test_s_stops_a_plan_that_runs_and_the_last_line_names_its_keys() -> None:
    """OP-05: marks and a key while it is open, a stop while it runs, the way back when it is over."""
    async with open_floor("AAA") as house:
        await waits_for_its_sells(house)
        await house.until(lambda: any(fact.order.limit_price == 105 for fact in house.facts(OrderCreated)))
        created = len(house.facts(OrderCreated))

        await house.press("s")
        await house.until(lambda: house.facts(BasketEnded)[-1].end is BasketEnd.STOPPED)

        await house.until(lambda: house.shows("STOPPED", "NOT SENT"))
        await names(house, "Esc back  ? help")
        assert "mark" not in house.footer()
        assert len(house.facts(OrderCreated)) == created


async def test_a_basket_file_is_announced() -> None:
    """OP-05, OP-06: it never takes the keyboard; p opens it when the operator wants it."""
    async with open_floor("AAA", "BBB") as house:
        await house.press("5")
        before = len(house.facts(BasketMarked))
        house.desk.handle.send(OpenBasket(BasketSource.FILE, "rows.csv", (a_sale("AAA"), a_sale("BBB"))))
        await house.until(lambda: house.shows("the basket rows.csv waits for its marks and its key; p opens it"))
        await house.press("space")
        await house.until(lambda: house.facts(StrategyPaused))

        assert house.desk.screen is house.desk.screen_stack[0]
        assert len(house.facts(BasketMarked)) == before
        await house.until(lambda: "p BASKET WAITS" in last_line(house))
        await house.press("p")
        await house.until(lambda: house.shows("Basket ─ rows.csv", "Nothing is marked yet"))


async def test_a_plan_that_asks_waits_for_who_types_and_for_an_armed_key() -> None:
    """EX-10: s, meant for a filter, would stop it; then it comes to the front."""
    async with open_floor("AAA") as house:
        await waits_for_its_sells(house)
        await house.press("escape", "6", "slash", "a")
        house.runtime.pace.free_until = house.runtime.at + timedelta(seconds=62)
        await house.until(lambda: house.shows("the basket ASKS: a sell is not filled; p opens it"))
        over_the_filter = isinstance(house.desk.screen, BasketScreen)
        await house.press("escape")

        assert not over_the_filter
        await house.until(lambda: house.shows("ASKS YOU", "not filled in 60 s"))
        sent = held_back(house, AnswerBasket)
        await house.until(house.is_armed)
        await house.press("O")
        await house.until(lambda: sent)
        plan = house.desk.view.plan
        assert plan is not None
        assert sent == [AnswerBasket(plan.id, True, plan.phase_since)]


async def test_a_key_too_early_a_burst_and_a_late_mark_sign_nothing() -> None:
    """OP-04: a mark after the paint makes another digest than the painted one."""
    async with open_floor("AAA", "BBB") as house:
        await opens_a_plan(house, a_sale("AAA"), a_sale("BBB"))
        await types_ahead(house, " P")
        await types_ahead(house, "PPPP")
        await house.wait(0.5)
        assert (signed(house), house.facts(BasketEnded)[1:]) == (0, [])

        await house.until(house.is_armed)
        await types_ahead(house, "j P")
        await house.wait(0.4)
        assert signed(house) == 0


async def test_flatten_is_one_plan_with_one_key_also_when_killed() -> None:
    """OP-05, OP-07, EX-21"""
    async with open_floor("AAA", "BBB") as house:
        await house.press("ctrl+k")
        await house.until(lambda: isinstance(house.desk.screen, KillScreen))
        await house.press("K")
        await house.until(lambda: house.shows("KILLED since"))
        await house.press("F")
        await house.until(lambda: house.shows("Basket ─ flatten everything", "P send 2 closes"))
        await house.until(house.is_armed)

        await house.press("P")
        await house.until(lambda: house.shows("DONE 2 of 2 filled"))

        await house.sees("AAA 0", "BBB 0")


async def test_an_unwanted_flatten_is_declined_whole() -> None:
    """OP-05, OP-07: put aside it opens again as one basket, and one key declines each of its closes"""
    async with open_floor("AAA", "BBB") as house:
        await house.press("F")
        await house.until(lambda: house.shows("Basket ─ flatten everything", "P send 2 closes"))
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        waiting = house.runtime.engine.state.stage.proposals
        assert len(waiting()) == 2

        await house.press("1", "home")
        await house.press("F")
        await house.until(lambda: house.shows("P send 2 closes", "x decline all"))
        await house.press("x")
        await house.until(lambda: house.shows("Decline 2 closes?", "AAA, BBB: nothing is sold"))
        await house.press("escape")
        assert isinstance(house.desk.screen, BasketScreen)
        assert len(waiting()) == 2

        await house.press("x")
        await house.until(house.is_armed)
        await house.press("D")
        await house.until(lambda: not waiting())
        assert signed(house) == 0
        assert len(house.desk.screen_stack) == 1


async def test_the_entries_of_a_basket_are_declined_whole() -> None:
    """OP-05: as its key says; what was not in it stays"""
    async with open_floor("AAA", size=(120, 40)) as house:
        for symbol in BOUGHT[:2]:
            house.desk.handle.send(a_resting_entry(symbol))
        waiting = house.runtime.engine.state.stage.proposals
        await house.until(lambda: len(waiting()) == 2)
        await house.until(lambda: house.desk.view is not None and len(house.desk.view.proposals) == 2)
        await house.press("p")
        await house.until(lambda: house.shows("x decline all"))
        await house.press("x")
        await house.until(lambda: house.shows("Decline 2 orders?", "nothing is sent"))
        await house.until(house.is_armed)
        await house.press("D")
        await house.until(lambda: not waiting())
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        assert signed(house) == 0


async def test_the_orders_of_a_file_are_declined_with_their_basket() -> None:
    """OP-05"""
    async with open_floor("AAA", size=(120, 40)) as house:
        await opens_a_plan(house, a_sale("AAA", "60", limit="105"), a_buy("GGG", "20"))
        await house.press("x")
        await house.until(lambda: house.shows("Decline 2 orders?", "AAA, GGG"))
        await house.until(house.is_armed)
        await house.press("D")

        await house.until(lambda: house.facts(BasketEnded)[-1].end is BasketEnd.LEFT)
        assert len(house.desk.screen_stack) == 1
        assert signed(house) == 0


async def test_leaving_a_marked_basket_asks_first() -> None:
    """OP-05: each mark is a key of its own"""
    async with open_floor("AAA", "BBB", size=(80, 24)) as house:
        for symbol in BOUGHT[:2]:
            house.desk.handle.send(a_resting_entry(symbol))
        await house.until(lambda: house.desk.view is not None and len(house.desk.view.proposals) == 2)
        await house.press("p")
        await house.until(lambda: isinstance(house.desk.screen, BasketScreen))
        await marks_all_of(house, 2)
        await house.press("escape")
        await house.until(lambda: house.shows("Leave this basket?", "2 marks are lost"))
        await house.press("escape")
        assert isinstance(house.desk.screen, BasketScreen)
        await house.press("escape")
        await house.until(house.is_armed)
        await house.press("D")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        assert len(house.runtime.engine.state.stage.proposals()) == 2


async def test_flatten_takes_the_working_entries_back_on_one_key() -> None:
    """OP-07: also where nothing is held"""
    async with open_floor("AAA", size=(80, 24)) as house:
        for symbol in BOUGHT[:2]:
            house.desk.handle.send(a_resting_entry(symbol))
        await house.until(lambda: house.desk.view is not None and len(house.desk.view.proposals) == 2)
        await house.press("p")
        await house.until(lambda: isinstance(house.desk.screen, BasketScreen))
        await marks_all_of(house, 2)
        await house.until(house.is_armed)
        await house.press("P")
        await house.until(lambda: house.desk.view is not None and len(house.desk.view.kill.entries_working) == 2)
        await house.press("s")
        await house.until(lambda: house.shows("STOPPED") or house.shows("DONE"))
        await house.press("escape", "F", "F")
        await house.until(
            lambda: house.shows("Basket ─ flatten everything", "2 of 2 entries taken back first, 1 of 1 go")
        )
        await house.sees("cancel 2 entries, send 1 close", "cancel open")
        await house.until(house.is_armed)

        await house.press("P")

        await house.until(lambda: house.shows("DONE 2 of 2 entries taken back, 1 of 1 filled"))
        assert house.desk.view is not None
        assert house.desk.view.kill.entries_working == ()


async def test_on_a_live_account_the_value_of_the_entries_is_typed() -> None:
    """OP-05: in whole dollars; another figure, or P alone, signs nothing."""
    async with open_floor("AAA", "BBB", "CCC") as house:
        house.goes_live()
        await opens_a_plan(house, a_buy("GGG", "20"), a_buy("HHH", "20"))
        await house.until(lambda: house.desk.view.status.mode is Mode.LIVE)  # type: ignore[union-attr]
        await marks_all_of(house, 2)
        worth = house.desk.view.plan.worth  # type: ignore[union-attr]
        figure = whole_dollars(worth)
        await house.until(lambda: house.shows(f"type {figure} (USD), then P", "LIVE, not armed"))
        await house.press("P")
        await house.wait(0.5)
        for key in f"{figure[0]}0{figure[1]}":
            await house.press(key)
            await house.wait(0.05)
        await house.press("P")
        await house.wait(0.5)
        assert signed(house) == 0

        for key in figure:
            await house.press(key)
            await house.wait(0.05)
        await house.until(house.is_armed)
        await house.press("P")
        await house.until(lambda: signed(house) == 1)


async def test_every_line_fits_and_an_exit_from_elsewhere_opens_over_the_plan() -> None:
    """OP-05, OP-06"""
    async with open_floor(size=(80, 24)) as house:
        sales = (a_sale(symbol) for symbol in SOLD if symbol != "AAA")
        await opens_a_plan(house, *sales, *(a_buy(symbol, "45") for symbol in BOUGHT))
        await house.until(lambda: house.shows("1–11 of 13"))
        assert all(len(line) <= 80 for line in house.picture().splitlines())
        assert "…" not in "\n".join(house.picture().splitlines()[4:-1])

        house.desk.handle.send(ProposeClose(Symbol("AAA")))
        await house.until(lambda: house.shows("!  EXIT WAITS  SELL 60 AAA"))
        await house.press("exclamation_mark")
        await house.until(lambda: isinstance(house.desk.screen, TicketScreen))
        await house.until(lambda: house.shows("PAPER ─ SELL to close ─ AAA"))


async def test_a_row_says_what_makes_way_for_it_and_what_comes_back() -> None:
    """OP-05, EX-21: what is cancelled, for how much its stop is asked for again; a bracket's target is gone."""
    async with open_floor("AAA", "BBB") as house:
        house.desk.handle.send(
            replace(
                a_resting_entry("GGG"),
                quantity=Quantity(Decimal(30)),
                type=OrderType.MARKET,
                limit_price=None,
                stop_price=Price(Decimal(99)),
                target_price=Price(Decimal(110)),
            )
        )
        await house.until(lambda: house.shows("BUY to open"))
        await house.press("1", "enter")
        await house.until(house.is_armed)
        await house.press("B")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        await house.until(lambda: house.desk.view is not None and len(house.desk.view.positions) == 3)
        await opens_a_plan(house, a_sale("AAA", "40"), a_sale("BBB"), a_sale("GGG", "10"))
        for words in (
            (
                "first cancels SELL 60 AAA stop 99.00, then sends this",
                "then  asks for a stop for what is left: 20 at 99.00",
            ),
            ("first cancels SELL 60 BBB stop 99.00", "flat; no stop is placed again"),
            ("asks for a stop for what is left: 20 at 99.00", "SELL 30 GGG limit 110.00", "is gone for good"),
        ):
            await house.sees(*words)
            await house.press("j")


@pytest.mark.usefixtures("a_tick_each_way_as_before")
async def test_what_opens_says_what_it_can_lose_by_itself_and_in_all() -> None:
    """OP-05: as a ticket does; what has no stop says that, and a buy that does not fit says why"""
    async with open_floor() as house:
        buys = (a_buy("GGG", "10"), a_buy("HHH", "10"), a_buy("III", "5", stop=None), a_buy("JJJ", "45"))
        await opens_a_plan(house, *buys)
        await house.until(lambda: house.shows("99.00, the broker holds it; lose 10.10 USD"))
        await marks_all_of(house, 2)
        await house.until(lambda: house.shows("lose 20.20 USD at their stops"))
        await house.until(lambda: house.shows("stop NO STOP: the loss has no bound"))
        await house.press("j")
        await house.sees("rejected", "buying power: 4,500", "NO BUY to open")
