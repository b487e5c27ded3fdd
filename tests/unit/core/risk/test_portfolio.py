"""All positions together: exposure, reserve, and exits only where there is too much."""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.execution.ledger import Ledger
from core.model.account import NoAccount
from core.model.bar import NoQuote
from core.model.order import Effect, OrderStatus
from core.model.staging import CheckResult
from core.model.values import Price, Symbol
from core.risk.checks.exposure import ConcentrationCheck, PortfolioCheck
from core.risk.exposure import exposure_of
from core.risk.gate import Candidate
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import IBM, SPY, NewYorkHours
from tests.unit.core.execution.books import Books, a_request
from tests.unit.core.risk.reviews import NOW, a_candidate, a_day, a_desk, an_account, an_exit, said, settings

PASSES, REFUSES = CheckResult.PASSES, CheckResult.REFUSES
HALF = {"max_exposure": "0.5"}


def holding(quantity: str, paid: str = "100", symbol: Symbol = IBM) -> Books:
    books = Books()
    order = books.creates(a_request("held", symbol=symbol, quantity=quantity))
    books.fills(order, quantity, paid)
    books.becomes(order, OrderStatus.FILLED)
    return books


def ten_thousand(**changes: object) -> dict[str, object]:
    """10,000 USD of equity and of buying power."""
    return {"account": an_account("10000", "10000"), "opening": a_day("10000"), **changes}


def verdict(candidate: Candidate, portfolio: dict[str, object], **changes: object) -> tuple[CheckResult, str]:
    desk = a_desk(settings=settings(portfolio=portfolio), **ten_thousand(**changes))
    return said(PortfolioCheck(), candidate, desk)


def last(price: str) -> object:
    def told(_symbol: Symbol) -> tuple[datetime, Price] | None:
        return NOW, Price(Decimal(price))

    return told


RESERVE: dict[str, object] = {"reserve": "1000"}
HELD = {"ledger": holding("40").ledger}
RISEN = {**HELD, "prices": last("150")}
SPENT = {"account": an_account("10000", "900")}
UNPRICED = {"quote": NoQuote("none")}

JUDGED: dict[str, tuple[Candidate, dict[str, object], dict[str, object], CheckResult]] = {
    "half of 10,000 USD is reached": (a_candidate(quantity="10"), HALF, HELD, PASSES),
    "half of 10,000 USD is passed": (a_candidate(quantity="10.001"), HALF, HELD, REFUSES),
    "too much exposure names the limit": (a_candidate(quantity="20"), HALF, HELD, REFUSES),
    "over the exposure there are exits only: 4,000 has risen to 6,000": (
        a_candidate(quantity="1"), HALF, RISEN, REFUSES),
    "an exit goes over the exposure": (an_exit(symbol=IBM), HALF, RISEN, PASSES),
    "1,000 of 10,000 USD stay": (a_candidate(quantity="90"), RESERVE, {}, PASSES),
    "less than 1,000 USD would stay": (a_candidate(quantity="90.01"), RESERVE, {}, REFUSES),
    "what would take of the reserve says so": (a_candidate(quantity="95"), RESERVE, {}, REFUSES),
    "under the reserve there are exits only": (a_candidate(quantity="1"), RESERVE, SPENT, REFUSES),
    "an exit goes under the reserve": (an_exit(), RESERVE, SPENT, PASSES),
    "where nothing is set nothing is limited": (
        a_candidate(quantity="1000"), {}, {"account": NoAccount("no answer")}, PASSES),
    "an unknown account is refused": (a_candidate(limit=None), HALF, {"account": NoAccount("no answer")}, REFUSES),
    "without equity there are exits only": (
        a_candidate(limit=None), HALF, {"account": an_account("-5"), "opening": a_day(None)}, REFUSES),
    "an unknown price is refused": (a_candidate(limit=None), HALF, UNPRICED, REFUSES),
    "a price that the ticket has yet to ask for warns": (
        a_candidate(limit=None), HALF, {**UNPRICED, "is_fresh": False}, CheckResult.WARNS),
}  # fmt: skip


@pytest.mark.parametrize("claim", JUDGED)
def test_the_portfolio_is_judged(claim: str, snapshot: SnapshotAssertion) -> None:
    """RK-01, RK-16, RK-22"""
    candidate, portfolio, changes, standing = JUDGED[claim]

    assert verdict(candidate, portfolio, **changes) == (standing, snapshot)


def test_exposure_counts_positions_and_entries() -> None:
    """RK-16: 10 at 100 held, 5 at 40 on their way."""
    books = holding("10", "90")
    books.creates(a_request("on its way", symbol=SPY, quantity="5", limit="40"))

    assert exposure_of(books.ledger, last("100")) == 1200  # type: ignore[arg-type]
    assert exposure_of(books.ledger, lambda _: None) == 1100
    assert exposure_of(books.ledger, lambda _: None, but=a_request("on its way")) == 900


def test_a_short_position_adds_to_the_exposure() -> None:
    """RK-16"""
    books = Books()
    order = books.creates(
        a_request("short", quantity="10", effect=Effect.SHORT, side=a_candidate(effect=Effect.SHORT).order.side)
    )
    books.fills(order, "10", "100")

    assert exposure_of(books.ledger, lambda _: None) == 1000
    assert exposure_of(Ledger(NewYorkHours()), lambda _: None) == 0


@table("sectors", {}, {"SPY": "index"}, {"SPY": "index", "IBM": "index"})
def test_concentration_counts_the_sector_of_a_symbol(sectors: dict[str, str]) -> None:
    """RK-23: 5 % of SPY beside 40 % of IBM"""
    terms = settings(portfolio={"symbol_exposure": "0.5", "sector_exposure": "0.6"}, sectors=sectors)
    desk = a_desk(settings=terms, **ten_thousand(**HELD))

    result, words = said(ConcentrationCheck(), a_candidate(quantity="5"), desk)

    assert result is PASSES
    assert re.findall(r"[\d.]+(?= %)", words) == {0: ["5.00"], 1: ["5.00", "5.00"], 2: ["5.00", "45.00"]}[len(sectors)]
