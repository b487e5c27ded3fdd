"""A stop that the last look keeps back guards nothing: it goes again at once, then it is asked for (OP-02, EX-13)."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from core.execution.gateway import Withheld
from core.facts import SubmissionBlocked
from core.messages.commands import MoveStop
from core.messages.effects import ReplaceOrder, SubmitOrder
from core.model.values import Price
from tests.scenarios.changes import FRACTIONS, confirms_now, passes
from tests.scenarios.house import STEADY, House, a_house_in_a_position, a_typed_buy, minutes
from tests.scenarios.test_excess_exits import is_sold_elsewhere
from tests.scenarios.test_owed_stops import is_bare, waiting, working_stops
from tests.unit.core.brokers.trading_floor import SPY


class KeepsBack:
    """The gateway keeps stops back, the first so many; how many there were."""

    def __init__(self, house: House, times: int, reason: str = "the last look before it failed") -> None:
        self.gateway, self.times, self.reason, self.asked = house.line.gateway, times, reason, 0
        self._refusal = self.gateway.refusal
        house.line.gateway = self  # type: ignore[assignment]

    def __getattr__(self, name: str) -> object:
        return getattr(self.gateway, name)

    def refusal(
        self, effect: SubmitOrder | ReplaceOrder, now: datetime, queued_at: datetime | None = None
    ) -> Withheld | None:
        if effect.order.type.is_stop:
            self.asked += 1
            if self.asked <= self.times:
                return Withheld(self.reason)
        return self._refusal(effect, now, queued_at)


def a_fraction(times: int) -> tuple[House, KeepsBack]:
    house = House([*minutes("09:55", "10:40")], FRACTIONS, cash=Decimal(10_000)).opens().until("10:05")
    kept_back = KeepsBack(house, times)
    house.presses(a_typed_buy("0.5", limit="100.10", stop="98"))
    confirms_now(house)
    while not house.stops:
        assert house.line.step(house.line.at + timedelta(minutes=1))
    passes(house, 3)
    return house, kept_back


def test_it_goes_again_at_once() -> None:
    """OP-06: what its ticket signed permits it still; the next look into the books is a minute away"""
    house, kept_back = a_fraction(times=1)

    assert (working_stops(house), is_bare(house), waiting(house)) == (["0.5 at 98"], (), [])
    assert kept_back.asked == 2


def test_a_stop_blocked_twice_waits_on_a_ticket() -> None:
    """OP-02, EX-13"""
    house, kept_back = a_fraction(times=99)

    assert (working_stops(house), waiting(house), kept_back.asked) == ([], ["0.5 at 98"], 2)
    house.until("10:20")
    assert (waiting(house), kept_back.asked) == (["0.5 at 98"], 2)
    kept_back.times = 0
    confirms_now(house)
    passes(house, 3)
    assert (working_stops(house), waiting(house)) == (["0.5 at 98"], [])


def test_a_blocked_reduced_stop_is_asked_for() -> None:
    """EX-13: nothing that was signed for it stands any more"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    kept_back = KeepsBack(house, 99)

    is_sold_elsewhere(house, "0.302")

    assert (house.held(), working_stops(house), waiting(house)) == ("0.2", [], ["0.2 at 99.3"])
    assert kept_back.asked == 1


def test_a_confirmed_blocked_stop_is_not_asked() -> None:
    """OP-02: the stop that it was to move guards on where it is"""
    house = a_house_in_a_position(("10:06", "10:30", STEADY))
    KeepsBack(house, 1)
    house.presses(MoveStop(SPY, house.entry.strategy, Price(Decimal("99"))))
    confirms_now(house)
    passes(house, 3)

    assert working_stops(house) == ["0.502 at 99.3"]
    assert waiting(house) == []
    assert "last look" in house.facts(SubmissionBlocked)[-1].reason
