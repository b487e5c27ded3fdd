"""What a desk needs of an engine, in this process or elsewhere."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal, Protocol

from core.messages.commands import Command
from core.model.desk import DeskNumber
from core.model.listed_asset import AssetsFound
from core.model.values import Symbol
from core.views import DeskView
from core.views.engine import EngineFailed, EngineLoading

WAITING = "the engine is not there; this desk waits for it"
NOT_ASKED = "not asked: "
"""How it begins, where the engine could not be asked for something; it is true until the link is back."""
Owed = Literal["halt", "kill"]


def nobody_looks() -> None:
    """Pictures are pulled, and news wait for that."""


class LinkToEngine(Protocol):
    @property
    def trouble(self) -> str | None:
        """Why nothing goes to the engine, in words; None while all does."""

    @property
    def doubt(self) -> str | None:
        """Why a key typed now would reach nobody, also while the engine is only silent; None where it would."""

    @property
    def silence(self) -> float | None:
        """Seconds for which the engine has said nothing over a link that is whole; None while that is no silence."""

    def had_gap(self, since: float, until: float) -> bool:
        """Whether it was gone or stood still between two instants of the console's clock."""


class NoLink:
    """The engine is in this process."""

    trouble = None
    doubt = None
    silence = None

    def had_gap(self, since: float, until: float) -> bool:
        return False


class EngineAccess(Protocol):
    """Commands in, immutable views out: the console's only door to an engine.

    Attributes
    ----------
    ended
        Set once this desk has nothing more to do with its engine.
    last_words
        What the engine owed and could not send before it ended (EX-22).
    link
        How the way to it is.
    goes_on
        Whether the engine goes on when the desk is left.
    place
        Which machine the engine runs on, as the operator named it; empty for this one.
    unsaid
        What was asked for and did not reach the engine, in words; whoever shows them takes them.
    found
        The answer to the last search that was answered; None before there was any.
    """

    view: DeskView | EngineLoading | EngineFailed
    ended: threading.Event
    last_words: tuple[str, ...]
    goes_on: bool
    place: str
    unsaid: deque[str]
    found: AssetsFound | None

    @property
    def link(self) -> LinkToEngine: ...

    @property
    def owes_press(self) -> Owed | None:
        """The graver of what was pressed and not heard by the engine yet; None where it has heard all. Any thread."""

    @property
    def desk(self) -> DeskNumber | None:
        """Which desk this one is, by the engine's books; None until they have it."""

    def start(self, on_news: Callable[[], None] = nobody_looks) -> None:
        """`on_news` is called in another thread when a picture with news is there. It never waits."""

    def send(self, command: Command) -> None:
        """Ask the engine for something, for the account of the picture that it was typed at."""

    def press_kill(self) -> None:
        """The first press: nothing that opens leaves from this instant. Any thread; never waits; may be repeated."""

    def press_kill_again(self, naked: bool = False) -> None:
        """`K` on the kill screen."""

    def attend(self, attended: bool) -> None:
        """A person is deciding: virtual time runs at ×1."""

    def watch(self, symbol: Symbol | None) -> None:
        """The console shows this symbol's chart, or none; no command and no fact."""

    def search(self, text: str) -> None:
        """What the broker trades by that symbol or name: `found` has it a moment later. No command and no fact."""

    def clock(self) -> datetime | None:
        """The engine's time now, between two pictures too."""

    def keys(self) -> Mapping[str, str]:
        """The keys that the settings move, by the identifiers of the table; none before the engine is there."""

    def leave(self, reason: str, *, on_purpose: bool = False) -> None:
        """Be done with the engine. Any thread; does not wait: see `ended`.

        A desk that is left on purpose is given up at once; one that ends for another reason is missed (OP-13).
        """

    def close(self, reason: str, patience: float) -> bool:
        """Leave, and wait for at most `patience` seconds; whether it is done."""
