"""What stands at the end of a day, folded from a few kinds of records."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from core import facts
from core.facts.orders import Source
from core.model.codes import HaltCause, IdleCode, ProposalEnd
from core.model.order import Effect, LegRole, OrderRequest, OrderStatus, OrderType, Side, StopHolder
from core.model.position import Fill
from core.model.sizing import UNKNOWN, VixLevel, VixReading
from core.model.staging import StopPlan
from core.model.values import ClientOrderId, ExecutionId, Price, ProposalId, Quantity
from core.ports import Recorded
from core.reports.report import StillStands, still_stands
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import SPY, at
from tests.unit.core.staging.test_stage import NOTHING_SAID, a_proposal

AT = at("10:06")


def quantity(text: str) -> Quantity:
    return Quantity(Decimal(text))


def price(text: str) -> Price:
    return Price(Decimal(text))


def created(name: str, of: str = "10", stop: str | None = None, plan: StopPlan | None = None) -> facts.OrderCreated:
    """A stop that guards where `stop` is its price; else an entry with its plan."""
    guards = stop is not None
    order = OrderRequest(
        ClientOrderId(name), SPY, Side.SELL if guards else Side.BUY, Effect.CLOSE if guards else Effect.OPEN,
        quantity(of), OrderType.STOP if guards else OrderType.MARKET,
        stop_price=None if stop is None else price(stop),
    )  # fmt: skip
    return facts.OrderCreated(order, ProposalId(name), "vwap", AT, plan, None, None, None, None, None)


def changed(name: str, after: OrderStatus) -> facts.OrderStateChanged:
    return facts.OrderStateChanged(ClientOrderId(name), OrderStatus.PENDING, after, Source.STREAM, None, "")


def filled(name: str, of: str) -> facts.OrderFilled:
    fill = Fill(ExecutionId(name), ClientOrderId(name), AT, quantity(of), price("95"))
    return facts.OrderFilled(fill, quantity(of), Source.STREAM, is_late=False)


HELD = facts.PositionChanged(SPY, "vwap", quantity("10"), price("100"))


def stands(*told: facts.Fact) -> StillStands:
    return still_stands([], [Recorded(number, AT, fact) for number, fact in enumerate(told, 1)], {SPY: price("99")})


def test_the_nearest_working_stop_is_named() -> None:
    """AN-06, OP-06: two work, the nearest is named; what one filled guards no more."""
    found = stands(created("a", "6", "95"), created("b", "4", "90"), filled("b", "1"), HELD)

    (held,) = found.held
    assert held.last == price("99")
    assert (held.holder, held.stop, held.covered) == (StopHolder.BROKER, price("95"), quantity("9"))
    assert found.orders == ()


@table(
    "told covered",
    ((facts.OrderIdled(ClientOrderId("a"), IdleCode.BROKER_WORD, "suspended"),), "4"),
    ((facts.OrderStateUnknown(ClientOrderId("a"), "no answer"),), "4"),
    (
        (
            facts.OrderIdled(ClientOrderId("a"), IdleCode.BROKER_WORD, "suspended"),
            facts.OrderTradesAgain(ClientOrderId("a"), "new"),
        ),
        "10",
    ),
)
def test_a_report_counts_cover_as_the_ledger_does(told: tuple[facts.Fact, ...], covered: str) -> None:
    """AN-06, EX-22: what the broker does not trade, or may not have, covers nothing"""
    (held,) = stands(created("a", "6", "95"), created("b", "4", "90"), *told, HELD).held

    assert (held.covered, held.stop) == (quantity(covered), price("90" if covered == "4" else "95"))


@table("holder told", (StopHolder.DESK, (StopHolder.DESK, price("95"))), (StopHolder.BROKER, (StopHolder.YOU, None)))
def test_an_ended_stop_guards_nothing(holder: StopHolder, told: tuple[StopHolder, Price | None]) -> None:
    """AN-06, OP-06"""
    plan = StopPlan(price("95"), holder)
    ended = (changed("e", OrderStatus.FILLED), created("s", "10", "95"), changed("s", OrderStatus.EXPIRED))

    (held,) = stands(created("e", plan=plan), *ended, HELD).held

    assert (held.holder, held.stop) == told


@table("ratio cash stop", ("2", None, "47.50"), ("1", "6", "89"))
def test_a_desk_held_stop_is_told_for_a_share_of_today(ratio: str, cash: str | None, stop: str) -> None:
    """AN-06, EX-25: 95 before two shares for one, and before a special dividend of 6 USD"""
    plan = StopPlan(price("95"), StopHolder.DESK)
    shares = quantity("10") * Decimal(ratio)
    owners = () if cash else (facts.OwnerQuantity("vwap", Quantity(shares), Decimal(ratio)),)
    action = facts.CorporateActionApplied(
        (), AT.date() + timedelta(days=1), SPY, Decimal(ratio), quantity("10"), Quantity(shares), owners,
        evidence=facts.ActionEvidence.ANNOUNCED if cash else facts.ActionEvidence.BOOKS,
        cash=None if cash is None else price(cash),
    )  # fmt: skip

    (held,) = stands(created("e", plan=plan), changed("e", OrderStatus.FILLED), HELD, action).held

    assert (held.holder, held.stop) == (StopHolder.DESK, price(stop))


@table(
    ("quantity_", "average", "last", "result"),
    ("10", "100", "99", "-10.00"),
    ("-10", "100", "99", "10.00"),
    ("0.333", "100.005", "99", "-0.33"),
    ("10", None, "99", None),
    ("10", "100", None, None),
)
def test_an_open_result_is_of_average_and_last_price(
    quantity_: str, average: str | None, last: str | None, result: str | None
) -> None:
    """SY-03, AN-01"""
    held = facts.PositionChanged(SPY, "vwap", quantity(quantity_), None if average is None else price(average))
    found = still_stands([], [Recorded(1, AT, held)], {} if last is None else {SPY: price(last)})

    assert [each.open_result for each in found.held] == [None if result is None else Decimal(result)]
    assert found.open_result == Decimal(result or 0)


def test_a_closed_position_is_not_listed() -> None:
    """AN-06"""
    assert stands(HELD, facts.PositionChanged(SPY, "vwap", quantity("0"), None)).is_empty


def test_an_entry_is_listed_until_it_ends() -> None:
    """AN-06"""
    staged = facts.ProposalStaged(a_proposal(), NOTHING_SAID)
    ended = facts.ProposalEnded(ProposalId("entry"), ProposalEnd.EXPIRED, "")

    assert [proposal.id for proposal in stands(staged).entries] == ["entry"]
    assert stands(staged, ended).is_empty


def test_the_last_regime_stands() -> None:
    """AN-06, RK-19"""
    last = replace(UNKNOWN, vix=VixReading(Decimal("31.20"), at("10:00").date(), VixLevel.HIGH))

    assert stands(facts.RegimeMeasured(UNKNOWN), facts.RegimeMeasured(last)).regime == last


def test_an_order_in_doubt_is_told_until_answered() -> None:
    """AN-06, EX-06"""
    lost = facts.OrderStateUnknown(ClientOrderId("e"), "no answer")

    doubt, known = stands(created("e"), lost), stands(created("e"), lost, changed("e", OrderStatus.SUBMITTED))

    assert ([order.client_order_id for order in doubt.doubts], doubt.orders) == (["e"], ())
    assert ([order.client_order_id for order in known.orders], known.doubts) == (["e"], ())


SHUTS = [
    (facts.Halted(HaltCause.KEY, "by you"), facts.Resumed(HaltCause.KEY), "halted: by you"),
    (facts.Killed("file"), facts.Rearmed(), "killed by file"),
    (facts.BreakerOpened("five failed", None), facts.BreakerClosed("it answers"), "the breaker is open: five failed"),
    (facts.ReconciliationFailed(("SPY",)), facts.ReconciliationPassed(()), "read-only: SPY"),
    (
        facts.ProtectionTripped("daily_loss", "global", "12 lost", AT + timedelta(hours=1)),
        facts.ProtectionExpired("daily_loss", "global"),
        "daily loss shuts global: 12 lost",
    ),
]


@table("shuts opens words", *SHUTS)
def test_halts_are_told_until_they_end(shuts: facts.Fact, opens: facts.Fact, words: str) -> None:
    """AN-06"""
    assert stands(shuts).shut == (words,)
    assert stands(shuts, opens).is_empty


def test_an_expired_protection_shuts_nothing() -> None:
    """AN-06, RK-06: nobody has to record its end."""
    tripped = facts.ProtectionTripped("loss_streak", "vwap", "5 in a row", AT - timedelta(minutes=1))

    assert stands(tripped).is_empty


def test_a_held_leg_is_no_order_of_its_own() -> None:
    """AN-06, EX-13"""
    leg = replace(created("s", "10", "95"), parent=ClientOrderId("e"), role=LegRole.STOP)
    part = facts.PositionChanged(SPY, "vwap", quantity("4"), price("100"))

    waiting, partly = stands(created("e"), leg), stands(created("e"), leg, filled("e", "4"), part)
    whole = stands(created("e"), leg, filled("e", "10"), changed("e", OrderStatus.FILLED), HELD)

    assert [order.client_order_id for order in waiting.orders] == ["e"]
    assert [held.holder for held in partly.held] == [StopHolder.YOU]
    assert [(held.holder, held.covered) for held in whole.held] == [(StopHolder.BROKER, quantity("10"))]
    assert whole.orders == ()
