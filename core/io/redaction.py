"""Keys taken out of words that somebody will see (SY-06). What is parsed is never touched: a short key eats digits."""

from __future__ import annotations

import re

from pydantic import SecretStr

HIDDEN = "(hidden)"
PLAIN = 8
"""Characters from which a key is taken out wherever it stands; a shorter one only where it stands alone."""


class Redaction:
    """Called on text on its way to a screen, a journal or an error."""

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
