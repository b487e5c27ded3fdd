"""Prints what the broker promises of its answers, field by field, and which of them it has said will go (MD-07).

.venv/bin/python docs/contract.py          what is due, and the whole table
.venv/bin/python docs/contract.py --due    what is due alone
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date, datetime

from core.brokers.port import BrokerKind
from core.brokers.registry import BROKERS
from core.market.registry import SOURCES
from core.model.api_contract import ApiField, removals

KINDS = (*(kind for kind in BROKERS.values() if isinstance(kind, BrokerKind)), *SOURCES.values())
ALL = tuple(record for kind in KINDS for record in kind.contract())


def due(today: date) -> Iterator[str]:
    """A line for each announced removal, how far away it is, and what the absence means then."""
    return (f"{removal.in_words(today)}; absent: {removal.absent}" for removal in removals(ALL))


def table() -> Iterator[str]:
    for record in ALL:
        yield ""
        yield f"{record.name}: {record.asked}"
        yield from (f"  {_line(field)}" for field in record.fields)


def _line(field: ApiField) -> str:
    absent = "always there" if field.is_always_there else f"may be absent: {field.absent}"
    goes = f"; goes {field.goes or 'some day'}, read before it: {field.instead}" if field.instead else ""
    words = f"; one of {', '.join(sorted(word or '(empty)' for word in field.words))}" if field.words else ""
    return f"{field.name:31} {field.kind.value:7} {absent}{goes}{words}"


def main(today: date, only_due: bool) -> None:
    lines = ["due:", *(f"  {line}" for line in due(today))]
    print("\n".join(lines if only_due else [*lines, *table()]))


if __name__ == "__main__":
    main(datetime.now().astimezone().date(), "--due" in sys.argv)
