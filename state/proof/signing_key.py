"""The key that signs each day of a record, and the process that signs each finished day (SP-08).

An agent signs the given bytes, so a head's signature is the same as with a key of the keyring. Only two requests are
used: list the keys, and sign.

The key is Ed25519, in the keyring, an SSH agent or the environment. It is never read from a file. All three sources
give the same signatures.

`keyturn journal sign` runs once at a start and once after each day: it may wait for a keyring or an agent, and reads
and hashes the day while orders continue. A failure is reported, and the next run signs the missing days.
"""

from __future__ import annotations

import os
import socket
import subprocess
import threading
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import field
from datetime import date, datetime, timedelta
from hashlib import sha256
from queue import Empty, SimpleQueue

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError
from state.journal_files import day_of

AGENT_VARIABLE = "SSH_AUTH_SOCK"
ASKS_FOR_KEYS, KEYS, ASKS_TO_SIGN, SIGNED = 11, 12, 13, 14
KIND = b"ssh-ed25519"
"""Not `sk-ssh-ed25519@openssh.com`: a security key signs more than the given bytes."""
PUBLIC = 32
"""Bytes of a public key."""
TIMEOUT = 60.0
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
        self._place = environ.get(AGENT_VARIABLE, "")

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
            raise OperatorError(f"{AGENT_VARIABLE} is not set: ssh-agent starts an SSH agent, ssh-add gives it the key")
        try:
            with socket.socket(socket.AF_UNIX) as agent:
                agent.settimeout(TIMEOUT)
                agent.connect(self._place)
                agent.sendall(_string(question))
                length = int.from_bytes(_read(agent, 4))
                answer = _read(agent, min(length, LARGEST))
        except TimeoutError:
            raise OperatorError(f"the SSH agent did not answer in {TIMEOUT:g} s") from None
        except OSError as error:
            raise OperatorError(
                f"the SSH agent does not answer ({AGENT_VARIABLE}): {error.strerror or error}"
            ) from None
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


SERVICE, NAME = "keyturn", "record-key"
"""The keyring entry: 64 hex digits."""
KEY_VARIABLE = "KEYTURN_RECORD_KEY"
NO_KEY = f"no key signs this record: keyturn journal key --new makes one in the keyring, or set {KEY_VARIABLE}"
SETTING = "proof.agent_key"
SECRET_OF = b"keyturn record, salts, 1"
"""Signed to derive the secret of the salts: Ed25519 signatures are deterministic (RFC 8032)."""


class SigningKey:
    """A signing key; `secret` is the source of all salts, and never disclosed."""

    def __init__(self, public: bytes, sign: Callable[[bytes], bytes]) -> None:
        """Raise `OperatorError` if the signatures are not deterministic: the salts could not be derived again."""
        signed = sign(SECRET_OF)
        if sign(SECRET_OF) != signed:
            raise OperatorError("this key signs the same words in two ways, and RFC 8032 knows one: use another key")
        self.public, self.sign = public, sign
        self.secret = sha256(signed).digest()

    @classmethod
    def private(cls, key: Ed25519PrivateKey) -> SigningKey:
        return cls(key.public_key().public_bytes_raw(), key.sign)

    @classmethod
    def of(cls, text: str, whence: str) -> SigningKey:
        """Parse a key. Raises `OperatorError`, whose message does not contain the text."""
        try:
            return cls.private(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text.strip())))
        except ValueError:
            raise OperatorError(f"{whence} holds no Ed25519 key: it is 64 hex digits") from None

    @classmethod
    def of_the_agent(cls, agent: SshAgent, fingerprint: str) -> SigningKey:
        """Use a key of the SSH agent. Raises `OperatorError` if the agent does not have it, or does not sign."""
        key = _named(agent, fingerprint)
        return cls(key.public, lambda data: agent.sign(key, data))


