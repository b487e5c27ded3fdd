"""Report latencies from a journal, for `keyturn latency` (EX-16)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal

from core.execution.latency import Latencies, LatenciesState, Timing
from core.model.connection import PERCENTILES
from core.ports import Recorded

INSTANTS = ("signal", "staged", "confirmed", "sent", "acknowledged", "first_fill", "filled")


def latency_report(
    records: Iterable[Recorded], trading_day: Callable[[datetime], date], day: date | None
) -> dict[str, object]:
    """Return every order of the day with its instants, and every span with its percentiles in ms.

    `day` None means the last day on which an order was created.
    """
    slice_ = Latencies(trading_day)
    kept = LatenciesState(day)
    for record in records:
        fold = slice_.folds.get(type(record.fact))
        if fold is None:
            continue
        fold(record.at, record.fact)  # type: ignore[operator]
        state = slice_.state
        if state.orders and (day is None or state.day == day):
            kept = state
    slice_.state = kept
    return {
        "day": kept.day.isoformat() if kept.day else None,
        "orders": len(kept.orders),
        "spans": [
            {
                "name": span.name,
                "orders": span.orders,
                **{f"p{p}": _milliseconds(took) for p, took in zip(PERCENTILES, span.percentiles, strict=True)},
            }
            for span in slice_.spans()
        ],
        "timings": [{"order": order_id, **_instants(timing)} for order_id, timing in kept.orders.items()],
    }


def _instants(timing: Timing) -> dict[str, str | None]:
    return {name: _iso(getattr(timing, name)) for name in INSTANTS}


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def _milliseconds(took: timedelta) -> float:
    """Return milliseconds for display and plots, not for money."""
    return float(Decimal(took // timedelta(microseconds=1)) / 1000)
