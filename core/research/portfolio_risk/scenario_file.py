"""Scenarios as TOML files: recorded days, a shock, or a correlation stress. Those built in have the same form (AN-02).

A file is used as a whole or refused with its key.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from core.files.csv_files import shown
from core.model.lazy_dataclass import dataclass
from core.ports import OperatorError
from core.research.portfolio_risk.shock_text import Shock, parsed

BUILT_IN = Path(__file__).with_name("built-in")
LONGEST_NAME = 40
HIGHEST_RETURN = 1000
"""Percent of a day's return."""
MOST_VOLATILITY = 20
FORMS: tuple[tuple[frozenset[str], frozenset[str]], ...] = (
    (frozenset({"name", "first", "last"}), frozenset({"index"})),
    (frozenset({"name", "shock"}), frozenset()),
    (frozenset({"name", "correlation", "volatility"}), frozenset({"way"})),
)
"""The keys that each kind of file needs, and those that it may have."""
HOW = "write name with first and last, with shock, or with correlation and volatility"


@dataclass(frozen=True, slots=True)
class RecordedDays:
    """Days of the past.

    Attributes
    ----------
    index
        The return of the index on each of its sessions, a fraction, for histories that do not reach back; may be empty.
    """

    name: str
    first: date
    last: date
    index: Mapping[date, float]


@dataclass(frozen=True, slots=True)
class Stress:
    """Correlations moved towards one, and every volatility multiplied.

    Attributes
    ----------
    correlation
        The correlation of every pair that is approached, 0 to 1.
    way
        The part of the way: 1 is the correlation itself.
    volatility
        The factor of each position's deviation, at least 1.
    """

    name: str
    correlation: float
    way: float
    volatility: float


AnyScenario = RecordedDays | Shock | Stress


def scenario_of(table: Mapping[str, object], place: str) -> AnyScenario:
    """Return the scenario of a file's table. Raises `OperatorError` with place and key."""
    keys = table.keys()
    needed, optional = max(FORMS, key=lambda form: len(keys & form[0]))
    if unknown := sorted(keys - needed - optional):
        raise OperatorError(f"{place}: {shown(unknown[0])} has no place there; {HOW}")
    if lacks := sorted(needed - keys):
        raise OperatorError(f"{place}: {lacks[0]} is missing; {HOW}")
    name = table["name"]
    if not isinstance(name, str) or not 0 < len(name.strip()) <= LONGEST_NAME or not name.isprintable():
        raise OperatorError(f'{place}: name: write 1 to {LONGEST_NAME} characters, as name = "March 2020"')
    name = name.strip()
    if "shock" in table:
        if not isinstance(table["shock"], str):
            raise OperatorError(f'{place}: shock: write a text, as shock = "SPY -7 %, oil +20 %"')
        return parsed(table["shock"], f"{place}: shock", name)
    if "correlation" in table:
        correlation = _number(table["correlation"], f"{place}: correlation", 0, 1)
        way = _number(table.get("way", 1), f"{place}: way", 0, 1)
        return Stress(name, correlation, way, _number(table["volatility"], f"{place}: volatility", 1, MOST_VOLATILITY))
    first, last = (_day(table[key], f"{place}: {key}") for key in ("first", "last"))
    if last < first:
        raise OperatorError(f"{place}: last: {last} is before {first}, the first; change one of them")
    return RecordedDays(name, first, last, _index(table.get("index", {}), first, last, f"{place}: index"))


def without_repeats(scenarios: Iterable[tuple[str, AnyScenario]]) -> tuple[AnyScenario, ...]:
    """Return the scenarios of these places. Raises `OperatorError` for a name that is there twice."""
    found: dict[str, tuple[str, AnyScenario]] = {}
    for place, each in scenarios:
        if each.name in found:
            raise OperatorError(f"{place}: name: {each.name} is that of {found[each.name][0]} too; write another")
        found[each.name] = (place, each)
    return tuple(each for _, each in found.values())


def _day(value: object, place: str) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise OperatorError(f"{place}: write a day without quotation marks, as 2020-03-31")
    return value


def _number(value: object, place: str, least: int, most: int) -> float:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not _is_within(Decimal(value), least, most):
        raise OperatorError(f"{place}: write a number from {least} to {most:,}")
    return float(value)


def _is_within(value: Decimal, least: int, most: int) -> bool:
    return value.is_finite() and least <= value <= most


def _index(days: object, first: date, last: date, place: str) -> dict[date, float]:
    """Return the returns by day, in order."""
    if not isinstance(days, Mapping):
        raise OperatorError(f"{place}: write a table of days and percent, as [index] and below it 2020-03-16 = -10.94")
    found = {}
    for key, percent in days.items():
        try:
            day = date.fromisoformat(key)
        except ValueError:
            raise OperatorError(f"{place}: {shown(key)} is no day; write it as 2020-03-16 = -10.94") from None
        if not first <= day <= last:
            raise OperatorError(f"{place}: {day} is not within {first} to {last}; remove it")
        found[day] = _number(percent, f"{place}: {day}", -100, HIGHEST_RETURN) / 100
    return dict(sorted(found.items()))
