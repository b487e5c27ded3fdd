"""The memory of a user's strategy as it is saved and restored; a value that does not fit is named (ST-01)."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.strategies.signal_checks import UnfitError

ITEMS_A_BAR = 64
"""Plain values checked per bar on average: a larger memory is checked on fewer bars."""
LONGEST_SHOWN = 40


class Memory:
    """The memory of one strategy: its last state that is known to be valid.

    Attributes
    ----------
    is_of_this_bar
        Whether the state was checked on the last bar; otherwise it may have changed since.
    """

    def __init__(self, kind: type, adapter: TypeAdapter[Any], state: Any) -> None:
        self._kind, self._adapter = kind, adapter
        self._bars_left = 0
        self.is_of_this_bar = True
        self.sound: object = None
        try:
            self.sound = plain_of(adapter, state)
        except UnfitError:
            self.sound = plain_of(adapter, kind())

    def look_at(self, state: Any) -> None:
        """Check the state, if due on this bar. Raises `UnfitError` with the field that does not fit."""
        if self._bars_left > 0:
            self._bars_left -= 1
            self.is_of_this_bar = False
            return
        self.is_of_this_bar = True
        if not isinstance(state, self._kind):
            raise UnfitError(f"its state is a {type(state).__name__}; keep the {self._kind.__name__} that it was given")
        self.sound = plain_of(self._adapter, state)
        self._bars_left = _size(self.sound) // ITEMS_A_BAR

    def last_sound(self) -> Any:
        """Return a copy of the last valid state."""
        return self._adapter.validate_python(self.sound)


def plain_of(adapter: TypeAdapter[Any], state: Any) -> object:
    """Return the state as JSON from which it can be restored. Raises `UnfitError`."""
    try:
        plain: object = adapter.dump_python(state, mode="json", warnings=False)
    except Exception as error:  # any content
        _require_fit(adapter, adapter.dump_python(state, warnings=False))
        raise UnfitError(f"its state cannot be saved: {type(error).__name__}: {error}") from None
    _require_fit(adapter, plain)
    return plain


def misfit(error: ValidationError) -> str:
    """Describe the first field that does not fit, its value and its constraint."""
    first = error.errors(include_url=False)[0]
    place = ".".join(("state", *map(str, first["loc"])))
    words = first["msg"].replace("Input should", "must").removeprefix("Value error, ")
    return f"{place} is {_shown(first['input'])}: {words}"


def _require_fit(adapter: TypeAdapter[Any], plain: object) -> None:
    try:
        adapter.validate_python(plain)
    except ValidationError as error:
        raise UnfitError(f"its {misfit(error)}; keep there what its type says") from None


def _shown(value: object) -> str:
    kinds = (str, int, float, bool, type(None))
    text = repr(value) if isinstance(value, kinds) else f"a {type(value).__name__}"
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def _size(plain: object) -> int:
    """Count the plain values."""
    if isinstance(plain, dict):
        return sum(map(_size, plain.values()))
    return sum(map(_size, plain)) if isinstance(plain, list) else 1
