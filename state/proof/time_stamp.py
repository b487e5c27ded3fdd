"""The two messages of a time stamp (RFC 3161): the request for some bytes, and the service's answer.

The answer is checked for its status, hash and nonce, and its time is read. Its signature is left to `openssl ts
-verify`, which is given the trusted certificates.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from pyasn1.codec.der.decoder import decode
from pyasn1.codec.der.encoder import encode
from pyasn1.error import PyAsn1Error
from pyasn1_modules import rfc3161, rfc5652

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
