"""A broker's keys, from the environment by the broker's names or from the system's keyring, never from a file."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from pydantic import SecretStr

from core.model.account import Mode
from core.model.api_contract import AccountRefusedError, KeyNames, Keys
from core.ports import OperatorError


def find_keys(environ: Mapping[str, str], mode: Mode, names: KeyNames) -> Keys:
    """Return the keys for this kind of account (OP-10).

    Raises
    ------
    OperatorError
        There are none, only one of the two is set, or they cannot be of this kind.
    """
    found = _in_environment(environ, names) or _in_keyring(mode, names)
    if found is None:
        raise OperatorError(
            f"no keys for {names.whose}'s {mode.value} trading: set {names.key_id} and {names.secret}, or `keyring set "
            f"{names.service} {mode.value}-key-id` and `{mode.value}-secret-key`; `keyturn demo` needs none"
        )
    try:
        return names.check(found, mode)
    except AccountRefusedError as error:
        raise OperatorError(str(error)) from None


def fingerprint(keys: Keys) -> str:
    """Return 16 hex digits of SHA-256 over the key's identifier: they distinguish keys without revealing them."""
    return sha256(keys.key_id.get_secret_value().encode()).hexdigest()[:16]


def _in_environment(environ: Mapping[str, str], names: KeyNames) -> Keys | None:
    key_id, secret = environ.get(names.key_id, ""), environ.get(names.secret, "")
    if key_id and secret:
        return Keys(SecretStr(key_id), SecretStr(secret))
    if key_id or secret:
        missing = names.secret if key_id else names.key_id
        raise OperatorError(f"only one of {names.whose}'s two keys is set: set {missing} too")
    return None


def _in_keyring(mode: Mode, names: KeyNames) -> Keys | None:
    """Read the keyring; a system without one has no keys there, a locked or broken one raises."""
    import keyring
    from keyring.errors import KeyringError, NoKeyringError

    try:
        key_id = keyring.get_password(names.service, f"{mode.value}-key-id")
        secret = keyring.get_password(names.service, f"{mode.value}-secret-key")
    except NoKeyringError:
        return None
    except KeyringError as error:
        raise OperatorError(
            f"the keyring does not open ({type(error).__name__}): unlock it, or set {names.key_id} and {names.secret}"
        ) from None
    return Keys(SecretStr(key_id), SecretStr(secret)) if key_id and secret else None
