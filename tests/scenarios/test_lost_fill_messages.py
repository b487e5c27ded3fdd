"""A fill that the order stream does not tell, while the stream is up: the order is looked up, and its stop follows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from core.facts import OrderCreated, OrderIdled
from core.messages.effects import LookUpOrder
from core.messages.inputs import LookUpAnswered, QuoteArrived
from core.model.order import OrderStatus, OrderType, TimeInForce
from core.model.values import ClientOrderId
from core.settings.settings import Settings
from tests.scenarios.changes import FRACTIONS, confirms_now
from tests.scenarios.house import RARELY, House, a_typed_buy, minutes
from tests.scenarios.test_limited_queries import at_a_limit, fills_the_minute, first, leaving
from tests.unit.core.brokers.trading_floor import THURSDAY, a_bar, a_quote, at

FRIDAY = THURSDAY + timedelta(days=1)
FIVE = timedelta(seconds=5)
AT_MOST = FIVE + timedelta(seconds=1)
"""And the look-up."""


def a_house(*then: str, begins: str = "09:55", **terms: object) -> House:
    bars = [*minutes(begins, "10:05", "99.60"), *(a_bar(f"10:{6 + n:02d}", prices) for n, prices in enumerate(then))]
    bars += minutes(f"10:{6 + len(then):02d}", "10:20", then[-1].split()[-1] if then else "99.60")
    return House(bars, FRACTIONS.model_copy(update=RARELY), cash=Decimal(10_000), **terms).opens()  # type: ignore[arg-type]


def buys(house: House, shares: str = "0.5", limit: str | None = None) -> None:
    house.presses(a_typed_buy(shares, limit=limit))
    confirms_now(house)


def looked_up(house: House) -> list[ClientOrderId]:
    return [one.client_order_id for one in house.line.heard if isinstance(one, LookUpAnswered)]


def stopped_at(house: House) -> datetime:
    """When the first stop was recorded."""
    created = (record for record in house.journal.records() if isinstance(record.fact, OrderCreated))
    return next(record.at for record in created if record.fact.order.type is OrderType.STOP)


def filled_there_at(house: House) -> datetime:
    report = house.exchange.order(house.line.at, house.entry.id)
    return report.executions[-1].at  # type: ignore[union-attr]


def test_a_fraction_at_the_market_has_its_stop_in_five_seconds() -> None:
    """EX-22, EX-05, OP-06: its only fill message is lost"""
    house = a_house().until("10:06:30")
    house.line.is_deaf = True
    buys(house)
    house.until("10:07:30")

    assert stopped_at(house) - filled_there_at(house) <= AT_MOST
    assert house.held() == house.held_by_the_broker() == "0.5"
    assert looked_up(house) == [house.entry.id]


@pytest.mark.parametrize("after", ["", "99.60", "99.62"], ids=["no quote", "at the limit", "left"])
def test_a_limit_at_the_market_has_its_stop_in_five_seconds(after: str) -> None:
    """EX-22, EX-05: it could fill as it was accepted; the market may leave its price again"""
    house = a_house().until("10:06:30")
    house.line.is_deaf = True
    buys(house, limit="99.60")
    house.until("10:06:32")
    if after:
        house.line.take(house.line.at, QuoteArrived(a_quote("10:06:32", "99.58", after)))
    house.until("10:06:59")

    assert stopped_at(house) - filled_there_at(house) <= AT_MOST
    assert looked_up(house) == [house.entry.id]


def test_a_limit_that_the_market_left_unfilled_is_looked_up_once() -> None:
    """EX-22, EX-17"""
    house = a_house("99.62").until("10:06:10")
    buys(house, limit="99.50")
    house.until("10:06:20")
    for second, ask in ((20, "99.50"), (21, "99.70"), (40, "99.70")):
        house.until(f"10:06:{second}")
        house.line.take(house.line.at, QuoteArrived(a_quote(f"10:06:{second}", "99.40", ask)))
    house.until("10:06:59")

    assert looked_up(house) == [house.entry.id]
    assert house.entry.status is OrderStatus.SUBMITTED


def test_a_limit_that_the_market_passed_has_its_stop_in_five_seconds() -> None:
    """EX-22, EX-05: a quote is beyond the limit, and nothing is told of it"""
    house = a_house("99.70", "99.50").until("10:06:10")
    buys(house, limit="99.60")
    house.line.is_deaf = True
    house.until("10:07:10")
    house.line.take(house.line.at, QuoteArrived(a_quote("10:07:10", "99.49", "99.51")))
    house.until("10:08:30")

    assert stopped_at(house) - at("10:07:10") <= AT_MOST


def a_house_in_a_pause() -> House:
    """Ten shares trade with us in 10:06, and nothing more until 10:10."""
    still = [a_bar(f"10:{minute:02d}", "99.60", volume=0) for minute in range(7, 10)]
    thin = [a_bar("10:06", "99.60", volume=100), *still, *minutes("10:10", "10:20", "99.60")]
    house = House(
        [*minutes("09:55", "10:05", "99.60"), *thin],
        FRACTIONS.model_copy(update=RARELY),
        cash=Decimal(10_000),
    )
    return house.opens().until("10:06:30")


def test_an_order_that_rests_is_looked_up_ever_more_rarely() -> None:
    """EX-22, RK-24: 5, 15, 35 and 75 s after its last news; it is an entry, and nobody is called"""
    house = a_house_in_a_pause()
    buys(house, "15")
    house.until("10:07:01")
    last, asked = house.entry.last_filled_at, []
    assert last is not None
    for seconds in range(5, 100):
        before = len(looked_up(house))
        house.until_moment(last + timedelta(seconds=seconds + 0.5))
        asked += [seconds] * (len(looked_up(house)) - before)

    assert house.entry.status is OrderStatus.PARTIALLY_FILLED
    assert asked == [5, 15, 35, 75]
    assert house.facts(OrderIdled) == []


def test_the_rest_of_a_fill_is_looked_up_too() -> None:
    """EX-22: a part is told, and the message of the rest is lost"""
    house = a_house_in_a_pause()
    buys(house, "15")
    house.until("10:09:50")
    part = house.entry.filled_quantity
    house.line.is_deaf = True
    house.until("10:11:20")

    assert 0 < part < house.entry.filled_quantity == sum(stop.request.quantity for stop in house.stops) == 15


AT_ANY_HOUR = Settings.model_validate(
    {
        "risk": {"max_notional": {"usd": "2000"}, "per_trade": {"usd": "20"}, "window_end": "16:00"},
        "orders": {"ttl_seconds": 0},
        **RARELY,
    }
)


def test_nothing_is_looked_up_outside_the_session() -> None:
    """EX-22: no order fills there that waits for the session"""
    bars = [*minutes("15:40", "15:59", "99.70"), *minutes("09:30", "09:35", "99.70", day=FRIDAY)]
    house = House(bars, AT_ANY_HOUR, cash=Decimal(10_000)).opens().until("15:50")
    house.presses(replace(a_typed_buy("2"), time_in_force=TimeInForce.GTC))
    confirms_now(house)
    house.until("16:00:10")
    house.line.take(house.line.at, QuoteArrived(a_quote("16:00:10", "99.49", "99.51")))
    house.until("09:29:59", day=FRIDAY)
    before = looked_up(house)
    house.until("09:30:10", day=FRIDAY)

    assert before == []
    assert looked_up(house) == [house.entry.id]


def test_an_unanswered_look_up_is_repeated() -> None:
    """EX-22, EX-06: the first answer is lost too"""
    house = a_house().until("10:06:30")
    house.line.is_deaf = True
    house.line.breaks_at(LookUpOrder, arrives=True)
    buys(house)
    house.until("10:07:30")

    assert stopped_at(house) - filled_there_at(house) <= timedelta(seconds=20)


def test_a_busy_minute_delays_no_look_up_at_the_market() -> None:
    """EX-22, RK-24: it is counted, and leaves where other queries wait"""
    house = at_a_limit(a_house().until("10:06:30"))
    house.line.is_deaf = True
    buys(house)
    house.until("10:06:32")
    fills_the_minute(house, 120)
    left = leaving(house)
    house.until("10:06:45")

    asked = first(left, LookUpOrder)
    assert asked is not None
    assert asked <= FIVE.total_seconds()
    assert stopped_at(house) - filled_there_at(house) <= AT_MOST
