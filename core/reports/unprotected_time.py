"""The seconds in which shares had no stop in force although their ticket named one, by cause (EX-22, AN-06).

They were measured by the desk (`core.trading_state.owed_stops`) and recorded; periods of less than a second are not
included. Only seconds of open sessions count: no stop is triggered in a closed market.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.facts import StopInForce, StopOwed
from core.model.codes import OwedReason
from core.model.session import Session
from core.model.values import Symbol
from core.ports import Recorded
from core.post_mortem.missed_trades import SessionAt

Stretch = tuple[Symbol, str, datetime]
"""The position, and the beginning."""


@dataclass(frozen=True, slots=True)
class Unprotected:
    """All periods with the same final cause.

    Attributes
    ----------
    open
        The number of periods that had not ended at the last record.
    last_at
        The beginning of the last one, UTC.
    """

    why: OwedReason
    times: int
    spent: timedelta
    longest: timedelta
    open: int
    last_at: datetime


def unprotected_of(records: Sequence[Recorded], session_at: SessionAt) -> tuple[Unprotected, ...]:
    """Return the causes, the longest total first.

    A period that began before the records counts from their beginning.
    """
    found: dict[OwedReason, Unprotected] = {}
    going: dict[Stretch, StopOwed] = {}
    for record in records:
        match record.fact:
            case StopOwed() as owed:
                going[owed.symbol, owed.strategy, owed.since] = owed
            case StopInForce() as over:
                going.pop((over.symbol, over.strategy, over.since), None)
                since, until = max(over.since, records[0].at), max(over.until, records[0].at)
                _add(found, over.why, since, _in_session(since, until, session_at), is_open=False)
    for owed in going.values():
        since = max(owed.since, records[0].at)
        _add(found, owed.why, since, _in_session(since, records[-1].at, session_at), is_open=True)
    return tuple(sorted(found.values(), key=lambda each: each.spent, reverse=True))


def _add(
    found: dict[OwedReason, Unprotected], why: OwedReason, since: datetime, spent: timedelta, *, is_open: bool
) -> None:
    known = found.get(why) or Unprotected(why, 0, timedelta(), timedelta(), 0, since)
    found[why] = Unprotected(
        why,
        known.times + 1,
        known.spent + spent,
        max(known.longest, spent),
        known.open + is_open,
        max(known.last_at, since),
    )


def _in_session(since: datetime, until: datetime, session_at: SessionAt) -> timedelta:
    """Return the time within the sessions of the two instants."""
    first, last = session_at(since), session_at(until)
    if isinstance(first, Session) and isinstance(last, Session) and first == last:
        return until - since
    spent = first.close - since if isinstance(first, Session) else timedelta()
    return spent + (until - last.open if isinstance(last, Session) else timedelta())
