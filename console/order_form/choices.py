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
    named = CHOICES[field]
    if text in named or not text:
        return text
    meant = sorted((word for word in named if word.startswith(text)), key=len)
    return meant[0] if meant and all(word.startswith(meant[0]) for word in meant) else text


def one_of(named: Sequence[str]) -> str:
    return f"{', '.join(named[:-1])} or {named[-1]}"


def moved(field: str, now: str, step: int) -> str:
    """The word so many places on; from what is none of them, the first."""
    named = CHOICES[field]
    return named[(named.index(now) + step) % len(named)] if now in named else named[0]


def lettered(field: str, now: str, begun: str, letter: str) -> tuple[str, str] | None:
    """The word that one more letter chooses, and what was typed of it so far; None where none begins so.

    Letters that follow each other spell a word. One that does not go on with it begins anew: it goes to the next word
    with that letter, so that the same letter again moves on.
    """
    for typed in (begun + letter, letter):
        named = [word for word in CHOICES[field] if word.startswith(typed)]
        if not named:
            continue
        is_again = typed == letter and now in named
        return named[(named.index(now) + 1) % len(named)] if is_again else named[0], typed
    return None
