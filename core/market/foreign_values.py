"""Times and numbers as vendors and spreadsheets write them: why each is refused, and what to write instead (MD-08).

Nothing here is taken as it may be meant. Where the rows of a file leave one reading, that one is offered; where they
leave two, both are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from core.files.csv_files import FileFault, shown
from core.model.lazy_dataclass import dataclass
from core.model.session import HOME
from core.model.values import number_in, plain

SLASHED = re.compile(r"[0-9]{1,4}([/.])[0-9]{1,2}\1[0-9]{1,4}(?![0-9])")
"""`01/02/2024`, `2024.01.02`."""
LAST_DAY = 31
SHORT_YEARS = 100
FIRST_SHORT_YEAR = 90
"""A year of two digits is from 1990 to 2089."""
OF_A_BROKER = re.compile(r"([0-9]{8})[ -]+([0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?: +([A-Za-z]+(?:/[A-Za-z_]+)?))?")
"""As Interactive Brokers writes times: `20131008 09:30:00 US/Eastern`."""
ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
HALF_DAYS = re.compile(r"[0-9] ?[AaPp]\.?[Mm]\.?$")
CLOCK = re.compile(r"[T_, ]+([0-9]{1,2}):([0-9]{2})(:[0-9]{2})?(?:\.[0-9]+)?(?: ?([AaPp])\.?[Mm]\.?)?")
"""Behind a date; the seconds and the half of the day may be missing."""
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
NAMED_MONTH = re.compile(rf"(?i)\b({'|'.join(MONTHS)})")
DAY_OF_A_MONTH = (
    re.compile(
        rf"(?i)(?P<day>[0-9]{{1,2}})[- ](?P<month>{'|'.join(MONTHS)})[a-z]*\.?[- ,]+(?P<year>[0-9]{{4}}|[0-9]{{2}})\b"
    ),
    re.compile(
        rf"(?i)(?P<month>{'|'.join(MONTHS)})[a-z]*\.? (?P<day>[0-9]{{1,2}}),? (?P<year>[0-9]{{4}}|[0-9]{{2}})\b"
    ),
)
"""`29-Nov-13`, `Nov 29, 2013`."""
SERIAL = re.compile(r"[2-6][0-9]{4}(\.[0-9]+)?")
"""From 1954 to 2091."""
FIRST_SERIAL = datetime(1899, 12, 30)  # noqa: DTZ001
"""The day 0 of spreadsheets, in no zone."""
GROUPS = re.compile(r"[0-9]{1,3}(?:([,. '\u00a0\u202f])[0-9]{3})(?:\1[0-9]{3})*")
"""Digits in groups of three."""
WITH_A_FRACTION = re.compile(r"(.*)([.,])([0-9]+)")
MULTIPLES = {"K": Decimal(1000), "M": Decimal(10) ** 6, "B": Decimal(10) ** 9}
"""As in `1.25M`."""
DateOrder = tuple[int, int, int]
"""The places of year, month and day among the three numbers of a date."""
YEAR_FIRST: DateOrder = (0, 1, 2)
MONTH_FIRST: DateOrder = (2, 0, 1)
DAY_FIRST: DateOrder = (2, 1, 0)
FIRST_OF: Mapping[DateOrder, str] = {YEAR_FIRST: "year", MONTH_FIRST: "month", DAY_FIRST: "day"}
A_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a value cannot be read, and what to write in its place; `write` is empty where that is not known."""

    words: str
    fault: FileFault = FileFault.VALUE
    write: str = ""


def when_trouble(text: str, name: str, such_as: str) -> Trouble:
    """Return why a time cannot be read, and how to write it."""
    said = f"{name} {shown(text)}"
    if SLASHED.match(text):
        return date_trouble(text, [text], name)
    if match := OF_A_BROKER.fullmatch(text):
        day, clock, zone = match.groups()
        by = f", and name the zone by --zone {zone}" if zone else f", and name its zone, as by --zone {HOME.zone.key}"
        write = f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock}"
        return Trouble(f"{said}: write it as {write}{by}", FileFault.DATE, write)
    if HALF_DAYS.search(text):
        day, clock = text[: len("2024-01-02")], _clock_in(text[len("2024-01-02") :])
        write = f"{day}{clock}" if clock and ISO_DAY.fullmatch(day) else ""
        how = write or f"the hour from 0 to 23, as {such_as}"
        return Trouble(f"{said} has a clock of twelve hours: write {how}", FileFault.DATE, write)
    if NAMED_MONTH.search(text):
        write = _with_its_month(text)
        how = write or f"it as a number, the year first, as {such_as}"
        return Trouble(f"{said} names its month: write {how}", FileFault.DATE, write)
    if SERIAL.fullmatch(text):
        at = FIRST_SERIAL + timedelta(seconds=round(float(text) * 86_400))
        write = at.isoformat() if "." in text else str(at.date())
        return Trouble(
            f"{said} is a spreadsheet's number of a day: format that column as a date, as {write}",
            FileFault.DATE,
            write,
        )
    return Trouble(f"{said} is no {'day' if name == 'date' else 'time'} such as {such_as}")


