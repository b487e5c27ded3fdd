"""What a desk costs after many closed orders: a comparison, a picture, a checkpoint, a start; and reviews of a ticket.

A hundred orders are of today, all others of the four years of days before, evenly; each was signed, sent, filled and
closed, as the facts of a day tell it. The baseline is the first row of the same run. `bench.books` compares a full day.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

from core.engine import Engine
from core.facts import (
    ApprovalRedeemed,
    ConfirmationReceived,
    DayStarted,
    EngineStarted,
    Fact,
    InstallationNamed,
    OrderApproved,
    OrderCreated,
    OrderFilled,
    OrderStateChanged,
    PositionChanged,
    ProposalEnded,
    ProposalStaged,
    SettingsApplied,
    Source,
    TicketOpened,
    TradeClosed,
)
from core.market.calendar import ExchangeCalendar, load_calendar
from core.messages.effects import FetchBooks
from core.messages.inputs import BooksFetched
from core.model.account import Mode
from core.model.broker import BrokerBooks, OrderReport
from core.model.codes import ProposalEnd
from core.model.order import Effect, OrderRequest, OrderStatus, OrderType, Side, TimeInForce
from core.model.position import Fill
from core.model.session import Session
from core.model.signal import ExitReason
from core.model.staging import Approval, NoStop, Proposal, Review, ReviewFigures, Ticket
from core.model.values import (
    NO_SHARES,
    BrokerOrderId,
    ClientOrderId,
    Digest,
    ExecutionId,
    Money,
    Price,
    ProposalId,
    Quantity,
    TicketId,
)
from core.settings.settings import Settings
from core.trading_state import checkpoint
from core.trading_state.state import TradingState
from core.views.builders.desk import ViewBuilder
from state.documents import TinyDocuments
from state.files import AccountFolder
from state.journal import FileJournal
from tests.bench.house import SPY
from tests.bench.ticket import opened

MANY = (100, 1_000, 10_000, 100_000)
TODAY = 100
DAYS = 999
YEARS = date(2022, 1, 3), date(2026, 6, 30)
LISTED = timedelta(days=7)
ONE, HUNDRED = Quantity(Decimal(1)), Price(Decimal(100))


@dataclass(frozen=True)
class Cost:
    """Milliseconds, and kilobytes."""

    quiet: float
    moved: float
    picture: float
    checkpoint: float
    start: float
    kilobytes: float


def life(number: int, at: datetime) -> tuple[list[Fact], OrderReport]:
    """An order from its proposal to its last fill: a purchase, or the sale after it."""
    is_sale = number % 2 == 1
    name = f"{number:016x}"
    side, effect = (Side.SELL, Effect.CLOSE) if is_sale else (Side.BUY, Effect.OPEN)
    order = OrderRequest(ClientOrderId(name), SPY, side, effect, ONE, OrderType.LIMIT, limit_price=HUNDRED)
    reason = ExitReason.TAKE_PROFIT if is_sale else None
    stop, digest, review = NoStop("it is closed at once"), Digest("d" * 64), Review(())
    proposal = Proposal(ProposalId(name), "vwap", order, stop, at, at, None, "said so", HUNDRED, HUNDRED, reason)
    figures = ReviewFigures(None, None, None, None)
    ticket = Ticket(
        TicketId(name), proposal.id, "bench", order, stop, (), digest, at, at, figures, review, HUNDRED
    )  # fmt: skip
    approval = Approval(f"{name}-a", ticket.id, None, digest, at)
    broker_id = BrokerOrderId(f"b{name}")
    fill = Fill(ExecutionId(f"e{name}"), order.client_order_id, at, ONE, HUNDRED)
    facts: list[Fact] = [
        ProposalStaged(proposal, review),
        TicketOpened(ticket),
        ConfirmationReceived(ticket.id, digest, approval, ()),
        OrderApproved(ticket.id, approval.id, review, None, None, None, None),
        ApprovalRedeemed(approval, order.client_order_id, digest, ONE),
        OrderCreated(order, proposal.id, "vwap", at, None, None, reason, HUNDRED, HUNDRED, None),
        ProposalEnded(proposal.id, ProposalEnd.SENT, ""),
        OrderStateChanged(
            order.client_order_id, OrderStatus.PENDING, OrderStatus.SUBMITTED, Source.STREAM, broker_id, ""
        ),
        OrderFilled(fill, ONE, Source.STREAM, is_late=False),
        OrderStateChanged(
            order.client_order_id, OrderStatus.SUBMITTED, OrderStatus.FILLED, Source.STREAM, broker_id, ""
        ),
        PositionChanged(SPY, "vwap", Quantity(Decimal(0)) if is_sale else ONE, None if is_sale else HUNDRED),
    ]
    report = OrderReport(
        order.client_order_id, broker_id, SPY, side, OrderType.LIMIT, TimeInForce.DAY, ONE, HUNDRED, None,
        OrderStatus.FILLED, "filled", ONE, HUNDRED,
    )  # fmt: skip
    return facts, report


def days_of(calendar: ExchangeCalendar, many: int) -> Iterator[tuple[Session, int]]:
    """Sessions and how many orders each has: the last one a hundred."""
    sessions, before = list(calendar.sessions())[: DAYS + 1], many - TODAY
    for index, session in enumerate(sessions[:-1]):
        share = 2 * (before * (index + 1) // DAYS // 2 - before * index // DAYS // 2)
        yield session, share
    yield sessions[-1], TODAY


def lived(desk: TradingState, calendar: ExchangeCalendar, many: int, tell: Callable[[Fact], None]) -> list[OrderReport]:
    """The orders of all those days; what the broker lists of them at the end."""
    listed: list[tuple[datetime, OrderReport]] = []
    numbers = count()
    for session, share in days_of(calendar, many):
        desk.at = session.open
        tell(DayStarted(calendar.trading_day(desk.at), Money(Decimal(100_000))))
        for _ in range(share):
            desk.at += timedelta(seconds=1)
            facts, report = life(next(numbers), desk.at)
            for fact in facts:
                tell(fact)
            listed.append((desk.at, report))
            if len(facts) and facts[-1] == PositionChanged(SPY, "vwap", Quantity(Decimal(0)), None):
                tell(TradeClosed(desk.ledger.state.trades[-1]))
    return [report for at, report in listed if desk.at - at <= LISTED]


def timed(act: Callable[[], object], rounds: int) -> float:
    """Milliseconds of the processor, the median of some rounds: the machine has other work."""
    took = []
    for _ in range(rounds):
        began = time.process_time()
        act()
        took.append((time.process_time() - began) * 1000)
    return statistics.median(took)


@contextmanager
def account_folder() -> Iterator[AccountFolder]:
    with tempfile.TemporaryDirectory() as place:
        folder = AccountFolder(Path(place) / "bench")
        folder.prepare()
        yield folder


@contextmanager
def engine_at_the_open(folder: AccountFolder, calendar: ExchangeCalendar) -> Iterator[Engine]:
    """Yield an engine with a new journal in its first minute."""
    with closing(FileJournal(folder)) as journal:
        engine = Engine("bench", Mode.PAPER, calendar, journal)
        engine.state.at = next(iter(calendar.sessions())).open
        for fact in (InstallationNamed("bench"), SettingsApplied(Settings()), EngineStarted()):
            engine.state.record(fact)
        yield engine


def cost_after(many: int) -> Cost:
    calendar = load_calendar(*YEARS)
    with account_folder() as folder:
        documents = TinyDocuments(folder)
        with engine_at_the_open(folder, calendar) as engine:
            desk = engine.state
            reports = lived(desk, calendar, many, lambda fact: desk.fold(desk.at, fact))
            desk.record(InstallationNamed("bench"))
            checkpoints = checkpoint.CheckpointEncoder(desk)
            documents.save(checkpoints.encode())
            size = folder.documents.stat().st_size / 1000
            writing = timed(lambda: documents.save(checkpoints.encode()), 5)
            quiet, moved = comparisons(engine, reports)
            pictures = ViewBuilder(engine)
            drawing = timed(lambda: pictures.draw(desk.at), 7)
        start = timed(lambda: started(folder, calendar), 3)
    return Cost(quiet, moved, drawing, writing, start, size)


def started(folder: AccountFolder, calendar: ExchangeCalendar) -> None:
    documents = TinyDocuments(folder)
    found = documents.load()
    with closing(FileJournal(folder, verified_until=found.sequence)) as journal:  # type: ignore[union-attr]
        desk = TradingState("bench", Mode.PAPER, calendar, journal)
        assert checkpoint.rebuild(desk, documents) == ()


def comparisons(engine: Engine, reports: list[OrderReport]) -> tuple[float, float]:
    """Nothing moved; and one order more, listed by a broker that makes all other reports anew."""
    with tempfile.TemporaryDirectory() as folder:
        runtime, journal = opened(Path(folder))
        answer = runtime.ask(FetchBooks())
        assert isinstance(answer, BooksFetched)
        assert isinstance(answer.answer, BrokerBooks)
        account = answer.answer.account
        journal.close()
    numbers = count(1_000_000_000, 2)

    def compare(listed: tuple[OrderReport, ...]) -> None:
        engine.handle(engine.state.at, BooksFetched(BrokerBooks(account, (), listed)))

    listed = tuple(reports)
    compare(listed)
    quiet = timed(lambda: compare(listed), 200)
    moved = []
    for _ in range(7):
        facts, report = life(next(numbers), engine.state.at)
        for fact in facts[:-4]:
            engine.state.fold(engine.state.at, fact)
        name = report.client_order_id
        over = OrderStateChanged(name, OrderStatus.SUBMITTED, OrderStatus.CANCELLED, Source.STREAM, None, "")
        engine.state.fold(engine.state.at, over)
        ended = replace(
            report, status=OrderStatus.CANCELLED, raw_status="canceled", filled_quantity=NO_SHARES, average_price=None
        )
        reports.append(ended)
        listed = tuple(reports)
        moved.append(timed(lambda: compare(listed), 1))  # noqa: B023
    return quiet, statistics.median(moved)


def measure(many: tuple[int, ...] = MANY) -> list[tuple[str, str]]:
    told: list[tuple[str, str]] = []
    costs = [cost_after(n) for n in many]
    first = costs[0]
    for title, name, unit in (
        ("a comparison in which nothing moved", "quiet", "ms"),
        ("a comparison in which one order moved", "moved", "ms"),
        ("a picture", "picture", "ms"),
        ("a checkpoint, written", "checkpoint", "ms"),
        ("a start from it", "start", "ms"),
        ("its documents", "kilobytes", "kB"),
    ):
        for n, cost in zip(many, costs, strict=True):
            value, base = getattr(cost, name), getattr(first, name)
            told.append((f"{title}, {n:,} closed orders", f"{value:,.3f} {unit}, {value / base:.2f} of the first"))
    return told


if __name__ == "__main__":
    for name, value in measure(tuple(map(int, sys.argv[1:])) or MANY):
        print(f"{name:<60} {value}", flush=True)
