"""Who is at the keys of a run that is played again: a script that is noted, or pressed again; several together."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from core.messages.commands import Command
from core.messages.effects import SendNotification
from core.messages.inputs import NotificationAnswered
from core.runtime.link import Operator

Pressed = tuple[tuple[datetime, tuple[Command, ...]], ...]
"""What a script pressed, and when."""


class Noted:
    """An operator, and what it pressed, each time."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator
        self.pressed: list[tuple[datetime, tuple[Command, ...]]] = []

    def next_at(self) -> datetime | None:
        return self._operator.next_at()

    def press(self, at: datetime) -> Iterator[Command]:
        commands = tuple(self._operator.press(at))
        self.pressed.append((at, commands))
        yield from commands


class PressedAgain:
    """A script's keys at the times at which it pressed them, on what it pressed them then."""

    def __init__(self, pressed: Pressed, now: Callable[[Command], Command | None]) -> None:
        self._pressed = deque(pressed)
        self._now = now

    def next_at(self) -> datetime | None:
        return self._pressed[0][0] if self._pressed else None

    def press(self, _at: datetime) -> Iterator[Command]:
        for command in self._pressed.popleft()[1]:
            if (now := self._now(command)) is not None:
                yield now


class Silent:
    """Carries nothing: what became of a message is said again as it was."""

    def send(self, effect: SendNotification, put: Callable[[NotificationAnswered], None]) -> None:
        """Its answer was recorded, where one came."""

    def close(self) -> None:
        """Nothing is open."""


class Together:
    """Several operators, the earliest first."""

    def __init__(self, operators: Iterable[Operator]) -> None:
        self._operators = tuple(operators)

    def next_at(self) -> datetime | None:
        return min((at for each in self._operators if (at := each.next_at()) is not None), default=None)

    def press(self, at: datetime) -> Iterator[Command]:
        due = next((each for each in self._operators if (own := each.next_at()) is not None and own <= at), None)
        if due is not None:
            yield from due.press(at)
