"""A complete strategy of a page, for whoever begins one: it loads, replays, and proposes in the demo as it stands.

It is `core/strategies/example.py` under another name. docs/STRATEGIES.md shows it too; a test compares the two.
"""

from __future__ import annotations

import inspect


def example_strategy(name: str) -> str:
    """The text of a strategy of that name, which must be one."""
    from core.strategies import example

    camel = "".join(part.capitalize() for part in name.split("_"))
    return inspect.getsource(example).replace("dips", name).replace("Dips", camel)
