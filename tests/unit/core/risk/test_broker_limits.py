"""What the broker would refuse, or answer by closing only, is said before it is sent (RK-23)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.brokers.alpaca import parsing
from core.brokers.alpaca.connection import ALPACA
from core.brokers.alpaca.parsing import an_instrument
from core.model.account import Account
from core.model.instrument import BrokerInstrument
from core.model.order import Effect
from core.model.staging import CheckResult
from core.risk.checks.funds import BrokerLimitsCheck
from core.risk.gate import Candidate, ReviewContext
from core.risk.standard_gate import standard_gate
from tests.kit.rows import table
from tests.unit.core.brokers.alpaca_door import an_account_json, an_asset_json
from tests.unit.core.brokers.trading_floor import SPY
from tests.unit.core.risk.reviews import NOW, a_candidate, a_desk, a_quote, an_account

CHECK = BrokerLimitsCheck()


def at_alpaca(**changes: object) -> ReviewContext:
    return a_desk(**{"capabilities": ALPACA.capabilities, "account": lent(), **changes})


def lent(**changes: object) -> Account:
    return replace(an_account("200", "2000"), multiplier=Decimal(4), **changes)  # type: ignore[arg-type]


def verdict(candidate: Candidate, desk: ReviewContext) -> tuple[CheckResult, str] | None:
    found = CHECK.review(candidate, desk)
    return None if found is None else (found.standing, found.reason)


def test_six_times_equity_is_foreseen(snapshot: SnapshotAssertion) -> None:
    """RK-23: Alpaca lets such an account only close until somebody there has looked at it"""
    within, over = (verdict(a_candidate(quantity=shares), at_alpaca()) for shares in ("12", "12.01"))

    assert within == (CheckResult.PASSES, snapshot)
    assert over is not None
    assert over[0] is CheckResult.REFUSES
    assert over[1] == snapshot


def test_a_short_is_valued_above_the_ask(snapshot: SnapshotAssertion) -> None:
    """RK-23: three per cent over the ask, or its limit where that is higher"""
    quote = a_quote("99.99", "100.00")
    short = a_candidate(effect=Effect.SHORT, quantity="2", limit="100.00", stop="101")
    free = {power: verdict(short, at_alpaca(quote=quote, account=lent(buying_power=Decimal(power)))) for power in
            ("205.99", "206.00")}  # fmt: skip

    assert free["205.99"] == (CheckResult.REFUSES, snapshot)
    assert free["206.00"] == (CheckResult.PASSES, snapshot)
    dear = replace(short, order=replace(short.order, limit_price=Decimal("103.50")))
    assert verdict(dear, at_alpaca(quote=quote, account=lent(buying_power=Decimal("206.99"))))[0] is CheckResult.REFUSES  # type: ignore[index]


def test_a_no_short_account_is_told_as_by_the_broker(snapshot: SnapshotAssertion) -> None:
    """RK-23: and one of which it says nothing is left to its answer"""
    short = a_candidate(effect=Effect.SHORT, quantity="1", stop="101")
    told = {said: parsing.an_account(an_account_json(shorting_enabled=said), NOW).sells_short for said in (True, False)}
    silent = an_account_json()
    silent.pop("shorting_enabled", None)

    assert told == {True: True, False: False}
    assert parsing.an_account(silent, NOW).sells_short
    assert verdict(short, at_alpaca(account=lent(sells_short=False))) == (CheckResult.REFUSES, snapshot)


@table("quantity refuses", ("0.4", True), ("1", False))
def test_fractions_wait_for_the_open(quantity: str, refuses: bool) -> None:
    """RK-23, RK-20"""
    candidate = a_candidate(quantity=quantity)
    marked = replace(candidate, order=replace(candidate.order, extended_hours=True))
    whole = an_instrument(an_asset_json(attributes=["has_options"]))

    found = verdict(marked, at_alpaca(instrument=whole))

    assert found is not None
    assert (found[0] is CheckResult.REFUSES) is refuses
    assert an_instrument(an_asset_json(attributes=["fractional_eh_enabled"])).has_extended_fractions


def test_a_partnership_warns() -> None:
    """RK-23"""
    asset = an_instrument(an_asset_json(attributes=["ptp_no_exception", "fractional_eh_enabled"]))

    found = verdict(a_candidate(), at_alpaca(instrument=asset))

    assert found is not None
    assert found[0] is CheckResult.WARNS
    assert "ptp_no_exception_entry" in found[1]
    assert an_instrument(an_asset_json(attributes=["ptp_with_exception"])).entry_warned == ""


def test_a_broker_without_limits_says_nothing() -> None:
    """RK-23, RK-22"""
    too_many = a_candidate(quantity="50")
    exit_of_all = a_candidate(effect=Effect.CLOSE, quantity="50", stop=None)

    assert verdict(too_many, a_desk(account=lent())) is None
    assert verdict(exit_of_all, at_alpaca(instrument=BrokerInstrument(SPY))) is None
    assert standard_gate().review(exit_of_all, at_alpaca()).refusals == ()
