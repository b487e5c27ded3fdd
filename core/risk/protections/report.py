"""Report the protections that a history of closed trades would have tripped by a given time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.model.values import Money
from core.risk.protections.base import Answer
from core.risk.protections.book import ProtectionBook
from core.risk.protections.day_trades import weekday_after
from core.risk.protections.trades import ClosedTrade
from core.settings.protections import ProtectionsSettings

LONG_BEFORE = timedelta(days=366)


def answers_at(
    trades: Iterable[ClosedTrade],
    at: datetime,
    settings: ProtectionsSettings,
    next_day: Callable[[date], date] = weekday_after,
) -> tuple[Answer, ...]:
    """Return each protection's status at `at`, tripped ones first; trades that close later are left out.

    Only ratios are known: a ratio counts as a share of an equity of one.
    """
    book = ProtectionBook(lambda: settings, next_day)
    known = [trade for trade in trades if trade.closed_at <= at]
    if known:
        book.begin_day(known[0].closed_at - LONG_BEFORE, Money(Decimal(1)))
    for trade in known:
        book.take(trade)
    return tuple(sorted(book.answers(at), key=lambda answer: not answer.is_tripped))


def as_json(answers: Iterable[Answer]) -> Iterator[dict[str, object]]:
    for answer in answers:
        yield {
            "name": answer.name,
            "scope": str(answer.scope),
            "tripped": answer.is_tripped,
            "measure": None if answer.measure is None else float(answer.measure),
            "limit": None if answer.limit is None else float(answer.limit),
            "until": answer.until.isoformat() if answer.until else None,
            "since": answer.since.isoformat() if answer.since else None,
            "reason": answer.reason,
        }


def in_words(answer: Answer) -> str:
    """As in `TRIPPED stop_loss_guard SPY: 3 stop-outs …, until …`."""
    state = "TRIPPED" if answer.is_tripped else "free   "
    until = f", until {answer.until:%Y-%m-%d %H:%M} UTC" if answer.until else ""
    return f"{state} {answer.name} {answer.scope}: {answer.figures}, {answer.reason}{until}"