def find_key(environ: Mapping[str, str], agent_key: str = "") -> SigningKey:
    """Return the signing key; `agent_key` is the fingerprint of one in the SSH agent, or empty to skip the agent.

    Raises `OperatorError` if there is none, or it cannot be read.
    """
    text = environ.get(KEY_VARIABLE, "")
    if agent_key and text:
        raise OperatorError(f"{SETTING} and {KEY_VARIABLE} name a key each: take one of the two away")
    if agent_key:
        return SigningKey.of_the_agent(SshAgent(environ), agent_key)
    if text:
        return SigningKey.of(text, KEY_VARIABLE)
    text = _in_keyring() or ""
    if not text:
        raise OperatorError(NO_KEY)
    return SigningKey.of(text, f"{SERVICE} {NAME} in the keyring")


def make_key() -> SigningKey:
    """Create a key in the keyring. Raises `OperatorError` if there is one, which must not be lost."""
    import keyring
    from keyring.errors import KeyringError, NoKeyringError

    if _in_keyring():
        raise OperatorError(f"the keyring has a key already, {SERVICE} {NAME}: what it signed is checked with it alone")
    key = Ed25519PrivateKey.generate()
    try:
        keyring.set_password(SERVICE, NAME, key.private_bytes_raw().hex())
    except NoKeyringError:
        raise OperatorError(f"this system has no keyring: set {KEY_VARIABLE} to 64 hex digits of your own") from None
    except KeyringError as error:
        raise OperatorError(f"the keyring does not open ({type(error).__name__}): unlock it") from None
    return SigningKey.private(key)


def _named(agent: SshAgent, fingerprint: str) -> AgentKey:
    held = agent.keys()
    for key in held:
        if key.fingerprint == fingerprint:
            return key
    there = ", ".join(key.fingerprint for key in held) or "none, or it is locked"
    raise OperatorError(f"the SSH agent does not hold {fingerprint} ({SETTING}): ssh-add it. It holds {there}")


def _in_keyring() -> str | None:
    import keyring
    from keyring.errors import KeyringError, NoKeyringError

    try:
        return keyring.get_password(SERVICE, NAME)
    except NoKeyringError:
        return None
    except KeyringError as error:
        raise OperatorError(
            f"the keyring does not open ({type(error).__name__}): unlock it, or set {KEY_VARIABLE}"
        ) from None


SETTLED = timedelta(minutes=10)
"""From a day's end until nothing more is written into it."""
LONGEST = 1800.0
"""Time-out in seconds: enough to sign a year, and it ends a prompt that is never answered."""
LEAST = 19
"""The lowest process priority."""


@dataclass(slots=True)
class DailySigning:
    """`program` signs the missing days; its last line of output gives the reason of a failure."""

    program: Sequence[str]
    environ: Mapping[str, str]
    now: Callable[[], datetime]
    longest: float = LONGEST
    _signed_on: date | None = field(init=False, default=None)
    _process: subprocess.Popen[str] | None = field(init=False, default=None)
    _thread: threading.Thread | None = field(init=False, default=None)
    _faults: SimpleQueue[str] = field(init=False, default_factory=SimpleQueue)

    def look(self) -> str | None:
        """Start a run if a day has ended; never waits. Return the failure of the last run, once."""
        day = day_of(self.now() - SETTLED)
        if day != self._signed_on:
            self._signed_on = day
            self._begin()
        try:
            return self._faults.get_nowait()
        except Empty:
            return None

    def close(self) -> None:
        """Terminate a run in progress; the next one repeats an interrupted head."""
        if self._process is not None:
            self._process.terminate()

    def settle(self) -> None:
        """Wait until the current run has ended."""
        if self._thread is not None:
            self._thread.join()

    def _begin(self) -> None:
        try:
            self._thread = threading.Thread(target=self._sign, daemon=True, name="sign")
            self._thread.start()
        except RuntimeError as error:
            self._fail(str(error))

    def _sign(self) -> None:
        try:
            self._process = subprocess.Popen(
                self.program,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
        except OSError as error:
            self._fail(error.strerror or str(error))
            return
        with self._process as process:
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, process.pid, LEAST)
            try:
                _, told = process.communicate(timeout=self.longest)
            except subprocess.TimeoutExpired:
                process.kill()
                self._fail(f"it did not end in {self.longest / 60:g} minutes")
                return
        if process.returncode:
            self._fail(next(reversed(told.strip().splitlines()), f"it ended with {process.returncode}"))

    def _fail(self, why: str) -> None:
        self._faults.put(f"the days that are over were not signed: {why.removeprefix('keyturn: ')}")
