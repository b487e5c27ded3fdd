"""The desk's memory of each strategy on each symbol (ST-01, ST-03).

`RunnerState` is folded from facts. The strategy's own memory is not a fact: `StrategyMemory` is a checkpoint beside the
fold, brought up to date from the bars of the journal.
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
"""The state of a strategy, of that strategy's own type; None before it was first built."""

SIGNAL = "SIGNAL"
"""Counted beside the reasons for not trading: a bar on which it signalled."""


@dataclass(slots=True)
class RunnerState:
    """One strategy on one symbol, folded from the facts.

    Attributes
    ----------
    reasons
        Counts of each reason for not trading in past sessions.
    session, anomaly
        The session of its last bar; the single reason of all bars of the session before, as text.
    paused_at, paused_because
        None while it may open positions; why the desk itself paused it, empty if the operator did.
    rests
        It was too slow: it receives no bar while it holds nothing.
    faults, fault
        Consecutive bars on which it failed, and the last failure (ST-07).
    has_answered
        A bar has passed since the last failure.
    forgot, forgot_on
        The part of its memory that did not fit when the desk started, and the day; until the day after.
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
    forgot: str = ""
    forgot_on: date | None = None


@dataclass(slots=True)
class OrchestratorState:
    """State of all strategies.

    `runners` is keyed `strategy/SYMBOL`; `marks` holds the close of each symbol's last bar, `heard` the start of the
    last bar of all. `missing` holds why a user strategy does not load, by its name, and `lost_on` the last day on which
    a strategy's loss reached its own limit.
    """

    runners: dict[str, RunnerState] = field(default_factory=dict)
    marks: dict[Symbol, Price] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    heard: datetime | None = None
    lost_on: dict[str, date] = field(default_factory=dict)


@dataclass(slots=True)
class StrategyMemory:
    """One strategy on one symbol: its memory, and its answers in this session.

    Attributes
    ----------
    wants_history, seen
        It started late; the number of consecutive bars it has seen since, up to the number it needs.
    reasons, last_answer
        Counts of each answer in this session, `SIGNAL` included.
    """

    state: State = None
    wants_history: bool = False
    seen: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    last_answer: str = ""

    def count(self, reason: str) -> None:
        self.reasons[reason] += 1


def _of_their_types(memories: dict[str, StrategyMemory]) -> dict[str, StrategyMemory]:
    """Convert each state to the type of the strategy in its key. Raises ValueError if it does not fit."""
    for key, memory in memories.items():
        memory.state = read_memory(key.partition("/")[0], memory.state)
    return memories


Memories = Annotated[dict[str, StrategyMemory], AfterValidator(_of_their_types)]
"""By `strategy/SYMBOL`."""


def fault_in_words(fact: StrategyFailed) -> str:
    """As in `raised KeyError: 'x'`, `took 120 ms, more than 50`."""
    if fact.milliseconds is None or fact.limit is None:
        return f"raised {fact.reason}"
    return f"took {fact.milliseconds:,.0f} ms for a bar, more than {fact.limit:f}"
