"""The operators of a replayed run: record a script's presses, replay them, or combine several operators."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from core.messages.commands import Command
from core.messages.effects import SendNotification
from core.messages.inputs import NotificationAnswered
from core.runtime.link import Operator

Pressed = tuple[tuple[datetime, tuple[Command, ...]], ...]
"""A script's presses and their times."""


class Noted:
    """An operator whose presses are recorded."""

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
    """Replays a script's presses at their times, on the proposals and tickets they were made for."""

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
    """A carrier that sends nothing: the recorded delivery results are replayed."""

    def send(self, effect: SendNotification, put: Callable[[NotificationAnswered], None]) -> None:
        """Do nothing: the answer was recorded, if one came."""

    def close(self) -> None:
        """Do nothing."""


class Together:
    """Several operators combined, the earliest press first."""

    def __init__(self, operators: Iterable[Operator]) -> None:
        self._operators = tuple(operators)

    def next_at(self) -> datetime | None:
        return min((at for each in self._operators if (at := each.next_at()) is not None), default=None)

    def press(self, at: datetime) -> Iterator[Command]:
        due = next((each for each in self._operators if (own := each.next_at()) is not None and own <= at), None)
        if due is not None:
            yield from due.press(at)
