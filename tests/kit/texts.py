"""Texts for drawn examples: of the characters that programs stumble over, without the table of all of Unicode.

That table takes two seconds of each process of a clean clone.
"""

from __future__ import annotations

import string

from hypothesis import strategies as st

CHARACTERS = (
    string.printable
    + "\x00\x1b\x7f\x80\x85\x9b\xa0\xad\xdf\xe9\u0130\u0131\u017f\u0301\u03c3\u0430\u0660\u06dd\u200b\u200f\u2028\u202e"
    + "\u2066\u20ac\u4e2d\ua000\ud7ff\ue000\ufeff\uff10\uff21\ufffd\uffff\U00010000\U0001f4c8\U000e0041\U0010ffff"
)


def texts(max_size: int | None = None) -> st.SearchStrategy[str]:
    return st.text(st.sampled_from(CHARACTERS), max_size=max_size)
