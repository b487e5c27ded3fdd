"""What risk costs: a ticket's review after many closed trades, and every bar. Ratios, and no assertion.

The house without protections is the same house, in the same run, whose book of them hears nothing; so it trades on
where the other's entries are refused. The few bars in which something is proposed cost most: the house whose strategy
is off has every bar go through the market, the journal and all protections, and nothing else. Comparing the books with
the broker's each minute is the largest part of a replayed bar; it is measured with and without. All are times of the
processor, the best of several where that is quick, for a machine that has other work.
"""

from __future__ import annotations

import gc
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from core.engine import Engine
from core.facts import BarClosed
from core.market.calendar import ExchangeCalendar
from core.messages.command_ports import addressed
from core.messages.commands import ProposeOrder
from core.model.bar import Bar
from core.model.order import Effect, OrderType, StopHolder
from core.model.signal import ExitReason
from core.model.staging import CheckResult, Review, Verdict
from core.model.values import Fraction, Money, Price, Quantity, Symbol
from core.risk.gate import usd
from core.risk.protections.closed_trades import ClosedTrade, Direction
from core.risk.protections.protection_registry import ProtectionBook
from core.risk.sizing_history import SizingBook
from core.risk.standard_gate import standard_gate
from core.runtime.feed import Timed
from core.settings.protections import ProtectionsSettings
from core.workflows.staging.proposal_intake import candidate_of
from state.journal import MemoryJournal
from tests.bench.house import SPY, fed, plain_loop, through_the_house
from tests.bench.ticket import opened

HISTORIES = (100, 1_000, 10_000)
WEEK = timedelta(days=7)
AIM, AIM_OF_BARS = 20_000, 100_000


def trades_of_a_week(many: int, until: datetime) -> list[ClosedTrade]:
    """So many within the longest window, of ten symbols and three strategies; every other one lost."""
    every = WEEK / (many + 1)
    trades = []
    for number in range(many):
        ratio = Decimal("0.0031") if number % 2 else Decimal("-0.003")
        closed_at = until - WEEK + every * (number + 1)
        trades.append(
            ClosedTrade(
                symbol=Symbol(f"S{number % 10}"),
                direction=Direction.LONG if number % 3 else Direction.SHORT,
                opened_at=closed_at - timedelta(minutes=5),
                closed_at=closed_at,
                ratio=Fraction(ratio),
                exit_reason=ExitReason.STOP_LOSS if ratio < 0 else ExitReason.TAKE_PROFIT,
                profit=Money(ratio * 50),
                strategy=("vwap", "sma", "gap")[number % 3],
            )
        )
    return trades


def rate_of(act: Callable[[], object], seconds: float = 1.0) -> float:
    """Times a second of the processor, over at least that long."""
    done, began = 0, time.process_time()
    while (passed := time.process_time() - began) < seconds:
        for _ in range(200):
            act()
        done += 200
    return done / passed


def best_rate(act: Callable[[], object], seconds: float = 0.4, rounds: int = 5) -> float:
    """The best of several: other work on the machine makes a processor slower, never quicker."""
    return max(rate_of(act, seconds) for _ in range(rounds))


def reviews() -> list[tuple[str, str]]:
    """Reviews of a typed order, figures at hand, by a desk that has seen so many trades close."""
    told: list[tuple[str, str]] = []
    first = 0.0
    for many in HISTORIES:
        with tempfile.TemporaryDirectory() as folder:
            runtime, journal = opened(Path(folder))
            engine, at = runtime.engine, runtime.at
            desk, gate = engine.state, standard_gate()
            price = Price(runtime.exchange.quote(at, SPY).ask - Decimal("0.5"))  # type: ignore[union-attr]
            stop = Price(price - 5)
            order = ProposeOrder(
                SPY, Effect.OPEN, Quantity(Decimal("0.05")), OrderType.LIMIT, price, stop, StopHolder.BROKER
            )
            engine.handle(at, addressed(order, desk.account_name))
            candidate = candidate_of(desk.stage.proposals()[0])
            began = time.process_time()
            for trade in trades_of_a_week(many, at):
                desk.protections.take(trade)
            each = (time.process_time() - began) / many
            rate = best_rate(lambda: gate.review(candidate, desk.figures_for(at, SPY, None)))  # noqa: B023
            names = [check.name for check in gate.checks]
            least = best_rate(lambda: Review(tuple([Verdict(n, CheckResult.PASSES, usd(price)) for n in names])))  # noqa: B023
            book_alone = rate_of(lambda: list(desk.protections.answers(at)), 0.3)  # noqa: B023
            journal.close()
        first = first or rate
        told.append(
            (
                f"reviews by {len(gate.checks)} checks, {many:,} closed trades",
                f"{rate:,.0f}/s, {rate / first:.2f} of the first, {rate / AIM:.2f} of the aim of {AIM:,}",
            )
        )
        told.append(
            ("  baseline: as many verdicts with a figure, nothing asked", f"{least:,.0f}/s, ratio {rate / least:.2f}")
        )
        told.append(
            (
                "  a closed trade through all protections; all rows of the pane",
                f"{each * 1e6:.1f} µs; {1e6 / book_alone:,.0f} µs",
            )
        )
    return told


