"""The stamps of an account's heads: what a service of time stamps answered, a file each (SP-08, RFC 3161).

`stamps/2026-11-20.tsr` is of that day's line in `heads.jsonl`, with the newline at its end: of the very file that
`keyturn journal head --day 2026-11-20` prints. A head holds all before it, so the newest alone is stamped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from core.files.regular_file import bytes_of
from core.io.bounded_http import HttpTimes, NoAnswerError, answer_of
from core.ports import OperatorError
from state.files import make_folder, replace_file
from state.folders import AccountFolder
from state.proof.head import SignedHead
from state.proof.heads import read_heads
from state.proof.time_stamp import StampRequest, TimeStampError, stamped_at, time_of

LARGEST = 256 * 1024
"""Bytes of an answer; with a chain of certificates it has less than ten thousand."""
HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}

Service = Callable[[bytes], bytes]
"""Takes a question in DER and gives the answer. Raises `OperatorError`."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """One that is kept. `at` is the service's time; `is_new` where it was asked for just now."""

    day: str
    at: datetime
    path: Path
    is_new: bool


def service_at(url: str, seconds: float) -> Service:
    """The one behind an address, asked over HTTP."""
    host, times = _host(url), HttpTimes(seconds, seconds, seconds)

    def ask(question: bytes) -> bytes:
        try:
            return answer_of("POST", url, times, LARGEST, HEADERS, question)
        except NoAnswerError as error:
            raise OperatorError(f"{host} {error}; no stamp is kept") from None

    return ask


def stamp_last(folder: AccountFolder, url: str, service: Service) -> Stamp:
    """The stamp of the last head; the service is asked where none is kept yet. On the disk when this returns.

    Raises
    ------
    OperatorError
        No day is signed, or the service gave no stamp of what it was asked. Nothing is kept then.
    JournalDamagedError
        The chain of heads is not whole.
    """
    heads = read_heads(folder.heads)
    if not heads:
        raise OperatorError("no day is signed: keyturn journal sign signs each day that is over")
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
