"""A broker's own numbers stand in its own folders; the rest of the desk knows kinds of refusals (SP-07)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("app.py", "console", "core", "state", "widgets")
FOLDERS = ("core/brokers/alpaca/", "core/market/alpaca/")
"""Where Alpaca's numbers may stand."""
CODE = re.compile(r"(?<!\d)4[0-9]{2}[0-9]{5}(?!\d)")
STATUSES = frozenset({401, 403, 404, 405, 406, 408, 409, 422, 425, 429})
SAID = re.compile(rf"(?<![\d.,])({'|'.join(map(str, sorted(STATUSES)))})(?![\d.,])")


def numbers_in(source: str) -> Iterator[tuple[int, str]]:
    """Alpaca's codes and HTTP statuses that refuse: written as numbers, and inside of texts."""
    digits = source.replace("_", "")
    if not (CODE.search(digits) or SAID.search(digits)):  # to take every file apart would take seconds
        return
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=int(number)) if number in STATUSES or CODE.fullmatch(str(number)):
                yield node.lineno, str(number)
            case ast.Constant(value=str(text)) if found := CODE.search(text) or SAID.search(text):
                yield node.lineno, found.group()


def sources() -> Iterator[tuple[str, str]]:
    for room in ROOMS:
        place = ROOT / room
        for file in [place] if place.is_file() else sorted(place.rglob("*.py")):
            yield str(file.relative_to(ROOT)), file.read_text()


def test_no_number_of_alpacas_stands_outside_its_folders() -> None:
    """SP-07"""
    found = [
        f"{name}:{line} {number}"
        for name, source in sources()
        if not name.startswith(FOLDERS)
        for line, number in numbers_in(source)
    ]

    assert found == []


def test_alpacas_own_folders_have_them() -> None:
    """SP-07: what is searched for is really there"""
    found = {number for name, source in sources() if name.startswith(FOLDERS) for _, number in numbers_in(source)}

    assert {"40310000", "42210000", "403", "422", "406"} <= found


@pytest.mark.parametrize(
    ("source", "number"),
    [
        ("NOT_ENOUGH = 40310000", "40310000"),
        ("if answer.status == 403: ...", "403"),
        ("said = 'refused (42210000)'", "42210000"),
        ("KINDS = {42_910_000: 'limited'}", "42910000"),
        ("words = f'{name} answered 429'", "429"),
    ],
)
def test_each_way_to_write_one_is_found(source: str, number: str) -> None:
    """SP-07"""
    assert [found for _, found in numbers_in(source)] == [number]


@pytest.mark.parametrize("source", ["MOST = 40_000_000_000", "PRICE = 1403", "text = '1,403.50'", "HOUSE = '2403'"])
def test_other_numbers_are_left_alone(source: str) -> None:
    """SP-07"""
    assert list(numbers_in(source)) == []
