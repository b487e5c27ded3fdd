"""A trade's result in parts: each worked out by hand, and their sum for any fills."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from core.facts import OrderCreated, OrderFilled, TradeClosed
from core.facts.orders import Source
from core.model.order import Effect, OrderRequest, OrderType, Side
from core.model.position import Fill, Trade
from core.model.signal import ExitReason
from core.model.values import ZERO, ClientOrderId, ExecutionId, Money, Price, ProposalId, Quantity
from core.ports import Recorded
from core.post_mortem.trade_attribution import (
    Cause,
    FillStory,
    OrderStory,
    Seen,
    Split,
    Step,
    Stories,
    TradeStory,
    split_of,
)
from tests.kit.rows import table
from tests.unit.core.brokers.trading_floor import SPY, at

AT = at("10:06")
Quotes = tuple[tuple[Step, str, str], ...]


def an_order(side: Side, intended: str | None, quotes: Quotes = ()) -> OrderStory:
    effect = Effect.OPEN if side is Side.BUY else Effect.CLOSE
    request = OrderRequest(ClientOrderId(f"{side.value}-1"), SPY, side, effect, Quantity(Decimal(10)), OrderType.MARKET)
    seen = tuple(Seen(step, AT, 1, Price(Decimal(bid)), Price(Decimal(ask))) for step, bid, ask in quotes)
    aimed = None if intended is None else Price(Decimal(intended))
    return OrderStory(request, "vwap", 1, AT, aimed, None, None, seen)


def a_fill(order: OrderStory, price: str, quantity: str = "10", fee: str = "0", *, opens: bool) -> FillStory:
    return FillStory(order, 2, AT, Quantity(Decimal(quantity)), Price(Decimal(price)), Money(Decimal(fee)), opens)


def a_trade(fills: list[FillStory]) -> TradeStory:
    """Its profit is what its fills come to."""
    profit = sum((-fill.sign * fill.quantity * fill.price - fill.fee for fill in fills), ZERO)
    first, last = fills[0], fills[-1]
    trade = Trade(
        SPY, "vwap", first.order.id, last.order.id, AT, first.price, Quantity(Decimal(10)), AT, last.price,
        ExitReason.SIGNAL, None, None, None, Money(profit), Money(ZERO),
    )  # fmt: skip
    return TradeStory(trade, 3, AT, tuple(fills))


def parts(split: Split) -> dict[str, str]:
    return {part.name: str(part.amount) for part in split.parts if part.amount}


BUY = an_order(
    Side.BUY, "100.00",
    ((Step.STAGED, "99.98", "100.04"), (Step.KEY, "100.10", "100.14"), (Step.ANSWERED, "100.15", "100.21")),
)  # fmt: skip
SELL = an_order(
    Side.SELL, "102.00",
    ((Step.STAGED, "101.98", "102.02"), (Step.KEY, "101.88", "101.92"), (Step.ANSWERED, "101.86", "101.92")),
)  # fmt: skip


def test_each_part_is_what_its_step_cost() -> None:
    """AN-03: ten shares, bought at 100.23 and sold at 101.85; the day closed at 103.

    By hand: 10 × (103 − 100) and 10 × (102 − 103); middles 100.01, 100.12, 100.18 and 102.00, 101.90, 101.89; half
    spreads of 0.03 each; fills 0.02 over the ask and 0.01 under the bid.
    """
    story = a_trade([a_fill(BUY, "100.23", fee="0.01", opens=True), a_fill(SELL, "101.85", fee="0.02", opens=False)])

    found = split_of(story, Price(Decimal(103)))

    assert parts(found) == {
        Cause.SIGNAL: "30.00",
        Cause.EXIT: "-10.00",
        Cause.STAGED: "-0.10",
        Cause.KEY: "-2.10",
        Cause.SENT: "-0.70",
        Cause.SPREAD: "-0.60",
        Cause.SLIPPAGE: "-0.30",
        Cause.FEES: "-0.03",
    }
    assert sum(part.amount for part in found.parts) == story.trade.profit == Decimal("16.17")


def test_a_short_is_its_mirror() -> None:
    """AN-03"""
    sold = an_order(Side.SELL, "100.00", ((Step.KEY, "99.90", "99.94"),))
    bought = an_order(Side.BUY, "98.00", ((Step.KEY, "98.06", "98.10"),))
    story = a_trade([a_fill(sold, "99.90", opens=True), a_fill(bought, "98.10", opens=False)])

    found = split_of(story, Price(Decimal(97)))

    assert parts(found) == {Cause.SIGNAL: "30.00", Cause.EXIT: "-10.00", Cause.KEY: "-1.60", Cause.SPREAD: "-0.40"}


def test_a_step_without_a_quote_joins_the_next(snapshot: SnapshotAssertion) -> None:
    """AN-03"""
    order = an_order(Side.BUY, "100.00", ((Step.KEY, "100.10", "100.14"),))
    order.seen = (Seen(Step.STAGED, AT, 1, None, None), *order.seen)
    story = a_trade([a_fill(order, "100.14", opens=True), a_fill(an_order(Side.SELL, None), "101.00", opens=False)])

    found = split_of(story, None)

    assert parts(found) == {Cause.SIGNAL: "10.00", Cause.KEY: "-1.20", Cause.SPREAD: "-0.20"}
    assert found.unknown == (snapshot, snapshot)


def test_unexplained_change_is_the_books(snapshot: SnapshotAssertion) -> None:
    """AN-03: a part that the broker's books corrected, and a trade whose fills nobody read."""
    story = a_trade([a_fill(BUY, "100.00", opens=True), a_fill(SELL, "102.00", opens=False)])
    bare = TradeStory(story.trade, 3, AT, ())

    found = split_of(bare, None)

    assert parts(found) == {Cause.UNTOLD: "20.00"}
    assert found.unknown == snapshot


