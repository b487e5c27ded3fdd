"""All positions together: exposure, reserve, and exits only where there is too much."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.execution.ledger import Ledger
from core.model.account import NoAccount
from core.model.order import Effect, OrderStatus
from core.model.quote import NoQuote
from core.model.staging import CheckResult
from core.model.values import Price, Symbol
from core.risk.checks.portfolio import PortfolioCheck
from core.risk.gate import Candidate
from core.risk.portfolio import exposure_of
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


@pytest.mark.parametrize(("quantity", "standing"), [("10", PASSES), ("10.001", REFUSES)])
def test_exposure_stays_within_the_profile(quantity: str, standing: CheckResult) -> None:
    """RK-16: 4,000 of 5,000 USD are held."""
    assert verdict(a_candidate(quantity=quantity), HALF, ledger=holding("40").ledger)[0] is standing


def test_too_much_exposure_names_the_limit(snapshot: SnapshotAssertion) -> None:
    """RK-16"""
    assert verdict(a_candidate(quantity="20"), HALF, ledger=holding("40").ledger)[1] == (snapshot)


def test_over_the_exposure_there_are_exits_only(snapshot: SnapshotAssertion) -> None:
    """RK-16, RK-22: what was 4,000 has risen to 6,000."""
    books = holding("40")

    found = verdict(a_candidate(quantity="1"), HALF, ledger=books.ledger, prices=last("150"))

    assert found == (REFUSES, snapshot)
    assert verdict(an_exit(symbol=IBM), HALF, ledger=books.ledger, prices=last("150"))[0] is PASSES


@pytest.mark.parametrize(("quantity", "standing"), [("90", PASSES), ("90.01", REFUSES)])
def test_an_entry_leaves_the_reserve_free(quantity: str, standing: CheckResult) -> None:
    """RK-16: 1,000 of 10,000 USD stay."""
    assert verdict(a_candidate(quantity=quantity), {"reserve": "1000"})[0] is standing


def test_what_would_take_of_the_reserve_says_so(snapshot: SnapshotAssertion) -> None:
    """RK-16"""
    assert verdict(a_candidate(quantity="95"), {"reserve": "1000"})[1] == (snapshot)


def test_under_the_reserve_there_are_exits_only(snapshot: SnapshotAssertion) -> None:
    """RK-16, RK-22"""
    nearly_spent = {"account": an_account("10000", "900")}

    assert verdict(a_candidate(quantity="1"), {"reserve": "1000"}, **nearly_spent) == (REFUSES, snapshot)
    assert verdict(an_exit(), {"reserve": "1000"}, **nearly_spent)[0] is PASSES


def test_where_nothing_is_set_nothing_is_limited(snapshot: SnapshotAssertion) -> None:
    """RK-16: as where a profile sets it free."""
    assert verdict(a_candidate(quantity="1000"), {}, account=NoAccount("no answer")) == (PASSES, snapshot)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"account": NoAccount("no answer")}, "equity and buying power are not known yet"),
        ({"account": an_account("-5"), "opening": a_day(None)}, "no equity is left: exits only"),
        ({"quote": NoQuote("none")}, "no price to measure it by"),
    ],
)
def test_what_cannot_be_measured_is_refused(changes: dict[str, object], reason: str) -> None:
    """RK-01, RK-16"""
    assert verdict(a_candidate(limit=None), HALF, **changes) == (REFUSES, reason)


def test_an_unknown_price_only_warns(snapshot: SnapshotAssertion) -> None:
    """RK-01"""
    found = verdict(a_candidate(limit=None), HALF, quote=NoQuote("none"), is_fresh=False)

    assert found == (CheckResult.WARNS, snapshot)
