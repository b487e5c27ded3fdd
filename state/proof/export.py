"""The export for an auditor: heads, records and their proofs; and the time stamps of the heads (SP-08).

A file of JSON lines: the first describes the content and is signed, then every head from the first day on, then the
records. A complete record has the salt of its line; a record with withheld parts has for each part its text and salt,
or only the hash to which its line commits. An excerpt, the records of one order, has each record's path to the root of
its day. `docs/verify_record.py` checks it and shares no code with this module.

The answer of a time-stamp service (RFC 3161) is checked for its status, hash and nonce, and its time is read. Its
signature is left to `openssl ts -verify`, which is given the trusted certificates.

`stamps/2026-11-20.tsr` stamps that day's line in `heads.jsonl`, with its newline: exactly the file printed by `keyturn
journal head --day 2026-11-20`. A head covers all earlier ones, so only the newest is stamped.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import orjson
from pyasn1.codec.der.decoder import decode
from pyasn1.codec.der.encoder import encode
from pyasn1.error import PyAsn1Error
from pyasn1_modules import rfc3161, rfc5652

from core.files.regular_file import bytes_of
from core.io.http_requests import HttpTimes, NoAnswerError, answer_of
from core.ports import OperatorError
from state.files import AccountFolder, make_folder, replace_file
from state.proof.heads import Head, SignedHead, lines_of, read_heads
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
NONCE = 8
"""Bytes."""
GRANTED = (0, 1)
"""`granted` and `grantedWithMods`: the two statuses with a stamp. Relevant modifications are found by the checks."""


class TimeStampError(Exception):
    """No stamp of the request; the message continues after the service's name."""


@dataclass(frozen=True, slots=True)
class StampRequest:
    """A request for some bytes. The service gets their hash alone; `nonce` rules out an old answer."""

    data: bytes
    nonce: int

    @classmethod
    def of(cls, data: bytes) -> StampRequest:
        return cls(data, int.from_bytes(secrets.token_bytes(NONCE)))

    @property
    def written(self) -> bytes:
        """The request in DER. It asks for the signer's certificate, so that the answer can be checked for years."""
        asked = rfc3161.TimeStampReq()
        asked["version"] = "v1"
        asked["messageImprint"]["hashAlgorithm"]["algorithm"] = SHA256
        asked["messageImprint"]["hashedMessage"] = sha256(self.data).digest()
        asked["nonce"] = self.nonce
        asked["certReq"] = True
        return bytes(encode(asked))


def stamped_at(reply: bytes, request: StampRequest) -> datetime:
    """Return the time of the stamp. Raises `TimeStampError` if the answer does not match the request."""
    at, nonce = _read(reply, request.data)
    if nonce != request.nonce:
        raise TimeStampError("answered another question: its nonce is not the one that was sent")
    return at


def time_of(reply: bytes, data: bytes) -> datetime:
    """Return the time of a stored stamp of these bytes. Raises `TimeStampError`."""
    return _read(reply, data)[0]


def _read(reply: bytes, data: bytes) -> tuple[datetime, int | None]:
    try:
        answer = _decoded(reply, rfc3161.TimeStampResp())
        if int(answer["status"]["status"]) not in GRANTED:
            raise TimeStampError(f"refused: {_reason(answer['status'])}")
        signed = _decoded(bytes(answer["timeStampToken"]["content"]), rfc5652.SignedData())
        info = _decoded(bytes(signed["encapContentInfo"]["eContent"]), rfc3161.TSTInfo())
        imprint = info["messageImprint"]
        is_of_it = tuple(imprint["hashAlgorithm"]["algorithm"]) == SHA256
        is_of_it = is_of_it and bytes(imprint["hashedMessage"]) == sha256(data).digest()
        at, nonce = info["genTime"].asDateTime, int(info["nonce"]) if info["nonce"].hasValue() else None
    except (PyAsn1Error, ValueError) as error:
        raise TimeStampError(f"sent no time stamp ({type(error).__name__})") from error
    if not is_of_it:
        raise TimeStampError("stamped something else: its hash is not the one that was sent")
    return at, nonce


def _decoded(content: bytes, kind: object) -> rfc3161.TimeStampResp:
    """Decode all of the content. Raises PyAsn1Error, ValueError."""
    found, rest = decode(content, asn1Spec=kind)
    if rest:
        raise ValueError("something follows it")
    return found


def _reason(status: rfc3161.PKIStatusInfo) -> str:
    said = [str(words) for words in status["statusString"]] if status["statusString"].hasValue() else []
    return "; ".join(said) or f"status {int(status['status'])}"


LARGEST = 256 * 1024
"""The maximum size of an answer in bytes; with a certificate chain it has less than ten thousand."""
HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}

Service = Callable[[bytes], bytes]
"""Takes a request in DER and returns the answer. Raises `OperatorError`."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """A stored stamp. `at` is the service's time; `is_new` says that it was just requested."""

    day: str
    at: datetime
    path: Path
    is_new: bool


def service_at(url: str, seconds: float) -> Service:
    """Return the service at a URL, over HTTP."""
    host, times = _host(url), HttpTimes(seconds, seconds, seconds)

    def ask(question: bytes) -> bytes:
        try:
            return answer_of("POST", url, times, LARGEST, HEADERS, question)
        except NoAnswerError as error:
            raise OperatorError(f"{host} {error}; no stamp is kept") from None

    return ask


def stamp_last(folder: AccountFolder, url: str, service: Service) -> Stamp:
    """Return the stamp of the last head, requested if none is stored; on the disk when this returns.

    Raises OperatorError: no day is signed, or the service did not stamp the request. Nothing is stored then.
    Raises JournalDamagedError: the chain of heads is not valid.
    """
    heads = read_heads(folder.heads)
    if not heads:
        raise OperatorError("no day is signed: keyturn journal sign signs every past day")
    last = heads[-1]
    path = folder.stamps / f"{last.head.day}.tsr"
    if path.exists():
        return Stamp(last.head.day, _kept(path, last), path, is_new=False)
    request = StampRequest.of(last.line)
    reply = service(request.written)
    try:
        at = stamped_at(reply, request)
    except TimeStampError as error:
        raise OperatorError(f"{_host(url)} {error}; no stamp is kept") from None
    make_folder(folder.stamps)
    replace_file(path, reply)
    return Stamp(last.head.day, at, path, is_new=True)


def _kept(path: Path, signed: SignedHead) -> datetime:
    try:
        return time_of(bytes_of(path), signed.line)
    except TimeStampError as error:
        raise OperatorError(f"{path} is no stamp of the head of {signed.head.day}: it {error}; move it away") from None


def _host(url: str) -> str:
    return urlsplit(url).hostname or "no host"
