"""Fill docs/BUILT_IN_STRATEGIES.md from the strategies that the program runs.

.venv/bin/python docs/built_in_strategies.py          writes the page
.venv/bin/python docs/built_in_strategies.py --check  exits 1 where the page is not what it would write

Rules and failure regimes are the paragraphs of a strategy's docstring, the settings those of its table.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from console.commands.state import every_key
from core.strategies.breakout import BreakoutStrategy
from core.strategies.mean_reversion import MeanReversionStrategy
from core.strategies.momentum import MomentumStrategy
from core.strategies.sma import SmaStrategy
from core.strategies.trade_plan import TradePlanStrategy
from core.strategies.vwap_mean_reversion import VwapStrategy
from docs.pages import Tables, filled, table, written
from docs.settings import default_of

PAGE = Path(__file__).resolve().with_name("BUILT_IN_STRATEGIES.md")
STRATEGIES: tuple[type, ...] = (VwapStrategy, MomentumStrategy, BreakoutStrategy, MeanReversionStrategy, SmaStrategy)
RULES = {"Enters": "enters", "Exits": "exits", "Refuses": "against a recommendation"}
"""The first word of a rule's paragraph, and its row."""
FAILURES = "Known failure regimes"


def paragraphs(owner: type) -> list[str]:
    """Return the paragraphs of a docstring after its first, each as one line; items keep theirs."""
    found = (inspect.getdoc(owner) or "").split("\n\n")[1:]
    return [re.sub(r"\s*\n(?!- )\s*", " ", each.strip()) for each in found]


def rules(strategy: type) -> Iterator[tuple[str, str]]:
    """Yield the rules, each with its title. Raises ValueError where entry or exit is missing."""
    told = {each.partition(" ")[0]: each for each in paragraphs(strategy)}
    for word, title in RULES.items():
        if word in told:
            yield title, told[word].partition(" ")[2].removeprefix("a recommendation ")
        elif word != "Refuses" or issubclass(strategy, TradePlanStrategy):
            raise ValueError(f'{strategy.__name__}: a paragraph of its docstring must begin with "{word} "')
    if not issubclass(strategy, TradePlanStrategy):
        yield RULES["Refuses"], "it reads none"


def failures(strategy: type) -> list[tuple[str, str]]:
    """Return the known failure regimes, each with what meets it. Raises ValueError where there are none."""
    told = paragraphs(strategy)
    if not any(each.startswith(FAILURES) for each in told):
        raise ValueError(f'{strategy.__name__}: a paragraph of its docstring must begin with "{FAILURES}"')
    items = next(each for each in told if each.startswith("- ")).removeprefix("- ").split("\n- ")
    return [(regime, control.removesuffix(".")) for regime, _, control in (item.partition(": ") for item in items)]


def of_strategy(strategy: type) -> str:
    name = str(strategy.name)  # type: ignore[attr-defined]
    prefix = f"strategies.{name}."
    settings = [
        (f"`{key.name.removeprefix(prefix)}`", default_of(key), key.meaning)
        for key in every_key()
        if key.name.startswith(prefix)
    ]
    return "\n".join(
        (
            table(("rule", ""), rules(strategy)),
            table(("where it fails", "what meets it"), failures(strategy)),
            table((f"`strategies.{name}`", "default", "what it does"), settings),
        )
    )


def plan() -> str:
    """Return the rules that the strategies with a plan share."""
    return "\n\n".join(paragraphs(TradePlanStrategy)) + "\n"


TABLES: Tables = {
    "plan": plan,
    **{str(each.name): partial(of_strategy, each) for each in STRATEGIES},  # type: ignore[attr-defined]
}


def page(text: str) -> str:
    """Return the page with every table made anew."""
    return filled(text, TABLES)


if __name__ == "__main__":
    sys.exit(written(PAGE, page))
