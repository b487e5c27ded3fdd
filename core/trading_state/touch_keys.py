"""The slice of security keys: which are enrolled, their counters, and how many touches were verified (OP-15).

Keys are enrolled in the journal alone: no edit of the settings file enrolls one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field
from datetime import datetime
from typing import Any

from core.facts import SettingsApplied, TouchKeyEnrolled, TouchKeyRemoved, TouchKeysKept, TouchRefused, TouchVerified
from core.model.lazy_dataclass import dataclass
from core.model.touch import Touch, TouchCode, TouchKey, TouchSignature, TouchTerms, read_key, verify


@dataclass(slots=True)
class TouchKeysState:
    """`counters` has the last counter by fingerprint, also of removed keys. `touches` counts the verified ones.

    `answers` counts enrolments, removals and refusals; `answer` is the last refusal, None after a change. `kept_terms`
    are those of before a reset or a restore, until settings are applied.
    """

    keys: tuple[TouchKey, ...] = ()
    counters: dict[str, int] = field(default_factory=dict)
    touches: int = 0
    answers: int = 0
    answer: TouchCode | None = None
    kept_terms: TouchTerms | None = None


class TouchKeys:
    name = "touch_keys"

    def __init__(self) -> None:
        self.state = TouchKeysState()
        self.folds: dict[type, Callable[[datetime, Any], None]] = {
            TouchKeyEnrolled: self._enrolled,
            TouchKeyRemoved: self._removed,
            TouchVerified: self._verified,
            TouchRefused: self._refused,
            TouchKeysKept: self._kept,
            SettingsApplied: self._settled,
        }

    def restore(self, state: TouchKeysState) -> None:
        self.state = state

    def key(self, fingerprint: str) -> TouchKey | None:
        return next((key for key in self.state.keys if key.fingerprint == fingerprint), None)

    def judged(self, message: bytes, signature: TouchSignature | None) -> Touch | TouchCode:
        """Return the touch that an enrolled key's signature proves, or why it proves none."""
        if not self.state.keys:
            return TouchCode.NO_KEY
        if signature is None:
            return TouchCode.NO_SIGNATURE
        key = self.key(signature.fingerprint)
        return TouchCode.UNKNOWN_KEY if key is None else self.judged_by(key, message, signature)

    def judged_by(self, key: TouchKey, message: bytes, signature: TouchSignature) -> Touch | TouchCode:
        """Return the same for a key that need not be enrolled. A counter that is not above its last one is a replay."""
        found = verify(read_key(key.line), message, signature.content)
        if isinstance(found, TouchCode):
            return found
        last = self.state.counters.get(key.fingerprint, 0)
        return TouchCode.COUNTER if last and found.counter <= last else found

    def _enrolled(self, _at: datetime, fact: TouchKeyEnrolled) -> None:
        self.state.keys = (*self.state.keys, fact.key)
        self._changed()

    def _removed(self, _at: datetime, fact: TouchKeyRemoved) -> None:
        self.state.keys = tuple(key for key in self.state.keys if key.fingerprint != fact.key.fingerprint)
        self._changed()

    def _kept(self, _at: datetime, fact: TouchKeysKept) -> None:
        self.state.keys, self.state.kept_terms = fact.keys, fact.terms
        for fingerprint, counter in fact.counters.items():
            self.state.counters[fingerprint] = max(counter, self.state.counters.get(fingerprint, 0))
        self._changed()

    def _settled(self, _at: datetime, _fact: SettingsApplied) -> None:
        self.state.kept_terms = None

    def _changed(self) -> None:
        self.state.answers += 1
        self.state.answer = None

    def _verified(self, _at: datetime, fact: TouchVerified) -> None:
        self.state.counters[fact.fingerprint] = fact.counter
        self.state.touches += 1

    def _refused(self, _at: datetime, fact: TouchRefused) -> None:
        self.state.answers += 1
        self.state.answer = fact.code
