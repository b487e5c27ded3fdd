"""Write a message from notices: a title, a line for each, and a mark if it may be a repeat (SY-03)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from core.model.harmless_words import harmless
from core.model.notice import Notice
from core.model.venue import Venue

MOST_LINES = 20
"""Notices that one message spells out."""
REPEAT = "REPEAT"


def title_of(notices: Sequence[Notice], desk: str, *, is_repeat: bool) -> str:
    """Return the title: `Keyturn paper demo: exit waiting SPY`, `REPEAT Keyturn LIVE A1: 3 messages`."""
    first = notices[0]
    what = f"{first.kind.words} {first.symbol or ''}".strip() if len(notices) == 1 else f"{len(notices)} messages"
    return harmless(f"{REPEAT if is_repeat else ''} Keyturn {desk}: {what}")


def text_of(notices: Sequence[Notice], untold: int, at: datetime, venue: Venue, *, is_repeat: bool) -> str:
    """Return a line for each, time first; notices beyond `MOST_LINES` and suppressed ones are counted."""
    lines = [_repeat_in_words(notices)] if is_repeat else []
    lines += [f"{_time(notice.at, at, venue)} {notice.kind.words}: {notice.words}" for notice in notices[:MOST_LINES]]
    if rest := notices[MOST_LINES:]:
        lines.append(f"and {len(rest)} more: {_counted(rest)}")
    if untold:
        lines.append(f"{untold} more were too many to be told; the desk has them")
    return "\n".join(lines)


def _repeat_in_words(notices: Sequence[Notice]) -> str:
    return f"{REPEAT}: you may have {'this' if len(notices) == 1 else 'these'} already"


def _counted(notices: Sequence[Notice]) -> str:
    return ", ".join(f"{count} {kind.words}" for kind, count in Counter(n.kind for n in notices).most_common())


def _time(then: datetime, now: datetime, venue: Venue) -> str:
    """Return `14:03 London`, with the day if it differs."""
    return venue.dated(then, now)
