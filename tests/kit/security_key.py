"""A security key in software, and an ssh-agent that serves it at a real Unix socket."""

from __future__ import annotations

import socket
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from core.model.touch import (
    CURVE,
    ED25519,
    USER_PRESENT,
    PublicKey,
    TouchKey,
    TouchSignature,
    WireReader,
    line_of,
    read_key_blob,
    wire_string,
)

ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class SecurityKey:
    """Made of a seed, so that each run has the same key. Each signature counts up."""

    def __init__(self, seed: int = 1, kind: str = ED25519, application: str = "ssh:", label: str = "desk") -> None:
        self.kind, self.application, self.label = kind, application, label
        self.counter = 0
        secret = sha256(b"key %d" % seed).digest()
        if kind == ED25519:
            self._edwards = Ed25519PrivateKey.from_private_bytes(secret)
            point = wire_string(self._edwards.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
        else:
            self._curve = ec.derive_private_key(int.from_bytes(secret, "big") % ORDER_OF_P256, ec.SECP256R1())
            public = self._curve.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            point = wire_string(CURVE.encode()) + wire_string(public)
        self.blob = wire_string(kind.encode()) + point + wire_string(application.encode())

    @property
    def public(self) -> PublicKey:
        return read_key_blob(self.blob)

    @property
    def line(self) -> str:
        return f"{self.kind} {b64encode(self.blob).decode()} {self.label}"

    @property
    def enrolled(self) -> TouchKey:
        return TouchKey(self.public.fingerprint, line_of(self.public), self.label)

    def signs(
        self, message: bytes, *, flags: int = USER_PRESENT, counter: int | None = None, application: str | None = None
    ) -> bytes:
        """In the agent's wire form."""
        self.counter = self.counter + 1 if counter is None else counter
        end = bytes([flags]) + self.counter.to_bytes(4, "big")
        data = sha256((application or self.application).encode()).digest() + end + sha256(message).digest()
        if self.kind == ED25519:
            raw = self._edwards.sign(data)
        else:
            both = utils.decode_dss_signature(self._curve.sign(data, ec.ECDSA(SHA256())))
            raw = b"".join(map(_number, both))
        return wire_string(self.kind.encode()) + wire_string(raw) + end

    def touched(self, message: bytes, **terms: int) -> TouchSignature:
        return TouchSignature.of(self.public.fingerprint, self.signs(message, **terms))  # type: ignore[arg-type]


def _number(value: int) -> bytes:
    """With a zero before a first bit that would be a sign."""
    return wire_string(value.to_bytes(value.bit_length() // 8 + 1, "big"))


@dataclass
class AgentAtASocket:
    """An ssh-agent. `keys` are what it has; a test may answer otherwise, or not at all until `touched` is set."""

    path: str
    keys: list[SecurityKey]
    touched: threading.Event = field(default_factory=threading.Event)
    answers: Callable[[bytes], bytes | None] | None = None
    asked: list[bytes] = field(default_factory=list)

    def answer(self, request: bytes) -> bytes | None:
        """None hangs up."""
        self.asked.append(request)
        if self.answers is not None and (found := self.answers(request)) is not None:
            return found
        if request[0] == 11:
            pairs = b"".join(wire_string(key.blob) + wire_string(key.label.encode()) for key in self.keys)
            return b"\x0c" + len(self.keys).to_bytes(4, "big") + pairs
        reader = WireReader(request[1:])
        blob, message = reader.string(), reader.string()
        self.touched.wait()
        return b"\x0e" + wire_string(next(key for key in self.keys if key.blob == blob).signs(message))


@contextmanager
def an_agent(folder: Path, *keys: SecurityKey, is_touched: bool = True) -> Iterator[AgentAtASocket]:
    """Serve these keys; each connection in a thread, which ends with its client."""
    agent = AgentAtASocket(str(folder / "agent"), [*keys])
    if is_touched:
        agent.touched.set()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(agent.path)
    listener.listen()

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while head := connection.recv(4, socket.MSG_WAITALL):
                answer = agent.answer(connection.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL))
                if answer is None:
                    return
                connection.sendall(wire_string(answer))

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    server = threading.Thread(target=accept, daemon=True)
    server.start()
    try:
        yield agent
    finally:
        agent.touched.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        server.join()
