"""The way between a desk and its engine: bytes take their time in both directions, and it can stand still or be cut."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from core.ports import OperatorError
from core.protocol.frames import Role
from tests.accidents.clock import Clock

AT_ONCE = 1 << 18


@dataclass
class OneWay:
    """What is on its way from one end to the other; b"" is that the first one hung up."""

    source: socket.socket
    target: socket.socket
    flies: deque[tuple[float, bytes]] = field(default_factory=deque)
    has_ended: bool = False


@dataclass
class Connection:
    near: socket.socket
    far: socket.socket

    def __post_init__(self) -> None:
        self.near.setblocking(False)
        self.far.setblocking(False)
        self.ways = (OneWay(self.near, self.far), OneWay(self.far, self.near))

    def close(self) -> None:
        self.near.close()
        self.far.close()


class Line:
    """One desk's. `reach` makes a connection to the engine; it raises where none runs.

    Attributes
    ----------
    delay
        Seconds one way.
    is_still
        Nothing moves on it, and nobody is told.
    is_cut
        Nobody gets through, and what was open is closed.
    """

    def __init__(self, clock: Clock, reach: Callable[[], socket.socket], delay: float) -> None:
        self.delay = delay
        self.is_still = self.is_cut = False
        self._clock, self._reach = clock, reach
        self._open: list[Connection] = []

    def connect(self, _role: Role) -> socket.socket:
        if self.is_cut or self.is_still:
            raise OperatorError("no way to the engine")
        far = self._reach()
        desk, near = socket.socketpair()
        self._open.append(Connection(near, far))
        return desk

    def cut(self, engine_is_told: bool = True, desk_is_told: bool = True) -> None:
        """What is on its way is lost. Whoever is not told finds out by the silence."""
        self.is_cut = True
        for connection in self._open:
            if engine_is_told:
                connection.far.close()
            if desk_is_told:
                connection.near.close()
            for way in connection.ways:
                way.flies.clear()
                way.has_ended = True
        self._open = [each for each in self._open if each.far.fileno() >= 0 or each.near.fileno() >= 0]

    def hang_up(self) -> None:
        """The engine's process is gone: what it said before still arrives."""
        for connection in self._open:
            connection.far.close()

    def mend(self) -> None:
        """Who was not told of the cut is told now."""
        if self.is_cut:
            for connection in self._open:
                connection.close()
            self._open.clear()
        self.is_cut = self.is_still = False

    def move(self) -> bool:
        """What came to either end, and what arrives at this instant; whether there was anything."""
        if self.is_still or self.is_cut:
            return False
        has_moved = False
        for connection in list(self._open):
            for way in connection.ways:
                has_moved = self._take(way) or has_moved
                has_moved = self._bring(way) or has_moved
            if connection.near.fileno() < 0:
                connection.close()
                self._open.remove(connection)
        return has_moved

    def _take(self, way: OneWay) -> bool:
        if way.has_ended:
            return False
        try:
            content = way.source.recv(AT_ONCE)
        except BlockingIOError:
            return False
        except OSError:
            content = b""
        way.has_ended = not content
        way.flies.append((self._clock.at + self.delay, content))
        if self.delay:
            self._clock.call_punctually(self.delay, nothing)
        return True

    def _bring(self, way: OneWay) -> bool:
        has_moved = False
        while way.flies and way.flies[0][0] <= self._clock.at:
            at, content = way.flies[0]
            if not content:
                way.flies.clear()
                way.target.close()
                return True
            try:
                sent = way.target.send(content)
            except BlockingIOError:
                return has_moved
            except OSError:  # that end is gone
                sent = len(content)
            has_moved = True
            if sent < len(content):
                way.flies[0] = (at, content[sent:])
            else:
                way.flies.popleft()
        return has_moved

    def close(self) -> None:
        for connection in self._open:
            connection.close()


def nothing() -> None:
    """The clock stops at this instant, and all that is due has its turn."""
