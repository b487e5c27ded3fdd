"""A desk of virtual time leaves as a live one: it waits for the same, and says the same of what it leaves behind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.messages.commands import ProposeClose
from core.messages.effects import Effect as Request
from core.messages.effects import LookUpOrder
from core.messages.inputs import CancelAnswered, Input
from core.model.broker import CancelTaken, OrderUpdate
from core.runtime.inbox import Link
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.exchange_requests import CANCEL, MARKET, SELL, STOP, sent, submit
from tests.scenarios.house import SPY, STEADY, House, a_house_in_a_position, a_typed_buy, minutes
from tests.scenarios.test_excess_exits import ROOMY


@dataclass(frozen=True, slots=True)
class LateNews(Link):
    """The stream tells a second late."""

    def tell(self, update: OrderUpdate) -> Iterable[timedelta]:
        return (timedelta(seconds=1),)


class TakesCancels(LateNews):
    """A cancel is taken at once, and what comes of it is told by the stream alone: no look-up arrives."""

    def carry(self, effect: Request) -> Iterable[timedelta]:
        return () if isinstance(effect, LookUpOrder) else (self.latency,)

    def bring(self, effect: Request, answer: Input) -> Iterable[tuple[timedelta, Input]]:
        if isinstance(answer, CancelAnswered):
            answer = CancelAnswered(answer.client_order_id, CancelTaken())
        return ((timedelta(0), answer),)


def a_house() -> House:
    return House([*minutes("09:55", "10:30")], ROOMY, cash=Decimal(10000)).opens().until("10:05")


def leaves(house: House) -> None:
    house.line.finish_what_is_owed()


def test_leaving_names_a_resting_entry(snapshot: SnapshotAssertion):
    """EX-22, OP-06"""
    house = a_house()
    house.presses(a_typed_buy("0.5", limit="99.00", stop="98"))
    confirms_now(house)
    house.until("10:06:30")
    leaves(house)

    assert house.line.last_words == snapshot


def test_leaving_waits_for_a_fill_and_sends_its_stop():
    """EX-22, OP-06: the exchange has answered, and its stream has not told of the fill."""
    house = a_house()
    house.line.link = LateNews()
    house.presses(a_typed_buy("0.5", limit="101.00", stop="98"))
    confirms_now(house)
    passes(house, 0.3)
    assert house.held() == "0"
    leaves(house)

    assert (house.held(), sent(house)[-1].type) == ("0.5", STOP)
    assert house.line.last_words == ()


def test_leaving_waits_for_a_stop_before_an_exit():
    """EX-22, EX-21: its cancel is answered, and its end is told later."""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    house.line.link = TakesCancels()
    house.presses(ProposeClose(SPY))
    confirms_now(house)
    passes(house, 0.5)
    assert (sent(house)[-1], house.line.lanes.awaits) == (CANCEL, False)
    leaves(house)

    assert sent(house)[-1] == submit(SELL, MARKET, "0.502")
    assert house.held_by_the_broker() == "0"


def test_leaving_names_an_unanswered_entry(snapshot: SnapshotAssertion):
    """EX-22"""
    house = a_house()
    house.presses(a_typed_buy("0.5", limit="99.00", stop="98"))
    house.opens_ticket()
    passes(house, 1)
    house.line.link = Link(answer_delay=timedelta(seconds=5))
    house.confirms()
    passes(house, 0.5)
    leaves(house)

    assert house.line.last_words == snapshot
