"""Fields with a fixed set of words: the words, stepping through them, and completion."""

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
"""The words of each field, in the order of the key that steps through them."""


def chosen(field: str, text: str) -> str:
    """Return the word equal to `text`, or the only word that starts with it; else `text`.

    If one word is the beginning of others, as stop is of stop-limit, that word is meant.
    """
    named = CHOICES[field]
    if text in named or not text:
        return text
    meant = sorted((word for word in named if word.startswith(text)), key=len)
    return meant[0] if meant and all(word.startswith(meant[0]) for word in meant) else text


def one_of(named: Sequence[str]) -> str:
    return f"{', '.join(named[:-1])} or {named[-1]}"


def moved(field: str, now: str, step: int) -> str:
    """Return the word `step` places further; the first if `now` is none of them."""
    named = CHOICES[field]
    return named[(named.index(now) + step) % len(named)] if now in named else named[0]


def lettered(field: str, now: str, begun: str, letter: str) -> tuple[str, str] | None:
    """Return the word chosen by a further letter, and the letters typed so far; None if no word matches.

    Successive letters spell a word. A letter that does not continue it starts over and chooses the next word with that
    letter, so that repeating a letter cycles.
    """
    for typed in (begun + letter, letter):
        named = [word for word in CHOICES[field] if word.startswith(typed)]
        if not named:
            continue
        is_again = typed == letter and now in named
        return named[(named.index(now) + 1) % len(named)] if is_again else named[0], typed
    return None
