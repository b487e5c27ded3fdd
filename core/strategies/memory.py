"""What the desk remembers of each strategy on each symbol (ST-01, ST-03).

What facts say of it is folded: `RunnerState`. What the strategy itself remembers is no fact: `StrategyMemory` is a
checkpoint beside the fold, brought up to date from the bars of the journal.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, PlainSerializer

from core.facts import StrategyFailed
from core.model.values import Price, Symbol
from core.strategies.builtin import read_memory, written_memory

State = Annotated[Any, PlainSerializer(lambda state, info: written_memory(state, as_json=info.mode_is_json()))]
"""The state of a strategy, of that strategy's own type; None before it was first made."""

SIGNAL = "SIGNAL"
"""Counted beside the reasons for not trading: a bar on which it signalled."""


@dataclass(slots=True)
class RunnerState:
    """One strategy on one symbol, as the facts tell it.

    Attributes
    ----------
    reasons
        Of the sessions that are over, how often each reason for not trading was given.
    session, anomaly
        That of its last bar; the one reason of all bars of the session before, in words.
    paused_at, paused_because
        None while the operator lets it open positions; why the desk itself paused it, empty where the operator did.
    rests
        It was too slow: it is shown no bar while it holds nothing.
    faults, fault
        Bars in a row on which it failed, and how it failed on the last of them (ST-07).
    has_answered
        Since the last of those a bar has passed.
    held_back_at
        When an exit of it was held back because others would have bought on the same bar.
    forgot, forgot_on
        What of its memory did not fit when the desk began, and on which day; until the day after.
    """

    reasons: Counter[str] = field(default_factory=Counter)
    session: date | None = None
    disabled_on: date | None = None
    anomaly: str = ""
    paused_at: datetime | None = None
    paused_because: str = ""
    rests: bool = False
    faults: int = 0
    fault: str = ""
    has_answered: bool = False
    held_back_at: datetime | None = None
    forgot: str = ""
    forgot_on: date | None = None


@dataclass(slots=True)
class OrchestratorState:
    """`runners` is keyed `strategy/SYMBOL`; `marks` holds the close of each symbol's last bar, `heard` the start of the
    last bar of all.

    `missing` says why a strategy of the user's does not load, by its name.
    """

    runners: dict[str, RunnerState] = field(default_factory=dict)
    marks: dict[Symbol, Price] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    heard: datetime | None = None


@dataclass(slots=True)
class StrategyMemory:
    """One strategy on one symbol: what it remembers, and what it answered in this session.

    Attributes
    ----------
    wants_history, seen
        It began late; and how many bars in a row it has seen since, up to as many as it needs.
    reasons, last_answer
        Of this session, how often each was given; `SIGNAL` among them.
    """

    state: State = None
    wants_history: bool = False
    seen: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    last_answer: str = ""

    def count(self, reason: str) -> None:
        self.reasons[reason] += 1


def _of_their_types(memories: dict[str, StrategyMemory]) -> dict[str, StrategyMemory]:
    """Each state as the type of the strategy that its key names. Raises ValueError where it is none."""
    for key, memory in memories.items():
        memory.state = read_memory(key.partition("/")[0], memory.state)
    return memories


Memories = Annotated[dict[str, StrategyMemory], AfterValidator(_of_their_types)]
"""By `strategy/SYMBOL`."""


def fault_in_words(fact: StrategyFailed) -> str:
    """`raised KeyError: 'x'`, `took 120 ms, more than 50`."""
    if fact.milliseconds is None or fact.limit is None:
        return f"raised {fact.reason}"
    return f"took {fact.milliseconds:,.0f} ms for a bar, more than {fact.limit:f}"
