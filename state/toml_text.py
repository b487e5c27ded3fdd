"""Settings as TOML text, read by somebody who does not trust it: bounded, shallow, with numbers that a person writes.

What is wrong is told with its line or its key. A parser that recurses would otherwise end with an error of its own, and
a number with a billion digits would be worked on for hours.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal

LARGEST = 1_000_000
"""Bytes of a settings file; one that spells out everything has forty times less."""
LONGEST_LINE = 20_000
"""Characters: five hundred symbols with room to spare."""
DEEPEST = 16
"""Tables and lists in each other; the settings themselves have four."""
TOO_DEEP = "lists and tables stand in each other too deep; write it flat"
LONGEST_NUMBER = 18
"""Digits before the point, or behind it."""

KeyPath = tuple[str, ...]

_TOKEN = re.compile(
    r'#[^\n]*|"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|[\[\]{}\n]',
    re.DOTALL,
)


class TomlError(ValueError):
    """Text that is no TOML; the message names the line and says what is wrong."""


class UnreadableTomlError(TomlError):
    """Text that may be TOML and is too large, too deep or too long to be read."""


def toml_of(text: str) -> dict[str, object]:
    """The tables of a text, their numbers exact. Raises `TomlError`."""
    for number, line in enumerate(text.split("\n"), 1):
        if len(line) > LONGEST_LINE:
            raise UnreadableTomlError(
                f"line {number} has {len(line):,} characters, {LONGEST_LINE:,} at most are read; break it up"
            )
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise TomlError(str(error)) from None
    except RecursionError:
        raise UnreadableTomlError(f"line {_deep_line(text)}: {TOO_DEEP}") from None
    except ValueError as error:  # a number that Python itself does not read
        raise UnreadableTomlError(f"a number in it is too long ({error}); shorten it") from None


def odd_value(values: Mapping[str, object]) -> tuple[KeyPath, str] | None:
    """The key of the first value that no setting can be, and why; None where all of them can. It does not recurse."""
    waiting: list[tuple[KeyPath, object]] = [((), values)]
    while waiting:
        path, value = waiting.pop()
        if len(path) > DEEPEST:
            return path[:DEEPEST], TOO_DEEP
        if isinstance(value, Mapping | list):
            waiting.extend(((*path, key), inner) for key, inner in reversed(list(_items(value))))
        elif _is_out_of_hand(value):
            return path, f"a number has {LONGEST_NUMBER} digits at most, before its point and behind it"
    return None


def _items(value: Mapping[str, object] | list[object]) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        yield from value.items()
    else:
        yield from ((str(place), inner) for place, inner in enumerate(value))


def _is_out_of_hand(value: object) -> bool:
    if isinstance(value, Decimal) and value.is_finite():
        return not -LONGEST_NUMBER <= value.adjusted() < LONGEST_NUMBER or _decimals(value) > 2 * LONGEST_NUMBER
    return isinstance(value, int) and abs(value) >= 10**LONGEST_NUMBER


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return abs(exponent) if isinstance(exponent, int) else 0


def _deep_line(text: str) -> int:
    """Where brackets first stand too deep in each other; the last line where they never do."""
    line, depth = 1, 0
    for found in _TOKEN.finditer(text):
        token = found[0]
        line += token.count("\n")
        depth += token in ("[", "{")
        depth -= token in ("]", "}")
        if depth > DEEPEST:
            return line
    return line
