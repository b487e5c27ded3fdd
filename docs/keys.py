"""Writes the tables of keys in docs/USE.md and the README from the one table that the desk itself uses.

.venv/bin/python docs/keys.py          writes them between their markers
.venv/bin/python docs/keys.py --check  exits 1 where one differs
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from console.keymap import KEYS, NUMBERS, Key, KeyScope, keys_table
from docs.pages import filled, table, written

HERE = Path(__file__).resolve().parent
FIRST = ("proposals", "positions", "orders", "strategies", "watch", "chart", "history", "new order", "ticket")
"""Of these places the README names keys, beside those that work everywhere."""
NAMED = (
    *(
        "pane.next",
        "pane.zoom",
        "pane.export",
        "row.copy",
        "layout",
        "exit.urgent",
        "basket",
        "flatten",
        "commands",
        "leave",
    ),
    *("form.symbol", "form.bid", "form.ask", "form.mid", "form.last", "form.tick_up", "form.tick_down", "form.way"),
    *("ticket.buy", "ticket.short", "ticket.sell", "ticket.cover", "ticket.replace", "ticket.unattended"),
)
"""What the README names beside the keys of the footer."""


def short_table() -> str:
    """The README's: what the footer shows, and what a first day needs."""
    rows = []
    for place in (KeyScope.EVERYWHERE, *map(KeyScope, FIRST)):
        cells = " · ".join(f"`{key.written}` {key.in_footer or key.description}" for key in _of(place))
        panes = f"`1` to `{[*NUMBERS.values()][-1]}` panes · " if place is KeyScope.EVERYWHERE else ""
        rows.append((place.value, panes + cells))
    return table(("where", "keys"), rows)


def _of(place: KeyScope) -> Iterator[Key]:
    return (key for key in KEYS if key.place is place and (key.is_in_footer or key.id in NAMED))


def main() -> int:
    use = written(HERE / "USE.md", lambda text: filled(text, {"keys": lambda: f"{keys_table().strip()}\n"}))
    return use | written(HERE.parent / "README.md", lambda text: filled(text, {"keys": short_table}))


if __name__ == "__main__":
    raise SystemExit(main())
