"""A ticket's review, and the way from the turned key to the broker call, the disk's own sync taken out."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

from core.brokers.alpaca.connection import ALPACA
from core.brokers.simulated.exchange import SimulatedExchange
from core.engine import Engine
from core.execution.gateway import Gateway
from core.messages.command_ports import CommandPort, PortKind, addressed
from core.messages.commands import OpenTicket, ProposeOrder
from core.messages.effects import FetchFigures, SubmitOrder
from core.messages.inputs import BarArrived, FiguresFetched, PastArrived
from core.model.account import Mode
from core.model.order import Effect, OrderType, StopHolder
from core.model.reference_data import PastDay, PastDays
from core.model.values import Price, Quantity
from core.risk.standard_gate import standard_gate
from core.runtime.feed import bar_item
from core.runtime.scripted_operator import turn_of
from core.runtime.simulated_exchange import config_of, link_of
from core.runtime.virtual import VirtualRuntime
from core.settings.settings import Settings
from core.workflows.staging.proposal_intake import candidate_of
from state.files import JournalFolder
from state.journal import FileJournal
from tests.bench.house import SPY, NoLog, NoSwitch, some_bars

DOOR = CommandPort(PortKind.SCRIPT)
CONTROLS: dict[str, object] = {
    "collar": {"band": "0.03", "spreads": "10", "period_band": "0.05"},
    "order_size": {"shares": "1000", "of_volume": "0.01"},
    "max_day_value": {"usd": "5000000"},
    "portfolio": {"max_exposure": "0.8", "symbol_exposure": "0.5", "sector_exposure": "0.6"},
    "margin": {"deficit_limit": 3},
    "sectors": {"SPY": "index"},
}
"""All of them on, as in every profile, and wide enough for what is measured."""
UNHURRIED = replace(ALPACA.capabilities, refuses_wash_trades=False, messages_a_minute=None)
"""Takes one entry after the other at once, each beside those before: by Alpaca's own limits the second is refused."""
A_MILLION = Quantity(Decimal(1_000_000))


def opened(folder: Path) -> tuple[VirtualRuntime, FileJournal]:
    """A desk with a real journal at 10:30 in New York, its books compared."""
    calendar, bars = some_bars(60)
    journal = FileJournal(JournalFolder(folder))
    settings = Settings.model_validate(
        {
            "risk": {
                "max_open_positions": 1_000,
                "entries_a_day": 1_000,
                **CONTROLS,
                "messages": {"per_second": 1_000_000, "per_minute": 1_000_000, "per_day": 1_000_000},
                "protections": {"repeated_execution": {"fills": 10_000}},
            },
            "exchange": {"cash": "10000000"},
            "strategies": {"vwap": {"enabled": False}},
        }
    )
    engine = Engine("bench", Mode.PAPER, calendar, journal)
    feed = [bar_item(BarArrived(bar, "bench")) for bar in bars]
    engine.apply(feed[0][0], settings, "bench")
    exchange = SimulatedExchange(config_of(settings, "bench", "7"), calendar, NoLog())
    runtime = VirtualRuntime(engine, exchange, feed, start=feed[0][0], switch=NoSwitch(), link=link_of(settings))
    runtime.admit(DOOR.known)
    runtime.run(until=bars[-1].start + timedelta(seconds=1))
    days = [PastDay(bars[0].start.date() - timedelta(days=n), bars[0].close, None, A_MILLION) for n in range(20, 0, -1)]
    list(engine.handle(runtime.at, PastArrived(PastDays(SPY, tuple(days)))))
    engine.state.sightings.capabilities = ALPACA.capabilities
    return runtime, journal


def confirmations(many: int) -> tuple[list[float], list[float], float]:
    """Seconds from key to call without the sync, and the syncs, of one order after the other; and one gate review's."""
    ways: list[float] = []
    syncs: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        runtime, journal = opened(Path(folder))
        engine, at, account = runtime.engine, runtime.at, runtime.engine.state.account_name
        gateway = Gateway(engine.state.account_name, runtime.latch)
        review = 0.0
        for number in range(many):
            at += timedelta(microseconds=1)
            price = Price(runtime.exchange.quote(at, SPY).ask - Decimal("0.5"))  # type: ignore[union-attr]
            order = ProposeOrder(
                SPY, Effect.OPEN, Quantity(Decimal("0.05")), OrderType.LIMIT, price, Price(price - 5), StopHolder.BROKER
            )
            engine.handle(at, addressed(order, account))
            proposal = engine.state.stage.proposals()[0]
            runtime.at = at
            for effect in engine.handle(at, addressed(OpenTicket(proposal.id), account)):
                engine.handle(at, runtime.ask(effect))
            ticket = next(iter(engine.state.stage.state.tickets.values()))
            if number == 0:
                review = min(cpu_of(partial(review_once, engine, proposal, at), 300) for _ in range(7))
                engine.state.sightings.capabilities = UNHURRIED
            before = journal.seconds_in_syncs
            began = time.perf_counter()
            key = DOOR.through(turn_of(ticket), account)
            fetch = next(e for e in engine.handle(at, key))
            assert isinstance(fetch, FetchFigures)
            reply = runtime.ask(fetch)
            assert isinstance(reply, FiguresFetched)
            submit = next(e for e in engine.handle(at, reply) if isinstance(e, SubmitOrder))
            assert gateway.refusal(submit, at) is None
            passed = time.perf_counter() - began
            synced = journal.seconds_in_syncs - before
            ways.append(passed - synced)
            syncs.append(synced)
            engine.handle(at, runtime.ask(submit))
        journal.close()
    return ways, syncs, review


GATE = standard_gate()


def review_once(engine: Engine, proposal: object, at: object) -> None:
    """As a desk does it: by the one gate that it has."""
    desk = engine.state
    context = desk.figures_for(at, SPY, None)  # type: ignore[arg-type]
    GATE.review(candidate_of(proposal), context)  # type: ignore[arg-type]


def time_of(act: Callable[[], None], times: int) -> float:
    began = time.perf_counter()
    for _ in range(times):
        act()
    return (time.perf_counter() - began) / times


def cpu_of(act: Callable[[], None], times: int) -> float:
    """Seconds of the processor: the machine has other work."""
    began = time.process_time()
    for _ in range(times):
        act()
    return (time.process_time() - began) / times


def percentile(values: list[float], part: float) -> float:
    return statistics.quantiles(values, n=1000)[round(part * 1000) - 1]


def measure(many: int = 500) -> list[tuple[str, str]]:
    ways, syncs, review = confirmations(many)
    worst = percentile(ways, 0.99)
    return [
        ("review of a ticket, all checks", f"{review * 1e6:,.0f} µs, {1 / review:,.0f} a second (aim 20,000)"),
        (
            f"key to broker call beyond the syncs, {many} orders",
            f"p50 {statistics.median(ways) * 1000:.2f} ms, p99 {worst * 1000:.2f} ms (aim under 3)",
        ),
        (
            "baseline: the two syncs of the same confirmations",
            f"p50 {statistics.median(syncs) * 1000:.2f} ms, p99 {percentile(syncs, 0.99) * 1000:.2f} ms, "
            f"ratio {statistics.median(ways) / statistics.median(syncs):.1f}",
        ),
    ]


if __name__ == "__main__":
    for name, value in measure():
        print(f"{name:<55} {value}")
