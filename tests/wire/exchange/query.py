"""What stands behind the question mark of an address, read or refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

from tests.wire.exchange.refusal import malformed

Query = Mapping[str, str]


def yes(query: Query, name: str) -> bool:
    return query.get(name, "").lower() == "true"


def whole(query: Query, name: str, default: int) -> int:
    said = query.get(name)
    if said is None:
        return default
    try:
        return int(said)
    except ValueError:
        raise malformed(f"{name} must be an integer") from None


def moment(query: Query, name: str) -> datetime | None:
    said = query.get(name)
    return None if not said else read_time(said)


def read_time(said: str) -> datetime:
    """RFC 3339, or a day alone; nanoseconds are cut."""
    try:
        read = datetime.fromisoformat(said)
    except ValueError:
        raise malformed(f"no time: {said}") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def day_of(query: Query, name: str, default: date) -> date:
    said = moment(query, name)
    return default if said is None else said.date()
