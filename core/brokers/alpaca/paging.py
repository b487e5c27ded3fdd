"""Read all orders, although Alpaca returns at most 500 at a time: none lost and none doubled between pages.

Pages go forward in the time of submission. The next one begins just before the last order of the one before, so that
orders of the same instant come again and are recognised by their id. A page out of order is not accepted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from core.brokers.alpaca.contract import ORDER
from core.brokers.alpaca.fields import Fields, UnreadableFieldError
from core.brokers.alpaca.parsing import submitted_at

PAGE = 500
AN_INSTANT = timedelta(microseconds=1)


def every_order(
    page_of: Callable[[Mapping[str, object]], list[object]], status: str, after: datetime | None, *, nested: bool
) -> list[object]:
    """Return every order of this status (`open` or `closed`) submitted after `after`, oldest first, as raw JSON.

    Nested, legs are under their parent alone.

    Raises
    ------
    UnreadableFieldError
        A page out of order, or a full one without new orders.
    """
    found: dict[str, object] = {}
    while True:
        page = page_of(_query(status, after, nested=nested))
        times = [at for row in page if (at := _when(row)) is not None]
        if times != sorted(times):
            raise UnreadableFieldError("the orders do not come in the order of their submission")
        known = len(found)
        for row in page:
            found.setdefault(Fields(row, "an order", ORDER).text("id"), row)
        if len(page) < PAGE:
            return list(found.values())
        if not times:
            raise UnreadableFieldError(f"no order of a page of {PAGE} says when it was submitted")
        if len(found) == known:
            raise UnreadableFieldError(f"more than {PAGE} orders were submitted at {times[-1]}")
        after = times[-1] - AN_INSTANT


def _when(row: object) -> datetime | None:
    """Return the time of submission; None if unreadable, which the order's parser reports."""
    try:
        return submitted_at(row)
    except UnreadableFieldError:
        return None


def _query(status: str, after: datetime | None, *, nested: bool) -> dict[str, object]:
    query: dict[str, object] = {"status": status, "limit": PAGE, "direction": "asc", "nested": str(nested).lower()}
    if after is not None:
        query["after"] = after.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return query
