"""The memory of a strategy that runs in a separate process: the last one that the process reported."""

from __future__ import annotations

from collections.abc import Callable


class RemoteMemory:
    """Read only when it is saved; never older than the last received bar."""

    def __init__(self, plain: Callable[[], object]) -> None:
        self._plain = plain

    def plain(self) -> object:
        """Return plain JSON values."""
        return self._plain()

    def follow(self, plain: Callable[[], object]) -> None:
        """Follow another instance that has taken it over."""
        self._plain = plain

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RemoteMemory) and self.plain() == other.plain()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.plain())
