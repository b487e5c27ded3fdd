"""Alpaca's keys: from the environment, by Alpaca's own names, or from the system's keyring. Never from a file."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from pydantic import SecretStr

from core.brokers.alpaca.keys import AccountRefusedError, Keys, checked
from core.model.account import Mode
from core.ports import OperatorError

KEY_ID, SECRET = "APCA_API_KEY_ID", "APCA_API_SECRET_KEY"
SERVICE = "keyturn"
"""The name in the keyring; its users are `paper-key-id`, `paper-secret-key`, and the same for live."""


def find_keys(environ: Mapping[str, str], mode: Mode) -> Keys:
    """The keys for this kind of account (OP-10).

    Raises
    ------
    OperatorError
        None are there, only one of the two is, or they cannot be of this kind.
    """
    found = _in_environment(environ) or _in_keyring(mode)
    if found is None:
        raise OperatorError(
            f"no keys for Alpaca's {mode.value} trading: set {KEY_ID} and {SECRET}, or `keyring set {SERVICE} "
            f"{mode.value}-key-id` and `{mode.value}-secret-key`; `keyturn demo` needs none"
        )
    try:
        return checked(found, mode)
    except AccountRefusedError as error:
        raise OperatorError(str(error)) from None


def fingerprint(keys: Keys) -> str:
    """Tells two pairs apart without giving either away: 16 hex digits of SHA-256 over the key's identifier."""
    return sha256(keys.key_id.get_secret_value().encode()).hexdigest()[:16]


def _in_environment(environ: Mapping[str, str]) -> Keys | None:
    key_id, secret = environ.get(KEY_ID, ""), environ.get(SECRET, "")
    if key_id and secret:
        return Keys(SecretStr(key_id), SecretStr(secret))
    if key_id or secret:
        raise OperatorError(f"only one of Alpaca's two keys is set: set {SECRET if key_id else KEY_ID} too")
    return None


def _in_keyring(mode: Mode) -> Keys | None:
    """A system without a keyring has none in it; one that is locked or broken says so."""
    import keyring
    from keyring.errors import KeyringError, NoKeyringError

    try:
        key_id = keyring.get_password(SERVICE, f"{mode.value}-key-id")
        secret = keyring.get_password(SERVICE, f"{mode.value}-secret-key")
    except NoKeyringError:
        return None
    except KeyringError as error:
        raise OperatorError(
            f"the keyring does not open ({type(error).__name__}): unlock it, or set {KEY_ID} and {SECRET}"
        ) from None
    return Keys(SecretStr(key_id), SecretStr(secret)) if key_id and secret else None
