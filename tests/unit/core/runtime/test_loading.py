"""A strategy's text as its own process reads it: slips with their lines, and what its class must be."""

from __future__ import annotations

from core.runtime.strategy_host.loading import Loaded, loaded
from tests.kit.rows import table

HEAD = """
from dataclasses import dataclass
from decimal import Decimal
from core.strategies.kit import NO_SETUP, NoSettings, OwnStrategy

@dataclass(slots=True)
class Memory:
    bars: int = 0

"""
SOUND = """
class Mine(OwnStrategy):
    name = "mine"
    State = Memory
    def on_bar(self, bar, context):
        return NO_SETUP
"""


def looked_at(text: str) -> Loaded:
    return loaded("mine", "/strategies/mine.py", text)


@table(
    "text line words",
    ("import os", 1, "it imports os, which a strategy may not: take it out"),
    ("import core.brokers.port", 1, "a strategy may only propose"),
    ("from core.execution.ledger import Ledger", 1, "a strategy may only propose"),
    ("from core.staging import stage", 1, "a strategy may only propose"),
    ("from core import workflows", 1, "a strategy may only propose"),
    ("import console.desk", 1, "which is not for strategies; core.strategies.kit has what they need"),
    ("from . import other", 1, "a strategy is one file"),
    ("import datetime\ndatetime.datetime.now()", 2, "there is no clock but the bar's"),
    ("from datetime import date\n\nd = date.today()", 3, "there is no clock but the bar's"),
    ("async def on_bar(): ...", 1, "a bar is answered at once"),
    ("def f(:\n", 1, "it is no Python"),
    ("x=" + "-" * 50_000 + "1", 1, "it is nested too deeply to be read; write it plainer"),
    ("x=" + "(" * 5_000 + ")" * 5_000, 1, "it is no"),
    ("x=1" + "+1" * 50_000, 1, "it is nested too deeply to be read"),
    ("1 / 0", 1, "it raises ZeroDivisionError: division by zero"),
    ("\n\nraise SystemExit(3)", 3, "it raises SystemExit: 3; fix that line"),
    ("raise KeyboardInterrupt", 1, "it raises KeyboardInterrupt; fix that line"),
    ("raise GeneratorExit", 1, "it raises GeneratorExit; fix that line"),
    ("\nraise Exception.mro()[1](3)", 2, "it raises BaseException: 3; fix that line"),
    ("class Odd(Exception):\n    def __str__(self): return 1 / 0\nraise Odd", 3, "it raises Odd; fix that line"),
)
def test_forbidden_code_is_told_with_its_line(text: str, line: int, words: str) -> None:
    """OP-01, ST-01"""
    found = looked_at(text)

    assert found.made is None or found.faults
    assert found.faults[0].startswith(f"mine.py, line {line}: ")
    assert words in found.faults[0]


def test_library_names_may_be_used_freely() -> None:
    """ST-01"""
    head = """
from __future__ import annotations
import collections.abc, math as m, statistics, pydantic, core.strategies.kit
from collections import abc, deque
from core.model import values
from core.strategies import indicators
__all__ = ["Mine"]
x = (collections.abc.Mapping, abc.Mapping, m.sqrt(4), statistics.mean([1]), pydantic.Field, values.ZERO, __name__)
y = core.strategies.kit.Price
"""
    assert looked_at(head + HEAD + SOUND).faults == ()


@table(
    "body words",
    ("", "it has no strategy; write a class that derives from OwnStrategy"),
    (SOUND + SOUND.replace("Mine", "Other"), "it has 2 strategies, Mine, Other"),
    (SOUND.replace('"mine"', '"other"'), "its name is 'other', and the file's is 'mine'"),
    (SOUND.replace("on_bar", "on_tick"), "it has no on_bar; write `def on_bar(self, bar, context)`"),
    (SOUND.replace("State = Memory", ""), "it keeps no typed state; give it `State = …`"),
    (SOUND.replace("State = Memory", "State = dict"), "it keeps no typed state"),
    (HEAD.replace("slots=True", "") + SOUND, "its State Memory has no slots"),
    (HEAD.replace("bars: int = 0", "bars: int") + SOUND, "its State cannot be made, saved and restored"),
    (HEAD.replace("bars: int = 0", "bars: object = object()") + SOUND, "Memory.bars is object; give it a type"),
    (HEAD.replace("bars: int = 0", "bars: 'Any' = 3") + "from typing import Any\n" + SOUND, "Memory.bars is Any"),
    (HEAD.replace("bars: int = 0", "bars: list | None = None") + SOUND, "Memory.bars is a list of anything"),
    (HEAD.replace("bars: int = 0", "bars: dict[str, object] | None = None") + SOUND, "Memory.bars is object"),
    (HEAD.replace("bars: int = 0", "bars: int = 0\n    seen = 0") + SOUND, "Memory.seen has no type"),
    (HEAD.replace("bars: int = 0", "bars: int = 'many'") + SOUND, "its State cannot be made, saved and"),
    (SOUND + "    Settings = 3\n", "it has no Settings"),
    (SOUND + "    Settings = Slip\n", "its Settings cannot be made of their defaults: falls: Input should be a valid"),
    (SOUND.replace("self, bar, context", "self, bar"), "its on_bar does not take a bar and a context"),
    (SOUND.replace("return NO_SETUP", "yield NO_SETUP"), "its on_bar is a generator, which answers nothing"),
    (SOUND + "    Settings = Taken\n", "its setting enabled is one that the desk reads itself"),
    (SOUND + "    def __init__(self): pass\n", "it cannot be made with its settings and its state: TypeError"),
)
def test_what_is_wrong_with_its_class_is_told(body: str, words: str) -> None:
    """ST-01"""
    taken = "@dataclass\nclass Taken:\n    enabled: bool = True\n@dataclass\nclass Slip:\n    falls: int = 'three'\n"
    found = looked_at(body if body.startswith(HEAD[:30]) else HEAD + taken + body)

    assert found.made is None or found.faults
    assert words in "; ".join(found.faults)
    assert found.faults[0].startswith("mine.py")
