"""Details of a protection or strategy: measures, start and end, and why nothing is traded."""

from __future__ import annotations

from datetime import datetime

from console.details.lines import ahead, field, instant
from core.views import DeskView, ProtectionRow, SuspensionView
from widgets import format as f
from widgets.lines import TextLine
from widgets.proposals import answer_in_words, in_words
from widgets.protections import guard_of

STATES = {
    SuspensionView.TRIPPED: "TRIPPED: no entry is staged",
    SuspensionView.FULL: "FULL: what it allows is used up; no further entry is staged",
    SuspensionView.CLOSED: "CLOSED: no entry is staged until it opens",
}


def protection(view: DeskView, key: str, now: datetime) -> list[TextLine] | None:
    row = next((row for row in view.protections if row.key == guard_of(key)), None)
    if row is None:
        return _entries(view) if key == "entries" else None
    state = STATES[row.word] if row.is_tripped else "clear: entries pass it"
    if row.passes_overridden:
        state = "OVERRIDDEN: entries pass it by your word alone"
    return [
        *field("protection", row.name, "strong"),
        *field("state", state, "warning" if row.has_tripped or row.overridden else ""),
        *field("measure", row.measure),
        *(field("used", f"{f.percent(row.used)} of its limit") if row.used is not None else ()),
        *field("what, and why", row.reason),
        *field("tripped" if row.overridden else "since", _since(row, now)),
        *_overridden(row, now),
        *field("until", ahead(row.until, now) if row.until is not None else "it does not end by itself"),
        (),
        *field("exits", "are never held up by it"),
    ]


def _overridden(row: ProtectionRow, now: datetime) -> list[TextLine]:
    """Return the time of the override, and the time from which entries pass."""
    word = row.overridden
    if word is None:
        return []
    begins = ahead(word.begins, now) if word.begins > now else instant(word.begins, now)
    return [*field("overridden", instant(word.at, now)), *field("passes from", begins)]


def _since(row: ProtectionRow, now: datetime) -> str:
    if row.since is not None:
        return instant(row.since, now)
    return "it is not known" if row.is_tripped else "it has not tripped"


def _entries(view: DeskView) -> list[TextLine] | None:
    why = view.status.entries_refused
    return None if why is None else [*field("entries", "off", "warning"), *field("because", why)]


def strategy(view: DeskView, key: str, _now: datetime) -> list[TextLine] | None:
    row = next((row for row in view.strategies if row.key == key), None)
    if row is None:
        return None
    stands = "paused: no entries; it keeps watching its exits" if row.is_paused else "running"
    if row.shut:
        stands = f"{row.shut}; its exits go on"
    if row.is_off:
        stands = "off in the settings: no entries; it keeps watching its exits"
    if row.is_missing:
        stands = "missing: it proposes nothing; what it holds is yours to close, by the close of the day at the latest"
    bars = sum(count for _, count in row.reasons)
    lines = [
        *field("strategy", f"{row.strategy.upper()} on {row.symbol}", "strong"),
        *field("state", stands, "warning" if row.is_paused or row.is_missing or row.shut else ""),
        *field("last answer", f"{answer_in_words(row, view.proposals)}; in {row.times} of {bars} bars of this session"),
        *(field("trouble", row.trouble, "warning") if row.trouble else ()),
        *(field("anomaly", row.anomaly, "warning") if row.anomaly and not row.is_off else ()),
        *(field("proposed", f"{row.proposed}; + adopts it, - declines it", "strong") if row.proposed else ()),
    ]
    for number, (name, value) in enumerate(row.figures):
        lines += field("figures" if not number else "", f"{name} {value}")
    for label, words in row.evaluation:
        lines += field(label, words, "warning" if label == "shut" else "")
    lines.append(())
    for number, (reason, count) in enumerate(row.reasons):
        lines += field("its answers" if not number else "", f"{count:>4} of {bars} bars  {in_words(str(reason))}")
    return lines
