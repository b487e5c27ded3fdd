"""Count what the log repeats: warnings and errors by kind, and requests to broker and market data by endpoint (SY-06).

A kind is the level, the event and its text without what differs from case to case: numbers, ids, the symbol.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from statistics import median

from state.service_log.files import Line
from state.service_log.lines import CALL, LEVELS

DIFFERS = re.compile(r"\S*[0-9]\S*")
"""A word with a digit: a number, a time, an id, a path of a file."""
WORST_FIRST = LEVELS[::-1]


@dataclass(slots=True)
class Problem:
    """One kind of warning or error; `words` are those of the newest case."""

    level: str
    event: str
    words: str = ""
    first: datetime | None = None
    last: datetime | None = None
    by_day: Counter[date] = field(default_factory=Counter)


@dataclass(slots=True)
class Requests:
    """The requests of one endpoint, by outcome and by minute; `seconds` has the duration of each."""

    endpoint: str
    outcomes: Counter[str] = field(default_factory=Counter)
    minutes: Counter[datetime] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def in_figures(self) -> Mapping[str, object]:
        """Return counts and milliseconds under their names."""
        busiest, most = max(self.minutes.items(), key=lambda each: (each[1], each[0]))
        return {
            "endpoint": self.endpoint,
            "requests": self.outcomes.total(),
            "outcomes": dict(sorted(self.outcomes.items())),
            "minutes": len(self.minutes),
            "a_minute": round(self.outcomes.total() / len(self.minutes), 2),
            "most_a_minute": most,
            "busiest_minute": busiest,
            "median_ms": round(median(self.seconds) * 1000, 1),
            "slowest_ms": round(max(self.seconds) * 1000, 1),
        }


def problems(lines: Iterable[Line]) -> list[Problem]:
    """Return the kinds of warnings and errors, the worst and most frequent first; days are UTC."""
    found: dict[tuple[str, str, str], Problem] = {}
    for line in lines:
        level, event, words = line["level"], line["event"], line["words"]
        if LEVELS.index(level) < LEVELS.index("warning"):
            continue
        symbol = line.get("symbol")
        usual = DIFFERS.sub("#", words.replace(str(symbol), "#") if symbol else words)
        at = datetime.fromisoformat(line["at"])
        kind = found.setdefault((level, event, usual), Problem(level, event))
        kind.by_day[at.date()] += 1
        kind.first = min(kind.first or at, at)
        if kind.last is None or at >= kind.last:
            kind.last, kind.words = at, words
    return sorted(found.values(), key=lambda kind: (WORST_FIRST.index(kind.level), -kind.by_day.total(), kind.words))


def requests(lines: Iterable[Line]) -> list[Requests]:
    """Return the requests by endpoint, the most frequent first."""
    found: dict[str, Requests] = {}
    for line in lines:
        if line["event"] != CALL or not isinstance(line.get("seconds"), float | int):
            continue
        endpoint = str(line.get("request")).rpartition("-")[0]
        counted = found.setdefault(endpoint, Requests(endpoint))
        counted.outcomes[str(line.get("outcome"))] += 1
        counted.minutes[datetime.fromisoformat(line["at"]).replace(second=0, microsecond=0)] += 1
        counted.seconds.append(float(line["seconds"]))
    return sorted(found.values(), key=lambda each: (-each.outcomes.total(), each.endpoint))
