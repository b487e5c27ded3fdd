"""An entry is measured at what it will fill at: a limit bounds it on one side alone, the market on the other."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from syrupy.assertion import SnapshotAssertion

from core.execution.order import Order
from core.facts import OrderCreated, SettingsApplied
from core.model.account import Account
from core.model.bar import NoQuote
from core.model.instrument import BrokerInstrument
from core.model.order import Effect, OrderStatus, OrderType, StopHolder
from core.model.staging import CheckResult, NoStop, StopPlan
from core.model.values import ClientOrderId, Fraction, Money, Price, ProposalId
from core.risk.checks.exposure import PortfolioCheck
from core.risk.checks.funds import BuyingPowerCheck, MarginCheck, given_back, reserved_for_unseen
from core.risk.checks.losses import PerTradeLossCheck, RiskBudgetCheck, StopPresentCheck
from core.risk.checks.market import SessionLimitsCheck
from core.risk.checks.order import PriceRulesCheck
from core.risk.checks.order_value import AllocationCheck, NotionalCheck
from core.risk.exposure import exposure_of
from core.risk.gate import Candidate, Check
from core.risk.sizing_inputs import cap_of, wanted_of
from core.settings.settings import Settings
from core.staging.resting_entries import with_legs
from tests.kit.rows import cases, table
from tests.unit.core.brokers.trading_floor import SPY
from tests.unit.core.execution.books import Books
from tests.unit.core.risk.reviews import NOW, a_candidate, a_desk, a_quote, an_account, said, settings, usd

PASSES, REFUSES = CheckResult.PASSES, CheckResult.REFUSES
OUTSIDE_HOURS = settings(max_notional=usd("120"), per_trade=usd("1000"), session={"policy": "include_extended"})
DOUBLE = a_quote(bid="100.00", ask="100.02")
"""The market where a short limit of 50 meets it: it fills at 100."""
MARGINABLE = BrokerInstrument(
    SPY, long_requirement=Fraction(Decimal("0.3")), short_requirement=Fraction(Decimal("0.3"))
)


def a_short(limit: str | None = "50", stop: str = "101", quantity: str = "1", **terms: object) -> Candidate:
    return a_candidate(effect=Effect.SHORT, limit=limit, stop=stop, quantity=quantity, **terms)  # type: ignore[arg-type]


def lent(buying_power: str, equity: str = "1000") -> Account:
    return replace(an_account(equity, buying_power), multiplier=Decimal(2), maintenance_margin=Money(Decimal(0)))


@cases(
"candidate bid ask price farthest nearest",
        pytest.param(a_short("50"), "100", "100.02", "100", "50", "100", id="a short limit that meets the bid"),
        pytest.param(a_short("100"), "99.99", "100.01", "100", "100", "100", id="a short limit that waits"),
        pytest.param(a_short(None), "100", "100.02", "100", "100", "100", id="a short sale at the market"),
        pytest.param(a_candidate(limit="100"), "49.99", "50", "100", "100", "50", id="a buy that meets the ask"),
        pytest.param(a_candidate(limit="100"), "100", "100.02", "100", "100", "100", id="a buy that waits"),
        pytest.param(a_candidate(limit=None), "99.99", "100", "100", "100", "100", id="a buy at the market"),
        pytest.param(
            a_short(None, kind=OrderType.STOP, stop_price="99"), "100", "100.02", "99", "99", "99", id="a short stop"
        ),
        pytest.param(
            a_short("95", kind=OrderType.STOP_LIMIT, stop_price="99"),
            "100", "100.02", "99", "95", "99", id="a short stop-limit",
        ),
        pytest.param(
            a_short("102", kind=OrderType.STOP_LIMIT, stop_price="99"),
            "100", "100.02", "102", "102", "102", id="a short stop-limit that comes back",
        ),
        pytest.param(
            a_candidate(limit="105", kind=OrderType.STOP_LIMIT, stop_price="101"),
            "100", "100.02", "105", "105", "101", id="a buy stop-limit",
        ),
        pytest.param(
            a_candidate(limit="100.50", kind=OrderType.STOP_LIMIT, stop_price="101"),
            "100", "100.02", "100.50", "100.50", "100.50", id="a buy stop-limit that comes back",
        ),
        pytest.param(a_candidate(limit="100"), "0", "0", "100", "100", "100", id="a buy where nobody offers"),
        pytest.param(a_short("50"), "0", "0", "50", "50", "50", id="a short limit where nobody bids"),)  # fmt: skip
def test_an_entry_fills_between_limit_and_quote(
    candidate: Candidate, bid: str, ask: str, price: str, farthest: str, nearest: str
) -> None:
    """RK-02, EX-12"""
    quote = a_quote(bid, ask)

    found = candidate.price(quote), candidate.farthest(quote), candidate.nearest(quote)

    assert found == (Decimal(price), Decimal(farthest), Decimal(nearest))


@table(
    "check changes",
    (NotionalCheck(), {"settings": settings(max_notional=usd("50"))}),
    (BuyingPowerCheck(), {"account": lent("60")}),
    (MarginCheck(), {"account": lent("60"), "instrument": MARGINABLE}),
    (PortfolioCheck(), {"settings": settings(portfolio={"max_exposure": "0.08"}), "account": lent("2000")}),
    (PortfolioCheck(), {"settings": settings(portfolio={"reserve": "1930"}), "account": lent("2000")}),
    (SessionLimitsCheck(), {"settings": OUTSIDE_HOURS}),
)
def test_a_low_short_is_measured_at_the_bid(check: Check, changes: dict[str, object]) -> None:
    """EX-11, RK-14, RK-16, RK-20: 50 would pass each, the 100 that it fills at pass none."""
    candidate = a_short()
    if isinstance(check, SessionLimitsCheck):
        candidate = replace(candidate, order=replace(candidate.order, extended_hours=True))
    desk = a_desk(quote=DOUBLE, **changes)
    waits = replace(desk, quote=a_quote("49.98", "50.00"))

    assert said(check, candidate, desk)[0] is REFUSES
    assert said(check, candidate, waits)[0] is not REFUSES


def test_a_low_short_takes_its_fill_from_the_share() -> None:
    """ST-08: 40 % of 200 USD."""
    desk = a_desk(quote=DOUBLE)
    terms = Settings.model_validate({"strategies": {"vwap": {"allocation": "0.4"}}})
    desk.allocations.folds[SettingsApplied](NOW, SettingsApplied(terms))  # type: ignore[operator]

    assert said(AllocationCheck(), a_short(), desk)[0] is REFUSES
    assert said(AllocationCheck(), a_short(), replace(desk, quote=a_quote("49.98", "50.00")))[0] is PASSES


def test_an_unquoted_short_waits_for_the_ticket(snapshot: SnapshotAssertion) -> None:
    """RK-01: the ticket asks for it; there it refuses."""
    unseen = a_desk(quote=NoQuote("none seen yet"), is_fresh=False)

    assert said(NotionalCheck(), a_short(), unseen) == (CheckResult.WARNS, snapshot)
    assert said(NotionalCheck(), a_short(), replace(unseen, is_fresh=True))[0] is REFUSES
    assert said(NotionalCheck(), a_candidate(), replace(unseen, is_fresh=True))[0] is PASSES


@cases(
"candidate quote standing",
        pytest.param(a_short(stop="55"), DOUBLE, REFUSES, id="a short that fills at 100 is past its stop at 55"),
        pytest.param(a_short(stop="100"), DOUBLE, REFUSES, id="a short that fills at its stop"),
        pytest.param(a_short(stop="100.01"), DOUBLE, PASSES, id="a short that fills under its stop"),
        pytest.param(
            a_candidate(limit="100", stop="99.70"), a_quote("99.48", "99.50"), REFUSES, id="a buy that fills under it"
        ),
        pytest.param(
            a_candidate(limit="100", stop="99.70"), a_quote("99.69", "99.71"), PASSES, id="a buy that fills over it"
        ),
        pytest.param(
            a_short("95", kind=OrderType.STOP_LIMIT, stop_price="99", stop="97"),
            DOUBLE, REFUSES, id="a short stop-limit that starts over its stop",
        ),
        pytest.param(
            a_candidate(limit="105", kind=OrderType.STOP_LIMIT, stop_price="101", stop="103"),
            DOUBLE, REFUSES, id="a buy stop-limit that starts under its stop",
        ),)  # fmt: skip
def test_a_stop_beyond_its_fill_is_refused(candidate: Candidate, quote: object, standing: CheckResult) -> None:
    """OP-06, RK-02"""
    assert said(StopPresentCheck(), candidate, a_desk(quote=quote))[0] is standing


def test_the_loss_is_that_of_the_worst_fill() -> None:
    """RK-02, RK-21: a short of 99 with its stop at 101 may fill at 99 although the bid is 100 now."""
    desk = a_desk(quote=DOUBLE, settings=settings(per_trade=usd("1.50"), sizing={"budget": "0.0075"}))

    assert said(PerTradeLossCheck(), a_short("99.00"), desk)[0] is REFUSES
    assert said(PerTradeLossCheck(), a_short("99.60"), desk)[0] is PASSES
    assert said(RiskBudgetCheck(), a_short("99.00"), desk)[0] is REFUSES
    assert said(RiskBudgetCheck(), a_short("99.60"), desk)[0] is PASSES


def test_without_a_stop_the_whole_fill_is_at_risk() -> None:
    """RK-21: 100 of 200 USD, not the 50 of its limit."""
    desk = a_desk(quote=DOUBLE, settings=settings(sizing={"budget": "0.4"}))

    assert said(RiskBudgetCheck(), a_short(holder=StopHolder.YOU), desk)[0] is REFUSES


@table("target standing", ("49.99", PASSES), ("50", REFUSES), ("75", REFUSES))
def test_a_shorts_target_is_beyond_its_limit(target: str, standing: CheckResult) -> None:
    """EX-12: it may fill at 50, and 75 would be no profit then."""
    candidate = a_short("50.00")
    assert not isinstance(candidate.stop, NoStop)
    order = with_legs(candidate.order, candidate.stop, Price(Decimal(target)))

    found = said(PriceRulesCheck(), replace(candidate, order=order), a_desk(quote=a_quote("50.98", "51.00")))

    assert (found[0] is REFUSES) is (standing is REFUSES)


def test_the_passing_size_uses_fill_and_limit(snapshot: SnapshotAssertion) -> None:
    """RK-10"""
    terms = settings(max_notional=usd("250"), per_trade=usd("1000"))
    desk = a_desk(quote=DOUBLE, settings=terms, account=lent("2000"), instrument=MARGINABLE)

    wanted = wanted_of(a_short("99.00"), desk)

    assert wanted is not None
    assert (wanted.price, wanted.way) == (Decimal(100), Decimal(2))
    assert said(NotionalCheck(), a_short("99.00", quantity="4"), desk) == (REFUSES, snapshot)


def test_a_ticket_names_a_shorts_binding_limit() -> None:
    """OP-03"""
    desk = a_desk(quote=DOUBLE, settings=settings(max_notional=usd("150"), per_trade=usd("1000")))

    assert cap_of(a_short(), desk) == "150 USD"


def test_a_working_short_keeps_its_measure() -> None:
    """OP-03, RK-16: sent at a bid of 100, and no word of it yet."""
    books = Books()
    sent(books, a_short())

    assert reserved_for_unseen(books.ledger, an_account()) == 100
    assert exposure_of(books.ledger, lambda _symbol: None) == 100


@table("limit given reserved", ("89", "90", "10"), ("101", "90", "11"))
def test_a_replaced_short_gives_back_its_reserve(limit: str, given: str, reserved: str) -> None:
    """OP-03, EX-11: measured at a bid of 100, it came when that was 85, and rests at its limit of 90."""
    books, account = Books(), an_account()
    resting = sent(books, a_short("90"))
    books.becomes(resting, OrderStatus.SUBMITTED)
    edit = a_short(limit)
    edit = replace(edit, order=replace(edit.order, client_order_id=ClientOrderId("edit"), replaces=resting.id))

    at_the_key = given_back(edit.order, books.ledger, account)
    sent(books, edit)

    assert at_the_key == Decimal(given)
    assert reserved_for_unseen(books.ledger, account) == Decimal(reserved)


def test_a_replacement_pair_reserves_the_larger() -> None:
    """OP-03: the one that makes way is reserved at what it was measured at, and the other needs no more."""
    books = Books()
    first = sent(books, a_short("90"))
    edit = a_short("89")
    sent(books, replace(edit, order=replace(edit.order, client_order_id=ClientOrderId("edit"), replaces=first.id)))

    assert reserved_for_unseen(books.ledger, an_account()) == 100


def sent(books: Books, candidate: Candidate) -> Order:
    """Its key was turned at a bid of 100."""
    order = candidate.order
    assert isinstance(candidate.stop, StopPlan)
    books.fold(
        OrderCreated(
            order=order,
            proposal_id=ProposalId("proposal"),
            strategy="vwap",
            signal_time=NOW,
            stop=candidate.stop,
            parent=None,
            exit_reason=None,
            intended_price=order.limit_price,
            reference=None,
            expires_at=None,
            counted_at=candidate.price(DOUBLE),
        )
    )
    return books.ledger.state.orders[order.client_order_id]


def test_yesterdays_quote_judges_no_stop() -> None:
    """OP-06, RK-17: it opened lower after a higher night; at the key the quote is asked anew, and says it."""
    entry = a_candidate(limit="100.00", stop="99.50")
    old = a_quote(bid="98.98", ask="99.00", age=20_000)

    assert said(StopPresentCheck(), entry, a_desk(quote=old, is_fresh=False))[0] is not REFUSES
    assert said(StopPresentCheck(), entry, a_desk(quote=old, is_fresh=True))[0] is REFUSES
