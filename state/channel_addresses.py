"""A channel's address: from the environment, by the channel's name, or from the system's keyring, never from a file.

It is a secret: the URL of a phone is enough to send to it.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretStr

from core.ports import OperatorError

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
