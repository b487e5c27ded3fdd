"""The machine's clock is set by an hour under an engine whose desk has a ticket open: the live runtime, by a socket."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from core.facts import ClockJumped, ConfirmationReceived, ConfirmationRefused, Killed, OrderCreated
from core.messages.commands import OpenTicket
from tests.kit.served import served
from tests.kit.waiting import until
from tests.scenarios.house import STEADY, a_day, a_typed_buy
from tests.scenarios.live_floor import LiveFloor, LiveHouse
from tests.scenarios.test_socket_desks import Told, attached, holds, key_on, view_of

pytestmark = pytest.mark.usefixtures("timeline")


@pytest.mark.parametrize(("hours", "way"), [(1, "forward"), (-1, "back")])
def test_a_key_after_a_clock_jump_sends_nothing(hours: int, way: str) -> None:
    """EX-11, SY-01, OP-13: it keeps its number and its key, is told why, and kills as ever."""
    floor = LiveFloor("10:20", a_day(("10:06", "10:20", STEADY)))
    house = LiveHouse(floor, steady=time.monotonic)
    told = Told(house.runtime)  # type: ignore[arg-type]
    with served(house.runtime) as there, attached(there) as desk:
        until(lambda: view_of(desk).status.word == "on" and view_of(desk).status.entries_refused is None)
        number = desk.desk
        desk.send(a_typed_buy())
        until(lambda: view_of(desk).proposals)
        desk.send(OpenTicket(view_of(desk).proposals[0].id))
        until(lambda: view_of(desk).tickets)
        ticket = view_of(desk).tickets[0]
        hold = view_of(desk).status.key.hold

        floor.offset += timedelta(hours=hours)
        until(lambda: told.of(ClockJumped))
        until(lambda: f"clock jumped 3,600 s {way}" in (view_of(desk).status.entries_refused or ""))
        desk.send(key_on(ticket, hold))

        until(lambda: told.of(ConfirmationRefused))
        assert told.of(OrderCreated) == []
        assert not [asked for asked in floor.asked if asked.startswith("submit")]
        assert len(told.of(ConfirmationReceived)) <= 1
        assert desk.desk == number
        assert holds(desk)
        desk.press_kill_again()
        until(lambda: told.of(Killed))
        until(lambda: view_of(desk).status.word == "killed")
