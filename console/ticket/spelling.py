"""The word that is asked for before a key: which one it is now, and whether a key went to it (OP-04, RK-25)."""

from __future__ import annotations

from console.ticket.typed_word import TypedWord


class Spelling:
    """One screen's.

    Attributes
    ----------
    word
        None where none is asked for.
    is_spelling
        Whether the last key went to it.
    was_lost
        Whether the last key was a letter of it, typed before all that it stands for was painted.
    """

    def __init__(self) -> None:
        self.word: TypedWord | None = None
        self.is_spelling = False
        self.was_lost = False

    @property
    def stands(self) -> bool:
        """Whether nothing of a word is missing."""
        return self.word is None or self.word.stands

    def ask_for(self, text: str | None) -> None:
        """The same word goes on with what was typed of it."""
        if text is None:
            self.word = None
        elif self.word is None or self.word.word != text:
            self.word = TypedWord(text)

    def hear(self, character: str | None, key: str | None, is_painted: bool) -> bool:
        """Whether the key went to the word: only on what was painted. The key behind the whole word is no letter."""
        self.is_spelling, self.was_lost = False, False
        word = self.word
        if word is None or (word.stands and character is not None and character == key):
            return False
        if not is_painted:
            word.forget()
            self.was_lost = character is not None and character in word.word
            return False
        word.hear(character)
        self.is_spelling = bool(word.typed)
        return self.is_spelling

    def forget(self) -> None:
        """What was typed of it counts no more."""
        if self.word is not None:
            self.word.forget()
