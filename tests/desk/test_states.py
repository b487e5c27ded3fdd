"""Every pane says in words what the desk is: starting, read-only, halted, killed, stopped; empty, waiting, stale."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from console.screens.leave import leaving_lines
from core.model.codes import DeskState, HaltCause
from core.model.connection import Channel, ConnectionState, ConnectionStatus
from core.model.order import StopHolder
from core.model.values import Price, Quantity
from core.views import HaltRow
from core.views.engine import EngineFailed, EngineLoading
from tests.desk.desk_house import open_desk
from tests.desk.still_house import a_held_chart, a_position, a_view, an_exit, open_still
from widgets.lines import joined

STATES = {
    "starting": ("STARTING", "STARTING: comparing the books with the broker"),
    "read-only": ("READ-ONLY", "READ-ONLY: the books differ"),
    "halted": ("HALTED", "HALTED since"),
    "killed": ("KILLED", "KILLED since"),
}


def a_status(word: str) -> dict[str, Any]:
    at = a_view().status.at
    more: dict[str, dict[str, Any]] = {
        "starting": {"entries_refused": "read-only: not compared yet"},
        "read-only": {"entries_refused": "read-only: the books differ"},
        "halted": {
            "entries_refused": "halted (key): by key",
            "halts": (HaltRow(HaltCause.KEY, "by key"),),
            "halted_at": at,
        },
        "killed": {"entries_refused": "killed by key", "killed_by": "key", "killed_at": at},
    }
    return {"word": DeskState(word), **more[word]}


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
@pytest.mark.parametrize("word", STATES)
async def test_each_state_has_its_word_and_banner(word: str, size: tuple[int, int]) -> None:
    """DESK, rule 2"""
    frame, banner = STATES[word]
    async with open_still(a_view(status=a_status(word)), size) as house:
        await house.sees(banner, f"1 Proposals ─ {frame}, 1 waiting")
        for key, name in (("2", "Positions"), ("3", "Orders"), ("5", "Strategies")):
            await house.press(key)
            await house.sees(f"{key} {name} ─ {frame}")
        await house.press("4")
        await house.sees("4 Protections ─ entries OFF", "ENTRIES OFF")


@pytest.mark.parametrize(
    ("word", "positions", "orders"),
    [
        ("starting", "Not known yet: the books are being compared", "Not known yet: the books are being compared"),
        ("read-only", "None in this desk's books; the broker's", "No orders today. READ-ONLY: no order leaves."),
        ("halted", "No positions. A filled entry appears", "No orders today. HALTED: no new order leaves."),
        ("killed", "No positions. A filled entry appears", "No orders today. KILLED: no order that opens leaves."),
    ],
)
async def test_an_empty_pane_claims_nothing(word: str, positions: str, orders: str) -> None:
    """DESK, rules 1 and 2"""
    async with open_still(a_view(status=a_status(word), proposals=())) as house:
        await house.sees(positions, orders, "No proposals. Entries are off:")


async def test_a_stopped_engine_is_in_every_frame() -> None:
    """OP-07: also where no new picture comes"""
    async with open_still(a_view(proposals=())) as house:
        await house.sees("1 Proposals ───")
        house.handle.ended.set()
        await house.until(lambda: house.shows("ENGINE STOPPED: the market has ended"))
        await house.sees("1 Proposals ─ STOPPED", "2 Positions ─ STOPPED", "3 Orders ─ STOPPED", "6 Log ─ STOPPED")
        await house.sees("No proposals. The engine has stopped", "The engine has stopped: no order leaves")


async def test_a_desk_that_is_on_says_nothing_of_it() -> None:
    async with open_desk() as house:
        await house.sees("1 Proposals ─ 1 waiting", "2 Positions ──", "3 Orders ──", "5 Strategies ─ 1 running")
        await house.press("ctrl+k")
        await house.until(lambda: house.shows("1 Proposals ─ HALTED, 1 waiting", "2 Positions ─ HALTED"))
        await house.until(house.is_armed)
        await house.press("U")
        await house.until(lambda: house.shows("1 Proposals ─ 1 waiting", "2 Positions ──"))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_without_an_engine_the_screen_says_so(size: tuple[int, int]) -> None:
    view = a_view()
    async with open_still(view, size) as house:
        house.handle.view = EngineLoading("reading the journal")
        await house.until(lambda: house.shows("STARTING: reading the journal…") and not house.shows("1 Proposals"))
        house.handle.view = view
        await house.until(lambda: house.shows("1 Proposals ─ 1 waiting"))
        assert house.desk.focused is house.desk.board.proposals.grid
        house.handle.view = EngineFailed("the lock is held by process 7")
        await house.until(lambda: house.shows("NO ENGINE: nothing trades", "the lock is held by process 7", "q leaves"))


async def test_without_an_engine_few_keys_are_named() -> None:
    """OP-07"""
    async with open_still(a_view(proposals=())) as house:
        await house.until(lambda: "n new order" in house.footer())
        house.handle.view = EngineFailed("settings.toml: risk.per_trade: must be a fraction")
        await house.until(lambda: house.footer().split() == ["q", "leave", "Ctrl+K", "KILL"])
        await house.press("question_mark")
        await house.until(lambda: "Esc back" in house.footer())
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        await house.press("n", "enter", "x", "w", "X", "v")
        await house.until(lambda: house.footer().split() == ["q", "leave", "Ctrl+K", "KILL"])
        assert len(house.desk.screen_stack) == 1


async def test_a_silent_broker_shuts_entries() -> None:
    """OP-03"""
    async with open_still(a_view()) as house:
        await house.sees("ENTRIES ON", "EXITS ON")
        away = ConnectionStatus(Channel.BROKER, ConnectionState.DOWN, a_view().status.at, None, 3, "no answer in 3 s")
        house.handle.show(status=replace(a_view().status, lamps=(away,)))
        said = "try 3: no answer in 3 s; no entry can leave; exits and cancels are tried"
        await house.until(lambda: house.shows("ENTRIES OFF", "EXITS ON", said))


async def test_with_several_stops_the_farthest_is_shown() -> None:
    """OP-06"""
    held = a_position(stop_price=Price(Decimal("1166.26")), nearer_stops=(Price(Decimal("1166.50")),))
    async with open_still(a_view(positions=(held,))) as house:
        await house.press("2")
        await house.until(lambda: house.shows("1166.26+"))


async def test_leaving_tells_exits_from_stops() -> None:
    """EX-13"""
    part = Quantity(Decimal(40))
    for held, words in (
        (a_position(holder=StopHolder.YOU), "SPY 47 has no stop; its exit works at the broker."),
        (a_position(holder=StopHolder.YOU, covered=part), "SPY 47: only 40 have an exit, and no stop, at the broker"),
        (a_position(covered=part), "SPY 47: only 40 have a stop at the broker, 7 have none."),
    ):
        told = " ".join(joined(line).strip() for line in leaving_lines(a_view(positions=(held,))))
        assert words in told


@pytest.mark.parametrize(
    ("word", "says"),
    [("starting", "what is held there is not known here."), ("read-only", "what else is held there, nobody watches.")],
)
async def test_leaving_claims_nothing_uncompared(word: str, says: str) -> None:
    """EX-09"""
    told = " ".join(joined(line).strip() for line in leaving_lines(a_view(status=a_status(word))))
    assert says in told
    assert "Nothing is held" not in told


async def test_old_prices_say_their_age() -> None:
    """DESK: every number shows its age when it can be stale"""
    view = a_view(positions=(a_position(),), proposals=(an_exit(),), chart=a_held_chart(54))
    async with open_still(view, (200, 60)) as house:
        assert not house.shows("OLD")
        assert not house.shows("STALE")

        later = replace(view.status, at=view.status.at + timedelta(minutes=4))
        await house.shows_next(status=later)

        await house.sees("data STALE   4 m", "PRICES UP TO 4 m OLD", "167.00!", "New York, USD, STALE 4 m")
        await house.press("2")
        await house.sees("SPY: last price 4 m old, of 10:24:00")
