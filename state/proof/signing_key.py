"""The key that signs each day of a record: Ed25519, in the keyring or the environment, never in a file (SP-08)."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core.ports import OperatorError

SERVICE, NAME = "keyturn", "record-key"
"""Where the keyring has it: 64 hex digits."""
VARIABLE = "KEYTURN_RECORD_KEY"
NO_KEY = f"no key signs this record: keyturn journal key --new makes one in the keyring, or set {VARIABLE}"
SECRET_OF = b"keyturn record, salts, 1"
"""Signed to get the secret of the salts: an Ed25519 signature of the same words is always the same (RFC 8032)."""


class SigningKey:
    """One account's or many's; `secret` is what all salts are made of, and is never shown."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = key.public_key().public_bytes_raw()
        self.secret = sha256(key.sign(SECRET_OF)).digest()

    @classmethod
    def of(cls, text: str, whence: str) -> SigningKey:
        """Raises `OperatorError` where it is no key; the message does not hold it."""
        try:
            return cls(Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text.strip())))
        except ValueError:
            raise OperatorError(f"{whence} holds no Ed25519 key: it is 64 hex digits") from None

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


def find_key(environ: Mapping[str, str]) -> SigningKey:
    """Raises `OperatorError` where there is none, or it cannot be read."""
    if text := environ.get(VARIABLE, ""):
        return SigningKey.of(text, VARIABLE)
    text = _in_keyring() or ""
    if not text:
        raise OperatorError(NO_KEY)
    return SigningKey.of(text, f"{SERVICE} {NAME} in the keyring")


def make_key() -> SigningKey:
    """A new one, put into the keyring. Raises `OperatorError` where one is there, which must not be lost."""
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
    return SigningKey(key)


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
