"""A journal as a release without codes wrote it: words alone, and no code beside them (SP-07)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from core.ports import Recorded
from state.codec import decode
from state.journal import MemoryJournal

FACTS = {
    "OrderStateChanged": (1, ("code",)),
    "CancelFailed": (1, ("refusal",)),
    "CancelRequested": (1, ("code",)),
    "SubmissionBlocked": (1, ("code",)),
    "ProposalSkipped": (5, ("checks",)),
    "ConfirmationRefused": (1, ("checks",)),
    "ProposalStaged": (4, ("proposal.guard",)),
    "ProposalEdited": (4, ("proposal.guard",)),
    "ProtectionTripped": (1, ("limit",)),
    "ReconciliationFailed": (2, ("code",)),
    "AuthorizationEnded": (1, ("code",)),
    "BasketPhaseChanged": (1, ("stop",)),
}
"""The last version of each that had no code, and what it lacked. The kind of a refused order stays: what it decides, no
release without codes did."""


SAID_SINCE = (
    b"its session had ended when it left",
    b"the desk was stopped while the basket ran",
    b"no desk is attached: it is only followed",
    b"nobody was at a desk for",
    b"its strategy repeats itself",
    b"an exit would trade against it",
    b"its symbol is listed",
    b"message rate: ",
    b"lists: ",
    b"self-cross: ",
    b"repeated execution: ",
    b"its exit ended with the day",
    b"replaced by a ",
    b"replaced by another stop",
    b"the broker has not got it",
    b"its id is of another order at the broker",
    b"new orders had ids that",
    b"its prices are from before",
    b": it is for shares of before",
)
"""Words that no release without codes wrote."""


class OlderJournal(MemoryJournal):
    """The same facts, as they were written then."""

    def __init__(self, journal: MemoryJournal) -> None:
        super().__init__()
        self._chain = journal._chain
        self.lines = [_older(line) for line in journal.lines]

    def records(self, after: int = 0) -> Iterator[Recorded]:
        return (decode(line) for line in self.lines[after:])

    def reads_as(self, journal: MemoryJournal) -> bool:
        """Whether every record is read as the one of today's."""
        return all(
            older == line or decode(older) == decode(line)
            for older, line in zip(self.lines, journal.lines, strict=True)
        )


def _older(line: bytes) -> bytes:
    record = orjson.loads(line)
    if record["fact"] not in FACTS or any(words in line for words in SAID_SINCE):
        return line
    record["v"], lacks = FACTS[record["fact"]]
    for path in lacks:
        place, _, key = path.rpartition(".")
        for found in _at(record["data"], place):
            del found[key]
    return orjson.dumps(record)


def _at(document: Any, place: str) -> list[Any]:
    found = [document]
    for step in filter(None, place.split(".")):
        found = [inner for one in found for inner in (one.values() if step == "*" else [one[step]])]
    return [one for one in found if one is not None]
