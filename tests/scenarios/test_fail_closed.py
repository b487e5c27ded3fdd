"""What cannot be measured refuses an entry with its reason; the exit goes on a warning, and the kill asks nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from core.facts import ConfirmationRefused, Killed, ProposalSkipped, TradeClosed
from core.messages.commands import Kill, OpenTicket, ProposeClose
from core.model.account import NoAccount
from core.model.bar import NoQuote, Quote
from core.model.broker import FreshFigures
from core.model.staging import CheckResult, Verdict
from core.risk.checks.losses import RiskBudgetCheck
from tests.scenarios.exchange_requests import BUY, MARKET, sent, submit
from tests.scenarios.house import STEADY, House, a_day, a_house_in_a_position, a_typed_buy
from tests.unit.core.brokers.trading_floor import SPY


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
