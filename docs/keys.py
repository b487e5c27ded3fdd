"""Writes the table of keys in docs/USE.md from the one table that the desk itself uses.

.venv/bin/python docs/keys.py          writes it between the markers
.venv/bin/python docs/keys.py --check  exits 1 where it differs
"""

from __future__ import annotations

import sys
from pathlib import Path

from console.keymap import keys_table

PAGE = Path(__file__).resolve().with_name("USE.md")
BEGIN, END = "<!-- keys: begin -->", "<!-- keys: end -->"


def main() -> int:
    text = PAGE.read_text()
    before, rest = text.split(BEGIN)
    made = f"{before}{BEGIN}\n{keys_table().strip()}\n{END}{rest.split(END)[1]}"
    if "--check" in sys.argv:
        return int(made != text)
    PAGE.write_text(made)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
