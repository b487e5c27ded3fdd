"""The two words that open an account somewhere, by what names they are looked for, and that they will not do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import SecretStr

from core.model.account import Mode


class AccountRefusedError(Exception):
    """These keys, or this account, will not do; the message is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Handed to the adapters alone (SY-06)."""

    key_id: SecretStr
    secret: SecretStr


def unchecked(keys: Keys, _mode: Mode) -> Keys:
    """Nothing can be said of them before they are used."""
    return keys


@dataclass(frozen=True, slots=True)
class KeyNames:
    """Where keys are looked for; two adapters with the same names share them.

    Attributes
    ----------
    whose
        Of whom they are, for people.
    key_id, secret
        Variables of the environment.
    service
        The name in the system's keyring; its users are `paper-key-id`, `paper-secret-key`, and the same for live.
    check
        Raises `AccountRefusedError` where they cannot be keys of that kind (OP-10).
    """

    whose: str
    key_id: str
    secret: str
    service: str
    check: Callable[[Keys, Mode], Keys] = field(default=unchecked, compare=False)
