"""The key that signs each day of a record: Ed25519, in the keyring, an SSH agent or the environment (SP-08).

It is never read from a file. All three sources give the same signatures.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.ports import OperatorError
from state.proof.ssh_agent import AgentKey, SshAgent

SERVICE, NAME = "keyturn", "record-key"
"""The keyring entry: 64 hex digits."""
VARIABLE = "KEYTURN_RECORD_KEY"
NO_KEY = f"no key signs this record: keyturn journal key --new makes one in the keyring, or set {VARIABLE}"
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
    text = environ.get(VARIABLE, "")
    if agent_key and text:
        raise OperatorError(f"{SETTING} and {VARIABLE} name a key each: take one of the two away")
    if agent_key:
        return SigningKey.of_the_agent(SshAgent(environ), agent_key)
    if text:
        return SigningKey.of(text, VARIABLE)
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
        raise OperatorError(f"this system has no keyring: set {VARIABLE} to 64 hex digits of your own") from None
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
            f"the keyring does not open ({type(error).__name__}): unlock it, or set {VARIABLE}"
        ) from None
