"""Keys and addresses: a broker's keys, the account of each pair, the addresses of the channels.

Keys may be renewed while the account stays: the folder is named after the account, never after a key.

A channel's address: from the environment, by the channel's name, or from the system's keyring, never from a file.
It is a secret: the URL of a phone is enough to send to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

import orjson
from pydantic import SecretStr

from core.files.regular_file import bytes_of
from core.model.account import Mode
from core.model.api_contract import AccountRefusedError, KeyNames, Keys
from core.ports import OperatorError
from state.files import Home, make_folder, replace_file


def find_keys(environ: Mapping[str, str], mode: Mode, names: KeyNames) -> Keys:
    """Return the keys for this kind of account (OP-10).

    Raises OperatorError: there are none, only one of the two is set, or they cannot be of this kind.
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


LARGEST = 1_000_000
"""The maximum size of the file in bytes, with a line per account."""


class KnownAccounts:
    """A small file beside the accounts' folders: fingerprints of keys, and account names."""

    def __init__(self, home: Home) -> None:
        self.path = home.state / "accounts.json"

    def name_of(self, keys: Keys) -> str | None:
        return self._read().get(fingerprint(keys))

    def remember(self, keys: Keys, name: str) -> None:
        """Store the account name. Raises OSError."""
        known = self._read()
        if known.get(fingerprint(keys)) != name:
            make_folder(self.path.parent)
            replace_file(self.path, orjson.dumps({**known, fingerprint(keys): name}))

    def _read(self) -> dict[str, str]:
        """Return the known names; empty if unreadable, because the broker will give the name again."""
        try:
            found = orjson.loads(bytes_of(self.path, LARGEST))
        except (OSError, orjson.JSONDecodeError):
            return {}
        return {k: v for k, v in found.items() if isinstance(v, str)} if isinstance(found, dict) else {}


VARIABLE = "KEYTURN_CHANNEL_"
"""Followed by the channel's name in capitals."""
SERVICE = "keyturn-channels"
"""The keyring's service name; its user is the channel's name."""


def variable_of(channel: str) -> str:
    return f"{VARIABLE}{channel.upper()}"


def addresses_in(environ: Mapping[str, str]) -> list[SecretStr]:
    """Return every address in the environment, for redaction."""
    return [SecretStr(value) for name, value in environ.items() if name.startswith(VARIABLE)]


def find_address(environ: Mapping[str, str], channel: str) -> SecretStr | None:
    """Return a channel's address, or None. Raises `OperatorError` if the keyring cannot be opened."""
    if given := environ.get(variable_of(channel), ""):
        return SecretStr(given)
    import keyring
    from keyring.errors import KeyringError, NoKeyringError

    try:
        found = keyring.get_password(SERVICE, channel)
    except NoKeyringError:
        return None
    except KeyringError as error:
        raise OperatorError(
            f"the keyring does not open ({type(error).__name__}): unlock it, or set {variable_of(channel)}"
        ) from None
    return SecretStr(found) if found else None