def date_trouble(text: str, texts: Iterable[str], name: str) -> Trouble:
    """Return which day a date with slashes or dots names, by all dates of the file, and how to write it."""
    found = SLASHED.match(text)
    assert found is not None
    said, three, clock = f"{name} {shown(text)}", _numbers_of(text), _clock_in(text[found.end() :])
    others = [numbers for each in texts if (numbers := _numbers_of(each))]
    orders = [order for order in _orders(three) if all(_day(order, each) is not None for each in others)]
    if len(orders) > 1 and three[2] < SHORT_YEARS:  # the days of a file follow each other
        orders = [order for order in orders if _are_in_order([_day(order, each) for each in others])] or orders
    days = [f"{day}{clock}" for order in orders if (day := _day(order, three)) is not None]
    if three[0] > LAST_DAY and days:
        return Trouble(f"{said} has the year first: write it with hyphens, as {days[0]}", FileFault.DATE, days[0])
    if len(days) == 1:
        words = f"{said} has the {FIRST_OF[orders[0]]} first, as other rows show: write it as {days[0]}"
        return Trouble(words, FileFault.DATE, days[0])
    write = " or ".join(dict.fromkeys(days))
    how = f"write the year first, as {write or '2024-01-02'}"
    return Trouble(f"{said} may name two days, by whose order day and month stand; {how}", FileFault.DATE, write)


def number_trouble(text: str, name: str, *, is_whole: bool) -> Trouble:
    """Return why a number cannot be read, and how to write it; `is_whole` if it can have no fraction, as a volume."""
    write = " or ".join(_numbers_meant(text.strip(), is_whole=is_whole))
    words = f"{name} {shown(text)} is not a number{f'; write {write}' if write else ''}"
    return Trouble(words, FileFault.NUMBER if write else FileFault.VALUE, write)


# ── dates ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _orders(three: Sequence[int]) -> tuple[DateOrder, ...]:
    if three[0] > LAST_DAY:
        return (YEAR_FIRST,)
    return (MONTH_FIRST, DAY_FIRST) if three[2] > LAST_DAY else (MONTH_FIRST, DAY_FIRST, YEAR_FIRST)


def _day(order: DateOrder, three: Sequence[int]) -> date | None:
    year, month, day = (three[place] for place in order)
    with suppress(ValueError):
        return date(_full_year(year), month, day)
    return None


def _full_year(year: int) -> int:
    return year if year >= SHORT_YEARS else year + (1900 if year >= FIRST_SHORT_YEAR else 2000)


def _are_in_order(days: Sequence[date | None]) -> bool:
    """Return whether the days rise or fall from row to row, by less than a year each."""
    known = [day for day in days if day is not None]
    is_sorted = known in (sorted(known), sorted(known, reverse=True))
    return is_sorted and all(abs(later - earlier) < A_YEAR for earlier, later in pairwise(known))


def _numbers_of(text: str) -> list[int]:
    """Return the three numbers of a date with slashes or dots, whatever stands behind it; none of another text."""
    found = SLASHED.match(text)
    return [int(part) for part in found[0].split(found[1])] if found else []


def _clock_in(text: str) -> str:
    """Return the time of day at the beginning of a text, as `T13:05:00`; empty if there is none."""
    found = CLOCK.match(text)
    if found is None:
        return ""
    hour, half = int(found[1]), found[4]
    if half is not None:
        hour = hour % 12 + (12 if half in "pP" else 0)
    return f"T{hour:02d}:{found[2]}{found[3] or ':00'}"


def _with_its_month(text: str) -> str:
    """Return the day of a text that names its month; empty if it names none."""
    for form in DAY_OF_A_MONTH:
        if found := form.match(text):
            month = MONTHS.index(found["month"].lower()) + 1
            with suppress(ValueError):
                day = date(_full_year(int(found["year"])), month, int(found["day"]))
                return f"{day}{_clock_in(text[found.end() :])}"
    return ""


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _numbers_meant(text: str, *, is_whole: bool) -> list[str]:
    """Return what a text that is no number may mean: one reading, two, or none."""
    bare = text.lstrip("$€£").strip()
    times = MULTIPLES.get(bare[-1:].upper())
    if times is not None:
        found = [Decimal(each) * times for each in _plain_numbers(bare[:-1].strip(), is_whole=False)]
        return [plain(each) for each in found]
    return _plain_numbers(bare, is_whole=is_whole)


def _plain_numbers(text: str, *, is_whole: bool) -> list[str]:
    if number_in(text) is not None:
        return [text]
    found = []
    if groups := GROUPS.fullmatch(text):
        found.append(text.replace(groups[1], ""))
        is_certain = is_whole or text.count(groups[1]) > 1 or groups[1] not in ".,"
        if is_certain:
            return found
    if fraction := WITH_A_FRACTION.fullmatch(text):
        whole, mark, part = fraction.groups()
        groups = GROUPS.fullmatch(whole)
        if groups and groups[1] != mark:
            whole = whole.replace(groups[1], "")
        if whole.isdecimal() and whole.isascii():
            found.append(f"{whole}.{part}")
    return found
