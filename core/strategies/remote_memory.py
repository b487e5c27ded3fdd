"""The memory of a strategy that runs in a process of its own: the desk keeps what that process last said of it."""

from __future__ import annotations

from collections.abc import Callable


class RemoteMemory:
    """Asked for when somebody saves it, and not before; it is never older than the bar that was heard last."""

    def __init__(self, plain: Callable[[], object]) -> None:
        self._plain = plain

    def plain(self) -> object:
        """As JSON has it."""
        return self._plain()

    def follow(self, plain: Callable[[], object]) -> None:
        """Another instance has taken it up."""
        self._plain = plain

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RemoteMemory) and self.plain() == other.plain()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.plain())
