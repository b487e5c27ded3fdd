"""Controls that every desk can be tried with: what makes each trip by a strategy, by hand and by a basket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from core.facts import MarginDeficitSeen, ProposalSkipped
from core.messages.commands import Decline, OpenTicket, ProposeOrder
from core.messages.inputs import PastArrived
from core.model.bar import Bar
from core.model.broker import Capabilities
from core.model.order import Effect as OrderEffect
from core.model.order import OrderType
from core.model.reference_data import PastDay, PastDays
from core.model.staging import MANUAL, Review
from core.model.values import Money, Price, Quantity
from core.settings.settings import Settings
from core.workflows.baskets import BasketDrafts, rehearsed
from tests.scenarios.house import STEADY, House, a_day, a_typed_buy, minutes
from tests.scenarios.plans import a_buy, leaves, opens, passes
from tests.unit.core.brokers.trading_floor import SPY, THURSDAY

QUANTITY = "0.4"
"""Of what is typed, and stands in the basket: 40 USD of an account of 200."""
CALM: dict[str, Any] = {
    "protections": {"volatility_halt": {"enabled": False}},
    "entries_a_day": 5,
    "per_trade": {"usd": "5"},
}


def nothing(_house: House) -> None:
    """It stands by its settings alone."""


def a_dip() -> list[Bar]:
    """VWAP buys 0.502 at 99.60 at 10:06."""
    return a_day(("10:06", "10:40", STEADY))


def a_dip_that_goes_on() -> list[Bar]:
    """The same, and a minute later the market is at 95."""
    return a_day(("10:06", "10:06", STEADY), ("10:07", "10:40", "95"))


def a_leap() -> list[Bar]:
    """At 10:00 it costs 9 % more than five minutes before, and less than the morning's VWAP: that buys at 104."""
    fallen = [*minutes("09:30", "09:53", "110"), *minutes("09:54", "09:59", "95")]
    return [*fallen, *minutes("10:00", "10:40", "104")]


def twenty_days_of(volume: str) -> Callable[[House], None]:
    """The broker has told the days before today's."""

    def tells(house: House) -> None:
        days = tuple(
            PastDay(THURSDAY - timedelta(days=n), Price(Decimal(100)), None, Quantity(Decimal(volume)))
            for n in range(20, 0, -1)
        )
        house.line.take(house.line.at, PastArrived(PastDays(SPY, days)))

    return tells


def three_deficits(house: House) -> None:
    """On the days before, as the margin monitor would have told them."""
    for days in (30, 8, 1):
        house.desk.record(MarginDeficitSeen(THURSDAY - timedelta(days=days), Money(Decimal(9)), Money(Decimal(30))))


def the_broker_lets_it_only_close(house: House) -> None:
    """Over so many times equity; Alpaca's own figure is six."""
    house.desk.sightings.capabilities = Capabilities(closing_only_at=Decimal("0.15"))


@dataclass(frozen=True)
class Control:
    """One that refuses an entry.

    Attributes
    ----------
    check
        By whose name it refuses.
    words
        What it says of a typed entry.
    risk
        The settings under which it does.
    market
        What trades until the strategy's proposal is there, or its key.
    clock
        When the entries are tried.
    limit, stop
        Of what is typed, and stands in the basket.
    comes
        What happens before all of it.
    rules
        The exchange's, over those of its story.
    starts
        What each start of the program is given by its broker.
    warns
        Whether it has a word on what only reduces.
    """

    check: str
    words: str
    risk: Mapping[str, Any]
    market: Callable[[], list[Bar]] = a_dip
    clock: str = "10:06:01"
    limit: str = "99.60"
    stop: str = "99.30"
    comes: Callable[[House], None] = nothing
    rules: Mapping[str, Any] = field(default_factory=dict)
    starts: Callable[[House], None] = nothing
    warns: bool = False

    def __str__(self) -> str:
        return f"{self.check}: {self.words[:24]}"

    def settings(self, *, is_on: bool = True) -> Settings:
        return Settings.model_validate({"risk": {**CALM, **(self.risk if is_on else {})}})

    def house(self, *, is_on: bool = True) -> House:
        """It is 10:06: VWAP has said its word."""
        house = House(self.market(), self.settings(is_on=is_on), **self.rules).opens()
        house.until("09:40")
        self.comes(house)
        if is_on:
            self.starts(house)
        return house.until(self.clock)


