"""Write the key tables of docs/USE.md and the README from the desk's own table.

.venv/bin/python docs/keys.py          writes them between their markers
.venv/bin/python docs/keys.py --check  exits 1 where one differs
"""

from __future__ import annotations

from pathlib import Path

from console.keymap import KEYS, Key, keys_table
from docs.pages import filled, table, written

HERE = Path(__file__).resolve().parent
NAMED = (
    *("grid.open", "ticket.buy", "ticket.short", "ticket.sell", "ticket.cover", "proposal.decline"),
    *("order.new", "position.close", "exit.urgent", "flatten", "help", "leave"),
)
"""The keys of the README, beside the kill: the twelve that matter on a first day."""


def short_table() -> str:
    """Return the README's table: one row for each of the twelve keys."""
    found = {key.id: key for key in KEYS}
    return table(("key", "where", "what it does"), map(_row, (found[name] for name in NAMED)))


def _row(key: Key) -> tuple[str, ...]:
    return (f"`{key.written}`", key.place.value, key.description)


def main() -> int:
    use = written(HERE / "USE.md", lambda text: filled(text, {"keys": lambda: f"{keys_table().strip()}\n"}))
    return use | written(HERE.parent / "README.md", lambda text: filled(text, {"keys": short_table}))


if __name__ == "__main__":
    raise SystemExit(main())
