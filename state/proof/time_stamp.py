"""External time stamps of signed heads, by RFC 3161 (SP-08).

The answer of a time-stamp service is checked for its status, hash and nonce, and its time is read. Its signature is
left to `openssl ts -verify`, which is given the trusted certificates.

`stamps/2026-11-20.tsr` stamps that day's line in `heads.jsonl`, with its newline: exactly the file printed by `keyturn
journal head --day 2026-11-20`. A head covers all earlier ones, so only the newest is stamped.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from pyasn1.codec.der.decoder import decode
from pyasn1.codec.der.encoder import encode
from pyasn1.error import PyAsn1Error
from pyasn1_modules import rfc3161, rfc5652

from core.files.regular_file import bytes_of
from core.io.http_requests import HttpTimes, NoAnswerError, answer_of
from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError
from state.files import AccountFolder, make_folder, replace_file
from state.proof.export import SHA256
from state.proof.heads import SignedHead, read_heads

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
