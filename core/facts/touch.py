"""Facts of security keys: which are enrolled, and each touch that was verified or refused (OP-15)."""

from __future__ import annotations

from dataclasses import dataclass

from core.facts.registry import Fact, fact
from core.model.touch import TouchCode, TouchKey, TouchPurpose
from core.model.values import Digest


@fact()
@dataclass(frozen=True, slots=True)
class TouchKeyEnrolled(Fact):
    """A security key was enrolled, by its own touch and that of a key enrolled before; the first by its own alone."""

    key: TouchKey
    terminal: str = ""
    user: str = ""


@fact()
@dataclass(frozen=True, slots=True)
class TouchKeyRemoved(Fact):
    """A security key was removed, by the touch of an enrolled one."""

    key: TouchKey
    terminal: str = ""
    user: str = ""


@fact()
@dataclass(frozen=True, slots=True)
class TouchVerified(Fact):
    """A touch was verified; what it permits follows in the same transaction. It is used up with this.

    Attributes
    ----------
    subject
        The ticket, the basket, the key or the settings that it is for.
    counter
        Of its key; 0 from a key that does not count.
    digest
        SHA-256 of the signed message.
    """

    purpose: TouchPurpose
    subject: str
    fingerprint: str
    counter: int
    digest: Digest


@fact()
@dataclass(frozen=True, slots=True)
class TouchRefused(Fact):
    """A touch that was needed is missing or refused, or a key is not enrolled or removed: nothing of it was done."""

    purpose: TouchPurpose
    subject: str
    code: TouchCode
