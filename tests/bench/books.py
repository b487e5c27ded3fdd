"""What it costs to compare the books with the broker's, after many orders: asked, answered and compared (EX-09).

"Nothing moved" is the minute that comes by the hundred thousand; "something moved" is the one after an order came and
went. The baseline makes the exchange's list of reports anew, as each question did once.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from core.brokers.simulated.exchange import SimulatedExchange
from core.facts import OrderCreated, OrderStateChanged, Source
from core.messages.effects import FetchBooks
from core.messages.inputs import BooksFetched
from core.model.broker import Accepted
from core.model.order import Effect, OrderRequest, OrderStatus, OrderType, Side
from core.model.values import ClientOrderId, Price, ProposalId, Quantity
from core.trading_state.state import TradingState
from tests.bench.house import SPY
from tests.bench.ticket import opened

ORDERS = (100, 1_000, 10_000)


def best_of(act: Callable[[], object], times: int, rounds: int = 5) -> float:
    """Seconds of the processor for one, in the best of several rounds: the machine has other work."""
    best = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(times):
            act()
        best = min(best, (time.process_time() - began) / times)
    return best


def came_and_went(desk: TradingState, exchange: SimulatedExchange, at: datetime, number: int) -> None:
    """An order that was sent and cancelled, on both sides."""
    order = OrderRequest(
        ClientOrderId(f"order-{number}"), SPY, Side.BUY, Effect.OPEN, Quantity(Decimal(1)), OrderType.LIMIT,
        limit_price=Price(Decimal("1.00")),
    )  # fmt: skip
    accepted = exchange.submit(at, order)
    assert isinstance(accepted, Accepted), accepted
    exchange.cancel(at, order.client_order_id)
    exchange.take_updates()
    desk.fold(at, OrderCreated(order, ProposalId("p"), "vwap", at, None, None, None, None, None, None))
    name = accepted.report.broker_order_id
    steps = (OrderStatus.PENDING, OrderStatus.SUBMITTED), (OrderStatus.SUBMITTED, OrderStatus.CANCELLED)
    for before, after in steps:
        desk.fold(at, OrderStateChanged(order.client_order_id, before, after, Source.STREAM, name, ""))


def measure() -> list[tuple[str, str]]:
    told: list[tuple[str, str]] = []
    first = 0.0
    for many in ORDERS:
        with tempfile.TemporaryDirectory() as folder:
            runtime, journal = opened(Path(folder))
            engine, exchange, at = runtime.engine, runtime.exchange, runtime.at
            for number in range(many):
                came_and_went(engine.state, exchange, at, number)

            def compare() -> None:
                answer = runtime.ask(FetchBooks())  # noqa: B023
                assert isinstance(answer, BooksFetched)
                engine.handle(at, answer)  # noqa: B023

            compare()
            quiet = best_of(compare, 500)
            moved = float("inf")
            for number in range(many, many + 3):
                came_and_went(engine.state, exchange, at, number)
                moved = min(moved, best_of(compare, 1, 1))
            reports = [exchange.order(at, ClientOrderId(f"order-{n}")) for n in range(10)]
            one = best_of(lambda: [exchange.order(at, r.client_order_id) for r in reports], 100) / 10  # type: ignore[union-attr] # noqa: B023
            journal.close()
        first = first or quiet
        told.append(
            (
                f"a comparison in which nothing moved, {many:,} orders",
                f"{quiet * 1e6:,.0f} µs, {quiet / first:.2f} of the first, "
                f"{quiet / (one * many):.3f} of making the broker's list anew",
            )
        )
        told.append(("  where one order moved (aim under 1,000 µs)", f"{moved * 1e6:,.0f} µs"))
    return told


if __name__ == "__main__":
    for name, value in measure():
        print(f"{name:<60} {value}", flush=True)
