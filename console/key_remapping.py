"""Keys changed by the settings: the known keys, the allowed changes, and the faults.

`[keys]` names a line of the key table by its id and gives it other keys: `"order.new" = "N"`, or several with commas:
`"grid.up" = "up, i"`. A change is rejected if it gives a key two actions in one place, takes the kill chord, is the
beginning of another key, puts a confirmation on a habitual key, or gives a confirming key another meaning anywhere
(OP-04, OP-07).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import replace
from string import punctuation

from console.keymap import KEYS, Key, KeyScope, reachable, written
from core.model.lazy_dataclass import dataclass

CHORD = frozenset({"ctrl+k", "f10"})
BEGINS = frozenset({"left_square_bracket", "right_square_bracket"})
NAMES: Mapping[str, str] = {
    "enter": "Enter",
    "space": "Space",
    "tab": "Tab",
    "shift+tab": "Shift+Tab",
    "escape": "Esc",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "insert": "Ins",
    "delete": "Del",
    "backspace": "Backspace",
    "comma": ",",
    **{f"f{number}": f"F{number}" for number in range(1, 13)},
    **{f"ctrl+{letter}": f"Ctrl+{letter.upper()}" for letter in "abdefgklnopqrstuvwxy"},
}
"""Named keys, as people write them. Ctrl with C, H, I, J, M or Z is another key on many terminals."""
OTHER_NAMES: Mapping[str, str] = {
    "esc": "escape",
    "pgup": "pageup",
    "pgdn": "pagedown",
    "pgdown": "pagedown",
    "ins": "insert",
    "del": "delete",
    "return": "enter",
}
_OTHERWISE = {
    "low_line": "underscore",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
}


def _sign(character: str) -> str:
    name = unicodedata.name(character).lower().replace("-", "_").replace(" ", "_")
    return _OTHERWISE.get(name, name)


SIGNS: Mapping[str, str] = {_sign(character): character for character in punctuation}
"""Signs by Textual's names: those of Unicode, with a few exceptions."""
ALLOWED = (
    "a letter, a digit, a sign, or Enter, Space, Tab, Shift+Tab, Esc, Up, Down, Left, Right, PgUp, PgDn, Home, End, "
    "Ins, Del, Backspace, F1 to F12, or Ctrl+ and a letter but C, H, I, J, M, Z"
)
SAYS_TOO = "halt.way_out"
"""The action with K as its second key outside the kill screen."""
CONFIRMS = "a key that confirms is a capital letter other than K and Y; Enter, space and y never confirm"


@dataclass(frozen=True, slots=True)
class KeyFault:
    """A line of `[keys]` and its error."""

    id: str
    words: str


class _WrongError(Exception):
    """Why a line cannot be changed as requested."""


def fault_in(changes: Mapping[str, str]) -> KeyFault | None:
    """Return the first invalid line, or None."""
    moved: dict[str, Key] = {}
    for id, value in changes.items():
        try:
            moved[id] = _moved(id, value)
        except _WrongError as wrong:
            return KeyFault(id, str(wrong))
    return _conflict(_with_room(moved))


def moved_by(changes: Mapping[str, str]) -> dict[str, Key]:
    """Return the changed lines by id; `fault_in` must have found no fault."""
    return _with_room({id: _moved(id, value) for id, value in changes.items()})


def _with_room(moved: dict[str, Key]) -> dict[str, Key]:
    """Let a changed line have K, which outside the kill screen only says how a halt ends, as another key does."""
    says = next(key for key in KEYS if key.id == SAYS_TOO)
    names = [name for name in says.keys.split(",") if name != "K"]
    if says.id in moved or not any("K" in key.keys.split(",") for key in moved.values()):
        return moved
    return {**moved, says.id: replace(says, keys=",".join(names), written=" ".join(map(_written, names)))}


