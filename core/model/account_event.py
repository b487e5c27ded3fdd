"""Scripted account events of the simulated exchange, separated by semicolons.

2026-01-07 dividend SPY 0.25; 2026-01-09 interest 0.12; 2026-01-12 split SPY 2:1; 2026-01-14 transfer 500;
2026-01-15 fee -0.35; 2026-01-16 shares SPY 10 at 101.50
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.model.activity import ActivityKind
from core.model.values import ZERO, Symbol

NUMBER = r"-?[0-9]{1,12}(?:\.[0-9]{1,9})?"
FORMS: dict[ActivityKind, str] = {
    ActivityKind.DIVIDEND: rf"(?P<symbol>[A-Z.]+) (?P<number>{NUMBER})",
    ActivityKind.INTEREST: rf"(?P<number>{NUMBER})",
    ActivityKind.FEE: rf"(?P<number>{NUMBER})",
    ActivityKind.TRANSFER: rf"(?P<number>{NUMBER})",
    ActivityKind.SPLIT: r"(?P<symbol>[A-Z.]+) (?P<number>[0-9]{1,4}):(?P<other>[0-9]{1,4})",
    ActivityKind.SHARES: rf"(?P<symbol>[A-Z.]+) (?P<number>{NUMBER}) at (?P<other>{NUMBER})",
}


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """One event, at the beginning of its day.

    Attributes
    ----------
    number
        USD of cash; USD a share of a dividend; new shares of a split; transferred shares.
    other
        Old shares of a split; USD a share of transferred shares; zero otherwise.
    """

    day: date
    kind: ActivityKind
    number: Decimal
    symbol: Symbol | None = None
    other: Decimal = ZERO


def read_events(text: str) -> tuple[AccountEvent, ...]:
    """Parse the script, sorted by day. Raises ValueError with the text that cannot be read."""
    events = [_event(words.strip()) for words in text.split(";") if words.strip()]
    return tuple(sorted(events, key=lambda event: event.day))


def _kind(words: str) -> tuple[ActivityKind, re.Match[str]]:
    for kind, form in FORMS.items():
        if (
            found := re.fullmatch(rf"(?P<day>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}) {kind.value} {form}", words)
        ) is not None:
            return kind, found
    raise ValueError(f"{words!r} is no event: try 2026-01-07 dividend SPY 0.25, or split SPY 2:1")


def _event(words: str) -> AccountEvent:
    kind, found = _kind(words)
    parts = found.groupdict()
    number, other = Decimal(parts["number"]), Decimal(parts.get("other") or 0)
    if kind is ActivityKind.SPLIT and not (number and other):
        raise ValueError(f"{words!r}: a split is of so many new shares for so many old ones")
    symbol = Symbol(parts["symbol"]) if "symbol" in parts else None
    return AccountEvent(date.fromisoformat(parts["day"]), kind, number, symbol, other)