CONTROLS = (
    Control(
        "price collar",
        "99.60 would pay 4.84 % more than the quote, 95.00; at most 3.00 %",
        {"collar": {"band": "0.03"}},
        a_dip_that_goes_on,
        clock="10:07:05",
        stop="94.00",
        warns=True,
    ),
    Control(
        "price collar",
        "104.00 would pay 9.47 % more than the price of 5 minutes ago, 95.00; at most 5.00 %",
        {"collar": {"period_band": "0.05"}},
        a_leap,
        clock="10:01:01",
        limit="104.00",
        stop="103.70",
        warns=True,
    ),
    Control("order size", "0.4 shares are over 0.3 an order", {"order_size": {"shares": "0.3"}}, warns=True),
    Control(
        "order size",
        "0.4 are 1.33 % of the 30 shares of an average day; at most 0.3",
        {"order_size": {"of_volume": "0.01"}},
        comes=twenty_days_of("30"),
        warns=True,
    ),
    Control(
        "day value", "entries of today would be 39.84 USD, 30.00 USD is the most", {"max_day_value": {"usd": "30"}}
    ),
    Control(
        "concentration",
        "SPY would be 19.92 % of equity, 15.00 % is the most",
        {"portfolio": {"symbol_exposure": "0.15"}},
    ),
    Control(
        "margin deficits",
        "margin deficits on 20 Oct, 11 Nov, 18 Nov: nothing is borrowed until 18 Jan; 39.84 USD is over 30.00 USD",
        {"margin": {"deficit_limit": 3}},
        comes=three_deficits,
        rules={"cash": Decimal(30), "multiplier": Decimal(2)},
    ),
    Control(
        "broker limits",
        "all positions would be 0.20 times equity; over 0.15 the broker lets the account only close",
        {},
        starts=the_broker_lets_it_only_close,
    ),
    Control(
        "concentration",
        "the sector index would be 19.92 % of equity, 15.00 % is the most",
        {"portfolio": {"sector_exposure": "0.15"}, "sectors": {"SPY": "index"}},
    ),
)


def typed(house: House, control: Control) -> list[str]:
    """Why what is typed goes no further: it is not staged, or its ticket says no; both are put away again."""
    before = len(house.facts(ProposalSkipped))
    house.presses(a_typed_buy(QUANTITY, control.limit, control.stop))
    staged = [proposal for proposal in house.desk.stage.proposals() if proposal.strategy == MANUAL]
    if not staged:
        return [reason for fact in house.facts(ProposalSkipped)[before:] for reason in fact.reasons]
    house.presses(OpenTicket(staged[0].id))
    passes(house, 1)
    review = house.ticket.review
    house.presses(Decline(staged[0].id, "only tried"))
    return [f"{verdict.check}: {verdict.reason}" for verdict in review.refusals]


def in_a_basket(house: House, control: Control) -> list[str]:
    """Why an order of it does not fit; the basket is put away again."""
    run = opens(house, a_buy("SPY", QUANTITY, limit=control.limit, stop=control.stop))
    (tried,) = rehearsed(house.desk, house.engine.the(BasketDrafts).gate, run)
    leaves(house)
    return list(tried.refusals)


def an_exit_of(control: Control, house: House) -> ProposeOrder:
    """All that is held, at the limit of the control's own entry where its word is on that."""
    limit = "94.00" if control.check == "price collar" else None
    close = replace(a_typed_buy("0.502", limit, None), effect=OrderEffect.CLOSE, stop_holder=None)
    assert close.type is (OrderType.LIMIT if limit else OrderType.MARKET), house
    return close


def said_by(check: str, review: Review) -> list[str]:
    """What a check refused, or warned of."""
    return [verdict.reason for verdict in (*review.refusals, *review.warnings) if verdict.check == check]
