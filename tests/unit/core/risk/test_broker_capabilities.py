"""What a broker cannot do is refused before it is asked; nothing is said of what it can (EX-12, RK-01)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from syrupy.assertion import SnapshotAssertion

from core.brokers.registry import BROKERS
from core.model.broker import EVERYTHING, Capabilities
from core.model.order import OrderClass, OrderType, StopHolder, TimeInForce
from core.model.staging import CheckResult
from core.model.values import ClientOrderId, Quantity
from core.risk.checks.market import TradableCheck
from core.risk.gate import Candidate, Gate
from tests.kit.rows import table
from tests.unit.core.risk.reviews import a_candidate, a_desk, an_exit, said


def an_entry(**terms: object) -> Candidate:
    entry = a_candidate()
    return replace(entry, order=replace(entry.order, **terms))  # type: ignore[arg-type]


@table(
    "can candidate words",
    (Capabilities(order_types=frozenset({OrderType.MARKET, OrderType.STOP})), an_entry(), "takes no limit orders"),
    (
        Capabilities(order_types=frozenset({OrderType.LIMIT, OrderType.STOP})),
        an_entry(type=OrderType.STOP_LIMIT),
        "takes no stop-limit orders",
    ),
    (
        Capabilities(order_classes=frozenset({OrderClass.SIMPLE})),
        an_entry(order_class=OrderClass.BRACKET),
        "takes no bracket orders",
    ),
    (
        Capabilities(times_in_force=frozenset({TimeInForce.DAY})),
        an_entry(time_in_force=TimeInForce.GTC),
        "takes no gtc orders",
    ),
    (Capabilities(fractions=False), an_entry(), "trades whole shares, and this is 0.4"),
    (Capabilities(extended_hours=False), an_entry(extended_hours=True), "trades in the regular session alone"),
    (
        Capabilities(replaces=False),
        an_entry(replaces=ClientOrderId("old")),
        "replaces no order: cancel it, and type another",
    ),
    (Capabilities(order_types=frozenset({OrderType.LIMIT})), an_entry(), "holds no stop"),
)
def test_an_entry_beyond_the_broker_is_refused(can: Capabilities, candidate: Candidate, words: str) -> None:
    """EX-12, RK-01"""
    assert said(TradableCheck(), candidate, a_desk(capabilities=can)) == (CheckResult.REFUSES, f"this broker {words}")
    assert said(TradableCheck(), candidate, a_desk())[0] is CheckResult.PASSES


def test_an_exit_of_that_kind_is_only_warned_of(snapshot: SnapshotAssertion) -> None:
    """RK-22: nothing keeps a person from asking for it"""
    desk = a_desk(capabilities=Capabilities(order_types=frozenset()))

    (verdict,) = Gate((TradableCheck(),)).review(an_exit(), desk).verdicts

    assert (verdict.standing, verdict.reason) == (CheckResult.WARNS, snapshot)


def test_a_held_stop_asks_nothing_of_the_broker() -> None:
    """OP-06"""
    entry = a_candidate(quantity="1", holder=StopHolder.DESK)
    can = Capabilities(order_types=frozenset({OrderType.LIMIT}), fractions=False)

    assert said(TradableCheck(), entry, a_desk(capabilities=can))[0] is CheckResult.PASSES
    assert entry.order.quantity == Quantity(Decimal(1))


def test_the_brokers_of_the_house_lack_nothing() -> None:
    """EX-12: no ticket of today says a word of it; what they limit has its check, and no order asks for activities"""
    limits = ("closing_only_at", "short_over_ask", "refuses_wash_trades", "messages_a_minute")
    limits += ("tells_activities", "cancels_wait")
    unlimited = {name: getattr(EVERYTHING, name) for name in limits}
    assert {replace(kind.capabilities, **unlimited) for kind in BROKERS.values()} == {EVERYTHING}
