"""The kill screen of a day with many orders: its keys, the status lines and the last line stay (OP-07)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

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
async def test_a_crowded_halt_still_shows_its_keys(size: tuple[int, int]) -> None:
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
async def test_a_crowded_kill_still_shows_its_words(
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
async def test_status_and_footer_stay_in_sight(status: Any, size: tuple[int, int]) -> None:
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
async def test_shown_plus_counted_is_all(snapshot: SnapshotAssertion, size: tuple[int, int]) -> None:
    """OP-07"""
    async with open_still(crowded(**a_kill()), size) as house:
        await house.press("ctrl+k")
        await house.until(lambda: house.shows("type REARM"))
        screen: Any = house.desk.screen
        lines = [joined(line) for line in screen.body.lines]

    shown = [line for line in lines if line.startswith("not gone")]
    counted = lines[lines.index(shown[-1]) + 1]
    assert counted == snapshot


async def test_more_room_lists_more_orders() -> None:
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


async def test_each_halt_cause_has_its_word() -> None:
    """OP-07"""
    another = HaltRow(HaltCause.INVARIANT, "the books do not add up")
    halt = a_halt() | {"halts": (*a_halt()["halts"], another)}
    async with open_still(crowded(**halt), (80, 24)) as house:
        await house.press("ctrl+k")
        await house.until(lambda: house.shows("also invariant: the books do not add up", "type CLEAR to end the halt"))


async def test_a_tiny_kill_screen_keeps_its_keys() -> None:
    """OP-07"""
    async with open_still(crowded(**a_kill()), (60, 14)) as house:
        await house.press("ctrl+k", "R")
        await house.until(lambda: house.shows("type NAKED", "type REARM to trade again", "typed: R", "KILLED since"))


async def test_it_draws_over_a_closing_desk() -> None:
    """OP-07: what lies under it may be gone before it is"""
    async with open_still(crowded(**a_kill()), (80, 24)) as house:
        await house.press("ctrl+k")
        await house.until(lambda: house.shows("type REARM"))
        await house.desk.screen_stack[0].query("#status, #footer").remove()
        house.desk.screen.chord_again()  # type: ignore[attr-defined]
        await house.sees("type NAKED", "type REARM to trade again")


def test_lists_share_the_room(snapshot: SnapshotAssertion) -> None:
    """OP-07"""
    texts = [f"order {number}" for number in range(1, 9)]
    lists = [one_each("a  ", texts, 40, "Orders lists them", 6), one_each("b  ", texts[:1], 40, "Orders lists them", 6)]

    assert [joined(line) for line in sharing(lists, 4)] == snapshot
    assert [joined(line) for line in sharing(lists, 2)] == snapshot


def test_things_side_by_side_are_never_torn_apart(snapshot: SnapshotAssertion) -> None:
    held = [f"SYM{number} 47" for number in range(5)]
    listed = side_by_side("open  ", held, 30, "Positions lists them")

    assert [joined(line) for line in sharing([listed], 9)] == snapshot
    assert [joined(line) for line in sharing([listed], 2)] == snapshot
