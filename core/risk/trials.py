"""A control of the gate, and how a run tries it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from enum import Enum

from core.messages.commands import Command
from core.model.lazy_dataclass import dataclass
from core.model.values import Symbol
from core.settings.settings import Settings

OWN = "our own"
"""For a control that none of these rules asks for."""


class First(Enum):
    """An event before the trial's order; a run takes them in this order, those that last all day at the end."""

    NOTHING = "nothing"
    HALT = "the kill key is pressed once"
    COMMAND = "the operator shut its symbol"
    HALTED_SYMBOL = "its exchange halts its symbol"
    ENTRY = "the same entry was filled a moment ago"
    RESTING_SALE = "a sale of one's own rests under its limit"
    SLOW_BROKER = "the broker answers orders late"
    SILENT_BROKER = "the broker answers no order"
    HIGH_VIX = "a high VIX is measured"
    STOPPED_OUT = "a trade in its symbol is stopped out at a loss"
    CLOSED_MARKET = "the session is over"


class Tried(Enum):
    """The manual order of a trial; each is a buy with a stop that the desk holds."""

    PLAIN = "a plain buy at the market"
    LARGE = "a buy of far too many shares"
    TINY = "a buy of a part of a share that does not trade"
    OFF_TICK = "a buy at a limit between two ticks"
    HIGH_LIMIT = "a buy at a limit far over the quote"
    WITHOUT_STOP = "a buy without a stop"
    UNLISTED = "a buy in a symbol that the broker does not list"
    OLD_QUOTE = "a buy at the market in a symbol without a young quote"


@dataclass(frozen=True, slots=True)
class Trial:
    """How a control is tried.

    Attributes
    ----------
    settings
        Overrides of the settings of an account without limits, by key.
    as_set
        Keys whose values are the account's own.
    warns
        Whether the control is met by a warning; otherwise by a refusal.
    says
        For `First.COMMAND`: the operator's command for the symbol.
    """

    settings: Mapping[str, object] = field(default_factory=dict)
    order: Tried = Tried.PLAIN
    first: First = First.NOTHING
    as_set: tuple[str, ...] = ()
    warns: bool = False
    says: Callable[[Symbol], Command] | None = None


Asked = Callable[[Settings], bool]
"""A predicate of the settings."""


@dataclass(frozen=True, slots=True)
class Control:
    """One check, or protection, of the gate.

    Attributes
    ----------
    name
        The name of the check.
    rules
        The paragraphs that ask for it; empty for a control of our own.
    settings
        Keys that set it; empty if it has no figure.
    test
        `file::name` of a test that shows it.
    trial
        How a run tries it, or a text that explains why no run does.
    is_off
        Whether settings turn off the part that its rules ask for, also by a limit without effect: a maximal one, or one
        that nothing can reach. A limit near the maximum is the operator's choice.
    parts
        Named parts that can be without effect while the rest works, and whether they are.
    """

    name: str
    rules: tuple[str, ...]
    settings: tuple[str, ...]
    test: str
    trial: Trial | str
    is_off: Asked = lambda _settings: False
    parts: Mapping[str, Asked] = field(default_factory=dict)

    @property
    def rule(self) -> str:
        return "; ".join(self.rules) or OWN

    def unlimited(self, settings: Settings) -> tuple[str, ...]:
        """Parts without effect although the control is on."""
        if self.is_off(settings):
            return ()
        return tuple(part for part, limits_nothing in self.parts.items() if limits_nothing(settings))


def value_of(settings: Settings, key: str) -> object:
    """Return the value at a dotted key. Raises AttributeError if there is none."""
    found: object = settings
    for name in key.split("."):
        found = getattr(found, name)
    return found
