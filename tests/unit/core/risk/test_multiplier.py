"""Whatever weighs money counts an instrument's multiplier once: a hundredth of it is as much as of a share."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import settings as tuned
from hypothesis import strategies as st

from core.execution.ledger import Ledger
from core.exit_rules import ExitWatch
from core.facts import OrderCreated, OrderFilled, Source
from core.model.instrument import BrokerInstrument, Instrument, Lots, share
from core.model.order import StopHolder, traded_in
from core.model.position import Fill
from core.model.staging import StopPlan, Verdict
from core.model.values import ClientOrderId, ExecutionId, Fraction, Price, ProposalId, Quantity, Symbol
from core.risk.capital_allocation import Share, capital_of
from core.risk.checks.funds import reserved_for_unseen
from core.risk.exposure import exposure_of, open_losses
from core.risk.gate import Candidate, ReviewContext
from core.risk.margin import effect_of
from core.risk.sizing import Conditions, WantedEntry, size_of
from core.risk.sizing_inputs import cap_of
from core.risk.standard_gate import standard_gate
from tests.unit.core.brokers.trading_floor import SPY, NewYorkHours
from tests.unit.core.risk.reviews import NOW, a_candidate, a_desk, an_account, settings, usd

HUNDRED = Decimal(100)
FINE = Lots(step=Decimal("0.00001"))
BY_NUMBER = {"quantity"}
"""What speaks of how many, and of no money."""

UNHURRIED = tuned(max_examples=30)

shares = st.integers(1, 2_000).map(lambda n: Decimal(n) / 1000)
prices = st.integers(9_500, 10_500).map(lambda n: Decimal(n) / 100)
ways = st.integers(1, 300).map(lambda n: Decimal(n) / 100)


def hundreds(symbol: Symbol) -> Instrument:
    return Instrument(symbol, multiplier=HUNDRED, lots=FINE)


def a_book(held: Decimal, coming: Decimal, price: Decimal, of: Instrument) -> Ledger:
    """One position with a stop that the desk watches, and one entry on its way."""
    ledger = Ledger(NewYorkHours())
    for name, quantity in (("held", held), ("coming", coming)):
        request = traded_in(of, replace(a_candidate(quantity=str(quantity)).order, client_order_id=ClientOrderId(name)))
        request = replace(request, limit_price=Price(price))
        created = OrderCreated(
            order=request, proposal_id=ProposalId(name), strategy="vwap" if name == "held" else "sma",
            signal_time=NOW, stop=StopPlan(Price(price - 1), StopHolder.DESK), parent=None, exit_reason=None,
            intended_price=Price(price), reference=None, expires_at=None,
        )  # fmt: skip
        ledger.folds[OrderCreated](NOW, created)  # type: ignore[operator]
    fill = Fill(ExecutionId("x"), ClientOrderId("held"), NOW, Quantity(held), Price(price))
    ledger.folds[OrderFilled](NOW, OrderFilled(fill, Quantity(held), Source.STREAM, is_late=False))  # type: ignore[operator]
    return ledger


@UNHURRIED
@given(held=shares, coming=shares, price=prices, last=prices)
def test_exposure_and_capital_count_the_multiplier(
    held: Decimal, coming: Decimal, price: Decimal, last: Decimal
) -> None:
    """RK-16, RK-21, OP-03, ST-08"""
    ones = a_book(held, coming, price, share(SPY))
    few = a_book(held / HUNDRED, coming / HUNDRED, price, hundreds(SPY))
    of_vwap = Share(Decimal("0.5"), Decimal("0.5"))

    def measured(ledger: Ledger) -> tuple[object, ...]:
        return (
            exposure_of(ledger, lambda _symbol: (NOW, Price(last))),
            open_losses(ledger, lambda _symbol: Price(last), ExitWatch(ledger).desk_stop),
            reserved_for_unseen(ledger, an_account()),
            capital_of(of_vwap, "vwap", SPY, ledger, Decimal(1000)),
            capital_of(of_vwap, "sma", SPY, ledger, Decimal(1000)),
        )

    assert measured(few) == measured(ones)


def judged(of: Instrument, quantity: Decimal, limit: Decimal, way: Decimal) -> tuple[Candidate, ReviewContext]:
    plain = a_candidate(quantity=str(quantity), limit=str(limit), stop=str(limit - way))
    candidate = replace(plain, order=traded_in(of, plain.order))
    listed = BrokerInstrument(SPY, of.asset_class, of.multiplier, lots=FINE, long_requirement=Fraction(Decimal("0.3")))
    terms = settings(max_notional=usd("150"), per_trade=usd("1.5"), portfolio={"max_exposure": "0.7", "reserve": "20"})
    return candidate, a_desk(instrument=listed, settings=terms)


@UNHURRIED
@given(quantity=shares, limit=prices, way=ways)
def test_money_limits_count_the_multiplier(quantity: Decimal, limit: Decimal, way: Decimal) -> None:
    """RK-01, RK-02, RK-10, RK-16, RK-21, EX-11: letter by letter, and the same limit caps it"""
    ones, few = judged(share(SPY), quantity, limit, way), judged(hundreds(SPY), quantity / HUNDRED, limit, way)

    said = [
        {v.check: (v.standing, told(v)) for v in standard_gate().review(*asked).verdicts if v.check not in BY_NUMBER}
        for asked in (ones, few)
    ]

    assert said[0] == said[1]


def told(verdict: Verdict) -> str:
    """Its words but for the size that would pass, which is a hundredth."""
    return verdict.reason.partition("; ")[0]


@UNHURRIED
@given(limit=prices, way=ways, at_risk=st.integers(1, 500), most=st.integers(10, 5_000))
def test_a_size_counts_the_multiplier(limit: Decimal, way: Decimal, at_risk: int, most: int) -> None:
    """RK-02, RK-10"""

    def sized(step: str, of: Instrument) -> tuple[Decimal, str]:
        wanted = WantedEntry(
            usd(str(at_risk)).usd,
            Price(limit),
            way,
            usd(str(most)).usd,
            Decimal(step),
            instrument=of,  # type: ignore[arg-type]
        )
        size = size_of(wanted, Conditions(equity=Decimal(20_000), capital_left=Decimal(2_000)))
        return size.quantity * of.multiplier, size.limited_by

    assert sized("0.001", share(SPY)) == sized("0.00001", hundreds(SPY))


@UNHURRIED
@given(quantity=shares, price=prices)
def test_margin_counts_the_multiplier(quantity: Decimal, price: Decimal) -> None:
    """RK-14"""
    account = replace(an_account("1000", "2000"), multiplier=Decimal(2), maintenance_margin=Decimal(0))
    listed = BrokerInstrument(SPY, long_requirement=Fraction(Decimal("0.3")))
    few = traded_in(hundreds(SPY), a_candidate(quantity=str(quantity / HUNDRED)).order)

    found = [
        effect_of(order, Price(price), account, listed, (Decimal(0), Decimal(2000)))
        for order in (a_candidate(quantity=str(quantity)).order, few)
    ]

    assert found[0] == found[1]


def test_the_cap_counts_the_multiplier() -> None:
    """OP-03"""
    ones = judged(share(SPY), Decimal("1.5"), Decimal(100), Decimal("0.2"))
    few = judged(hundreds(SPY), Decimal("0.015"), Decimal(100), Decimal("0.2"))

    assert cap_of(*ones) == cap_of(*few) == "150 USD"
