"""Every pane says in words what the desk is: starting, read-only, halted, killed, stopped; empty, waiting, stale."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from console.screens.desk_control import leaving_lines
from core.model.account import Channel, ConnectionState, ConnectionStatus
from core.model.codes import DeskState, HaltCause
from core.model.entry_blocks import EntryBlock, EntryCause
from core.model.order import StopHolder
from core.model.values import Price, Quantity
from core.views import HaltRow
from core.views.desk import EngineFailed, EngineLoading
from tests.desk.still_house import a_held_chart, a_position, a_view, an_exit, open_still
from tests.kit.rows import each
from widgets.lines import joined

STATES = {  # in a frame, its banner, and what empty positions and orders say
    "starting": (
        "STARTING",
        "STARTING: comparing the books with the broker",
        "Not known yet: the books are being compared",
        "Not known yet: the books are being compared",
    ),
    "read-only": (
        "READ-ONLY",
        "READ-ONLY: the books differ",
        "None in this desk's books; the broker's",
        "No orders today. READ-ONLY: no order leaves.",
    ),
    "halted": (
        "HALTED",
        "HALTED since",
        "No positions. A filled entry appears",
        "No orders today. HALTED: no new order leaves.",
    ),
    "killed": (
        "KILLED",
        "KILLED since",
        "No positions. A filled entry appears",
        "No orders today. KILLED: no order that opens leaves.",
    ),
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


async def test_each_state_has_its_word_and_banner() -> None:
    """DESK, rules 1 and 2: and an empty pane claims nothing"""
    async with open_still(a_view(), (120, 40)) as house:
        for word, (frame, banner, positions, orders) in STATES.items():
            for size in ((80, 24), (120, 40)) if word == "starting" else ((120, 40),):
                await house.pilot.resize_terminal(*size)
                await house.press("1")
                await house.shows_next(status=a_view(status=a_status(word)).status, proposals=a_view().proposals)
                await house.sees(banner, f"1 Proposals ─ {frame}, 1 waiting")
                for key, name in (("2", "Positions"), ("3", "Orders"), ("5", "Strategies")):
                    await house.press(key)
                    await house.sees(f"{key} {name} ─ {frame}")
                await house.press("4")
                await house.sees("4 Protections ─ entries OFF", "ENTRIES OFF")
            await house.shows_next(proposals=())
            await house.sees(positions, orders, "No proposals. Entries are off:")


async def test_a_stopped_engine_is_in_every_frame() -> None:
    """OP-07, OP-03: also where no new picture comes; a silent broker shuts entries alone"""
    async with open_still(a_view(proposals=())) as house:
        await house.sees("ENTRIES ON", "EXITS ON")
        away = ConnectionStatus(Channel.BROKER, ConnectionState.DOWN, a_view().status.at, None, 3, "no answer in 3 s")
        blocks = (EntryBlock(EntryCause.LINK, "the broker is away"),)
        house.handle.show(status=replace(a_view().status, connections=(away,), blocks=blocks))
        said = "try 3: no answer in 3 s; no entry can leave; exits and cancels are tried"
        await house.sees("ENTRIES OFF", "EXITS ON", said)
        await house.shows_next(status=a_view().status)

        await house.sees("1 Proposals ───")
        house.handle.ended.set()
        await house.sees("ENGINE STOPPED: the market has ended")
        await house.sees("1 Proposals ─ STOPPED", "2 Positions ─ STOPPED", "3 Orders ─ STOPPED", "6 Log ─ STOPPED")
        await house.sees("No proposals. The engine has stopped", "The engine has stopped: no order leaves")


async def test_without_an_engine_the_screen_says_so() -> None:
    """OP-07: and few keys are named"""
    view = a_view()
    async with open_still(view, (200, 60)) as house:
        for size in ((200, 60), (80, 24)):
            await house.pilot.resize_terminal(*size)
            house.handle.view = EngineLoading("reading the journal")
            await house.until(lambda: house.shows("STARTING: reading the journal…") and not house.shows("1 Proposals"))
            house.handle.view = view
            await house.sees("1 Proposals ─ 1 waiting")
            assert house.desk.focused is house.desk.board.proposals.grid
        await house.until(lambda: "n new order" in house.footer())
        house.handle.view = EngineFailed("the lock is held by process 7")
        for size in ((80, 24), (200, 60)):
            await house.pilot.resize_terminal(*size)
            await house.sees("NO ENGINE: nothing trades", "the lock is held by process 7", "q leaves")

        await house.until(lambda: house.footer().split() == ["q", "leave", "Ctrl+K", "KILL"])
        await house.press("question_mark")
        await house.until(lambda: "Esc back" in house.footer())
        await house.press("escape")
        await house.until(lambda: len(house.desk.screen_stack) == 1)
        await house.press("n", "enter", "x", "w", "X", "v")
        await house.until(lambda: house.footer().split() == ["q", "leave", "Ctrl+K", "KILL"])
        assert len(house.desk.screen_stack) == 1


def test_leaving_tells_exits_from_stops() -> None:
    """EX-13"""
    part = Quantity(Decimal(40))
    for held, words in (
        (a_position(holder=StopHolder.YOU), "SPY 47 has no stop; its exit works at the broker."),
        (a_position(holder=StopHolder.YOU, covered=part), "SPY 47: only 40 have an exit, and no stop, at the broker"),
        (a_position(covered=part), "SPY 47: only 40 have a stop at the broker, 7 have none."),
    ):
        told = " ".join(joined(line).strip() for line in leaving_lines(a_view(positions=(held,))))
        assert words in told


@each(
    ("word", "says"),
    [("starting", "what is held there is not known here."), ("read-only", "what else is held there, nobody watches.")],
)
def test_leaving_claims_nothing_uncompared(word: str, says: str) -> None:
    """EX-09"""
    told = " ".join(joined(line).strip() for line in leaving_lines(a_view(status=a_status(word))))
    assert says in told
    assert "Nothing is held" not in told


async def test_old_prices_say_their_age() -> None:
    """DESK: every number shows its age when it can be stale; OP-06: of several stops the farthest is shown"""
    held = a_position(stop_price=Price(Decimal("1166.26")), nearer_stops=(Price(Decimal("1166.50")),))
    view = a_view(positions=(held,), proposals=(an_exit(),), chart=a_held_chart(54))
    async with open_still(view, (200, 60)) as house:
        assert not house.shows("OLD")
        assert not house.shows("STALE")

        later = replace(view.status, at=view.status.at + timedelta(minutes=4))
        await house.shows_next(status=later)

        await house.sees("data STALE   4 m", "PRICES UP TO 4 m OLD", "167.00!", "New York, USD, STALE 4 m")
        await house.press("2")
        await house.sees("1166.26+")
        await house.sees("SPY: last price 4 m old, of 10:24:00")
