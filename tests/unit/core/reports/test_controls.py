"""What a control did, how often, and which entries came near a limit."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from core import facts
from core.model.codes import HaltCause
from core.model.order import Effect, OrderRequest, OrderType, Side
from core.model.staging import MANUAL, Approval, CheckResult, Review, Verdict
from core.model.values import ClientOrderId, Digest, Fraction, Money, Price, ProposalId, Quantity, TicketId
from core.ports import Recorded
from core.post_mortem.missed_trades import TripKind
from core.reports.quality import Controls, controls_of
from core.settings.settings import Settings
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import SPY, at

AT = at("10:06")
TICKET, ORDER = TicketId("t"), ClientOrderId("t")
SETTINGS = Settings.model_validate({"risk": {"max_notional": {"usd": "1000"}, "spread_limit": "0.002"}})


def an_entry(
    quantity: str = "5",
    bid: str = "99.99",
    ask: str = "100.01",
    verdicts: tuple[Verdict, ...] = (),
    strategy: str = MANUAL,
    effect: Effect = Effect.OPEN,
    buying_power: str | None = None,
) -> list[facts.Fact]:
    """An order at 100 whose key was turned, as it is recorded."""
    side = Side.BUY if effect is Effect.OPEN else Side.SELL
    order = OrderRequest(ORDER, SPY, side, effect, Quantity(Decimal(quantity)), OrderType.MARKET)
    approval = Approval("a", TICKET, None, Digest("d"), AT)
    free = None if buying_power is None else Money(Decimal(buying_power))
    quote = (Price(Decimal(bid)), Price(Decimal(ask)))
    return [
        facts.OrderApproved(TICKET, "a", Review(verdicts), Money(Decimal(10_000)), free, *quote),
        facts.ApprovalRedeemed(approval, ORDER, Digest("d"), order.quantity),
        facts.OrderCreated(
            order, ProposalId("t"), strategy, AT, None, None, None, None, None, None, counted_at=Price(Decimal(100))
        ),
    ]


def recorded(*told: facts.Fact) -> list[Recorded]:
    return [Recorded(number, AT, fact) for number, fact in enumerate(told, 2)]


def controls(*told: facts.Fact) -> Controls:
    return controls_of([Recorded(1, AT, facts.SettingsApplied(SETTINGS))], recorded(*told))


def near(*told: facts.Fact) -> dict[str, tuple[int, Decimal | None]]:
    return {miss.name: (miss.many, miss.most) for miss in controls(*told).near}


@table("quantity most", ("8", None), ("9", Decimal("0.9")), ("10", Decimal(1)), ("11", None))
def test_an_entry_over_80_percent_is_a_near_miss(quantity: str, most: Decimal | None) -> None:
    """AN-06, EX-11: exactly four fifths are not; what is over the limit was let pass by other terms."""
    assert near(*an_entry(quantity)).get("notional") == (None if most is None else (1, most))


def test_a_strategys_sized_order_is_no_near_miss() -> None:
    """AN-06"""
    assert near(*an_entry("10", strategy="vwap", buying_power="1000")) == {}


def test_money_that_is_nearly_gone_is_near() -> None:
    """AN-06, OP-03"""
    assert near(*an_entry("5", buying_power="550"))["buying power"] == (1, Decimal(500) / 550)


def test_the_nearest_spread_is_told_with_a_count() -> None:
    """AN-06, RK-17: 0.18 and 0.19 of 100 at a limit of 0.2 %."""
    found = near(*an_entry(bid="99.91", ask="100.09"), *an_entry(bid="99.905", ask="100.095"), *an_entry(bid="99.99"))

    assert found["spread"] == (2, Decimal("0.95"))


def test_a_measured_warning_is_a_near_miss() -> None:
    """AN-06"""
    warned = Verdict("price band", CheckResult.WARNS, "6 % from the quote")
    nothing = Verdict("spread", CheckResult.WARNS, "no quote: none came")

    assert near(*an_entry(verdicts=(warned, nothing))) == {"price band": (1, None)}


def test_what_only_reduces_comes_near_nothing() -> None:
    """AN-06, OP-06: an exit passes with warnings."""
    warned = Verdict("price band", CheckResult.WARNS, "6 % from the quote")

    assert near(*an_entry("10", verdicts=(warned,), effect=Effect.CLOSE)) == {}


def test_an_unsent_approval_is_no_near_miss() -> None:
    """AN-06"""
    approved, *_ = an_entry("10")

    assert near(approved) == {}


def test_near_margin_is_told_until_it_recovers() -> None:
    """AN-06, RK-14"""
    came = facts.MarginWarned(Fraction(Decimal("0.12")), Fraction(Decimal("0.15")))

    assert near(came, replace(came, limit=None)) == {"margin": (1, None)}


def test_each_control_is_told_with_its_count() -> None:
    """AN-06"""
    skipped = facts.ProposalSkipped("vwap", SPY, AT, ("window: shut", "lists: on it"), None, ("window", "lists"))
    tripped = facts.ProtectionTripped("daily_loss", "global", "12 lost", None)
    halted = facts.Halted(HaltCause.KEY, "by you")

    found = controls(skipped, tripped, skipped, halted).acted

    assert [(each.name, each.kind, each.many, each.words) for each in found] == [
        ("window", TripKind.REFUSED, 2, "shut"),
        ("lists", TripKind.REFUSED, 2, "on it"),
        ("daily loss", TripKind.TRIPPED, 1, "global: 12 lost"),
        ("kill switch", TripKind.TRIPPED, 1, "halted: by you"),
    ]
