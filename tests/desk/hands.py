"""What the tests of keys and dialogs need beside the house: commands that are held back, and a disk around the desk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from textual import events

from core.messages.commands import Command
from core.model.session import HOME
from core.model.values import Price, Quantity, Symbol
from core.ports import OperatorError, Recorded
from core.post_mortem.page import lines_of
from core.post_mortem.post_mortem import Read, post_mortem
from core.views.builders.history import history_of
from core.views.order_chain import chain_of
from core.views.results import HistoryDay
from tests.desk.desk_house import House


def held_back(house: House, *kinds: type) -> list[Command]:
    """From here on, commands of these kinds go into this list, and not to the engine."""
    sent: list[Command] = []
    on = house.desk.handle.send

    def send(command: Command) -> None:
        if isinstance(command, kinds):
            sent.append(command)
        else:
            on(command)

    house.desk.handle.send = send  # type: ignore[method-assign]
    return sent


NAMES = {"/": "slash", " ": "space", "=": "equals_sign", ".": "full_stop", "!": "exclamation_mark", "\n": "enter"}


async def types_ahead(house: House, text: str) -> None:
    """All of it in one burst, as a slow link delivers what was typed: no key waits for the one before."""
    for character in text:
        key = "ctrl+p" if character == "\x10" else NAMES.get(character, character)
        house.desk.post_message(events.Key(key, character if character.isprintable() else None))
    await house.wait(0.3)


@dataclass
class Disk:
    """The surroundings of a desk in memory: what was written, and whether the guide was closed."""

    is_new: bool = False
    asks_for_chord: bool = False
    house: House | None = None
    files: dict[str, str] = field(default_factory=dict)
    fails: str = ""
    of_the_operator: dict[str, dict[str, str]] = field(default_factory=dict)
    """By folder, presets and layouts, by their files."""

    def why(self, order_id: str) -> Iterable[Recorded]:
        if self.fails:
            raise OperatorError(self.fails)
        assert self.house is not None
        return chain_of(order_id, list(self.house.runtime.engine.state.journal.records()))

    def explain(self, what: str) -> Iterable[str]:
        if self.fails:
            raise OperatorError(self.fails)
        assert self.house is not None
        read = Read(list(self.house.runtime.engine.state.journal.records()))
        is_day = what == "2026-01-05"
        found = post_mortem(
            read, [date(2026, 1, 5)], HOME.day_of, self.house.runtime.engine.state.calendar.session_at,
            None if is_day else what,
        )  # fmt: skip

        return lines_of(found, is_whole=not is_day)

    def agent_score(self, agent: str) -> str:
        if self.fails:
            raise OperatorError(self.fails)
        return f"the score of {agent}"

    def risk(self, held: Sequence[tuple[Symbol, Quantity, Price | None]], on: date, shocks: str) -> Iterable[str]:
        if self.fails:
            raise OperatorError(self.fails)
        return [f"{shocks or on} {quantity} {symbol}" for symbol, quantity, _ in held]

    def history(self, day: date | None) -> HistoryDay:
        if self.house is None:
            raise OperatorError("this disk has no journal")
        today = date(2026, 1, 5)
        records = list(self.house.runtime.engine.state.journal.records())
        return HistoryDay(day or today, (today,), *history_of(records))

    def write(self, name: str, text: str) -> str:
        if self.fails:
            raise OperatorError(self.fails)
        self.files[name] = text
        return f"/state/demo/{name}"

    def kept(self, folder: str) -> dict[str, str | None]:
        return {**self.of_the_operator.get(folder, {})}

    def keep(self, folder: str, name: str, text: str) -> str:
        self.of_the_operator.setdefault(folder, {})[name] = text
        return f"/settings/{folder}/{name}"

    def drop(self, folder: str, name: str) -> None:
        self.of_the_operator[folder].pop(name)

    def leave_press(self, *, kills: bool) -> None:
        raise OperatorError(f"this disk takes no {'kill' if kills else 'halt'}")

    def is_first_start(self) -> bool:
        return self.is_new

    def must_try_chord(self) -> bool:
        return self.asks_for_chord

    def chord_was_received(self) -> None:
        self.asks_for_chord = False

    def guide_was_closed(self) -> None:
        self.is_new = False
