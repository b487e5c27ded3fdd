"""API keys of an account, the names by which they are looked up, and their refusal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pydantic import SecretStr

from core.model.account import Mode


class AccountRefusedError(Exception):
    """These keys, or this account, cannot be used; the message is one line with the remedy."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Handed to the adapters alone (SY-06)."""

    key_id: SecretStr
    secret: SecretStr


def unchecked(keys: Keys, _mode: Mode) -> Keys:
    """Accept keys that cannot be checked before they are used."""
    return keys


@dataclass(frozen=True, slots=True)
class KeyNames:
    """Names for looking up keys; two adapters with the same names share them.

    Attributes
    ----------
    whose
        Name of their issuer, for people.
    key_id, secret
        Environment variables.
    service
        The name in the system's keyring; its users are `paper-key-id`, `paper-secret-key`, and the same for live.
    check
        Raises `AccountRefusedError` if they cannot be keys of that mode (OP-10).
    """

    whose: str
    key_id: str
    secret: str
    service: str
    check: Callable[[Keys, Mode], Keys] = field(default=unchecked, compare=False)
