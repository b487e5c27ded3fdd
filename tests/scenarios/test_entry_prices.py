"""An entry is measured at the price that it would fill at now; what cannot be measured refuses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import (
    ConfirmationRefused,
    Killed,
    OrderCreated,
    OrderFilled,
    ProposalSkipped,
    ProposalStaged,
    TradeClosed,
)
from core.messages.commands import Kill, OpenTicket, ProposeClose, ProposeOrder
from core.messages.inputs import QuoteArrived
from core.model.account import NoAccount
from core.model.bar import NoQuote, Quote
from core.model.broker import FreshFigures
from core.model.order import Effect, OrderType
from core.model.staging import CheckResult, Verdict
from core.model.values import Price
from core.risk.checks.losses import RiskBudgetCheck
from core.settings.settings import Settings
from tests.scenarios.exchange_requests import BUY, MARKET, sent, submit
from tests.scenarios.house import STEADY, House, a_day, a_house_in_a_position, a_typed_buy, minutes
from tests.unit.core.brokers.trading_floor import SPY, a_quote


def a_house(notional: str = "50", **risk: object) -> House:
    """It is 10:05, a share costs 100, and 10,000 USD are lent twice."""
    terms = {"max_notional": {"usd": notional}, "per_trade": {"usd": "500"}, "window_end": "15:30", **risk}
    house = House(
        minutes("09:55", "10:15"),
        Settings.model_validate({"risk": terms, "strategies": {"vwap": {"enabled": False}}}),
        cash=Decimal(10_000),
        multiplier=Decimal(2),
    )
    return house.opens().until("10:05")


def shorts(house: House, limit: str, stop: str, quantity: str = "1") -> None:
    house.presses(replace(a_typed_buy(quantity, limit=limit, stop=stop), effect=Effect.SHORT))


@pytest.mark.usefixtures("a_tick_each_way")
def test_short_limit_is_measured_at_the_bid(snapshot: SnapshotAssertion) -> None:
    """EX-11, OP-06: 100 USD were sold under a cap of 50, with a stop at 55 that had been passed."""
    house = a_house()

    shorts(house, "50", stop="55")

    house.confirms_at("10:06")
    house.until("10:10")

    refused = house.last(ConfirmationRefused)
    assert {"stop", "notional"} <= set(refused.checks)
    assert refused.reasons == snapshot
    assert house.facts(OrderCreated) == []


@pytest.mark.usefixtures("a_tick_each_way")
def test_buy_filling_under_its_stop_is_refused(snapshot: SnapshotAssertion) -> None:
    """OP-06: a limit of 150 pays 100.01, and a stop at 120 trades at once."""
    house = a_house("500")

    house.presses(a_typed_buy("1", limit="150", stop="120"))

    house.confirms_at("10:06")
    house.until("10:10")

    assert house.last(ConfirmationRefused).checks == ("stop",)
    assert house.last(ConfirmationRefused).reasons == snapshot
    assert house.facts(OrderCreated) == []


@pytest.mark.usefixtures("a_tick_each_way")
def test_short_ticket_names_the_fill_price() -> None:
    """OP-03"""
    house = a_house("500")
    shorts(house, "95.00", stop="101")

    house.opens_ticket()
    house.until("10:05:02")
    figures = house.ticket.figures
    house.confirms()
    house.until("10:05:03")
    entry = house.facts(OrderCreated)[0]

    assert (figures.cost, figures.worst_loss) == (Decimal("99.99"), Decimal("6.00"))
    assert entry.counted_at == Decimal("99.99")


def test_short_limit_fills_at_the_bid() -> None:
    """OP-06, EX-11"""
    house = a_house("500")

    shorts(house, "95.00", stop="101")
    house.confirms_at("10:06")
    house.until("10:10")

    assert house.last(OrderFilled).fill.price >= Decimal("95.00")
    assert house.held() == "-1"
    assert [stop.request.stop_price for stop in house.stops if stop.is_working] == [Decimal(101)]


TERMS = {"max_notional": {"usd": "120"}, "per_trade": {"usd": "15"}, "window_end": "15:30"}
MARKET_BUY = replace(a_typed_buy("1", limit="100", stop="90"), type=OrderType.MARKET, limit_price=None)
SHORT = replace(a_typed_buy("1", limit="98", stop="112"), effect=Effect.SHORT)
TRIGGER = replace(
    a_typed_buy("1", limit="100", stop="90"), type=OrderType.STOP, limit_price=None, trigger_price=Price(Decimal(101))
)


def a_house_that_ran_on(bid: str, ask: str) -> House:
    """A share costs 100 at 10:05; what was quoted at 09:31 is the last that was heard."""
    house = House(
        minutes("09:30", "10:30"),
        Settings.model_validate({"risk": TERMS, "strategies": {"vwap": {"enabled": False}}}),
        cash=Decimal(10_000),
        multiplier=Decimal(2),
    )
    house.opens().until("09:31")
    house.line.take(house.line.at, QuoteArrived(a_quote("09:31", bid, ask)))
    return house.until("10:05")


@pytest.mark.parametrize("command", [MARKET_BUY, SHORT, TRIGGER], ids=["market", "short limit", "trigger"])
def test_old_quote_refuses_no_entry_at_staging(command: ProposeOrder) -> None:
    """RK-17, EX-11, RK-02: over the largest order, and over the loss of a trade, at 125; at the key it is asked anew"""
    house = a_house_that_ran_on("125.00", "125.02")

    house.presses(command)
    assert len(house.facts(ProposalStaged)) == 1
    house.confirms_at("10:06")
    house.until("10:07")

    assert house.facts(OrderCreated)[0].order.quantity == 1


def aged(figures: FreshFigures) -> FreshFigures:
    assert isinstance(figures.quote, Quote)
    return replace(figures, quote=replace(figures.quote, at=figures.quote.at - timedelta(minutes=5)))


Alter = Callable[[FreshFigures], FreshFigures]
TROUBLES: dict[str, tuple[Alter, str, str]] = {
    "missing equity": (
        lambda figures: replace(figures, account=NoAccount("the broker gives none")),
        "daily loss",
        "equity is not known: the broker gives none",
    ),
    "a stale quote": (aged, "quote age", "s old, limit 15 s"),
    "no quote": (lambda figures: replace(figures, quote=NoQuote("no answer")), "quote age", "no quote: no answer"),
    "a wrong clock": (
        lambda figures: replace(figures, broker_time=figures.broker_time + timedelta(hours=1)),
        "session and clock",
        "the broker's clock differs by 3600.0 s: set this machine's clock",
    ),
}


def troubled(house: House, alter: Alter) -> None:
    """From here on every set of fresh figures comes altered."""
    answers = house.line._answers
    fetch: Any = answers._figures
    answers._figures = lambda symbol, at: alter(fetch(symbol, at))  # type: ignore[method-assign]


def a_market_buy(house: House) -> None:
    house.presses(a_typed_buy(limit=None))
    house.presses(OpenTicket(house.desk.stage.proposals()[-1].id))
    house.until("10:03:02")
    house.confirms()
    house.until("10:03:04")


@pytest.mark.parametrize("trouble", TROUBLES)
def test_unmeasurable_figures_refuse_the_entry(trouble: str) -> None:
    """RK-01, RK-03, RK-17"""
    alter, check, why = TROUBLES[trouble]
    house = House(a_day(("10:06", "10:40", STEADY))).opens().until("10:03")
    troubled(house, alter)
    a_market_buy(house)

    refused = [reason for reason in house.last(ConfirmationRefused).reasons if reason.startswith(f"{check}: ")]
    assert [why in reason for reason in refused] == [True]
    assert sent(house) == []


def test_sound_figures_let_the_same_entry_through() -> None:
    """RK-01: what the other stories would prove nothing without."""
    house = House(a_day(("10:06", "10:40", STEADY))).opens().until("10:03")
    a_market_buy(house)

    assert house.facts(ConfirmationRefused) == []
    assert sent(house)[0] == submit(BUY, MARKET, "0.1")


@pytest.mark.parametrize("trouble", TROUBLES)
def test_the_exit_passes_with_a_warning(trouble: str) -> None:
    """RK-22, OP-07"""
    alter, check, why = TROUBLES[trouble]
    house = a_house_in_a_position(("10:06", "10:40", STEADY))
    troubled(house, alter)
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:06:40")
    warned = {verdict.check: verdict for verdict in house.ticket.review.verdicts}[check]
    house.confirms()
    house.until("10:06:50")
    house.presses(Kill("key"))

    assert warned.standing is CheckResult.WARNS
    assert why in warned.reason
    assert house.held() == house.held_by_the_broker() == "0"
    assert house.facts(TradeClosed)
    assert house.facts(Killed)


def broken(_check: object, _candidate: object, _desk: object) -> Verdict:
    raise ZeroDivisionError("no volume at all")


def test_a_check_that_raises_refuses_the_entry(monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    """RK-01: nothing halts; the desk goes on with all the other checks."""
    house = House(a_day(("10:06", "10:40", STEADY))).opens().until("10:03")
    monkeypatch.setattr(RiskBudgetCheck, "review", broken)
    house.presses(a_typed_buy())

    assert house.last(ProposalSkipped).checks == ("risk budget",)
    assert house.last(ProposalSkipped).reasons == snapshot
    assert house.desk.control.word() == "on"


def test_a_check_that_raises_warns_on_the_exit(monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion) -> None:
    """RK-22, RK-01"""
    house = a_house_in_a_position(("10:06", "10:40", STEADY))
    monkeypatch.setattr(RiskBudgetCheck, "review", broken)
    house.presses(ProposeClose(SPY))
    house.opens_ticket()
    house.until("10:06:40")
    warned = {verdict.check: verdict for verdict in house.ticket.review.verdicts}["risk budget"]
    house.confirms()
    house.until("10:06:50")

    assert (warned.standing, warned.reason) == (CheckResult.WARNS, snapshot)
    assert house.held() == "0"
