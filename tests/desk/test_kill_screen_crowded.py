"""The kill screen of a day with many orders: its keys, the status lines and the last line stay (OP-07)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.model.codes import DeskState, HaltCause
from core.model.order import Effect, OrderType, Side, StopHolder
from core.model.values import Price, Quantity
from core.views import DeskView, HaltRow, KillView
from tests.desk.still_house import a_position, a_view, an_exit, an_order, open_still
from widgets.lines import joined
from widgets.listed import one_each, sharing, side_by_side

MANY = 30
SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)])


def crowded(**status: Any) -> DeskView:
    """Thirty entries and thirty stops work, thirty positions have no stop, and an exit waits."""
    symbols = [f"SYM{number:02}" for number in range(MANY)]
    entries = tuple(an_order(number, symbol) for number, symbol in enumerate(symbols))
    stops = tuple(
        an_order(
            MANY + number,
            symbol,
            side=Side.SELL,
            effect=Effect.CLOSE,
            type=OrderType.STOP,
            limit_price=None,
            stop_price=Price(Decimal("166.26")),
            is_protective=True,
        )
        for number, symbol in enumerate(symbols)
    )
    bare = tuple(a_position(symbol, holder=StopHolder.YOU, covered=Quantity(Decimal(0))) for symbol in symbols)
    return a_view(
        status=status,
        orders=(*entries, *stops),
        positions=bare,
        proposals=(an_exit("SYM00"),),
        kill=KillView(entries, stops, bare),
    )


def a_halt() -> dict[str, Any]:
    at = a_view().status.at
    halts = (HaltRow(HaltCause.KEY, "by key"),)
    return {"word": DeskState.HALTED, "halts": halts, "halted_at": at, "entries_refused": "halted (key): by key"}


def a_kill() -> dict[str, Any]:
    at = a_view().status.at
    return {"word": DeskState.KILLED, "killed_by": "key", "killed_at": at, "entries_refused": "killed by key"}


@SIZES
async def test_a_halted_desk_full_of_orders_still_shows_what_k_f_and_escape_do(size: tuple[int, int]) -> None:
    """OP-07"""
    async with open_still(crowded(**a_halt()), size) as house:
        await house.press("ctrl+k")
        await house.until(lambda: house.shows("K kill: cancel 30 entries and stay shut", "F flatten 30 positions"))
        await house.sees(
            "U resume",
            "Esc look around",
            "K cancels BUY to open 47 SYM00",
            "more, Orders lists them",
            "more, Positions lists them",
        )


@SIZES
async def test_a_killed_desk_full_of_orders_still_shows_the_words_to_type_and_what_was_typed(
    size: tuple[int, int],
) -> None:
    """OP-07"""
    async with open_still(crowded(**a_kill()), size) as house:
        await house.press("ctrl+k", *"REAR")
        await house.until(lambda: house.shows("typed: REAR"))
        await house.sees("F flatten 30 positions", "type NAKED", "type REARM to trade again", "Esc back to the desk")
        await house.sees("KILLED since", "not gone", "stays", "NO STOP", "open SYM00 47")


@SIZES
@pytest.mark.parametrize("status", [a_halt, a_kill])
async def test_the_status_lines_and_the_last_line_stay_in_sight(status: Any, size: tuple[int, int]) -> None:
    """OP-07, DESK rule 2"""
    async with open_still(crowded(**status()), size) as house:
        await house.until(lambda: house.shows("UNCOVERED", "EXIT WAITS"))
        above = len(house.desk.board.status.lines)
        before = house.picture().splitlines()[:above]

        await house.press("ctrl+k")
        await house.until(lambda: house.shows("Esc back" if status is a_kill else "U resume"))

        assert house.picture().splitlines()[:above] == before
        await house.until(lambda: "Ctrl+K KILL" in house.footer())
        await house.until(lambda: "Esc" in house.footer())


@SIZES
async def test_what_is_shown_and_what_is_counted_is_all_there_is(size: tuple[int, int]) -> None:
    """OP-07"""
    async with open_still(crowded(**a_kill()), size) as house:
        await house.press("ctrl+k")
        await house.until(lambda: house.shows("type REARM"))
        screen: Any = house.desk.screen
        lines = [joined(line) for line in screen.body.lines]

    shown = [line for line in lines if line.startswith("not gone")]
    counted = lines[lines.index(shown[-1]) + 1]
    assert counted == f"          and {MANY - len(shown)} more, Orders lists them"


async def test_room_that_opens_is_used_and_with_few_orders_all_are_listed() -> None:
    """OP-07"""
    view = crowded(**a_kill())
    async with open_still(view, (80, 24)) as house:
        await house.press("ctrl+k")
        await house.until(lambda: house.shows("Orders lists them"))
        kill = view.kill
        few = KillView(kill.entries_working[:1], kill.stops_working[:1], kill.uncovered[:1])
        await house.shows_next(kill=few, positions=view.positions[:1])
        await house.until(lambda: house.shows("not gone BUY to open 47 SYM00", "stays SELL 47 SYM00", "NO STOP SYM00"))
        assert not house.shows("lists them")


async def test_where_another_cause_halts_too_its_word_is_among_the_keys() -> None:
    """OP-07"""
    another = HaltRow(HaltCause.INVARIANT, "the books do not add up")
    halt = a_halt() | {"halts": (*a_halt()["halts"], another)}
    async with open_still(crowded(**halt), (80, 24)) as house:
        await house.press("ctrl+k")
        await house.until(lambda: house.shows("also invariant: the books do not add up", "type CLEAR to end the halt"))


async def test_a_terminal_too_small_for_the_desk_keeps_the_keys_and_gives_up_the_rest() -> None:
    """OP-07"""
    async with open_still(crowded(**a_kill()), (60, 14)) as house:
        await house.press("ctrl+k", "R")
        await house.until(lambda: house.shows("type NAKED", "type REARM to trade again", "typed: R", "KILLED since"))


async def test_it_draws_over_a_desk_that_is_already_closing() -> None:
    """OP-07: what lies under it may be gone before it is"""
    async with open_still(crowded(**a_kill()), (80, 24)) as house:
        await house.press("ctrl+k")
        await house.until(lambda: house.shows("type REARM"))
        await house.desk.screen_stack[0].query("#status, #footer").remove()
        house.desk.screen.chord_again()  # type: ignore[attr-defined]
        await house.sees("type NAKED", "type REARM to trade again")


def test_lists_share_a_room_and_none_of_them_goes_without_a_line() -> None:
    """OP-07"""
    texts = [f"order {number}" for number in range(1, 9)]
    lists = [one_each("a  ", texts, 40, "Orders lists them", 6), one_each("b  ", texts[:1], 40, "Orders lists them", 6)]

    assert [joined(line) for line in sharing(lists, 4)] == [
        "a  order 1",
        "a  order 2",
        "   and 6 more, Orders lists them",
        "b  order 1",
    ]
    assert [joined(line) for line in sharing(lists, 2)] == ["a  8, Orders lists them", "b  order 1"]


def test_things_side_by_side_are_never_torn_apart() -> None:
    held = [f"SYM{number} 47" for number in range(5)]
    listed = side_by_side("open  ", held, 30, "Positions lists them")

    assert [joined(line) for line in sharing([listed], 9)] == [
        "open  SYM0 47, SYM1 47,",
        "      SYM2 47, SYM3 47,",
        "      SYM4 47",
    ]
    assert [joined(line) for line in sharing([listed], 2)] == [
        "open  SYM0 47, SYM1 47,",
        "      and 3 more, Positions lists them",
    ]
