"""The kill screen of a day with many orders: its keys, the status lines and the last line stay (OP-07)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from syrupy.assertion import SnapshotAssertion

from core.model.codes import DeskState, HaltCause
from core.model.desk import DeskNumber, Seat
from core.model.order import Effect, OrderType, Side, StopHolder
from core.model.values import Price, Quantity
from core.views import DeskRow, DeskView, HaltRow, KeyView, KillView
from tests.desk.still_house import StillHouse, a_position, a_view, an_exit, an_order, open_still
from widgets.kill import one_each, sharing, side_by_side
from widgets.lines import joined

MANY = 30
SIZES = ((80, 24), (120, 40))


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
        status=status, orders=(*entries, *stops), positions=bare, proposals=(an_exit("SYM00"),),
        kill=KillView(entries, stops, bare),
    )  # fmt: skip


def a_halt() -> dict[str, Any]:
    at = a_view().status.at
    halts = (HaltRow(HaltCause.KEY, "by key"),)
    return {"word": DeskState.HALTED, "halts": halts, "halted_at": at, "entries_refused": "halted (key): by key"}


def a_kill() -> dict[str, Any]:
    at = a_view().status.at
    return {"word": DeskState.KILLED, "killed_by": "key", "killed_at": at, "entries_refused": "killed by key"}


async def test_a_crowded_halt_still_shows_its_keys() -> None:
    """OP-07, DESK rule 2: the status lines and the last line stay in sight; each cause has its word"""
    async with open_still(crowded(**a_halt()), (80, 24)) as house:
        for size in SIZES:
            await house.pilot.resize_terminal(*size)
            above = await the_lines_above(house)
            await house.press("ctrl+k")
            await house.sees("cancel 30 entries, block new ones", "F review: cancel 30 entries, close 30", "U resume")
            await house.sees("Esc look around", "K cancels BUY to open 47 SYM00")
            await house.sees("more, Orders lists them", "more, Positions lists them")
            await stay_in_sight(house, above)
            await house.press("escape")

        another = HaltRow(HaltCause.INVARIANT, "the books do not add up")
        await house.shows_next(status=replace(crowded(**a_halt()).status, halts=(*a_halt()["halts"], another)))
        await house.press("ctrl+k")
        await house.sees("also invariant: the books do not add up", "type CLEAR to end the halt")


async def test_a_watchers_kill_screen_offers_no_flattening() -> None:
    """OP-13: F would be refused there"""
    eve = DeskRow(DeskNumber(2), Seat("/dev/pts/4", "eve"), a_view().status.at)
    async with open_still(crowded(**a_halt(), key=KeyView(2, eve, desks=(eve,)))) as house:
        house.handle.number = DeskNumber(1)
        await house.press("ctrl+k")
        await house.sees("eve on pts/4 holds the key", "K kill", "Esc look around")

        assert not house.shows("flatten")


async def the_lines_above(house: StillHouse) -> list[str]:
    await house.sees("UNCOVERED", "EXIT WAITS")
    return house.picture().splitlines()[: len(house.desk.board.status.lines)]


async def stay_in_sight(house: StillHouse, above: list[str]) -> None:
    assert house.picture().splitlines()[: len(above)] == above
    await house.until(lambda: "Ctrl+K KILL" in house.footer())
    await house.until(lambda: "Esc" in house.footer())


async def test_a_crowded_kill_still_shows_its_words(snapshot: SnapshotAssertion) -> None:
    """OP-07, DESK rule 2: what is shown and what is counted are all; more room lists more"""
    view = crowded(**a_kill())
    async with open_still(view, (80, 24)) as house:
        for size in SIZES:
            await house.pilot.resize_terminal(*size)
            above = await the_lines_above(house)
            await house.press("ctrl+k")
            await house.sees("Esc back", "type REARM")
            await stay_in_sight(house, above)
            screen: Any = house.desk.screen
            lines = [joined(line) for line in screen.body.lines]
            shown = [line for line in lines if line.startswith("not gone")]
            assert lines[lines.index(shown[-1]) + 1] == snapshot(name=f"{size[0]} columns")

            await house.press(*"REAR")
            await house.sees("typed: REAR", "close 30 positions", "type NAKED", "type REARM to trade again")
            await house.sees("KILLED since", "not gone", "stays", "NO STOP", "open SYM00 47", "Esc back to the desk")
            await house.press("escape")

        await house.pilot.resize_terminal(60, 14)
        await house.press("ctrl+k", "R")
        await house.sees("type NAKED", "type REARM to trade again", "typed: R", "KILLED since")
        await house.pilot.resize_terminal(80, 24)
        await house.sees("Orders lists them")
        kill = view.kill
        few = KillView(kill.entries_working[:1], kill.stops_working[:1], kill.uncovered[:1])
        await house.shows_next(kill=few, positions=view.positions[:1], orders=())
        await house.sees("not gone BUY to open 47 SYM00", "stays SELL 47 SYM00", "NO STOP SYM00")
        assert not house.shows("lists them")

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
