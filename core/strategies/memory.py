"""What the desk remembers of each strategy on each symbol: its own memory, its reasons, its failures (ST-01, ST-03)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, PlainSerializer

from core.facts import StrategyFailed
from core.model.values import Price, Symbol
from core.strategies.house import read_memory, written_memory

Memory = Annotated[Any, PlainSerializer(lambda memory, info: written_memory(memory, as_json=info.mode_is_json()))]
"""The state of a strategy, of that strategy's own type; None before it was first made."""


@dataclass(slots=True)
class RunnerState:
    """One strategy on one symbol: its memory, and its reasons for not trading, in all and in this session.

    Attributes
    ----------
    paused_at, paused_because
        None while the operator lets it open positions; why the desk itself paused it, empty where the operator did.
    rests
        It was too slow: it is shown no bar while it holds nothing.
    faults, fault
        Bars in a row on which it failed, and how it failed on the last of them (ST-07).
    has_answered
        Since the last of those it answered a bar without one.
    held_back_at
        When an exit of it was held back because others would have bought on the same bar.
    forgot, forgot_on
        What of its memory did not fit when the desk began, and on which day; until the day after.
    wants_history, seen
        Its memory began late; and how many bars in a row it has seen since, up to as many as it needs.
    """

    memory: Memory = None
    reasons: Counter[str] = field(default_factory=Counter)
    session_reasons: Counter[str] = field(default_factory=Counter)
    last_answer: str = ""
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
    wants_history: bool = False
    seen: int = 0


def _with_memories(runners: dict[str, RunnerState]) -> dict[str, RunnerState]:
    """Each memory as the type of the strategy that its key names. Raises ValueError where it is none."""
    for key, runner in runners.items():
        runner.memory = read_memory(key.partition("/")[0], runner.memory)
    return runners


@dataclass(slots=True)
class OrchestratorState:
    """`runners` is keyed `strategy/SYMBOL`; `marks` holds the close of each symbol's last bar, `heard` the start of the
    last bar of all.

    `missing` says why a strategy of the user's does not load, by its name.
    """

    runners: Annotated[dict[str, RunnerState], AfterValidator(_with_memories)] = field(default_factory=dict)
    marks: dict[Symbol, Price] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    heard: datetime | None = None


def fault_in_words(fact: StrategyFailed) -> str:
    """`raised KeyError: 'x'`, `took 120 ms, more than 50`."""
    if fact.milliseconds is None or fact.limit is None:
        return f"raised {fact.reason}"
    return f"took {fact.milliseconds:,.0f} ms for a bar, more than {fact.limit:f}"