def _moved(id: str, value: str) -> Key:
    key = next((key for key in KEYS if key.id == id), None)
    if key is None:
        from difflib import get_close_matches  # only for misspelt ids

        from core.settings.history import BASKET_KEY

        renamed = BASKET_KEY.sub("basket", id)
        if any(key.id == renamed for key in KEYS):
            raise _WrongError(f"there is no such key; it is called {renamed} now: write that")
        near = get_close_matches(id, [key.id for key in KEYS], 1, 0.6)
        raise _WrongError("there is no such key" + (f"; did you mean {near[0]}?" if near else "; the help names each"))
    if key.is_fixed:
        raise _WrongError(_why_fixed(key))
    names = [_named(text) for text in _split(value)]
    if BEGINS & {*names}:
        raise _WrongError("[ and ] may be the beginning of another key, cut by the link; they act nowhere")
    if CHORD & {*names}:
        raise _WrongError("Ctrl+K and F10 are the kill's alone")
    if _confirms(key) and not all(_may_confirm(name) for name in names):
        raise _WrongError(
            "a key that confirms is a capital letter other than K and Y; Enter, space and y never confirm"
        )
    if key.is_first and not all(name.startswith("ctrl+") or (name[0] == "f" and name[1:].isdigit()) for name in names):
        raise _WrongError("it acts in every text field too: only Ctrl+ and a letter, or F1 to F12")
    return replace(key, keys=",".join(names), written=" ".join(map(_written, names)))


def _why_fixed(key: Key) -> str:
    if key.id == "kill" or key.place is KeyScope.KILL:
        return "the kill keeps Ctrl+K and F10, and its screen keeps K, F, U and Esc"
    if not key.keys:
        return f"it has no key; {written('commands')} has it"
    return "where text is typed, Enter, Esc and the arrows stay"


def _split(value: str) -> Iterable[str]:
    parts = [value] if len(value) == 1 else [part.strip() for part in value.split(",")]
    if not all(parts):
        raise _WrongError(f"must be {ALLOWED}")
    return parts


def _named(text: str) -> str:
    """Return Textual's name of a key."""
    if len(text) == 1 and text.isalnum():
        return text
    if len(text) == 1 and text in punctuation:
        return _sign(text)
    name = OTHER_NAMES.get(text.lower(), text.lower())
    if name in NAMES:
        return name
    raise _WrongError(f"unknown key; must be {ALLOWED}")


def _written(name: str) -> str:
    return NAMES.get(name) or SIGNS.get(name, name)


def _confirms(key: Key) -> bool:
    return key.action.startswith("confirm(") or key.id in ("question.do", "basket.sign", "basket.go_on")


def _may_confirm(name: str) -> bool:
    return len(name) == 1 and name.isascii() and name.isupper() and name not in "KY"


def _conflict(moved: Mapping[str, Key]) -> KeyFault | None:
    """Return a changed line whose key would have two actions in one place."""
    table = {key.id: moved.get(key.id, key) for key in KEYS}
    for place in KeyScope:
        holders: dict[str, Key] = {}
        for key in reachable(place, table):
            for name in filter(None, key.keys.split(",")):
                other = holders.setdefault(name, key)
                if other is not key and (key.id in moved or other.id in moved):
                    mine, its = (key, other) if key.id in moved else (other, key)
                    taken = f"{_written(name)} is {its.description} ({its.id})"
                    return KeyFault(mine.id, f"conflict, {place.value}: {taken}")
    return _taken_from_a_confirmation(table, moved)


def _taken_from_a_confirmation(table: Mapping[str, Key], moved: Mapping[str, Key]) -> KeyFault | None:
    """Return a changed line that reuses a confirming key.

    Such a key must have no other action anywhere: pressed twice, a key that also opens a ticket would confirm it.
    """
    confirming = {name: key for key in table.values() if _confirms(key) for name in key.keys.split(",")}
    for key in table.values():
        for name in key.keys.split(","):
            other = confirming.get(name, key)
            if other is not key and (key.id in moved or other.id in moved):
                mine, its = (key, other) if key.id in moved else (other, key)
                taken = f"{_written(name)} is {its.description} ({its.id})"
                return KeyFault(mine.id, f"conflict: {taken}; a key that confirms does nothing else anywhere")
    return None
