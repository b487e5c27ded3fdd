"""What blocks entries: the cause as a code, the words for the operator, and the words for agents (OP-09).

`core.views.builders.entry_blocks` lists all that holds now; the desk, `keyturn status`, the health endpoint and agents
read that list.
"""

from __future__ import annotations

from enum import StrEnum

from core.model.lazy_dataclass import dataclass


class EntryCause(StrEnum):
    """Why an entry does not pass."""

    KILL = "kill"
    HALT = "halt"
    FAULT = "fault"
    """The engine halted itself: an unexpected error."""
    DISK = "disk"
    """The journal cannot be written."""
    STARTING = "starting"
    READ_ONLY = "read-only"
    SETTINGS_FILE = "settings-file"
    CLOCK = "clock"
    BREAKER = "breaker"
    LINK = "link"
    """The broker does not answer, or a stream is silent: a confirmation is refused."""
    ACCOUNT = "account"
    """The broker accepts no orders of the account, or its figures are not known."""
    BOOKS = "books"
    """The broker's books of the symbol differ from these, or are in dispute."""
    MODE = "mode"
    PROTECTION = "protection"
    """A guard: of the whole desk, or of one strategy or symbol."""
    LIST = "list"
    SYMBOL_REFUSED = "symbol-refused"
    TRADING_HALT = "trading-halt"
    NO_QUOTE = "no-quote"
    """No quote of the symbol came yet: a market entry is refused."""


FOR_AGENTS = {
    EntryCause.FAULT: "the engine halted itself after an unexpected error; the operator looks at it",
    EntryCause.DISK: "the journal cannot be written; nothing is sent before a restart",
    EntryCause.SETTINGS_FILE: "the settings file is not what the desk trades by; the operator decides",
}
"""The words for agents where those for the operator may repeat a file or an error."""


@dataclass(frozen=True, slots=True)
class EntryBlock:
    """One thing that blocks entries now.

    Attributes
    ----------
    words
        For the operator.
    key
        Of the guard's row; empty for what is no guard.
    scope
        The symbol, or the guard's name, where it blocks only some entries; empty if it blocks every one.
    told
        The words for agents, where those for the operator have a note.
    """

    cause: EntryCause
    words: str
    key: str = ""
    scope: str = ""
    told: str = ""

    @property
    def for_agents(self) -> str:
        return self.told or FOR_AGENTS.get(self.cause, self.words)
