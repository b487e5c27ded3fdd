"""The Ed25519 keys of an SSH agent, and its signatures (draft-ietf-sshm-ssh-agent).

An agent signs the given bytes, so a head's signature is the same as with a key of the keyring. Only two requests are
used: list the keys, and sign.
"""

from __future__ import annotations

import socket
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core.ports import OperatorError

VARIABLE = "SSH_AUTH_SOCK"
ASKS_FOR_KEYS, KEYS, ASKS_TO_SIGN, SIGNED = 11, 12, 13, 14
KIND = b"ssh-ed25519"
"""Not `sk-ssh-ed25519@openssh.com`: a security key signs more than the given bytes."""
PUBLIC = 32
"""Bytes of a public key."""
PATIENCE = 60.0
"""Seconds: an agent may ask a person first."""
LARGEST = 256 * 1024
"""The maximum size of an answer in bytes, as in OpenSSH."""


@dataclass(frozen=True, slots=True)
class AgentKey:
    """A key in the agent; `public` has 32 bytes."""

    public: bytes
    comment: str

    @property
    def fingerprint(self) -> str:
        """The fingerprint as printed by `ssh-add -l`."""
        return "SHA256:" + b64encode(sha256(self.blob).digest()).decode().rstrip("=")

    @property
    def blob(self) -> bytes:
        return _string(KIND) + _string(self.public)


class SshAgent:
    """Every method raises `OperatorError` if the agent is not available, or refuses."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._place = environ.get(VARIABLE, "")

    def keys(self) -> list[AgentKey]:
        """Return its Ed25519 keys; empty while it is locked."""
        answer = self._answer(bytes([ASKS_FOR_KEYS]), KEYS)
        if answer is None:
            raise OperatorError("the SSH agent does not tell its keys")
        found, rest = [], answer[4:]
        for _ in range(int.from_bytes(answer[:4])):
            blob, rest = _taken(rest)
            comment, rest = _taken(rest)
            key = AgentKey(blob[-PUBLIC:], comment.decode(errors="replace"))
            if key.blob == blob:
                found.append(key)
        return found

    def sign(self, key: AgentKey, data: bytes) -> bytes:
        """Return a plain Ed25519 signature of 64 bytes, after checking it."""
        question = bytes([ASKS_TO_SIGN]) + _string(key.blob) + _string(data) + bytes(4)
        answer = self._answer(question, SIGNED)
        if answer is None:
            raise OperatorError(
                f"the SSH agent did not sign with {key.fingerprint}: somebody declined, it is locked, or the key is "
                "bound to hosts (ssh-add -h)"
            )
        signature = _taken(_taken(_taken(answer)[0])[1])[0]
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature, data)
        except InvalidSignature:
            raise OperatorError(f"what the SSH agent signed is not signed with {key.fingerprint}") from None
        return signature

    def _answer(self, question: bytes, expected: int) -> bytes | None:
        """Return the content of the answer after its type; None if the agent refuses."""
        if not self._place:
            raise OperatorError(f"{VARIABLE} is not set: ssh-agent starts an SSH agent, ssh-add gives it the key")
        try:
            with socket.socket(socket.AF_UNIX) as agent:
                agent.settimeout(PATIENCE)
                agent.connect(self._place)
                agent.sendall(_string(question))
                length = int.from_bytes(_read(agent, 4))
                answer = _read(agent, min(length, LARGEST))
        except TimeoutError:
            raise OperatorError(f"the SSH agent did not answer in {PATIENCE:g} s") from None
        except OSError as error:
            raise OperatorError(f"the SSH agent does not answer ({VARIABLE}): {error.strerror or error}") from None
        return answer[1:] if answer[:1] == bytes([expected]) else None


def _read(agent: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        piece = agent.recv(size - len(found))
        if not piece:
            raise OSError("it ended its answer early")
        found += piece
    return found


def _string(content: bytes) -> bytes:
    """Encode an SSH string: the length in four bytes, then the content."""
    return len(content).to_bytes(4) + content


def _taken(content: bytes) -> tuple[bytes, bytes]:
    """Return the string at the beginning, and the rest."""
    end = 4 + int.from_bytes(content[:4])
    if len(content) < max(4, end):
        raise OperatorError("what the SSH agent answered is not what an agent says")
    return content[4:end], content[end:]
