"""Read the operator's TOML files: bounded, and refused in one line that names the file.

A fault is reported with its line or key. Otherwise a recursive parser would fail with its own error, and a number with
a billion digits would take hours.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

from core.files.regular_file import OddFileError, TooLargeError, bytes_of
from core.ports import OperatorError

LARGEST = 1_000_000
"""The maximum size of a settings file in bytes; a complete one is forty times smaller."""
LONGEST_LINE = 20_000
"""Characters: enough for five hundred symbols."""
DEEPEST = 16
"""The maximum nesting of tables and lists; the settings themselves have four levels."""
TOO_DEEP = "lists and tables stand in each other too deep; write it flat"
LONGEST_NUMBER = 18
"""Digits before or after the decimal point."""

KeyPath = tuple[str, ...]

_TOKEN = re.compile(
    r'#[^\n]*|"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|[\[\]{}\n]',
    re.DOTALL,
)


class TomlError(ValueError):
    """Text that is not TOML; the message names the line and the fault."""


class UnreadableTomlError(TomlError):
    """Text that may be TOML, but is too large, too deep or too long."""


def toml_of(text: str) -> dict[str, object]:
    """Return the tables of a text, with exact numbers. Raises `TomlError`."""
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
    except ValueError as error:  # a number that Python itself refuses
        raise UnreadableTomlError(f"a number in it is too long ({error}); shorten it") from None


def odd_value(values: Mapping[str, object]) -> tuple[KeyPath, str] | None:
    """Return the key of the first value that no setting can have, with the reason; otherwise None. Not recursive."""
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
    """Return the line where the brackets are first nested too deeply; otherwise the last line."""
    line, depth = 1, 0
    for found in _TOKEN.finditer(text):
        token = found[0]
        line += token.count("\n")
        depth += token in ("[", "{")
        depth -= token in ("]", "}")
        if depth > DEEPEST:
            return line
    return line


def tables_of(path: Path, what: str, error: type[OperatorError]) -> dict[str, object]:
    """Return the tables of the file, empty without a file; `what` is its subject in messages. Raises `error`."""
    try:
        return toml_of(bytes_of(path, LARGEST).decode("utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OddFileError, TooLargeError) as odd:
        raise error(f"{path}: {odd.strerror}") from None
    except IsADirectoryError:
        raise error(f"{path} is a folder; move it away, and write the {what} into a file") from None
    except OSError as failed:
        raise error(f"{path} cannot be read: {failed.strerror}; check its permissions") from failed
    except UnicodeDecodeError as odd:
        raise error(f"{path.name}: byte {odd.start} is no UTF-8 text; save the file as UTF-8") from None
    except TomlError as odd:
        raise error(f"{path.name}: {odd}") from None
