"""The time stamps of an account's heads, one file per answer of the service (SP-08, RFC 3161).

`stamps/2026-11-20.tsr` stamps that day's line in `heads.jsonl`, with its newline: exactly the file printed by `keyturn
journal head --day 2026-11-20`. A head covers all earlier ones, so only the newest is stamped.
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

    Raises
    ------
    OperatorError
        No day is signed, or the service did not stamp the request. Nothing is stored then.
    JournalDamagedError
        The chain of heads is not valid.
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