PRICES = st.decimals("0.0001", "500", places=4)
SIZES = st.decimals("0.001", "900", places=3)


@st.composite
def journals(draw: st.DrawFn) -> list[Recorded]:
    """Purchases and sales of one strategy, through zero too, and each trade where its position is flat.

    Trades are reckoned here from cash alone, apart from the program.
    """
    records: list[Recorded] = []
    held, cash, number = ZERO, ZERO, 0

    def tell(fact: object) -> None:
        records.append(Recorded(len(records) + 1, AT + timedelta(seconds=len(records)), fact))  # type: ignore[arg-type]

    def ends(profit: Decimal, name: str) -> None:
        trade = Trade(
            SPY, "vwap", ClientOrderId("first"), ClientOrderId(name), AT, Price(Decimal(1)), Quantity(Decimal(1)), AT,
            Price(Decimal(1)), ExitReason.SIGNAL, None, None, None, Money(profit), Money(ZERO),
        )  # fmt: skip
        tell(TradeClosed(trade))

    def trades(side: Side, quantity: Decimal, price: Decimal, fee: Decimal, intended: Decimal | None) -> None:
        nonlocal held, cash, number
        number += 1
        name, sign = f"order-{number}", 1 if side is Side.BUY else -1
        request = OrderRequest(ClientOrderId(name), SPY, side, Effect.OPEN, Quantity(quantity), OrderType.MARKET)
        aimed = None if intended is None else Price(intended)
        tell(OrderCreated(request, ProposalId(name), "vwap", AT, None, None, None, aimed, None, None))
        fill = Fill(ExecutionId(name), ClientOrderId(name), AT, Quantity(quantity), Price(price), Money(fee))
        tell(OrderFilled(fill, Quantity(quantity), Source.STREAM, is_late=False))
        after = held + sign * quantity
        if held and (after == 0 or (after > 0) != (held > 0)):
            paid = fee * abs(held) / quantity
            ends(cash + held * price - paid, name)
            cash, fee = ZERO, fee - paid
            quantity, held = abs(after), ZERO
        cash -= sign * quantity * price + fee
        held += sign * quantity
        if not held:
            cash = ZERO

    for _ in range(draw(st.integers(1, 8))):
        side = draw(st.sampled_from(Side))
        trades(side, draw(SIZES), draw(PRICES), draw(st.decimals("0", "2", places=2)), draw(st.none() | PRICES))
    if held:
        trades(Side.SELL if held > 0 else Side.BUY, abs(held), draw(PRICES), Decimal(0), None)
    return records


@settings(max_examples=24)
@given(journals(), st.none() | PRICES)
def test_parts_add_up_for_any_fills(records: list[Recorded], close: Decimal | None) -> None:
    """AN-03: to the cent, with nothing left to the books, through zero too."""
    for story in Stories(records).trades:
        found = split_of(story, None if close is None else Price(close))

        assert sum(part.amount for part in found.parts) == story.trade.profit.quantize(Decimal("0.01"))
        assert Cause.UNTOLD.value not in {part.name for part in found.parts}


@table("step", *list(Step))
def test_the_newest_word_on_a_step_counts(step: Step) -> None:
    """AN-03: a ticket may be opened, and a key turned, more than once."""
    order = an_order(Side.BUY, "100", ((step, "1", "2"), (step, "3", "4")))

    found = order.at_step(step)

    assert found is not None
    assert found.mid == Decimal("3.5")


def test_a_fill_without_an_order_is_left_out() -> None:
    """AN-06: its order stands before what was read."""
    fill = Fill(ExecutionId("x"), ClientOrderId("x"), datetime.fromisoformat("2026-01-05T15:00:00Z"),
                Quantity(Decimal(1)), Price(Decimal(1)))  # fmt: skip
    record = Recorded(1, AT, OrderFilled(fill, Quantity(Decimal(1)), Source.STREAM, is_late=False))

    assert Stories([record]).fills == []
