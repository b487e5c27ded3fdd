"""The panes on a real engine: what they say, empty and full, at every size."""

from __future__ import annotations

from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from console import keymap
from console.panes import PANES
from core.facts import EngineStopped
from core.model.order import Effect, Side
from core.model.values import Money
from core.views.desk import EngineFailed
from tests.desk.desk_house import House, open_desk
from tests.desk.still_house import an_exit
from widgets.proposals import _whys as whys_of


def narrow(house: House) -> bool:
    return all(len(line) <= 80 for line in house.picture().splitlines())


def test_the_number_in_a_panes_frame_is_the_key_that_brings_it() -> None:
    assert [entry.scope for entry in PANES.values()] == [*keymap.PANES]
    for number, (name, entry) in enumerate(PANES.items(), start=1):
        pane = entry.make(lambda _what, _key: None)
        assert (pane.id, pane.NUMBER, pane.NAME.lower()) == (name, number % 10, name)


async def test_leaving_says_what_it_means_and_needs_another_key() -> None:
    """And resizing loses nothing"""
    async with open_desk((120, 40)) as house:
        await house.buys()
        await house.press("3", "down")
        chosen = house.desk.board.orders.grid.selected
        await house.pilot.resize_terminal(80, 24)
        await house.until(lambda: house.shows("3 Orders") and narrow(house))
        await house.pilot.resize_terminal(60, 20)
        await house.sees("Keyturn needs 80 × 24; this terminal has 60 × 20")
        await house.pilot.resize_terminal(120, 40)
        await house.sees("2 Positions", "3 Orders", "5 Strategies")
        assert chosen is not None
        assert house.desk.board.orders.grid.selected == chosen

        await house.press("q", "q", "enter")
        await house.sees("Leave?", "SPY 0.1 keeps stop 494.72 (day, to ", "Strategies stop")
        await house.sees("ENTRIES ON")
        await house.press("escape", "ctrl+q")
        await house.sees("Leave?")
        await house.press("y")

        await house.until(house.desk.handle.ended.is_set)
        await house.until(lambda: not house.desk.is_running)
        assert house.facts(EngineStopped)
        assert house.desk.closing.was_left


async def test_what_ends_badly_is_said_in_words(snapshot: SnapshotAssertion) -> None:
    """A failed engine shows its message and lets the operator go."""
    async with open_desk(ready=False) as house:
        house.runtime.leave()
        await house.until(house.desk.handle.ended.is_set)
        house.desk.handle.view = EngineFailed("the lock is held by process 7")
        await house.sees("NO ENGINE: nothing trades", "the lock is held by process 7")
        await house.press("q")
        await house.until(lambda: not house.desk.is_running)
        assert house.desk.closing.failure == snapshot


def test_one_proposal_without_a_risk_takes_no_name_from_the_others() -> None:
    """OP-06: a market order before any quote"""
    entry = {"exit_reason": None, "effect": Effect.OPEN, "side": Side.BUY}
    rows = (
        an_exit("SPY", **entry, risk=Money(Decimal("28.08"))),
        an_exit("IBM", **entry, strategy="manual", reason="typed by the operator"),
    )

    assert whys_of(rows, 18) == ["risk 28.08 VWAP", "risk – by you"]
