"""Parse the lists of a symbol: `never WHY`, `close WHY`, `until 2026-12-01 WHY`, `off never` (RK-26)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from core.messages.commands import ListSymbol
from core.model.symbols import LONGEST_REASON, ListKind
from core.model.values import Symbol

EXAMPLES = "never no borrow · close merger · until 2026-12-01 earnings · off never"
WORDS = {"never": ListKind.NEVER, "close": ListKind.CLOSE_ONLY, "until": ListKind.RESTRICTED}
OFF = "off"


@dataclass(frozen=True, slots=True)
class TakeOff:
    """Remove the symbol from that list, after a typed word."""

    kind: ListKind


def read_list(symbol: Symbol, text: str, today: date) -> ListSymbol | TakeOff | str:
    """Return the list change, or the error text."""
    first, _, rest = text.strip().partition(" ")
    rest = rest.strip()
    if first == OFF:
        kind = WORDS.get(rest)
        return TakeOff(kind) if kind is not None else "off which list? never, close or until"
    if first not in WORDS:
        return "begin with never, close, until or off"
    kind, until = WORDS[first], None
    if kind is ListKind.RESTRICTED:
        day, _, rest = rest.partition(" ")
        rest = rest.strip()
        until = _day(day)
        if until is None or until <= today:
            return "until which day? a later one than today, as in until 2026-12-01 earnings"
    if not rest:
        return f"why? a reason, of {LONGEST_REASON} characters at most"
    return ListSymbol(symbol, kind, rest[:LONGEST_REASON], until)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
