"""Redact keys in text for people (SY-06). Parsed data is never changed: a short key may match digits."""

from __future__ import annotations

import re

from pydantic import SecretStr

HIDDEN = "(hidden)"
PLAIN = 8
"""The length from which a key is redacted anywhere; a shorter one only as a separate word."""


class Redaction:
    """Redacts the keys in text for a screen, a journal or an error."""

    def __init__(self, *keys: SecretStr) -> None:
        words = sorted({key.get_secret_value() for key in keys} - {""}, key=len, reverse=True)
        self._words = re.compile("|".join(map(_pattern, words))) if words else None

    def __call__(self, text: str) -> str:
        return text if self._words is None else self._words.sub(HIDDEN, text)

    def __repr__(self) -> str:
        return "Redaction()"


def _pattern(word: str) -> str:
    plain = re.escape(word)
    return plain if len(word) >= PLAIN else rf"(?<![A-Za-z0-9_]){plain}(?![A-Za-z0-9_])"
