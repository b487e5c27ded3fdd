"""The export for an auditor: heads, records and their proofs (SP-08).

A file of JSON lines: the first describes the content and is signed, then every head from the first day on, then the
records. A complete record has the salt of its line; a record with withheld parts has for each part its text and salt,
or only the hash to which its line commits. An excerpt, the records of one order, has each record's path to the root of
its day. `docs/verify_record.py` checks it and shares no code with this module.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from datetime import date

import orjson

from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError
from state.files import AccountFolder
from state.proof.heads import Head, lines_of, read_heads
from state.proof.parts import (
    KEPT_BACK,
    Part,
    Parts,
    commitment,
    commitments,
    leaf,
    path,
    salt_of_line,
    salt_of_part,
    split,
)
from state.proof.signing_key import SigningKey

VERSION, OF_AN_EXCERPT = 1, 2
SIGNED_AS = b"keyturn record 1\n"
"""Prefix of the signed first line."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The content of the first line.

    `head` is the hash of the last included head, `kept_back` names the withheld parts. An excerpt has `ends`: for each
    of its days, and for the day before the first, the commitments of the last record and that leaf's path. They fix
    which records each day has.
    """

    v: int
    first_day: str
    last_day: str
    heads: int
    records: int
    is_excerpt: bool
    kept_back: tuple[str, ...]
    head: str
    key: str
    ends: tuple[dict[str, object], ...] | None = None

    @property
    def fields(self) -> dict[str, object]:
        """The fields as they are signed; only an excerpt has ends."""
        return {name: value for name, value in asdict(self).items() if name != "ends" or value is not None}

    @property
    def written(self) -> bytes:
        return orjson.dumps(self.fields)


def export(
    folder: AccountFolder,
    key: SigningKey,
    first: date,
    last: date,
    *,
    kept_back: Collection[str] = (),
    only: Collection[int] | None = None,
) -> Iterator[bytes]:
    """Yield the lines of an export of the signed days from `first` to `last`.

    `only` makes it an excerpt of those records.

    Raises OperatorError: no day in the range is signed, or the range goes beyond the signed days.
    Raises JournalDamagedError: the journal or the chain of heads is not valid.
    """
    heads = [signed for signed in read_heads(folder.heads) if signed.head.day <= last.isoformat()]
    shown = [signed.head for signed in heads if signed.head.day >= first.isoformat()]
    if not shown:
        raise OperatorError(f"no day from {first} to {last} is signed: keyturn journal sign signs every past day")
    wanted = None if only is None else frozenset(n for n in only if shown[0].first <= n <= shown[-1].last)
    if wanted is not None and not wanted:
        raise OperatorError(f"none of these records is of the signed days from {first} to {last}: name other days")
    if kept_back and (first_way := next((head for head in shown if head.v == 1), None)):
        raise OperatorError(
            f"{first_way.day} was signed in the first way, and what is kept back of it could be guessed: show it whole"
        )
    many = sum(head.last - head.first + 1 for head in shown) if wanted is None else len(wanted)
    contents = Contents(
        VERSION if wanted is None else OF_AN_EXCERPT,
        shown[0].day,
        shown[-1].day,
        len(heads),
        many,
        wanted is not None,
        tuple(sorted(kept_back)),
        heads[-1].head.hash,
        key.public.hex(),
        None if wanted is None else tuple(_end(folder, key, each.head) for each in heads[-len(shown) - 1 :]),
    )
    signature = key.sign(SIGNED_AS + contents.written).hex()
    yield orjson.dumps({"record": contents.fields, "signature": signature}) + b"\n"
    yield from (signed.line for signed in heads)
    hidden = _hidden(kept_back)
    for head in shown:
        yield from _records(folder, key, head, hidden, wanted)


def _hidden(kept_back: Collection[str]) -> frozenset[Part]:
    return frozenset(part for what in kept_back for part in KEPT_BACK[what])


def _records(
    folder: AccountFolder, key: SigningKey, head: Head, hidden: Collection[Part], only: Collection[int] | None
) -> Iterator[bytes]:
    if only is None:
        for sequence, line in lines_of(folder, head):
            yield orjson.dumps(_record(sequence, split(line, head.v), key, hidden)) + b"\n"
        return
    if not any(head.first <= sequence <= head.last for sequence in only):
        return
    records = [(sequence, split(line, head.v)) for sequence, line in lines_of(folder, head)]
    leaves = [leaf(sequence, _committed(sequence, parts, key)) for sequence, parts in records]
    for index, (sequence, parts) in enumerate(records):
        if sequence in only:
            yield orjson.dumps({**_record(sequence, parts, key, hidden), "way": _way(leaves, index)}) + b"\n"


def _end(folder: AccountFolder, key: SigningKey, head: Head) -> dict[str, object]:
    """Return the commitments of a day's last record and its way; a commitment discloses nothing of its part."""
    committed = [_committed(sequence, split(line, head.v), key) for sequence, line in lines_of(folder, head)]
    leaves = [leaf(sequence, each) for sequence, each in enumerate(committed, head.first)]
    return {"parts": [each.hex() for each in committed[-1]], "way": _way(leaves, len(leaves) - 1)}


def _committed(sequence: int, parts: Parts, key: SigningKey) -> tuple[bytes, ...]:
    return commitments(parts, salt_of_line(key.secret, sequence))


def _way(leaves: Sequence[bytes], index: int) -> list[list[str]]:
    return [["left" if is_left else "right", beside.hex()] for is_left, beside in path(leaves, index)]


def _record(sequence: int, parts: Parts, key: SigningKey, hidden: Collection[Part]) -> dict[str, object]:
    of_line = salt_of_line(key.secret, sequence)
    if not hidden:
        return {"seq": sequence, "salt": of_line.hex(), "parts": _texts(parts)}
    shown = []
    for part, content in zip(Part, parts.all, strict=True):
        salt = salt_of_part(of_line, part)
        if part in hidden:
            shown.append({"hash": commitment(salt, part, content).hex()})
        else:
            shown.append({"salt": salt.hex(), "text": content.decode()})
    return {"seq": sequence, "parts": shown}


def _texts(parts: Parts) -> list[str]:
    return [content.decode() for content in parts.all]


SHA256 = (2, 16, 840, 1, 101, 3, 4, 2, 1)
"""Its object identifier (RFC 5754)."""
