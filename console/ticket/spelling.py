"""The word required before a key: the current one, and whether a key belonged to it (OP-04, RK-25)."""

from __future__ import annotations

from console.ticket.typed_word import TypedWord


class Spelling:
    """The required word of one screen.

    Attributes
    ----------
    word
        None if no word is required.
    is_spelling
        Whether the last key belonged to it.
    was_lost
        Whether the last key was a letter of it, typed before its content was painted.
    """

    def __init__(self) -> None:
        self.word: TypedWord | None = None
        self.is_spelling = False
        self.was_lost = False

    @property
    def stands(self) -> bool:
        """Whether the word is complete, or none is required."""
        return self.word is None or self.word.stands

    def ask_for(self, text: str | None) -> None:
        """Require a word; the same word keeps its typed letters."""
        if text is None:
            self.word = None
        elif self.word is None or self.word.word != text:
            self.word = TypedWord(text)

    def hear(self, character: str | None, key: str | None, is_painted: bool) -> bool:
        """Return whether the key belonged to the word; letters count only after the paint.

        The confirming key after a complete word is not a letter.
        """
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
        """Discard the typed letters."""
        if self.word is not None:
            self.word.forget()
