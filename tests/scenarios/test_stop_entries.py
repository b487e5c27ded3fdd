"""Stop, stop-limit and trailing entries: checked and sized by their trigger, and guarded from their fill on."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import ConfirmationRefused, OrderCreated, ProposalSkipped, ProposalStaged, TicketOpened
from core.messages.commands import BasketRow, EditOrder, Kill, ProposeOrder, RequestCancel
from core.model.bar import Bar
from core.model.order import Effect, OrderStatus, OrderType, StopHolder, TimeInForce
from core.model.staging import StopPlan
from core.model.values import Fraction, Price, Quantity
from core.settings.settings import Settings
from core.views.builders.desk import ViewBuilder
from tests.scenarios.changes import confirms_now, passes
from tests.scenarios.house import House, minutes
from tests.scenarios.plans import marks, opens, runs_out, signs
from tests.unit.core.brokers.trading_floor import SPY

RICH = Settings.model_validate(
    {
        "risk": {
            "max_notional": {"usd": 5000},
            "per_trade": {"usd": 50},
            "daily_loss": {"usd": 500},
            "entries_a_day": 9,
            "window_end": "15:00",
        },
        "strategies": {"vwap": {"enabled": False}},
    }
)
FLAT = ("09:55", "10:09", "100")


def a_market(*then: tuple[str, str, str]) -> House:
    """10:06, SPY at 100 since the morning; a margin account, so that it may be sold short."""
    bars: list[Bar] = [bar for part in (FLAT, *then) for bar in minutes(*part)]
    house = House(bars, RICH, cash=Decimal(10_000), multiplier=Decimal(2))
    return house.opens().until("10:06")


RISES = ("10:10", "10:40", "101 101.60 101 101.50")
FALLS = ("10:10", "10:40", "99 99 98.40 98.50")


def price(text: str | None) -> Price | None:
    return None if text is None else Price(Decimal(text))


def an_entry(
    kind: OrderType = OrderType.STOP,
    effect: Effect = Effect.OPEN,
    *,
    quantity: str = "10",
    trigger: str | None = "101",
    limit: str | None = None,
    stop: str | None = "99",
    trail: str | None = None,
    percent: str | None = None,
) -> ProposeOrder:
    return ProposeOrder(
        symbol=SPY,
        effect=effect,
        quantity=Quantity(Decimal(quantity)),
        type=kind,
        limit_price=price(limit),
        stop_price=price(stop),
        stop_holder=StopHolder.BROKER if stop else None,
        trail_price=price(trail),
        trail_fraction=None if percent is None else Fraction(Decimal(percent) / 100),
        trigger_price=price(trigger),
    )


A_STOP_LIMIT = an_entry(OrderType.STOP_LIMIT, limit="101.20")
A_TRAIL = an_entry(OrderType.TRAILING_STOP, trigger=None, trail="1", stop="99")


def sends(house: House, command: ProposeOrder) -> None:
    house.presses(command)
    assert house.desk.stage.proposals(), house.facts(ProposalSkipped)[-1:]
    house.opens_ticket()
    house.until("10:06:10")
    house.confirms()
    house.until("10:06:30")


@pytest.mark.parametrize(
    ("entry", "loss", "requested"),
    [
        (an_entry(), "20", ("submit", "buy", "stop", "10")),
        (A_STOP_LIMIT, "22", ("submit", "buy", "stop_limit", "10")),
        (A_TRAIL, "20", ("submit", "buy", "trailing_stop", "10")),
    ],
)
def test_stop_buy_fills_at_its_trigger_with_a_stop(entry: ProposeOrder, loss: str, requested: tuple[str, ...]) -> None:
    """EX-12, OP-06: one key, whose stop follows the fill"""
    house = a_market(RISES)
    sends(house, entry)
    ticket = house.last(TicketOpened).ticket
    waiting = (house.held(), house.entry.status)

    house.until("10:12")

    assert ticket.figures.worst_loss == Decimal(loss)
    assert waiting == ("0", OrderStatus.SUBMITTED)
    assert house.sent()[0] == requested
    assert house.held() == house.held_by_the_broker() == "10"
    assert [(s.status, s.remaining) for s in house.stops] == [(OrderStatus.SUBMITTED, 10)]


def test_stop_entry_is_guarded_at_the_signed_price() -> None:
    """OP-02, OP-06"""
    house = a_market(RISES)
    sends(house, an_entry())
    house.until("10:12")

    assert [(s.request.type, s.request.stop_price) for s in house.stops] == [(OrderType.STOP, Decimal("99"))]


def test_trailing_entry_gets_a_trailing_stop() -> None:
    """OP-02, OP-06: where it fills nobody knows before, so that its stop trails from there"""
    house = a_market(("10:10", "10:20", "97"), ("10:21", "10:40", "98.20"))
    sends(house, A_TRAIL)
    shown = house.last(TicketOpened).ticket.stop
    house.until("10:23")

    assert isinstance(shown, StopPlan)
    assert shown.behind == Decimal("2.00")
    assert house.held() == "10"
    assert house.entry.average_price is not None
    assert house.entry.average_price < Decimal("98.50")
    assert [(s.request.type, s.request.trail_price) for s in house.stops] == [
        (OrderType.TRAILING_STOP, Decimal("2.00"))
    ]
    assert [s.status for s in house.stops] == [OrderStatus.SUBMITTED]


def test_a_trailing_stop_that_expires_is_asked_for() -> None:
    """EX-13: it has no price of its own, so a stop waits as far from the last price as it trailed"""
    house = a_market(("10:10", "15:59", "101 101.60 101 101.50"))
    sends(house, an_entry())
    house.until("10:12")
    house.presses(RequestCancel(house.stops[0].id))
    passes(house, 3)
    house.presses(an_entry(OrderType.TRAILING_STOP, Effect.CLOSE, trigger=None, trail="2", stop=None))
    confirms_now(house)
    house.until("17:00")

    assert house.held() == "10"
    assert [s.status for s in house.stops] == [OrderStatus.CANCELLED, OrderStatus.EXPIRED]
    (waiting,) = house.desk.stage.proposals()
    assert (waiting.order.type, waiting.order.quantity) == (OrderType.STOP, 10)
    assert waiting.order.stop_price == Decimal("99.50")


@pytest.mark.parametrize(
    "entry",
    [
        an_entry(effect=Effect.SHORT, trigger="99", stop="101"),
        an_entry(OrderType.STOP_LIMIT, Effect.SHORT, trigger="99", limit="98.80", stop="101"),
        an_entry(OrderType.TRAILING_STOP, Effect.SHORT, trigger=None, percent="1", stop="101"),
    ],
)
def test_stop_short_fills_at_its_trigger(entry: ProposeOrder) -> None:
    """EX-12"""
    house = a_market(FALLS)
    sends(house, entry)
    before = house.held()
    house.until("10:13")

    assert before == "0"
    assert house.held() == house.held_by_the_broker() == "-10"
    assert [(s.status, s.request.side.value) for s in house.stops] == [(OrderStatus.SUBMITTED, "buy")]


WRONG: dict[str, ProposeOrder] = {
    "trigger below the market": an_entry(trigger="99.50", stop="98"),
    "trigger of a short above it": an_entry(effect=Effect.SHORT, trigger="100.50", stop="102"),
    "trigger off its tick": an_entry(trigger="101.005"),
    "stop above the trigger": an_entry(stop="101.50"),
    "loss over its limit": an_entry(quantity="30"),
    "stop above the trail": replace(A_TRAIL, stop_price=price("101.50")),
    "fraction of a trail": replace(A_TRAIL, quantity=Quantity(Decimal("0.5"))),
    "trail with a stop by hand": replace(A_TRAIL, stop_holder=StopHolder.YOU),
    "until cancelled": replace(an_entry(), time_in_force=TimeInForce.GTC),
    "with a target": replace(an_entry(), target_price=price("105")),
    "no trigger": an_entry(trigger=None),
    "trigger of a limit": an_entry(OrderType.LIMIT, limit="99.50"),
}


def test_wrong_stop_entries_are_refused(snapshot: SnapshotAssertion) -> None:
    """EX-11, RK-02"""
    house, refused = a_market(RISES), {}
    for name, entry in WRONG.items():
        house.presses(entry)
        refused[name] = house.last(ProposalSkipped).reasons

    assert house.desk.stage.proposals() == ()
    assert len(house.facts(ProposalSkipped)) == len(WRONG)
    assert refused == snapshot


def test_limit_before_its_trigger_warns(snapshot: SnapshotAssertion) -> None:
    """EX-11: it fills only where the price comes back"""
    house = a_market(RISES)
    house.presses(replace(A_STOP_LIMIT, limit_price=price("100.80")))

    warned = [v.reason for v in house.last(ProposalStaged).review.warnings]
    assert warned == snapshot


def test_passed_trigger_is_refused_at_the_key() -> None:
    """OP-03, OP-04: it would trade at once, at whatever price there is"""
    house = a_market(("10:10", "10:40", "101.50"))
    house.until("10:10:30")
    house.presses(an_entry())
    house.opens_ticket()
    house.until("10:11:10")
    house.confirms()
    house.until("10:11:20")

    assert house.last(ConfirmationRefused).checks == ("price",)
    assert house.sent() == []


def test_nearer_market_is_no_adverse_move() -> None:
    """OP-04: the entry waits for just that"""
    house = a_market(("10:10", "10:40", "100.90"))
    house.until("10:09:58")
    house.presses(an_entry(stop="100.80"))
    house.opens_ticket()
    house.until("10:11:01")
    if not house.desk.stage.state.tickets:
        house.opens_ticket()
        house.until("10:11:02")
    house.confirms()
    house.until("10:11:20")

    assert house.sent() == [("submit", "buy", "stop", "10")]


def test_kill_cancels_a_waiting_stop_entry() -> None:
    """OP-07"""
    house = a_market(RISES)
    sends(house, an_entry())
    house.presses(Kill("key"))
    house.until("10:12")

    assert (house.entry.status, house.held()) == (OrderStatus.CANCELLED, "0")


def test_working_stop_entry_reserves_cost_and_risk() -> None:
    """OP-03, RK-21: by its trigger"""
    house = a_market(RISES)
    sends(house, an_entry())
    view = ViewBuilder(house.engine).draw(house.line.at)

    (row,) = [row for row in view.orders if row.id == house.entry.id]
    assert (row.type, row.stop_price) == (OrderType.STOP, Decimal("101"))
    assert house.entry.intended_price == Decimal("101")
    assert view.status.at_risk is not None
    assert round(view.status.at_risk * 10_000) == 20


def test_proposal_shows_trigger_and_stop() -> None:
    """OP-03"""
    house = a_market(RISES)
    house.presses(an_entry())
    (row,) = ViewBuilder(house.engine).draw(house.line.at).proposals

    assert (row.trigger_price, row.stop_price, row.risk) == (Decimal("101"), Decimal("99"), Decimal("20"))


def test_stop_entry_is_not_edited(snapshot: SnapshotAssertion) -> None:
    """EX-12: its trigger is never taken for its stop"""
    house = a_market(RISES)
    sends(house, an_entry())

    house.presses(EditOrder(house.entry.id, Quantity(Decimal(5)), None, price("101")))

    assert house.last(ProposalSkipped).reasons == snapshot


def test_basket_carries_stop_entries() -> None:
    """EX-12, OP-05"""
    house = a_market(RISES)
    rows = [
        BasketRow("f:2", SPY, Effect.OPEN, Quantity(Decimal(10)), None, OrderType.STOP, None, price("99"),
                trigger_price=price("101")),
    ]  # fmt: skip
    opens(house, *rows)
    marks(house)
    signs(house)
    runs_out(house)
    created = house.last(OrderCreated).order
    house.until("10:12")

    assert (created.type, created.stop_price) == (OrderType.STOP, Decimal("101"))
    assert house.held() == "10"
    assert [(s.request.stop_price, s.status) for s in house.stops] == [(Decimal("99"), OrderStatus.SUBMITTED)]
