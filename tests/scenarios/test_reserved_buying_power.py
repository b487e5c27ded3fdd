"""Two keys are turned on figures that show neither order: what the first one bought is reserved for the second."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.facts import ConfirmationRefused, OrderCreated, OrderFilled
from core.messages.commands import Confirm, OpenTicket
from core.messages.effects import Effect, FetchFigures
from core.messages.inputs import FiguresFetched, Input
from core.model.staging import Ticket
from core.runtime.inbox import Link
from core.settings.settings import Settings
from tests.scenarios.house import House, a_typed_buy, assert_can_be_rebuilt, minutes


class SlowFigures(Link):
    """What a ticket's key asks for is fetched at once, and brought two seconds later."""

    def __init__(self, slow: Ticket) -> None:
        object.__setattr__(self, "slow", slow.id)
        super().__init__()

    def bring(self, effect: Effect, answer: Input) -> Iterable[tuple[timedelta, Input]]:
        is_slow = isinstance(effect, FetchFigures) and effect.ticket_id == self.slow  # type: ignore[attr-defined]
        return ((timedelta(seconds=2 if is_slow else 0), answer),)


def a_house_with_two_tickets() -> tuple[House, Ticket, Ticket]:
    """It is 10:05, a share costs 100, and there are 60 USD of cash for two buys of 40."""
    terms = {"max_notional": {"usd": "50"}, "window_end": "15:30", "entries_a_day": 9, "portfolio": {"max_exposure": 9}}
    terms["twins"] = {"enabled": False}
    settings = Settings.model_validate({"risk": terms, "strategies": {"vwap": {"enabled": False}}})
    house = House(minutes("09:55", "10:30"), settings, cash=Decimal(60)).opens().until("10:05")
    for _ in range(2):
        house.presses(a_typed_buy("0.4", limit="100.02", stop="99.70"))
    for proposal in house.desk.stage.proposals():
        house.presses(OpenTicket(proposal.id))
    house.until("10:05:01")
    first, second = house.desk.stage.state.tickets.values()
    assert first.review.passes
    assert second.review.passes
    return house, first, second


def turns(house: House, ticket: Ticket) -> None:
    house.presses(Confirm(ticket.id, ticket.digest, ticket.order.effect))


def test_one_balance_approves_one_of_two_orders(snapshot: SnapshotAssertion) -> None:
    """OP-03: the second's figures were taken before the first was sent, and came after it had filled."""
    house, first, second = a_house_with_two_tickets()
    house.line.link = SlowFigures(second)

    turns(house, second)
    turns(house, first)
    house.until("10:05:06")

    assert [fact.fill.client_order_id for fact in house.facts(OrderFilled)] == [first.order.client_order_id]
    assert [fact.order.client_order_id for fact in house.facts(OrderCreated) if not fact.order.effect.only_reduces] == [
        first.order.client_order_id
    ]
    (refused,) = house.facts(ConfirmationRefused)
    assert refused.ticket_id == second.id
    assert refused.checks == ("buying power",)
    assert refused.reasons == snapshot
    (figures,) = [m for m in house.line.heard if isinstance(m, FiguresFetched) and m.ticket_id == second.id]
    assert figures.answer.account.buying_power == Decimal(60)  # type: ignore[union-attr]
    assert_can_be_rebuilt(house)


def test_newer_figures_reserve_nothing_twice() -> None:
    """OP-03: of 100 USD both are bought, the second on figures that show the first."""
    house, first, second = a_house_with_two_tickets()
    house.exchange._ledger.cash += 40

    turns(house, first)
    house.until("10:05:03")
    turns(house, second)
    house.until("10:05:06")

    assert house.facts(ConfirmationRefused) == []
    assert house.held() == "0.8"
