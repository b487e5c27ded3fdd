"""The word that a live account asks for before an order that opens: its symbol, typed in full (OP-04)."""

from __future__ import annotations


class TypedWord:
    """What was typed of it so far. Case counts; a wrong letter starts anew, also behind the whole word."""

    def __init__(self, word: str) -> None:
        self.word = word
        self.typed = ""

    @property
    def stands(self) -> bool:
        return self.typed == self.word

    def hear(self, key: str | None) -> None:
        """A key by its character; None is a click or a paste, after which nothing of it stands."""
        if key is not None and not self.stands and self.word.startswith(self.typed + key):
            self.typed += key
        else:
            self.typed = key if key is not None and self.word.startswith(key) else ""

    def forget(self) -> None:
        self.typed = ""
