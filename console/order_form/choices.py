"""Fields that hold one of a few words: which, how a key goes through them, how a beginning stands for a word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from core.model.order import TYPED, StopHolder, TimeInForce

LIMIT = "limit"
BUY, SELL, SHORT, COVER = "buy", "sell", "short", "cover"
CHOICES: Mapping[str, tuple[str, ...]] = {
    "effect": (BUY, SELL, SHORT, COVER),
    "type": tuple(sorted(TYPED, key=lambda word: word != LIMIT)),
    "holder": tuple(holder.value for holder in StopHolder),
    "lasts": tuple(lasts.value for lasts in TimeInForce),
}
"""By field, in the order in which a key goes through them."""


def chosen(field: str, text: str) -> str:
    """The word that the text is, or that it begins and no other one does; else the text.

    Where one word begins the others, as stop does stop-limit, the beginning means that one.
    """
    words = CHOICES[field]
    if text in words or not text:
        return text
    meant = sorted((word for word in words if word.startswith(text)), key=len)
    return meant[0] if meant and all(word.startswith(meant[0]) for word in meant) else text


def one_of(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def moved(field: str, now: str, step: int) -> str:
    """The word so many places on; from what is none of them, the first."""
    words = CHOICES[field]
    return words[(words.index(now) + step) % len(words)] if now in words else words[0]


def lettered(field: str, now: str, begun: str, letter: str) -> tuple[str, str] | None:
    """The word that one more letter chooses, and what was typed of it so far; None where none begins so.

    Letters that follow each other spell a word. One that does not go on with it begins anew: it goes to the next word
    with that letter, so that the same letter again moves on.
    """
    for typed in (begun + letter, letter):
        words = [word for word in CHOICES[field] if word.startswith(typed)]
        if not words:
            continue
        is_again = typed == letter and now in words
        return words[(words.index(now) + 1) % len(words)] if is_again else words[0], typed
    return None