def memory(bars: list[Bar]) -> list[int]:
    """Bytes that protections and sizing hold after each quarter of the bars, a trade closed every hundredth of them."""
    settings = ProtectionsSettings()
    book, sizing = ProtectionBook(lambda: settings), SizingBook()
    closed = trades_of_a_week(len(bars) // 100, bars[-1].end)
    held: list[int] = []
    tracemalloc.start()
    for number, bar in enumerate(bars, start=1):
        for each in (book, sizing):
            each.folds[BarClosed](bar.end, BarClosed(bar))
        if not number % 100:
            trade = replace(closed[number // 100 - 1], opened_at=bar.start, closed_at=bar.end)
            book.take(trade)
            sizing.take(trade)
        if not number % (len(bars) // 4):
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    return held


def alone(bars: list[Bar]) -> float:
    """Seconds a bar in all protections that watch bars."""
    settings = ProtectionsSettings()
    fold = ProtectionBook(lambda: settings).folds[BarClosed]
    facts = [(bar.end, BarClosed(bar)) for bar in bars]
    began = time.process_time()
    for at, fact in facts:
        fold(at, fact)
    return (time.process_time() - began) / len(bars)


def deafen(engine: Engine) -> None:
    """Its protections hear of no bar and no trade."""
    desk, own = engine.state, engine.state.protections.folds.values()
    desk.folds = {kind: tuple(fold for fold in folds if fold not in own) for kind, folds in desk.folds.items()}


def keep(_engine: Engine) -> None:
    """As it is."""


def house_alone(calendar: ExchangeCalendar, feed: list[Timed], baseline: float) -> list[tuple[str, str]]:
    """Bars in which nothing is proposed, with all that measures them."""
    quiet, deaf = (
        max(
            through_the_house(calendar, feed, MemoryJournal(), prepare, 0, is_trading=False).undisturbed
            for _ in range(3)
        )
        for prepare in (keep, deafen)
    )
    return [
        (
            "whole house, nothing proposed, books compared never",
            f"{quiet:,.0f} bars/s, {quiet / deaf:.2f} of it without protections, "
            f"{quiet / baseline:.2f} of the baseline, {quiet / AIM_OF_BARS:.2f} of the aim of {AIM_OF_BARS:,}",
        )
    ]


def measure(calendar: ExchangeCalendar, bars: list[Bar], feed: list[Timed]) -> list[tuple[str, str]]:
    told = reviews()
    each = min(alone(bars) for _ in range(3))
    baseline = max(plain_loop(bars, time.process_time) for _ in range(3))
    sizes = ", ".join(f"{size / 1024:,.0f}" for size in memory(bars))
    told.append((f"memory after each quarter of {len(bars):,} bars, {len(bars) // 100:,} trades", f"{sizes} KiB"))
    told.append(("baseline: one chained line and a VWAP sum a bar", f"{baseline:,.0f} bars/s"))
    told.append(
        (
            f"a bar through all protections, {len(bars):,} bars",
            f"{each * 1e6:.2f} µs, {each * baseline:.2f} of the baseline's bar, "
            f"{each * AIM_OF_BARS:.0%} of what {AIM_OF_BARS:,} bars/s leave",
        )
    )
    told += house_alone(calendar, feed, baseline)
    for seconds, how in ((0, "never"), (60, "each minute")):
        without, guarded = (
            through_the_house(calendar, feed, MemoryJournal(), prepare, seconds) for prepare in (deafen, keep)
        )
        rate, share = guarded.undisturbed, guarded.undisturbed / without.undisturbed
        told.append(
            (
                f"whole house, books compared {how}",
                f"{rate:,.0f} bars/s, {share:.2f} of it without protections, "
                f"{rate / baseline:.2f} of the baseline, {rate / AIM_OF_BARS:.2f} of the aim of {AIM_OF_BARS:,}",
            )
        )
        told.append(
            (
                "  trades filled and entries refused, with protections; without",
                f"{guarded.trades:,} and {guarded.refused:,}; {without.trades:,} and {without.refused:,}",
            )
        )
    return told


if __name__ == "__main__":
    for name, value in measure(*fed(200_000)):
        print(f"{name:<60} {value}", flush=True)
